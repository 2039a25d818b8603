"""From the gateway to ``deliver``: what has arrived since the last turn of the loop goes in one call, in its order.

Taps must be answered in time, so a batch does not wait until the earlier ones are kept. Its cursors do: a cursor that
was kept before what lies below it would lose that in a restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.account import NOTHING, Answer, Deliver
from core.clock import Clock
from core.events import Cursor, Event

_log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 30.0

Then = Callable[[Sequence[Answer]], object]
"""Is called with the answers to the events that were put in together, once those are kept."""


@dataclass(slots=True, eq=False)
class _Batch:
    """What one call of ``deliver`` carries."""

    parts: Sequence[tuple[Sequence[Event], Then | None]]
    kept: bool = False
    withheld: tuple[Cursor, ...] = ()
    """Its cursors, where an earlier batch was not kept yet when it went."""


class Intake:
    """Numbers events by their arrival and delivers them. Calls of ``deliver`` begin in the order of the stream; a later
    one does not wait for an earlier one to return."""

    def __init__(self, account: str, clock: Clock) -> None:
        self._account = account
        self._clock = clock
        self._deliver: Deliver | None = None
        self._last_order = 0
        self._waiting: list[tuple[Sequence[Event], Then | None]] = []
        self._in_flight: set[asyncio.Task[None]] = set()
        self._unsettled: deque[_Batch] = deque()
        """From the first batch that is not kept on, in their order."""
        self._released: dict[str, Cursor] = {}
        """Cursors withheld before, below which all is kept by now: they go with the next call, one at a time."""
        self._carrier: _Batch | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody listens."""
        return self._deliver is not None

    def open(self, deliver: Deliver) -> None:
        """From now on events are delivered; before, they are dropped. Cursors start anew: what an earlier listener left
        is not waited for, and its cursors do not go."""
        self._unsettled.clear()
        self._released.clear()
        self._carrier = None
        self._deliver = deliver

    def close(self) -> None:
        """Nobody listens any more. What is being kept may end; nothing is tried again."""
        self._deliver = None

    def order(self, numbers: int = 1) -> int:
        """The next place in the order of arrival: µs of wall time, at least ``numbers`` larger than the last."""
        self._last_order = max(self._last_order + numbers, int(self._clock.wall() * 1e6))
        return self._last_order

    def put(self, events: Sequence[Event], then: Then | None = None) -> None:
        """Deliver ``events`` with whatever else arrives before the loop's next turn. Must be called in order."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._send)
        self._waiting.append((events, then))

    async def keep(self, events: Sequence[Event]) -> None:
        """Deliver ``events`` and wait until they are kept."""
        kept = asyncio.Event()
        self.put(events, lambda _: kept.set())
        await kept.wait()

    async def drained(self) -> None:
        """Wait until everything that has been put in so far is kept."""
        await asyncio.sleep(0)  # by then the last of it is on its way
        if self._in_flight:
            await asyncio.wait(set(self._in_flight))

    def _send(self) -> None:
        parts, self._waiting = self._waiting, []
        batch = _Batch(parts)
        self._unsettled.append(batch)
        task = asyncio.create_task(self._deliver_all(batch))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _deliver_all(self, batch: _Batch) -> None:
        """Deliver again and again while the store is out of order: Discord cannot be told to wait."""
        pause_s = 0.5
        while self._deliver is not None:
            events, released = self._carried(batch)
            try:
                answers = await self._deliver((*released, *events)) if released or events else ()
            except Exception as exc:
                self._unload(batch)
                self._released = {cursor.name: cursor for cursor in released} | self._released
                _log.warning("%s: not kept, again in %.1f s: %s: %s", self._account, pause_s, type(exc).__name__, exc)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                self._settle(batch)
                self._tell(batch, events, answers[len(released) :])
                return

    def _carried(self, batch: _Batch) -> tuple[Sequence[Event], tuple[Cursor, ...]]:
        """What goes with this try: its events, without cursors unless all before it is kept; and released cursors."""
        events: Sequence[Event] = [event for events, _ in batch.parts for event in events]
        batch.withheld = ()
        if not self._unsettled or self._unsettled[0] is not batch:
            batch.withheld = tuple(event for event in events if isinstance(event, Cursor))
            events = [event for event in events if not isinstance(event, Cursor)]
        released: tuple[Cursor, ...] = ()
        if self._released and self._carrier is None:
            self._carrier = batch
            released, self._released = tuple(self._released.values()), {}
        return events, released

    def _unload(self, batch: _Batch) -> None:
        if self._carrier is batch:
            self._carrier = None

    def _settle(self, batch: _Batch) -> None:
        """This batch is kept: what it was the last to hold back may go."""
        batch.kept = True
        self._unload(batch)
        while self._unsettled and self._unsettled[0].kept:
            self._released.update((cursor.name, cursor) for cursor in self._unsettled.popleft().withheld)
        if self._released and self._carrier is None:
            self.put(())

    def _tell(self, batch: _Batch, delivered: Sequence[Event], answers: Sequence[Answer]) -> None:
        answer_to = {id(event): answer for event, answer in zip(delivered, answers, strict=True)}
        for events, then in batch.parts:
            if then is not None:
                then([answer_to.get(id(event), NOTHING) for event in events])
