"""The service: opens waves, invites, closes, has the weekly post made. Whatever is due is done at a tick; the database
alone knows what has been done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from core.account import Limits, Place
from core.asking import ask_in, invitation
from core.buttons import Seal
from core.clock import Clock
from core.errors import AccountError, AccountRefused, AccountUnavailable, SettingsError, StoreAway, VouchError
from core.message import Message
from core.posting import AGAIN, WeeklyPost
from core.presence import Presence
from core.routes import Channel, ChannelKind, Routes, Team
from core.store import asks, cases, commands, erasure, outbox
from core.store.asks import NewAsk, OpenAsk
from core.store.database import Connection, Database
from core.store.directory import KnownWave
from core.store.inbox import Inbox
from core.store.waiting import forget_waiting
from core.survey import Survey, Wave, previous_wave, report_due, week_wave
from core.threads import in_thread

log = logging.getLogger(__name__)

GIVE_UP = timedelta(days=1)
"""How long after its wave a poll that the platform does not end is asked for its last totals."""

TIDY = timedelta(hours=6)
"""How often what nobody will ask for any more is forgotten."""


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
        self.post = WeeklyPost(database, routes, inbox.directory, presence, clock, inbox.seal, self._close_due)
        self._tidy_at = clock.now() + AGAIN
        self._to_scrub = False
        """Whether somebody was forgotten whose traces may still be in the log of a SQLite file."""
        self._not_before: dict[object, datetime] = {}
        """When something that did not work is tried again."""

    async def tick(self) -> None:
        """Do whatever is due now. What may take long (closing, catching up, publishing) goes on beside the ticks,
        survey by survey, so that one platform that is away holds up nobody else."""
        for survey in self._routes.surveys.values():
            running = self._finishing.get(survey.name)
            if running is None or running.done():
                self._finishing[survey.name] = asyncio.create_task(
                    self._guarded(partial(self._finish, survey), survey.name)
                )
        for survey in self._routes.surveys.values():
            await self._guarded(partial(self._open_due, survey), survey.name)
        await self._guarded(self._erase, "forgetting those who asked for it")
        await self._guarded(self._tidy, "keeping house")

    @property
    def finishing(self) -> Collection[asyncio.Task[None]]:
        """What goes on beside the ticks."""
        return self._finishing.values()

    async def stop(self) -> None:
        """End what goes on beside the ticks."""
        for task in self._finishing.values():
            task.cancel()
        await asyncio.gather(*self._finishing.values(), return_exceptions=True)
        await self.post.stop()

    async def _guarded(self, work: Callable[[], Awaitable[object]], what: str) -> None:
        try:
            await work()
        except StoreAway as error:  # the database says so itself, and not with every tick
            log.debug("%s: %s; trying again", what, error)
        except (VouchError, TimeoutError) as error:
            log.warning("%s: %s; trying again", what, error or "it took too long")
        except Exception:
            log.exception("%s: trying again", what)

    async def _open_due(self, survey: Survey) -> None:
        now = self._clock.now()
        wave = week_wave(survey, now)
        due = report_due(previous_wave(survey, wave), survey.ask, survey.zone) <= now
        if due or await in_thread(self._is_to_ask, survey, wave):
            await self.open(survey, wave)

    def _is_to_ask(self, survey: Survey, wave: Wave) -> bool:
        with self._database.reading() as connection:
            return commands.is_to_ask(connection, survey.name, wave.key)

    async def _finish(self, survey: Survey) -> None:
        for name in survey.teams:
            await self.post.publish_due(survey, self._teams[name])
        await self._close_due(survey)

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
        if commands.is_paused(connection, survey.name):
            return []
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

    async def _close_due(self, survey: Survey) -> set[str]:
        """Close what is over. Returns the accounts on which something is still open, here or elsewhere."""
        due = await in_thread(self._due_for_closing, survey)
        closed = await asyncio.gather(*(self._close(ask) for ask in due))
        return {ask.account for ask, done in zip(due, closed, strict=True) if not done}

    def _due_for_closing(self, survey: Survey) -> Sequence[OpenAsk]:
        with self._database.reading() as connection:
            return asks.open_asks(connection, survey.name, closing_before=self._clock.now())

    async def _close(self, ask: OpenAsk) -> bool:
        account, now = self._presence.up.get(ask.account), self._clock.now()
        if account is None or now < self._not_before.get(ask.receipt.refs, now):
            return False
        self._not_before[ask.receipt.refs] = now + AGAIN
        final = ask.kind is not ChannelKind.POLL
        if not final:
            deliver = self._presence.deliver(ask.account)
            try:
                found = await account.close(ask.receipt)
            except (AccountUnavailable, AccountRefused) as error:  # a right that is missing may be given back
                log.warning("closing a poll: %s; trying again", error)
                if now <= ask.closes_at + GIVE_UP:
                    return False
                found = None
            except AccountError as error:
                log.warning("closing a poll: %s", error)
                found = None
            if found is not None:
                await deliver([found])
            final = found is None or found.final
        if final or now > ask.closes_at + GIVE_UP:
            await self._database.write(lambda connection: asks.closed(connection, ask.id, self._clock.now()))
            self._not_before.pop(ask.receipt.refs, None)
            return True
        return False

    async def _erase(self) -> None:
        """Take the next step in forgetting those who asked for it."""
        for person in await in_thread(self._leaving):
            now = self._clock.now()
            waits = person.parted and person.since + erasure.SETTLED > now
            if waits or self._not_before.get(person, now) > now:
                continue
            self._not_before[person] = now + AGAIN
            if person.parted:
                replies = await in_thread(self._replies_of, person, now)
                if replies is not None:
                    await self._database.write(partial(erasure.let_go, person=person, replies=replies))
                continue
            replies = await in_thread(self._written_by, person)
            await self._database.write(partial(erasure.blank, person=person, replies=replies))
            if await self._database.write(partial(erasure.part, person=person, seal=self._seal, now=now)):
                self._not_before.pop(person, None)
                self._to_scrub = True
                log.info("%s: somebody was forgotten, as they asked", person.account)
        if self._to_scrub:
            self._to_scrub = not await in_thread(erasure.scrub, self._database.engine)

    def _leaving(self) -> Sequence[erasure.Leaving]:
        with self._database.reading() as connection:
            return erasure.leaving(connection)

    def _replies_of(self, person: erasure.Leaving, now: datetime) -> Sequence[tuple[str, str]] | None:
        """``None`` while they are not to be let go."""
        with self._database.reading() as connection:
            return erasure.replies_of(connection, person) if erasure.is_settled(connection, person, now) else None

    def _written_by(self, person: erasure.Leaving) -> Sequence[tuple[str, str]]:
        with self._database.reading() as connection:
            return erasure.written_by(connection, person)

    async def _tidy(self) -> None:
        """Now and then, forget what nobody will ask for any more."""
        now = self._clock.now()
        if self._tidy_at <= now or now < self._tidy_at - TIDY:
            self._tidy_at = now + TIDY
            await self._database.write(cases.forget_delivered)
            for account in list(self._presence.up):
                n = await self._database.write(partial(forget_waiting, account=account, now=now))
                if n:
                    log.info("%s: %d votes on polls that are not ours were forgotten", account, n)

    def _complain(self, text: str) -> None:
        """Say a lasting fault once."""
        if text not in self._complained:
            self._complained.add(text)
            log.error("%s", text)
