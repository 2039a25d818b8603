"""What we say, as Discord takes and shows it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.discord import render
from bots.discord.send import nonce
from core.account import Poll
from core.errors import ContentRefused
from core.message import Button, Form, Line, Link, Message, Quote, Strong

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOSTILE = [
    "@everyone",
    "@here",
    "<@80351110224678912>",
    "<@!80351110224678912>",
    "<@&165511591545143296>",
    "<#103735883630395392>",
    "</airhorn:816437322781949972>",
    "<:mmLol:216154654256398347>",
    "<a:b1nzy:392938283556143104>",
    "<t:1618953630:d>",
    "<id:customize>",
    "<https://evil.example>",
    "<+33612345678>",
    "https://evil.example/a_b",
    "HTTP://EVIL.EXAMPLE",
    "discord.gg/abc",
    "[click](https://evil.example)",
    "**bold** __under__ ~~gone~~ ||hidden|| `code` ```block```",
    "# Title",
    "-# small",
    "> quoted",
    ">>> all quoted",
    "- item",
    "1. item",
    "\u202eevil\u200b",
]
"""Source: https://docs.discord.com/developers/reference#message-formatting-formats"""
ALIVE = re.compile(r"<(?:@|#|/|:|a:|t:|id:|https?:|\+)|@everyone|@here|://|discord(?:app)?\.(?:gg|com)/", re.IGNORECASE)
MARK = re.compile(r"(?<!\\)(?:\\\\)*[*_~`|\[\]]|^[ \t]*(?:[#>+-]|\d+\.\s)", re.MULTILINE)


def shown(text: str) -> str:
    """What a person reads: escapes taken away, the zero-width space unseen."""
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", text).replace("\u200b", "")


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_come_to_nothing_and_are_still_read(words: str) -> None:
    safe = render.harmless(words)
    assert not ALIVE.search(safe)
    assert not MARK.search(safe)
    assert shown(safe) == words.replace("\u202e", "").replace("\u200b", "")


@given(st.lists(st.sampled_from([*HOSTILE, *"\\*_~`|[]()<>@#:/-+ .1x", "\n", "é", "\u0627", "👍"])).map("".join))
def test_any_words_come_to_nothing_and_are_still_read(words: str) -> None:
    safe = render.harmless(words)
    assert not ALIVE.search(safe)
    assert not MARK.search(safe)
    assert shown(safe) == words.replace("\u202e", "").replace("\u200b", "")


def test_parts_look_as_they_should() -> None:
    message = Message(
        (
            Strong("NPS +32"),
            Line("n = 40_000"),
            Line(""),
            Quote("so *good*\n# really"),
            Link("details", "https://vouch.example/w?a=b_c"),
            Link("", "https://vouch.example/x)y>z"),
        )
    )
    assert render.content(message, "dc").split("\n") == [
        "**NPS +32**",
        r"n = 40\_000",
        "",
        r"> so \*good\*",
        r"> \# really",
        "[details](<https://vouch.example/w?a=b_c>)",
        "<https://vouch.example/x%29y%3Ez>",
    ]


def test_only_web_addresses_are_links() -> None:
    for nowhere in ("javascript:alert(1)", "ftp://x.example", "vouch.example", "http://[", ""):
        with pytest.raises(ContentRefused):
            render.content(Message((Link("x", nowhere),)), "dc")


def test_a_message_is_as_long_as_discord_takes_and_no_longer() -> None:
    assert len(render.content(Message((Line("x" * 2000),)), "dc")) == 2000
    with pytest.raises(ContentRefused, match="2001"):
        render.content(Message((Line("x" * 2001),)), "dc")


def widths(buttons: list[Button]) -> list[int]:
    return [len(row) for row in render.rows(buttons)]


def scores(first: int) -> list[Button]:
    return [Button(str(score), f"s{score}") for score in range(first, 11)]


def test_rows_are_even_and_words_stand_apart() -> None:
    ask = Button("Ask me by direct message", "d")
    assert widths(scores(0)) == [4, 4, 3]
    assert widths(scores(1)) == [5, 5]
    assert widths([*scores(0), ask]) == [4, 4, 3, 1]
    assert widths([ask]) == [1]
    assert widths([]) == []
    mixed = [Button("x" * (1 + 5 * (number % 2)), f"t{number}") for number in range(25)]
    assert widths(mixed) == [5, 5, 5, 5, 5]


@given(st.lists(st.booleans(), max_size=25))
def test_rows_keep_every_button_in_order_within_the_limits(short: list[bool]) -> None:
    buttons = [Button("9" if flag else "words", f"t{number}") for number, flag in enumerate(short)]
    rows = render.rows(buttons)
    assert [button for row in rows for button in row] == buttons
    assert len(rows) <= 5
    assert all(1 <= len(row) <= 5 for row in rows)


async def test_buttons_are_components_of_one_neutral_style_that_the_library_does_not_keep() -> None:
    view = render.view([Button("0", "s0"), Button("1", "s1")], "dc")
    button = {"type": 2, "style": 2, "disabled": False}
    row = {"type": 1, "components": [{**button, "label": str(n), "custom_id": f"s{n}"} for n in (0, 1)]}
    assert view.to_components() == [row]
    assert view.is_finished()


@pytest.mark.parametrize(
    "buttons",
    [
        [Button("x", f"t{number}") for number in range(26)],
        [Button("x" * 81, "t")],
        [Button("", "t")],
        [Button("x", "t" * 101)],
    ],
)
async def test_buttons_that_discord_does_not_take_are_refused(buttons: list[Button]) -> None:
    with pytest.raises(ContentRefused):
        render.view(buttons, "dc")


async def test_form_is_a_modal_with_a_labelled_text() -> None:
    """Source: https://docs.discord.com/developers/components/reference#text-input-examples"""
    modal = render.modal(Form(title="Tell us why", label="What is the reason?", token="f1"))
    made = modal.to_dict()
    answer = made["components"][0]["component"]
    made["components"][0]["component"] = {key: value for key, value in answer.items() if value is not None}
    assert made == {
        "custom_id": "f1",
        "title": "Tell us why",
        "components": [
            {
                "type": 18,
                "label": "What is the reason?",
                "component": {"type": 4, "style": 2, "custom_id": "text", "max_length": 4000, "required": True},
            }
        ],
    }
    assert modal.is_finished()


def poll(**changes: object) -> discord.Poll:
    fields: dict[str, object] = {"question": "?", "options": ("a", "b"), "closes_at": NOW + timedelta(days=7)}
    return render.poll(Poll(**{**fields, **changes}), NOW, "dc")  # type: ignore[arg-type]


@given(st.timedeltas(timedelta(seconds=-5), timedelta(days=60)))
def test_a_poll_lasts_whole_hours_and_ends_at_most_one_later(left: timedelta) -> None:
    length = poll(closes_at=NOW + left).duration
    assert length % timedelta(hours=1) == timedelta(0)
    assert timedelta(hours=1) <= length <= timedelta(hours=768)
    if timedelta(0) < left <= timedelta(hours=768):
        assert left <= length < left + timedelta(hours=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"question": "x" * 301},
        {"question": ""},
        {"options": ()},
        {"options": ("x",) * 11},
        {"options": ("x" * 56,)},
        {"options": ("",)},
    ],
)
def test_polls_that_discord_does_not_take_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ContentRefused):
        poll(**changes)


@given(st.text(), st.text())
def test_nonce_is_short_and_belongs_to_its_key(key: str, other: str) -> None:
    assert len(nonce(key)) == 25
    assert (nonce(key) == nonce(other)) == (key == other)
