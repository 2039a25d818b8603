"""The stand-in of X over a real socket, an account that talks to it, and a store that keeps what is delivered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bots.x import XAccount
from core.account import NOTHING, Answer, Receipt
from core.clock import Clock
from core.errors import StoreError
from core.events import Event
from sandbox.clocks import Clocks
from sandbox.seam import AccountPlan, Post
from sandbox.server import Exchange, Sandbox
from sandbox.x import XStandIn

SPEED = 43_000.0
WAIT_S = 10.0
KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")


@dataclass
class Kept:
    """A store: what was delivered, call by call. ``refuse`` makes the next calls fail, ``gate`` makes them wait."""

    calls: list[Sequence[Event]] = field(default_factory=list)
    refuse: int = 0
    refused: list[Sequence[Event]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self, events: Sequence[Event]) -> Sequence[Answer]:
        if self.gate is not None:
            self.waiting.set()
            await self.gate.wait()
        self.changed.set()
        if self.refuse:
            self.refuse -= 1
            self.refused.append(events)
            raise StoreError("disk full")
        self.calls.append(events)
        return [NOTHING] * len(events)

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for call in self.calls for event in call if isinstance(event, kind)]

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until it is true of what was delivered."""
        async with asyncio.timeout(WAIT_S):
            while not true():
                self.changed.clear()
                await self.changed.wait()


@dataclass
class X:
    """X, as its people and its host see it."""

    stand_in: XStandIn
    clocks: Clocks
    url: str
    keys: dict[str, str]
    exchanges: list[Exchange] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def answered(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.changed.set()

    async def until_asked(self, method: str, path: str) -> None:
        """Wait until X has been asked this."""
        async with asyncio.timeout(WAIT_S):
            while not self.asked(method, path):
                self.changed.clear()
                await self.changed.wait()

    @property
    def clock(self) -> Clock:
        return Clock(self.clocks.start, self.clocks.started, self.clocks.speed)

    def account(self, **changed: str) -> XAccount:
        return XAccount("brand", **(self.keys | changed), base_url=self.url, clock=self.clock, forms=lambda token: None)

    def person(self) -> str:
        return self.stand_in.add_person(name="Ann")

    async def mention(self, person: str, text: str, reply_to: Post | None = None) -> str:
        id = await self.stand_in.write("brand", person, text, place="timeline", reply_to=reply_to)
        assert id is not None
        return id

    async def direct(self, person: str, text: str) -> str:
        id = await self.stand_in.write("brand", person, text)
        assert id is not None
        return id

    def asked(self, method: str, path: str) -> int:
        return sum((exchange.method, exchange.path) == (method, path) for exchange in self.exchanges)


@asynccontextmanager
async def standing(speed: float = SPEED) -> AsyncIterator[X]:
    """X with the account ``brand``."""
    plan = AccountPlan("brand", "x")
    sandbox = Sandbox([plan], [], clocks=Clocks(speed=speed))
    stand_in, given = sandbox.stand_ins["x"], sandbox.credentials["brand"]
    assert isinstance(stand_in, XStandIn)
    x = X(stand_in, sandbox.clocks, "", {name: given[name] for name in KEYS})
    sandbox.on_exchange = x.answered
    sandbox.watchers.append(x.posts.append)
    async with sandbox:
        x.url = f"{sandbox.url}/x{given['base_url']}"
        yield x


@asynccontextmanager
async def listening(account: XAccount, kept: Kept, cursors: Mapping[str, str] | None = None) -> AsyncIterator[None]:
    """The account's stream, up."""
    ready = asyncio.Event()
    task = asyncio.create_task(account.listen(kept.deliver, cursors or {}, ready.set))
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({task, waiting}, timeout=WAIT_S, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        assert ready.is_set()
        yield
    finally:
        waiting.cancel()
        task.cancel()
        await asyncio.gather(task, waiting, return_exceptions=True)


async def begin() -> None:
    """Whoever asks may say it."""


def receipt(post: str) -> Receipt:
    return Receipt(place="timeline", message=post, refs=(f"post:{post}",), sent_at=datetime.now(UTC))
