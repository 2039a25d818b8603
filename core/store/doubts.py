"""What may have been said: looked for on the platform, known again when it comes by, or settled by a person.

Nothing of it is said again before the platform, or a person, has told that it is not there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, tuple_, update

from core.account import Poll, Receipt
from core.envelope import load, load_receipt, placeholder_of
from core.events import PollSeen
from core.message import Message
from core.models import Ask, Outbox, Person, Ref
from core.store.fencing import Held, ours
from core.store.outbox import FINAL, Kind, State, first_messages, give_back, sent
from core.store.statements import table

_ASK = table(Ask)
_OUTBOX = table(Outbox)
_PERSON = table(Person)
_REF = table(Ref)

_BEGUN = func.coalesce(_OUTBOX.c.claimed_at, _OUTBOX.c.planned_at)
"""When its request left, at the earliest."""
_MAY_STAND = and_(
    _OUTBOX.c.kind == str(Kind.ASK),
    or_(
        _OUTBOX.c.state.in_([str(State.UNKNOWN), str(State.SENDING)]),
        and_(_OUTBOX.c.state == str(State.SENT), _OUTBOX.c.receipt == ""),
    ),
)
"""An ask that may stand on the platform under a name that nobody here knows."""

LOOK_BACK = timedelta(days=7)
"""How far back is looked when a claim lies in the future: the clock was wrong then, so nobody knows when it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Something that may have been said, and can be looked for."""

    id: int
    key: str
    kind: Kind
    body: Message | Poll
    placeholder: Message | None
    place: str
    person: str | None
    """The platform's id of the person, for a direct message."""
    since: datetime
    """Calendar time: it was not said before."""
    until: datetime | None
    """When it became unknown; ``None`` where nobody knows, because the clock was wrong."""
    looks: int
    """How often it was looked for and not found, or its placeholder said again."""
    error: str
    """Why it is unknown."""
    fence: int
    """Of the holder that said it, if it did."""
    under: Receipt | None = None
    """REPORT: of the report's first message, where this is another one."""


@dataclass(frozen=True, slots=True)
class Alike:
    """What was said to the same place or person in the same words."""

    known: frozenset[str]
    """The platform's ids of those that are known to have arrived: none of them is what is looked for."""
    on_its_way: bool
    """Whether one may arrive just now, or was begun later and is in doubt, too: fewer messages can be that one, so it
    is told first, and then tells of this."""


def doubts(connection: Connection, account: str, now: datetime) -> list[Doubt]:
    """What may have been said on an account, and about which more can be found out."""
    rows = connection.execute(
        select(_OUTBOX, _PERSON.c.platform_id)
        .join_from(_OUTBOX, _PERSON, _PERSON.c.id == _OUTBOX.c.person_id, isouter=True)
        .where(_OUTBOX.c.account == account, _OUTBOX.c.state == str(State.UNKNOWN), _OUTBOX.c.looks != FINAL)
        .order_by(_OUTBOX.c.priority, _OUTBOX.c.id)
    ).all()
    under = first_messages(connection, [row.key for row in rows if row.kind in (Kind.REPORT, Kind.DESK)])
    return [
        Doubt(
            id=row.id,
            key=row.key,
            kind=Kind(row.kind),
            body=load(row.body),
            placeholder=placeholder_of(row.body),
            place=row.place,
            person=row.platform_id,
            since=_since(row.claimed_at, row.planned_at, now),
            until=row.settled_at if _in_order(row.claimed_at, row.settled_at, now) else None,
            looks=row.looks,
            error=row.error,
            fence=row.fence,
            under=under.get(row.key),
        )
        for row in rows
    ]


def _since(claimed_at: datetime | None, planned_at: datetime, now: datetime) -> datetime:
    if claimed_at is not None and claimed_at <= now:
        return claimed_at
    return min(planned_at, now - LOOK_BACK)


def asked_in_doubt(connection: Connection, account: str) -> list[tuple[int, str]]:
    """Wave (row id) and channel of the asks that may have been said, or were by a person's word: replies come with the
    name of a post that nobody here knows."""
    query = select(_ASK.c.wave_id, _ASK.c.channel).join_from(_ASK, _OUTBOX, _OUTBOX.c.key == _ASK.c.key)
    return [(wave, channel) for wave, channel in connection.execute(query.where(_ASK.c.account == account, _MAY_STAND))]


def not_said(connection: Connection, doubt: Doubt, held: Held, due_at: datetime) -> bool:
    """It is not there: it may be said again at ``due_at``. Returns whether it is ours to say so, and nobody else found
    out more."""
    its = (_OUTBOX.c.id == doubt.id, _OUTBOX.c.looks == doubt.looks, _OUTBOX.c.state == str(State.UNKNOWN))
    return _plan_again(connection, due_at, doubt.looks + 1, *its, ours(held)) > 0


def is_anothers(connection: Connection, account: str, doubt: Doubt, found: Receipt) -> bool | None:
    """Whether the message that was found is that of another thing; ``None`` while another that reads the same is on its
    way, and may be it."""
    others = (_OUTBOX.c.account == account, _OUTBOX.c.id != doubt.id)
    its = json.dumps({"place": found.place, "message": found.message}).removesuffix("}")
    known = _OUTBOX.c.receipt.startswith(its + ",", autoescape=True)
    if connection.execute(select(exists().where(*others, known))).scalar_one():
        return True
    return None if alike(connection, account, doubt).on_its_way else False


def alike(connection: Connection, account: str, doubt: Doubt) -> Alike:
    """What else was said to the same place or person in the same words."""
    columns = (_OUTBOX.c.body, _OUTBOX.c.place, _OUTBOX.c.person_id, _BEGUN.label("begun"))
    this = select(*columns).where(_OUTBOX.c.id == doubt.id).subquery()
    same = and_(
        _OUTBOX.c.account == account,
        _OUTBOX.c.id != doubt.id,
        _OUTBOX.c.body == this.c.body,
        _OUTBOX.c.place == this.c.place,
        _OUTBOX.c.person_id.is_not_distinct_from(this.c.person_id),
    )
    sending = _OUTBOX.c.state == str(State.SENDING)
    later = tuple_(_BEGUN, _OUTBOX.c.id) > tuple_(this.c.begun, doubt.id)
    in_doubt = and_(_OUTBOX.c.state == str(State.UNKNOWN), _OUTBOX.c.looks != FINAL, later)
    moving = or_(sending, in_doubt)
    wanted = select(_OUTBOX.c.receipt, moving).where(same, or_(_OUTBOX.c.receipt != "", moving))
    rows = connection.execute(wanted).all()
    known = (load_receipt(receipt).message for receipt, _ in rows if receipt)
    return Alike(frozenset(known), any(is_moving for _, is_moving in rows))


def cannot_tell(connection: Connection, doubt: Doubt, held: Held, why: str) -> None:
    """Looking does not help: it stays unknown until a person, or the platform by itself, tells."""
    its = (_OUTBOX.c.id == doubt.id, _OUTBOX.c.state == str(State.UNKNOWN), ours(held))
    connection.execute(update(_OUTBOX).where(*its).values(looks=FINAL, error=f"{doubt.error}; {why}"))


def _in_order(claimed_at: datetime | None, settled_at: datetime | None, now: datetime) -> bool:
    return settled_at is not None and (claimed_at or settled_at) <= settled_at <= now


def adopt(connection: Connection, account: str, seen: PollSeen, now: datetime) -> tuple[str, ...] | None:
    """A poll that nobody knows came by. If it is the one ask of this account whose outcome is unknown, it was said:
    returns its refs, for what waited for them. ``None`` when there is no such ask, when it could be several, and when
    the poll is known to be another one."""
    if connection.execute(select(exists().where(_REF.c.account == account, _REF.c.ref == seen.ref))).scalar_one():
        return None
    columns = (_OUTBOX.c.id, _OUTBOX.c.place, _OUTBOX.c.body, _OUTBOX.c.state)
    query = select(*columns).where(_OUTBOX.c.account == account, _MAY_STAND)
    alike = [(id, place, state) for id, place, body, state in connection.execute(query) if _is(load(body), seen)]
    if len(alike) != 1:
        return None
    ((id, place, state),) = alike
    if state == str(State.SENDING):  # its own answer will tell
        return None
    _, refs = sent(connection, id, Receipt(place=place, message="", refs=(seen.ref,), sent_at=now), now)
    return refs


def _is(body: Message | Poll, seen: PollSeen) -> bool:
    if not isinstance(body, Poll) or (body.question, body.options) != (seen.question, tuple(seen.options)):
        return False
    return seen.closes_at is None or abs(body.closes_at - seen.closes_at) < timedelta(seconds=1)


def by_hand(connection: Connection, key: str, now: datetime, *, said: bool) -> bool:
    """A person has looked: it was ``said``, or is to be said again. Returns whether it was unknown until now."""
    its = (_OUTBOX.c.key == key, _OUTBOX.c.state == str(State.UNKNOWN))
    if not said:
        return _plan_again(connection, now, 0, *its) > 0
    values: dict[str, Any] = {"state": str(State.SENT), "settled_at": now, "error": ""}
    return connection.execute(update(_OUTBOX).where(*its).values(**values)).rowcount > 0


def _plan_again(connection: Connection, due_at: datetime, looks: int, *its: ColumnElement[bool]) -> int:
    ids: Sequence[int] = give_back(connection, *its)
    values = {"state": str(State.PLANNED), "due_at": due_at, "claimed_at": None, "settled_at": None, "error": ""}
    again = update(_OUTBOX).where(_OUTBOX.c.id.in_(ids)).values(**values, looks=looks, fence=0)
    return connection.execute(again).rowcount
