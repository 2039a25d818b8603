"""How often what is posted about chance is wrong: from all tallies that a mix of opinions can bring, no lots drawn.

Beside it the usual way: the range and the test by the plain standard error (Wald), which most dashboards show.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import product
from statistics import NormalDist

from bench.row import Figure, Row
from core.change import change
from core.nps import Tally, score_range

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


def missed_percent(quick: bool) -> Figure:
    """Ranges that miss the true score, in percent, at the worst mix and number of answers. Ratio: down."""
    sizes = QUICK_SIZES if quick else SIZES
    return Figure(max(missed(n, _ours) for n in sizes), max(missed(n, wald) for n in sizes))


def false_alarm_percent(quick: bool) -> Figure:
    """Changes that are called clear where nothing has changed, in percent, at the worst mix. Ratio: down."""
    return Figure(*false_alarms(QUICK_PAIRS if quick else PAIRS))


def table() -> str:
    """Missed ranges by number of answers, in percent: ours, and the usual way's."""
    head = f"{'answers':>10}{'ours':>10}{'usual':>10}"
    return "\n".join([head, *(f"{n:10}{missed(n, _ours):10.1f}{missed(n, wald):10.1f}" for n in QUICK_SIZES)])


_MISSED = "at any mix, from 10 answers on, at most 8.5 of 100 ranges miss the score"
_ALARMS = "at most 6 of 100 changes are called clear where nothing changed"

ROWS = (
    Row("statistics.missed", _MISSED, "%", missed_percent, 8.5, details=table),
    Row("statistics.alarms", _ALARMS, "%", false_alarm_percent, 6.0),
)
