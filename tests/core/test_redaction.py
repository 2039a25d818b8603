"""What leads to somebody is blacked out of a quotation, and what is said stays."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.redaction import LONGEST, MASK, calm, one_clean_line, redacted, shortened


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("the third late parcel, and nobody answers", "the third late parcel, and nobody answers"),
        ("call me on +44 20 7946 0958 or 07700-900-123", f"call me on {MASK} or {MASK}"),
        ("ruft mich an: (030) 1234567", f"ruft mich an: {MASK}"),
        ("0475/12.34.56 or 02/123.45.67", f"{MASK} or {MASK}"),
        ("06/12/34/56/78 06 - 12 - 34 - 56 - 78", MASK),
        ("06–12–34–56–78, 06_12_34_56_78, 06,12,34,56,78", MASK),
        ("order 4812 never came", f"order {MASK} never came"),
        ("order #48 never came", f"order {MASK} never came"),
        ("commande n° 481 jamais reçue", f"commande {MASK} jamais reçue"),
        ("my booking AB-1293X was lost", f"my booking {MASK} was lost"),
        ("write to jo.smith+x@mail.example.org please", f"write to {MASK} please"),
        ("see https://evil.example/a?b=c and evil.xyz/x now", f"see {MASK} and {MASK} now"),
        ("@acme_support and <@!12345> did nothing", f"{MASK} and {MASK} did nothing"),
        ("Mrs Dalloway was rude", f"Mrs {MASK} was rude"),
        ("Monsieur DUPONT m'a raccroché au nez", f"Monsieur {MASK} m'a raccroché au nez"),
        ("madame Le Goff est adorable", f"madame {MASK} est adorable"),
        ("my name is jo dupont, the app is slow", f"my name is {MASK}, the app is slow"),
        ("je m'appelle jean et c'est lent", f"je m'appelle {MASK} c'est lent"),
        ("меня зовут Иван, всё плохо", f"меня зовут {MASK}, всё плохо"),
        ("اسمي أحمد", f"اسمي {MASK}"),
        ("all good. cordialement, Jean Dupont", f"all good. cordialement, {MASK}"),
        ("all good. - Jean", f"all good. - {MASK}"),
        ("the waiter Marco was kind", f"the waiter {MASK} was kind"),
        ("Thank you Sophie", f"Thank you {MASK}"),
        ("I love Sophie", f"I love {MASK}"),
        ("Sophie Martin lied to me", f"{MASK} lied to me"),
        ("I am at war with you, ask Marco", f"I am at war with you, ask {MASK}"),
        ("田中さんが親切でした", f"{MASK}が親切でした"),
        ("김민수 씨가 친절했어요", f"{MASK}가 친절했어요"),
        ("10/10, 24/7 support, 2 of 3 parcels", "10/10, 24/7 support, 2 of 3 parcels"),
        ("The staff was RUDE and I left", "The staff was RUDE and I left"),
        ("I love Acme and the crew", "I love Acme and the crew"),
        ("two\nlines\u202e and a turn", "two lines and a turn"),
    ],
)
def test_what_leads_to_somebody_goes(written: str, shown: str) -> None:
    assert redacted(written, {"acme"}) == shown


def test_a_word_that_others_write_small_is_no_name() -> None:
    assert redacted("Fitted first time") != "Fitted first time"
    assert redacted("Fitted first time", {"fitted"}) == "Fitted first time"


@given(st.text(max_size=300))
@example("0 \x00 0")
@example("h" + "\u0317\u0326\u200b" * 50)
def test_any_text_is_one_line_that_reads_one_way(text: str) -> None:
    said = redacted(text)
    assert said == one_clean_line(said)
    assert not [char for char in said if unicodedata.category(char)[0] == "C"]
    assert "://" not in said
    marks = [len(run) for run in re.findall("[\u0300-\u036f]+", unicodedata.normalize("NFD", said))]
    assert max(marks, default=0) <= 8


_BETWEEN = st.sampled_from(["", " ", "-", ".", "/", "_", ",", "–", " - ", ") "])


@given(
    st.lists(st.tuples(st.integers(10, 99), _BETWEEN), min_size=4, max_size=8), st.sampled_from(["{}", "ring {} now"])
)
def test_no_long_number_is_left(groups: list[tuple[int, str]], frame: str) -> None:
    number = "".join(f"{group}{between}" for group, between in groups).rstrip(" -./_,–)")
    assert len(re.sub(r"\D", "", redacted(frame.format(number)))) < 4


def test_of_a_wall_of_text_only_the_beginning_is_looked_at() -> None:
    assert redacted("a" * 4_000_000) == "a" * LONGEST


def test_marks_that_hide_letters_are_few() -> None:
    zalgo = "h" + "\u0317\u0326\u0339\u0316" * 20 + "i"
    assert len(one_clean_line(zalgo)) == 4
    assert one_clean_line("हिन्दी में लिखा") == "हिन्दी में लिखा"


@given(st.text(st.characters(exclude_categories=["C", "Z", "M"]) | st.just(" "), max_size=200), st.integers(10, 90))
def test_a_quotation_ends_with_a_word(text: str, most: int) -> None:
    said = shortened(text, most)
    assert len(said) <= most
    if said != text:
        assert said.endswith("…")
        assert text.startswith(said[:-1])


def test_no_word_is_cut() -> None:
    assert shortened("the parcel was late, and nobody answers", 30) == "the parcel was late, and…"


def test_words_that_are_shown_whole_keep_their_lines_and_hide_none() -> None:
    assert calm("Žluťoučký kůň,\n\tहिन्दी, e\u0301 and 👩\u200d👩") == "Žluťoučký kůň,\n\tहिन्दी, e\u0301 and 👩\u200d👩"
    assert calm("e" + 200 * "\u0301" + "!\u202egnorw\u202c \x1b[2J\x00") == "e" + 4 * "\u0301" + "!gnorw [2J"
