"""The weekly post: numbers in, words out. Pure; what is said here is said in the team's place.

Two messages. ``headline``: the verdict first, then one line per tally. ``channel_lines``: one line per channel.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.ballot import Scale
from core.nps import Tally
from core.survey import Wave


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTally:
    """What one channel brought in one wave. A channel that brought both named and open answers has two of these."""

    channel: str
    """The channel's name in the settings."""
    open: bool
    """Whether these are totals of polls that name nobody."""
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekReport:
    """The numbers of one wave, ready to be said. Named and open tallies are never added to one another."""

    survey: str
    """The survey's name in the settings."""
    title: str
    """What the team calls it."""
    scale: Scale
    wave: Wave
    named: Tally
    """One answer per person, all channels."""
    named_before: Tally | None
    """The same of the wave before; ``None`` when there was none, or on another scale."""
    open: Tally | None
    """Totals of the polls that name nobody; ``None`` when the survey has no such channel."""
    open_before: Tally | None
    channels: tuple[ChannelTally, ...]
    weeks: int
    """How many waves the window counts back, this one included."""
    window: Tally
    """Named answers of the last ``weeks`` waves, each person once, with their latest."""
