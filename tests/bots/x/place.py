"""The stand-in of X over a real socket, an account that talks to it, and a store that keeps what is delivered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from bots.x import XAccount
from core.account import NOTHING, Answer, Receipt
from core.clock import Clock
from core.errors import StoreError
from core.events import Cursor, Event
from sandbox.clocks import Clocks
from sandbox.rules import Rules
from sandbox.seam import AccountPlan, Post
from sandbox.x import XStandIn

SPEED = 43_000.0
WAIT_S = 10.0
KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")


@dataclass
class Kept:
    """A store: what was delivered, call by call. ``refuse`` makes the next calls fail."""

    calls: list[Sequence[Event]] = field(default_factory=list)
    refuse: int = 0
    refused: list[Sequence[Event]] = field(default_factory=list)
    busy: set[str] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self, events: Sequence[Event]) -> Sequence[Answer]:
        names = {event.name for event in events if isinstance(event, Cursor)}
        assert not names & self.busy, "two rounds of one source at once"
        self.busy |= names
        await asyncio.sleep(0)
        self.busy -= names
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
    posts: list[Post]
    url: str = ""
    statuses: list[tuple[str, int]] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)

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

    def asked(self, path: str) -> int:
        return sum(path in request for request, _ in self.statuses)


@asynccontextmanager
async def standing(speed: float = SPEED) -> AsyncIterator[X]:
    """X with the account ``brand``."""
    posts: list[Post] = []
    clocks = Clocks(speed=speed)
    stand_in = XStandIn(clocks, Rules(), posts.append)
    x = X(stand_in, clocks, posts)
    given = stand_in.add_account(AccountPlan("brand", "x"))
    x.keys = {name: given[name] for name in KEYS}

    @web.middleware
    async def record(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        response = await handler(request)
        x.statuses.append((f"{request.method} {request.path}", response.status))
        return response

    app = web.Application(middlewares=[record])
    app.add_subapp("/x", stand_in.application())
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    x.url = f"http://127.0.0.1:{runner.addresses[0][1]}/x{given['base_url']}"
    try:
        yield x
    finally:
        await runner.cleanup()


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


def receipt(post: str) -> Receipt:
    return Receipt(place="timeline", message=post, refs=(f"post:{post}",), sent_at=datetime.now(UTC))
