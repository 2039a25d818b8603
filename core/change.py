"""How far a score moved from one period to the next, and how much of that chance alone may do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from statistics import NormalDist

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
"""Channels with no more of the answers together may come and go, or fall silent, without making two periods unlike."""

FEWEST_IN_A_CHANNEL = 10
"""Channels with fewer answers in either period are put together: a handful must not stand for a whole channel."""


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
    limits come from those of the two scores (MOVER, for a difference of independent estimates): type-I error 4.7-5.2 %
    from 10 against 10 answers on in one channel, at most 6 % in several.

    Source: G. Y. Zou, A. Donner, "Construction of confidence limits about effect measures: a general approach",
    Statistics in Medicine 27, 1693-1702, 2008; R. G. Newcombe, ibid. 17, 873-890, 1998 (its method 10). The weights are
    those of direct standardisation: K. J. Rothman et al., Modern Epidemiology, 3rd ed., 2008, ch. 15.
    """
    kept = [(before, after) for before, after in strata if before.n and after.n]
    if not kept:
        return None
    n_before, n_after = sum(before.n for before, _ in kept), sum(after.n for _, after in kept)
    weights = [(Fraction(before.n, n_before) + Fraction(after.n, n_after)) / 2 for before, after in kept]
    old, old_down, old_up = _standardised(weights, [before for before, _ in kept], confidence)
    new, new_down, new_up = _standardised(weights, [after for _, after in kept], confidence)
    delta = new - old
    return Change(delta, float(delta) - math.hypot(new_down, old_up), float(delta) + math.hypot(new_up, old_down))


def _standardised(
    weights: Sequence[Fraction], tallies: Sequence[Tally], confidence: float
) -> tuple[Fraction, float, float]:
    """The score of several channels with these weights, and how far below and above it chance allows.

    Errors of independent channels partly cancel, so each channel's limits are taken for a lower confidence, with which
    they add up. A root of their squares would be too short: limits of few answers are drawn in, and those of many are
    not, and together the answers are many. Source: X. Yan, X. G. Su, "Stratified Wilson and Newcombe confidence
    intervals for multiple binomial proportions", Statistics in Biopharmaceutical Research 2, 329-335, 2010.
    """
    halves = [
        float(weight) * sum(_score(one, confidence)[1:]) / 2 for weight, one in zip(weights, tallies, strict=True)
    ]
    z = _NORMAL.inv_cdf((1 + confidence) / 2) * math.hypot(*halves) / sum(halves)
    scores = [_score(one, 2 * _NORMAL.cdf(z) - 1) for one in tallies]
    score = sum((weight * one[0] for weight, one in zip(weights, scores, strict=True)), Fraction(0))
    down = sum(float(weight) * one[1] for weight, one in zip(weights, scores, strict=True))
    up = sum(float(weight) * one[2] for weight, one in zip(weights, scores, strict=True))
    return score, down, up


_NORMAL = NormalDist()


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
    asked: frozenset[str] = frozenset()
    """Channels that asked, also those where nobody answered."""

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
    HARDLY = "hardly anybody answered"
    SCALE = "the scale changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two periods compared, in whole points, so that words and numbers agree."""

    verdict: Verdict
    delta: int = 0
    """How far the score moved, at the same mix of channels; 0, as ``low`` and ``high``, where it is not compared."""
    low: int = 0
    high: int = 0
    plain: int = 0
    """The difference of the two scores, whatever the mix of channels was."""
    why: Why | None = None
    channel: str = ""
    """Of which ``why`` speaks."""

    @property
    def measured(self) -> bool:
        """Whether there is a change to speak of."""
        return self.verdict in (Verdict.RARE, Verdict.CHANCE, Verdict.STEADY)


def compare(before: Period | None, now: Period, confidence: float = CLEAR) -> Comparison:
    """What may be made of the change from one period to the next; they share no week. ``confidence``, between 0 and 1,
    is that of its range: what leaves out 0 is called rare."""
    if before is None or not before.total.n:
        return Comparison(verdict=Verdict.NOTHING_BEFORE)
    if min(before.total.n, now.total.n) < FEWEST_TO_COMPARE:
        return Comparison(verdict=Verdict.TOO_FEW)
    strata, pool = _strata(before, now)
    apart = _unlike(before, now) or _hardly_answered(before, now, pool)
    if apart is not None:
        return Comparison(verdict=Verdict.NOT_COMPARABLE, why=apart[0], channel=apart[1])
    found, old, new = change(strata, confidence), exact_nps(before.total), exact_nps(now.total)
    if found is None or old is None or new is None:
        return Comparison(verdict=Verdict.TOO_FEW)
    delta, low, high = rounded(found.delta), rounded(found.low), rounded(found.high)
    if delta and (low > 0 or high < 0):
        verdict = Verdict.RARE
    elif abs(delta) <= STEADY_POINTS and max(-low, high) <= NARROW_POINTS:
        verdict = Verdict.STEADY
    else:
        verdict = Verdict.CHANCE
    return Comparison(verdict=verdict, delta=delta, low=low, high=high, plain=rounded(new - old))


def _strata(before: Period, now: Period) -> tuple[list[tuple[Tally, Tally]], list[str]]:
    """Each channel's two tallies, those with few answers put together; and the names of these, if they are too few even
    together: then they are left out."""
    names = sorted(before.channels.keys() | now.channels.keys())
    pairs = {name: (before.channels.get(name, Tally()), now.channels.get(name, Tally())) for name in names}
    pool = [name for name, (old, new) in pairs.items() if min(old.n, new.n) < FEWEST_IN_A_CHANNEL]
    strata = [pair for name, pair in pairs.items() if name not in pool]
    together = sum((pairs[name][0] for name in pool), Tally()), sum((pairs[name][1] for name in pool), Tally())
    if min(together[0].n, together[1].n) >= FEWEST_IN_A_CHANNEL:
        return [*strata, together], []
    return strata, pool


def _unlike(before: Period, now: Period) -> tuple[Why, str] | None:
    """The first channel that asks only in one of the periods, or in another way, and its name."""
    for channel in sorted(before.channels.keys() | now.channels.keys()):
        if _share(channel, before, now) <= MINOR_SHARE:
            continue
        if not _asks(channel, before):
            return Why.JOINED, channel
        if not _asks(channel, now):
            return Why.LEFT, channel
        shown = before.ballots.get(channel), now.ballots.get(channel)
        if None not in shown and shown[0] != shown[1]:
            return Why.BALLOT, channel
    return None


def _hardly_answered(before: Period, now: Period, left_out: list[str]) -> tuple[Why, str] | None:
    """Whether what is left out is too much for that, and the channel that has most of it."""
    if not left_out:
        return None
    old = sum(before.channels.get(name, Tally()).n for name in left_out)
    new = sum(now.channels.get(name, Tally()).n for name in left_out)
    if max(Fraction(old, before.total.n), Fraction(new, now.total.n)) <= MINOR_SHARE:
        return None
    return Why.HARDLY, max(left_out, key=lambda name: _share(name, before, now))


def _asks(channel: str, period: Period) -> bool:
    return channel in period.asked or period.channels.get(channel, Tally()).n > 0


def _share(channel: str, before: Period, now: Period) -> Fraction:
    """Of the answers, in the period in which it has more of them."""
    old, new = before.channels.get(channel, Tally()).n, now.channels.get(channel, Tally()).n
    return max(Fraction(old, before.total.n), Fraction(new, now.total.n))
