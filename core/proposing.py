"""What a post asks of its team, from the store; and the fix that it proposes, kept."""

from __future__ import annotations

from datetime import datetime

from core.agenda import Agenda, decide_by
from core.buttons import Purpose, Seal, wave_code
from core.cases import take_next
from core.message import Button
from core.report import WeekReport
from core.routes import Team
from core.saying import one_line
from core.store import cases, decisions
from core.store.database import Connection
from core.survey import Survey, previous_wave
from core.words import words_for

WORTH_A_FIX = 0.1
"""A share of the unhappy people who wrote: what fewer name is no week's work."""


def agenda(
    connection: Connection, survey: Survey, report: WeekReport, team: Team, now: datetime, seal: Seal | None = None
) -> Agenda:
    """What is on it. With a ``seal`` it can be tapped."""
    waiting = cases.waiting(connection, survey.name, now, limit=1) if team.cases else []
    n = cases.how_many(connection, survey.name, now) if waiting else 0
    before = previous_wave(survey, report.wave).key
    most = report.reasons[0] if report.reasons else None
    fix = one_line(most.title(team.language)) if most is not None and most.named >= WORTH_A_FIX * most.of else ""
    return Agenda(
        waiting=n,
        oldest=now - waiting[0].opened_at if waiting else now - now,
        last=decisions.decision(connection, survey.name, before, team.name),
        fix=fix,
        by=decide_by(now, team.zone).date() if fix else None,
        zone=team.zone,
        buttons=_buttons(survey, report, team, seal, waiting=bool(waiting), fix=bool(fix)) if seal is not None else (),
    )


def _buttons(
    survey: Survey, report: WeekReport, team: Team, seal: Seal, *, waiting: bool, fix: bool
) -> tuple[Button, ...]:
    words = words_for(team.language)
    own = Button(words("I own it"), seal.token(Purpose.OWN, wave_code(survey.name, report.wave.key)))
    return (*((take_next(seal, words),) if waiting else ()), *((own,) if fix else ()))


def propose(connection: Connection, survey: Survey, report: WeekReport, team: Team, now: datetime) -> None:
    """Keep what it proposes: from now on it can be owned."""
    if report.agenda is not None and report.agenda.fix:
        decisions.propose(connection, survey.name, report.wave.key, team.name, report.agenda.fix, now)
