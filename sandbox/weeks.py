"""The weeks of the calendar: what a wave is, in the words of the sandbox, with a key such as ``2026-W47``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MARGIN = 0.12
"""The last part of a week in which nobody acts any more, so that a slow machine cannot carry an act over its end."""

FREEZE = timedelta(hours=24)
"""How long after its week an answer may still come or change."""


@dataclass(frozen=True, slots=True)
class Week:
    """One ISO week in a zone: ``[opens_at, closes_at)``, 167 or 169 hours long when the clocks are changed."""

    key: str
    zone: str
    opens_at: datetime
    closes_at: datetime

    @property
    def last_act_at(self) -> datetime:
        """When people have stopped acting."""
        return self.closes_at - (self.closes_at - self.opens_at) * MARGIN

    @property
    def frozen_at(self) -> datetime:
        """From when on nothing changes this week's answers."""
        return self.closes_at + FREEZE

    @property
    def before(self) -> Week:
        """The week before this one."""
        return week_at(self.opens_at - timedelta(hours=1), self.zone)

    def since(self, first: Week) -> int:
        """How many weeks after ``first`` this one is."""
        return round((self.opens_at - first.opens_at) / timedelta(weeks=1))


def week_at(at: datetime, zone: str) -> Week:
    """The ISO week (Monday to Sunday) of an aware time, by the clocks of a zone."""
    year, number, _ = at.astimezone(ZoneInfo(zone)).isocalendar()
    return _week(year, number, zone)


@lru_cache(maxsize=512)
def _week(year: int, number: int, zone: str) -> Week:
    monday = date.fromisocalendar(year, number, 1)
    opens_at, closes_at = (
        datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) for day in (monday, monday + timedelta(days=7))
    )
    return Week(f"{year}-W{number:02d}", zone, opens_at, closes_at)
