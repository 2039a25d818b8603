"""The finest ballot that fits a channel: which bands are shown, and under which words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.nps import Band


class Scale(StrEnum):
    """The scale of a survey. Tallies of different scales are never pooled."""

    ZERO_TO_TEN = "0-10"
    ONE_TO_TEN = "1-10"

    @property
    def lowest(self) -> int:
        """The smallest score of this scale."""
        return 0 if self is Scale.ZERO_TO_TEN else 1


@dataclass(frozen=True, slots=True)
class Ballot:
    """The bands shown, in the order of the options. Together they cover the scale exactly once."""

    scale: Scale
    bands: tuple[Band, ...]
