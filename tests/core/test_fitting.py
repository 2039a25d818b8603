"""Messages in pieces: nothing is lost but what a single line is too long by, and no word is cut in two."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from bots.discord import render as discord
from bots.telegram import render as telegram
from bots.x import render as x
from core.fitting import length, shortened, split
from core.message import Button, Line, Message, Picture, Quote, Strong
from core.nps import Tally
from core.publishing import messages
from core.report import MOST_LINES, first_message
from tests.core.reporting import report

WORDS = st.lists(st.text("abcé", min_size=1, max_size=12), min_size=1, max_size=30).map(" ".join)
MESSAGES = st.builds(
    Message,
    st.lists(WORDS.map(Line), min_size=1, max_size=12).map(tuple),
    st.just((Button("go", "t"),)),
    st.sampled_from([None, Picture("<svg/>", "a picture")]),
)


@given(MESSAGES, st.integers(40, 120), st.integers(20, 60))
def test_each_piece_fits_and_only_the_first_has_the_picture(whole: Message, chars: int, caption: int) -> None:
    first, *others = split(whole, chars, caption)
    assert first.picture == whole.picture
    assert len(first.plain) <= (chars if whole.picture is None else caption)
    assert all(len(piece.plain) <= chars and piece.picture is None for piece in others)
    assert [piece.buttons for piece in (first, *others)][-1] == whole.buttons
    said = [part.text for piece in (first, *others) for part in piece.parts]
    for shown, meant in zip(said, [part.text for part in whole.parts], strict=True):
        kept = shown.removesuffix("…")
        assert meant.startswith(kept)
        assert shown == meant or meant[len(kept)] == " " or " " not in meant[len(kept) // 2 : len(kept)]


@example([Quote("*\n" * 60)] * 10)
@given(st.lists(st.text("ab*_\n\r\u2028->1. ", min_size=1, max_size=120).map(Quote), min_size=1, max_size=12))
def test_words_of_many_lines_fit_when_each_line_is_marked_as_a_quotation(quotes: list[Quote]) -> None:
    for piece in split(Message((Strong("Case 1"), *quotes)), discord.POST_CHARS):
        assert len(discord.content(piece, "acme")) <= discord.POST_CHARS


@given(MESSAGES)
def test_a_place_without_pictures_gets_words(whole: Message) -> None:
    assert [piece.picture for piece in split(whole, 10_000)] == [None]
    assert split(whole, 10_000)[0].parts == whole.parts


@given(st.lists(WORDS.map(Line), min_size=2, max_size=12), st.integers(100, 400))
def test_one_post_has_the_first_lines_and_the_last(lines: list[Line], chars: int) -> None:
    short = shortened(Message(tuple(lines)), chars)
    assert sum(map(length, short.parts)) <= chars
    if len(short.parts) == 1:
        assert length(lines[0]) + length(lines[-1]) > chars
        return
    assert short.parts[0] == lines[0]
    assert short.parts[-1] == lines[-1]
    assert list(short.parts[:-1]) == lines[: len(short.parts) - 1]
    if len(short.parts) < len(lines):
        assert sum(map(length, (*lines[: len(short.parts)], lines[-1]))) > chars


ODD = st.text(st.sampled_from("ab \\*_~`|[]<@:#/.$+-1>é…あ😀＠．\u200b"), min_size=1, max_size=400)
ODD |= st.builds(lambda letter, n: letter * n, st.sampled_from("*_<@:#.＠＃。あ>"), st.integers(1, 400))
PARTS = st.lists(st.builds(lambda kind, text: kind(text), st.sampled_from([Line, Strong, Quote]), ODD), min_size=1)


@given(PARTS)
def test_no_piece_is_refused_for_its_length_however_it_is_escaped(parts: list[Line | Strong | Quote]) -> None:
    for piece in split(Message(tuple(parts)), discord.POST_CHARS):
        assert len(discord.content(piece, "dc")) <= discord.POST_CHARS
    for piece in split(Message(tuple(parts)), 300):
        assert telegram.length("\n".join(telegram.shown(part) for part in piece.parts)) <= 300
        assert x.weight(x.render(piece)) <= 300


def test_what_weighs_twice_on_x_counts_twice() -> None:
    lines = (Line("あ" * 40), Line("い" * 40), Line("う" * 40), Line("え" * 40))
    assert shortened(Message(lines), 280).parts == (lines[0], lines[1], lines[3])
    assert shortened(Message(tuple(Line("a" * 40) for _ in range(4))), 280).parts == (Line("a" * 40),) * 4


def test_the_teams_own_sentence_goes_by_the_level_of_the_score_and_not_to_outsiders() -> None:
    advice = {"low": "serve", "middle": "ask", "high": "refer"}
    for tally, said in ((Tally(10, 10, 30), "serve"), (Tally(20, 10, 20), "ask"), (Tally(40, 5, 5), "refer")):
        shown = report(tally)
        assert first_message(shown, "en", advice).parts[-2] == Line(said)
        assert said not in first_message(shown, "en").plain
        assert said not in messages(shown, "en", advice=advice, outside=True)[0].plain
        assert len(first_message(shown, "en", advice).parts) <= MOST_LINES
    assert first_message(report(Tally(1, 1, 1)), "en", advice) == first_message(report(Tally(1, 1, 1)), "en")
    assert replace(first_message(report(Tally(20, 10, 20)), "en", {"low": "serve"})) == first_message(
        report(Tally(20, 10, 20)), "en"
    )
