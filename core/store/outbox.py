"""What we say: planned once under a key, claimed before it is spoken, settled afterwards.

planned → sending → sent | unknown | refused; planned → expired. A row left in ``sending`` by a crash becomes
``unknown`` and is never blindly sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, exists, or_, select, true, update

from core.account import Poll, Receipt
from core.envelope import dump, dump_receipt, load
from core.message import Message
from core.models import Ask, Outbox, Person, Ref, Response
from core.store.statements import Upsert, stamp, table

_OUTBOX = table(Outbox)
_PERSON = table(Person)
_RESPONSE = table(Response)
_ASK = table(Ask)

_COLUMNS = (
    *("key", "account", "kind", "person_id", "place", "body", "wave_id", "channel", "priority", "state"),
    *("planned_at", "due_at", "not_after", "receipt", "error"),
)
_plan = Upsert(Outbox, _COLUMNS, key=("key",))
_add_refs = Upsert(Ref, ("account", "ref", "wave_id", "channel", "ask_id"), key=("account", "ref"))


class Kind(StrEnum):
    """What is said."""

    ASK = "ask"
    INVITATION = "invitation"
    ANSWER = "answer"
    REPORT = "report"


class Priority(IntEnum):
    """What goes first when much is waiting: smaller goes first."""

    GOODBYE = 0
    """The confirmation of a stop: the last thing that is said to this person."""
    ANSWER = 1
    REPORT = 2
    ASK = 3
    INVITATION = 4


_TO_THEM = _PERSON.c.id == _OUTBOX.c.person_id
_SAID_STOP = exists().where(_TO_THEM, _PERSON.c.stopped.is_(True))
_ALLOWED = exists().where(
    _TO_THEM, _PERSON.c.opened.is_(True), _PERSON.c.stopped.is_(False), _PERSON.c.blocked.is_(False)
)
_ANSWERED = exists().where(
    _RESPONSE.c.person_id == _OUTBOX.c.person_id,
    _RESPONSE.c.wave_id == _OUTBOX.c.wave_id,
    _RESPONSE.c.low.is_not(None),
)
_WELCOME = case(
    (_OUTBOX.c.kind == str(Kind.INVITATION), _ALLOWED & ~_ANSWERED),
    (_OUTBOX.c.kind == str(Kind.ANSWER), or_(_OUTBOX.c.priority == int(Priority.GOODBYE), ~_SAID_STOP)),
    else_=true(),
)
"""Whether a thing may still be said, by what its person allows and has answered."""


class State(StrEnum):
    """What became of it."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Something to say. ``key`` is ``{kind}:{survey}:{wave}:{target}:{part}`` and is planned once for ever."""

    key: str
    account: str
    kind: Kind
    body: Message | Poll
    place: str = ""
    person_id: int | None = None
    wave_id: int | None = None
    channel: str = ""
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Something that is ours to say now."""

    id: int
    key: str
    kind: Kind
    body: Message | Poll
    place: str
    person: str | None
    """The platform's id of the person, for a direct message."""
    not_after: datetime | None


def plan(connection: Connection, things: Iterable[Planned], now: datetime) -> None:
    """Plan things; whatever has its key already is left as it is."""
    written = stamp(connection)
    moment = written(now)
    _plan(
        connection,
        [
            (
                *(t.key, t.account, str(t.kind), t.person_id, t.place, dump(t.body), t.wave_id, t.channel),
                *(int(Priority[t.kind.name]), str(State.PLANNED), moment, moment),
                *(written(t.not_after) if t.not_after else None, "", ""),
            )
            for t in things
        ],
    )


def claim(
    connection: Connection, account: str, now: datetime, limit: int, *, answers_only: bool = False
) -> list[Claimed]:
    """Take up to ``limit`` due things of an account. An invitation is claimed only while the person still allows it
    and has not answered, an answer only while they have not said stop: checked in the claiming UPDATE itself. With
    ``answers_only`` a direct message waits until there is one of theirs to answer."""
    due = (_OUTBOX.c.account == account) & (_OUTBOX.c.state == str(State.PLANNED)) & (_OUTBOX.c.due_at <= now)
    connection.execute(
        update(_OUTBOX).where(due, _OUTBOX.c.not_after < now).values(state=str(State.EXPIRED), settled_at=now)
    )
    ids = _next(connection, due, limit, answers_only=answers_only)
    if not ids:
        return []
    ours = _OUTBOX.c.id.in_(ids) & (_OUTBOX.c.state == str(State.PLANNED))
    sending = update(_OUTBOX).where(ours, _WELCOME).values(state=str(State.SENDING), claimed_at=now)
    taken: dict[int, int | None] = dict(connection.execute(sending.returning(_OUTBOX.c.id, _OUTBOX.c.person_id)).all())
    connection.execute(
        update(_OUTBOX)
        .where(ours, ~_WELCOME)
        .values(state=str(State.REFUSED), settled_at=now, error="no longer allowed, or already answered")
    )
    if answers_only:
        people = [id for id in taken.values() if id is not None]
        connection.execute(update(_PERSON).where(_PERSON.c.id.in_(people)).values(owed=_PERSON.c.owed - 1))
    return _read(connection, list(taken))


def _next(connection: Connection, due: ColumnElement[bool], limit: int, *, answers_only: bool) -> list[int]:
    """What goes first among what is due. What another process is just claiming is passed over."""
    first = select(_OUTBOX.c.id, _OUTBOX.c.person_id).where(due).order_by(_OUTBOX.c.priority, _OUTBOX.c.id).limit(limit)
    if not answers_only:
        return list(connection.execute(first.with_for_update(skip_locked=True)).scalars())
    owed = or_(_OUTBOX.c.person_id.is_(None), exists().where(_TO_THEM, _PERSON.c.owed > 0))
    rows = connection.execute(first.where(owed).with_for_update(skip_locked=True)).all()
    one_each = {person_id: id for id, person_id in reversed(rows) if person_id is not None}
    return [id for id, person_id in rows if person_id is None or one_each[person_id] == id]


def _read(connection: Connection, ids: Sequence[int]) -> list[Claimed]:
    rows = connection.execute(
        select(_OUTBOX, _PERSON.c.platform_id)
        .join_from(_OUTBOX, _PERSON, _PERSON.c.id == _OUTBOX.c.person_id, isouter=True)
        .where(_OUTBOX.c.id.in_(list(ids)))
        .order_by(_OUTBOX.c.priority, _OUTBOX.c.id)
    )
    return [
        Claimed(
            id=row.id,
            key=row.key,
            kind=Kind(row.kind),
            body=load(row.body),
            place=row.place,
            person=row.platform_id,
            not_after=row.not_after,
        )
        for row in rows
    ]


def sent(connection: Connection, id: int, receipt: Receipt, now: datetime) -> tuple[str, tuple[str, ...]]:
    """It was said. Makes an ask or an invitation known under its refs; returns (account, refs)."""
    row = _row(connection, id)
    _settle(connection, id, State.SENT, now, receipt=dump_receipt(receipt))
    ask_id: int | None = None
    if row.kind == Kind.ASK:
        ask_id = connection.execute(
            update(_ASK)
            .where(_ASK.c.key == row.key)
            .values(place=row.place, message=receipt.message, posted_at=receipt.sent_at)
            .returning(_ASK.c.id)
        ).scalar_one()
    if row.kind in (Kind.ASK, Kind.INVITATION):
        _add_refs(connection, [(row.account, ref, row.wave_id, row.channel, ask_id) for ref in receipt.refs])
    return row.account, receipt.refs


def refused(
    connection: Connection, id: int, error: str, now: datetime, *, unreachable: bool = False, answers_only: bool = False
) -> None:
    """It was not said and will not be. ``unreachable``: nor anything else to this person, until they write again.
    With ``answers_only`` their message still waits for an answer."""
    if answers_only:
        _owe_again(connection, id)
    if unreachable:
        person = _row(connection, id).person_id
        connection.execute(update(_PERSON).where(_PERSON.c.id == person).values(blocked=True))
    _settle(connection, id, State.REFUSED, now, error=error)


def expired(connection: Connection, id: int, now: datetime, *, answers_only: bool = False) -> None:
    """Its time passed before its turn came: it was not said. ``answers_only`` as in ``refused``."""
    if answers_only:
        _owe_again(connection, id)
    _settle(connection, id, State.EXPIRED, now)


def unknown(connection: Connection, id: int, error: str, now: datetime) -> None:
    """It may have been said."""
    _settle(connection, id, State.UNKNOWN, now, error=error)


def postpone(connection: Connection, id: int, due_at: datetime, error: str, *, answers_only: bool = False) -> None:
    """It was not said; try again at ``due_at``. With ``answers_only`` their message still waits for an answer."""
    if answers_only:
        _owe_again(connection, id)
    connection.execute(
        update(_OUTBOX)
        .where(_OUTBOX.c.id == id)
        .values(state=str(State.PLANNED), due_at=due_at, claimed_at=None, error=error)
    )


def put_back(connection: Connection, things: Iterable[Claimed], now: datetime, *, answers_only: bool = False) -> None:
    """They were claimed, but not even tried."""
    for thing in things:
        postpone(connection, thing.id, now, "", answers_only=answers_only)


def _owe_again(connection: Connection, id: int) -> None:
    person = _row(connection, id).person_id
    connection.execute(update(_PERSON).where(_PERSON.c.id == person).values(owed=_PERSON.c.owed + 1))


def abandon(connection: Connection, accounts: Sequence[str], now: datetime) -> int:
    """At start: what an earlier run was sending may have been said. Returns how many."""
    left = update(_OUTBOX).where(_OUTBOX.c.account.in_(list(accounts)), _OUTBOX.c.state == str(State.SENDING))
    found = connection.execute(
        left.values(state=str(State.UNKNOWN), settled_at=now, error="stopped while it was being sent")
    )
    return found.rowcount


def states(connection: Connection, keys: Sequence[str]) -> dict[str, tuple[State, str]]:
    """State and error by key."""
    rows = connection.execute(
        select(_OUTBOX.c.key, _OUTBOX.c.state, _OUTBOX.c.error).where(_OUTBOX.c.key.in_(list(keys)))
    )
    return {key: (State(state), error) for key, state, error in rows}


def _row(connection: Connection, id: int) -> Row[Any]:
    return connection.execute(select(_OUTBOX).where(_OUTBOX.c.id == id)).one()


def _settle(
    connection: Connection, id: int, state: State, now: datetime, *, receipt: str = "", error: str = ""
) -> None:
    connection.execute(
        update(_OUTBOX).where(_OUTBOX.c.id == id).values(state=str(state), settled_at=now, receipt=receipt, error=error)
    )


def keys_like(connection: Connection, prefix: str) -> list[str]:
    """Keys that start with a prefix."""
    return list(
        connection.execute(select(_OUTBOX.c.key).where(_OUTBOX.c.key.startswith(prefix, autoescape=True))).scalars()
    )
