"""How many weeks the headline speaks of."""

import pytest

from core.periods import quarter_begins, width_of


@pytest.mark.parametrize(
    ("week", "first"),
    [
        ("2026-W01", "2026-W01"),
        ("2026-W13", "2026-W01"),
        ("2026-W14", "2026-W14"),
        ("2026-W39", "2026-W27"),
        ("2026-W40", "2026-W40"),
        ("2026-W53", "2026-W40"),
        ("2027-W01", "2027-W01"),
    ],
)
def test_a_quarter_has_thirteen_weeks_and_the_last_takes_the_rest(week: str, first: str) -> None:
    assert quarter_begins(week) == first


@pytest.mark.parametrize(
    ("a_week", "weeks"), [(500, 1), (400, 1), (399, 4), (100, 4), (99, 13), (31, 13), (3, 13), (0, 13)]
)
def test_the_fewest_weeks_that_bring_enough(a_week: int, weeks: int) -> None:
    assert width_of(lambda n: n * a_week) == weeks
