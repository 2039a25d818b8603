"""From the gateway to ``deliver``: what has arrived since the last turn of the loop goes in one call, in its order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from core.account import NOTHING, Answer, Deliver
from core.clock import Clock
from core.events import Event

_log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 30.0

Then = Callable[[Sequence[Answer]], object]
"""Is called with the answers to the events that were put in together, once those are kept."""


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

    @property
    def is_open(self) -> bool:
        """Whether somebody listens."""
        return self._deliver is not None

    def open(self, deliver: Deliver) -> None:
        """From now on events are delivered; before, they are dropped."""
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
        batch, self._waiting = self._waiting, []
        task = asyncio.create_task(self._deliver_all(batch))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _deliver_all(self, batch: Sequence[tuple[Sequence[Event], Then | None]]) -> None:
        answers = await self._kept([event for events, _ in batch for event in events])
        start = 0
        for events, then in batch:
            end = start + len(events)
            if then is not None:
                then(answers[start:end])
            start = end

    async def _kept(self, events: Sequence[Event]) -> Sequence[Answer]:
        """Deliver again and again while the store is out of order: Discord cannot be told to wait."""
        pause_s = 0.5
        while self._deliver is not None:
            try:
                return await self._deliver(events)
            except Exception as exc:
                _log.warning("%s: not kept, again in %.1f s: %s: %s", self._account, pause_s, type(exc).__name__, exc)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        return [NOTHING] * len(events)
