"""What holds of every text that is read, whatever the lexicons say; what they say is in ``tests/reading``."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.ballot import Scale
from core.reading import LONGEST_BYTES, Reading, comes_back, guarded, read, read_or_raise
from core.reading.fold import fold
from core.reading.shapes import HEAD, TAIL

SCALES = st.sampled_from(Scale)
ZEROS = [chr(c) for c in range(0x110000) if unicodedata.decimal(chr(c), None) == 0]
ANYTHING = st.text(st.characters(), max_size=200)  # lone surrogates and NUL included
SPACES = st.text(st.sampled_from(" \t\n\u00a0\u3000"), max_size=3)
FRIENDLY = st.sampled_from(["", "🙂", "👍🏽", "❤️", "🎉🎉", "👨‍👩‍👧"])


@given(SCALES, st.integers(0, 10), st.sampled_from(ZEROS), SPACES)
def test_a_number_alone_is_a_score_in_every_script(scale: Scale, score: int, zero: str, space: str) -> None:
    written = "".join(chr(ord(zero) + int(digit)) for digit in str(score))
    found = read(space + written + space, scale)
    if score >= scale.lowest:
        assert found == Reading(score=score, intent="score")
    else:
        assert found == Reading(comment=written, intent="comment", ambiguous=True)


@pytest.mark.parametrize(
    ("text", "score"),
    [
        *(
            ("9", 9),
            ("9/10", 9),
            ("9 / 10", 9),
            ("9!", 9),
            ("10 !!!", 10),
            ("7.", 7),
            ("07", 7),
            ("０", 0),
            ("９／１０", 9),
        ),
        *(("9️⃣", 9), ("1️⃣0️⃣", 10), ("🔟", 10), ("⑨", 9), ("⑩", 10), ("❻", 6), ("八", 8), ("1̶0̶ 5", 5)),
    ],
)
def test_numbers_as_people_write_them(text: str, score: int) -> None:
    assert read(text, Scale.ZERO_TO_TEN) == Reading(score=score, intent="score")


@pytest.mark.parametrize(
    "text", ["11", "100", "9/5", "9/100", "-3", "9.5", "9,5", "7½", "7-8", "9 or 10", "90%", "11/10"]
)
def test_a_number_off_the_scale_is_asked_again(text: str) -> None:
    assert read(text, Scale.ZERO_TO_TEN) == Reading(comment=text, intent="comment", ambiguous=True)


def test_a_gap_is_a_pause_only_where_blanks_are_rare() -> None:
    assert read("10점  만점에  7점").score == read("10점 만점에 7점").score == 7
    assert read("🔟  einfach  geil").comment == "einfach  geil"


def test_a_ten_where_a_long_text_is_cut_stays_whole() -> None:
    for before in range(HEAD - 3, HEAD + 1):
        text = f"{'x' * (before - 1)} 10 {'y ' * 300}"
        assert read(text).score in (None, 10)
    for after in range(TAIL - 3, TAIL + 1):
        assert read(f"{'y ' * 300}. 10{'!' * (after - 1)}").score in (None, 10)


@pytest.mark.parametrize(
    "text", ["²", "1" * 5000, "call 020 7946 0958", "€9", "16GB", "at 9:30", "iPhone7", "#10years"]
)
def test_a_number_that_is_no_score(text: str) -> None:
    found = read(text, Scale.ZERO_TO_TEN)
    assert (found.score, found.ambiguous) == (None, False)


@pytest.mark.parametrize(
    ("text", "score", "comment"),
    [
        ("9/10, love the service", 9, "love the service"),
        ("Great shoes but they squeak. 7", 7, "Great shoes but they squeak."),
        ("Score: 6. Packaging was a mess", 6, "Packaging was a mess"),
        ("८ — बढ़िया सेवा", 8, "बढ़िया सेवा"),
        ("5 🙁", 5, ""),
        ("9️⃣ the waiters rock!", 9, "the waiters rock!"),
    ],
)
def test_the_comment_is_what_is_left(text: str, score: int, comment: str) -> None:
    assert read(text, Scale.ZERO_TO_TEN) == Reading(score, comment, "score")


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        *(("/stop", "stop"), ("/STOP", "stop"), ("/stop@AcmeBot", "stop"), ("/stop please, now", "stop")),
        *(("/help", "help"), ("/mydata", "help"), ("/forget", "delete"), ("/delete", "delete")),
        *(("stop", "stop"), ("  Stop! ", "stop"), ("« Stop »", "stop"), ("STOP 🙏🏽", "stop"), ("ＳＴＯＰ", "stop")),
        *(("Arrêt", "stop"), ("arre\u0302t", "stop"), ("Désabonnez-moi !", "stop"), ("Delete my data.", "delete")),
        *(("/start", "none"), ("/start abc_DEF-1", "none"), ("", "none"), (" \n\t\u3000", "none"), ("\x00", "none")),
        *(("👍", "none"), ("https://example.com/a?b=9", "none"), ("@brand", "none")),
    ],
)
def test_wishes(text: str, intent: str) -> None:
    found = read(text, Scale.ZERO_TO_TEN)
    assert found.intent == intent
    assert (found.score, found.comment, found.ambiguous) == (None, "", False)


def test_a_score_beside_a_wish_is_kept() -> None:
    assert read("8 but please stop messaging me", Scale.ZERO_TO_TEN).score == 8
    assert read("8 but please stop messaging me", Scale.ZERO_TO_TEN).intent == "stop"


@pytest.mark.parametrize("text", ["I can't stop using it", "the app stops all the time", "/shrug", "/"])
def test_a_stop_word_in_a_sentence_is_no_wish(text: str) -> None:
    assert read(text, Scale.ZERO_TO_TEN).intent in ("comment", "none")


@pytest.mark.parametrize("text", ["START", "start", " Start! ", "ＳＴＡＲＴ"])
def test_the_word_that_brings_back(text: str) -> None:
    assert comes_back(text)
    assert not comes_back(f"{text} now")


PIECES = [
    *(
        "9",
        "10",
        "1",
        "0",
        "²",
        "½",
        "🔟",
        "⑨",
        "९",
        "９",
        "十",
        "8点",
        "점",
        "nine",
        "un",
        "or",
        "to",
        "out of",
        "between",
    ),
    *('"', "“", "~~", "~", "/", "-", "–", ".", ",", "%", "€", "★", ":", "(", "*", "'", "<", "^", "→", "@", "#", "+"),
    *(" ", "\n", "\u0336", "\u20e3", "\ufe0f", "\u200f", "\ue00a", "و", "क", "ी", "x", "h"),
]
NEARLY_NUMBERS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def test_a_fault_of_ours_makes_a_comment_of_one_message(caplog: pytest.LogCaptureFixture) -> None:
    def faulty(text: str, scale: Scale, languages: tuple[str, ...]) -> Reading:
        raise ValueError(text)

    assert guarded(faulty)("my secret\x00 9", Scale.ZERO_TO_TEN) == Reading(comment="my secret 9", intent="comment")
    assert "kept as a comment: ValueError" in caplog.text
    assert "secret" not in caplog.text


@given(ANYTHING | NEARLY_NUMBERS, SCALES)
@example('it is 5 m" ² "', Scale.ZERO_TO_TEN)
def test_any_text_is_read_and_can_be_kept(text: str, scale: Scale) -> None:
    found = read_or_raise(text, scale, ())
    assert read(text, scale) == found
    assert len(found.comment.encode("utf-8")) <= LONGEST_BYTES
    assert "\x00" not in found.comment
    assert found.score is None or (scale.lowest <= found.score <= 10 and not found.ambiguous)
    assert found.intent != "score" or found.score is not None
    assert not found.ambiguous or found.intent in ("comment", "stop", "delete")


SAID = [
    "9",
    "nine out of ten",
    "7 or 8",
    "8, love it",
    "neuf sur dix",
    "非常に9点です",
    "stop",
    "hello",
    "тридцать",
    "৮",
]


@given(st.sampled_from(SAID), SPACES, SPACES, FRIENDLY, st.sampled_from([str, str.upper, str.title]))
def test_spaces_emoji_and_case_change_nothing(text: str, before: str, after: str, emoji: str, case: object) -> None:
    plain, dressed = (
        read(t, Scale.ZERO_TO_TEN)
        for t in (text, f"{before}{case(text)} {emoji}{after}")  # type: ignore[operator]
    )
    assert (plain.score, plain.intent, plain.ambiguous) == (dressed.score, dressed.intent, dressed.ambiguous)


@given(st.text(min_size=1, max_size=4), st.integers(1000, 3000))
def test_long_text_is_cut_between_characters(piece: str, times: int) -> None:
    text = "x" + piece * times + "x"
    found = read(text, Scale.ZERO_TO_TEN)
    assert len(found.comment.encode("utf-8")) <= LONGEST_BYTES


@given(ANYTHING)
def test_each_folded_character_stands_for_one_of_the_original(text: str) -> None:
    folded = fold(text)
    places = [folded.place(index, len(text)) for index in range(len(folded.text))]
    assert places == sorted(set(places))
    assert all(0 <= place < len(text) for place in places)
