"""From the neutral message to Telegram's HTML and inline keyboard.

Every word is escaped. In a ``Quote``, whatever Telegram would turn into a link, a mention, a tag or a command by
itself is broken by an invisible word joiner, which is no part of any of them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final, assert_never

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from core.errors import ContentRefused
from core.message import Button, Line, Link, Mention, Message, Part, Quote, Strong

POST_CHARS: Final = 4096
"""Source: https://core.telegram.org/bots/api#sendmessage"""
CAPTION_CHARS: Final = 1024
"""Source: https://core.telegram.org/bots/api#sendphoto"""
TOKEN_BYTES: Final = 64
"""Source: https://core.telegram.org/bots/api#inlinekeyboardbutton (``callback_data``)"""
BUTTONS: Final = 100
"""Source: observed by many, not documented: https://limits.tginfo.me/en"""

WORD_JOINER: Final = "\u2060"
_LIVE: Final = re.compile(r"([@#$/.+:＠＃．。])(?=\S)")
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Controls, and marks that turn the direction of writing or cannot be seen. Joiners within emoji and scripts stay."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as Telegram takes it."""

    text: str
    """HTML."""
    keyboard: InlineKeyboardMarkup | None


def length(words: str) -> int:
    """How long Telegram finds a text, in UTF-16 units: an emoji counts 2.

    Source: https://core.telegram.org/api/entities#entity-length
    """
    return len(words.encode("utf-16-le", "surrogatepass")) // 2


def defanged(words: str) -> str:
    """Somebody else's words, with every mark and address in them made harmless; they look the same."""
    return _LIVE.sub(rf"\1{WORD_JOINER}", _UNSEEN.sub("", words))


def render(account: str, message: Message) -> Rendered:
    """Raises ``ContentRefused`` where Telegram would: no words, too many, or a button that cannot be sent."""
    its = length("\n".join(shown(part) for part in message.parts))
    if not any(shown(part).strip() for part in message.parts):
        raise ContentRefused(account, "a message needs words")
    most = POST_CHARS if message.picture is None else CAPTION_CHARS
    if its > most:
        raise ContentRefused(account, f"a message has at most {most} characters, this one {its}")
    return Rendered("\n".join(_html(part) for part in message.parts), _keyboard(account, message.buttons))


def shown(part: Part) -> str:
    """The words of a part as people see them."""
    return defanged(part.text) if isinstance(part, Quote) else part.text


def _html(part: Part) -> str:
    """Source: https://core.telegram.org/bots/api#html-style"""
    words = html.escape(shown(part))
    match part:
        case Line():
            return words
        case Strong():
            return f"<b>{words}</b>"
        case Quote():
            return f"<blockquote>{words}</blockquote>"
        case Link(url=url):
            return f'<a href="{html.escape(url)}">{words}</a>'
        case Mention(person=person):
            # Source: https://core.telegram.org/bots/api#html-style (mention of a user by their id)
            return f'<a href="tg://user?id={person}">{words}</a>' if person.isdecimal() else words
        case _:
            assert_never(part)


def _keyboard(account: str, buttons: tuple[Button, ...]) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None
    if len(buttons) > BUTTONS:
        raise ContentRefused(account, f"a message has at most {BUTTONS} buttons, this one {len(buttons)}")
    for button in buttons:
        if not button.label.strip() or not 1 <= len(button.token.encode()) <= TOKEN_BYTES:
            raise ContentRefused(account, f"a button needs a label and a token of 1 to {TOKEN_BYTES} bytes")
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(b.label, callback_data=b.token) for b in row] for row in rows(buttons)]
    )


def rows(buttons: Iterable[Button]) -> list[list[Button]]:
    """Rows that fit a phone: neighbours of like width together, in rows of even length (eleven scores: 6 and 5)."""
    laid: list[list[Button]] = []
    for most, run in groupby(buttons, key=_per_row):
        alike = list(run)
        lines = -(-len(alike) // most)
        longer = len(alike) % lines
        start = 0
        for line in range(lines):
            end = start + len(alike) // lines + (line < longer)
            laid.append(alike[start:end])
            start = end
    return laid


def _per_row(button: Button) -> int:
    """How many such buttons stand side by side on a narrow phone before their labels are cut."""
    width = length(button.label)
    if width <= 3:
        return 6
    if width <= 9:
        return 3
    return 2 if width <= 15 else 1
