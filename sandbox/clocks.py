"""The sandbox's two clocks: the calendar, which may run fast, and the wire, which keeps wall time.

On the calendar: dates of messages, ends of polls, X rate windows and history. On the wire: the life of a tap (150 s),
of an interaction (3 s and 15 min), of an unread update (24 h), rate limits of Telegram and Discord, identify quotas.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class Clocks:
    """Both clocks. Tests pass a ``wire`` of their own; ``skip`` moves the calendar alone."""

    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    """Calendar time (aware) when the wire showed ``started``."""
    speed: float = 1.0
    """Calendar seconds per wire second."""
    wire: Callable[[], float] = time.time
    """Unix time in seconds."""
    started: float = -1.0

    def __post_init__(self) -> None:
        if self.started < 0:
            self.started = self.wire()

    def now(self) -> datetime:
        """The calendar time, aware, UTC."""
        return self.start + timedelta(seconds=(self.wire() - self.started) * self.speed)

    def wire_seconds(self, calendar_s: float) -> float:
        """How many seconds of the wire ``calendar_s`` seconds of the calendar last."""
        return calendar_s / self.speed

    def skip(self, calendar_s: float) -> None:
        """Move the calendar ahead, the wire not."""
        self.start += timedelta(seconds=calendar_s)
