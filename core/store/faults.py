"""What it means when the database itself fails: in plain words, with the mend. A job's own mistakes are none of this.

Sources: https://www.sqlite.org/rescode.html; https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

import errno
import sqlite3

from sqlalchemy.exc import DBAPIError

_FULL = "the disk is full: make room on it"
_READ_ONLY = "the database is read-only: let Vouch write to it"
_DISK = "the disk does not take what is written: look at the disk"
MOVED = "the database's file was moved or cannot be opened: put it back, and restart Vouch"
BUSY = "another program holds the database: end it"
_DAMAGED = "the database's file is damaged: stop Vouch, then `vouch restore` a backup"
_SERVER = "the database server is away: start it, or mend service.database"
_REFUSES = "the database server refuses us: mend service.database"
_SERVER_BUSY = "the database server has no room for us: give it more connections, or more memory"
_STOOD_STILL = "this process stood still for a while, and the database server hung up: nothing to mend, unless often"

_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_CANTOPEN: MOVED,
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_READONLY_DBMOVED: MOVED,
}
_SYSTEM = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _READ_ONLY,
    errno.EPERM: _READ_ONLY,
}
_POSTGRESQL = {
    "53100": _FULL,
    "25006": _READ_ONLY,
    "25P03": _STOOD_STILL,
    "58030": _DISK,
    "40P01": BUSY,
    "55P03": BUSY,
    "57014": BUSY,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
_POSTGRESQL_CLASSES = {"08": _SERVER, "57": _SERVER, "53": _SERVER_BUSY, "58": _DISK}

PASSES = (_FULL, _DISK, _SERVER, _SERVER_BUSY, _STOOD_STILL)
"""What may well be over in a while, also for who has only just started, before the server on a machine that starts."""

_FOR_GOOD = (
    "authentication failed",
    "pg_hba.conf",
    "no password supplied",
    "does not exist",
    "not permitted to log in",
)
"""Why a server turns us away that will not take us later either: what else it says (starting up, no slot left, in any
language) passes. Source: https://github.com/postgres/postgres/blob/master/src/backend/utils/init/postinit.c"""


def storage_fault(error: BaseException) -> str | None:
    """What keeps the database from keeping anything, and the mend; ``None`` when the fault is the job's own."""
    if isinstance(error, OSError):
        return _SYSTEM.get(error.errno or 0, _DISK)
    if not isinstance(error, DBAPIError):
        return None
    found = error.orig
    if isinstance(found, sqlite3.Error):
        code = getattr(found, "sqlite_errorcode", 0)
        return _SQLITE.get(code) or _SQLITE.get(code & 0xFF)
    state = getattr(found, "sqlstate", None)
    if isinstance(state, str):
        return _POSTGRESQL.get(state) or _POSTGRESQL_CLASSES.get(state[:2])
    if not error.connection_invalidated and type(found).__name__ != "OperationalError":
        return None
    said = str(found)  # of an attempt to connect no code is told
    return _REFUSES if any(words in said for words in _FOR_GOOD) else _SERVER
