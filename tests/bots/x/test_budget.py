"""The windows in which X counts calls."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.x.budget import DAY_S, QUARTER_S, Budget, Window, budgets, route


def _headers(remaining: int, ends_at: int, name: str = "x-rate-limit") -> dict[str, str]:
    return {f"{name}-remaining": str(remaining), f"{name}-reset": str(ends_at)}


def test_a_window_allows_its_limit_and_then_waits_for_its_end() -> None:
    window = Window(2)
    for _ in range(2):
        assert window.wait_s(1000.0) == 0.0
        window.spend(1000.0)
        window.learn({}, 1003.0)
    assert window.wait_s(1010.0) == pytest.approx(QUARTER_S - 7.0)
    assert window.wait_s(1003.0 + QUARTER_S) == 0.0


def test_an_answer_without_headers_dates_the_window_from_the_first_answer() -> None:
    window = Window(2)
    window.spend(1000.0)
    window.learn({}, 1005.0)
    window.spend(1100.0)
    window.learn({}, 1105.0)
    assert window.ends_at == 1005.0 + QUARTER_S


def test_headers_are_believed_over_our_own_count() -> None:
    window = Window(15)
    window.spend(1000.0)
    window.learn(_headers(0, 1500), 1001.0)
    assert window.wait_s(1400.0) == pytest.approx(101.0)
    assert window.wait_s(1501.0) == 0.0


def test_a_header_about_something_larger_does_not_raise_our_limit() -> None:
    window = Window(2)
    window.spend(1000.0)
    window.learn(_headers(39_998, 1900), 1001.0)
    assert window.left == 1


@pytest.mark.parametrize("headers", [{"x-rate-limit-remaining": "-1"}, _headers(3, 1) | {"x-rate-limit-reset": "soon"}])
def test_headers_that_are_no_numbers_are_ignored(headers: dict[str, str]) -> None:
    window = Window(15)
    window.spend(1000.0)
    window.learn(headers, 1000.0)
    assert (window.left, window.ends_at) == (14, 1000.0 + QUARTER_S)


def test_429_without_a_reset_ahead_waits_a_whole_window() -> None:
    budget = Budget((Window(15), Window(1440, DAY_S, "x-user-limit-24hour")))
    budget.spend(1000.0)
    budget.learn(_headers(3, 900), 1000.0)
    budget.exhaust(1000.0)
    assert budget.wait_s(1000.0) == QUARTER_S


@pytest.mark.parametrize("headers", [{}, _headers(0, 1900)])
def test_a_clock_that_is_set_back_does_not_hold_a_window_for_ever(headers: dict[str, str]) -> None:
    year = 365 * DAY_S
    window = Window(1)
    window.spend(year + 1000.0)
    window.learn(_headers(0, int(year) + 1900), year + 1000.0)
    assert window.wait_s(year + 990.0) == 911.0
    assert window.wait_s(1000.0) == 0.0
    window.spend(1000.0)
    window.learn(headers, 1000.0)
    assert window.wait_s(1000.0) == pytest.approx(QUARTER_S, abs=1.0)


def test_429_of_the_day_waits_for_the_day() -> None:
    budget = Budget((Window(15), Window(1440, DAY_S, "x-user-limit-24hour")))
    budget.spend(1000.0)
    budget.learn(_headers(3, 1900) | _headers(0, 50_000, "x-user-limit-24hour"), 1000.0)
    budget.exhaust(1000.0)
    assert budget.wait_s(1000.0) == pytest.approx(49_001.0)


def test_the_published_limits_of_one_account() -> None:
    table = {name: [(window.limit, window.length_s) for window in budget.windows] for name, budget in budgets().items()}
    assert table == {
        "GET /2/users/me": [(75, 900.0)],
        "GET /2/users/:id/mentions": [(300, 900.0)],
        "GET /2/dm_events": [(15, 900.0)],
        "GET /2/tweets": [(900, 900.0)],
        "GET /2/users/:id/tweets": [(900, 900.0)],
        "GET /2/dm_conversations/with/:id/dm_events": [(15, 900.0)],
        "POST /2/tweets": [(100, 900.0)],
        "POST /2/media/upload": [(500, 900.0)],
        "POST /2/dm_conversations/with/:id/messages": [(15, 900.0), (1440, 86_400.0)],
    }


def test_routes() -> None:
    assert route("GET", "/2/users/15/mentions") == "GET /2/users/:id/mentions"
    assert route("POST", "/2/dm_conversations/with/2244994945/messages") in budgets()
    assert route("GET", "/2/tweets") in budgets()


@settings(deadline=None)
@given(
    gaps=st.lists(st.floats(0.0, 400.0), min_size=1, max_size=200),
    with_headers=st.booleans(),
    lag=st.floats(0.0, 120.0),
)
def test_x_never_sees_more_than_it_allows(gaps: list[float], with_headers: bool, lag: float) -> None:
    """X's own count: a window begins, on a whole second, when a call arrives, ``lag`` after it left. Without headers
    nobody can know on which side of the end a slow call arrived: that is promised for quick calls only."""
    lag = lag if with_headers else 0.0
    window, now, ends_at, used = Window(3), 1000.0, 0.0, 0
    for gap in gaps:
        now += gap
        now += window.wait_s(now)
        window.spend(now)
        arrived = now + lag
        if arrived >= ends_at:
            ends_at, used = float(int(arrived) + int(QUARTER_S)), 0
        used += 1
        assert used <= 3
        now = arrived
        window.learn(_headers(3 - used, int(ends_at)) if with_headers else {}, now)
