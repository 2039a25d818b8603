"""One thing that X is asked for in rounds: never two rounds at once, each delivered before the next.

``Paged`` has the lists that grow at their head, ``Polls`` the totals.
"""

from __future__ import annotations

import asyncio
import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from bots.x import read
from bots.x.transport import Api, Problem
from core.account import Deliver
from core.clock import Clock
from core.errors import AccountRefused, AccountUnavailable, StoreError

PAGE: Final = 100
_AT_LEAST_WALL_S: Final = 0.25
_RETRY_S: Final = 1.0
_LONGEST_PAUSE_S, _MOST_DOUBLINGS = 30.0, 10
"""Who does not answer is asked after a pause that doubles, up to so many wall seconds."""
"""Wall seconds before a round that could not be kept is asked for again."""

_log = logging.getLogger(__name__)


class Source(ABC):
    """One thing that is asked for in rounds."""

    route: str
    """Its endpoint."""
    every_s: float
    """Seconds of the calendar between rounds."""
    reach: int | None = None
    """How many items back X goes, where that is a number: then a round that fills a page is followed by another at
    once, and one that fills the reach may have missed some."""

    def __init__(self, account: str, api: Api, clock: Clock) -> None:
        self._account = account
        self._api = api
        self._clock = clock
        self._turn = asyncio.Lock()

    async def round(self, deliver: Deliver, patience_s: float = math.inf) -> int:
        """Ask once, and deliver what came; how many items were new.

        Raises ``AccountUnavailable`` (also when the budget is spent for more than ``patience_s`` seconds of the wall),
        ``AccountRefused``, ``StoreError``.
        """
        async with self._api.in_turn(self._turn, self.route, patience_s):
            try:
                return await self._round(deliver, patience_s)
            except Problem as problem:
                if problem.status == 403:
                    raise AccountRefused(self._account, f"X does not let this account read: {problem.detail}") from None
                raise AccountUnavailable(self._account, f"X refused a question: {problem}", _RETRY_S) from None
            except read.Malformed as error:
                raise AccountUnavailable(self._account, f"X's answer is not usable: {error}", _RETRY_S) from None

    @abstractmethod
    async def _round(self, deliver: Deliver, patience_s: float) -> int: ...

    async def keep_asking(self, deliver: Deliver, asked: Callable[[], None]) -> None:
        """Rounds until cancelled; ``asked()`` after each that was kept. Raises ``AccountRefused``."""
        failures = 0
        while True:
            try:
                found = await self.round(deliver)
            except StoreError as error:
                _log.warning("%s: not kept, asking again: %s", self._account, error)
                await asyncio.sleep(_RETRY_S)
                continue
            except AccountUnavailable as error:
                pause_s = max(error.retry_after_s, min(_AT_LEAST_WALL_S * 2**failures, _LONGEST_PAUSE_S))
                failures = min(failures + 1, _MOST_DOUBLINGS)
                _log.warning("%s; asking again in %.1f s", error, pause_s)
                await asyncio.sleep(pause_s)
                continue
            failures = 0
            asked()
            if self.reach is not None and found >= PAGE:
                continue
            await self._clock.sleep(self.pause_s(), at_least_wall_s=_AT_LEAST_WALL_S)

    def pause_s(self) -> float:
        """Seconds of the calendar until the next round."""
        return self.every_s
