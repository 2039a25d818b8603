"""A scripted Discord, and an account that talks to it and listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from bots.discord import DiscordAccount
from bots.discord.intake import MOST_URGENT
from core.account import NOTHING, Answer
from core.clock import Clock
from core.events import Cursor, Event
from core.message import Form
from tests.bots.discord.wire import Wire

FORM = Form(title="Tell us why", label="What made you choose this score?", token="why-token")
TOKEN = "t0k3n"


async def begin() -> None:
    """What is to be said may always be said."""


class Inbox:
    """Keeps what is delivered, in the order of the calls, and answers what the test says."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        """All that came but where the stream is."""
        self.sessions: list[str] = []
        """Where the stream is: the values of its cursor."""
        self.calls: list[tuple[Event, ...]] = []
        self.answers: dict[str, Answer] = {}
        self.errors: list[Exception] = []
        self.hold: asyncio.Event | None = None
        self._news = asyncio.Condition()

    async def __call__(self, events: Sequence[Event]) -> Sequence[Answer]:
        if self.errors:
            raise self.errors.pop(0)
        self.calls.append(tuple(events))
        self.sessions += (event.value for event in events if isinstance(event, Cursor) and event.name == "session")
        self.events += (event for event in events if not isinstance(event, Cursor) or event.name != "session")
        async with self._news:
            self._news.notify_all()
        if self.hold is not None and any(not isinstance(event, Cursor) for event in events):
            await self.hold.wait()
        return [self.answers.get(getattr(event, "id", ""), NOTHING) for event in events]

    async def have(self, number: int) -> list[Event]:
        """Wait until so many events have come, cursors not counted, and return them."""
        async with asyncio.timeout(8), self._news:
            await self._news.wait_for(lambda: len(self.replies) >= number)
        return self.replies

    @property
    def replies(self) -> list[Event]:
        """All that came but the cursors."""
        return [event for event in self.events if not isinstance(event, Cursor)]

    @property
    def cursors(self) -> dict[str, str]:
        """The last value of each cursor of direct messages."""
        return {event.name: event.value for event in self.events if isinstance(event, Cursor)}

    @property
    def kept(self) -> dict[str, str]:
        """What another process starts from: the last value of each cursor."""
        return self.cursors | {"session": self.sessions[-1]}


@asynccontextmanager
async def listening(
    account: DiscordAccount, inbox: Inbox, cursors: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """Have an account listen until the end of the block."""
    ready = asyncio.Event()
    task = asyncio.create_task(account.listen(inbox, cursors or {}, ready.set))
    waiting = asyncio.create_task(ready.wait())
    try:
        async with asyncio.timeout(8):
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield task
    finally:
        waiting.cancel()
        task.cancel()
        await asyncio.gather(task, waiting, return_exceptions=True)


def account_on(
    url: str,
    gateway: str,
    *,
    token: str = TOKEN,
    clock: Clock | None = None,
    forms: Callable[[str], Form | None] | None = None,
    name: str = "dc",
    call_s: float = 30.0,
    most_urgent: int = MOST_URGENT,
    identify_every_s: float = 0.05,
) -> DiscordAccount:
    """An account that talks to this host; buttons whose token starts with ``why`` open a form."""
    return DiscordAccount(
        name,
        token,
        base_url=url,
        gateway_url=gateway,
        clock=clock or Clock(),
        forms=forms or (lambda token: FORM if token.startswith("why") else None),
        identify_every_s=identify_every_s,
        call_s=call_s,
        most_urgent=most_urgent,
    )


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """A scripted Discord."""
    async with Wire() as running:
        yield running


@pytest.fixture
async def account(wire: Wire) -> AsyncIterator[DiscordAccount]:
    """An account signed in to it."""
    async with account_on(f"{wire.url}/api/v10", f"{wire.url}/gateway") as signed_in:
        yield signed_in


@pytest.fixture
def inbox() -> Inbox:
    """Where events go."""
    return Inbox()
