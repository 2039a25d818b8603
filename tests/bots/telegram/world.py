"""The sandbox with one bot, its places and people, for the tests of ``TelegramAccount``.

Whatever goes over the wire in these tests is checked against the Bot API's specification, where that is at hand.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from bots.telegram import TelegramAccount
from core.account import NOTHING, Answer, Place, Poll
from core.clock import Clock
from core.events import Cursor, Event, Reply
from sandbox.clocks import Clocks
from sandbox.seam import AccountPlan, PlacePlan, Post
from sandbox.server import Exchange, Sandbox
from sandbox.telegram import TelegramStandIn
from tests.bots.telegram.scripted import forms
from tests.specs.telegram import check

GROUP, CHANNEL, BASIC = "-1001000000001", "-1001000000002", "-4000000003"
SCORES = tuple(str(n) for n in range(11))


@dataclass
class World:
    """The sandbox with one bot in a group and a channel, one person, and an account signed in to it."""

    sandbox: Sandbox
    account: TelegramAccount
    clock: Clock
    person: str
    events: list[Event] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    exchanged: asyncio.Event = field(default_factory=asyncio.Event)
    toast: str | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def app(self) -> TelegramStandIn:
        return cast(TelegramStandIn, self.sandbox.stand_ins["telegram"])

    async def deliver(self, events: Sequence[Event]) -> Sequence[Answer]:
        self.events.extend(event for event in events if not isinstance(event, Cursor))
        async with self.changed:
            self.changed.notify_all()
        return [Answer(toast=self.toast) if self.toast else NOTHING for _ in events]

    async def until(self, what: Callable[[], object]) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: bool(what()))

    async def caught_up(self) -> list[Event]:
        """All events so far, with what is still on its way."""
        await asyncio.wait_for(self.account.catch_up([], self.deliver), 10)
        return self.events

    async def replies(self) -> list[Reply]:
        return [event for event in await self.caught_up() if isinstance(event, Reply)]

    def exchange(self, one: Exchange) -> None:
        self.exchanges.append(one)
        self.exchanged.set()

    async def until_called(self, method: str) -> None:
        async with asyncio.timeout(10):
            while not self.calls(method):
                self.exchanged.clear()
                await self.exchanged.wait()

    def calls(self, method: str) -> list[Exchange]:
        return [one for one in self.exchanges if one.path.endswith(f"/{method}")]


@contextlib.asynccontextmanager
async def living() -> AsyncIterator[World]:
    """A world for one test. Afterwards everything that went over the wire is checked."""
    start = datetime(2026, 11, 16, 9, tzinfo=UTC)
    clocks = Clocks(start=start)
    sandbox = Sandbox(
        accounts=[AccountPlan("tg", "telegram")],
        places=[
            PlacePlan("tg", GROUP, "group", "Fans"),
            PlacePlan("tg", CHANNEL, "broadcast", "News"),
            PlacePlan("tg", BASIC, "group", "Team"),
        ],
        clocks=clocks,
        on_exchange=lambda exchange: made.exchange(exchange),
    )
    async with sandbox:
        person = sandbox.stand_ins["telegram"].add_person(name="Ann", language="de")
        clock = Clock(calendar=start, started=clocks.started)
        url = f"{sandbox.url}/telegram{sandbox.credentials['tg']['base_url']}"
        token = sandbox.credentials["tg"]["token"]
        account = TelegramAccount("tg", token, base_url=url, clock=clock, forms=forms)
        made = World(sandbox, account, clock, person)
        sandbox.watchers.append(made.posts.append)
        async with account:
            yield made
    assert [wrong for exchange in made.exchanges for wrong in check(exchange)] == []


@contextlib.asynccontextmanager
async def listening(world: World) -> AsyncIterator[None]:
    ready = asyncio.Event()
    task = asyncio.create_task(world.account.listen(world.deliver, {}, ready.set))
    await asyncio.wait_for(ready.wait(), 10)
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def poll(world: World, days: float = 7, options: tuple[str, ...] = SCORES) -> Poll:
    return Poll(question="How likely?", options=options, closes_at=world.clock.now() + timedelta(days=days))


async def group(world: World) -> Place:
    return await world.account.place(GROUP)
