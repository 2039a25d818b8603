"""Why people are unhappy: the team's list first, else what sets their words apart; and whose words are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.nps import Band
from core.quotes import Quoted, quotes
from core.reasons import Reason, Theme, Voice, reasons, voices
from core.salience import salient, typical

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
DELIVERY = Theme(
    name="delivery", titles={"en": "Delivery", "fr": "Livraison"}, words=("parcel*", "late", "livr*", "retard", "配送")
)
PRICE = Theme(name="price", words=("price*", "expensive", "cher"))

LATE = ["Third late parcel, and nobody answers.", "toujours en retard !", "the PARCELS came broken", "配送が遅い"]
RUDE = ["the man at the desk was rude", "rude staff", "What rude people"]
GLAD = ["Fitted first time. I told my sister.", "great shoes", "the shoes fit", "lovely shoes and a late night shop"]


def voice(person: int, text: str, score: int, *, hours: float = 0, quotable: bool = True) -> Voice:
    at = NOW + timedelta(hours=hours)
    return Voice(person=person, text=text, first=text, band=Band(score, score), at=at, quotable=quotable)


def said(texts: list[str], score: int, *, first: int = 0) -> list[Voice]:
    return [voice(first + n, text, score, hours=n) for n, text in enumerate(texts)]


def test_the_teams_own_themes_come_with_their_denominator() -> None:
    heard = [*said(LATE, 3), *said(RUDE, 0, first=10), *said(["so expensive", "cher", "the price!"], 5, first=20)]
    heard += said(GLAD, 10, first=30)
    found = reasons(heard, [PRICE, DELIVERY])
    assert found == (Reason(theme=DELIVERY, named=4, of=10), Reason(theme=PRICE, named=3, of=10))
    assert [one.title("fr") for one in found] == ["Livraison", "price"]


def test_who_names_it_twice_is_one_person() -> None:
    twice = voices([voice(1, "late", 2), voice(1, "and a late parcel", 2, hours=1), voice(2, "late", 2)])
    assert [one.text for one in twice] == ["late\nand a late parcel", "late"]
    assert reasons(twice, [DELIVERY]) == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Late!", True),
        ("LIVRÉ trop tard", True),
        ("chocolate", False),
        ("plate", False),
        ("配送業者", True),
        ("", False),
    ],
)
def test_a_theme_is_named_by_whole_words(text: str, *, named: bool) -> None:
    assert DELIVERY.is_in(text) == named


def test_without_a_list_their_own_words_tell() -> None:
    assert salient(RUDE, GLAD) == ("rude", 3, 3)
    heard = [*said(RUDE, 1), *said(["it rains", "hm"], 4, first=5), *said(GLAD, 9, first=10)]
    own = Reason(phrase="rude", named=3, of=5)
    assert reasons(heard, []) == reasons(heard, [PRICE]) == (own,)
    assert own.title("fr") == "“rude”"


def test_what_the_happy_say_as_often_is_no_reason() -> None:
    assert salient(["the shoes", "my shoes", "these shoes"], ["the shoes", "my shoes", "these shoes", "shoes"]) is None
    assert salient([], GLAD) is None
    assert salient(["two shoes", "two shoes"], []) is None


def test_two_words_together_say_more_than_one() -> None:
    cold = ["cold coffee again", "only cold coffee", "the cold coffee!", "cold coffees, always"]
    assert salient(cold, ["warm coffee", "lovely coffee", "a cold day", "tea"]) == ("cold coffee", 4, 4)


def test_the_most_typical_shares_most() -> None:
    assert max(zip(typical(GLAD), GLAD, strict=True))[1] in ("great shoes", "the shoes fit")
    assert typical(["hello", ""]) == [0.0, 0.0]


def test_the_oldest_unhappy_and_the_most_typical_happy_are_quoted() -> None:
    heard = [*said(LATE, 2), *said(["great shoes", "the great shoes fit", "oh great shoes"], 10, first=10)]
    assert quotes(heard) == (Quoted(LATE[0], "2", 0), Quoted("great shoes", "10", 10))


def test_nobody_is_quoted_who_did_not_allow_it_or_of_whom_nothing_is_left() -> None:
    heard = [
        voice(1, "secret words of mine", 1, quotable=False),
        voice(2, "@me +44 20 7946 0958", 1, hours=1),
        voice(3, "ask Mrs Dalloway about it", 1, hours=2),
        voice(4, "perfect shoes every time", 10, quotable=False),
    ]
    assert quotes(heard) == (Quoted("ask Mrs ███ about it", "1", 3),)


def test_only_the_first_message_is_quoted() -> None:
    """It is the one that they were asked about."""
    heard = voices([voice(1, "great shoes, really", 10), voice(1, "not", 10, hours=1)])
    assert quotes(heard) == (Quoted("great shoes, really", "10", 1),)


@pytest.mark.parametrize("words", ["evil.xyz", "https://evil.example", "free\u202egift", "a" * 4_000, "=1+1", "@all"])
def test_what_strangers_agree_to_write_is_no_link_and_no_wall(words: str) -> None:
    found = reasons([*said([words] * 5, 0), *said(GLAD, 10, first=10)], [])
    assert all(reason.phrase.replace(" ", "").isalpha() and len(reason.phrase) <= 31 for reason in found)


def test_a_name_that_many_write_is_no_reason() -> None:
    assert reasons(said(["Marco was rude to us", "Marco again", "ask Marco"], 1), []) == ()


def test_a_long_story_is_shortened() -> None:
    (one,) = quotes([voice(1, "so late " * 40, 1)])
    assert len(one.text) <= 90
    assert one.text.endswith("late…")
