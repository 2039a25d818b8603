"""The score and its range: exact arithmetic, and coverage computed without drawing lots."""

from fractions import Fraction
from math import comb, log
from timeit import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.nps import (
    Band,
    Group,
    Tally,
    exact_nps,
    group_of,
    nps,
    per_hundred,
    rounded,
    score_range,
    tally,
)

COUNTS = st.integers(0, 100_000)
TALLIES = st.builds(Tally, COUNTS, COUNTS, COUNTS)
ANSWERED = TALLIES.filter(lambda t: t.n > 0)


def mirrored(tally: Tally) -> Tally:
    return Tally(tally.detractors, tally.passives, tally.promoters)


@pytest.mark.parametrize(
    ("counts", "score"),
    [
        ((0, 0, 0), None),
        ((1, 0, 0), 100),
        ((0, 1, 0), 0),
        ((0, 0, 1), -100),
        ((5, 0, 3), 25),
        ((1, 7, 0), 13),  # 12.5
        ((0, 7, 1), -13),
        ((1, 199, 0), 1),  # 0.5
        ((0, 199, 1), -1),
        ((1, 200, 0), 0),
        ((0, 200, 1), 0),
        ((2, 1, 0), 67),
    ],
)
def test_halves_go_away_from_zero(counts: tuple[int, int, int], score: int | None) -> None:
    assert nps(Tally(*counts)) == score


@given(ANSWERED)
def test_the_score_is_the_nearest_whole_number(tally: Tally) -> None:
    exact, said = exact_nps(tally), nps(tally)
    assert exact is not None
    assert said is not None
    assert exact == Fraction(100 * (tally.promoters - tally.detractors), tally.n)
    assert abs(said - exact) <= Fraction(1, 2)
    assert -100 <= said <= 100
    assert nps(mirrored(tally)) == -said


@given(st.integers(-1000, 1000))
def test_a_half_is_rounded_away_from_zero(whole: int) -> None:
    half = whole + Fraction(1, 2) if whole >= 0 else whole - Fraction(1, 2)
    assert rounded(half) == rounded(float(half)) == (whole + 1 if whole >= 0 else whole - 1)
    assert rounded(whole) == whole


@given(st.lists(st.integers(0, 10)))
def test_scores_and_their_bands_give_one_tally(scores: list[int]) -> None:
    counted = tally((Band(score, score), 1) for score in scores)
    groups = [group_of(score) for score in scores]
    assert counted == Tally(*(groups.count(group) for group in (Group.PROMOTER, Group.PASSIVE, Group.DETRACTOR)))


@given(TALLIES, TALLIES)
def test_tallies_add_up(one: Tally, other: Tally) -> None:
    assert (one + other).n == one.n + other.n
    assert one + other == other + one


@given(ANSWERED)
def test_a_range_holds_its_score_and_mirrors(tally: Tally) -> None:
    found, other = score_range(tally), score_range(mirrored(tally))
    assert found is not None
    assert other is not None
    low, high = found
    exact = exact_nps(tally)
    assert exact is not None
    assert -100 <= low <= float(exact) <= high <= 100
    assert (low, high) == pytest.approx((-other[1], -other[0]), abs=1e-6)


@given(ANSWERED)
def test_more_confidence_and_fewer_answers_widen_the_range(tally: Tally) -> None:
    def width(found: tuple[float, float] | None) -> float:
        assert found is not None
        return found[1] - found[0]

    assert width(score_range(tally, 0.8)) < width(score_range(tally, 0.99))
    tenfold = Tally(10 * tally.promoters, 10 * tally.passives, 10 * tally.detractors)
    assert width(score_range(tenfold)) < width(score_range(tally))


def test_nobody_answered_has_no_range() -> None:
    assert score_range(Tally()) is None


@pytest.mark.parametrize("counts", [(40, 100, 20), (190, 130, 92), (3, 5, 2), (7, 0, 1), (9, 1, 0)])
def test_at_its_edges_the_test_just_rejects(counts: tuple[int, int, int]) -> None:
    """Against the definition: the likeliest mix with that net, found by search instead of by formula."""
    promoters, _, detractors = counts
    n = sum(counts)
    found = score_range(Tally(*counts))
    assert found is not None
    for edge in (found[0] / 100, found[1] / 100):

        def likelihood(share: float, edge: float = edge) -> float:
            """Of a share of detractors, when the net is ``edge``."""
            shares = (share + edge, 1 - 2 * share - edge, share)
            return sum(count * log(max(p, 1e-300)) for count, p in zip(counts, shares, strict=True) if count)

        low, high = max(0.0, -edge), (1 - edge) / 2
        for _ in range(200):  # the likelihood has one peak: close in on it
            third = (high - low) / 3
            if likelihood(low + third) < likelihood(high - third):
                low += third
            else:
                high -= third
        variance = 2 * low + edge - edge**2
        z = ((promoters - detractors) / n - edge) / (variance / n) ** 0.5
        assert abs(z) == pytest.approx(1.959964, abs=1e-4)


def mixes(steps: int = 40) -> list[tuple[float, float, float]]:
    """Every mix of three groups in steps of 1/40 with none of them empty: 741."""
    return [(p / steps, (steps - p - d) / steps, d / steps) for p in range(1, steps - 1) for d in range(1, steps - p)]


@pytest.mark.parametrize(("n", "least"), [(5, 0.9165), (10, 0.9315)])
def test_the_range_covers_as_often_as_it_says(n: int, least: float) -> None:
    samples = [(p, n - p - d, d) for p in range(n + 1) for d in range(n + 1 - p)]
    ranges = {sample: score_range(Tally(*sample)) for sample in samples}
    ways = {(p, q, d): comb(n, p) * comb(n - p, d) for p, q, d in samples}
    worst, mean = 1.0, 0.0
    for promoters, passives, detractors in mixes():
        net = 100 * (promoters - detractors)
        covered = 0.0
        for p, q, d in samples:
            low, high = ranges[p, q, d] or (0.0, 0.0)
            if low - 1e-6 <= net <= high + 1e-6:
                covered += ways[p, q, d] * promoters**p * passives**q * detractors**d
        worst, mean = min(worst, covered), mean + covered / 741
    assert len(mixes()) == 741
    assert worst >= least
    assert 0.95 <= mean <= 0.975


@given(ANSWERED)
def test_a_hundred_stands_for_all(tally: Tally) -> None:
    shares = per_hundred(tally)
    assert sum(shares) == 100
    for share, count in zip(shares, (tally.promoters, tally.passives, tally.detractors), strict=True):
        assert abs(share - Fraction(100 * count, tally.n)) < 1


@given(ANSWERED)
def test_the_first_less_the_last_is_the_score_wherever_it_can_be(tally: Tally) -> None:
    promoters, _, detractors = per_hundred(tally)
    assert abs(promoters - detractors - (nps(tally) or 0)) <= 1


def test_a_hundred_adds_up_to_the_score() -> None:
    assert per_hundred(Tally(1, 1, 1)) == (33, 34, 33)
    assert per_hundred(Tally(301, 167, 130)) == (51, 27, 22)  # NPS 28.6, which is said as 29
    with pytest.raises(ValueError, match="nobody answered"):
        per_hundred(Tally())


def test_a_range_takes_less_than_a_millisecond() -> None:
    runs = repeat(lambda: score_range(Tally(190, 130, 92)), number=20, repeat=5)
    assert min(runs) / 20 < 1e-3
