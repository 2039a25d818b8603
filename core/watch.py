"""What a team is told unasked, in its own place: of unhappy people, of what could not be passed on to them, of a fix
that nobody owns, of a score that falls. Each once, and never a storm."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from core import cases as shown
from core.agenda import Decision, decide_by, part
from core.buttons import Purpose, Seal, wave_code
from core.cases import Case
from core.change import Verdict, compare
from core.clock import Clock
from core.errors import NotOurs, VouchError
from core.fitting import SHORTEST, split
from core.message import Button, Line, Mention, Message, Strong, text
from core.nps import nps
from core.presence import Presence
from core.publishing import week_report
from core.quotes import Quoted
from core.report import WeekReport
from core.routes import Routes, Team
from core.saying import one_line
from core.store import cases, decisions, outbox, quoted, tallies
from core.store.database import Connection, Database
from core.store.fencing import standing
from core.store.outbox import Kind, Planned
from core.survey import Survey, week_wave
from core.threads import in_thread
from core.words import Words, words_for

log = logging.getLogger(__name__)

THEIR_WORDS = timedelta(minutes=2)
"""So long a case is kept back: who gives a score often says why a moment later."""

APART, APART_WALL_S = timedelta(minutes=15), 30.0
"""So far apart, on the calendar and by the wall, a team is told of new cases."""

FEW = 3
"""So many new cases are told one by one, more of them together."""

LOOK_AGAIN, LOOK_AGAIN_WALL_S = timedelta(hours=1), 5.0
"""How often it is looked whether the score of the running week falls."""

FALL = 0.9973
"""Confidence beyond which a fall is told between two posts: three standard errors.
Source: https://www.itl.nist.gov/div898/handbook/pmc/section3/pmc32.htm (three-sigma limits)"""

FEWEST = 30
"""Answers of the running week without which no fall is told."""

RECENT = timedelta(days=6)
"""Of a fix that was proposed longer ago nobody is reminded: the next post says what became of it."""


class Watch:
    """Looks what is to be told to the teams whose accounts are up here. Give it its turn often."""

    def __init__(
        self,
        database: Database,
        routes: Routes,
        teams: Iterable[Team],
        presence: Presence,
        seal: Seal,
        clock: Clock,
    ) -> None:
        self._database = database
        self._routes = routes
        self._teams = {team.name: team for team in teams}
        self._presence = presence
        self._seal = seal
        self._clock = clock
        self._look_at: dict[str, datetime] = {}
        """By survey when it is looked again whether its score falls."""

    async def work(self) -> None:
        """Tell what is to be told. What goes wrong with one survey holds up no other."""
        for survey in self._routes.surveys.values():
            try:
                await self._look_after(survey)
            except VouchError as error:
                log.debug("%s: the team is told later: %s", survey.name, error)
            except Exception:
                log.exception("%s: the team is told later", survey.name)

    async def _look_after(self, survey: Survey) -> None:
        teams = self._told(survey)
        if not any(team.account in self._presence.up for team in teams):
            return
        caring = [team for team in teams if team.cases]
        if caring:
            await self._tell_cases(survey, caring)
            await self._tell_undelivered(survey, caring)
            await self._tell_fall(survey, caring)
        for team in teams:
            await self._tell_unowned(survey, team)

    def _told(self, survey: Survey) -> list[Team]:
        return [self._teams[name] for name in survey.teams if name in self._teams]

    # -- cases ---------------------------------------------------------------------------------------------------------

    async def _tell_cases(self, survey: Survey, teams: Sequence[Team]) -> None:
        new = await in_thread(self._new_cases, survey)
        if new:
            await self._write(survey, partial(self._plan_cases, survey, teams))

    def _new_cases(self, survey: Survey) -> list[Case]:
        with self._database.reading() as connection:
            return self._to_tell(connection, survey)

    def _to_tell(self, connection: Connection, survey: Survey) -> list[Case]:
        now, apart = self._clock.now(), max(APART, timedelta(seconds=APART_WALL_S * self._clock.speed))
        last = cases.last_told(connection, survey.name)
        if last is not None and last <= now < last + apart:
            return []
        return cases.untold(connection, survey.name, now, THEIR_WORDS)

    def _plan_cases(self, survey: Survey, teams: Iterable[Team], connection: Connection) -> None:
        now, found = self._clock.now(), self._to_tell(connection, survey)
        ours = cases.tell(connection, [case.id for case in found], now)
        new = [case for case in found if case.id in ours]
        for team in teams if new else ():
            words = words_for(team.language)
            if len(new) > FEW:
                body = shown.several(new, now, self._seal, words)
                many = partial(shown.key_of_many, team.name, new)
                self._tell(connection, team, many, body, shown.quoted(new, shown.LISTED))
            for case in new if len(new) <= FEW else ():
                one = partial(shown.key, team.name, case.id, "new")
                body = shown.told(case, now, self._seal, words)
                self._tell(connection, team, one, body, shown.quoted([case], shown.SHOWN))

    def _tell(
        self,
        connection: Connection,
        team: Team,
        key: Callable[[int], str],
        body: Message,
        quotes: Sequence[Quoted],
    ) -> None:
        place = self._presence.places.get(team.account, {}).get(team.place)
        for number, piece in enumerate(split(body, place.limits.post_chars if place is not None else SHORTEST)):
            self._say(connection, team, key(number), piece)
            quoted.keep(connection, [(key(number), piece)], quotes)

    async def _tell_undelivered(self, survey: Survey, teams: Sequence[Team]) -> None:
        """Of what could not be passed on."""
        if await in_thread(self._undelivered, survey):
            await self._write(survey, partial(self._plan_undelivered, survey, teams))

    def _undelivered(self, survey: Survey) -> list[tuple[str, int, bool]]:
        with self._database.reading() as connection:
            return cases.undelivered(connection, survey.name, self._clock.now())

    def _plan_undelivered(self, survey: Survey, teams: Iterable[Team], connection: Connection) -> None:
        for relay, id, sure in cases.undelivered(connection, survey.name, self._clock.now()):
            if not cases.told_undelivered(connection, relay, id):
                continue
            for team in teams:
                words = words_for(team.language)
                said = words("Case {case}: what you wrote did not reach the customer.", case=id)
                doubt = words("Case {case}: nobody can tell whether what you wrote reached the customer.", case=id)
                self._say(connection, team, f"lost:{team.name}/{relay}", text(said if sure else doubt))

    # -- a fix that nobody owns ----------------------------------------------------------------------------------------

    async def _tell_unowned(self, survey: Survey, team: Team) -> None:
        for found in await in_thread(self._unowned, survey, team):
            await self._write(survey, partial(self._remind, survey, team, found))

    def _unowned(self, survey: Survey, team: Team) -> list[Decision]:
        now = self._clock.now()
        with self._database.reading() as connection:
            open_still = decisions.unowned(connection, survey.name, team.name, now - RECENT)
        return [one for one in open_still if now >= decide_by(one.proposed_at, team.zone)]

    def _remind(self, survey: Survey, team: Team, found: Decision, connection: Connection) -> None:
        if not decisions.reminded(connection, found, self._clock.now()):
            return
        words, title = words_for(team.language), found.title
        said = part(words("Nobody owns this week's fix yet: {title}.", title=title), title)
        token = self._seal.token(Purpose.OWN, wave_code(survey.name, found.wave))
        lead = (Mention(words("For you to choose"), team.lead),) if team.lead else ()
        body = Message((said, *lead), (Button(words("I own it"), token),))
        self._say(connection, team, f"unowned:{survey.name}:{found.wave}:{team.name}:0", body)

    # -- a score that falls --------------------------------------------------------------------------------------------

    async def _tell_fall(self, survey: Survey, teams: Sequence[Team]) -> None:
        now = self._clock.now()
        if now < self._look_at.get(survey.name, now):
            return
        self._look_at[survey.name] = now + max(LOOK_AGAIN, timedelta(seconds=LOOK_AGAIN_WALL_S * self._clock.speed))
        report = await in_thread(self._running, survey)
        if report is not None and has_fallen(report):
            await self._write(survey, partial(self._plan_fall, survey, teams, report))

    def _running(self, survey: Survey) -> WeekReport | None:
        wave = week_wave(survey, self._clock.now())
        with self._database.reading() as connection:
            asked = tallies.asked_waves(connection, survey.name, str(survey.scale), [wave.key])
            return week_report(connection, survey, wave) if asked else None

    def _plan_fall(self, survey: Survey, teams: Iterable[Team], report: WeekReport, connection: Connection) -> None:
        for team in teams:
            body = fallen(report, words_for(team.language))
            self._say(connection, team, f"fall:{survey.name}:{report.wave.key}:{team.name}:0", body)

    # -- saying it -----------------------------------------------------------------------------------------------------

    async def _write(self, survey: Survey, job: Callable[[Connection], None]) -> None:
        """Do this in one transaction, while an account of theirs is ours."""
        teams = self._told(survey)
        helds = {held for team in teams if (held := self._presence.held(team.account)) is not None}

        def while_ours(connection: Connection) -> None:
            if not standing(connection, helds):
                raise NotOurs(teams[0].account, "another process serves this account now")
            job(connection)

        await self._database.write(while_ours)
        for team in teams:
            self._presence.wake(team.account)

    def _say(self, connection: Connection, team: Team, key: str, body: Message) -> None:
        thing = Planned(key=key, account=team.account, kind=Kind.CASE, body=body, place=team.place)
        outbox.plan(connection, [thing], self._clock.now())


def has_fallen(report: WeekReport) -> bool:
    """Whether the running week lies so far below the week before that a team is told before the next post."""
    if report.week.total.n < FEWEST:
        return False
    found = compare(report.week_before, report.week, FALL)
    return found.verdict is Verdict.RARE and found.delta < 0


def fallen(report: WeekReport, words: Words) -> Message:
    """A fall, told between two posts."""
    found, tally = compare(report.week_before, report.week, FALL), report.week.total
    about: Mapping[str, object] = {"title": one_line(report.title), "score": nps(tally), "points": abs(found.delta)}
    lead = words("{title}: NPS {score} so far this week, down {points}. Chance alone hardly ever does this.", **about)
    return Message((Strong(lead), Line(words("{n} answers. /why says what people name.", n=words.number(tally.n)))))
