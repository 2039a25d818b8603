"""The one fix of each week: proposed by the post, owned by somebody, done."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, update

from core.agenda import Decision
from core.cases import Teammate
from core.desk_tables import DecisionRow
from core.store.statements import Upsert, table

_DECISION = table(DecisionRow)
_propose = Upsert(
    DecisionRow,
    ("survey", "wave", "team", "title", "proposed_at", "account", "owner", "owner_name"),
    key=("survey", "wave", "team"),
)
_columns = (
    *(_DECISION.c.survey, _DECISION.c.wave, _DECISION.c.team, _DECISION.c.title, _DECISION.c.proposed_at),
    *(_DECISION.c.owner, _DECISION.c.owner_name, _DECISION.c.done_at),
)


def propose(connection: Connection, survey: str, wave: str, team: str, title: str, now: datetime) -> None:
    """The post of a week proposes a fix to a team, once for ever."""
    _propose(connection, [(survey, wave, team, title, now, "", "", "")])


def decision(connection: Connection, survey: str, wave: str, team: str) -> Decision | None:
    """What was proposed in a week, and what became of it."""
    its = (_DECISION.c.survey == survey, _DECISION.c.wave == wave, _DECISION.c.team == team)
    row = connection.execute(select(*_columns).where(*its)).one_or_none()
    return Decision(*row) if row is not None else None


def own(connection: Connection, found: Decision, who: Teammate, title: str, now: datetime) -> bool:
    """Somebody owns it, unless somebody else does; in their own words, if they have any. Returns whether it is
    theirs."""
    free = (*_its(found), _DECISION.c.owner.in_(["", who.person]))
    owned = {"account": who.account, "owner": who.person, "owner_name": who.name, "owned_at": now}
    return connection.execute(update(_DECISION).where(*free).values(**owned, title=title)).rowcount == 1


def done(connection: Connection, found: Decision, now: datetime) -> bool:
    """It is done. Returns whether it was not."""
    open_still = (*_its(found), _DECISION.c.done_at.is_(None))
    return connection.execute(update(_DECISION).where(*open_still).values(done_at=now)).rowcount == 1


def unowned(connection: Connection, survey: str, team: str, since: datetime) -> list[Decision]:
    """Fixes proposed to a team since then that nobody owns and of which nobody was reminded."""
    theirs = (_DECISION.c.survey == survey, _DECISION.c.team == team, _DECISION.c.done_at.is_(None))
    its = (_DECISION.c.owner == "", _DECISION.c.reminded_at.is_(None), _DECISION.c.proposed_at > since)
    return [Decision(*row) for row in connection.execute(select(*_columns).where(*theirs, *its))]


def reminded(connection: Connection, found: Decision, now: datetime) -> bool:
    """Somebody is reminded. Returns whether that is still to be done."""
    its = (*_its(found), _DECISION.c.reminded_at.is_(None), _DECISION.c.owner == "")
    return connection.execute(update(_DECISION).where(*its).values(reminded_at=now)).rowcount == 1


def forget_owner(connection: Connection, account: str, person: str) -> None:
    """A teammate is forgotten; a fix that somebody owned is still told apart from one that nobody took."""
    its = (_DECISION.c.account == account, _DECISION.c.owner == person)
    connection.execute(update(_DECISION).where(*its).values(owner="-", owner_name="–"))


def _its(found: Decision) -> tuple[ColumnElement[bool], ...]:
    return (
        _DECISION.c.survey == found.survey,
        _DECISION.c.wave == found.wave,
        _DECISION.c.team == found.team,
    )
