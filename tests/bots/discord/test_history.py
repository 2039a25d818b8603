"""What was written before a session began is read from the history, and stands before all that the session brings, in
the order in which it was written, whenever it is read and by whichever process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from bots.discord.session import DISPATCHED, GAP, Session
from core.account import Direct
from core.events import Reply
from core.message import text
from sandbox.clocks import Clocks
from tests.bots.discord.conftest import Inbox, begin, listening
from tests.bots.discord.stage import CHANNEL, SCORES, Stage, staged


class Gate:
    """Lets so many pages of histories pass, and holds the others."""

    def __init__(self) -> None:
        self.passes = 1_000
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        self.line = asyncio.Event()
        """While it is not set, nobody gets through to the gateway."""
        self.line.set()

    @web.middleware
    async def heed(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.method == "GET" and request.path.endswith("/messages"):
            self.passes -= 1
            if self.passes < 0:
                self.reached.set()
                await self.opened.wait()
        if request.path.endswith("/gateway"):
            await self.line.wait()
        return await handler(request)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def stage(gate: Gate) -> AsyncIterator[Stage]:
    async with staged(Clocks(speed=1_000_000), middlewares=[gate.heed]) as running:
        yield running


def places(inbox: Inbox) -> dict[str, int]:
    """The place of each reply, as it came first."""
    found: dict[str, int] = {}
    for event in inbox.replies:
        if isinstance(event, Reply):
            found.setdefault(event.id, event.order)
    return found


async def met(stage: Stage, person: str, inbox: Inbox) -> None:
    """A process that has written to somebody. Who starts from its cursors of messages alone has a new session."""
    async with stage.account() as account, listening(account, inbox):
        await account.say(await account.place(CHANNEL), text("How likely?", *SCORES), "ask", begin=begin)
        await account.say(Direct(person), text("How likely?"), "invite", begin=begin)
        await account.catch_up([], inbox)


async def test_what_the_session_brings_is_left_to_it(stage: Stage, gate: Gate, inbox: Inbox) -> None:
    ann = stage.person("ann")
    await met(stage, ann, inbox)
    away = await stage.discord.write("dc", ann, "2")
    later = Inbox()
    gate.passes = 0
    async with stage.account() as account, listening(account, later, inbox.cursors):
        await gate.reached.wait()
        await stage.discord.tap(ann, stage.posts[0], stage.posts[0].buttons[5])
        (tapped,) = await later.have(1)
        assert isinstance(tapped, Reply)
        gate.line.clear()
        await stage.discord.drop_connections("dc", 4000)
        corrected = await stage.discord.write("dc", ann, "9")  # which the history has before the gateway brings it
        gate.opened.set()
        await later.have(2)
        gate.line.set()
        await later.have(3)
    found = places(later)
    assert found[f"m{away}"] < found[tapped.id] < found[f"m{corrected}"]


async def test_another_process_goes_on_where_the_history_was_left(stage: Stage, gate: Gate, inbox: Inbox) -> None:
    ann = stage.person("ann")
    await met(stage, ann, inbox)
    written = [f"m{await stage.discord.write('dc', ann, str(number % 10))}" for number in range(150)]
    half, rest = Inbox(), Inbox()
    gate.passes = 1
    async with stage.account() as account, listening(account, half, inbox.cursors):
        await gate.reached.wait()
        await half.have(99)  # a page, with what we had written to her
        await stage.discord.drop_connections("dc", 4000)
    gate.passes = 1_000
    gate.opened.set()
    async with stage.account() as account, listening(account, rest, half.kept):
        await rest.have(51)
    assert len(places(half)) == 99
    found = places(rest) | places(half)
    assert sorted(found, key=found.__getitem__) == written


def test_only_what_is_surely_later_is_left_to_the_session() -> None:
    session = Session("s", "wss://here", base=5 * GAP)
    assert not session.brings(1 << 60)
    session.came(40 << 40)
    session.came(41 << 40)
    assert not session.brings((40 << 40) + DISPATCHED)
    assert session.brings((40 << 40) + DISPATCHED + 1)
    first, second = session.place_before(), session.place_before()
    assert 4 * GAP < first < second < session.order_of(0)
