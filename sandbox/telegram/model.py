"""What exists on the stand-in: bots, people, chats and their messages."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.seam import Post
from sandbox.telegram.keyboard import Rows
from sandbox.telegram.polls import Poll
from sandbox.telegram.rates import Rates
from sandbox.telegram.updates import Stream

Wire = dict[str, Any]
"""An object of the Bot API."""


def digest(*parts: object) -> str:
    """Hexadecimal, the same for the same parts for ever."""
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()


@dataclass(slots=True)
class Person:
    """Somebody with Telegram's app."""

    id: int
    name: str
    language: str
    joined: datetime
    """Calendar time."""

    def wire(self) -> Wire:
        """As a ``User``."""
        return {"id": self.id, "is_bot": False, "first_name": self.name, "language_code": self.language}


@dataclass(slots=True)
class Tapped:
    """A callback query that waits for its answer."""

    person: Person
    chat: Chat
    at: float
    """Wire time."""
    answered: bool = False


@dataclass(slots=True)
class Bot:
    """One bot account."""

    name: str
    title: str
    stream: Stream
    rates: Rates
    id: int = 0
    username: str = ""
    taps: dict[str, Tapped] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    """People it has met in groups, polls and taps: it knows that they exist."""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    commands: dict[tuple[str, str], list[Wire]] = field(default_factory=dict)
    tap_count: int = 0

    def __post_init__(self) -> None:
        self.id = 5_000_000_000 + int(digest("bot", self.name)[:7], 16)
        self.username = re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_")[:24] + "_bot"

    @property
    def token(self) -> str:
        """``<id>:<35 characters>``."""
        secret = base64.urlsafe_b64encode(hashlib.sha256(f"token:{self.name}".encode()).digest()).decode()
        return f"{self.id}:AA{secret[:33]}"

    def wire(self) -> Wire:
        """As a ``User``."""
        return {"id": self.id, "is_bot": True, "first_name": self.title, "username": self.username}


@dataclass(slots=True)
class Draft:
    """What a bot is about to send, read and checked."""

    content: Wire
    """The fields of ``Message`` that carry it."""
    text: str
    """As a person reads it."""
    keyboard: Rows = field(default_factory=list)
    poll: Poll | None = None


@dataclass(slots=True)
class Message:
    """A message that stands in a chat. ``wire`` is the ``Message`` object without what changes (poll, keyboard)."""

    chat: Chat
    id: int
    bot: Bot | None
    wire: Wire
    text: str = ""
    keyboard: Rows = field(default_factory=list)
    poll: Poll | None = None
    shown: Post | None = None
    """As people see it, where the bot posted it."""

    def render(self, *, reply: bool = True) -> Wire:
        """As a ``Message``, as it stands now."""
        wire = dict(self.wire)
        if not reply:
            wire.pop("reply_to_message", None)
        if self.poll is not None:
            wire["poll"] = self.poll.wire() | self.poll.description
        if self.keyboard:
            wire["reply_markup"] = {"inline_keyboard": self.keyboard}
        return wire


@dataclass(slots=True)
class Chat:
    """A private chat, a basic group, a supergroup or a channel."""

    id: int
    kind: str
    """``private``, ``group``, ``supergroup`` or ``channel``, as in ``Chat.type``."""
    title: str
    bots: dict[int, Bot] = field(default_factory=dict)
    person: Person | None = None
    """Of a private chat."""
    blocked: bool = False
    """Of a private chat: the person blocked the bot."""
    messages: dict[int, Message] = field(default_factory=dict)
    last_id: int = 0
    last_bot: Bot | None = None
    """The bot that spoke last: it gets commands that name nobody."""
    kicked: set[int] = field(default_factory=set)
    administrators: set[int] = field(default_factory=set)
    """People's ids."""
    upgraded_to: int | None = None

    def wire(self) -> Wire:
        """As a ``Chat``."""
        named = "first_name" if self.kind == "private" else "title"
        return {"id": self.id, "type": self.kind, named: self.title}

    def next_id(self) -> int:
        """The next message's id."""
        self.last_id += 1
        return self.last_id
