"""Ballots: on every channel the bands cover the scale once, and a follower can read them off the labels."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ballot import Ballot, Scale, ballot_of, finest, labels
from core.nps import Band, Group, group_of
from core.words import Words, languages, words_for

SCALES = st.sampled_from(Scale)
SPOKEN = st.sampled_from([words_for(language) for language in languages()])


def shown(scale: Scale, options: int) -> tuple[str, ...]:
    return labels(finest(scale, options=options, option_chars=25, words=words_for("en")), words_for("en"))


def test_eleven_scores_where_they_fit() -> None:
    for options in (11, 12, 25, 100):
        assert shown(Scale.ZERO_TO_TEN, options) == tuple(str(score) for score in range(11))
        assert shown(Scale.ONE_TO_TEN, options) == tuple(str(score) for score in range(1, 11))


def test_ten_options_join_the_two_lowest_scores() -> None:
    assert shown(Scale.ZERO_TO_TEN, 10) == ("0–1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
    assert shown(Scale.ONE_TO_TEN, 10) == ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10")


def test_four_options_are_bands_with_words_best_first() -> None:
    assert shown(Scale.ZERO_TO_TEN, 4) == ("9–10 Gladly", "7–8 Perhaps", "4–6 Rather not", "0–3 No")
    assert shown(Scale.ONE_TO_TEN, 4) == ("9–10 Gladly", "7–8 Perhaps", "4–6 Rather not", "1–3 No")
    assert shown(Scale.ZERO_TO_TEN, 3) == ("9–10 Gladly", "7–8 Perhaps", "0–6 Rather not")


@given(SCALES, st.integers(3, 30), st.integers(25, 300), SPOKEN)
def test_a_ballot_covers_its_scale_once_and_keeps_groups_apart(
    scale: Scale, options: int, option_chars: int, words: Words
) -> None:
    ballot = finest(scale, options=options, option_chars=option_chars, words=words)
    covered = [score for band in sorted(ballot.bands) for score in range(band.low, band.high + 1)]
    assert covered == list(range(scale.lowest, 11))
    for band in ballot.bands:
        assert len({group_of(score) for score in range(band.low, band.high + 1)}) == 1
    assert {band.group for band in ballot.bands} == set(Group)
    assert len(ballot.bands) == min(options, 11 - scale.lowest), "the finest one uses every option that helps"


@given(SCALES, st.integers(3, 30), st.integers(4, 40), SPOKEN)
def test_every_label_fits_and_carries_its_numbers(scale: Scale, options: int, option_chars: int, words: Words) -> None:
    ballot = finest(scale, options=options, option_chars=option_chars, words=words)
    said = labels(ballot, words, option_chars=option_chars)
    assert len(set(said)) == len(said) == len(ballot.bands)
    for label, band in zip(said, ballot.bands, strict=True):
        assert len(label) <= option_chars
        numbers = [int(digits) for digits in re.findall(r"\d+", label)]
        assert numbers == ([band.low] if band.low == band.high else [band.low, band.high])


@given(SPOKEN, SCALES, st.sampled_from([3, 4]))
def test_words_fit_an_option_on_x_in_every_language(words: Words, scale: Scale, options: int) -> None:
    ballot = finest(scale, options=options, option_chars=25, words=words)
    for label, band in zip(labels(ballot, words), ballot.bands, strict=True):
        assert label.startswith(band.label + " ")
        assert len(label) <= 25


@given(SCALES, st.integers(-3, 2))
def test_two_options_cannot_hold_three_groups(scale: Scale, options: int) -> None:
    with pytest.raises(ValueError, match="at least 3"):
        finest(scale, options=options, option_chars=25, words=words_for("en"))


def test_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="longer than the 3 characters"):
        finest(Scale.ZERO_TO_TEN, options=4, option_chars=3, words=words_for("en"))


@given(SCALES, st.integers(3, 30))
def test_a_code_names_one_ballot(scale: Scale, options: int) -> None:
    ballot = finest(scale, options=options, option_chars=25, words=words_for("en"))
    assert ballot_of(ballot.code) == ballot
    assert len(ballot.code) <= 8


def test_codes() -> None:
    assert finest(Scale.ZERO_TO_TEN, options=12, option_chars=100, words=words_for("en")).code == "0-10:11"
    assert finest(Scale.ONE_TO_TEN, options=4, option_chars=25, words=words_for("en")).code == "1-10:4"


@pytest.mark.parametrize("code", ["", "0-10", "0-10:", "0-10:2", "0-10:12", "1-10:11", "0-10:+4", "0-10: 4", "5:5"])
def test_other_codes_are_refused(code: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ballot_of(code)


@pytest.mark.parametrize(
    "bands",
    [
        (),
        (Band(9, 10), Band(7, 8)),
        (Band(9, 10), Band(7, 8), Band(4, 6), Band(1, 3)),
        (Band(9, 10), Band(7, 8), Band(4, 6), Band(3, 6), Band(0, 3)),
        (Band(0, 3), Band(4, 6), Band(7, 8), Band(9, 10)),
    ],
)
def test_gaps_overlaps_and_another_order_are_no_ballot(bands: tuple[Band, ...]) -> None:
    with pytest.raises(ValueError, match="ballot on 0-10"):
        Ballot(Scale.ZERO_TO_TEN, bands)
