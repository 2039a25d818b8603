"""How often what is posted about chance is wrong: from all tallies that a mix of opinions can bring, no lots drawn but
where several channels have more of them than can be counted.

Beside it the usual way: the range and the test by the plain standard error (Wald), which most dashboards show.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import product
from statistics import NormalDist

from bench.row import Figure, Row
from core.change import change
from core.nps import Tally, rounded, score_range

Range = tuple[float, float]
Mix = tuple[float, float, float]
"""Shares of promoters, passives and detractors; they add up to 1."""

Z = NormalDist().inv_cdf(0.975)
FINE, COARSE = 40, 20
"""Mixes lie this many steps apart: 741 of them, and 171."""
SIZES, QUICK_SIZES = (10, 20, 30, 50), (10, 20)
"""Answers in a sample: the fewest that are given a range, and more."""
PAIRS, QUICK_PAIRS = ((10, 10), (20, 20), (10, 40)), ((10, 10),)
"""Answers in two samples that are compared: few, and of unlike size, where a range is most easily wrong."""
_SPLIT, _EVEN, _GLAD = (0.475, 0.05, 0.475), (0.3, 0.4, 0.3), (0.8, 0.15, 0.05)
BRANDS: Sequence[Sequence[tuple[int, int, Mix]]] = (
    [(10, 10, _SPLIT)] * 6,
    [(12, 12, _SPLIT)] * 4,
    [(10, 10, _EVEN)] * 3,
    [(40, 40, _SPLIT), (10, 10, _SPLIT), (10, 10, _GLAD)],
    [(10, 40, _SPLIT)] * 3,
    [(12, 12, _SPLIT), (12, 12, _EVEN), (12, 12, _GLAD)],
)
"""Brands whose channels have as few answers as are still told apart: answers before, answers after, mix."""
DRAWS, QUICK_DRAWS = 10_000, 1_000
"""Weeks drawn by lot for each of them: the rate is known to 0.2 %, or to 0.7 %."""
TOLERANCE = 1e-6
"""Points by which an end may lie off: it is found by halving."""


def mixes(steps: int) -> list[Mix]:
    """All mixes that lie a step apart, with none of the three groups empty."""
    return [(p / steps, (steps - p - d) / steps, d / steps) for p in range(1, steps) for d in range(1, steps - p)]


def tallies(n: int) -> list[Tally]:
    """All that n answers can come to."""
    return [Tally(p, n - p - d, d) for p in range(n + 1) for d in range(n + 1 - p)]


@cache
def _ways(n: int) -> list[float]:
    """In how many orders of answers each of them can come, as a logarithm."""
    each = [math.lgamma(count + 1) for count in range(n + 1)]
    return [each[n] - each[one.promoters] - each[one.passives] - each[one.detractors] for one in tallies(n)]


def chances(n: int, mix: Mix) -> list[float]:
    """How likely each tally of n answers is."""
    p, q, d = (math.log(share) for share in mix)
    return [
        math.exp(ways + p * one.promoters + q * one.passives + d * one.detractors)
        for ways, one in zip(_ways(n), tallies(n), strict=True)
    ]


def wald(tally: Tally) -> Range:
    """The usual range: the score give or take 1.96 standard errors."""
    p, d = tally.promoters / tally.n, tally.detractors / tally.n
    half = Z * math.sqrt(max(p + d - (p - d) ** 2, 0.0) / tally.n)
    return 100 * (p - d - half), 100 * (p - d + half)


def _ours(tally: Tally) -> Range:
    found = score_range(tally)
    assert found is not None
    return found


def missed(n: int, ranges: Callable[[Tally], Range]) -> float:
    """Of 100 ranges that n answers give, how many miss the true score, at the worst mix."""
    found = [ranges(one) for one in tallies(n)]
    worst = 0.0
    for mix in mixes(FINE):
        true = 100 * (mix[0] - mix[2])
        held = (low - TOLERANCE <= true <= high + TOLERANCE for low, high in found)
        worst = max(worst, sum(chance for inside, chance in zip(held, chances(n, mix), strict=True) if not inside))
    return 100 * worst


def _alarms(n: int, m: int) -> Iterator[tuple[bool, bool]]:
    """For each pair of tallies whether the change is called clear: by us, and by the usual way."""
    for before, after in product(tallies(n), tallies(m)):
        found = change([(before, after)])
        assert found is not None
        low, high = wald(before), wald(after)
        spread = math.hypot(low[1] - low[0], high[1] - high[0]) / 2
        plain = abs(sum(high) - sum(low)) / 2
        yield found.low > 0 or found.high < 0, plain > spread


def false_alarms(pairs: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Of 100 changes between two samples of one opinion, how many are called clear at the worst mix: by us, and by the
    usual way."""
    worst = [0.0, 0.0]
    for n, m in pairs:
        size, called = len(tallies(m)), list(_alarms(n, m))
        for way in (0, 1):
            rows = [[two for two in range(size) if called[one * size + two][way]] for one in range(len(called) // size)]
            for mix in mixes(COARSE):
                second = chances(m, mix)
                chance = zip(chances(n, mix), rows, strict=True)
                worst[way] = max(worst[way], sum(first * sum([second[two] for two in its]) for first, its in chance))
    return 100 * worst[0], 100 * worst[1]


def _drawn(draw: random.Random, n: int, mix: Mix) -> Tally:
    groups = Counter(draw.choices(range(len(mix)), mix, k=n))
    return Tally(*(groups[group] for group in range(len(mix))))


def alarms_over_channels(channels: Sequence[tuple[int, int, Mix]], draws: int) -> tuple[float, float]:
    """The same where several channels answer, each with its own opinion: answers before, answers after, mix."""
    draw, called = random.Random(31), [0, 0]
    for _ in range(draws):
        strata = [(_drawn(draw, before, mix), _drawn(draw, after, mix)) for before, after, mix in channels]
        found = change(strata)
        assert found is not None
        called[0] += rounded(found.low) > 0 or rounded(found.high) < 0  # as it is posted, in whole points
        n_before, n_after = (sum(one[side].n for one in strata) for side in (0, 1))
        weights = [(before.n / n_before + after.n / n_after) / 2 for before, after in strata]
        ranges = [(wald(before), wald(after)) for before, after in strata]
        delta = sum(w * (sum(after) - sum(before)) / 2 for w, (before, after) in zip(weights, ranges, strict=True))
        spread = math.hypot(
            *(w * (high - low) / 2 for w, its in zip(weights, ranges, strict=True) for low, high in its)
        )
        called[1] += abs(delta) > spread
    return 100 * called[0] / draws, 100 * called[1] / draws


def missed_percent(quick: bool) -> Figure:
    """Ranges that miss the true score, in percent, at the worst mix and number of answers. Ratio: down."""
    sizes = QUICK_SIZES if quick else SIZES
    return Figure(max(missed(n, _ours) for n in sizes), max(missed(n, wald) for n in sizes))


def false_alarm_percent(quick: bool) -> Figure:
    """Changes that are called clear where nothing has changed, in percent, at the worst mix. Ratio: down."""
    return Figure(*false_alarms(QUICK_PAIRS if quick else PAIRS))


def channel_alarm_percent(quick: bool) -> Figure:
    """The same over several channels with few answers each, of the worst of several brands. Ratio: down."""
    found = [alarms_over_channels(channels, QUICK_DRAWS if quick else DRAWS) for channels in BRANDS]
    return Figure(max(ours for ours, _ in found), max(usual for _, usual in found))


def table() -> str:
    """Missed ranges by number of answers, in percent: ours, and the usual way's."""
    head = f"{'answers':>10}{'ours':>10}{'usual':>10}"
    return "\n".join([head, *(f"{n:10}{missed(n, _ours):10.1f}{missed(n, wald):10.1f}" for n in QUICK_SIZES)])


_MISSED = "at any mix, from 10 answers on, at most 8.5 of 100 ranges miss the score"
_ALARMS = "at most 6 of 100 changes are called clear where nothing changed"
_CHANNELS = "nor where up to six channels have 10 to 40 answers each"

ROWS = (
    Row("statistics.missed", _MISSED, "%", missed_percent, 8.5, details=table),
    Row("statistics.alarms", _ALARMS, "%", false_alarm_percent, 6.0),
    Row("statistics.channels", _CHANNELS, "%", channel_alarm_percent, 6.0),
)
