"""The service: opens waves, invites, closes, publishes. Whatever is due is done at a tick; the database alone knows
what has been done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from core.account import Limits, Place
from core.asking import ask_in, invitation
from core.buttons import Seal
from core.clock import Clock
from core.errors import AccountError, AccountUnavailable, SettingsError, VouchError
from core.message import Message
from core.presence import Presence
from core.publishing import plan_report, report_key
from core.routes import Channel, ChannelKind, Routes, Team
from core.store import asks, outbox, tallies
from core.store.asks import NewAsk, OpenAsk
from core.store.database import Connection, Database
from core.store.directory import KnownWave
from core.store.gaps import find_gaps
from core.store.inbox import Inbox
from core.store.waiting import forget_waiting
from core.survey import Survey, Wave, previous_wave, report_due, wave_by_key, week_wave
from core.threads import in_thread

log = logging.getLogger(__name__)

PATIENCE, PATIENCE_WALL_S = timedelta(hours=2), 5.0
"""How long a report waits for an account that cannot be read: so long on the calendar since it was due, and since we
tried first, also in wall seconds. Who has just started gives every account the time to come up."""

OVERDUE = timedelta(days=1)
"""A report that is late by so much waits for nobody who was up here and still cannot be read: who is started again and
again would wait anew each time."""

GIVE_UP = timedelta(days=1)
"""How long after its wave a poll that the platform does not end is asked for its last totals."""

AGAIN = timedelta(minutes=1)
"""How long until something that did not work is tried again: asking costs rate budget, and on X money."""

TIDY = timedelta(hours=6)
"""How often what nobody will ask for any more is forgotten."""

LATE, LATE_WALL_S = timedelta(hours=3), 20.0
"""A report that comes so long after it was due, on the calendar and also in wall seconds, says that it is late."""


class Service:
    """What the calendar asks for. Give it accounts that are up, and call ``tick`` often."""

    def __init__(
        self,
        database: Database,
        routes: Routes,
        teams: Mapping[str, Team],
        presence: Presence,
        inbox: Inbox,
        clock: Clock,
    ) -> None:
        self._database = database
        self._routes = routes
        self._teams = teams
        self._presence = presence
        self._inbox = inbox
        self._seal: Seal = inbox.seal
        self._clock = clock
        self._complained: set[str] = set()
        self._finishing: dict[str, asyncio.Task[None]] = {}
        self._first_try: dict[tuple[str, str, str], datetime] = {}
        """When each report that is due was first thought of."""
        self._tidy_at = clock.now() + AGAIN
        self._not_before: dict[object, datetime] = {}
        """When something that did not work is tried again."""

    async def tick(self) -> None:
        """Do whatever is due now. What may take long (closing, catching up, publishing) goes on beside the ticks,
        survey by survey, so that one platform that is away holds up nobody else."""
        for survey in self._routes.surveys.values():
            running = self._finishing.get(survey.name)
            if running is None or running.done():
                self._finishing[survey.name] = asyncio.create_task(self._guarded(self._finish(survey), survey.name))
        for survey in self._routes.surveys.values():
            await self._guarded(self._open_due(survey), survey.name)
        await self._guarded(self._tidy(), "keeping house")

    @property
    def finishing(self) -> Collection[asyncio.Task[None]]:
        """What goes on beside the ticks."""
        return self._finishing.values()

    async def stop(self) -> None:
        """End what goes on beside the ticks."""
        for task in self._finishing.values():
            task.cancel()
        await asyncio.gather(*self._finishing.values(), return_exceptions=True)

    async def _guarded(self, work: Awaitable[object], what: str) -> None:
        try:
            await work
        except (VouchError, TimeoutError) as error:
            log.warning("%s: %s; trying again", what, error or "it took too long")
        except Exception:
            log.exception("%s: trying again", what)

    async def _open_due(self, survey: Survey) -> None:
        now = self._clock.now()
        wave = week_wave(survey, now)
        if report_due(previous_wave(survey, wave), survey.ask, survey.zone) <= now:
            await self.open(survey, wave)

    async def _finish(self, survey: Survey) -> None:
        await self._close_due(survey)
        for name in survey.teams:
            await self._publish_due(survey, self._teams[name])

    # -- asking --------------------------------------------------------------------------------------------------------

    async def open(self, survey: Survey, wave: Wave) -> list[str]:
        """Ask in every channel of the survey that was not asked in this wave, and invite whoever may be invited.

        Returns the outbox keys of the public asks that were planned now.
        """
        channels = [self._routes.channels[name] for name in survey.channels]
        planned = await self._database.write(partial(self._plan, survey, wave, channels))
        for account in {channel.account for channel in channels}:
            self._presence.wake(account)
        return planned

    def _plan(self, survey: Survey, wave: Wave, channels: Sequence[Channel], connection: Connection) -> list[str]:
        known = self._inbox.directory.wave(connection, survey, wave)
        now = self._clock.now()
        already = asks.asked(connection, known.id)
        planned: list[str] = []
        for channel in channels:
            place = self._presence.places.get(channel.account, {}).get(channel.place)
            if place is None or channel.name in already:
                continue
            if channel.kind is ChannelKind.DIRECT:
                invite = partial(self._invitation, survey, known, place.limits, channel.account)
                only = place.limits.answers_only
                asks.plan_invitations(connection, known, channel, invite, now, answers_only=only)
            elif (ask := self._ask(survey, known, channel, place)) is not None:
                asks.plan_asks(connection, [ask], now)
                planned.append(ask.thing.key)
        return planned

    def _ask(self, survey: Survey, wave: KnownWave, channel: Channel, place: Place) -> NewAsk | None:
        direct = self._routes.within(survey.name, channel.account, ChannelKind.DIRECT) is not None
        try:
            asked = ask_in(survey, wave, channel, place, self._seal, direct=direct)
        except SettingsError as error:
            self._complain(str(error))
            return None
        thing = outbox.Planned(
            key=asks.ask_key(survey.name, wave.wave.key, channel.name),
            account=channel.account,
            kind=outbox.Kind.ASK,
            body=asked.body,
            place=channel.place,
            wave_id=wave.id,
            channel=channel.name,
            not_before=wave.wave.opens_at,
            not_after=wave.wave.closes_at,
        )
        return NewAsk(thing=thing, kind=channel.kind, ballot=asked.ballot, named=asked.named)

    def _invitation(
        self, survey: Survey, wave: KnownWave, limits: Limits, account: str, person: str, language: str | None
    ) -> Message:
        return invitation(survey, wave, limits, self._seal, f"{account}:{person}", language)

    # -- closing -------------------------------------------------------------------------------------------------------

    async def _close_due(self, survey: Survey) -> None:
        due = await in_thread(self._due_for_closing, survey)
        await asyncio.gather(*(self._close(ask) for ask in due))

    def _due_for_closing(self, survey: Survey) -> Sequence[OpenAsk]:
        with self._database.reading() as connection:
            return asks.open_asks(connection, survey.name, closing_before=self._clock.now())

    async def _close(self, ask: OpenAsk) -> None:
        account, now = self._presence.up.get(ask.account), self._clock.now()
        if account is None or now < self._not_before.get(ask.receipt.refs, now):
            return
        self._not_before[ask.receipt.refs] = now + AGAIN
        final = ask.kind is not ChannelKind.POLL
        if not final:
            try:
                found = await account.close(ask.receipt)
            except AccountUnavailable as error:
                log.warning("closing a poll: %s; trying again", error)
                return
            except AccountError as error:
                log.warning("closing a poll: %s", error)
                found = None
            if found is not None:
                await self._presence.deliver(ask.account)([found])
            final = found is None or found.final
        if final or now > ask.closes_at + GIVE_UP:
            await self._database.write(lambda connection: asks.closed(connection, ask.id, self._clock.now()))
            self._not_before.pop(ask.receipt.refs, None)

    # -- the weekly post -----------------------------------------------------------------------------------------------

    async def _publish_due(self, survey: Survey, team: Team) -> None:
        """Publish the report that is due. After an outage that is one, of the last week that was asked: the others'
        weeks are over, and their answers stand in the window."""
        now = self._clock.now()
        wave = await in_thread(self._unpublished, survey, team, now)
        if wave is None:
            return
        due = report_due(wave, team.report, team.zone)
        if now < self._not_before.get((survey.name, team.name), due):
            return
        elsewhere = team.account not in self._presence.up
        if not elsewhere and team.place not in self._presence.places.get(team.account, {}):
            return
        absent = await self.catch_up(survey, due)
        if elsewhere or (absent and self._waits_for_them(survey, wave, team, due)):
            self._not_before[(survey.name, team.name)] = now + AGAIN
            return
        await self.publish(survey, wave, team, absent)

    def _waits_for_them(self, survey: Survey, wave: Wave, team: Team, due: datetime) -> bool:
        """Whether a report waits for accounts that could not be read."""
        now = self._clock.now()
        first_try = self._first_try.setdefault((survey.name, wave.key, team.name), now)
        if now > due + OVERDUE and self._presence.ready.is_set():
            return False
        patience = max(PATIENCE, timedelta(seconds=PATIENCE_WALL_S * self._clock.speed))
        return now < max(due + PATIENCE, first_try + patience)

    async def publish(self, survey: Survey, wave: Wave, team: Team, absent: Collection[str] = ()) -> list[str]:
        """Plan the report of a wave for a team, once for ever, as soon as its place is known. Returns the outbox keys
        of the messages that were planned now. ``absent`` are accounts that could not be read up to when it was due."""
        place = self._presence.places.get(team.account, {}).get(team.place)
        if place is None:
            self._complain(f"teams.{team.name}: {team.place} cannot be reached; the report waits")
            return []
        planned = await self._database.write(partial(self._plan_report, survey, wave, team, place, absent))
        self._presence.wake(team.account)
        return planned

    def _plan_report(
        self,
        survey: Survey,
        wave: Wave,
        team: Team,
        place: Place,
        absent: Collection[str],
        connection: Connection,
    ) -> list[str]:
        now, due = self._clock.now(), report_due(wave, team.report, team.zone)
        late_since = due if now > due + max(LATE, timedelta(seconds=LATE_WALL_S * self._clock.speed)) else None
        gaps = find_gaps(connection, self._inbox.directory.wave(connection, survey, wave).id, now)
        planned = plan_report(
            connection, survey, wave, team, place.limits.post_chars, now, late_since=late_since, absent=absent
        )
        for gap in gaps if planned else ():
            log.warning("%s: the poll counts %s, by name we know %s", gap.channel, gap.totals, gap.known)
        return planned

    def _unpublished(self, survey: Survey, team: Team, now: datetime) -> Wave | None:
        """The last wave that was asked and whose report is due, unless it was published."""
        with self._database.reading() as connection:
            keys = tallies.asked_waves(connection, survey.name, str(survey.scale))
            for wave in (wave_by_key(survey, key) for key in reversed(keys)):
                if report_due(wave, team.report, team.zone) <= now:
                    first = report_key(survey.name, wave.key, team.name, 0)
                    return None if outbox.states(connection, [first]) else wave
        return None

    async def catch_up(self, survey: Survey, due: datetime) -> set[str]:
        """Read what the survey's accounts that are up here can still give, unless they were read since ``due``.

        Returns the accounts that were not read since, here or by another process.
        """
        await self._close_due(survey)
        names = {self._routes.channels[name].account for name in survey.channels}
        read = await asyncio.gather(*(self._read(name, due) for name in names))
        return {name for name, done in zip(names, read, strict=True) if not done}

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

    async def _tidy(self) -> None:
        """Now and then, forget what nobody will ask for any more."""
        now = self._clock.now()
        if self._tidy_at <= now or now < self._tidy_at - TIDY:
            self._tidy_at = now + TIDY
            for account in list(self._presence.up):
                n = await self._database.write(partial(forget_waiting, account=account, now=now))
                if n:
                    log.info("%s: %d votes on polls that are not ours were forgotten", account, n)

    def _complain(self, text: str) -> None:
        """Say a lasting fault once."""
        if text not in self._complained:
            self._complained.add(text)
            log.error("%s", text)
