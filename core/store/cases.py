"""Cases: opened in the transaction that keeps an unhappy answer, and what a team makes of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, or_, select, update
from sqlalchemy import case as when

from core.cases import LIFE, WAITS, Case, State, Teammate
from core.desk_tables import CaseRow
from core.models import Comment, Outbox, Person, Response, WaveRow
from core.nps import Band
from core.store.outbox import FINAL
from core.store.outbox import State as Said
from core.store.statements import Lookup, Upsert, among, many, stamp, table

_CASE = table(CaseRow)
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
    ("person_id", "wave_id", "survey", "state", "opened_at", "account", "owner", "owner_name", "relay", "outcome"),
    key=("person_id", "wave_id"),
)


_theirs = among(_CASE.c.person_id, "people")
_has_one = Lookup(select(_CASE.c.person_id).where(_theirs, _CASE.c.closed_at.is_(None)))
_spoken_with = Lookup(
    select(_CASE.c.person_id).where(_theirs, _CASE.c.closed_at.is_(None), _CASE.c.answered_at.is_not(None))
)


class Opening:
    """``open`` them, then ``save``: who has a case already gets no second one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._new: dict[int, tuple[Any, ...]] = {}

    def open(self, person_id: int, wave_id: int, survey: str, at: datetime) -> None:
        """An unhappy answer of somebody who can be answered, given at this time."""
        its = (person_id, wave_id, survey, str(State.OPEN), stamp(self._connection)(at), "", "", "", "", "")
        self._new.setdefault(person_id, its)

    def save(self) -> None:
        """Write them."""
        if self._new:
            people = many(self._connection, self._new)
            have = {person for (person,) in _has_one(self._connection, people=people)}
            _open(self._connection, [row for person, row in self._new.items() if person not in have])


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
    return (_CASE.c.opened_at > now - LIFE) & or_(spoken, _RESPONSE.c.high <= _UNHAPPY)


def waiting(connection: Connection, survey: str, now: datetime, limit: int = _AT_ONCE) -> list[Case]:
    """Cases in which it is the team's turn, the oldest first."""
    its = (_CASE.c.survey == survey, _CASE.c.state.in_([str(state) for state in WAITS]), _still(now))
    return _read(connection, _cases().where(*its).order_by(_CASE.c.opened_at, _CASE.c.id).limit(limit))


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
    spoken = (_CASE.c.answered_at.is_not(None), _CASE.c.state.in_(_OPEN), _CASE.c.opened_at > now - LIFE)
    rows = _rows(connection, _cases().where(_CASE.c.person_id.in_(found), *spoken)) if found else []
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


def tell(connection: Connection, ids: Iterable[int], now: datetime) -> None:
    """The team is told of these."""
    connection.execute(update(_CASE).where(_CASE.c.id.in_(list(ids))).values(told_at=now))


def take(connection: Connection, id: int, who: Teammate, now: datetime) -> bool:
    """Somebody takes it, unless somebody else has it. Returns whether it is theirs."""
    free = (_CASE.c.id == id, or_(_CASE.c.owner == "", _CASE.c.owner == who.person), _CASE.c.state.in_(_OPEN))
    owned = {"account": who.account, "owner": who.person, "owner_name": who.name}
    taking = update(_CASE).where(*free).values(**owned, told_at=func.coalesce(_CASE.c.told_at, now))
    if not connection.execute(taking).rowcount:
        return False
    first = (_CASE.c.id == id, _CASE.c.state == str(State.OPEN))
    connection.execute(update(_CASE).where(*first).values(state=str(State.TAKEN)))
    return True


def answered(connection: Connection, id: int, who: Teammate, relay: str, now: datetime) -> None:
    """The team writes to the customer, under this key of the outbox; whoever writes first has the case."""
    take(connection, id, who, now)
    first = func.coalesce(_CASE.c.answered_at, now)
    spoken = {"state": str(State.ANSWERED), "answered_at": first, "closed_at": None, "relay": relay}
    connection.execute(update(_CASE).where(_CASE.c.id == id).values(**spoken))


def undelivered(connection: Connection, survey: str, now: datetime) -> list[tuple[int, bool]]:
    """Cases whose customer was not reached by what was passed on last, or perhaps was not; and whether that is sure."""
    lost = _OUTBOX.c.state.in_([str(Said.REFUSED), str(Said.EXPIRED)])
    perhaps = (_OUTBOX.c.state == str(Said.UNKNOWN)) & (_OUTBOX.c.looks == FINAL)
    its = (_CASE.c.survey == survey, _CASE.c.opened_at > now - LIFE, _CASE.c.state.in_(_OPEN))
    query = select(_CASE.c.id, lost).join_from(_CASE, _OUTBOX, _OUTBOX.c.key == _CASE.c.relay)
    return [(id, bool(sure)) for id, sure in connection.execute(query.where(*its, or_(lost, perhaps)))]


def told_undelivered(connection: Connection, id: int) -> str:
    """The team is told: it is its turn again, unless the customer wrote meanwhile. Returns the key of what it was."""
    relay = connection.execute(select(_CASE.c.relay).where(_CASE.c.id == id)).scalar_one()
    turn = when((_CASE.c.state == str(State.ANSWERED), str(State.TAKEN)), else_=_CASE.c.state)
    connection.execute(update(_CASE).where(_CASE.c.id == id).values(relay="", state=turn))
    return str(relay)


def heard(connection: Connection, ids: Iterable[int]) -> None:
    """Their customers wrote."""
    connection.execute(update(_CASE).where(_CASE.c.id.in_(list(ids))).values(state=str(State.HEARD)))


def close(connection: Connection, id: int, outcome: str, now: datetime) -> bool:
    """It has ended. Returns whether it was open."""
    its = (_CASE.c.id == id, _CASE.c.state.in_(_OPEN))
    ended = {"state": str(State.CLOSED), "outcome": outcome, "closed_at": now}
    return connection.execute(update(_CASE).where(*its).values(**ended)).rowcount == 1


def forget_owner(connection: Connection, account: str, person: str) -> None:
    """A teammate is forgotten: whoever likes may take what they had."""
    its = (_CASE.c.account == account, _CASE.c.owner == person)
    connection.execute(update(_CASE).where(*its).values(owner="", owner_name=""))


def merged(found: Case, who: Teammate) -> Case:
    """A case as it is once somebody has taken it."""
    return replace(found, owner=who.person, owner_name=who.name)
