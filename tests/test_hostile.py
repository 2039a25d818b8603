"""500 comments that want to be more than words, put through to everything that shows them: they stay words.

Each goes twice: as the post would quote it, and raw, as if nothing had been blacked out and shortened before.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar, cast

import pytest

from bots import open_account
from core.account import Account, Place
from core.clock import Clock
from core.details import details
from core.message import Line, Message, Quote, Strong
from core.nps import Band, Tally
from core.page import page
from core.publishing import messages
from core.quotes import Quoted, quotes
from core.reasons import Voice, reasons, voices
from core.report import first_message
from core.settings import SECRETS
from sandbox.clocks import Clocks
from sandbox.discord import DiscordStandIn
from sandbox.seam import AccountPlan, PlacePlan
from sandbox.server import Sandbox
from sandbox.telegram import TelegramStandIn
from tests.bots.pictures import PICTURE
from tests.core.reporting import report
from tests.hostile import Elements, alive_on_discord, alive_on_x, comments

NOW = datetime(2026, 11, 20, tzinfo=UTC)
COMMENTS = tuple(comments())
PLACES = 25
RAW = 300
"""Letters of a raw comment that are shown."""


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


def posts(size: int, letters: int = RAW, *, pictures: bool = False) -> Iterator[Message]:
    """Messages in which every comment stands, as it would be quoted and raw; some with a picture."""
    lines = [quoted.line for quoted in QUOTED] + [text[:letters] for text in COMMENTS]
    for n, some in enumerate(batches(lines, size)):
        shown = PICTURE if pictures and n % 8 == 0 and sum(map(len, some)) < 600 else None
        yield Message((Strong("Acme: NPS 27, last 4 weeks."), *map(Quote, some), Line("See you.")), picture=shown)


@dataclass
class Stage:
    sandbox: Sandbox
    clock: Clock

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
        yield Stage(sandbox, Clock(sandbox.clocks.start, sandbox.clocks.started, sandbox.clocks.speed))


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
        await said(account, places, list(posts(10, pictures=True)))
    app = cast(TelegramStandIn, stage.sandbox.stand_ins["telegram"])
    found = [message.wire for chat in app.state.chats.values() for message in chat.messages.values() if message.bot]
    assert len(found) == len(list(posts(10)))
    captions = [wire for wire in found if "photo" in wire]
    assert len(captions) > 3
    for part, its in (("entities", found), ("caption_entities", captions)):
        kinds = {entity["type"] for wire in its for entity in wire.get(part, ())}
        assert kinds == {"bold", "blockquote"}
    assert not any(
        ch in wire.get("text", wire.get("caption", ""))
        for wire in found
        for ch in "\u202e\u202a\u2066\u200b\ufeff\x00\x1b"
    )


async def test_on_discord(stage: Stage) -> None:
    async with await stage.account("discord") as account:
        places = [await account.place(str(1100000000000000001 + n)) for n in range(PLACES)]
        await said(account, places, list(posts(4, 150, pictures=True)))
    app = cast(DiscordStandIn, stage.sandbox.stand_ins["discord"])
    found = [message for channel in app.state.channels.values() for message in channel.messages.values()]
    assert len(found) == len(list(posts(4, 150)))
    assert [(message.mentions, message.mentions_everyone) for message in found if message.mentions_everyone] == []
    assert [message.mentions for message in found if message.mentions] == []
    below = [embed["description"] for message in found for embed in message.embeds]
    assert len(below) > 5
    shown = [*(message.content for message in found), *below]
    assert [(alive, text) for text in shown for alive in alive_on_discord(text)] == []


async def test_on_x(stage: Stage) -> None:
    posted = stage.sandbox.watchers
    texts: list[str] = []
    posted.append(lambda post: texts.append(post.text))
    async with await stage.account("x") as account:
        place = await account.place("timeline")
        bodies = [
            Message((Line(f"{n}"), Quote(text[:90]))) for n, text in enumerate([*(q.line for q in QUOTED), *COMMENTS])
        ]
        await said(account, [place], bodies)
    assert len(texts) == len(bodies)
    assert [(alive, text) for text in texts for alive in alive_on_x(text)] == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_on_a_page_in_a_terminal_and_for_a_script(language: str) -> None:
    for some in batches([*QUOTED, *(Quoted(text, "2") for text in COMMENTS)], 8):
        shown = replace(report(Tally(50, 28, 22)), quotes=some[:2], reasons=PHRASES[:1])
        whole = messages(shown, language)
        document = Elements(page([*whole, Message(tuple(Quote(quoted.line) for quoted in some))], language))
        assert document.names <= {
            *("html", "head", "meta", "title", "style", "body", "section", "svg", "rect", "text", "path", "circle"),
            *("h1", "h2", "p", "blockquote"),
        }
        assert (document.addresses, document.handlers) == ([], [])
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
