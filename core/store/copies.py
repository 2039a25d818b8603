"""Backups: made while the service runs, restored while it does not, from either kind of database into either.

A backup is one SQLite file with all tables. What was done since it was made nobody knows after a restore
(``core/store/renewal.py``); stops are kept elsewhere (``core/store/stops.py``) and stay in force.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, func, literal, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from core.errors import StoreError
from core.models import SCHEMA, Kept, Lease
from core.store import files
from core.store.agree import agree
from core.store.opening import alone, lock_schema, open_engine, prepare, schema_of
from core.store.renewal import Before, in_file, in_server, last_case, renew
from core.store.statements import table

_KEPT = table(Kept)
_LEASE = table(Lease)
_TABLES = SQLModel.metadata.sorted_tables

MARK = "backup"
"""The name under which a backup keeps when it was made."""

CHUNK = 2_000
"""Rows that are copied at a time."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made."""

    file: Path
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    made_at: str
    """When the backup was made; empty for a file that ``vouch backup`` did not make."""
    rows: int
    unknown: int
    """How many messages were planned in it and may have been said since."""
    aside: Path | None
    """Where the database is that was there before."""
    stops_known: bool
    """Whether the stops of later than the backup were here, beside the database."""


def backup(url: str, file: Path, now: datetime, progress: files.Progress | None = None) -> Backup:
    """Copy a database into a new file, as it is at this moment, and check the copy. Raises ``StoreError``."""
    if file.exists():
        raise StoreError(f"{file} is there already: name another file, or remove it")
    if not file.absolute().parent.is_dir():
        raise StoreError(f"there is no folder {file.absolute().parent}")
    part = Path(f"{file}.part")
    try:
        had = _copy_out(url, part, progress)
        with closing(sqlite3.connect(part)) as made, made:
            has = files.counts(made)
            files.check(made, part)
            made.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (MARK, now.isoformat(timespec="seconds")))
        if has != had:
            raise StoreError(f"{part} does not hold what the database holds; look at the disk, and try again")
        files.swap(part, file, "before")
    except (sqlite3.Error, DBAPIError, OSError) as error:
        raise StoreError(f"the backup failed: {error}") from error
    finally:
        files.remove(part)
    return Backup(file, sum(has.values()), file.stat().st_size)


def restore(url: str, file: Path, now: datetime, progress: files.Progress | None = None) -> Restored:
    """Put a backup in the place of the database, wholly or not at all. Raises ``StoreError``, also while it is used."""
    if not file.is_file():
        raise StoreError(f"there is no file {file}")
    try:
        if url.startswith("sqlite:"):
            return _restore_file(Path(url.removeprefix("sqlite:///")), file, url, now, progress)
        with tempfile.TemporaryDirectory(prefix="vouch-") as folder:
            return _restore_server(url, file, Path(folder), now, progress)
    except (sqlite3.DatabaseError, DBAPIError) as error:
        if _is_damaged(file):
            raise StoreError(f"{file} is damaged, and nothing was changed: take another backup") from error
        said = error.orig if isinstance(error, DBAPIError) else error
        raise StoreError(f"the restore failed, and nothing was changed: {said}") from error
    except OSError as error:
        raise StoreError(f"the restore failed, and nothing was changed: {error}") from error


def _is_damaged(file: Path) -> bool:
    try:
        with _reading(file, "ro", f"there is no file {file}") as source:
            return bool(source.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",))
    except (sqlite3.DatabaseError, StoreError):
        return True


# -- out ---------------------------------------------------------------------------------------------------------------


def _copy_out(url: str, part: Path, progress: files.Progress | None) -> Mapping[str, int]:
    """One picture of the database in a file. Returns how many rows each table has."""
    if url.startswith("sqlite:"):
        database = Path(url.removeprefix("sqlite:///"))
        with _reading(database, "rw", f"there is no {database} to back up") as source:
            _known_schema(source, database)
            files.copy(source, part, None, progress)
            return files.counts(source)
    engine = open_engine(url)
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) as source:
            source.execute(select(func.set_config("idle_in_transaction_session_timeout", "0", True)))
            found = schema_of(source)
            if found != SCHEMA:
                raise StoreError(f"the database has schema {found}, this Vouch {SCHEMA}: start `vouch run` once first")
            _make(part)
            return _copy_rows(source, part, progress)
    finally:
        engine.dispose()


def _make(part: Path) -> None:
    files.remove(part)
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _copy_rows(source: Connection, part: Path, progress: files.Progress | None) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    engine = alone(part)
    try:
        with engine.begin() as target:
            SQLModel.metadata.create_all(target)
            for done, one in enumerate(_TABLES):
                counts[one.name] = _pour(source, target, one)
                if progress is not None:
                    progress((done + 1) / len(_TABLES))
    finally:
        engine.dispose()
    return counts


def _pour(source: Connection, target: Connection, one: Any) -> int:
    n = 0
    rows = source.execution_options(yield_per=CHUNK).execute(select(one)).mappings()
    for chunk in rows.partitions(CHUNK):
        target.execute(one.insert(), [dict(row) for row in chunk])
        n += len(chunk)
    return n


# -- in ----------------------------------------------------------------------------------------------------------------


def _restore_file(database: Path, file: Path, url: str, now: datetime, progress: files.Progress | None) -> Restored:
    new = Path(f"{database}.restoring")
    if not database.absolute().parent.is_dir():
        raise StoreError(f"there is no folder {database.absolute().parent}; see service.database")
    if database.exists() and database.samefile(file):
        raise StoreError(f"{file} is the database itself: name a backup")
    stops_known = database.exists() or Path(f"{database}.stops").exists()
    with files.locked(database, wait_s=0.0):
        try:
            with files.held_or_damaged(database) as old:
                made_at, unknown, rows = _renewed(file, new, database, in_file(old), now, progress)
                aside = files.swap(new, database, "before-restore")
        finally:
            files.remove(new)
    engine = open_engine(url)
    prepare(engine)  # which takes in the stops
    engine.dispose()
    return Restored(made_at, rows, unknown, aside, stops_known)


def _restore_server(url: str, file: Path, folder: Path, now: datetime, progress: files.Progress | None) -> Restored:
    new, engine = folder / "restoring", open_engine(url)
    try:
        prepare(engine)
        with engine.begin() as connection:
            connection.execute(select(func.set_config("idle_in_transaction_session_timeout", "0", True)))
            connection.execute(select(func.set_config("lock_timeout", "10s", True)))
            lock_schema(connection)
            connection.execute(text('LOCK TABLE "lease" IN SHARE ROW EXCLUSIVE MODE'))  # nobody can take one now
            _refuse_while_served(connection)
            made_at, unknown, rows = _renewed(file, new, None, in_server(connection), now, progress)
            aside = _free(Path(f"{file}.replaced"))
            backup(url, aside, now)
            _pour_in(new, connection)
            agree(connection)
    finally:
        engine.dispose()
    return Restored(made_at, rows, unknown, aside, stops_known=True)


def _free(wanted: Path) -> Path:
    number, found = 1, wanted
    while found.exists():
        number += 1
        found = Path(f"{wanted}-{number}")
    return found


def _refuse_while_served(connection: Connection) -> None:
    """Raises ``StoreError`` while a living process holds a lease, see ``core/store/leases.py``."""
    sessions = select(_LEASE.c.session).where(_LEASE.c.session != "", _LEASE.c.until > func.clock_timestamp())
    for session in connection.execute(sessions.distinct()).scalars().all():
        gone = select(func.pg_try_advisory_xact_lock_shared(int(session, 16)))
        if not connection.execute(gone).scalar_one():
            raise StoreError("the database is in use by another Vouch: stop it first")


def _pour_in(new: Path, connection: Connection) -> None:
    engine = alone(new)
    names = ", ".join(f'"{one.name}"' for one in _TABLES)
    connection.execute(text(f"TRUNCATE {names}"))
    try:
        with engine.begin() as source:
            for one in _TABLES:
                _pour(source, connection, one)
            cases = last_case(source)
    finally:
        engine.dispose()
    for one in _TABLES:
        if "id" in one.c:  # the next row comes after those that were restored
            greatest = func.coalesce(select(func.max(one.c.id)).scalar_subquery(), 0)
            last = literal(cases) if one.name == "cases" else greatest
            its = func.pg_get_serial_sequence(f'"{one.name}"', "id")
            connection.execute(select(func.setval(its, last + 1, literal(False))))


def _renewed(
    file: Path, new: Path, like: Path | None, before: Before, now: datetime, progress: files.Progress | None
) -> tuple[str, int, int]:
    """Make ``new`` out of the backup, so that it can be served. Returns when that was made, how many messages are
    unknown now, and how many rows it had."""
    with _reading(file, "ro", f"there is no file {file}") as source:
        found = _known_schema(source, file)
        files.copy(source, new, like if like is not None and like.exists() else None, progress)
    if found < SCHEMA:
        from core.store.migrations.migrate import upgrade_file

        upgrade_file(new)
    engine = alone(new)
    try:
        with engine.begin() as connection:
            mark = _KEPT.c.name == MARK
            made_at = connection.execute(select(_KEPT.c.value).where(mark)).scalar_one_or_none() or ""
            connection.execute(_KEPT.delete().where(mark))
            rows = sum(connection.execute(select(func.count()).select_from(one)).scalar_one() for one in _TABLES)
            unknown = renew(connection, made_at, before, now)
    finally:
        engine.dispose()
    with closing(sqlite3.connect(new)) as made:
        files.check(made, file)
    return made_at, unknown, rows


# -- the files ---------------------------------------------------------------------------------------------------------


@contextmanager
def _reading(file: Path, mode: str, missing: str) -> Iterator[sqlite3.Connection]:
    """One picture of a SQLite database, whoever writes to it meanwhile."""
    if not file.is_file():
        raise StoreError(missing)
    address = f"file:{quote(str(file.absolute()))}?mode={mode}"
    with closing(sqlite3.connect(address, uri=True, timeout=10.0, isolation_level=None)) as source:
        source.execute("BEGIN")
        yield source


def _known_schema(source: sqlite3.Connection, file: Path) -> int:
    """Its schema. Raises ``StoreError`` when it is none of ours, or newer."""
    try:
        found = source.execute("SELECT value FROM kept WHERE name = 'schema'").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_NOTADB):
            raise
        found = None
    if found is None:
        raise StoreError(f"{file} is no database of Vouch")
    if int(found[0]) > SCHEMA:
        raise StoreError(f"{file} has schema {found[0]}, this Vouch knows {SCHEMA}: install a newer Vouch")
    return int(found[0])
