"""From the gateway to ``deliver``: what has arrived since the last turn of the loop goes in one call.

Taps must be answered in time, so a batch does not wait until the earlier ones are kept, and votes wait behind them.
Its cursors do wait: a cursor that was kept before what lies below it would lose that in a restart.

Discord cannot be told to wait. When more votes come than can be kept, they are dropped and their poll is owed: all its
voters are paged as soon as there is room. When more taps and messages come, the gateway is read no further: it hangs up
on us, and brings what came meanwhile once the session is taken up again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bots.discord.lanes import NOWHERE, Lanes, Part, Spot, Then
from core.account import NOTHING, Answer, Deliver
from core.events import Cursor, Event, Reply, Votes

_log = logging.getLogger(__name__)

MOST_VOTES = 20_000
"""Votes that may wait; about 20 MB."""
MOST_URGENT = 10_000
"""Taps, forms and messages that may wait; about 10 MB."""
_BATCH = 500
"""Events that go in one call; what the store keeps in some 50 ms."""
_LINES, _VOTE_LINES = 6, 3
"""Calls at a time, and how many of them may carry votes: a tap must not wait behind many of those."""
_LONGEST_PAUSE_S = 30.0

Mark = Callable[[Spot], Cursor | None]
"""The cursor that says that all up to this spot of the stream is kept."""


@dataclass(slots=True, eq=False)
class _Batch:
    """What one call of ``deliver`` carries."""

    parts: Sequence[Part]
    listener: int
    released: tuple[Cursor, ...] = ()
    """Cursors that were withheld before."""
    reaches: Spot = NOWHERE
    """How far the stream is kept, if this batch is."""


class Intake:
    """Delivers events. Calls of ``deliver`` begin in the order of the lanes; a later one does not wait for an earlier
    one to return."""

    def __init__(
        self,
        account: str,
        mark: Mark = lambda spot: None,
        *,
        most_votes: int = MOST_VOTES,
        most_urgent: int = MOST_URGENT,
    ) -> None:
        self._account = account
        self._mark = mark
        self._most_votes = most_votes
        self._most_urgent = most_urgent
        self._deliver: Deliver | None = None
        self._listener = 0
        self._lanes = Lanes()
        self._scheduled = False
        self._calls = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._number = 0
        self._unsettled: deque[Part] = deque()
        """From the first part that is not kept on, in the order of the stream."""
        self._owed: dict[str, tuple[Spot, Reply]] = {}
        """Polls whose voters are to be paged, by the first vote that was dropped."""
        self._released: dict[str, Cursor] = {}
        """Cursors withheld before, below which all is kept by now: they go with the next call, one at a time."""
        self._carrier: _Batch | None = None
        self._progress = asyncio.Event()
        self.owes = asyncio.Event()
        """Set while the voters of some poll are to be paged."""
        self.is_away = False
        """Whether nothing can be kept now."""
        self.newest = NOWHERE
        """Where the stream is; to be set before anything is put."""
        self.begun = NOWHERE
        """Where the newest session began. Its cursor goes with the first that it brings, and says at least this, or
        another process would take up the session before, whose places in the order are all before those of this one.
        What that one brought and is not kept by now, this process goes on keeping; another one would read messages and
        votes where they stand, and of taps Discord has told people that they failed."""
        self.kept = NOWHERE
        """Up to where all of it is kept."""

    @property
    def is_open(self) -> bool:
        """Whether somebody listens."""
        return self._deliver is not None

    def open(self, deliver: Deliver) -> None:
        """From now on events are delivered; before, they are dropped. Cursors start anew: what an earlier listener left
        is not waited for, and its cursors do not go."""
        self._forget()
        self._listener += 1
        self._deliver = deliver

    def close(self) -> None:
        """Nobody listens any more. What is being kept may end; nothing is tried again."""
        self._deliver = None
        self._forget()

    def put(self, events: Sequence[Event], then: Then | None = None) -> None:
        """Deliver ``events`` with whatever else arrives before the loop's next turn. Must be called in order."""
        self._lanes.add(self._part(events, then))

    def vote(self, vote: Reply) -> None:
        """Deliver a vote once nothing else waits."""
        if vote.ref is not None and vote.ref in self._owed:
            return
        if vote.ref is not None and self._lanes.votes >= self._most_votes:
            _log.warning("%s: %d votes wait; the voters of %s will be read", self._account, self._lanes.votes, vote.ref)
            self._owed[vote.ref] = (self.newest, vote)
            self.owes.set()
            return
        self._lanes.add_vote(vote.person, self._part((vote,), None))

    async def room(self) -> None:
        """Wait while as much waits as may."""
        if self._lanes.urgent >= self._most_urgent:
            _log.warning(
                "%s: %d taps and messages wait; reading on when they are kept", self._account, self._most_urgent
            )
        while self._lanes.urgent >= self._most_urgent:
            await self._progress.wait()

    async def keep(self, events: Sequence[Event]) -> None:
        """Deliver ``events`` and wait until they are kept."""
        kept = asyncio.Event()
        self.put(events, lambda _: kept.set())
        await kept.wait()

    async def drained(self) -> None:
        """Wait until everything that has been put in so far is kept."""
        last = self._number
        while self._unsettled and self._unsettled[0].number <= last:
            await self._progress.wait()

    async def pay(self, page: Callable[[Reply], Awaitable[Votes | None]]) -> None:
        """Have the voters of all owed polls paged and keep them. What ``page`` raises goes through, and what it was
        called for is owed still."""
        while self._owed:
            await self.drained()
            ref, (spot, vote) = self._owed.popitem()  # what comes from now on is later than the pages
            try:
                if votes := await page(vote):
                    await self.keep((votes,))
            except BaseException:
                self._owed[ref] = (spot, vote)
                raise
        self.owes.clear()

    def _forget(self) -> None:
        self._lanes.clear()
        self._unsettled.clear()
        self._owed.clear()
        self._released.clear()
        self.owes.clear()
        self._carrier = None
        self._calls = 0
        self.kept = self.begun = NOWHERE
        self._moved()

    def _moved(self) -> None:
        self._progress.set()
        self._progress = asyncio.Event()

    def _part(self, events: Sequence[Event], then: Then | None) -> Part:
        self._number += 1
        part = Part(events, then, self.newest, self._number)
        self._unsettled.append(part)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._send)
        return part

    def _send(self) -> None:
        self._scheduled = False
        while self._lanes and self._calls < (_LINES if self._lanes.urgent else _VOTE_LINES):
            votes_too = self._calls < _VOTE_LINES
            batch = _Batch(self._lanes.take(_BATCH, votes_too=votes_too), self._listener)
            for part in batch.parts:
                part.batch = batch
            self._calls += 1
            task = asyncio.create_task(self._deliver_all(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver_all(self, batch: _Batch) -> None:
        """Deliver again and again while the store is out of order: Discord cannot be told to wait."""
        pause_s = 0.5
        while self._deliver is not None:
            events, cursors = self._load(batch)
            try:
                answers = await self._deliver((*cursors, *events)) if cursors or events else ()
            except Exception as exc:
                self._unload(batch)
                self.is_away = True
                _log.warning("%s: not kept, again in %.1f s: %s: %s", self._account, pause_s, type(exc).__name__, exc)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                self.is_away = False
                self._settle(batch)
                self._tell(batch, events, answers[len(cursors) :])
                return

    def _load(self, batch: _Batch) -> tuple[list[Event], list[Cursor]]:
        """What goes with this try: its events, of its cursors those below which all is kept; and older cursors that may
        go by now, the stream's own among them."""
        last = next((part for part in self._unsettled if not part.kept and part.batch is not batch), None)
        events: list[Event] = []
        for part in batch.parts:
            free = batch.listener == self._listener and (last is None or part.number < last.number)
            part.withheld = () if free else tuple(event for event in part.events if isinstance(event, Cursor))
            events += (event for event in part.events if free or not isinstance(event, Cursor))
        if batch.listener != self._listener:
            return events, []
        if self._released and self._carrier is None:
            self._carrier = batch
            batch.released, self._released = tuple(self._released.values()), {}
        batch.reaches = self._reach(last)
        mark = self._mark(batch.reaches) if batch.reaches >= self.kept else None
        return events, [*batch.released, *((mark,) if mark else ())]

    def _reach(self, last: Part | None) -> Spot:
        """How far all is kept if nothing is missing from this part on but what is owed."""
        reach = self.newest if last is None else Spot(last.spot.session, last.spot.sequence - 1)
        for spot, _ in self._owed.values():
            reach = min(reach, Spot(spot.session, spot.sequence - 1))
        if reach.session != self.newest.session:
            reach = NOWHERE
        return max(reach, self.begun) if self.begun.session == self.newest.session else reach

    def _unload(self, batch: _Batch) -> None:
        """It did not go."""
        if self._carrier is batch:
            self._carrier = None
            self._released = {cursor.name: cursor for cursor in batch.released} | self._released
        batch.released = ()

    def _settle(self, batch: _Batch) -> None:
        """This batch is kept: what it was the last to hold back may go."""
        for part in batch.parts:
            part.kept = True
        if batch.listener != self._listener:
            return
        if self._carrier is batch:
            self._carrier = None
        self._calls -= 1
        self.kept = max(self.kept, batch.reaches)
        while self._unsettled and self._unsettled[0].kept:
            self._released.update((cursor.name, cursor) for cursor in self._unsettled.popleft().withheld)
        if self._released and self._carrier is None:
            self.put(())
        self._moved()
        self._send()

    def _tell(self, batch: _Batch, delivered: Sequence[Event], answers: Sequence[Answer]) -> None:
        answer_to = {id(event): answer for event, answer in zip(delivered, answers, strict=True)}
        for part in batch.parts:
            if part.then is not None:
                part.then([answer_to.get(id(event), NOTHING) for event in part.events])
