"""A brand's weeks on the sandbox, lived by the ordinary ``vouch run`` in a process of its own.

The sandbox runs here, with its clock sped up and its followers acting. What the team's channel got is read back from
the sandbox's wire and held against the world's ledger, which counts in code of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.routes import ChannelKind
from core.settings import load
from core.survey import Survey, next_wave, report_due, week_wave
from demo.filed import misfiled
from demo.files import shown, write
from demo.judge import Judge
from demo.misread import as_read, listed, misread, too_many, typed, wrongly_read
from demo.outcome import Outcome
from demo.plan import plan_of, world_of
from demo.readback import tells
from demo.refusals import Refusals
from demo.reports import ReportPart, Reports, wrong_arrivals
from demo.running import Running, look_after, running
from demo.telling import Telling
from sandbox.clocks import Clocks
from sandbox.manners import Manners
from sandbox.seam import Post
from sandbox.server import Sandbox

FIRST_DAY = datetime(2026, 10, 12, 12, tzinfo=UTC)
"""The demo's first week: the third one has 169 hours in Europe, because clocks go back."""

WEEK_S = 20.0
"""Wall seconds of a week for up to ``CROWD`` followers; larger crowds need longer, because the wire keeps wall time."""

CROWD = 2_000

LATEST = timedelta(days=6)
"""How long after its due time a report may arrive before the demo gives up; in a week the next one is due."""

LIVE_ON_S = 1.5
"""So many wall seconds the demo lives on once all reports are there, so that a second copy of the last one is seen."""

FAULTS_TOLD = 20
"""So many faults are told one by one."""


class Demo:
    """One run. ``show`` is told what happens, for whoever watches.

    The same seed brings the same followers with the same scores in mind. What those do who vote with the crowd, and who
    is too late for a slow machine, depends on timing, so two runs may count a few answers differently.
    """

    def __init__(self, path: Path, *, followers: int, seed: int, weeks: int, show: Callable[[str], None]) -> None:
        self.settings = load(path)
        self._path = path
        self._weeks = weeks
        self._show = show
        accounts, places, channels = plan_of(self.settings)
        self.surveys = self.settings.routes().surveys
        week_s = WEEK_S * max(1.0, followers / CROWD)
        start = max(week_wave(survey, FIRST_DAY).opens_at for survey in self.surveys.values())
        self.clocks = Clocks(start=start, speed=timedelta(weeks=1).total_seconds() / week_s)
        self.sandbox = Sandbox(accounts, places, clocks=self.clocks)
        self.world = world_of(self.sandbox, self.settings, channels, followers, seed)
        self._refusals = Refusals()
        self.sandbox.on_exchange = self._refusals.see
        self._reports = Reports(self.surveys, self.settings.team_list())
        self._named_teams = self.settings.team_list().values()
        self._teams = {(team.account, team.place) for team in self.settings.teams.values()}
        self._arrived = asyncio.Event()
        self.up = False
        """Whether the service is up."""
        self.end_of_log = ""
        """What the service logged last, once the demo is over."""
        self._telling = Telling(list(self._named_teams), show)
        self.world.office.watchers.append(self._telling.done)
        self.sandbox.watchers.append(self._seen)

    def _seen(self, post: Post) -> None:
        self._telling.seen(post)
        if (post.account, post.place) in self._teams:
            self._arrived.set()

    async def run(self) -> Outcome:
        """Live through the weeks. Raises ``VouchError`` when the service does not start."""
        started = time.perf_counter()
        self.clocks.started = self.clocks.wire()
        with tempfile.TemporaryDirectory(prefix="vouch-demo-") as folder:
            async with self.sandbox, running(self._path, self.sandbox.url, Path(folder)) as service:
                self.up = True
                self._show(f"vouch run is up after {service.ready_s} s")
                living = asyncio.create_task(self.world.run())
                try:
                    await self._live(service, living)
                finally:
                    self.end_of_log = service.end_of_log()
                    living.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await living
        return self._outcome(time.perf_counter() - started)

    async def _live(self, service: Running, living: asyncio.Task[None]) -> None:
        last = max(self._due(survey) for survey in self.surveys.values())
        dead = asyncio.create_task(service.process.wait())
        while not self._complete() and self.clocks.now() < last + LATEST:
            self._arrived.clear()
            arrived = asyncio.create_task(self._arrived.wait())
            await asyncio.wait({arrived, dead, living}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            arrived.cancel()
            look_after(service, dead, living)
        await asyncio.wait({dead, living}, timeout=LIVE_ON_S, return_when=asyncio.FIRST_COMPLETED)
        look_after(service, dead, living)
        dead.cancel()

    def write(self, folder: Path) -> tuple[list[str], list[str]]:
        """Write what the teams' places got, and read it back. Returns the files' names, and what is wrong in them.
        Raises ``VouchError``."""
        posts = shown(self.world.ledger.posts, self._teams)
        return write(folder, posts), misfiled(folder, posts)

    def share(self) -> float:
        """How much of the time is over, 0 to 1."""
        start = self.clocks.start
        last = max(self._due(survey) for survey in self.surveys.values())
        return min(1.0, max(0.0, (self.clocks.now() - start) / (last - start)))

    # -- what was asked of us ------------------------------------------------------------------------------------------

    def waves(self, survey: Survey) -> list[str]:
        """Keys of the weeks that the demo lives through."""
        wave = week_wave(survey, FIRST_DAY)
        keys = []
        for _ in range(self._weeks):
            keys.append(wave.key)
            wave = next_wave(survey, wave)
        return keys

    def _due(self, survey: Survey) -> datetime:
        wave = week_wave(survey, FIRST_DAY)
        for _ in range(self._weeks - 1):
            wave = next_wave(survey, wave)
        teams = [self.settings.teams[name] for name in survey.teams]
        return max((report_due(wave, team.report, team.timezone) for team in teams), default=wave.closes_at)

    def _complete(self) -> bool:
        return not self._missing_parts()

    def _missing_parts(self) -> list[str]:
        """Messages of reports that did not come, or tell nothing."""
        found = {part.key for part in self._found() if tells(part.text)}
        inside = {team.name: team.inside for team in self._named_teams}
        wanted = [
            (survey.name, team, week, part)
            for survey in self.surveys.values()
            for team in survey.teams
            for week in self.waves(survey)
            for part in (("headline", "details") if inside[team] else ("headline",))
        ]
        return [f"report {' '.join(key)} is missing" for key in wanted if key not in found]

    def _found(self) -> list[ReportPart]:
        return list(self._reports.read(self.world.ledger.posts))

    def _outcome(self, elapsed_s: float) -> Outcome:
        ledger, lived = self.world.ledger, {survey.name: self.waves(survey) for survey in self.surveys.values()}
        scales, told = {survey.name: survey.scale for survey in self.surveys.values()}, self._told()
        understood = as_read(ledger, scales, told)
        judge = Judge(self._found(), self._tables(), lived, ledger, understood)
        written, wrongly = len(typed(ledger)), wrongly_read(ledger, scales, told)
        wrong = wrong_arrivals(self._found(), lived)
        faults = [
            *judge.faults(),
            *self._missing_parts(),
            *too_many(wrongly, written),
            *wrong,
            *self._reports.ambiguous(),
            *self._missing_modes(),
            *Manners(ledger, lived).faults(),
            *ledger.faults,
            *self._refusals.faults(),
        ]
        return Outcome(
            truth=judge.first(judge.truth),
            posted=judge.first(judge.posted),
            modes=self._modes(),
            lost=judge.lost,
            doubled=judge.doubled + len(ledger.doubled) + len(ledger.unwelcome) + len(wrong),
            elapsed_s=elapsed_s,
            expected=judge.first(judge.expected),
            typed=written,
            misread_messages=wrongly,
            misread=listed(misread(ledger, understood, lived)),
            faults=_told(faults),
            refusals=self._refusals.by_platform(),
        )

    def _tables(self) -> dict[str, dict[str, bool]]:
        """By survey, its teams, and whether each is told the details."""
        inside = {team.name: team.inside for team in self._named_teams}
        return {survey.name: {team: inside[team] for team in survey.teams} for survey in self.surveys.values()}

    def _told(self) -> dict[tuple[str, str], str]:
        """Languages by account and person, where the platform tells them with a message: on Telegram."""
        people = (person for its in self.world.people.values() for person in its)
        return {(each.account, each.id): each.language for each in people if each.platform == "telegram"}

    def _modes(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            name: {
                "platform": self.settings.accounts[channel.account].platform,
                "kind": str(channel.kind),
                "asks": 0,
                "invitations": 0,
            }
            for name, channel in self.settings.channels.items()
        }
        for asked in self.world.ledger.asks():
            found[asked.channel]["asks"] += asked.n
        for asked in self.world.ledger.invitations():
            found[asked.channel]["invitations"] += asked.n
        return found

    def _missing_modes(self) -> list[str]:
        return [
            f"{name}: nobody was {'invited' if mode['kind'] == ChannelKind.DIRECT else 'asked'}"
            for name, mode in self._modes().items()
            if not mode["asks"] and not mode["invitations"]
        ]


def _told(faults: list[str]) -> list[str]:
    if len(faults) <= FAULTS_TOLD:
        return faults
    return [*faults[:FAULTS_TOLD], f"and {len(faults) - FAULTS_TOLD} more"]
