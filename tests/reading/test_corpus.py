"""How well the reader reads what was labelled by hand: the promise of ``docs/reading.md``, in all and by language."""

from __future__ import annotations

import pytest

from tests.reading.corpus import LANGUAGES, later_replies, measured, replies


def test_there_are_enough_replies_in_every_language() -> None:
    assert len(replies()) >= 1_500
    assert len(LANGUAGES) == 16
    assert len({(reply.language, reply.text, reply.scale) for reply in replies()}) == len(replies())


def test_scores_are_read_as_they_were_meant() -> None:
    result = measured(replies())
    assert result.exact >= 0.99, result.counts
    assert result.false <= 0.01, result.counts
    assert result.intent >= 0.97, result.counts


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_is_left_behind(language: str) -> None:
    ours, later = (
        measured(reply for reply in its if reply.language == language) for its in (replies(), later_replies())
    )
    assert ours.exact >= 0.96, ours.counts
    assert ours.false <= 0.03, ours.counts
    assert ours.intent >= 0.94, ours.counts
    assert later.exact >= 0.88, later.counts


def test_replies_that_came_later_are_read_nearly_as_well() -> None:
    result = measured(later_replies())
    assert len(later_replies()) >= 1_500
    assert result.exact >= 0.95, result.counts
    assert result.false <= 0.015, result.counts
    assert result.missed <= 0.04, result.counts
    assert result.intent >= 0.93, result.counts


def test_what_is_left_is_the_comment() -> None:
    told = [reply for reply in replies() if reply.comment is not None and reply.read().score == reply.score]
    right = sum(reply.read().comment.strip(" .!。！") == (reply.comment or "").strip(" .!。！") for reply in told)
    assert right >= 0.95 * len(told)
