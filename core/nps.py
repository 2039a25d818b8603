"""The arithmetic of the recommend question: groups, bands, tallies, the score and its range."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """The three groups of the recommend question.

    Source: F. Reichheld, "The One Number You Need to Grow", Harvard Business Review, December 2003.
    """

    PROMOTER = "promoter"
    PASSIVE = "passive"
    DETRACTOR = "detractor"


def group_of(score: int) -> Group:
    """The group of one score, 0 to 10: 9–10 promoter, 7–8 passive, 0–6 detractor."""
    if score >= 9:
        return Group.PROMOTER
    return Group.PASSIVE if score >= 7 else Group.DETRACTOR


@dataclass(frozen=True, slots=True, order=True)
class Band:
    """A closed range of scores that one option stands for; never straddles a group boundary.

    Raises ``ValueError`` when it does, or when it is empty or outside 0–10.
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 10:
            raise ValueError(f"a band lies within 0-10, not {self.low}-{self.high}")
        if group_of(self.low) is not group_of(self.high):
            raise ValueError(f"the band {self.low}-{self.high} straddles two groups")

    @property
    def group(self) -> Group:
        """The group that every score of this band belongs to."""
        return group_of(self.low)

    @property
    def label(self) -> str:
        """``7`` for a single score, ``9–10`` for a wider band (with an en dash)."""
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of each group. Adding two tallies adds the counts; named and open ones are never added."""

    promoters: int = 0
    passives: int = 0
    detractors: int = 0

    @property
    def n(self) -> int:
        """How many answers."""
        return self.promoters + self.passives + self.detractors

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.promoters + other.promoters,
            self.passives + other.passives,
            self.detractors + other.detractors,
        )


def tally(bands: Iterable[tuple[Band, int]]) -> Tally:
    """The tally of (band, how many) pairs."""
    counts = dict.fromkeys(Group, 0)
    for band, n in bands:
        counts[band.group] += n
    return Tally(counts[Group.PROMOTER], counts[Group.PASSIVE], counts[Group.DETRACTOR])
