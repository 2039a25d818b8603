"""Over how many weeks the score of the headline is taken: the fewest that bring enough answers, fixed for a quarter."""

from __future__ import annotations

from collections.abc import Callable

WIDTHS = (1, 4, 13)
"""Weeks that a window may have: a week, four, a quarter."""

ENOUGH = 400
"""Answers that a window should have: its range is then some 8 points either way."""

_WEEKS = 13


def quarter_begins(key: str) -> str:
    """The first week of the quarter that a week lies in: ``2026-W40`` for ``2026-W47``. The fourth quarter of a long
    year has 14 weeks."""
    year, week = key.split("-W")
    quarter = min((int(week) - 1) // _WEEKS, 3)
    return f"{year}-W{quarter * _WEEKS + 1:02}"


def width_of(answers: Callable[[int], float]) -> int:
    """The fewest weeks of ``WIDTHS`` that bring ``ENOUGH`` answers, else the most; ``answers`` tells how many a window
    of so many weeks brought."""
    return next((weeks for weeks in WIDTHS if answers(weeks) >= ENOUGH), WIDTHS[-1])
