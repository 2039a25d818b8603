"""Who is to do what at which time of the calendar: one heap, few acts at once, one person's acts one after another."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import Generic, TypeVar

from sandbox.clocks import Clocks

Step = TypeVar("Step")

Pause = Callable[[asyncio.Event, float | None], Awaitable[None]]
"""Wait until the event is set or so many seconds of the wire have passed (``None``: for the event alone)."""

AT_ONCE = 64
"""Most acts in flight."""
_SLICE = 250
"""So much planning is done between two looks at the clock."""


async def pause(event: asyncio.Event, seconds: float | None) -> None:
    """The pause of real life."""
    timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, event.set)
    try:
        await event.wait()
    finally:
        if timer is not None:
            timer.cancel()


class Agenda(Generic[Step]):
    """Performs steps when they are due, earliest first. ``whose`` is one person: their steps never overlap."""

    def __init__(self, clocks: Clocks, perform: Callable[[Step], Awaitable[None]], wait: Pause = pause) -> None:
        self._clocks = clocks
        self._perform = perform
        self._pause = wait
        self._due: list[tuple[float, int, int, Step]] = []
        self._added = 0
        self._plans: deque[Iterator[None]] = deque()
        self._busy: dict[int, deque[Step]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self._running = False
        self._held = False
        self._error: BaseException | None = None

    def add(self, at: datetime, whose: int, step: Step) -> None:
        """Put a step on the agenda."""
        self._added += 1
        heapq.heappush(self._due, (at.timestamp(), self._added, whose, step))
        self._wake.set()

    def plan(self, work: Iterator[None]) -> None:
        """Do longer work in slices; one item of the iterator is one small piece."""
        self._plans.append(work)
        self._wake.set()

    def hold(self, held: bool) -> None:
        """Begin nothing while held; what becomes due waits."""
        self._held = held
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled. Raises what a step raises."""
        self._running = True
        try:
            while True:
                self._wake.clear()
                self._plan_on()
                self._begin()
                self._moved.set()
                if self._error is not None:
                    raise self._error
                await self._rest()
        finally:
            self._running = False
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._moved.set()

    async def quiet(self) -> None:
        """Returns when nothing is in flight, being planned, or due."""
        while self._tasks or (self._running and (self._plans or self._seconds_left() == 0)):
            self._moved.clear()
            await self._moved.wait()

    def _seconds_left(self) -> float | None:
        """Seconds of the wire until the next step; 0 when one is due, ``None`` when there is none or all are held."""
        if not self._due or self._held:
            return None
        return max(0.0, self._clocks.wire_seconds(self._due[0][0] - self._clocks.now().timestamp()))

    def _plan_on(self) -> None:
        for _ in range(_SLICE):
            if not self._plans:
                return
            if next(self._plans[0], self) is self:
                self._plans.popleft()

    def _begin(self) -> None:
        now = self._clocks.now().timestamp()
        while not self._held and self._due and self._due[0][0] <= now and len(self._tasks) < AT_ONCE:
            _, _, whose, step = heapq.heappop(self._due)
            if whose in self._busy:
                self._busy[whose].append(step)
            else:
                self._busy[whose] = deque()
                self._start(whose, step)

    def _start(self, whose: int, step: Step) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(self._do(whose, step))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def _do(self, whose: int, step: Step) -> None:
        await self._perform(step)
        while waiting := self._busy[whose]:
            await self._perform(waiting.popleft())
        del self._busy[whose]

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._error = task.exception()
        self._wake.set()
        self._moved.set()

    async def _rest(self) -> None:
        if self._plans or (len(self._tasks) < AT_ONCE and self._seconds_left() == 0):
            await asyncio.sleep(0)
        else:
            await self._pause(self._wake, None if len(self._tasks) >= AT_ONCE else self._seconds_left())
