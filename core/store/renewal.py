"""What becomes of a backup before it can be served: since it was made, things were said, leases taken and cases
numbered of which it knows nothing.

What was to be said then is ``unknown``, and so is what is planned for that time afterwards
(``core/store/forgotten.py``). No case gets a number that was given before, under which the team would write to another
customer; nor a lease a fence, as far as the database is still there that knows of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select, text, update

from core.desk_tables import CaseRow
from core.envelope import without_placeholder
from core.models import Kept, Lease, Outbox
from core.store.forgotten import Forgotten, forgot
from core.store.outbox import State
from core.store.statements import table

_CASE = table(CaseRow)
_KEPT = table(Kept)
_LEASE = table(Lease)
_OUTBOX = table(Outbox)

UNSEEN = 100_000
"""So many cases may have been numbered since a backup where the database of that time is gone."""

_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Before:
    """What the database says that was there before a restore."""

    fences: Mapping[str, int] = field(default_factory=dict[str, int])
    """The fence of each account's last lease."""
    seal: str = ""
    """The secret of its buttons: the same in a backup of it."""
    last_case: int = 0
    """The highest number that a case had, or that was passed over."""


def in_file(old: sqlite3.Connection | None) -> Before:
    """What a SQLite file says, if there is one, of this schema and whole."""
    if old is None:
        return Before()
    try:
        fences = dict(old.execute("SELECT account, fence FROM lease").fetchall())
    except sqlite3.Error:
        return Before()
    try:
        ((seal,),) = old.execute("SELECT value FROM kept WHERE name = 'seal'").fetchall()
        numbers = old.execute("SELECT seq FROM sqlite_sequence WHERE name = 'cases' UNION ALL SELECT id FROM cases")
        return Before(fences, seal, max((int(number) for (number,) in numbers), default=0))
    except (sqlite3.Error, ValueError):
        return Before(fences)


def in_server(connection: Connection) -> Before:
    """What the database on a server says."""
    fences = {row.account: row.fence for row in connection.execute(select(_LEASE.c.account, _LEASE.c.fence))}
    numbers = connection.execute(select(func.pg_get_serial_sequence('"cases"', "id"))).scalar_one()
    last = connection.execute(text(f"SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END FROM {numbers}"))  # noqa: S608
    return Before(fences, _seal(connection), max(_last_id(connection), int(last.scalar_one())))


def renew(connection: Connection, made_at: str, before: Before, now: datetime) -> int:
    """Make a copy of a backup of that time (``""``: nobody knows when) such that it can be served. Returns how many
    messages are unknown now."""
    unknown = _doubt(connection, made_at, now)
    since = datetime.fromisoformat(made_at) if made_at else _LONG_AGO
    # One that seems to come from the future was made by a wrong clock: nobody knows when.
    forgot(connection, Forgotten(since if since <= now else _LONG_AGO, now))
    _fence_off(connection, before.fences)
    _number_on(connection, before)
    return unknown


def _doubt(connection: Connection, made_at: str, now: datetime) -> int:
    """Whatever was to be said may have been said since. It can be looked for, but a placeholder is not said again:
    a report may stand in its place."""
    # What was unknown already may have been found out, and said, since.
    open_still = _OUTBOX.c.state.in_([str(s) for s in (State.PLANNED, State.CLAIMED, State.SENDING, State.UNKNOWN)])
    error = f"restored from a backup{f' of {made_at}' if made_at else ''}: it may have been said since"
    its = connection.execute(select(_OUTBOX.c.id, _OUTBOX.c.body).where(open_still)).all()
    for id, body in its:
        values: dict[str, Any] = {
            "state": str(State.UNKNOWN),
            "body": without_placeholder(body),
            "settled_at": now,
            "claimed_at": func.coalesce(_OUTBOX.c.claimed_at, _OUTBOX.c.planned_at),
            "error": error,
            "looks": 0,
        }
        connection.execute(update(_OUTBOX).where(_OUTBOX.c.id == id).values(**values))
    return len(its)


def _fence_off(connection: Connection, fences: Mapping[str, int]) -> None:
    """Nobody holds a lease, and the next one has a fence that no earlier holder ever had."""
    connection.execute(_LEASE.update().values(session="", until=_LONG_AGO))
    for account, fence in fences.items():
        known = connection.execute(select(_LEASE.c.fence).where(_LEASE.c.account == account)).scalar_one_or_none()
        if known is None:
            row = {"account": account, "fence": fence, "session": "", "until": _LONG_AGO}
            connection.execute(_LEASE.insert().values(**row))
        elif known < fence:
            connection.execute(_LEASE.update().where(_LEASE.c.account == account).values(fence=fence))


def _number_on(connection: Connection, before: Before) -> None:
    """The next case gets a number that none ever had."""
    here = max(_last_id(connection), last_case(connection))
    is_the_same = before.seal == _seal(connection) and before.last_case >= _last_id(connection)
    last = max(here, before.last_case) if is_the_same else here + UNSEEN
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = 'cases'"))
    connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES ('cases', :last)"), {"last": last})


def last_case(connection: Connection) -> int:
    """The highest number that a case ever had in a file, or may have had.

    Source: https://sqlite.org/autoinc.html (``sqlite_sequence``)
    """
    found = connection.execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'cases'")).scalar_one_or_none()
    return int(found or 0)


def _last_id(connection: Connection) -> int:
    found: int = connection.execute(select(func.coalesce(func.max(_CASE.c.id), 0))).scalar_one()
    return found


def _seal(connection: Connection) -> str:
    return connection.execute(select(_KEPT.c.value).where(_KEPT.c.name == "seal")).scalar_one_or_none() or ""
