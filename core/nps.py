"""The arithmetic of the recommend question: groups, bands, tallies, the score and its range."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import product
from statistics import NormalDist


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


SINGLE = tuple(Band(score, score) for score in range(11))
"""The band of each single score, 0 to 10."""


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


def rounded(points: Fraction | float) -> int:
    """The nearest whole number, halves away from zero: 12.5 is 13 and -12.5 is -13."""
    return int(math.copysign(math.floor(abs(Fraction(points)) + Fraction(1, 2)), points))


def exact_nps(tally: Tally) -> Fraction | None:
    """The Net Promoter Score, -100 to 100: percentage of promoters less percentage of detractors. ``None`` at n = 0."""
    return Fraction(100 * (tally.promoters - tally.detractors), tally.n) if tally.n else None


def nps(tally: Tally) -> int | None:
    """The Net Promoter Score as it is said: a whole number, halves away from zero. ``None`` when nobody answered."""
    exact = exact_nps(tally)
    return None if exact is None else rounded(exact)


def per_hundred(tally: Tally) -> tuple[int, int, int]:
    """Promoters, passives and detractors in a hundred answers: each less than 1 off, together 100, and promoters less
    detractors are the score as it is said, wherever that can be; as near as can be. Raises ``ValueError`` when nobody
    answered."""
    if not tally.n:
        raise ValueError("nobody answered")
    exact = [Fraction(100 * count, tally.n) for count in (tally.promoters, tally.passives, tally.detractors)]
    ways = product(*(sorted({math.floor(share), math.ceil(share)}) for share in exact))
    said = nps(tally)
    promoters, passives, detractors = min(
        (way for way in ways if sum(way) == 100),
        key=lambda way: (way[0] - way[2] != said, sum(abs(n - share) for n, share in zip(way, exact, strict=True))),
    )
    return promoters, passives, detractors


def score_range(tally: Tally, confidence: float = 0.95) -> tuple[float, float] | None:
    """The range of scores that chance alone would let this tally come from, in points; ``None`` when nobody answered.

    The score (Wilson-like) interval for a difference of two proportions of one multinomial sample: every score whose
    test, with the variance that this score itself implies, does not reject. Promoters and detractors stand where the
    paper has the two discordant pairs. Its worst coverage over 741 mixes is 91.7 % at n = 5 and 93.2 % at n = 10
    (plain Wald: 22 % and 40 %). ``confidence`` lies between 0 and 1.

    Source: T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design", Statistics in Medicine 17, 891-908, 1998. For the score of this name: B. Rocks, "Interval Estimation for
    the Net Promoter Score", The American Statistician 70, 365-372, 2016, https://arxiv.org/abs/1601.07235
    """
    if not tally.n:
        return None
    promoters, detractors = tally.promoters / tally.n, tally.detractors / tally.n
    limit = NormalDist().inv_cdf((1 + confidence) / 2) ** 2 / tally.n
    centre = promoters - detractors

    def plausible(net: float) -> bool:
        return (centre - net) ** 2 <= limit * _variance(promoters, detractors, net)

    def edge(outside: float) -> float:
        inside = centre
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if plausible(middle) else (inside, middle)
        return inside

    return 100 * edge(-1.0), 100 * edge(1.0)


_HALVINGS = 40
"""Bisections of [-1, 1]: an error below 2e-10 points."""


def _variance(promoters: float, detractors: float, net: float) -> float:
    """Of one answer (+1, 0, -1), if the net is ``net`` and the rest is as likely as can be given the shares seen."""
    b = (2 - promoters + detractors) * net - promoters - detractors
    c = -detractors * net * (1 - net)
    likeliest_detractors = (math.sqrt(max(b * b - 8 * c, 0.0)) - b) / 4
    return max(2 * likeliest_detractors + net * (1 - net), 0.0)
