"""What we say, in Discord's terms: text is data, only a ``Link`` is a link.

Customers' words cannot become markup, a mention or a live address: marks are escaped, and what Discord would turn into
something by itself (``<@1>``, ``<+33…>``, ``@everyone``, ``https://…``, ``discord.gg/…``) is broken by a zero-width
space.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil
from typing import Any
from urllib.parse import quote, urlsplit

import discord

from core.account import Poll
from core.errors import ContentRefused
from core.message import Button, Form, Link, Mention, Message, Part, Quote, Strong

POST_CHARS = 2000
"""Source: https://docs.discord.com/developers/resources/message#create-message"""
POLL_OPTIONS, OPTION_CHARS, QUESTION_CHARS = 10, 55, 300
"""Source: https://docs.discord.com/developers/resources/poll#poll-media-object"""
LONGEST_POLL_H = 768
"""32 days. Source: https://docs.discord.com/developers/resources/poll#poll-create-request-object"""
ROWS, ROW_BUTTONS = 5, 5
BUTTONS = ROWS * ROW_BUTTONS
"""Source: https://docs.discord.com/developers/components/reference#action-row"""
THREAD_CHARS = 100
"""Longest name of a thread. Source: https://docs.discord.com/developers/resources/channel#start-thread-from-message"""
PICTURE = "nps.png"
COLOUR = 0x0B7A75
LABEL_CHARS, TOKEN_CHARS = 80, 100
"""Source: https://docs.discord.com/developers/components/reference#button-button-structure"""
TITLE_CHARS = 45
"""Of a form and of the label in it.
Source: https://docs.discord.com/developers/components/reference#label-label-structure"""
ANSWER_CHARS = 4000
"""Source: https://docs.discord.com/developers/components/reference#text-input-text-input-structure"""

_BREAK = "\u200b"
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_ALIVE = re.compile(r"(<)(?=[@#:/+\w])|(@)(?=everyone|here)|(:)(?=//)|(discord(?:app)?\.)(?=gg/|com/)", re.IGNORECASE)
_MARK = re.compile(r"([\\*_~`|\[\]])")
_LINE_MARK = re.compile(r"^([ \t]*)([#>+-]|\d+(?=\.\s))", re.MULTILINE)


def harmless(words: str) -> str:
    """Text that Discord shows as it is: no markup, mention, invitation or live address.

    Source: https://docs.discord.com/developers/reference#message-formatting (what is turned into something)
    """
    words = _ALIVE.sub(rf"\g<0>{_BREAK}", _INVISIBLE.sub("", words))
    return _LINE_MARK.sub(_escape_line_mark, _MARK.sub(r"\\\1", words))


def _escape_line_mark(match: re.Match[str]) -> str:
    space, mark = match.groups()
    return f"{space}{mark}{_BREAK}" if mark[0].isdigit() else f"{space}\\{mark}"


def content(message: Message, account: str) -> str:
    """The text of a message. Raises ``ContentRefused`` when it is too long, or a link is none of the web's."""
    try:
        text = "\n".join(_part(part) for part in message.parts)
    except ValueError as exc:
        raise ContentRefused(account, str(exc)) from exc
    if len(text) > POST_CHARS:
        raise ContentRefused(account, f"the message has {len(text)} characters; Discord takes {POST_CHARS}")
    return text


def mentioned(message: Message) -> discord.AllowedMentions:
    """Who is told of a message: whom it names, and nobody by what anybody wrote."""
    people = [part.person for part in message.parts if isinstance(part, Mention) and part.person.isdecimal()]
    if not people:
        return discord.AllowedMentions.none()
    users = [discord.Object(int(person)) for person in people]
    return discord.AllowedMentions(everyone=False, users=users, roles=False, replied_user=False)


class _Embed(discord.Embed):
    """discord.py sends ``flags`` too, which Discord only tells (2.7.1, OpenAPI ``RichEmbed``)."""

    def to_dict(self) -> Any:
        """As Discord takes it."""
        return {name: value for name, value in super().to_dict().items() if name != "flags"}


def embed(message: Message, account: str) -> discord.Embed:
    """What goes with a picture: all but the first line, which stays outside so that a notification shows it. Raises
    ``ContentRefused``. Source: https://docs.discord.com/developers/resources/message#embed-object-embed-limits"""
    words = content(Message(message.parts[1:]), account)
    return _Embed(description=words or None, colour=COLOUR).set_image(url=f"attachment://{PICTURE}")


def thread_name(message: Message) -> str:
    """What the thread of a message is called: its first line, cut between words."""
    name = harmless(message.parts[0].text).replace("\\", "")
    return textwrap.shorten(name, THREAD_CHARS, placeholder="…")


def _part(part: Part) -> str:
    match part:
        case Strong(text):
            return f"**{bold}**" if (bold := harmless(text).strip()) else ""
        case Quote(text):
            return "\n".join(f"> {harmless(line)}" for line in text.splitlines())
        case Mention(text, person):
            return f"{harmless(text)}: <@{person}>" if person.isdecimal() else harmless(text)
        case Link(text, url):
            address = _address(url)
            return f"[{harmless(text)}](<{address}>)" if text.strip() else f"<{address}>"
        case _:
            return harmless(part.text)


def _address(url: str) -> str:
    """The address with everything quoted that could end the link early."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError(f"the link {url!r} must start with http:// or https://")
    return quote(url, safe="!#$%&'*+,/:;=?@~-._")


def rows(buttons: Sequence[Button]) -> list[list[Button]]:
    """Buttons in rows of at most five, as even as possible: eleven scores are 4 + 4 + 3, ten are 5 + 5.

    Scores and words do not share a row, as long as five rows are enough for that.
    """
    apart = [
        row
        for _, group in groupby(buttons, key=lambda button: len(button.label) <= 2)
        for row in _even_rows(list(group))
    ]
    return apart if len(apart) <= ROWS else _even_rows(buttons)


def _even_rows(buttons: Sequence[Button]) -> list[list[Button]]:
    left, result = list(buttons), []
    for rows_left in range(ceil(len(left) / ROW_BUTTONS), 0, -1):
        width = ceil(len(left) / rows_left)
        result.append(left[:width])
        left = left[width:]
    return result


def view(buttons: Sequence[Button], account: str) -> discord.ui.View:
    """The buttons as discord.py sends them. All are secondary: no score may look better than another.

    Taps are read from the raw interaction, so the view is marked as finished and discord.py keeps nothing of it: the
    buttons work across restarts. Raises ``ContentRefused``.
    """
    if len(buttons) > BUTTONS:
        raise ContentRefused(account, f"{len(buttons)} buttons; Discord takes {BUTTONS} under a message")
    result = discord.ui.View(timeout=None)
    for number, row in enumerate(rows(buttons)):
        for button in row:
            if not 1 <= len(button.label) <= LABEL_CHARS or not 1 <= len(button.token) <= TOKEN_CHARS:
                raise ContentRefused(account, f"button {button.label!r}: label 1–{LABEL_CHARS}, token 1–{TOKEN_CHARS}")
            result.add_item(
                discord.ui.Button(
                    style=discord.ButtonStyle.secondary, label=button.label, custom_id=button.token, row=number
                )
            )
    result.stop()
    return result


def modal(form: Form) -> discord.ui.Modal:
    """The form as a modal; its ``custom_id`` is the form's token. Not kept by discord.py either (see ``view``)."""
    result = discord.ui.Modal(title=form.title[:TITLE_CHARS], custom_id=form.token, timeout=None)
    answer: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
        style=discord.TextStyle.paragraph, custom_id="text", max_length=ANSWER_CHARS
    )
    result.add_item(discord.ui.Label(text=form.label[:TITLE_CHARS], component=answer))
    result.stop()
    return result


def poll(poll: Poll, now: datetime, account: str) -> discord.Poll:
    """A poll with one choice. Its length is rounded up to whole hours, at least 1 and at most 768.

    Raises ``ContentRefused``.
    """
    if not 1 <= len(poll.question) <= QUESTION_CHARS:
        raise ContentRefused(account, f"the question has {len(poll.question)} characters; Discord takes 1–300")
    if not 1 <= len(poll.options) <= POLL_OPTIONS:
        raise ContentRefused(account, f"{len(poll.options)} options; Discord takes 1–{POLL_OPTIONS}")
    hours = min(max(ceil((poll.closes_at - now) / timedelta(hours=1)), 1), LONGEST_POLL_H)
    result = discord.Poll(question=poll.question, duration=timedelta(hours=hours), multiple=False)
    for option in poll.options:
        if not 1 <= len(option) <= OPTION_CHARS:
            raise ContentRefused(account, f"option {option!r} has {len(option)} characters; Discord takes 1–55")
        result.add_answer(text=option)
    return result
