"""Lists of X that grow at their head and are handed out newest first: mentions and direct messages.

A round reads down to where the last one began and delivers the oldest first, together with the cursor: what was not
committed is asked for again. A backlog that X's limits do not let us read at once is kept part by part, the newest part
first. The cursor then names the gap below it, so that neither a kill nor a new message makes us begin again.
"""

from __future__ import annotations

import logging
import re
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from bots.x import budget, read
from bots.x.source import PAGE, Source
from bots.x.transport import Api, Problem
from core.account import Deliver
from core.clock import Clock
from core.events import Cursor, Event

MENTIONS: Final = "mentions"
DIRECTS: Final = "dm_events"
_OVERLAP: Final = 60_000 << 22
"""A minute of ids: X may show an item after a later one, on a list that several machines write. Such an item is taken
where it turns up on a page that is read anyway.
Source: https://docs.x.com/fundamentals/x-ids"""
_CURSOR = re.compile(r"([0-9]{1,19})((?: [0-9]{1,19}:[^ :]*)*)")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of the list that was not read yet."""

    above: int
    """It ends above this id."""
    token: str
    """Asks X for its first page. Empty when X no longer takes it: then the list is read from its head again."""

    @property
    def floor(self) -> int:
        """The id above which an item may be one that X showed late."""
        return max(self.above - _OVERLAP, 0)


@dataclass(frozen=True, slots=True)
class Progress:
    """What has been kept: everything up to ``newest`` except for the gaps, oldest gap first."""

    newest: int = 0
    gaps: tuple[Gap, ...] = ()

    def __str__(self) -> str:
        return " ".join([str(self.newest), *(f"{gap.above}:{gap.token}" for gap in self.gaps)])

    @classmethod
    def of(cls, cursor: str) -> Progress:
        """From a cursor's value; from the beginning where it is not one of ours."""
        found = _CURSOR.fullmatch(cursor)
        if found is None:
            return cls()
        gaps = (gap.split(":") for gap in found.group(2).split())
        return cls(int(found.group(1)), tuple(Gap(int(above), token) for above, token in gaps))


class Paged(Source):
    """A list that grows at its head, read down to where the last round began."""

    name: str
    at_once: int
    """Most pages that are kept together, in their order."""

    def __init__(self, account: str, api: Api, clock: Clock, me: str) -> None:
        super().__init__(account, api, clock)
        self._me = me
        self.progress = Progress()
        self._kept: set[int] = set()
        """Ids that need not be delivered again, as far as they are asked for again."""

    def resume(self, cursor: str) -> None:
        """Go on where this cursor was kept, unless we are further."""
        kept = Progress.of(cursor)
        if kept.newest >= self.progress.newest:
            self.progress = kept
            self._kept.add(kept.newest)

    def pause_s(self) -> float:
        """Seconds of the calendar until the next round: a gap is filled as soon as X's limits allow."""
        return self._api.wait_s(self.route) if self.progress.gaps else self.every_s

    async def everything(self, deliver: Deliver, patience_s: float) -> None:
        """Rounds until no gap is left. Raises as ``round`` does; what was read until then is kept."""
        await self.round(deliver, patience_s)
        while self.progress.gaps:
            await self.round(deliver, patience_s)

    async def _round(self, deliver: Deliver, patience_s: float) -> int:
        """From the head, so that what is new comes first; then the gaps, as far as X's limits allow."""
        before = self.progress
        fresh, rest = await self._read_down(Gap(before.newest, ""), patience_s)
        if before.newest and self.reach is not None and len(fresh) >= self.reach:
            _log.warning(
                "%s: X shows only the last %s of %s: some may be missing", self._account, self.reach, self.name
            )
        found = await self._keep(
            deliver, fresh, Progress(max(before.newest, *fresh, 0), before.gaps + ((rest,) if rest else ()))
        )
        while self.progress.gaps and not self._api.wait_s(self.route):
            found += await self._fill(deliver, patience_s)
        return found

    async def _fill(self, deliver: Deliver, patience_s: float) -> int:
        """Go on with the latest gap."""
        *others, gap = self.progress.gaps
        try:
            fresh, rest = await self._read_down(gap, patience_s)
        except Problem as problem:
            if not gap.token or problem.status != 400:
                raise
            _log.warning("%s: X no longer knows where %s went on: reading them again", self._account, self.name)
            fresh, rest = {}, replace(gap, token="")
        return await self._keep(deliver, fresh, replace(self.progress, gaps=(*others, *((rest,) if rest else ()))))

    async def _read_down(self, gap: Gap, patience_s: float) -> tuple[dict[int, read.Json], Gap | None]:
        """Pages of a gap, as many as are kept at once and X's limits allow; and what is left of it."""
        fresh: dict[int, read.Json] = {}
        for _ in range(self.at_once):
            page = await self._page(gap, patience_s)
            found = [(id, item) for item in read.items(page, "data") if (id := self._number(item)) is not None]
            fresh.update((id, item) for id, item in found if id > gap.floor and id not in self._kept)
            token = read.next_token(page)
            if token is None or any(id <= gap.above for id, _ in found):
                return fresh, None
            gap = replace(gap, token=token)
            if self._api.wait_s(self.route):
                break
        return fresh, gap

    async def _keep(self, deliver: Deliver, fresh: dict[int, read.Json], progress: Progress) -> int:
        if progress != self.progress or fresh:
            events = [event for id in sorted(fresh) for event in self._events(id, fresh[id])]
            await deliver([*events, Cursor(name=self.name, value=str(progress))])
        self.progress = progress
        self._kept = {id for id in self._kept.union(fresh) if id > progress.newest - _OVERLAP}
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
    async def _page(self, gap: Gap, patience_s: float) -> read.Json: ...

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
    at_once = 8

    async def _page(self, gap: Gap, patience_s: float) -> read.Json:
        return await self._api.call(
            self.route,
            lambda x: x.get_users_mentions(
                self._me,
                since_id=str(gap.floor) if gap.floor else None,
                pagination_token=gap.token or None,
                max_results=PAGE,
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
    at_once = 5
    """X allows 15 questions in 15 minutes: this leaves five for further pages and for ``catch_up``."""

    async def _page(self, gap: Gap, patience_s: float) -> read.Json:
        return await self._api.call(
            self.route,
            lambda x: x.get_direct_message_events(
                event_types=read.DIRECT_TYPES,
                pagination_token=gap.token or None,
                max_results=PAGE,
                dm_event_fields=read.DIRECT_FIELDS,
            ),
            patience_s=patience_s,
        )

    def _read(self, item: read.Json) -> Iterable[Event]:
        return read.direct(item, self._me)
