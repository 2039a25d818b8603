"""What comes in: X is asked in rounds, for mentions, for direct messages, and for the totals of open polls.

X hands out pages newest first. A round collects all its pages, then delivers the oldest first, together with the
cursor: a round that was not committed is asked for again. Each source has a lock: it never has two rounds at once, and
``catch_up`` gets a round that began after it was called.
"""

from __future__ import annotations

import asyncio
import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from tweepy.asynchronous import AsyncClient  # type: ignore[import-untyped]

from bots.x import budget, read
from bots.x.transport import Api, Problem
from core.account import Deliver, Receipt
from core.clock import Clock
from core.errors import AccountRefused, AccountUnavailable, StoreError
from core.events import Cursor, Event, Totals

MENTIONS: Final = "mentions"
DIRECTS: Final = "dm_events"
_PAGE: Final = 100
_AT_LEAST_WALL_S: Final = 0.25
PATIENCE_S: Final = 30.0
"""How long (wall) a question that somebody waits for waits for the budget. The stream itself waits for ever."""
_RETRY_S: Final = 1.0
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
        """Ask once, and deliver all of it; how many items were new.

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
        while True:
            try:
                found = await self.round(deliver)
            except StoreError as error:
                _log.warning("%s: not kept, asking again: %s", self._account, error)
                await asyncio.sleep(_RETRY_S)
                continue
            except AccountUnavailable as error:
                _log.warning("%s", error)
                await asyncio.sleep(max(error.retry_after_s, _AT_LEAST_WALL_S))
                continue
            asked()
            if self.reach is not None and found >= _PAGE:
                continue
            await self._clock.sleep(self.every_s, at_least_wall_s=_AT_LEAST_WALL_S)


class Paged(Source):
    """A list that grows at its head, read down to where the last round began."""

    name: str

    def __init__(self, account: str, api: Api, clock: Clock, me: str) -> None:
        super().__init__(account, api, clock)
        self._me = me
        self.newest = 0
        """The id up to which everything has been kept."""

    async def _round(self, deliver: Deliver, patience_s: float) -> int:
        fresh: dict[int, read.Json] = {}
        token: str | None = None
        while True:
            page = await self._page(token, patience_s)
            found = [(id, item) for item in read.items(page, "data") if (id := self._number(item)) is not None]
            fresh.update((id, item) for id, item in found if id > self.newest)
            token = read.next_token(page)
            if token is None or any(id <= self.newest for id, _ in found):
                break
        if not fresh:
            return 0
        if self.newest and self.reach is not None and len(fresh) >= self.reach:
            _log.warning(
                "%s: X shows only the last %s of %s: some may be missing", self._account, self.reach, self.name
            )
        newest = max(fresh)
        events = [event for id in sorted(fresh) for event in self._events(id, fresh[id])]
        await deliver([*events, Cursor(name=self.name, value=str(newest))])
        self.newest = newest
        return len(fresh)

    def _number(self, item: read.Json) -> int | None:
        number = read.number(item)
        if number is None:
            _log.warning("%s: set aside an item of %s without an id", self._account, self.name)
        return number

    def _events(self, id: int, item: read.Json) -> Iterable[Event]:
        try:
            return self._read(item)
        except read.Malformed as error:
            _log.warning("%s: set aside %s of %s: %s", self._account, id, self.name, error)
            return ()

    @abstractmethod
    async def _page(self, token: str | None, patience_s: float) -> read.Json: ...

    @abstractmethod
    def _read(self, item: read.Json) -> Iterable[Event]: ...


class Mentions(Paged):
    """Posts that mention the account. X keeps 800 within reach.

    Source: https://docs.x.com/x-api/posts/timelines/introduction
    """

    name = MENTIONS
    route = budget.MENTIONS
    every_s = 60.0
    reach = 800

    async def _page(self, token: str | None, patience_s: float) -> read.Json:
        return await self._api.call(
            self.route,
            lambda x: x.get_users_mentions(
                self._me,
                since_id=str(self.newest) if self.newest else None,
                pagination_token=token,
                max_results=_PAGE,
                tweet_fields=read.POST_FIELDS,
                user_auth=True,
            ),
            patience_s=patience_s,
        )

    def _read(self, item: read.Json) -> Iterable[Event]:
        reply = read.mention(item, self._me)
        return () if reply is None else (reply,)


class Directs(Paged):
    """Direct messages of the last 30 days; X takes no ``since_id`` here.

    Source: https://docs.x.com/x-api/direct-messages/lookup/introduction
    """

    name = DIRECTS
    route = budget.DIRECTS
    every_s = 90.0
    """X allows 15 questions in 15 minutes: this leaves five for further pages and for ``catch_up``."""

    async def _page(self, token: str | None, patience_s: float) -> read.Json:
        return await self._api.call(
            self.route,
            lambda x: x.get_direct_message_events(
                event_types=read.DIRECT_TYPES,
                pagination_token=token,
                max_results=_PAGE,
                dm_event_fields=read.DIRECT_FIELDS,
            ),
            patience_s=patience_s,
        )

    def _read(self, item: read.Json) -> Iterable[Event]:
        return read.direct(item, self._me)


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
        for start in range(0, len(posts), _PAGE):
            # The time before the question: all votes until then are surely in the answer.
            as_of = self._clock.now()
            some = list(posts[start : start + _PAGE])
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
        """Ask until cancelled; ``ready()`` once all that is wanted was kept a first time."""
        for source in self.wanted:
            source.newest = max(source.newest, int(cursors.get(source.name, "0")))
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
        """One round of everything, begun after the call. Raises ``AccountUnavailable``, also when X's limits would make
        this wait longer than ``PATIENCE_S``."""
        ends = await asyncio.gather(
            *(source.round(deliver, PATIENCE_S) for source in self.wanted),
            self.polls.refresh([poll.message for poll in polls], deliver),
            return_exceptions=True,
        )
        for end in ends:
            if isinstance(end, BaseException):
                raise end
