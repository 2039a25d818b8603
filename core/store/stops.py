"""Who said stop and who said START again, kept where no restore of a backup can roll it back.

On SQLite it is a file beside the database (``FILE.stops``): a JSON line each, on the disk before the stop itself is
committed. On PostgreSQL it is a table in the schema ``vouch_stops``, named like the schema of the other tables, and
committed with them. Nothing but ids stands there. Whatever was said last holds.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Identity,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    inspect,
    select,
)
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.schema import CreateSchema

from core.errors import StoreError
from core.models import Person
from core.store.statements import Lookup, Upsert, among, many, table

log = logging.getLogger(__name__)

_PERSON = table(Person)
_COLUMNS = (_PERSON.c.id, _PERSON.c.account, _PERSON.c.platform_id, _PERSON.c.stopped)
_STOPPED = select(*_COLUMNS).where(_PERSON.c.stopped.is_(True))
_add_people = Upsert(
    Person, ("account", "platform_id", "opened", "stopped", "blocked", "owed"), key=("account", "platform_id")
)
_known = Lookup(select(*_COLUMNS).where(_PERSON.c.account == bindparam("account"), among(_PERSON.c.platform_id, "ids")))

ROOM = "vouch_stops"
"""The schema on PostgreSQL."""

LARGE = 1_000_000
"""Bytes from which on the file is made smaller, when at least half of it is out of date."""


class What(StrEnum):
    """What a person said about being written to."""

    STOP = "stop"
    ERASE = "erase"
    START = "start"


@dataclass(frozen=True, slots=True)
class Said:
    """What one person said."""

    account: str
    person: str
    """The platform's id."""
    what: What
    at: str
    event: str


def said(account: str, person: str, what: What, at: datetime, event: str) -> Said:
    """What one person said at a moment."""
    return Said(account, person, what, at.isoformat(timespec="seconds"), event)


def note(connection: Connection, new: Sequence[Said]) -> None:
    """Keep these so that no restore forgets them, before the transaction ends. Raises ``OSError``."""
    if not new:
        return
    if connection.dialect.name == "sqlite":
        if (file := _file(connection)) is not None:
            _append(file, new)
    else:
        connection.execute(_table(connection).insert(), [asdict(one) for one in new])


def agree(connection: Connection) -> None:
    """Let the database follow what was said last, in the connection's transaction: at every start, and after a restore.

    Where nothing is kept outside of it yet, what the database knows is kept there.
    """
    last = latest(connection)
    people = _stopped_people(connection.execute(_STOPPED).all())
    _know(connection, [key for key, one in last.items() if key not in people and one.what is not What.START])
    people |= _stopped_people(_among(connection, [key for key in last if key not in people]))
    wrong: dict[bool, list[int]] = {True: [], False: []}
    for key, (id, stopped) in people.items():
        if (one := last.get(key)) is not None and stopped is (one.what is What.START):
            wrong[not stopped].append(id)
    for stopped, ids in wrong.items():
        if ids:
            rows = [{"person_id": id} for id in ids]
            connection.execute(
                _PERSON.update().where(_PERSON.c.id == bindparam("person_id")).values(stopped=stopped), rows
            )
    if wrong[True]:
        log.warning("%d stops that the database did not know of are in force", len(wrong[True]))
    new = [key for key, (_, stopped) in people.items() if stopped and key not in last]
    note(connection, [Said(account, person, What.STOP, "", "") for account, person in new])


def _know(connection: Connection, stopped: Sequence[tuple[str, str]]) -> None:
    """Have a row for each of them, also those who came after the backup that was restored: a row that is made when they
    next write would be of somebody who never said stop."""
    _add_people(connection, [(account, person, False, True, False, 0) for account, person in stopped])


def _stopped_people(rows: Iterable[Any]) -> dict[tuple[str, str], tuple[int, bool]]:
    return {(account, person): (id, bool(stopped)) for id, account, person, stopped in rows}


def _among(connection: Connection, keys: Iterable[tuple[str, str]]) -> Iterator[Any]:
    by_account: dict[str, list[str]] = {}
    for account, person in keys:
        by_account.setdefault(account, []).append(person)
    for account, people in by_account.items():
        yield from _known(connection, account=account, ids=many(connection, people))


def latest(connection: Connection) -> dict[tuple[str, str], Said]:
    """What each person said last, by account and platform id."""
    if connection.dialect.name == "sqlite":
        file = _file(connection)
        return _read(file) if file is not None else {}
    its = _table(connection).c
    rows = connection.execute(select(its.account, its.person, its.what, its.at, its.event).order_by(its.id))
    return {(row.account, row.person): Said(row.account, row.person, What(row.what), row.at, row.event) for row in rows}


def make_room(connection: Connection) -> None:
    """Make the place where they are kept, and make it smaller where most of it is out of date. Raises ``StoreError``
    when that is not allowed."""
    if connection.dialect.name == "sqlite":
        file = _file(connection)
        if file is not None and file.exists() and file.stat().st_size > LARGE:
            _shorten(file)
        return
    stops = _table(connection)
    if inspect(connection).has_table(stops.name, schema=ROOM):
        newest = select(func.max(stops.c.id)).group_by(stops.c.account, stops.c.person)
        connection.execute(stops.delete().where(stops.c.id.not_in(newest)))
        return
    try:
        connection.execute(CreateSchema(ROOM, if_not_exists=True))
        stops.create(connection)
    except ProgrammingError as error:
        raise StoreError(
            f"service.database: stops are kept in a schema of their own, which may not be made here: {error.orig}; "
            f"have it made with CREATE SCHEMA {ROOM} AUTHORIZATION {connection.engine.url.username or 'vouch'}"
        ) from error


def _table(connection: Connection) -> Table:
    name = connection.info.get(ROOM)
    if name is None:
        name = connection.info[ROOM] = str(connection.execute(select(func.current_schema())).scalar_one())
    return _TABLES.setdefault(name, _stops(name))


def _stops(name: str) -> Table:
    columns = [Column(column, String, nullable=False) for column in ("account", "person", "what", "at", "event")]
    return Table(name, MetaData(), Column("id", BigInteger, Identity(), primary_key=True), *columns, schema=ROOM)


_TABLES: dict[str, Table] = {}


# -- the file ----------------------------------------------------------------------------------------------------------


def beside(file: Path) -> Path:
    """Where the stops of a SQLite database are."""
    return Path(f"{file}.stops")


def _file(connection: Connection) -> Path | None:
    database = connection.engine.url.database
    return beside(Path(database)) if database and database != ":memory:" else None


def _append(file: Path, new: Iterable[Said]) -> None:
    with _opened(file) as opened:
        size = os.fstat(opened).st_size
        torn = size > 0 and os.pread(opened, 1, size - 1) != b"\n"  # a line that a crash cut short
        _write(opened, (b"\n" if torn else b"") + _lines(new))
        if size == 0:
            _sync_folder(file)


def _shorten(file: Path) -> None:
    with _opened(file):
        last = _read(file)
        lines = _lines(last.values())
        if 2 * len(lines) > file.stat().st_size:
            return
        new = Path(f"{file}.new")
        made = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write(made, lines)
        finally:
            os.close(made)
        os.replace(new, file)
        _sync_folder(file)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[int]:
    """The file for appending, with nobody else at it."""
    import fcntl

    while True:
        opened = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            if os.fstat(opened).st_ino == os.stat(file).st_ino:  # else it was shortened just now
                yield opened
                return
        finally:
            os.close(opened)


def _write(opened: int, data: bytes) -> None:
    while data:
        data = data[os.write(opened, data) :]
    os.fsync(opened)


def _sync_folder(file: Path) -> None:
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _lines(all_said: Iterable[Said]) -> bytes:
    return b"".join(json.dumps(asdict(one), ensure_ascii=False).encode() + b"\n" for one in all_said)


def _read(file: Path) -> dict[tuple[str, str], Said]:
    found: dict[tuple[str, str], Said] = {}
    try:
        lines = file.read_bytes().splitlines()
    except FileNotFoundError:
        return found
    for number, line in enumerate(lines, 1):
        try:
            one: dict[str, Any] = json.loads(line)
            entry = Said(one["account"], one["person"], What(one["what"]), one["at"], one["event"])
        except (ValueError, KeyError, TypeError):
            if line.strip():
                log.warning("%s: line %d cannot be read; it was being written when the machine went down", file, number)
            continue
        found.pop((entry.account, entry.person), None)
        found[(entry.account, entry.person)] = entry
    return found
