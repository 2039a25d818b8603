"""The calendar clock: waves, polls, publication and retention run on it. The sandbox can speed it up.

Liveness (timeouts, heartbeats, long polls, the 3 s of an interaction) runs on the wall clock and never asks here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median


def steady() -> float:
    """Seconds that only ever go forward at an even pace, sleep of the machine included where the system counts it."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)  # Linux
    return time.clock_gettime(boot) if boot is not None else time.monotonic()


AGREE_S = 10.0
"""Clocks agree that differ by no more: the machine's with its steady one, for it is trimmed by small steps; and ours
with the platforms', known to some 3 s (whole seconds, and the way of an answer). So two processes differ by less than
30 s, and each goes by moments that the other kept: a tap lives 150 s, a session at Discord's gateway 300 s. One limit
for both: a line that is put right by less than what it follows would slide back at the next look."""

OFF_S = 600.0
"""So wrong a moment may be that was kept while no platform had told the time. Platforms that differ by more from each
other tell none."""


class Wall:
    """Unix time that no jump of the machine's clock moves: it goes on by the steady clock from where it began, and
    follows the machine's clock for as long as both agree. Where the platforms have another time, it is theirs: what is
    asked, counted and published by a wrong one cannot be taken back. Call it for the time in seconds."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = steady) -> None:
        self._wall = wall
        self._steady = steady
        self._at = wall(), steady()

    def __call__(self) -> float:
        wall, now = self._wall(), self._steady()
        line = self._at[0] + now - self._at[1]
        if abs(wall - line) > AGREE_S:
            return line
        self._at = wall, now
        return wall

    @property
    def jumped_s(self) -> float:
        """By how much the machine's clock has jumped away from our line, forward or back; 0 while they agree."""
        line = self()
        jump = self._wall() - line
        return jump if abs(jump) > AGREE_S else 0.0

    def compare(self, theirs: Sequence[float]) -> float:
        """Judge our line by the platforms' clocks, and go on by theirs where they agree better with each other than we
        with them.

        Returns by how much our line was ahead of them; 0 where it was right, or where they do not agree.
        """
        line = self()
        told = median(theirs) if theirs else line
        apart = max((abs(one - told) for one in theirs), default=0.0)
        if apart > OFF_S or abs(line - told) <= AGREE_S + apart:
            return 0.0
        self._at = told, self._steady()
        return line - told


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
