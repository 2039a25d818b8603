"""Messages as Telegram takes them: escaped, defanged, and with buttons that fit a phone."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.telegram.render import defanged, length, render, rows
from core.errors import ContentRefused
from core.message import Button, Line, Link, Message, Quote, Strong, text


def buttons(*labels: str) -> tuple[Button, ...]:
    return tuple(Button(label, f"t{n}") for n, label in enumerate(labels))


def labels(*given_labels: str) -> list[list[str]]:
    return [[button.label for button in row] for row in rows(buttons(*given_labels))]


def test_every_part_is_escaped_and_has_its_mark() -> None:
    message = Message(
        (Strong("A & B"), Line("1 < 2"), Quote("<b>'x'</b>"), Link('see "it"', "https://a.example/?a=1&b=2"))
    )
    assert render("tg", message).text == (
        "<b>A &amp; B</b>\n1 &lt; 2\n<blockquote>&lt;b&gt;&#x27;x&#x27;&lt;/\u2060b&gt;</blockquote>\n"
        '<a href="https://a.example/?a=1&amp;b=2">see &quot;it&quot;</a>'
    )


@given(st.text(min_size=1), st.text(), st.text())
def test_no_words_become_markup(strong: str, line: str, quote: str) -> None:
    message = Message((Strong("x" + strong), Line(line), Quote(quote)))
    shown = render("tg", message).text
    assert re.findall(r"<[^>]*>", shown) == ["<b>", "</b>", "<blockquote>", "</blockquote>"]
    assert html.unescape(re.sub(r"<[^>]*>", "", shown)).startswith("x" + strong)


LIVE = re.compile(r"@\w|#\w|\$[A-Z]|(^|\s)/\w|\w://|[\w-]\.\w|\+\d", re.IGNORECASE)
"""What Telegram makes a mention, hashtag, cashtag, command, link or number of.

Source: https://core.telegram.org/bots/api#messageentity
"""


@pytest.mark.parametrize(
    "words",
    [
        "see https://evil.example/a?b=c#d",
        "see evil.com now",
        "HTTP://EVIL.COM",
        "tg://resolve?domain=x",
        "@everybody and @brand_bot",
        "a@b.com",
        "#promo $TSLA /start@brand_bot /stop",
        "//evil.com",
        "1.2.3.4:80",
        "call +491701234567",
        "e\u200bvil\u2060.com",
        "evil.\u2060com @\u200bname",
        "evil．com",
    ],
)
def test_somebody_elses_words_link_and_mention_nothing(words: str) -> None:
    shown = defanged(words)
    assert LIVE.search(words.replace("\u200b", "").replace("\u2060", "").replace("．", "."))
    assert not LIVE.search(shown.replace("．", "."))
    assert shown.replace("\u2060", "") == words.replace("\u200b", "").replace("\u2060", "")


@given(st.text(alphabet="ab1@#$/.:+ \n\u2060\u200b\u202e", max_size=40))
def test_no_mixture_of_marks_comes_alive(words: str) -> None:
    assert not LIVE.search(defanged(words))


def test_nobody_turns_the_direction_of_our_lines() -> None:
    assert defanged("abc\u202edef\u2066\ufeff") == "abcdef"
    assert defanged("👩‍👩‍👧 می‌خواهم") == "👩‍👩‍👧 می‌خواهم"


def test_length_counts_as_telegram_does() -> None:
    assert length("abc") == 3
    assert length("😀") == 2
    assert length("é中") == 2


def test_a_text_too_long_or_empty_is_refused_and_never_cut() -> None:
    assert render("tg", text("x" * 4096)).text == "x" * 4096
    assert render("tg", text("<" * 4096)).text == "&lt;" * 4096
    for words in ("x" * 4097, "😀" * 2049, "", " \n "):
        with pytest.raises(ContentRefused):
            render("tg", text(words))
    with pytest.raises(ContentRefused):
        render("tg", Message((Quote("." * 4000 + "a." * 100),)))


def test_eleven_scores_stand_in_rows_of_six_and_five() -> None:
    assert labels(*map(str, range(11))) == [["0", "1", "2", "3", "4", "5"], ["6", "7", "8", "9", "10"]]
    assert labels(*map(str, range(1, 11))) == [["1", "2", "3", "4", "5"], ["6", "7", "8", "9", "10"]]


def test_words_stand_apart_from_scores() -> None:
    assert labels("0", "1", "Tell us why", "No thanks", "You may quote me in public") == [
        ["0", "1"],
        ["Tell us why"],
        ["No thanks"],
        ["You may quote me in public"],
    ]
    assert labels("Yes, please", "No, thank you") == [["Yes, please", "No, thank you"]]
    assert labels("9–10", "7–8", "4–6", "0–3") == [["9–10"], ["7–8", "4–6", "0–3"]]


@given(st.lists(st.text(min_size=1, max_size=20), max_size=40))
def test_rows_keep_every_button_in_order(given_labels: list[str]) -> None:
    laid = labels(*given_labels)
    assert [label for row in laid for label in row] == given_labels
    assert all(1 <= len(row) <= 6 for row in laid)


def test_a_keyboard_carries_the_tokens() -> None:
    keyboard = render("tg", text("How likely?", Button("10", "v1.10"))).keyboard
    assert keyboard is not None
    assert keyboard.inline_keyboard[0][0].callback_data == "v1.10"
    assert render("tg", text("Hello")).keyboard is None


@pytest.mark.parametrize("button", [Button("", "t"), Button("x", ""), Button("x", "t" * 65), Button("x", "é" * 33)])
def test_a_button_that_cannot_be_sent_is_refused(button: Button) -> None:
    with pytest.raises(ContentRefused):
        render("tg", text("How likely?", button))


def test_more_buttons_than_a_message_holds_are_refused() -> None:
    with pytest.raises(ContentRefused):
        render("tg", text("How likely?", *buttons(*["x"] * 101)))
