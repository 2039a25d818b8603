"""How things stand: who serves which account, what waits to be said, what is unknown, what does not add up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from core.models import Ask, Gap, Kept, Lease, Outbox, Person, ReplyRow, WaveRow
from core.store.alone import FileLock
from core.store.database import Database
from core.store.outbox import FINAL, MOVING, Kind, State
from core.store.statements import table

_ASK, _GAP, _KEPT, _LEASE, _OUTBOX, _PERSON, _REPLY, _WAVE = (
    table(model) for model in (Ask, Gap, Kept, Lease, Outbox, Person, ReplyRow, WaveRow)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """Something of which nobody knows whether it was said."""

    key: str
    account: str
    kind: str
    to: str
    """A place, or ``person …``."""
    since: datetime | None
    """Calendar time of its claim."""
    error: str
    looking: bool
    """Whether Vouch will still find out more by itself."""
    over: bool
    """Whether its time has passed: it is not said any more, whatever somebody finds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A poll whose totals and the votes that we know differ."""

    channel: str
    week: str
    totals: tuple[int, ...]
    known: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All of it, from one consistent picture of the store."""

    served: dict[str, bool]
    """By account: whether a process serves it now."""
    waiting: dict[str, dict[str, int]]
    """By account: how much is still to be said, by kind."""
    unknown: tuple[InDoubt, ...]
    waiting_replies: int
    """Replies to posts that are not known yet."""
    gaps: tuple[Mismatch, ...]
    bytes: int
    schema: int


def how_it_stands(database: Database, accounts: Iterable[str], now: datetime) -> Standing:
    """How things stand on these accounts, and on those that something is still to be said on."""
    with database.reading() as connection:
        waiting = _waiting(connection)
        return Standing(
            served={name: _is_served(database, connection, name) for name in {*accounts, *waiting}},
            waiting=waiting,
            unknown=tuple(_unknown(connection, now)),
            waiting_replies=_one(connection, select(func.count()).where(_REPLY.c.outcome == "waiting")),
            gaps=tuple(_gaps(connection)),
            bytes=_one(connection, text(_SIZE[database.dialect])),
            schema=int(connection.execute(select(_KEPT.c.value).where(_KEPT.c.name == "schema")).scalar_one()),
        )


_SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}


def _one(connection: Connection, query: object) -> int:
    return int(connection.execute(query).scalar_one())  # type: ignore[call-overload]


def _is_served(database: Database, connection: Connection, account: str) -> bool:
    """Whether the holder of the lease lives, see ``core/store/leases.py``."""
    held = select(_LEASE.c.session).where(_LEASE.c.account == account, _LEASE.c.session != "")
    session = connection.execute(held).scalar_one_or_none()
    if session is None:
        return False
    if database.dialect == "postgresql":
        free = select(func.pg_try_advisory_xact_lock_shared(int(session, 16)))
        return not connection.execute(free).scalar_one()
    lock = FileLock.beside(database.engine.url)
    try:
        return not lock.take()
    finally:
        lock.release()


def _waiting(connection: Connection) -> dict[str, dict[str, int]]:
    query = (
        select(_OUTBOX.c.account, _OUTBOX.c.kind, func.count())
        .where(_OUTBOX.c.state.in_([str(state) for state in MOVING]))
        .group_by(_OUTBOX.c.account, _OUTBOX.c.kind)
    )
    found: dict[str, dict[str, int]] = {}
    for account, kind, n in connection.execute(query):
        found.setdefault(account, {})[kind] = n
    return found


def _unknown(connection: Connection, now: datetime) -> Iterable[InDoubt]:
    """Reports first, then what the whole channel sees, then what one person does."""
    query = (
        select(_OUTBOX, _PERSON.c.platform_id)
        .join_from(_OUTBOX, _PERSON, _PERSON.c.id == _OUTBOX.c.person_id, isouter=True)
        .where(_OUTBOX.c.state == str(State.UNKNOWN))
        .order_by(_OUTBOX.c.kind != str(Kind.REPORT), _OUTBOX.c.person_id.is_not(None), _OUTBOX.c.id)
    )
    for row in connection.execute(query):
        yield InDoubt(
            key=row.key,
            account=row.account,
            kind=row.kind,
            to=f"person {row.platform_id}" if row.platform_id is not None else row.place,
            since=row.claimed_at,
            error=row.error,
            looking=row.looks != FINAL,
            over=row.not_after is not None and row.not_after < now,
        )


def _gaps(connection: Connection) -> Iterable[Mismatch]:
    query = (
        select(_ASK.c.channel, _WAVE.c.key, _GAP.c.totals, _GAP.c.known)
        .join_from(_GAP, _ASK, _ASK.c.id == _GAP.c.ask_id)
        .join(_WAVE, _WAVE.c.id == _ASK.c.wave_id)
        .order_by(_WAVE.c.key, _ASK.c.channel)
    )
    for channel, week, totals, known in connection.execute(query):
        numbers: Sequence[tuple[int, ...]] = [tuple(json.loads(found)) for found in (totals, known)]
        yield Mismatch(channel=channel, week=week, totals=numbers[0], known=numbers[1])
