"""How fast we may speak: 30 messages a second over all chats, one a second to a chat, 20 a minute to a group.

Overall turns are given at an even 28 a second, and never so that more than 30 could meet at Telegram in one. In one
chat a turn begins a full second after the answer to the last message *came*, so that two messages can never meet at
Telegram less than a second apart, however the network wavers; it also keeps the messages of a chat in order. A pause
(429) holds for the whole account. Nobody waits longer than ``LONGEST_WAIT_S``: whoever would have to is told so, at
once where that can be foreseen, and comes back later.

Source: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

PER_SECOND: Final = 28
AT_MOST: Final = 30
"""In any second, however the machine stutters."""
CHAT_GAP_S: Final = 1.0
PER_GROUP_MINUTE: Final = 20
MINUTE_S: Final = 60.0
LONGEST_WAIT_S: Final = 20.0
MARGIN_S: Final = 0.05
"""Two clocks of different make may disagree about a second by this much."""
_LANES_KEPT: Final = 4096


class CrowdedError(Exception):
    """The next turn is too far away to wait for it: come back after ``wait_s`` seconds."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"the next turn is in {wait_s:.0f} s")
        self.wait_s = wait_s


@dataclass(slots=True)
class _Lane:
    """One chat: who speaks, how many wait, and when the last messages were answered."""

    speaking: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    answered: deque[float] = field(default_factory=lambda: deque(maxlen=PER_GROUP_MINUTE))

    def wait_s(self, now: float, *, group: bool) -> float:
        """How long until this chat may be written to again."""
        if not self.answered:
            return 0.0
        free_at = self.answered[-1] + CHAT_GAP_S
        if group and len(self.answered) == PER_GROUP_MINUTE:
            free_at = max(free_at, self.answered[0] + MINUTE_S)
        return max(0.0, free_at + MARGIN_S - now)


class Pace:
    """The turns of one account. ``now`` is a monotonic wall clock in seconds."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._next = 0.0
        self._under_way = 0
        self._answered: deque[float] = deque()
        """When requests were answered, as far back as a second."""
        self._paused_until = 0.0
        self._lanes: dict[int, _Lane] = {}

    def pause(self, seconds: float) -> None:
        """Nobody speaks for this long (429)."""
        self._paused_until = max(self._paused_until, self._now() + seconds + MARGIN_S)

    @property
    def paused_s(self) -> float:
        """How long the present pause still lasts, seconds."""
        return max(0.0, self._paused_until - self._now())

    @property
    def chats_remembered(self) -> int:
        """Of how many chats the last messages are remembered."""
        return len(self._lanes)

    def patience(self) -> float:
        """Until when somebody who comes now is willing to wait."""
        return self._now() + LONGEST_WAIT_S

    @asynccontextmanager
    async def turn(self, chat: int, *, group: bool, until: float) -> AsyncIterator[None]:
        """A turn to write to one chat, not later than ``until``; the body is the request. Raises ``CrowdedError``."""
        lane = self._lane(chat)
        if self._now() + lane.waiting * CHAT_GAP_S > until:
            raise CrowdedError(lane.waiting * CHAT_GAP_S)
        lane.waiting += 1
        try:
            await self._own(lane.speaking, until)
            try:
                await self._wait(lane.wait_s(self._now(), group=group), until)
                async with self.slot(until):
                    try:
                        yield
                    finally:
                        lane.answered.append(self._now())
            finally:
                lane.speaking.release()
        finally:
            lane.waiting -= 1

    @asynccontextmanager
    async def slot(self, until: float) -> AsyncIterator[None]:
        """A turn of the account as a whole, not later than ``until``; the body is the request. Raises
        ``CrowdedError``."""
        while True:
            now = self._now()
            begins = max(now, self._next, self._paused_until)
            if begins > until:
                raise CrowdedError(begins - now)
            self._next = begins + 1 / PER_SECOND
            await self._wait(begins - now, until)
            while (full_s := self._full_s()) > 0:
                await self._wait(full_s, until)
            if not self.paused_s:
                break
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._answered.append(self._now())

    def _full_s(self) -> float:
        """How long until one more may begin. What is under way, and what was answered within the last second, may all
        have come to Telegram in one: who was held up wakes together with those whose turn it is now."""
        while self._answered and self._answered[0] <= self._now() - 1.0:
            self._answered.popleft()
        if self._under_way + len(self._answered) < AT_MOST:
            return 0.0
        return max(MARGIN_S, self._answered[0] + 1.0 - self._now()) if self._answered else MARGIN_S

    async def _own(self, speaking: asyncio.Lock, until: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, until - self._now())):
                await speaking.acquire()
        except TimeoutError:
            raise CrowdedError(CHAT_GAP_S) from None

    async def _wait(self, seconds: float, until: float) -> None:
        if seconds > 0:
            if self._now() + seconds > until:
                raise CrowdedError(seconds)
            await self._sleep(seconds)

    def _lane(self, chat: int) -> _Lane:
        lane = self._lanes.get(chat)
        if lane is None:
            if len(self._lanes) >= _LANES_KEPT:
                self._forget_idle()
            lane = self._lanes[chat] = _Lane()
        return lane

    def _forget_idle(self) -> None:
        now = self._now()
        self._lanes = {
            chat: lane
            for chat, lane in self._lanes.items()
            if lane.waiting or (lane.answered and now - lane.answered[-1] < MINUTE_S)
        }
