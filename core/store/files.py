"""Putting one SQLite file in the place of another, so that a reader finds the old one or the new one, each whole.

SQLite itself refuses to write to a file that was moved away under an open connection (``SQLITE_READONLY_DBMOVED``), as
long as that file is not in WAL mode. So the old file leaves WAL mode first, which also needs that nobody else has it
open, and shows that all of it is in the one file. Source: https://www.sqlite.org/howtocorrupt.html#unlink
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from core.errors import StoreError
from core.store.alone import FileLock

Progress = Callable[[float], None]
"""Told now and then how much is done, 0 to 1."""

WAIT_S = 10.0
"""How long, in wall seconds, another process may take to do the same."""

GLANCE_S = 3.0
"""How long, in wall seconds, another process may look into the file."""

_PAGES = 1_000
"""Pages that are copied between two reports of progress."""

_BESIDE = ("-journal", "-wal", "-shm")


@contextmanager
def locked(file: Path, *, wait_s: float = WAIT_S) -> Iterator[None]:
    """Nobody else serves this database or replaces its file meanwhile. Raises ``StoreError`` when somebody does."""
    lock = FileLock(Path(f"{file}.lock"))
    until = time.monotonic() + wait_s
    while not lock.take():
        if time.monotonic() > until:
            raise StoreError(f"{file} is in use by another Vouch: stop it first")
        time.sleep(0.05)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def held_still(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a database in one file that nobody else has open; nothing is committed to it meanwhile.

    Raises ``StoreError`` when somebody has it open, ``sqlite3.DatabaseError`` when it is none.
    """
    until = time.monotonic() + GLANCE_S
    with closing(sqlite3.connect(file, timeout=0.1, isolation_level=None)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=DELETE")
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # takes the shared lock
                break
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    raise
                if time.monotonic() > until:
                    raise StoreError(f"{file} is in use by another Vouch: stop it first") from error
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            time.sleep(0.05)
        yield connection


@contextmanager
def held_or_damaged(file: Path) -> Iterator[sqlite3.Connection | None]:
    """As ``held_still``; ``None`` where there is no file, or none that SQLite could read."""
    with ExitStack() as stack:
        held = None
        if file.exists():
            with suppress(sqlite3.DatabaseError):
                held = stack.enter_context(held_still(file))
        yield held


def copy(source: sqlite3.Connection, file: Path, like: Path | None, progress: Progress | None = None) -> None:
    """Copy a database into a new file, with the rights of the file ``like``, else for the owner alone."""
    remove(file)
    made = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    if like is not None:
        its = like.stat()
        os.fchmod(made, its.st_mode & 0o777)
        if (its.st_uid, its.st_gid) != (os.geteuid(), os.getegid()):
            with suppress(PermissionError):
                os.fchown(made, its.st_uid, its.st_gid)
    os.close(made)

    def report(_: int, left: int, total: int) -> None:
        if progress is not None:
            progress(1 - left / max(total, 1))

    with closing(sqlite3.connect(file, isolation_level=None)) as target:
        source.backup(target, pages=_PAGES, progress=report)
        target.execute("PRAGMA journal_mode=DELETE")


def swap(new: Path, file: Path, name: str) -> Path | None:
    """Put ``new`` in the place of ``file``, on the disk when this returns. The old one is kept beside it as
    ``FILE.name``; returns where, or ``None`` when there was none."""
    for path in (new, new.parent):
        sync(path)
    aside = None
    if file.exists():
        aside = _free(file, name)
        if not aside.exists():
            os.link(file, aside)
    for end in _BESIDE:  # of a damaged one: SQLite would take them for the new one's
        with suppress(FileNotFoundError):
            os.replace(f"{file}{end}", f"{aside or f'{file}.{name}'}{end}")
    os.replace(new, file)
    sync(file.parent)
    return aside


def _free(file: Path, name: str) -> Path:
    """A name for the old file: a free one, or the one that it has already from an attempt that was cut short."""
    number, found = 1, Path(f"{file}.{name}")
    while found.exists() and not found.samefile(file):
        number += 1
        found = Path(f"{file}.{name}-{number}")
    return found


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def remove(file: Path) -> None:
    """Remove a database's file with all that SQLite keeps beside it."""
    for path in (file, *(Path(f"{file}{end}") for end in _BESIDE)):
        path.unlink(missing_ok=True)


def check(connection: sqlite3.Connection, file: Path) -> None:
    """Raises ``StoreError`` when the database is not whole."""
    try:
        found = [str(text) for (text,) in connection.execute("PRAGMA integrity_check(3)") if text != "ok"]
        found += [
            f"{table} row {row} names no {of}" for table, row, of, _ in connection.execute("PRAGMA foreign_key_check")
        ]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    if found:
        raise StoreError(f"{file} is damaged: {'; '.join(found[:3])}")


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table has."""
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = ((name, connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names)  # noqa: S608
    return {name: n for name, n in found if not name.startswith("sqlite_")}
