"""How far a score moved: at the same mix of channels, and how often chance alone is taken for more."""

from dataclasses import replace
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.change import Change, Comparison, Period, Verdict, Why, change, compare
from core.nps import Tally

COUNTS = st.integers(0, 100_000)
ANSWERED = st.builds(Tally, COUNTS, COUNTS, COUNTS).filter(lambda t: t.n > 0)
STRATA = st.lists(st.tuples(ANSWERED, ANSWERED), min_size=1, max_size=5)


@given(STRATA)
def test_a_change_lies_in_its_range_and_turns_round(strata: list[tuple[Tally, Tally]]) -> None:
    there, back = change(strata), change((after, before) for before, after in strata)
    assert isinstance(there, Change)
    assert isinstance(back, Change)
    assert -200 <= there.low <= float(there.delta) <= there.high <= 200
    assert (there.delta, there.low, there.high) == pytest.approx((-back.delta, -back.high, -back.low), abs=1e-6)


@given(STRATA)
def test_a_channel_without_answers_in_either_period_says_nothing(strata: list[tuple[Tally, Tally]]) -> None:
    more = [*strata, (Tally(), strata[0][1]), (strata[0][0], Tally()), (Tally(), Tally())]
    assert change(more) == change(strata)
    assert change([(Tally(), Tally(1)), (Tally(1), Tally())]) is None


@given(STRATA.filter(lambda strata: len(strata) > 1))
def test_the_order_of_the_channels_is_all_one(strata: list[tuple[Tally, Tally]]) -> None:
    there, turned = change(strata), change(strata[::-1])
    assert there is not None
    assert turned is not None
    assert there.delta == turned.delta
    assert (there.low, there.high) == pytest.approx((turned.low, turned.high), abs=1e-9)


def test_a_busier_channel_is_not_a_happier_follower() -> None:
    """Nobody's opinion moved; the happy channel just spoke up. The plain score rises by 30."""
    happy, unhappy = Tally(80, 10, 10), Tally(10, 10, 80)
    before = Period(weeks=4, channels={"group": happy, "direct": Tally(40, 40, 320)})
    now = Period(weeks=4, channels={"group": Tally(320, 40, 40), "direct": unhappy})
    assert before.total.n == now.total.n == 500
    found = change([(happy, Tally(320, 40, 40)), (Tally(40, 40, 320), unhappy)])
    assert found is not None
    assert found.delta == 0
    assert (compare(before, now).verdict, compare(before, now).delta) == (Verdict.CHANCE, 0)


@pytest.mark.parametrize("split", [2, 3, 6, 12])
@pytest.mark.parametrize("answers", [Tally(4, 2, 4), Tally(7, 2, 1), Tally(5, 0, 5), Tally(1, 8, 1)])
def test_as_many_answers_are_as_telling_in_one_channel_as_in_several(answers: Tally, split: int) -> None:
    one, many = change([(sum([answers] * split, Tally()),) * 2]), change([(answers, answers)] * split)
    assert one is not None
    assert many is not None
    assert (many.high - many.low) / (one.high - one.low) == pytest.approx(1, abs=0.03)


def test_each_channel_counts_with_the_mean_of_its_shares() -> None:
    found = change([(Tally(10, 0, 0), Tally(15, 0, 15)), (Tally(0, 30, 0), Tally(0, 10, 0))])
    assert found is not None
    assert found.delta == (Fraction(10, 40) + Fraction(30, 40)) / 2 * -100


@pytest.mark.parametrize("mix", [(0.5, 0.3, 0.2), (0.3, 0.3, 0.4), (0.6, 0.2, 0.2)])
def test_equal_weeks_seldom_look_different(mix: tuple[float, float, float]) -> None:
    """Exact type-I error of 10 against 10 answers: near 5 %."""
    n = 10
    samples = [Tally(p, n - p - d, d) for p in range(n + 1) for d in range(n + 1 - p)]
    chance = {
        t: comb(n, t.promoters)
        * comb(n - t.promoters, t.detractors)
        * mix[0] ** t.promoters
        * mix[1] ** t.passives
        * mix[2] ** t.detractors
        for t in samples
    }
    alarms = 0.0
    for before in samples:
        for after in samples:
            found = change([(before, after)])
            assert found is not None
            if found.low > 0 or found.high < 0:
                alarms += chance[before] * chance[after]
    assert 0.035 <= alarms <= 0.06


def period(*counts: int, **channels: Tally) -> Period:
    return Period(weeks=4, channels=channels or {"dm": Tally(*counts)})


@pytest.mark.parametrize(
    ("before", "now", "verdict", "delta"),
    [
        (None, period(40, 0, 0), Verdict.NOTHING_BEFORE, 0),
        (period(), period(40, 0, 0), Verdict.NOTHING_BEFORE, 0),
        (period(0, 0, 500), period(29, 0, 0), Verdict.TOO_FEW, 0),
        (period(0, 0, 29), period(500, 0, 0), Verdict.TOO_FEW, 0),
        (period(20, 5, 5), period(10, 10, 10), Verdict.RARE, -50),
        (period(10, 10, 10), period(12, 10, 10), Verdict.CHANCE, 6),
        (period(10, 10, 10), period(20, 10, 20), Verdict.CHANCE, 0),
        (period(2000, 900, 1000), period(2000, 900, 1020), Verdict.STEADY, -1),
        (period(20000, 9000, 11500), period(20000, 9000, 10000), Verdict.RARE, 5),
    ],
)
def test_the_verdict(before: Period | None, now: Period, verdict: Verdict, delta: int) -> None:
    found = compare(before, now)
    assert (found.verdict, found.delta) == (verdict, delta)
    assert found.measured == (verdict in (Verdict.RARE, Verdict.CHANCE, Verdict.STEADY))
    assert found.low <= found.delta <= found.high


def test_what_has_to_be_surer_is_rarer_called_rare_and_the_range_says_why() -> None:
    before, now = period(40, 30, 30), period(54, 26, 20)
    usual, surer = compare(before, now), compare(before, now, 0.9973)
    assert (usual.verdict, surer.verdict) == (Verdict.RARE, Verdict.CHANCE)
    assert usual.delta == surer.delta
    assert usual.low > 0 > surer.low


def ballots(**shown: str) -> dict[str, frozenset[str]]:
    return {channel: frozenset({ballot}) for channel, ballot in shown.items()}


BOTH = period(group=Tally(40, 20, 20), dm=Tally(30, 10, 10))
ONE = period(dm=Tally(60, 20, 20))
EVERYWHERE = frozenset({"group", "dm"})


@pytest.mark.parametrize(
    ("before", "now", "why"),
    [
        (ONE, BOTH, Why.JOINED),
        (BOTH, ONE, Why.LEFT),
        (period(group=Tally(), dm=Tally(60, 20, 20)), BOTH, Why.JOINED),
        (replace(ONE, asked=EVERYWHERE), BOTH, Why.HARDLY),
        (period(dm=Tally(60, 20, 20), group=Tally(0, 0, 3)), BOTH, Why.HARDLY),
        (BOTH, replace(ONE, asked=EVERYWHERE), Why.HARDLY),
        (
            replace(BOTH, ballots=ballots(group="eleven", dm="eleven")),
            replace(BOTH, ballots=ballots(group="four", dm="eleven")),
            Why.BALLOT,
        ),
    ],
)
def test_unlike_periods_are_not_compared(before: Period, now: Period, why: Why) -> None:
    assert compare(before, now) == Comparison(verdict=Verdict.NOT_COMPARABLE, why=why, channel="group")


def test_three_people_do_not_stand_for_a_channel() -> None:
    """By themselves they would make it "up 31: chance alone rarely does this"."""
    before = period(a=Tally(150, 75, 75), b=Tally(0, 0, 3))
    found = compare(before, period(a=Tally(150, 75, 75), b=Tally(120, 60, 20)))
    assert (found.verdict, found.why, found.channel) == (Verdict.NOT_COMPARABLE, Why.HARDLY, "b")


def test_many_small_channels_are_put_together() -> None:
    small = {f"c{n}": Tally(3, 1, 1) for n in range(8)}
    worse = {f"c{n}": Tally(1, 1, 3) for n in range(8)}
    found = compare(period(**small), period(**worse))
    assert (found.verdict, found.delta) == (Verdict.RARE, -80)
    assert compare(period(**small), period(**small)).delta == 0


@pytest.mark.parametrize(
    "now",
    [
        period(dm=Tally(60, 20, 20), group=Tally(0, 0, 5)),
        period(dm=Tally(60, 20, 20), group=Tally()),
        replace(ONE, ballots=ballots(dm="four")),
        replace(ONE, asked=EVERYWHERE, ballots=ballots(group="four")),
    ],
)
def test_a_channel_that_hardly_counts_may_come_and_go(now: Period) -> None:
    first = replace(ONE, ballots=ballots(group="eleven"))
    assert (compare(first, now).verdict, compare(first, now).delta) == (Verdict.CHANCE, 0)
    assert compare(now, first).verdict is Verdict.CHANCE


def test_many_that_hardly_count_do_count_together() -> None:
    more = {f"new{n}": Tally(0, 0, 4) for n in range(6)}
    found = compare(ONE, period(dm=Tally(60, 20, 20), **more))
    assert (found.verdict, found.why) == (Verdict.NOT_COMPARABLE, Why.HARDLY)
