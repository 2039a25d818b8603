"""The calendar clock: waves, polls, publication and retention run on it. The sandbox can speed it up.

Liveness (timeouts, heartbeats, long polls, the 3 s of an interaction) runs on the wall clock and never asks here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def steady() -> float:
    """Seconds that only ever go forward at an even pace, sleep of the machine included where the system counts it."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)  # Linux
    return time.clock_gettime(boot) if boot is not None else time.monotonic()


@dataclass(frozen=True, slots=True)
class Clock:
    """Calendar time as a straight line over wall time: ``calendar + (wall() - started) * speed``.

    The default is the real time. In the sandbox, ``speed`` calendar seconds pass in one wall second.
    """

    calendar: datetime | None = None
    """Calendar time at the wall time ``started`` (aware); ``None`` means real time."""
    started: float = 0.0
    """Unix time, seconds."""
    speed: float = 1.0
    wall: Callable[[], float] = time.time

    def now(self) -> datetime:
        """The calendar time, aware, UTC."""
        if self.calendar is None:
            return datetime.fromtimestamp(self.wall(), UTC)
        return self.calendar + timedelta(seconds=(self.wall() - self.started) * self.speed)

    def passed(self, moment: datetime | None) -> bool:
        """Whether a moment lies in the past; ``None`` never does."""
        return moment is not None and self.now() >= moment

    async def sleep(self, calendar_s: float, *, at_least_wall_s: float = 0.0) -> None:
        """Sleep for ``calendar_s`` seconds of the calendar, but at least ``at_least_wall_s`` seconds of the wall."""
        await asyncio.sleep(max(calendar_s / self.speed, at_least_wall_s, 0.0))
