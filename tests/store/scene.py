"""Accounts at our own seam on which nothing happens by itself, kept up and served as in a running Vouch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from core.account import Address, Begin, Deliver, Limits, Look, Place, PlaceKind, Poll, Receipt, Standing
from core.buttons import Seal
from core.clock import Clock
from core.errors import AccountRefused, AccountUnavailable
from core.message import Message
from core.presence import Presence
from core.routes import Channel, ChannelKind, Routes, Team
from core.service import Service
from core.store import outbox
from core.store.database import Connection, Database
from core.store.inbox import Inbox
from core.store.leases import Leases
from core.survey import Survey, week_wave
from tests.store.stage import NOW

SURVEY = Survey(name="s", brand="Acme", channels=("here", "there"), teams=("team",), ask="Mon 00:00")
WAVE = week_wave(SURVEY, NOW)
CHANNELS = {
    "here": Channel(name="here", account="here", place="room", kind=ChannelKind.BUTTONS),
    "there": Channel(name="there", account="there", place="room", kind=ChannelKind.BUTTONS),
}
TEAM = Team(name="team", account="here", place="office")


class Quiet:
    """An account on which nothing happens; ``away`` makes every question to it fail, ``hangs`` makes it wait,
    ``silent`` keeps its stream from coming up, and ``refused`` lets nobody sign in."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.away = self.hangs = self.silent = self.refused = False
        self.no_place = ""
        self.tries = self.caught_up = 0
        self.said: list[tuple[str, str]] = []
        self.hold = asyncio.Event()
        """Clear it, and what is said hangs on the wire."""
        self.hold.set()
        self.came_up: Callable[[], None] = lambda: None

    async def __aenter__(self) -> Quiet:
        self.tries += 1
        if self.refused:
            raise AccountRefused(self.name, "no such account")
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def place(self, id: str) -> Place:
        if id == self.no_place:
            raise AccountRefused(self.name, f"no rights in {id}")
        return Place(id=id, kind=PlaceKind.GROUP, limits=Limits(post_chars=4_000, buttons=25))

    async def listen(self, deliver: Deliver, cursors: Mapping[str, str], ready: Callable[[], None]) -> None:
        self.came_up = ready
        if not self.silent:
            ready()
        await asyncio.Event().wait()

    async def say(self, to: Address, message: Message, key: str, *, begin: Begin, **_: object) -> Receipt:
        await begin()
        await self.hold.wait()
        self.said.append((key, message.plain))
        where = to.id if isinstance(to, Place) else to.person
        return Receipt(place=where, message=key, refs=(f"msg:{key}",), sent_at=NOW)

    async def poll(self, place: Place, poll: Poll, key: str, *, begin: Begin) -> Receipt:
        raise AssertionError("nothing here is a poll")

    async def edit(self, said: Receipt, message: Message) -> None:
        raise AssertionError("nothing here can be edited")

    async def look(
        self,
        to: Address,
        body: Message | Poll,
        key: str,
        since: datetime,
        *,
        under: Receipt | None = None,
        others: Collection[str] = (),
    ) -> Look:
        raise AssertionError("nobody can look here")

    async def offer(self, place: Place, commands: Sequence[tuple[str, str]], *, to_all: bool) -> None:
        return None

    async def standing(self, place: Place, person: str) -> Standing:
        return Standing()

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

    def __init__(self, database: Database, names: Sequence[str] = ("here", "there"), **times: Any) -> None:
        """``times`` are those of the leases."""
        self.now = WAVE.opens_at + timedelta(hours=1)
        self.here, self.there = Quiet("here"), Quiet("there")
        self.clock = clock = Clock(wall=lambda: self.now.timestamp())
        routes = Routes([SURVEY], CHANNELS)
        self.inbox = inbox = Inbox(database, routes, Seal(b"k" * 32), clock)
        every = {"here": lambda: self.here, "there": lambda: self.there}
        accounts = {name: every[name] for name in names}
        wanted = {"here": ["room", "office"], "there": ["room"]}

        def take_over(connection: Connection, account: str) -> None:
            outbox.take_over(connection, account, self.now)

        self.leases = Leases(database, take_over, **times)
        self.presence = Presence(accounts, wanted, database, inbox, clock, self.leases)
        self.service = Service(database, routes, {"team": TEAM}, self.presence, inbox, clock)

    async def until(self, true: Callable[[], bool]) -> None:
        """Tick until something is so."""
        async with asyncio.timeout(20):
            while not true():
                await self.service.tick()
                await asyncio.sleep(0.02)

    async def settled(self) -> None:
        """Tick a few times, and let what each began come to its end."""
        for _ in range(5):
            await self.service.tick()
            await asyncio.gather(*self.service.finishing)

    def reports(self) -> list[str]:
        return [key for key, _ in self.here.said if key.startswith("report:")]

    def asked(self, account: Quiet) -> list[str]:
        return [key for key, _ in account.said if key.startswith("ask:")]


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
