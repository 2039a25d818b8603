"""How far we have read in each person's direct messages, and what was written there while we were away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import discord

from bots.discord import faults, read
from bots.discord.session import Session
from core.errors import AccountRefused, AccountUnavailable
from core.events import Cursor, Event

_PAGE, _READERS = 100, 4
"""Messages in a page (the most that Discord gives), channels read at a time.
Source: https://docs.discord.com/developers/resources/message#get-channel-messages"""
_LONGEST_PAUSE_S = 30.0
_NAME = "dm:"

Keep = Callable[[Sequence[Event]], Awaitable[object]]


class History:
    """The direct messages of one account. A cursor is the last message of a channel that is kept."""

    def __init__(self, calls: faults.Calls, client: discord.Client) -> None:
        self.channels: dict[str, int] = {}
        """The channel of each person, as far as we have met them."""
        self._calls = calls
        self._client = client
        self._cursors: dict[int, int] = {}
        self._first_live: dict[int, int] = {}
        self._owed: set[int] = set()

    @property
    def owes(self) -> bool:
        """Whether a channel has still to be read."""
        return bool(self._owed)

    def begin(self, cursors: Mapping[str, str]) -> None:
        """Start from the cursors that were kept."""
        for name, value in cursors.items():
            if name.startswith(_NAME):
                self._cursors[int(name.removeprefix(_NAME))] = int(value)

    def new_session(self) -> None:
        """The gateway's memory starts anew: each known channel must be read from its cursor on."""
        self._first_live.clear()
        self._owed = set(self._cursors)

    def met(self, person: str, channel: int) -> None:
        """Remember where this person is written to, so that their channel need not be opened."""
        self.channels[person] = channel

    def arrived(self, channel: int, message: int) -> Cursor | None:
        """A message came over the gateway. Its cursor, unless that would pass what has still to be read."""
        self._first_live.setdefault(channel, message)
        return None if channel in self._owed else cursor(channel, message)

    def started(self, channel: int, message: int) -> Cursor | None:
        """We wrote a message. Its cursor where it is the first that we know of this channel: should we be away when the
        person answers, the channel is read from here on."""
        return None if channel in self._cursors else cursor(channel, message)

    def kept(self, moved: Cursor | None) -> None:
        """What was delivered with this cursor is kept."""
        if moved is not None:
            channel = int(moved.name.removeprefix(_NAME))
            self._cursors[channel] = max(int(moved.value), self._cursors.get(channel, 0))

    async def look_back(self, me: int, session: Session, keep: Keep) -> None:
        """Deliver what was written in each owed channel since its cursor, and before this session."""
        channels = iter(list(self._owed))

        async def reader() -> None:
            for channel in channels:
                await self._read(channel, me, session, keep)
                self._owed.discard(channel)

        await asyncio.gather(*(reader() for _ in range(_READERS)))

    async def _read(self, channel: int, me: int, session: Session, keep: Keep) -> None:
        more = True
        while more:
            try:
                page = await self._page(channel)
            except AccountUnavailable as exc:
                await asyncio.sleep(min(exc.retry_after_s, _LONGEST_PAUSE_S))
                continue
            except AccountRefused:
                return  # this channel is closed to us by now
            # What the stream has, or will have: read here it would get a place too early in the order.
            missed = [m for m in page if m.id < self._first_live.get(channel, m.id + 1) and not session.brings(m.id)]
            more = len(missed) == _PAGE
            if missed:
                replies = (read.message(message, me=me, order=session.place_before()) for message in missed)
                moved = cursor(channel, missed[-1].id)
                await keep((*(reply for reply in replies if reply), moved))
                self.kept(moved)
                self.channels.update((str(m.author.id), channel) for m in missed if not m.author.bot)

    async def _page(self, channel: int) -> list[discord.Message]:
        """The messages after the cursor, oldest first."""
        where = self._client.get_partial_messageable(channel, type=discord.ChannelType.private)
        after = discord.Object(self._cursors[channel])
        async with self._calls.bounded():
            return [message async for message in where.history(limit=_PAGE, after=after, oldest_first=True)]


def cursor(channel: int, message: int) -> Cursor:
    """How far a channel of direct messages is read."""
    return Cursor(name=f"{_NAME}{channel}", value=str(message))
