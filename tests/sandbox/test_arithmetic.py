"""The judges' arithmetic: held against what can be reckoned otherwise, and against Vouch's own."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.change import FEWEST_TO_COMPARE as COMPARED
from core.nps import Tally, nps, per_hundred, rounded, score_range
from core.periods import ENOUGH as WANTED
from core.periods import quarter_begins
from core.report import FEWEST as SAID
from sandbox.arithmetic import (
    ENOUGH,
    FEWEST,
    FEWEST_TO_COMPARE,
    chance_range,
    is_of_a_hundred,
    is_range,
    quarter,
    score,
)

COUNTS = st.integers(0, 12) | st.integers(0, 100_000)
ANSWERED = st.tuples(COUNTS, COUNTS, COUNTS).filter(any)


@pytest.mark.parametrize(
    ("groups", "said"),
    [((5, 3, 0), 63), ((0, 3, 5), -63), ((3, 0, 1), 50), ((1, 7, 0), 13), ((0, 7, 1), -13), ((0, 0, 0), None)],
)
def test_a_score_by_hand(groups: tuple[int, int, int], said: int | None) -> None:
    assert score(*groups) == said


@pytest.mark.parametrize(
    ("groups", "low", "high"),
    [
        ((10, 0, 0), 44.49, 100.0),  # Wilson of 10 of 10, 72.25 % to 100 %, doubled, less 100
        ((8, 0, 2), -1.97, 88.66),  # Wilson of 8 of 10, 49.02 % to 94.33 %
        ((0, 10, 0), -27.75, 27.75),  # z²/(n + z²)
    ],
)
def test_ranges_that_can_be_reckoned_otherwise(groups: tuple[int, int, int], low: float, high: float) -> None:
    assert chance_range(*groups) == pytest.approx((low, high), abs=0.01)


@given(ANSWERED)
def test_vouch_and_its_judges_agree(groups: tuple[int, int, int]) -> None:
    tally = Tally(*groups)
    bounds = score_range(tally)
    assert bounds is not None
    assert score(*groups) == nps(tally)
    assert chance_range(*groups) == pytest.approx(bounds, abs=1e-6)
    low, high = map(rounded, bounds)
    assert is_range(low, high, *groups)
    assert not is_range(low - 1, high, *groups)
    assert not is_range(low, high + 1, *groups)
    assert is_of_a_hundred(per_hundred(tally), *groups)


@given(ANSWERED)
def test_few_ways_stand_for_a_tally_of_a_hundred(groups: tuple[int, int, int]) -> None:
    n = sum(groups)
    right = [
        (p, 100 - p - d, d)
        for p, d in product(range(101), repeat=2)
        if p + d <= 100 and is_of_a_hundred((p, 100 - p - d, d), *groups)
    ]
    assert 1 <= len(right) <= 2
    for way in right:
        assert all(abs(said - 100 * count / n) < 1 for said, count in zip(way, groups, strict=True))


def test_the_numbers_of_the_rule_are_the_same() -> None:
    assert (FEWEST, FEWEST_TO_COMPARE, ENOUGH) == (SAID, COMPARED, WANTED)
    for week in range(1, 54):
        begins = quarter_begins(f"2026-W{week:02}")
        assert quarter(f"2026-W{week:02}") == ("2026", math.floor(int(begins[-2:]) / 13))
