"""Known again by its words: what X makes of a text, and what it leaves as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.x import read
from bots.x.look import same_poll, same_words
from bots.x.render import render
from core.account import Poll
from core.message import Line, Link, Message, Quote, Strong
from sandbox.x.text import escaped, with_short_links

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
BUSY = Message(
    (
        Strong("Score < 40 & rising"),
        Line("@all #nps: see evil.com"),
        Quote("<b>9</b>"),
        Link("More", "https://acme.example/a?b=c&d=e"),
        Link("", "https://acme.example/x"),
    )
)


def _shown(said: str, **more: Any) -> read.Own:
    """As X shows it."""
    post = {"id": "900", "created_at": AT.isoformat(), "text": escaped(with_short_links(said)), **more}
    return read.own_post(post, {})


@settings(deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_words_are_known_again(lines: list[str]) -> None:
    said = render(Message(tuple(Line(line) for line in lines)))
    shown = with_short_links(said)
    assert shown == said  # nothing in it is a link
    assert same_words(said, _shown(said)) is True
    assert same_words(said, _shown(f" {said.strip()} \n")) is True
    assert same_words(said + " 9", _shown(said)) is False


def test_links_are_known_again_by_what_they_stand_for() -> None:
    said = render(BUSY)
    shorts = [word for word in with_short_links(said).split() if word.startswith("https://t.co/")]
    stand_for = ["https://acme.example/a?b=c&d=e", "https://acme.example/x"]
    for links, same in ((stand_for, True), (stand_for[:1], None), (["https://acme.example/z", stand_for[1]], None)):
        urls = [{"url": short, "expanded_url": link} for short, link in zip(shorts, links, strict=False)]
        assert same_words(said, _shown(said, entities={"urls": urls})) is same
        assert same_words(said + "!", _shown(said, entities={"urls": urls})) is not True


@pytest.mark.parametrize(
    ("options", "minutes", "same"),
    [
        (("b", " a"), 1440, False),
        (("a",), 1440, False),
        (("a ", "b"), 1440, True),
        (("a", "b"), 1439, True),
        (("a", "b"), 720, None),
        (("a", "b"), 2880, None),
    ],
)
def test_polls_are_known_again(options: tuple[str, ...], minutes: int, same: bool | None) -> None:
    poll = Poll(question="How likely?", options=("a", "b"), closes_at=AT + timedelta(days=1))
    asked = read.Own(id="1", at=AT, text="How likely?", links={}, options=options, minutes=minutes)
    assert same_poll(poll, timedelta(minutes=5), asked) is same


def test_a_poll_is_cut_to_seven_days() -> None:
    poll = Poll(question="How likely?", options=("a", "b"), closes_at=AT + timedelta(days=9))
    asked = read.Own(id="1", at=AT, text="How likely?", links={}, options=("a", "b"), minutes=10_080)
    assert same_poll(poll, timedelta(minutes=5), asked) is True
