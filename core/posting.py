"""The weekly post: when it goes, and for whom it waits. What it says is made in ``core/publishing.py``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from core.account import Place
from core.buttons import Seal
from core.clock import Clock
from core.errors import StoreAway, VouchError
from core.presence import Presence
from core.publishing import SILENCE, Heard, hear, plan_report, report_key
from core.routes import Routes, Team
from core.store import outbox, tallies, tries
from core.store.database import Connection, Database
from core.store.directory import Directory
from core.store.gaps import find_gaps, untold
from core.survey import Survey, Wave, report_due, wave_by_key
from core.threads import in_thread

log = logging.getLogger(__name__)

AGAIN = timedelta(minutes=1)
"""How long until something that did not work is tried again: asking costs rate budget, and on X money."""

PATIENCE, PATIENCE_WALL_S = timedelta(hours=2), 5.0
"""How long a report waits for an account that cannot be read: so long on the calendar since it was due, and since it
was tried first, also in wall seconds. As long again, who has just started gives every account the time to come up."""

HASTE_S = 1.0
"""So long, in wall seconds, a report still waits for the others once that time is over and we are up."""

LATE, LATE_WALL_S = timedelta(hours=3), 20.0
"""A report that comes so long after it was due, on the calendar and also in wall seconds, says that it is late."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is being read before a report, and which accounts have been."""

    task: asyncio.Task[None]
    done: set[str]


class WeeklyPost:
    """Makes the reports that are due. Each is made once, whoever makes it and however often it is tried."""

    def __init__(
        self,
        database: Database,
        routes: Routes,
        directory: Directory,
        presence: Presence,
        clock: Clock,
        seal: Seal,
        close_due: Callable[[Survey], Awaitable[set[str]]],
    ) -> None:
        """``close_due`` closes the polls of a survey that are over, for their last numbers belong into its report, and
        returns the accounts on which some are still open."""
        self._database = database
        self._routes = routes
        self._directory = directory
        self._presence = presence
        self._clock = clock
        self._seal = seal
        self._close_due = close_due
        self._first_try: dict[str, datetime] = {}
        """When each report that is due was tried first, by its key."""
        self._not_before: dict[str, datetime] = {}
        """When a report that had to wait is tried again, by its key."""
        self._reading: dict[tuple[str, datetime], Reading] = {}
        """What is being read for the reports of a survey that were due then."""

    async def stop(self) -> None:
        """End what goes on beside us."""
        for reading in self._reading.values():
            reading.task.cancel()
        await asyncio.gather(*(reading.task for reading in self._reading.values()), return_exceptions=True)

    async def publish_due(self, survey: Survey, team: Team) -> None:
        """Publish the report that is due. After an outage that is one, of the last week that was asked: the others'
        weeks are over, and their answers stand in the window."""
        now = self._clock.now()
        wave = await in_thread(self._unpublished, survey, team, now)
        if wave is None:
            return
        due, key = report_due(wave, team.report, team.zone), report_key(survey.name, wave.key, team.name, 0)
        if now < self._not_before.get(key, due):
            return
        if team.account in self._presence.up and team.place not in self._presence.places.get(team.account, {}):
            return
        waits_until = await self._waits_until(key, due)
        if now < waits_until:
            absent = await self.catch_up(survey, due)
        else:  # accounts get the time to come up, and not much more: hardly any where that was tried again and again
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_WALL_S if now < waits_until + self._patience else HASTE_S):
                    await self._presence.ready.wait()
            absent = await self.catch_up(survey, due, HASTE_S)
        absent |= await in_thread(self._untold, wave)
        if team.account not in self._presence.up or (absent and self._clock.now() < waits_until):
            self._not_before[key] = now + AGAIN
            return
        await self.publish(survey, wave, team, absent)

    async def _waits_until(self, key: str, due: datetime) -> datetime:
        """Until when a report waits for accounts that cannot be read. When it was tried first is kept: who is started
        again and again would wait anew each time."""
        first_try = self._first_try.get(key)
        if first_try is None:
            now = self._clock.now()
            first_try = await self._database.write(lambda connection: tries.first_tried(connection, key, now))
            self._first_try[key] = first_try
        return max(due + PATIENCE, first_try + self._patience)

    @property
    def _patience(self) -> timedelta:
        return max(PATIENCE, timedelta(seconds=PATIENCE_WALL_S * self._clock.speed))

    def unread(self, survey: Survey, wave: Wave) -> set[str]:
        """Accounts of which a report of a week would lack something now: those that were not read since its end, and
        those with a poll that has not told its last totals. Asks the database."""
        read = {name: self._presence.caught_up(name) for name in self._accounts(survey)}
        unread = {name for name, at in read.items() if at is None or at < wave.closes_at}
        return unread | self._untold(wave)

    def _untold(self, wave: Wave) -> set[str]:
        with self._database.reading() as connection:
            return untold(connection, wave)

    def _accounts(self, survey: Survey) -> set[str]:
        return {self._routes.channels[name].account for name in survey.channels}

    async def publish(self, survey: Survey, wave: Wave, team: Team, absent: Collection[str] = ()) -> list[str]:
        """Plan the report of a wave for a team, once for ever, as soon as its place is known. Returns the outbox keys
        of the messages that were planned now. ``absent`` are accounts that could not be read up to when it was due."""
        place = self._presence.places.get(team.account, {}).get(team.place)
        if place is None:
            log.error("teams.%s: %s cannot be reached; the report waits", team.name, team.place)
            return []
        heard = await in_thread(self._hear, survey, wave)
        planned = await self._database.write(partial(self._plan_report, survey, wave, team, place, heard, absent))
        self._presence.wake(team.account)
        return planned

    def _plan_report(
        self,
        survey: Survey,
        wave: Wave,
        team: Team,
        place: Place,
        heard: Heard,
        absent: Collection[str],
        connection: Connection,
    ) -> list[str]:
        now, due = self._clock.now(), report_due(wave, team.report, team.zone)
        late_since = due if now > due + max(LATE, timedelta(seconds=LATE_WALL_S * self._clock.speed)) else None
        gaps = find_gaps(connection, self._directory.wave(connection, survey, wave).id, now)
        planned = plan_report(
            connection,
            survey,
            wave,
            team,
            place.limits,
            now,
            heard=heard,
            late_since=late_since,
            absent=absent,
            seal=self._seal,
        )
        tries.made(connection, report_key(survey.name, wave.key, team.name, 0))
        for gap in gaps if planned else ():
            log.warning("%s: the poll counts %s, by name we know %s", gap.channel, gap.totals, gap.known)
        return planned

    def _hear(self, survey: Survey, wave: Wave) -> Heard:
        """What was written. A fault of ours there must not cost the team its post; one of the database passes, and the
        post is tried again. Raises ``StoreAway``."""
        try:
            return hear(self._database, survey, wave)
        except StoreAway:
            raise
        except Exception as error:
            log.error(
                "%s %s: the post goes without reasons and quotes: %s", survey.name, wave.key, type(error).__name__
            )
            return SILENCE

    def _unpublished(self, survey: Survey, team: Team, now: datetime) -> Wave | None:
        """The last wave that was asked and whose report is due, unless it was published."""
        with self._database.reading() as connection:
            keys = tallies.asked_waves(connection, survey.name, str(survey.scale))
            for wave in (wave_by_key(survey, key) for key in reversed(keys)):
                if report_due(wave, team.report, team.zone) <= now:
                    first = report_key(survey.name, wave.key, team.name, 0)
                    return None if outbox.states(connection, [first]) else wave
        return None

    async def catch_up(self, survey: Survey, due: datetime, within_s: float | None = None) -> set[str]:
        """Read what the survey's accounts that are up here can still give, unless they were read since ``due``. After
        ``within_s`` wall seconds what is left goes on beside us.

        Returns the accounts that were not read since, here or by another process.
        """
        names = self._accounts(survey)
        reading = self._reading.get((survey.name, due))
        if reading is None:
            done: set[str] = set()
            task = asyncio.create_task(self._close_and_read(survey, names, due, done))
            reading = self._reading[survey.name, due] = Reading(task, done)
        await asyncio.wait({reading.task}, timeout=within_s)
        if reading.task.done():
            self._reading.pop((survey.name, due), None)
            reading.task.result()
        return names - reading.done

    async def _close_and_read(self, survey: Survey, names: set[str], due: datetime, done: set[str]) -> None:
        still_open = await self._close_due(survey)

        async def read(name: str) -> None:
            if await self._read(name, due) and name not in still_open:
                done.add(name)

        await asyncio.gather(*(read(name) for name in names))

    async def _read(self, name: str, due: datetime) -> bool:
        read = await in_thread(self._presence.caught_up, name)
        if read is not None and due <= read <= self._clock.now():
            return True
        if name not in self._presence.up:
            return False
        try:
            await self._presence.catch_up(name)
        except (VouchError, TimeoutError) as error:
            log.warning("%s: catching up: %s", name, error or "it took too long")
            return False
        return True
