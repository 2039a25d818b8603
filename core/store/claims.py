"""Up to the moment at which a thing is said: claimed for its turn, begun when its request is about to leave.

Both ask, in the ``UPDATE`` itself, whether the lease is still ours and whether the thing may still be said: between
planning and claiming, and between claiming and beginning, a person may have said stop or answered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Alias, ColumnElement, Connection, and_, case, exists, func, literal, or_, select, true, update
from sqlalchemy.sql import FromClause

from core.envelope import load, load_receipt, placeholder_of
from core.errors import NotOurs
from core.models import CursorRow, Outbox, Person, Response, WaveRow
from core.store.commands import PAUSED
from core.store.fencing import Held, ours
from core.store.outbox import (
    FINAL,
    MOVING,
    Claimed,
    Kind,
    Priority,
    State,
    expired,
    first_messages,
    give_back,
    refused,
)
from core.store.statements import table

_OUTBOX = table(Outbox)
_PERSON = table(Person)
_RESPONSE = table(Response)
_WAVE = table(WaveRow)
_CURSOR = table(CursorRow)

FAR = timedelta(days=2)
"""Nothing is postponed for so long: what is due later was planned while the clock was wrong, and is due now."""

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
_PAUSED = exists().where(
    _WAVE.c.id == _OUTBOX.c.wave_id,
    _CURSOR.c.account == "",
    _CURSOR.c.name == literal(PAUSED) + _WAVE.c.survey,
    _CURSOR.c.value == "1",
)
"""Whether its survey asks nobody now: then it waits."""
_WELCOME = case(
    (_OUTBOX.c.kind == str(Kind.INVITATION), _ALLOWED & ~_ANSWERED),
    (_OUTBOX.c.kind == str(Kind.RELAY), _ALLOWED),
    # An answer that names a wave asks for a tap again: by now they may have answered.
    (_OUTBOX.c.kind == str(Kind.ANSWER), or_(_OUTBOX.c.priority == int(Priority.GOODBYE), ~_SAID_STOP & ~_ANSWERED)),
    else_=true(),
)
"""Whether a thing may still be said, by what its person allows and has answered."""

UNWELCOME = "no longer allowed, or already answered"


class Begun(StrEnum):
    """Whether a thing may be said now; if not, why."""

    YES = "begun"
    UNWELCOME = UNWELCOME
    TOO_LATE = "its time has passed"
    NOT_OURS = "another process serves this account now"


def _report_before() -> ColumnElement[bool]:
    """Whether an earlier message of the same report is still to be said, or may yet turn out not to have been."""
    earlier: Alias | FromClause = _OUTBOX.alias("earlier")
    open_still = or_(
        earlier.c.state.in_([str(state) for state in MOVING]),
        and_(earlier.c.state == str(State.UNKNOWN), earlier.c.looks != FINAL),
    )
    return exists().where(
        earlier.c.account == _OUTBOX.c.account,
        earlier.c.priority == _OUTBOX.c.priority,
        earlier.c.id < _OUTBOX.c.id,
        open_still,
        func.rtrim(earlier.c.key, "0123456789") == func.rtrim(_OUTBOX.c.key, "0123456789"),
    )


_ASKS = _OUTBOX.c.kind.in_([str(Kind.ASK), str(Kind.INVITATION)])
_UNASKED = or_(
    _OUTBOX.c.kind.in_([str(Kind.INVITATION), str(Kind.RELAY)]),
    and_(_OUTBOX.c.kind == str(Kind.ANSWER), _OUTBOX.c.wave_id.is_not(None)),  # asks for a tap again
)
_IN_PIECES = _OUTBOX.c.kind.in_([str(Kind.REPORT), str(Kind.DESK), str(Kind.CASE)])
_ITS_TURN = and_(~(_ASKS & _PAUSED), or_(~_IN_PIECES, ~_report_before()))


def claim(
    connection: Connection,
    held: Held,
    now: datetime,
    limit: int,
    kinds: Collection[Kind] = tuple(Kind),
    *,
    answers_only: bool = False,
    asked_only: bool = False,
    far: timedelta = FAR,
) -> list[Claimed]:
    """Take up to ``limit`` due things of these kinds of an account. An invitation is claimed only while the person
    still allows it and has not answered, an answer only while they have not said stop, a message of a report only when
    those before it are settled. With ``answers_only`` a direct message waits until there is one of theirs to answer;
    with ``asked_only`` whatever a person has not asked for by what they did waits.

    Raises ``NotOurs`` when the lease is lost.
    """
    if not connection.execute(select(ours(held))).scalar_one():
        raise NotOurs(held.account, Begun.NOT_OURS)
    due = (_OUTBOX.c.account == held.account) & or_(_OUTBOX.c.due_at <= now, _OUTBOX.c.due_at > now + far)
    due &= ~_UNASKED if asked_only else true()
    due &= true() if len(kinds) == len(Kind) else _OUTBOX.c.kind.in_([str(kind) for kind in kinds])
    taken = _take_placed(connection, held, due, limit)
    if len(taken) < limit:
        taken += _take_planned(connection, held, now, due, limit - len(taken), answers_only=answers_only)
    return _read(connection, taken)


def _take_placed(connection: Connection, held: Held, due: ColumnElement[bool], limit: int) -> list[int]:
    """Placeholders that nobody of this lease is editing."""
    left = due & (_OUTBOX.c.state == str(State.PLACED)) & (_OUTBOX.c.fence != held.fence)
    first = select(_OUTBOX.c.id).where(left).order_by(_OUTBOX.c.id).limit(limit)
    ids = list(connection.execute(first.with_for_update(skip_locked=True)).scalars())
    connection.execute(update(_OUTBOX).where(_OUTBOX.c.id.in_(ids)).values(fence=held.fence))
    return ids


def _take_planned(
    connection: Connection, held: Held, now: datetime, due: ColumnElement[bool], limit: int, *, answers_only: bool
) -> list[int]:
    due &= _OUTBOX.c.state == str(State.PLANNED)
    connection.execute(
        update(_OUTBOX).where(due, _OUTBOX.c.not_after < now).values(state=str(State.EXPIRED), settled_at=now)
    )
    ids = _next(connection, due, limit, answers_only=answers_only)
    if not ids:
        return []
    free = _OUTBOX.c.id.in_(ids) & (_OUTBOX.c.state == str(State.PLANNED))
    spent = case((_OUTBOX.c.person_id.is_(None), 0), else_=int(answers_only))
    values = {"state": str(State.CLAIMED), "claimed_at": now, "fence": held.fence, "spent": spent}
    claiming = update(_OUTBOX).where(free, _WELCOME).values(**values)
    taken: dict[int, int | None] = dict(connection.execute(claiming.returning(_OUTBOX.c.id, _OUTBOX.c.person_id)).all())
    connection.execute(
        update(_OUTBOX).where(free, ~_WELCOME).values(state=str(State.REFUSED), settled_at=now, error=UNWELCOME)
    )
    if answers_only:
        people = [id for id in taken.values() if id is not None]
        connection.execute(update(_PERSON).where(_PERSON.c.id.in_(people)).values(owed=_PERSON.c.owed - 1))
    return list(taken)


def _next(connection: Connection, due: ColumnElement[bool], limit: int, *, answers_only: bool) -> list[int]:
    """What goes first among what is due. What another process is just claiming is passed over."""
    due &= _ITS_TURN
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
    ).all()
    under = first_messages(connection, [row.key for row in rows if row.kind in (Kind.REPORT, Kind.DESK)])
    return [
        Claimed(
            id=row.id,
            key=row.key,
            kind=Kind(row.kind),
            body=load(row.body),
            placeholder=placeholder_of(row.body),
            place=row.place,
            person=row.platform_id,
            not_after=row.not_after,
            fence=row.fence,
            receipt=load_receipt(row.receipt) if row.receipt else None,
            under=under.get(row.key),
        )
        for row in rows
    ]


def begin(connection: Connection, thing: Claimed, held: Held, now: datetime) -> Begun:
    """Its request is about to leave: from here on it may have been said. What may no longer be said is settled."""
    its = (_OUTBOX.c.id == thing.id, _OUTBOX.c.state == str(State.CLAIMED), _OUTBOX.c.fence == held.fence, ours(held))
    in_time = or_(_OUTBOX.c.not_after.is_(None), _OUTBOX.c.not_after >= now)
    beginning = update(_OUTBOX).where(*its, _WELCOME, in_time).values(state=str(State.SENDING))
    if connection.execute(beginning).rowcount:
        return Begun.YES
    why = connection.execute(select(_WELCOME).where(*its)).scalar_one_or_none()
    if why is None:
        return Begun.NOT_OURS
    if not why:
        refused(connection, thing, UNWELCOME, now)
        return Begun.UNWELCOME
    expired(connection, thing, now)
    return Begun.TOO_LATE


def put_back(connection: Connection, things: Iterable[Claimed]) -> None:
    """They were claimed, and are not tried now."""
    for thing in things:
        its = (_OUTBOX.c.id == thing.id, _OUTBOX.c.fence == thing.fence)
        _put_back(connection, (State.CLAIMED, State.SENDING), *its)


def put_back_others(connection: Connection, held: Held, in_hand: Collection[int]) -> None:
    """Whatever is claimed under our lease, but not in our hands, was claimed without our hearing of it."""
    ours_alone = (_OUTBOX.c.account == held.account, _OUTBOX.c.fence == held.fence, _OUTBOX.c.id.not_in(list(in_hand)))
    _put_back(connection, (State.CLAIMED,), *ours_alone)


def _put_back(connection: Connection, states: Iterable[State], *its: ColumnElement[bool]) -> None:
    ids = give_back(connection, *its, _OUTBOX.c.state.in_([str(state) for state in states]))
    back = update(_OUTBOX).where(_OUTBOX.c.id.in_(ids))
    connection.execute(back.values(state=str(State.PLANNED), claimed_at=None, fence=0))
    connection.execute(update(_OUTBOX).where(*its, _OUTBOX.c.state == str(State.PLACED)).values(fence=0))
