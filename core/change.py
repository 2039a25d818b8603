"""How far a score moved from one period to the next, and how much of that chance alone may do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from core.nps import Tally, exact_nps, rounded, score_range

FEWEST_TO_COMPARE = 30
"""Under so many answers in either period no change is read out of them: it would have to exceed 50 points to show."""

CLEAR = 0.95
"""How sure the range of a change has to be. One comparison a week is made at this: of 100 weeks in which nothing
changed some 5 are called rare, whatever the brand."""

VERY_CLEAR = 0.9973
"""The same where a number stands beside the one that is judged: three standard errors, so that two comparisons in one
post hardly call more weeks rare than one does."""

STEADY_POINTS = 5
NARROW_POINTS = 10
"""A change of at most ``STEADY_POINTS`` is steady when chance allows no more than ``NARROW_POINTS`` either way."""

MINOR_SHARE = Fraction(1, 20)
"""A channel with no more of the answers may come or go without making two periods incomparable."""


@dataclass(frozen=True, slots=True)
class Change:
    """How far one score lies above another, and the range that chance allows for it; all in points, -200 to 200."""

    delta: Fraction
    low: float
    high: float


def change(strata: Iterable[tuple[Tally, Tally]], confidence: float = CLEAR) -> Change | None:
    """The change over channels, of each of which there is a tally before and one after, of different people.

    Each channel's own change counts with the mean of its shares in the two periods: a busier channel must not be read
    as a happier follower. Channels without answers in either period are left out; ``None`` when none is left. The
    limits come from those of the scores (MOVER, for a sum of independent estimates with weights): type-I error
    4.7-5.2 % from 10 against 10 answers on, in one channel.

    Source: G. Y. Zou, A. Donner, "Construction of confidence limits about effect measures: a general approach",
    Statistics in Medicine 27, 1693-1702, 2008; R. G. Newcombe, ibid. 17, 873-890, 1998 (its method 10). The weights are
    those of direct standardisation: K. J. Rothman et al., Modern Epidemiology, 3rd ed., 2008, ch. 15.
    """
    kept = [(before, after) for before, after in strata if before.n and after.n]
    n_before, n_after = sum(before.n for before, _ in kept), sum(after.n for _, after in kept)
    delta, down, up = Fraction(0), 0.0, 0.0
    for before, after in kept:
        old, old_down, old_up = _score(before, confidence)
        new, new_down, new_up = _score(after, confidence)
        weight = (Fraction(before.n, n_before) + Fraction(after.n, n_after)) / 2
        delta += weight * (new - old)
        down += float(weight) ** 2 * (new_down**2 + old_up**2)
        up += float(weight) ** 2 * (new_up**2 + old_down**2)
    return Change(delta, float(delta) - math.sqrt(down), float(delta) + math.sqrt(up)) if kept else None


def _score(tally: Tally, confidence: float) -> tuple[Fraction, float, float]:
    """The score, and how far below and above it chance allows."""
    score = exact_nps(tally) or Fraction(0)
    low, high = score_range(tally, confidence) or (-100.0, 100.0)
    return score, float(score) - low, high - float(score)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What some weeks in a row brought, channel by channel: answers of one kind, each person's once."""

    weeks: int
    """How many, at most: of a young survey there are fewer."""
    channels: Mapping[str, Tally]
    """By the channel's name in the settings."""
    ballots: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """What each channel showed, where it is known."""

    @property
    def total(self) -> Tally:
        """All channels together."""
        return sum(self.channels.values(), Tally())


class Verdict(StrEnum):
    """What may be made of a change."""

    RARE = "chance alone rarely does this"
    CHANCE = "could be chance"
    STEADY = "steady"
    TOO_FEW = "too few to compare"
    NOTHING_BEFORE = "nothing before to compare with"
    NOT_COMPARABLE = "not comparable"


class Why(StrEnum):
    """Why two periods cannot be compared."""

    JOINED = "joined"
    LEFT = "left"
    BALLOT = "asks in another way"
    SCALE = "the scale changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two periods compared, in whole points, so that words and numbers agree."""

    verdict: Verdict
    delta: int = 0
    """How far the score moved, at the same mix of channels; 0, as ``low`` and ``high``, where it is not compared."""
    low: int = 0
    high: int = 0
    why: Why | None = None
    channel: str = ""
    """Of which ``why`` speaks."""

    @property
    def measured(self) -> bool:
        """Whether there is a change to speak of."""
        return self.verdict in (Verdict.RARE, Verdict.CHANCE, Verdict.STEADY)


def compare(before: Period | None, now: Period, confidence: float = CLEAR) -> Comparison:
    """What may be made of the change from one period to the next; they share no week. The range is the usual one
    (``CLEAR``); to be called rare the change has to hold at ``confidence``."""
    if before is None or not before.total.n:
        return Comparison(verdict=Verdict.NOTHING_BEFORE)
    if min(before.total.n, now.total.n) < FEWEST_TO_COMPARE:
        return Comparison(verdict=Verdict.TOO_FEW)
    apart = _unlike(before, now)
    if apart is not None:
        return Comparison(verdict=Verdict.NOT_COMPARABLE, why=apart[0], channel=apart[1])
    strata = [(before.channels[name], now.channels[name]) for name in before.channels.keys() & now.channels.keys()]
    found, surely = change(strata), change(strata, confidence)
    if found is None or surely is None:
        return Comparison(verdict=Verdict.TOO_FEW)
    delta, low, high = rounded(found.delta), rounded(found.low), rounded(found.high)
    if delta and (rounded(surely.low) > 0 or rounded(surely.high) < 0):
        verdict = Verdict.RARE
    elif abs(delta) <= STEADY_POINTS and max(-low, high) <= NARROW_POINTS:
        verdict = Verdict.STEADY
    else:
        verdict = Verdict.CHANCE
    return Comparison(verdict=verdict, delta=delta, low=low, high=high)


def _unlike(before: Period, now: Period) -> tuple[Why, str] | None:
    """The first reason that keeps two periods from being compared, and its channel."""
    for channel in sorted(before.channels.keys() | now.channels.keys()):
        old, new = before.channels.get(channel, Tally()), now.channels.get(channel, Tally())
        if not old.n and new.n > MINOR_SHARE * now.total.n:
            return Why.JOINED, channel
        if not new.n and old.n > MINOR_SHARE * before.total.n:
            return Why.LEFT, channel
        shown = before.ballots.get(channel), now.ballots.get(channel)
        if None not in shown and shown[0] != shown[1]:
            return Why.BALLOT, channel
    return None
