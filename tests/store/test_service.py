"""The calendar's work with a small account at our own seam: asked, closed and published once, whoever is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from core.account import Address, Begin, Deliver, Limits, Place, PlaceKind, Poll, Receipt
from core.buttons import Seal
from core.clock import Clock
from core.errors import AccountRefused, AccountUnavailable
from core.message import Message
from core.presence import Presence
from core.routes import Channel, ChannelKind, Routes, Team
from core.service import Service
from core.store.database import Database
from core.store.inbox import Inbox
from core.store.leases import Leases
from core.survey import Survey, next_wave, week_wave
from tests.store.stage import NOW

SURVEY = Survey(name="s", brand="Acme", channels=("here", "there"), teams=("team",), ask="Mon 00:00")
WAVE = week_wave(SURVEY, NOW)
CHANNELS = {
    "here": Channel(name="here", account="here", place="room", kind=ChannelKind.BUTTONS),
    "there": Channel(name="there", account="there", place="room", kind=ChannelKind.BUTTONS),
}
TEAM = Team(name="team", account="here", place="office")


class Quiet:
    """An account on which nothing happens; ``away`` makes every question to it fail, ``hangs`` makes it wait."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.away = self.hangs = False
        self.no_place = ""
        self.caught_up = 0
        self.said: list[tuple[str, str]] = []

    async def __aenter__(self) -> Quiet:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def place(self, id: str) -> Place:
        if id == self.no_place:
            raise AccountRefused(self.name, f"no rights in {id}")
        return Place(id=id, kind=PlaceKind.GROUP, limits=Limits(post_chars=4_000, buttons=25))

    async def listen(self, deliver: Deliver, cursors: Mapping[str, str], ready: Callable[[], None]) -> None:
        ready()
        await asyncio.Event().wait()

    async def say(self, to: Address, message: Message, key: str, *, begin: Begin, **_: object) -> Receipt:
        await begin()
        self.said.append((key, message.plain))
        assert isinstance(to, Place)
        return Receipt(place=to.id, message=key, refs=(f"msg:{key}",), sent_at=NOW)

    async def poll(self, place: Place, poll: Poll, key: str, *, begin: Begin) -> Receipt:
        raise AssertionError("nothing here is a poll")

    async def close(self, poll: Receipt) -> None:
        return None

    async def catch_up(self, polls: Sequence[Receipt], deliver: Deliver) -> None:
        self.caught_up += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise AccountUnavailable(self.name, "away")


class Scene:
    """Two accounts, a service, and a calendar that is moved by hand."""

    def __init__(self, database: Database) -> None:
        self.now = WAVE.opens_at + timedelta(hours=1)
        self.here, self.there = Quiet("here"), Quiet("there")
        clock = Clock(wall=lambda: self.now.timestamp())
        routes = Routes([SURVEY], CHANNELS)
        inbox = Inbox(database, routes, Seal(b"k" * 32), clock)
        accounts = {"here": lambda: self.here, "there": lambda: self.there}
        wanted = {"here": ["room", "office"], "there": ["room"]}
        self.leases = Leases(database, lambda connection, account: None)
        self.presence = Presence(accounts, wanted, database, inbox, clock, self.leases)  # type: ignore[arg-type]
        self.service = Service(database, routes, {"team": TEAM}, self.presence, inbox, clock)

    async def until(self, true: Callable[[], bool]) -> None:
        """Tick until something is so."""
        async with asyncio.timeout(20):
            while not true():
                await self.service.tick()
                await asyncio.sleep(0.02)

    def reports(self) -> list[str]:
        return [key for key, _ in self.here.said if key.startswith("report:")]

    def asked(self, account: Quiet) -> list[str]:
        return [key for key, _ in account.said if key.startswith("ask:")]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url) as found:
        yield found


@asynccontextmanager
async def up(scene: Scene) -> AsyncIterator[Scene]:
    """The scene, with its accounts kept up."""
    async with scene.leases:
        running = asyncio.create_task(scene.presence.run())
        try:
            yield scene
        finally:
            await scene.service.stop()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def scene(database: Database) -> AsyncIterator[Scene]:
    async with up(Scene(database)) as scene:
        async with asyncio.timeout(20):
            await scene.presence.ready.wait()
        yield scene


async def test_a_week_is_asked_once_in_each_channel_and_reported_once(scene: Scene) -> None:
    await scene.until(lambda: bool(scene.asked(scene.here) and scene.asked(scene.there)))
    scene.now = WAVE.closes_at + timedelta(hours=9, minutes=1)
    await scene.until(lambda: len(scene.reports()) == 2)
    scene.now += timedelta(hours=5)
    await scene.until(lambda: len(scene.asked(scene.here)) == 2)
    assert scene.reports() == [f"report:s:{WAVE.key}:team:0", f"report:s:{WAVE.key}:team:1"]
    weeks = [WAVE.key, next_wave(SURVEY, WAVE).key]
    assert scene.asked(scene.there) == [f"ask:s:{week}:there:0" for week in weeks]


async def test_a_platform_that_hangs_holds_up_no_ask(scene: Scene) -> None:
    await scene.until(lambda: bool(scene.asked(scene.here) and scene.asked(scene.there)))
    scene.there.hangs = True
    scene.now = WAVE.closes_at + timedelta(hours=9, minutes=1)
    await scene.until(lambda: len(scene.asked(scene.here)) == 2 and scene.there.caught_up == 2)
    assert scene.reports() == []


async def test_a_report_waits_two_hours_for_an_account_that_is_away_and_asks_it_seldom(scene: Scene) -> None:
    await scene.until(lambda: bool(scene.asked(scene.here) and scene.asked(scene.there)))
    scene.there.away = True
    due = WAVE.closes_at + timedelta(hours=9)
    scene.now = due + timedelta(minutes=1)
    await scene.until(lambda: scene.there.caught_up == 2)
    for _ in range(20):
        await scene.service.tick()
    assert (scene.there.caught_up, scene.reports()) == (2, [])
    scene.now = due + timedelta(hours=2, minutes=1)
    await scene.until(lambda: len(scene.reports()) == 2)


async def test_a_team_that_cannot_be_told_costs_no_reading(database: Database) -> None:
    scene = Scene(database)
    scene.here.no_place = "office"
    async with up(scene):
        await scene.until(lambda: bool(scene.asked(scene.there)) and scene.there.caught_up == 1)
        scene.now = WAVE.closes_at + timedelta(hours=9, minutes=1)
        await scene.until(lambda: len(scene.asked(scene.there)) == 2)
        assert scene.there.caught_up == 1
