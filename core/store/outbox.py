"""What we say: planned once under a key, claimed before it is spoken, settled as it went.

    planned → claimed → sending → sent | unknown | refused        planned → expired
                            └→ placed → sent

``claimed``: ours, waiting for its turn; surely not said. ``sending``: its request may have left. ``placed``: a
placeholder stands there (see ``Limits.edits``) and is to be edited, as often as it takes. ``unknown``: it may have been
said; it is looked for (``core/store/doubts.py``) and never blindly said again. ``claims`` leads up to ``sending``; here
is how it goes on. Only who claimed a thing says that it was *not* said; that it *was* said is true whoever knows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select, update

from core.account import Poll, Receipt
from core.envelope import dump, dump_receipt, load_receipt, without_placeholder
from core.message import Message
from core.models import Ask, Outbox, Person, Ref
from core.store import case_refs
from core.store.forgotten import Forgotten, forgotten
from core.store.statements import Upsert, stamp, table

_OUTBOX = table(Outbox)
_PERSON = table(Person)
_ASK = table(Ask)

_COLUMNS = (
    *("key", "account", "kind", "person_id", "place", "body", "wave_id", "channel", "priority", "state"),
    *("planned_at", "due_at", "not_after", "receipt", "error", "looks"),
)
_plan = Upsert(Outbox, _COLUMNS, key=("key",))
_add_refs = Upsert(Ref, ("account", "ref", "wave_id", "channel", "ask_id"), key=("account", "ref"))


class Kind(StrEnum):
    """What is said."""

    ASK = "ask"
    INVITATION = "invitation"
    ANSWER = "answer"
    REPORT = "report"
    DESK = "desk"
    """What a team asked for in its own place."""
    CASE = "case"
    """What a team is told unasked: of an unhappy person, of a customer's answer."""
    RELAY = "relay"
    """What a team writes to a customer."""


class Priority(IntEnum):
    """What goes first when much is waiting: smaller goes first."""

    GOODBYE = 0
    """The confirmation of a stop: the last thing that is said to this person."""
    ANSWER = RELAY = 1
    REPORT = 2
    """Before what its place gets more of: a Telegram group takes 20 messages a minute, and a week's cases can fill it
    for longer than a report may be late."""
    ASK = 3
    DESK = 4
    CASE = 5
    INVITATION = 6


class State(StrEnum):
    """What became of it."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    SENDING = "sending"
    PLACED = "placed"
    SENT = "sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    EXPIRED = "expired"


MOVING = (State.PLANNED, State.CLAIMED, State.SENDING, State.PLACED)
"""It is still to be said."""

FINAL = -1
"""``looks`` of what is unknown and cannot be found out by looking."""

RESTORED = "it may have been said between the backup and its restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Something to say. ``key`` is ``{kind}:{survey}:{wave}:{target}:{part}`` and is planned once for ever."""

    key: str
    account: str
    kind: Kind
    body: Message | Poll
    placeholder: Message | None = None
    """What is said first, and then edited into the body, where nobody can look whether a message has arrived."""
    place: str = ""
    person_id: int | None = None
    wave_id: int | None = None
    channel: str = ""
    not_before: datetime | None = None
    """When it could first have been said, where that is a matter of the calendar: what a restore forgot may be it."""
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Something that is ours to say now."""

    id: int
    key: str
    kind: Kind
    body: Message | Poll
    placeholder: Message | None
    place: str
    person: str | None
    """The platform's id of the person, for a direct message."""
    not_after: datetime | None
    fence: int
    """The lease under which it was claimed."""
    receipt: Receipt | None
    """Of its placeholder, where that stands already."""
    under: Receipt | None = None
    """REPORT: of the report's first message, where this is another one."""


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What an earlier holder left undone."""

    put_back: int
    """Claimed, but surely not said: planned again."""
    unknown: int
    """It was being said: it may have arrived."""


def plan(connection: Connection, things: Iterable[Planned], now: datetime) -> None:
    """Plan things; whatever has its key already is left as it is, and what a restore forgot is ``unknown``."""
    things = list(things)
    spans = forgotten(connection) if any(thing.not_before is not None for thing in things) else []
    written = stamp(connection)
    moment = written(now)
    rows: list[tuple[Any, ...]] = []
    for t in things:
        state, error, looks = _at_first(t, spans)
        # Where it may stand already, a placeholder is not said.
        body = dump(t.body, t.placeholder if state is State.PLANNED else None)
        rows.append(
            (
                *(t.key, t.account, str(t.kind), t.person_id, t.place, body, t.wave_id, t.channel),
                *(int(Priority[t.kind.name]), str(state), moment, moment),
                *(written(t.not_after) if t.not_after else None, "", error, looks),
            )
        )
    _plan(connection, rows)


def _at_first(thing: Planned, spans: Sequence[Forgotten]) -> tuple[State, str, int]:
    """State, error and looks of what is planned."""
    first = thing.not_before
    if first is None or not any(span.covers(first, thing.not_after) for span in spans):
        return State.PLANNED, "", 0
    if thing.kind is Kind.REPORT:
        return State.UNKNOWN, f"{RESTORED}, with other numbers, so nobody can look for it", FINAL
    return State.UNKNOWN, RESTORED, 0


# -- it was said -------------------------------------------------------------------------------------------------------


def sent(connection: Connection, id: int, receipt: Receipt, now: datetime) -> tuple[str, tuple[str, ...]]:
    """It was said, whatever was believed of it meanwhile. Makes an ask or an invitation known under its refs; returns
    (account, refs). What was said already keeps its first receipt, and can be answered under the refs of both."""
    row = connection.execute(select(_OUTBOX).where(_OUTBOX.c.id == id).with_for_update()).one()
    first = row.state != State.SENT or not row.receipt
    if first:
        its = (_OUTBOX.c.id == id,)
        _write(connection, its, state=str(State.SENT), settled_at=now, receipt=dump_receipt(receipt), error="")
    ask_id: int | None = None
    if row.kind == Kind.ASK:
        ask_id = connection.execute(select(_ASK.c.id).where(_ASK.c.key == row.key)).scalar_one()
        posted = {"place": row.place, "message": receipt.message, "posted_at": receipt.sent_at}
        if first:
            connection.execute(update(_ASK).where(_ASK.c.id == ask_id).values(**posted))
    if row.kind == Kind.CASE:
        case_refs.refer(connection, row.account, row.key, receipt.refs)
    if row.kind in (Kind.ASK, Kind.INVITATION):
        _add_refs(connection, [(row.account, ref, row.wave_id, row.channel, ask_id) for ref in receipt.refs])
    return row.account, receipt.refs


def placed(connection: Connection, thing: Claimed, receipt: Receipt) -> bool:
    """Its placeholder stands. Returns whether it is ours to edit: once a placeholder is kept, no other one is edited,
    so the report is said once, however many placeholders there are."""
    values = {"state": str(State.PLACED), "receipt": dump_receipt(receipt), "error": ""}
    if _write(connection, _in_hand(thing, State.CLAIMED, State.SENDING), **values):
        return True
    given_up = _OUTBOX.c.state.in_([str(State.PLANNED), str(State.UNKNOWN)])
    _write(connection, (_OUTBOX.c.id == thing.id, given_up), **values, fence=0)
    return False


def unplaced(connection: Connection, thing: Claimed, error: str, now: datetime) -> None:
    """Its placeholder is gone: it is said whole, and as often as anything else that nobody can look for, which is
    once. A second placeholder would go the way of the first."""
    its = _in_hand(thing, State.PLACED)
    body = connection.execute(select(_OUTBOX.c.body).where(*its).with_for_update()).scalar_one_or_none()
    if body is not None:
        planned = {"state": str(State.PLANNED), "receipt": "", "due_at": now, "claimed_at": None, "fence": 0}
        _write(connection, its, **planned, body=without_placeholder(body), error=error)


# -- it was not said, or may have been ---------------------------------------------------------------------------------


def refused(connection: Connection, thing: Claimed, error: str, now: datetime, *, unreachable: bool = False) -> None:
    """It was not said and will not be. ``unreachable``: nor anything else to this person, until they write again."""
    if _not_said(connection, thing, state=str(State.REFUSED), settled_at=now, error=error) and unreachable:
        person = select(_OUTBOX.c.person_id).where(_OUTBOX.c.id == thing.id).scalar_subquery()
        connection.execute(update(_PERSON).where(_PERSON.c.id == person).values(blocked=True))


def expired(connection: Connection, thing: Claimed, now: datetime) -> None:
    """Its time passed before its turn came: it was not said."""
    _not_said(connection, thing, state=str(State.EXPIRED), settled_at=now)


def postpone(connection: Connection, thing: Claimed, due_at: datetime, error: str) -> None:
    """It was not said, or not edited; try again at ``due_at``."""
    again = case((_OUTBOX.c.state == str(State.PLACED), str(State.PLACED)), else_=str(State.PLANNED))
    _not_said(connection, thing, state=again, due_at=due_at, claimed_at=None, settled_at=None, error=error, fence=0)


def unknown(connection: Connection, thing: Claimed, error: str, now: datetime) -> None:
    """It may have been said."""
    its = _in_hand(thing, State.CLAIMED, State.SENDING)
    _write(connection, its, state=str(State.UNKNOWN), settled_at=now, error=error)


def take_over(connection: Connection, account: str, now: datetime) -> TakenOver:
    """What the holder before left: to be called in the transaction that takes over its lease."""
    theirs = _OUTBOX.c.account == account
    back = give_back(connection, theirs, _OUTBOX.c.state == str(State.CLAIMED))
    _write(connection, (_OUTBOX.c.id.in_(back),), state=str(State.PLANNED), claimed_at=None, fence=0)
    left = (theirs, _OUTBOX.c.state == str(State.SENDING))
    lost = _write(connection, left, state=str(State.UNKNOWN), settled_at=now, error="stopped while it was being sent")
    return TakenOver(len(back), lost)


def give_back(connection: Connection, *its: ColumnElement[bool]) -> list[int]:
    """These were not said: the messages of persons that their claims used up still wait for an answer. Locks the rows
    until the transaction ends, and returns their ids."""
    ids = list(connection.execute(select(_OUTBOX.c.id).where(*its).with_for_update()).scalars())
    spent = _OUTBOX.c.id.in_(ids) & (_OUTBOX.c.spent > 0)
    spenders = select(_OUTBOX.c.person_id).where(spent)
    theirs = select(func.sum(_OUTBOX.c.spent)).where(spent, _OUTBOX.c.person_id == _PERSON.c.id).scalar_subquery()
    if ids:
        connection.execute(update(_PERSON).where(_PERSON.c.id.in_(spenders)).values(owed=_PERSON.c.owed + theirs))
        _write(connection, (spent,), spent=0)
    return ids


def _not_said(connection: Connection, thing: Claimed, **values: Any) -> bool:
    """Settle it, and give back what its claim used up. What has been found out by others meanwhile stands; but where
    they only know that it may have been said, we know better."""
    found = give_back(connection, *_in_hand(thing, State.CLAIMED, State.SENDING, State.PLACED, State.UNKNOWN))
    return bool(found) and bool(_write(connection, (_OUTBOX.c.id.in_(found),), **values))


def _in_hand(thing: Claimed, *states: State) -> tuple[ColumnElement[bool], ...]:
    its = (_OUTBOX.c.id == thing.id, _OUTBOX.c.fence == thing.fence)
    return (*its, _OUTBOX.c.state.in_([str(state) for state in states]))


def _write(connection: Connection, its: Sequence[ColumnElement[bool]], **values: Any) -> int:
    return connection.execute(update(_OUTBOX).where(*its).values(**values)).rowcount


# -- what became of it -------------------------------------------------------------------------------------------------


def states(connection: Connection, keys: Sequence[str]) -> dict[str, tuple[State, str]]:
    """State and error by key."""
    rows = connection.execute(
        select(_OUTBOX.c.key, _OUTBOX.c.state, _OUTBOX.c.error).where(_OUTBOX.c.key.in_(list(keys)))
    )
    return {key: (State(state), error) for key, state, error in rows}


def first_messages(connection: Connection, keys: Iterable[str]) -> dict[str, Receipt]:
    """By the key of a report's later message, the receipt of its first one, if that was said."""
    firsts = {key: f"{key.rstrip('0123456789')}0" for key in keys}
    said = (
        _OUTBOX.c.key.in_(sorted(set(firsts.values()))),
        _OUTBOX.c.state == str(State.SENT),
        _OUTBOX.c.receipt != "",
    )
    found = dict(connection.execute(select(_OUTBOX.c.key, _OUTBOX.c.receipt).where(*said)).all()) if firsts else {}
    return {key: load_receipt(found[first]) for key, first in firsts.items() if first in found and first != key}


def keys_like(connection: Connection, prefix: str) -> list[str]:
    """Keys that start with a prefix."""
    return list(
        connection.execute(select(_OUTBOX.c.key).where(_OUTBOX.c.key.startswith(prefix, autoescape=True))).scalars()
    )
