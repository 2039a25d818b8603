"""Cases: opened in the transaction that keeps an unhappy answer, and what a team makes of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, delete, func, or_, select, update

from core.cases import DUE, LIFE, WAITS, Case, State, Teammate
from core.desk_tables import CaseRow, CommandRow, RelayRow
from core.models import Comment, Outbox, Person, Response, WaveRow
from core.nps import Band
from core.orders import Name
from core.store.outbox import FINAL
from core.store.outbox import State as Said
from core.store.statements import Lookup, Upsert, among, many, stamp, table

_CASE = table(CaseRow)
_COMMAND = table(CommandRow)
_RELAY = table(RelayRow)
_COMMENT = table(Comment)
_OUTBOX = table(Outbox)
_PERSON = table(Person)
_RESPONSE = table(Response)
_WAVE = table(WaveRow)

_OPEN = [str(state) for state in State if state is not State.CLOSED]
_UNHAPPY = 6
"""Up to this score."""
_AT_ONCE = 500

_open = Upsert(
    CaseRow,
    ("person_id", "wave_id", "survey", "state", "opened_at", "last_at", "account", "owner", "owner_name", "outcome"),
    key=("person_id", "wave_id"),
)

_relay = Upsert(RelayRow, ("key", "case_id"), key=("key",))

_theirs = among(_CASE.c.person_id, "people")
_open_of = Lookup(
    select(_CASE.c.id, _CASE.c.person_id, _CASE.c.survey, _CASE.c.wave_id, _CASE.c.last_at, _CASE.c.answered_at).where(
        _theirs, _CASE.c.closed_at.is_(None)
    )
)
_spoken_with = Lookup(
    select(_CASE.c.person_id).where(_theirs, _CASE.c.closed_at.is_(None), _CASE.c.answered_at.is_not(None))
)


class Opening:
    """``open`` them, then ``save``: a person has one case at a time with each survey. One in which nobody spoke to them
    is closed by a later week's."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._stamp = stamp(connection)
        self._now = now
        self._new: dict[tuple[int, str], tuple[int, datetime]] = {}

    def open(self, person_id: int, wave_id: int, survey: str, at: datetime) -> None:
        """An unhappy answer of somebody who can be answered, given at this time."""
        self._new.setdefault((person_id, survey), (wave_id, at))

    def save(self) -> None:
        """Write them."""
        if not self._new:
            return
        people = many(self._connection, {person for person, _ in self._new})
        over: list[int] = []
        for id, person, survey, wave, last_at, answered_at in _open_of(self._connection, people=people):
            if (person, survey) not in self._new:
                continue
            alive = answered_at is not None and last_at > self._stamp(self._now - LIFE)
            if wave == self._new[person, survey][0] or alive:
                del self._new[person, survey]
            else:
                over.append(id)
        superseded = {"state": str(State.CLOSED), "outcome": "another week's", "closed_at": self._now}
        if over:
            self._connection.execute(update(_CASE).where(_CASE.c.id.in_(over)).values(**superseded))
        rows = [
            (person, wave, survey, str(State.OPEN), self._stamp(at), self._stamp(at), "", "", "", "")
            for (person, survey), (wave, at) in self._new.items()
        ]
        _open(self._connection, rows)


# -- reading them ------------------------------------------------------------------------------------------------------


def _cases() -> Select[Any]:
    """Cases with the answer as it is now, of people who can still be answered."""
    theirs = (_RESPONSE.c.person_id == _CASE.c.person_id) & (_RESPONSE.c.wave_id == _CASE.c.wave_id)
    can_be = (_PERSON.c.stopped.is_(False), _PERSON.c.blocked.is_(False), _PERSON.c.erasing_at.is_(None))
    columns = (
        _CASE,
        _WAVE.c.key,
        _PERSON.c.account.label("theirs"),
        _PERSON.c.language,
        _RESPONSE.c.low,
        _RESPONSE.c.high,
    )
    joined = _CASE.join(_PERSON, _PERSON.c.id == _CASE.c.person_id).join(_WAVE, _WAVE.c.id == _CASE.c.wave_id)
    return select(*columns).select_from(joined.join(_RESPONSE, theirs, isouter=True)).where(*can_be)


def _still(now: datetime) -> ColumnElement[bool]:
    """Not so old that nobody waits any more, and as unhappy as when it was opened, unless we have begun to speak."""
    spoken = _CASE.c.answered_at.is_not(None)
    return (_CASE.c.last_at > now - LIFE) & or_(spoken, _RESPONSE.c.high <= _UNHAPPY)


def waiting(connection: Connection, survey: str, now: datetime, *, free: bool = False, limit: int = 10) -> list[Case]:
    """Cases in which it is the team's turn, the oldest first; ``free``: those that nobody has."""
    its = (_waits(survey, now), *((_CASE.c.owner == "",) if free else ()))
    return _read(connection, _cases().where(*its).order_by(_CASE.c.opened_at, _CASE.c.id).limit(limit))


def how_many(connection: Connection, survey: str, now: datetime) -> int:
    """In how many it is the team's turn."""
    theirs = _cases().where(_waits(survey, now)).with_only_columns(_CASE.c.id).subquery()
    return connection.execute(select(func.count()).select_from(theirs)).scalar_one()


def _waits(survey: str, now: datetime) -> ColumnElement[bool]:
    turn = _CASE.c.state.in_([str(state) for state in WAITS])
    return (_CASE.c.survey == survey) & turn & _still(now)


def untold(connection: Connection, survey: str, now: datetime, since: timedelta) -> list[Case]:
    """Cases that the team was not told of, opened at least so long ago: who scores often writes a moment later."""
    its = (_CASE.c.survey == survey, _CASE.c.told_at.is_(None), _CASE.c.opened_at <= now - since, _still(now))
    query = _cases().where(*its, _CASE.c.state == str(State.OPEN))
    return _read(connection, query.order_by(_CASE.c.opened_at, _CASE.c.id).limit(_AT_ONCE))


def last_told(connection: Connection, survey: str) -> datetime | None:
    """When the team was told of a case last."""
    found = select(func.max(_CASE.c.told_at)).where(_CASE.c.survey == survey)
    told: datetime | None = connection.execute(found).scalar_one()
    return told


def case(connection: Connection, id: int) -> Case | None:
    """A case by its number; ``None`` where there is none, or its person cannot be answered any more."""
    return next(iter(_read(connection, _cases().where(_CASE.c.id == id))), None)


def conversing(connection: Connection, people: Collection[int], now: datetime) -> dict[int, Case]:
    """By person, the case in which the team has written to them."""
    found = [person for (person,) in _spoken_with(connection, people=many(connection, people))] if people else []
    spoken = (_CASE.c.answered_at.is_not(None), _CASE.c.state.in_(_OPEN), _CASE.c.last_at > now - LIFE)
    query = _cases().where(_CASE.c.person_id.in_(found), *spoken).order_by(_CASE.c.last_at)
    rows = _rows(connection, query) if found else []
    return {row["person_id"]: _case(row, "") for row in rows}


def _read(connection: Connection, query: Select[Any]) -> list[Case]:
    rows = _rows(connection, query)
    said = _words(connection, {row["person_id"] for row in rows})
    return [_case(row, "\n".join(said.get((row["person_id"], row["wave_id"]), ()))) for row in rows]


def _rows(connection: Connection, query: Select[Any]) -> Sequence[RowMapping]:
    return connection.execute(query).mappings().all()


def _case(row: RowMapping, words: str) -> Case:
    known = row["low"] is not None and row["high"] is not None
    return Case(
        id=row["id"],
        survey=row["survey"],
        wave=row["key"],
        person=row["person_id"],
        account=row["theirs"],
        language=row["language"],
        band=Band(row["low"], row["high"]) if known else None,
        state=State(row["state"]),
        opened_at=row["opened_at"],
        owner=row["owner"],
        owner_name=row["owner_name"],
        words=words,
    )


def _words(connection: Connection, people: Collection[int]) -> Mapping[tuple[int, int], Sequence[str]]:
    """What these people wrote, by person and wave, in its order."""
    query = select(_COMMENT.c.person_id, _COMMENT.c.wave_id, _COMMENT.c.text).order_by(_COMMENT.c.at)
    found: dict[tuple[int, int], list[str]] = {}
    for person, wave, said in connection.execute(query.where(_COMMENT.c.person_id.in_(list(people)))):
        if said:
            found.setdefault((person, wave), []).append(said)
    return found


# -- what the team makes of them ---------------------------------------------------------------------------------------


def tell(connection: Connection, ids: Iterable[int], now: datetime) -> set[int]:
    """The team is told of these. Returns those of which nobody else has told it meanwhile."""
    telling = update(_CASE).where(_CASE.c.id.in_(list(ids)), _CASE.c.told_at.is_(None)).values(told_at=now)
    return set(connection.execute(telling.returning(_CASE.c.id)).scalars())


def take(connection: Connection, id: int, who: Teammate, now: datetime) -> bool:
    """Somebody takes it, unless somebody else has it and it is not overdue. Returns whether it is theirs."""
    its = or_(_CASE.c.owner.in_(["", who.person]), _CASE.c.last_at < now - DUE)
    owned = {"account": who.account, "owner": who.person, "owner_name": who.name}
    free = (_CASE.c.id == id, its, _CASE.c.state.in_(_OPEN))
    taking = update(_CASE).where(*free).values(**owned, told_at=func.coalesce(_CASE.c.told_at, now))
    if not connection.execute(taking).rowcount:
        return False
    first = (_CASE.c.id == id, _CASE.c.state == str(State.OPEN))
    connection.execute(update(_CASE).where(*first).values(state=str(State.TAKEN)))
    return True


def answered(connection: Connection, id: int, relay: str, now: datetime) -> None:
    """The team writes to the customer, under this key of the outbox."""
    first = func.coalesce(_CASE.c.answered_at, now)
    spoken = {"state": str(State.ANSWERED), "answered_at": first, "last_at": now}
    connection.execute(update(_CASE).where(_CASE.c.id == id).values(**spoken))
    _relay(connection, [(relay, id)])


def undelivered(connection: Connection, survey: str, now: datetime) -> list[tuple[str, int, bool]]:
    """What was passed on and did not arrive, or perhaps did not: key, case, and whether that is sure."""
    lost = or_(
        _OUTBOX.c.state.in_([str(Said.REFUSED), str(Said.EXPIRED)]),
        (_OUTBOX.c.state == str(Said.PLANNED)) & (_OUTBOX.c.not_after < now),
    )
    perhaps = (_OUTBOX.c.state == str(Said.UNKNOWN)) & (_OUTBOX.c.looks == FINAL)
    joined = _RELAY.join(_OUTBOX, _OUTBOX.c.key == _RELAY.c.key).join(_CASE, _CASE.c.id == _RELAY.c.case_id)
    query = select(_RELAY.c.key, _CASE.c.id, lost).select_from(joined)
    rows = connection.execute(query.where(_CASE.c.survey == survey, or_(lost, perhaps)))
    return [(key, id, bool(sure)) for key, id, sure in rows]


def forget_delivered(connection: Connection) -> None:
    """Of what has arrived nobody need be told."""
    arrived = select(_OUTBOX.c.key).where(_OUTBOX.c.key == _RELAY.c.key, _OUTBOX.c.state == str(Said.SENT))
    connection.execute(delete(_RELAY).where(arrived.exists()))


def told_undelivered(connection: Connection, key: str, id: int) -> bool:
    """The team is told: it is its turn again, unless the customer wrote meanwhile or it is closed. Returns whether
    nobody else has told it."""
    if not connection.execute(delete(_RELAY).where(_RELAY.c.key == key)).rowcount:
        return False
    turn = (_CASE.c.id == id, _CASE.c.state == str(State.ANSWERED))
    connection.execute(update(_CASE).where(*turn).values(state=str(State.TAKEN)))
    return True


def heard(connection: Connection, ids: Iterable[int], now: datetime) -> None:
    """Their customers wrote."""
    its = _CASE.c.id.in_(list(ids))
    connection.execute(update(_CASE).where(its).values(state=str(State.HEARD), last_at=now))


def close(connection: Connection, id: int, outcome: str, now: datetime) -> bool:
    """It has ended. Returns whether it was open."""
    its = (_CASE.c.id == id, _CASE.c.state.in_(_OPEN))
    ended = {"state": str(State.CLOSED), "outcome": outcome, "closed_at": now}
    return connection.execute(update(_CASE).where(*its).values(**ended)).rowcount == 1


def forget(connection: Connection, person_id: int) -> None:
    """Somebody is forgotten: what the team wrote to them and of them goes from the log."""
    ids = list(connection.execute(select(_CASE.c.id).where(_CASE.c.person_id == person_id)).scalars())
    connection.execute(update(_CASE).where(_CASE.c.id.in_(ids)).values(outcome=""))
    wrote = or_(*(_COMMAND.c.said.startswith(f"/{name}") for name in (Name.REPLY, Name.CLOSE)))
    query = select(_COMMAND.c.account, _COMMAND.c.event, _COMMAND.c.said).where(wrote)
    for account, event, said in connection.execute(query).all():
        begins = said.split()[1:3]  # a survey's name may stand before the number
        if any(word.isdecimal() and int(word) in ids for word in begins):
            its = (_COMMAND.c.account == account, _COMMAND.c.event == event)
            connection.execute(update(_COMMAND).where(*its).values(said="of somebody who was forgotten"))


def forget_owner(connection: Connection, account: str, person: str) -> None:
    """A teammate is forgotten: whoever likes may take what they had."""
    its = (_CASE.c.account == account, _CASE.c.owner == person)
    connection.execute(update(_CASE).where(*its).values(owner="", owner_name=""))
