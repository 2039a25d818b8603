"""500 comments that want to be more than words, put through to everything that shows them: they stay words.

Each goes twice: as the post would quote it, and whole, as cases show it, with nothing blacked out or shortened before.
How people really write them, and what is really told of them, is in ``test_hostile_live``.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar, cast

import pytest

from bots import open_account
from core.account import Account, Limits, Place
from core.clock import Clock
from core.details import details
from core.fitting import split
from core.message import Line, Message, Quote, Strong
from core.nps import Band, Tally
from core.page import page
from core.publishing import messages
from core.quotes import Quoted, quotes
from core.reasons import Voice, reasons, voices
from core.redaction import calm
from core.report import first_message
from core.settings import SECRETS
from sandbox.clocks import Clocks
from sandbox.discord import DiscordStandIn
from sandbox.seam import AccountPlan, PlacePlan, Post
from sandbox.server import Sandbox
from sandbox.telegram import TelegramStandIn
from tests.bots.pictures import PICTURE
from tests.core.reporting import report
from tests.hostile import MARK, PAGE, Pieces, alive_on_discord, alive_on_telegram, alive_on_x, comments
from tests.hostile_wire import alive

NOW = datetime(2026, 11, 20, tzinfo=UTC)
COMMENTS = tuple(comments())
PLACES = 25

T = TypeVar("T")


def batches(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (things[at : at + size] for at in range(0, len(things), size))


def heard(text: str, person: int = 1, low: int = 2) -> Voice:
    return Voice(person=person, text=text, band=Band(low, low), at=NOW, quotable=True)


QUOTED = tuple(quoted for text in COMMENTS for quoted in quotes(voices([heard(text)])))
PHRASES = tuple(
    reason
    for some in batches(COMMENTS, 20)
    for said in [[heard(text[:60], n) for n, text in enumerate([*some] * 3)]]
    for reason in reasons(voices([*said, *(heard("fine", 100 + n, 9) for n in range(40))]), ())
)


def posts(size: int, limits: Limits) -> Iterator[Message]:
    """Messages in which every comment stands, as it would be quoted and whole, as long as the place takes them; some
    with a picture."""
    lines = [quoted.line for quoted in QUOTED] + list(map(calm, COMMENTS))
    for n, some in enumerate(batches(lines, size)):
        shown = PICTURE if n % 8 == 0 else None
        whole = Message((Strong("Acme: NPS 27, last 4 weeks."), *map(Quote, some), Line("See you.")), picture=shown)
        yield from split(whole, limits.post_chars, limits.caption_chars)


@dataclass
class Stage:
    sandbox: Sandbox
    clock: Clock
    posts: list[Post] = field(default_factory=list)

    async def account(self, platform: str) -> Account:
        given = self.sandbox.credentials[platform]
        options = {
            key: f"{self.sandbox.url}/{platform}{given[key]}" if given[key].startswith("/") else given[key]
            for key in (*SECRETS[platform], "base_url", "gateway_url")
            if key in given
        }
        return open_account(platform, platform, options, self.clock, lambda token: None)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    plans = [AccountPlan(name, name) for name in ("telegram", "discord", "x")]
    places = [PlacePlan("telegram", str(-1001000000001 - n), "group") for n in range(PLACES)]
    places += [PlacePlan("discord", str(1100000000000000001 + n), "group") for n in range(PLACES)]
    sandbox = Sandbox(plans, places, clocks=Clocks(speed=100_000.0))
    async with sandbox:
        shown = Stage(sandbox, Clock(sandbox.clocks.start, sandbox.clocks.started, sandbox.clocks.speed))
        sandbox.watchers.append(shown.posts.append)
        yield shown


async def begin() -> None:
    """It may be said."""


async def said(account: Account, places: Sequence[Place], bodies: Sequence[Message]) -> None:
    for n, body in enumerate(bodies):
        await account.say(places[n % len(places)], body, f"k{n}", begin=begin)


def test_there_are_enough_of_them_and_most_are_fit_to_be_quoted() -> None:
    assert len(COMMENTS) == len(set(COMMENTS)) == 500
    assert len(QUOTED) > 100
    assert len(PHRASES) > 10


async def test_on_telegram(stage: Stage) -> None:
    async with await stage.account("telegram") as account:
        places = [await account.place(str(-1001000000001 - n)) for n in range(PLACES)]
        bodies = list(posts(10, places[0].limits))
        await said(account, places, bodies)
    assert len(stage.posts) == len(bodies)
    assert len([post for post in stage.posts if post.pictures]) > 3
    assert [(post.text, found) for post in stage.posts if (found := alive(post))] == []
    app = cast(TelegramStandIn, stage.sandbox.stand_ins["telegram"])
    wires = [message.wire for chat in app.state.chats.values() for message in chat.messages.values() if message.bot]
    entities = [one for wire in wires for part in ("entities", "caption_entities") for one in wire.get(part, ())]
    assert {entity["type"] for entity in entities} == {"bold", "blockquote"}


async def test_on_discord(stage: Stage) -> None:
    async with await stage.account("discord") as account:
        places = [await account.place(str(1100000000000000001 + n)) for n in range(PLACES)]
        bodies = list(posts(10, places[0].limits))
        await said(account, places, bodies)
    assert len(stage.posts) == len(bodies)
    assert len([post for post in stage.posts if post.pictures]) > 3
    assert [(post.text, found) for post in stage.posts if (found := alive(post))] == []
    app = cast(DiscordStandIn, stage.sandbox.stand_ins["discord"])
    found = [message for channel in app.state.channels.values() for message in channel.messages.values()]
    assert [message for message in found if message.mentions_everyone or message.mentions] == []


async def test_on_x(stage: Stage) -> None:
    async with await stage.account("x") as account:
        place = await account.place("timeline")
        every = enumerate([*(quoted.line for quoted in QUOTED), *map(calm, COMMENTS)])
        bodies = [split(Message((Quote(f"{n} {text}"),)), place.limits.post_chars)[0] for n, text in every]
        await said(account, [place], bodies)
    assert len(stage.posts) == len(bodies)
    assert [(post.text, found) for post in stage.posts if (found := alive(post))] == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_on_a_page_in_a_terminal_and_for_a_script(language: str) -> None:
    for some in batches([*QUOTED, *(Quoted(text, "2") for text in COMMENTS)], 8):
        shown = replace(report(Tally(50, 28, 22)), quotes=some[:2], reasons=PHRASES[:1])
        whole = messages(shown, language)
        document = Pieces(page([*whole, Message(tuple(Quote(quoted.line) for quoted in some))], language))
        assert document.names <= PAGE
        assert (document.addresses, [name for name in document.attributes if name.startswith("on")]) == ([], [])
        json.loads(json.dumps([message.plain for message in whole]))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_quotation_is_a_line_of_ours_or_hides_anything(language: str) -> None:
    for quoted in QUOTED:
        shown = replace(report(Tally(50, 28, 22)), quotes=(quoted,), reasons=PHRASES[:1])
        plain = first_message(shown, language).plain
        assert plain.count("\n") == first_message(replace(shown, quotes=()), language).plain.count("\n") + 1
        assert not [ch for ch in plain if ch != "\n" and unicodedata.category(ch) in ("Cc", "Cf", "Zl", "Zp")]
        assert len(plain) <= 1024
    for phrase in PHRASES:
        lines = details(replace(report(Tally(50, 28, 22)), reasons=(phrase,)), language).parts
        assert not any("\n" in part.text for part in lines)


def test_the_judges_see_what_nobody_has_made_harmless() -> None:
    marked = ("_it_", "__u__", ">>> x", "> x", "* x", "# x", "<+331234567>", "<a@b.c>", "discord.gg/x", "steam://x")
    assert [words for words in marked if not alive_on_discord(f"> {words}")] == []
    linked = (
        "@acme",
        "#tag",
        "/start",
        "evil.com/x",
        "evil。example",
        "192.0.2.1",
        "a@b.example",
        "tg://user",
        "+331234567",
    )
    assert [words for words in linked if not alive_on_telegram(f"<blockquote>late {words}</blockquote>")] == []
    elements = (
        "<i>x</i>",
        "<b class='a'>x</b>",
        "<blockquote><b>x</b></blockquote>",
        MARK,
        "e" + 9 * "\u0301",
        "\u202ex",
    )
    assert [words for words in elements if not alive_on_telegram(words)] == []
    assert [words for words in ("@acme", "#tag", "$TSLA", "evil.com", "http://x") if not alive_on_x(words)] == []
    ours = "<b>Case 1: 2 of 10.</b>\n<blockquote>late &lt;b&gt; parcel</blockquote>\n/cases lists who waits."
    assert alive_on_telegram(ours) == alive_on_discord("**Case 1: 2 of 10.**\n> late \\_it\\_\n/cases lists.") == []
