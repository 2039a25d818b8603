"""The calendar's clock: it goes on evenly whatever the machine's clock does, and knows when it is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import AGREE_S, Clock, Wall, steady

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY_S = 86_400.0


def near(seconds: float) -> Any:
    """Within a millisecond: a millionth of a Unix time, which is what pytest takes for near, is half an hour."""
    return pytest.approx(seconds, abs=1e-3)


class Machine:
    """A machine's two clocks, moved by hand."""

    def __init__(self) -> None:
        self.wall_s = NOON.timestamp()
        self.steady_s = 1_000.0
        self.wall = Wall(lambda: self.wall_s, lambda: self.steady_s)

    def live(self, seconds: float) -> None:
        self.wall_s += seconds
        self.steady_s += seconds


JUMPS = st.floats(-400 * DAY_S, 400 * DAY_S).filter(lambda jump: abs(jump) > AGREE_S)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("live"), st.floats(0, 30 * DAY_S)),
        st.tuples(st.just("trim"), st.floats(-AGREE_S / 4, AGREE_S / 4)),
        st.tuples(st.just("jump"), JUMPS),
    ),
    max_size=20,
)


@given(STEPS)
def test_time_passes_as_it_does_whatever_the_machine_shows(steps: list[tuple[str, float]]) -> None:
    machine = Machine()
    lived = trimmed = 0.0
    for step, seconds in steps:
        match step:
            case "live":
                machine.live(seconds)
                lived += seconds
            case "trim":
                machine.wall_s += seconds
                trimmed += abs(seconds)
            case _:
                machine.wall_s += seconds
        shown = machine.wall() - NOON.timestamp()
        # Only what looks like trimming can move it: small steps, and jumps that end where it began.
        assert abs(shown - lived) <= trimmed + AGREE_S * len(steps)
    calendar = Clock(NOON, NOON.timestamp(), 10_080.0, machine.wall).now()
    assert abs(calendar - NOON) <= timedelta(seconds=10_080 * (lived + trimmed + AGREE_S * len(steps)))


@pytest.mark.parametrize("jump_s", [-400 * DAY_S, -3_600, 3_600, 400 * DAY_S])
def test_a_jump_is_noticed_and_not_followed(jump_s: float) -> None:
    machine = Machine()
    machine.live(60)
    assert machine.wall.jumped_s == 0
    machine.wall_s += jump_s
    machine.live(60)
    assert machine.wall() == near(NOON.timestamp() + 120)
    assert machine.wall.jumped_s == near(jump_s)
    machine.wall_s -= jump_s
    assert machine.wall.jumped_s == 0


def test_a_clock_that_is_trimmed_is_followed() -> None:
    machine = Machine()
    for _ in range(100):
        machine.live(3_600)
        machine.wall_s -= AGREE_S / 2
        assert machine.wall() == near(machine.wall_s)


@pytest.mark.parametrize("off_s", [-400 * DAY_S, -400.0, -AGREE_S - 2, AGREE_S + 2, 400.0, 400 * DAY_S])
def test_a_clock_that_is_wrong_at_the_start_is_put_right_by_the_platforms(off_s: float) -> None:
    machine = Machine()
    truth = machine.wall_s - off_s
    assert machine.wall.compare([truth, truth + 1, truth - 1]) == near(off_s)
    machine.live(60)
    assert machine.wall() == near(truth + 60)
    assert machine.wall.compare([truth + 60]) == 0
    machine.wall_s = truth + 60  # somebody set it
    assert machine.wall.jumped_s == 0
    machine.live(60)
    assert machine.wall() == near(truth + 120)


def test_a_clock_that_jumped_away_from_the_platforms_time_does_not_stop_us() -> None:
    machine = Machine()
    machine.wall_s += 400 * DAY_S
    assert machine.wall.compare([NOON.timestamp() + AGREE_S / 2]) == 0
    assert machine.wall() == near(NOON.timestamp())


def test_platforms_that_do_not_agree_tell_nothing() -> None:
    machine = Machine()
    now = machine.wall_s
    for theirs in (
        [],
        [now - DAY_S, now + DAY_S],
        [now - DAY_S, now - DAY_S, now],
        [now - 400, now],  # one of them is right, and nobody knows which
        [now - 20, now - 20, now + 20],
    ):
        assert machine.wall.compare(theirs) == 0
        assert machine.wall() == now


def test_platforms_that_differ_by_less_than_we_do_from_them_are_believed() -> None:
    machine = Machine()
    now = machine.wall_s
    assert machine.wall.compare([now - 400, now - 400, now - 380]) == near(400)
    assert machine.wall() == now - 400


def test_steady_time_goes_on() -> None:
    first = steady()
    assert 0 <= steady() - first < 5
