"""Who said stop, who said START again and who is forgotten, kept where no restore of a backup can roll it back.

On SQLite it is a file beside the database (``FILE.stops``): a JSON line each, on the disk before the stop itself is
committed. On PostgreSQL it is a table in the schema ``vouch_stops``, named like the schema of the other tables, and
committed with them. Nothing but ids stands there, and fingerprints of those that are forgotten. Whatever was noted last
holds: what is delivered after a later word is not noted.
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
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.schema import CreateSchema

from core.buttons import Seal
from core.errors import StoreError

log = logging.getLogger(__name__)

ERASED = "erased:"
"""What stands in the place of the id of somebody who is forgotten begins so; no platform's id does."""

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
    ord: int | None = None
    """Its place among what people of this account did, where that is known."""


def fingerprint(seal: Seal, account: str, person: str) -> str:
    """What stands in the place of an id that is forgotten: the same for the same id, under the database's own key."""
    return ERASED + seal.fingerprint(f"{account}:{person}")


def said(account: str, person: str, what: What, at: datetime, event: str, ord: int | None = None) -> Said:
    """What one person said at a moment."""
    return Said(account, person, what, at.isoformat(), event, ord)


def note(connection: Connection, new: Sequence[Said]) -> None:
    """Keep these so that no restore forgets them, before the transaction ends. Raises ``OSError``."""
    if not new:
        return
    if connection.dialect.name == "sqlite":
        if (file := _file(connection)) is not None:
            _append(file, new)
    else:
        connection.execute(_table(connection).insert(), [asdict(one) for one in new])


def forget(connection: Connection, account: str, person: str, mark: str, at: datetime) -> None:
    """Their id goes from here too; the fingerprint of it stays, so that no restore brings them back."""
    instead = said(account, mark, What.ERASE, at, "")
    if connection.dialect.name != "sqlite":
        stops = _table(connection)
        connection.execute(stops.delete().where(stops.c.account == account, stops.c.person == person))
        note(connection, [instead])
    elif (file := _file(connection)) is not None:
        with _opened(file):
            others = {key: one for key, one in _read(file).items() if key != (account, person)}
            _replace(file, _lines([*others.values(), instead]))


def latest(connection: Connection) -> dict[tuple[str, str], Said]:
    """What each person said last, by account and platform id."""
    if connection.dialect.name == "sqlite":
        file = _file(connection)
        return _read(file) if file is not None else {}
    its = _table(connection).c
    rows = connection.execute(select(its.account, its.person, its.what, its.at, its.event, its.ord).order_by(its.id))
    return {(account, person): Said(account, person, What(what), *when) for account, person, what, *when in rows}


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
        _add_places(connection, stops)
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


def _add_places(connection: Connection, stops: Table) -> None:
    """A record from before schema 9 tells none. It outlives the tables, so it is not brought up to date with them."""
    if all(column["name"] != "ord" for column in inspect(connection).get_columns(stops.name, schema=ROOM)):
        name = connection.dialect.identifier_preparer.format_table(stops)
        connection.execute(text(f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS ord BIGINT"))


def _table(connection: Connection) -> Table:
    name = connection.info.get(ROOM)
    if name is None:
        name = connection.info[ROOM] = str(connection.execute(select(func.current_schema())).scalar_one())
    return _TABLES.setdefault(name, _stops(name))


def _stops(name: str) -> Table:
    columns = [Column(column, String, nullable=False) for column in ("account", "person", "what", "at", "event")]
    numbers = (Column("id", BigInteger, Identity(), primary_key=True), Column("ord", BigInteger))
    return Table(name, MetaData(), *numbers, *columns, schema=ROOM)


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
        if 2 * len(lines) <= file.stat().st_size:
            _replace(file, lines)


def _replace(file: Path, lines: bytes) -> None:
    """Put other lines in the place of all, at once."""
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
            fields = (one["at"], one["event"], one.get("ord"))
            entry = Said(one["account"], one["person"], What(one["what"]), *fields)
        except (ValueError, KeyError, TypeError):
            if line.strip():
                log.warning("%s: line %d cannot be read; it was being written when the machine went down", file, number)
            continue
        found.pop((entry.account, entry.person), None)
        found[(entry.account, entry.person)] = entry
    return found
