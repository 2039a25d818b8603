"""The arithmetic of a post, for those who judge it: written anew on purpose, and in other ways than Vouch's own, so
that a wrong sign, rounding or root in one of the two is seen. Where Vouch solves an equation, this one tries."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import product

FEWEST = 10
"""Answers from which on a post may say a score. A number of its own, as the two below: docs/counting.md has them."""

FEWEST_TO_COMPARE = 30
"""Answers from which on a channel's score is said, and that of open polls."""

ENOUGH = 400
"""Answers that the weeks of a headline should have together."""

_Z = 1.959963984540054
"""So many standard errors hold 95 of 100 of a normal distribution."""

_TIE = 1e-6
"""Points by which a bound may miss a half and be rounded either way."""


def score(promoters: int, passives: int, detractors: int) -> int | None:
    """Promoters less detractors in a hundred, halves away from zero; ``None`` when nobody answered."""
    n, balance = promoters + passives + detractors, 100 * (promoters - detractors)
    if not n:
        return None
    size = (2 * abs(balance) + n) // (2 * n)
    return size if balance >= 0 else -size


def chance_range(promoters: int, passives: int, detractors: int) -> tuple[float, float]:
    """The lowest and the highest score, in points, that a test at 95 % would not reject after this tally: how far the
    score seen lies from it is held against the likeliest spread of answers that has it. Somebody must have answered."""
    n = promoters + passives + detractors
    seen = (promoters - detractors) / n

    def stands(net: float) -> bool:
        low = _likeliest(promoters, passives, detractors, net)
        variance = max((low + net) + low - net * net, 0.0) / n
        return abs(seen - net) <= _Z * math.sqrt(variance)

    return 100 * _last(stands, seen, -1.0), 100 * _last(stands, seen, 1.0)


def is_range(low: int, high: int, promoters: int, passives: int, detractors: int) -> bool:
    """Whether these are the bounds, as whole numbers."""
    bounds = chance_range(promoters, passives, detractors)
    return all(abs(said - bound) <= 0.5 + _TIE for said, bound in zip((low, high), bounds, strict=True))


def is_of_a_hundred(said: tuple[int, int, int], promoters: int, passives: int, detractors: int) -> bool:
    """Whether three numbers may stand for a tally "of 100": together 100, each the whole number above or below, the
    first less the last the score where that can be, and no nearer ones so."""
    exact = [Fraction(100 * count, promoters + passives + detractors) for count in (promoters, passives, detractors)]
    around = product(*({math.floor(share), math.ceil(share)} for share in exact))
    whole = {way for way in around if sum(way) == 100}
    its = score(promoters, passives, detractors)
    right = {way for way in whole if way[0] - way[2] == its} or whole

    def off(way: tuple[int, ...]) -> Fraction:
        return sum((abs(n - share) for n, share in zip(way, exact, strict=True)), Fraction(0))

    return said in right and off(said) == min(map(off, right))


def quarter(week: str) -> tuple[str, int]:
    """The quarter of a week such as ``2026-W47``: 13 weeks each, and the fourth has the 53rd, too."""
    year, _, number = week.partition("-W")
    return year, sum(int(number) > last for last in (13, 26, 39))


def _likeliest(promoters: int, passives: int, detractors: int, net: float) -> float:
    """The share of detractors that makes the tally likeliest if promoters less detractors are ``net``: where the
    likelihood stops rising with it."""

    def rises(share: float) -> bool:
        left = 1 - net - 2 * share
        return promoters / (share + net) + detractors / share > 2 * passives / left

    return _last(rises, max(0.0, -net), (1 - net) / 2)


def _last(holds: Callable[[float], bool], inside: float, outside: float) -> float:
    """The last number on the way from ``inside`` to ``outside`` for which something holds."""
    for _ in range(50):
        middle = (inside + outside) / 2
        if middle in (inside, outside):
            break
        inside, outside = (middle, outside) if holds(middle) else (inside, middle)
    return inside
