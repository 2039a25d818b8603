"""What comes in: X is asked in rounds, for mentions, for direct messages, and for the totals of open polls.

Each source has a lock: it never has two rounds at once, and ``catch_up`` gets a round that began after it was called.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from tweepy.asynchronous import AsyncClient  # type: ignore[import-untyped]

from bots.x import budget, read
from bots.x.paged import Directs, Mentions, Paged
from bots.x.source import PAGE, Source
from bots.x.transport import Api
from core.account import Deliver, Receipt
from core.clock import Clock
from core.events import Totals

PATIENCE_S: Final = 30.0
"""How long (wall) a question that somebody waits for waits for the budget. The stream itself waits for ever."""

_log = logging.getLogger(__name__)


class Polls(Source):
    """The totals of the polls that are open, as far as this process knows of them."""

    route = budget.LOOKUP
    every_s = 900.0

    def __init__(self, account: str, api: Api, clock: Clock) -> None:
        super().__init__(account, api, clock)
        self.open: set[str] = set()
        """Post ids."""

    async def _round(self, deliver: Deliver, patience_s: float) -> int:
        asked = sorted(self.open)
        totals = await self.look(asked, patience_s)
        if totals:
            await deliver(totals)
        still = {total.ref for total in totals if not total.final}
        self.open -= {post for post in asked if read.post_ref(post) not in still}
        return len(totals)

    async def refresh(self, posts: Iterable[str], deliver: Deliver) -> None:
        """Deliver the present totals of these polls, and keep looking at those that are open."""
        self.open.update(posts)
        await self.round(deliver, PATIENCE_S)

    async def look(self, posts: Sequence[str], patience_s: float = PATIENCE_S) -> list[Totals]:
        """The present totals; a poll that X no longer has is left out. Raises ``Problem``, ``AccountUnavailable``."""
        found: list[Totals] = []
        for start in range(0, len(posts), PAGE):
            # The time before the question: all votes until then are surely in the answer.
            as_of = self._clock.now()
            some = list(posts[start : start + PAGE])
            page = await self._api.call(self.route, partial(_look_up, posts=some), patience_s=patience_s)
            polls = read.items(page, "includes", "polls")
            for post in read.items(page, "data"):
                try:
                    found.append(read.poll_totals(post, polls, as_of))
                except read.Malformed as error:
                    _log.warning("%s: set aside the poll of %s: %s", self._account, read.number(post), error)
        return found


async def _look_up(x: AsyncClient, posts: list[str]) -> Any:
    return await x.get_tweets(posts, expansions=read.POLL_EXPANSION, poll_fields=read.POLL_FIELDS, user_auth=True)


class Stream:
    """All sources of one account."""

    def __init__(self, account: str, api: Api, clock: Clock, me: str) -> None:
        self.mentions = Mentions(account, api, clock, me)
        self.directs = Directs(account, api, clock, me)
        self.polls = Polls(account, api, clock)
        self.wanted: tuple[Paged, ...] = (self.mentions, self.directs)
        """What is read besides polls: every item read costs."""

    async def listen(self, deliver: Deliver, cursors: Mapping[str, str], ready: Callable[[], None]) -> None:
        """Ask until cancelled; ``ready()`` once the head of all that is wanted was kept a first time."""
        for source in self.wanted:
            source.resume(cursors.get(source.name, "0"))
        waiting: set[Source] = set(self.wanted)

        def asked(source: Source) -> None:
            if source in waiting:
                waiting.remove(source)
                if not waiting:
                    ready()

        sources = (*self.wanted, self.polls)
        tasks = [asyncio.create_task(each.keep_asking(deliver, partial(asked, each))) for each in sources]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def catch_up(self, polls: Sequence[Receipt], deliver: Deliver) -> None:
        """Everything until now, in rounds begun after the call. Raises ``AccountUnavailable``, also when X's limits
        would make this wait longer than ``PATIENCE_S``: what was read until then is kept."""
        ends = await asyncio.gather(
            *(source.everything(deliver, PATIENCE_S) for source in self.wanted),
            self.polls.refresh([poll.message for poll in polls], deliver),
            return_exceptions=True,
        )
        for end in ends:
            if isinstance(end, BaseException):
                raise end
