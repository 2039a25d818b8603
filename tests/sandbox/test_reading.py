"""How followers read what the bot posted: labels, scales and the buttons that are no scores."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sandbox.reading import Scores, dm_button, form_button, names_scale, option_for, score_buttons, scores_of
from sandbox.seam import Post, PostButton


@pytest.mark.parametrize(
    ("label", "scores"),
    [("7", (7, 7)), ("10 extremely likely", (10, 10)), ("9–10 · very likely", (9, 10)), ("0-3", (0, 3)), ("9️⃣", (9, 9))],
)
def test_labels_are_read(label: str, scores: tuple[int, int]) -> None:
    assert scores_of(label) == Scores(*scores)


@pytest.mark.parametrize("label", ["Tell us why", "Ask me by DM", "11", "1 2 3", "2026"])
def test_labels_without_a_score_are_left(label: str) -> None:
    assert scores_of(label) is None


def test_a_band_that_straddles_two_groups_is_noticed() -> None:
    assert Scores(6, 7).straddles
    assert Scores(8, 9).straddles
    assert not Scores(0, 6).straddles
    assert not Scores(9, 10).straddles


def test_the_option_of_a_score_is_found_whatever_the_order() -> None:
    bands = ("9–10", "7–8", "4–6", "0–3")
    assert [option_for(bands, score) for score in range(11)] == [3, 3, 3, 3, 2, 2, 2, 1, 1, 0, 0]
    assert option_for(("1", "2"), 3) is None


@pytest.mark.parametrize(
    ("text", "lowest", "asks"),
    [
        ("On a scale from 0 (never) to 10 (surely)?", 0, True),
        ("How likely, 1–10?", 1, True),
        ("How likely, 1–10?", 0, False),
        ("You said 0 out of 10. Why?", 0, False),
        ("You said 0/10. Why?", 0, False),
        ("Thanks for your 10!", 0, False),
    ],
)
def test_a_question_names_both_ends_of_the_scale(text: str, lowest: int, asks: bool) -> None:
    assert names_scale(text, lowest) is asks


@pytest.mark.parametrize(
    ("dm_label", "why_label"), [("Ask me by DM", "Tell us why"), ("En message privé", "Pourquoi ?")]
)
def test_buttons_are_told_apart_by_their_labels(dm_label: str, why_label: str) -> None:
    nine, dm, why = PostButton("9", "a"), PostButton(dm_label, "b"), PostButton(why_label, "c")
    post = Post("discord", "dc", "1", None, "1", "?", datetime(2026, 11, 16, tzinfo=UTC), buttons=(nine, dm, why))
    assert score_buttons(post) == [nine]
    assert dm_button(post) == dm
    assert form_button(post) == why
