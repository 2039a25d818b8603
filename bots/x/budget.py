"""How often each endpoint may be called, so that X never has to answer 429.

X counts calls in windows and says in each answer how many are left and when the window ends, as Unix time. That is
calendar time: in the sandbox it runs faster than the wall. One call at a time per endpoint, so that the last answer is
always the truth; X allows so few that one connection carries them all.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

QUARTER_S: Final = 15 * 60.0
DAY_S: Final = 24 * 3600.0
_SET_BACK_S: Final = 60.0
"""How much farther away an end may become before our clock must have been set back."""

ME: Final = "GET /2/users/me"
MENTIONS: Final = "GET /2/users/:id/mentions"
DIRECTS: Final = "GET /2/dm_events"
LOOKUP: Final = "GET /2/tweets"
POSTED: Final = "GET /2/users/:id/tweets"
CONVERSATION: Final = "GET /2/dm_conversations/with/:id/dm_events"
POST: Final = "POST /2/tweets"
MEDIA: Final = "POST /2/media/upload"
WRITE: Final = "POST /2/dm_conversations/with/:id/messages"


@dataclass
class Window:
    """So many calls in so many seconds of the calendar."""

    limit: int
    length_s: float = QUARTER_S
    header: str = "x-rate-limit"
    left: int = 0
    ends_at: float = 0.0
    """Unix time on the calendar."""
    opened: bool = False
    """Whether the call under way is the window's first."""
    ahead_s: float = 0.0
    """How far away the end was when we learned it."""

    def wait_s(self, now: float) -> float:
        """Seconds of the calendar until a call is allowed; 0 = now."""
        return 0.0 if self.left > 0 or self._over(now) else self.ends_at - now

    def spend(self, now: float) -> None:
        """Take one call, from a new window if the last one has ended."""
        self.opened = self._over(now)
        if self.opened:
            self.left = self.limit
            self._ends(now + self.length_s, now)
        self.left -= 1

    def _over(self, now: float) -> bool:
        """Whether it has ended, or nobody knows when because our clock was set back: then X will tell."""
        return not 0.0 < self.ends_at - now <= self.ahead_s + _SET_BACK_S

    def _ends(self, at: float, now: float) -> None:
        self.ends_at, self.ahead_s = at, at - now

    def learn(self, headers: Mapping[str, str], now: float) -> None:
        """Believe the answer. Where it says nothing, the window began at the latest when its first answer came."""
        remaining = headers.get(f"{self.header}-remaining", "")
        ends_at = headers.get(f"{self.header}-reset", "")
        if remaining.isdecimal() and ends_at.isdecimal():
            # The reset is cut to a whole second: the window has surely ended one second later.
            self.left = min(self.left, int(remaining))
            self._ends(int(ends_at) + 1.0, now)
        elif self.opened:
            self._ends(now + self.length_s, now)

    def exhaust(self, now: float, after_s: float | None = None) -> None:
        """X said 429: nothing is left for ``after_s`` seconds of the calendar if it named them, else until the end that
        it named, or for a whole window if it named none ahead."""
        self.left = 0
        if after_s is not None:
            self._ends(now + after_s, now)
        elif self._over(now):
            self._ends(now + self.length_s, now)


@dataclass
class Budget:
    """All windows of one endpoint."""

    windows: tuple[Window, ...]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def wait_s(self, now: float) -> float:
        """Seconds of the calendar until all windows allow a call."""
        return max(window.wait_s(now) for window in self.windows)

    def spend(self, now: float) -> None:
        """Take one call from every window."""
        for window in self.windows:
            window.spend(now)

    def learn(self, headers: Mapping[str, str], now: float) -> None:
        """Believe an answer's headers."""
        for window in self.windows:
            window.learn(headers, now)

    def exhaust(self, now: float, after_s: float | None = None) -> None:
        """X said 429. Where no header blamed a window, it was the shortest."""
        if self.wait_s(now) == 0.0:
            self.windows[0].exhaust(now, after_s)


def budgets() -> dict[str, Budget]:
    """The budgets of one account, by ``route``. Source: https://docs.x.com/x-api/fundamentals/rate-limits"""
    return {
        ME: Budget((Window(75),)),
        MENTIONS: Budget((Window(300),)),
        DIRECTS: Budget((Window(15),)),
        LOOKUP: Budget((Window(900),)),
        POSTED: Budget((Window(900),)),
        CONVERSATION: Budget((Window(15),)),
        POST: Budget((Window(100),)),
        MEDIA: Budget((Window(500),)),
        WRITE: Budget((Window(15), Window(1440, DAY_S, "x-user-limit-24hour"))),
    }


def route(method: str, path: str) -> str:
    """The endpoint that a request goes to, with ``:id`` for each id: ``GET /2/users/:id/mentions``."""
    return f"{method} /2/" + re.sub(r"\d+", ":id", path.removeprefix("/2/"))
