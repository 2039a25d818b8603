"""Whatever is killed or paused, wherever: each thing is said once where it can be looked for, and never twice anywhere.

The platform outlives us; a process of ours is a database, a lease and a sender, and is dropped without a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from core.account import Place
from core.clock import Clock
from core.errors import NotOurs
from core.message import text as words
from core.sender import Sender
from core.store import outbox
from core.store.database import Database
from core.store.fencing import Held
from core.store.outbox import Kind, Planned
from tests.store.stage import ACCOUNT, NOW, Stage
from tests.store.voice import EDITED, PLACE, SEEN, Platform, Voice, hold, take_over

REPORT = words("Acme: NPS 28")
PLACEHOLDER = words("Acme: the score follows in the next message.")
KEY = "report:acme:2026-W45:team:0"
PLACES = {"seen": SEEN, "unseen": PLACE, "edited": EDITED}
POINTS = ["claimed", "begun", "taken", "settled"]


@dataclass
class Run:
    """One process of ours."""

    stage: Stage
    voice: Voice
    sender: Sender
    database: Database
    running: asyncio.Task[None]

    async def reaches(self, point: str) -> None:
        """Wait until it stands at a point of saying."""
        async with asyncio.timeout(20):
            while not self.voice.reached.is_set() and not (point == "settled" and self.voice.states()[KEY] == "sent"):
                self.stage.now += timedelta(seconds=1)
                self.sender.wake()
                await self.database.write(lambda connection: None)

    async def dies(self) -> None:
        """It is gone: from now on it keeps nothing and says nothing."""
        await self.database.__aexit__()
        async with asyncio.timeout(20):
            while not self.running.done():
                self.running.cancel()
                await asyncio.sleep(0)
        await asyncio.gather(self.running, return_exceptions=True)

    async def ends(self) -> None:
        """Let it say whatever it has to."""
        async with asyncio.timeout(20):
            while await self.sender.resolve() or any(
                state in outbox.MOVING for state in map(outbox.State, self.voice.states().values())
            ):
                self.stage.now += timedelta(minutes=1)
                await self.sender.drain()


@asynccontextmanager
async def run(
    url: str, platform: Platform, place: Place, held: Held, stops_at: str = "", *, grace_s: float = 0
) -> AsyncIterator[Run]:
    """A process that serves the account."""
    async with Database(url) as database:
        stage = Stage(database)
        voice = Voice(stage, platform, place)
        voice.stops_at = stops_at
        clock = Clock(wall=lambda: stage.now.timestamp())
        sender = Sender(
            voice, {place.id: place}, database, held, clock, stage.inbox.replay, grace_s=grace_s, settle_s=0
        )
        running = asyncio.create_task(sender.run())
        yield Run(stage, voice, sender, database, running)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def plan(stage: Stage) -> None:
    thing = Planned(key=KEY, account=ACCOUNT, kind=Kind.REPORT, body=REPORT, placeholder=PLACEHOLDER, place=PLACE.id)
    with stage.database.engine.begin() as connection:
        outbox.plan(connection, [thing], NOW)


def state(stage: Stage) -> str:
    (row,) = stage.rows("outbox")
    return str(row["state"])


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_any_point_it_is_said_once(stage: Stage, database_url: str, where: str, point: str) -> None:
    platform, place = Platform(), PLACES[where]
    plan(stage)
    async with run(database_url, platform, place, hold(stage), point) as first:
        await first.reaches(point)
        await first.dies()
    held, left = take_over(stage)
    assert (left.put_back, left.unknown) == (point == "claimed", point in ("begun", "taken"))
    async with run(database_url, platform, place, held) as second:
        await second.ends()
        assert second.voice.wrong == []
    if where == "unseen" and point in ("begun", "taken"):  # nobody can know: it is shown, and not said again
        assert (state(stage), platform.reads(REPORT)) == ("unknown", int(point == "taken"))
    else:
        assert (state(stage), platform.reads(REPORT)) == ("sent", 1)
    assert platform.reads(PLACEHOLDER) == int((where, point) == ("edited", "taken"))


@pytest.mark.parametrize("point", ["editing", "edited"])
async def test_killed_while_editing_the_same_message_is_edited(stage: Stage, database_url: str, point: str) -> None:
    platform = Platform()
    plan(stage)
    async with run(database_url, platform, EDITED, hold(stage), point) as first:
        await first.reaches(point)
        await first.dies()
    assert state(stage) == "placed"
    held, left = take_over(stage)
    assert (left.put_back, left.unknown) == (0, 0)
    async with run(database_url, platform, EDITED, held) as second:
        await second.ends()
    assert (state(stage), [body for _, body, _ in platform.said]) == ("sent", [REPORT])


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("point", POINTS[:-1])
async def test_paused_at_any_point_and_woken_it_is_said_once(
    stage: Stage, database_url: str, where: str, point: str
) -> None:
    platform, place = Platform(), PLACES[where]
    plan(stage)
    async with run(database_url, platform, place, hold(stage), point, grace_s=20) as paused:
        await paused.reaches(point)
        held, _ = take_over(stage)
        async with run(database_url, platform, place, held) as second:
            if point != "begun":  # a request that leaves after the next one has looked cannot be called back
                await second.ends()
            paused.voice.hold.set()
            paused.sender.wake()
            with pytest.raises(NotOurs):
                async with asyncio.timeout(20):
                    await paused.running
            await second.ends()
    assert platform.reads(REPORT) == 1
    assert state(stage) == "sent"


@pytest.mark.parametrize("place", [SEEN, EDITED], ids=["seen", "edited"])
async def test_a_placeholder_of_before_is_not_made_a_second_report(
    stage: Stage, database_url: str, place: Place
) -> None:
    platform = Platform()
    plan(stage)
    async with run(database_url, platform, place, hold(stage), "taken", grace_s=20) as paused:
        await paused.reaches("taken")
        held, _ = take_over(stage)
        async with run(database_url, platform, place, held, "editing") as second:
            if place is EDITED:
                await second.reaches("editing")
            paused.voice.hold.set()
            with pytest.raises(NotOurs):
                async with asyncio.timeout(20):
                    await paused.running
            second.voice.hold.set()
            await second.ends()
    assert (state(stage), platform.reads(REPORT)) == ("sent", 1)


async def test_one_crash_after_another(stage: Stage, database_url: str) -> None:
    platform = Platform()
    plan(stage)
    held = hold(stage)
    for point in ("claimed", "begun", "taken", "editing", "edited", "editing"):
        async with run(database_url, platform, EDITED, held, point) as killed:
            await killed.reaches(point)
            await killed.dies()
        held, _ = take_over(stage)
    async with run(database_url, platform, EDITED, held) as last:
        await last.ends()
    assert (state(stage), platform.reads(REPORT), platform.reads(PLACEHOLDER)) == ("sent", 1, 1)
