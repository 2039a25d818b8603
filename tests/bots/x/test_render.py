"""What X would make of our text, by the rules of twitter-text; and how long X says it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.x.render import harmless, render, weight
from core.message import Line, Link, Message, Quote, Strong

_HASHTAG_CHARS = r"[\w\u200c\u200d\u05be\u05f3\u05f4\uff5e\u301c\u30fb\u3003\u00b7]"
FOUND_BY_X = {
    "mention": re.compile(r"[@\uff20][A-Za-z0-9_]"),
    "hashtag": re.compile(rf"[#\uff03]{_HASHTAG_CHARS}"),
    "cashtag": re.compile(r"\$[A-Za-z]"),
    "scheme": re.compile(r"https?://", re.IGNORECASE),
    "domain": re.compile(r"\.[^\W\d_]{2}"),
}
"""The least that each of twitter-text's patterns needs.
Source: https://github.com/twitter/twitter-text/tree/master/js/src/regexp"""

ATTACKS = [
    "@brand is bad",
    "(@brand)",
    "RT@brand",
    "@@brand",
    "\uff20brand",
    "#boycott",
    "##boycott",
    "\uff03boycott",
    "#\u200dboycott",
    "#\u200bboycott",
    "$TSLA $tsla.x",
    "http://evil.example/x",
    "HTTPS://EVIL.EXAMPLE",
    "evil.com",
    "evil.com/path?x=1.html",
    "a.evil.co.uk",
    "evil.\u200bcom",
    "\u0430\u0431\u0432.\u0440\u0444",
    "mail me@evil.com",
    "9.99 but see v1.2.io",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_quote_holds_nothing_that_x_links(attack: str) -> None:
    shown = render(Message((Quote(attack),)))
    assert {name for name, pattern in FOUND_BY_X.items() if pattern.search(shown)} == set()


_PIECES = st.sampled_from([*"@#$.:/ aZ9_\uff20\uff03\u200b\u200c\u200d\u202e\ufeff\n", "http", "com", "é"])


@settings(deadline=None)
@given(st.lists(_PIECES).map("".join))
def test_no_text_holds_anything_that_x_links(text: str) -> None:
    for part in (Quote(text), Line(text), Strong(text), Link(text, "https://ours.example/a")):
        shown = render(Message((part,))).removesuffix("https://ours.example/a")
        assert {name for name, pattern in FOUND_BY_X.items() if pattern.search(shown)} == set()


@settings(deadline=None)
@given(st.text())
def test_harmless_text_reads_the_same(text: str) -> None:
    shown = harmless(text)
    assert harmless(shown) == shown
    invisible = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
    assert invisible.sub("", shown) == invisible.sub("", text)


@pytest.mark.parametrize("text", ["0-10", "9–10 / 7–8", "It is 9.5 of 10.", "Good... or not?", "12:30", "50 %"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert harmless(text) == text


def test_parts_are_lines_and_only_a_link_is_a_link() -> None:
    message = Message((Strong("Score"), Line("NPS 40"), Quote("see a.com"), Link("More", "https://brand.example/x")))
    assert render(message) == "Score\nNPS 40\n\u201csee a.\u200bcom\u201d\nMore: https://brand.example/x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("a" * 280, 280),
        ("é", 1),
        ("e\u0301", 1),
        ("日本語", 6),
        ("한국", 4),
        ("“quote” – dash…", 14 + 2),
        ("\u2019", 1),
        ("\U0001f600", 2),
        ("\U0001f44d\U0001f3fd", 2),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", 2),
        ("\U0001f1eb\U0001f1f7", 2),
        ("\U0001f1eb\U0001f1f7\U0001f1e9\U0001f1ea", 4),
        ("1\ufe0f\u20e3", 2),
        ("\u2764\ufe0f", 2),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 2),
        ("https://brand.example/a/very/long/path?with=a&query=1", 23),
        ("see https://brand.example now", 4 + 23 + 4),
        ("\u200b", 1),
    ],
)
def test_weight(text: str, expected: int) -> None:
    assert weight(text) == expected


@settings(deadline=None)
@given(st.text(), st.text())
def test_a_longer_text_never_weighs_less_than_its_code_points(first: str, second: str) -> None:
    plain = re.compile(r"[^\u0000-\u007f]").sub("", first + second).replace("://", "")
    assert weight(plain) == len(plain)
