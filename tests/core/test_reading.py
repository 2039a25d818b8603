"""Reading what people write: whole numbers, commands and stop words; whatever else comes is kept as it is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ballot import Scale
from core.reading import LONGEST_BYTES, Reading, read

SCALES = st.sampled_from(Scale)
ZEROS = [chr(c) for c in range(0x110000) if unicodedata.decimal(chr(c), None) == 0]
ANYTHING = st.text(st.characters(), max_size=200)  # lone surrogates and NUL included


@given(SCALES, st.integers(0, 10), st.sampled_from(ZEROS), st.sampled_from(["", " ", "\n\t", "\u00a0"]))
def test_a_number_alone_is_a_score_in_every_script(scale: Scale, score: int, zero: str, space: str) -> None:
    written = "".join(chr(ord(zero) + int(digit)) for digit in str(score))
    found = read(space + written + space, scale)
    if score >= scale.lowest:
        assert found == Reading(score=score, intent="score")
    else:
        assert found == Reading(comment=written, intent="comment", ambiguous=True)


@pytest.mark.parametrize(
    ("text", "score"),
    [("9", 9), ("9/10", 9), ("9 / 10", 9), ("9!", 9), ("10 !!!", 10), ("7.", 7), ("07", 7), ("０", 0), ("９／１０", 9)],
)
def test_numbers_as_people_write_them(text: str, score: int) -> None:
    assert read(text, Scale.ZERO_TO_TEN) == Reading(score=score, intent="score")


@pytest.mark.parametrize("text", ["11", "100", "9/5", "9/100", "0/0", "123456789"])
def test_a_number_off_the_scale_is_asked_again(text: str) -> None:
    assert read(text, Scale.ZERO_TO_TEN) == Reading(comment=text, intent="comment", ambiguous=True)


@pytest.mark.parametrize(
    "text", ["-3", "9.5", "9 or 10", "nine", "²", "½", "I gave you a 9", "9 thanks", "10 10", "9,5", "1" * 5000]
)
def test_anything_else_is_a_comment(text: str) -> None:
    found = read(text, Scale.ZERO_TO_TEN)
    assert (found.score, found.intent, found.ambiguous) == (None, "comment", False)
    assert found.comment == text[:LONGEST_BYTES]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("/stop", "stop"),
        ("/STOP", "stop"),
        ("/stop@AcmeBot", "stop"),
        ("/stop please, now", "stop"),
        ("stop", "stop"),
        ("  Stop! ", "stop"),
        ("STOP.", "stop"),
        ("« Stop »", "stop"),
        ("STOP 🙏🏽", "stop"),
        ("ＳＴＯＰ", "stop"),
        ("unsubscribe", "stop"),
        ("Arrêt", "stop"),
        ("arre\u0302t", "stop"),
        ("ARRET", "stop"),
        ("Désabonnez-moi !", "stop"),
        ("/help", "help"),
        ("Aide ?", "help"),
        ("/delete", "delete"),
        ("Delete my data.", "delete"),
        ("/start", "none"),
        ("/start abc_DEF-1", "none"),
        ("", "none"),
        (" \n\t\u3000", "none"),
        ("\x00", "none"),
    ],
)
def test_wishes(text: str, intent: str) -> None:
    found = read(text, Scale.ZERO_TO_TEN)
    assert found.intent == intent
    assert (found.score, found.comment, found.ambiguous) == (None, "", False)


@pytest.mark.parametrize("text", ["stop asking for features", "I can't stop using it", "/shrug", "/", "non-stop fun"])
def test_a_stop_word_in_a_sentence_is_no_wish(text: str) -> None:
    assert read(text, Scale.ZERO_TO_TEN) == Reading(comment=text, intent="comment")


@given(ANYTHING, SCALES)
def test_any_text_is_read_and_can_be_kept(text: str, scale: Scale) -> None:
    found = read(text, scale)
    assert len(found.comment.encode("utf-8")) <= LONGEST_BYTES
    assert "\x00" not in found.comment
    assert (found.score is not None) == (found.intent == "score")
    assert found.score is None or scale.lowest <= found.score <= 10
    assert bool(found.comment) == (found.intent == "comment")
    assert not found.ambiguous or found.intent == "comment"
    assert read(found.comment, scale).comment == found.comment


@given(st.text(min_size=1, max_size=4), st.integers(1000, 3000))
def test_long_text_is_cut_between_characters(piece: str, times: int) -> None:
    text = "x" + piece * times + "x"
    found = read(text, Scale.ZERO_TO_TEN)
    assert len(found.comment.encode("utf-8")) <= LONGEST_BYTES
    assert text.replace("\x00", "").startswith(found.comment)
