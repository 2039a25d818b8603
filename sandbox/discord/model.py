"""What exists on Discord as far as a bot can see: applications, people, guilds, channels, messages, polls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.discord.session import Session

Json = dict[str, Any]

GUILD_TEXT, DIRECT, ANNOUNCEMENT, THREAD = 0, 1, 5, 11
"""Kinds of channels. Source: https://discord.com/developers/docs/resources/channel#channel-object-channel-types"""

EPHEMERAL, LOADING = 1 << 6, 1 << 7
"""Message flags. Source: https://discord.com/developers/docs/resources/message#message-object-message-flags"""

ADMINISTRATOR, VIEW_CHANNEL, SEND_MESSAGES, EMBED_LINKS = 1 << 3, 1 << 10, 1 << 11, 1 << 14
ATTACH_FILES, READ_HISTORY, USE_COMMANDS, SEND_POLLS = 1 << 15, 1 << 16, 1 << 31, 1 << 49
CREATE_THREADS, SEND_IN_THREADS = 1 << 35, 1 << 38
MEMBER_PERMISSIONS = (
    VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_HISTORY
    | USE_COMMANDS
    | SEND_POLLS
    | CREATE_THREADS
    | SEND_IN_THREADS
)
"""What everybody may do in a guild. Source: https://discord.com/developers/docs/topics/permissions"""


@dataclass(slots=True)
class Person:
    """A person, or the face of a bot."""

    id: int
    name: str
    language: str = "en"
    bot: bool = False
    joined_at: str = ""
    """When they joined the guilds (ISO, calendar)."""
    encoded: str = ""
    """Their JSON as the wire carries it, made once."""


@dataclass(slots=True, eq=False)
class Guild:
    """A server: its channels, and who is not an ordinary member of it."""

    id: int
    name: str
    application: Application
    owner: Person
    role: int
    """Id of the role that carries ``ADMINISTRATOR``."""
    channels: dict[int, Channel] = field(default_factory=dict)
    admins: set[int] = field(default_factory=set)
    left: set[int] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Application:
    """One account: an application with its bot."""

    id: int
    name: str
    title: str
    token: str
    bot: Person
    privileged: int = 0
    """Privileged intents that its owner has switched on."""
    guild: Guild = field(init=False)
    directs: dict[int, Channel] = field(default_factory=dict)
    """Direct channel by person."""
    blocked_by: set[int] = field(default_factory=set)
    known: set[int] = field(default_factory=set)
    """People who have used the bot: wrote to it, tapped or commanded."""
    opened: list[float] = field(default_factory=list)
    """When (wire) it opened direct messages to people who had not."""
    nonces: dict[str, tuple[float, Message]] = field(default_factory=dict)
    commands: dict[int, dict[int, Json]] = field(default_factory=dict)
    """By guild id (0: everywhere), then by command id."""
    sessions: dict[str, Session] = field(default_factory=dict)
    identified: list[float] = field(default_factory=list)
    """When (wire) its sessions were started."""

    def every_command(self) -> Iterable[Json]:
        for commands in self.commands.values():
            yield from commands.values()


@dataclass(slots=True, eq=False)
class Channel:
    """Where messages stand: a text channel, a thread, or direct messages."""

    id: int
    type: int
    application: Application
    name: str = ""
    guild: Guild | None = None
    recipient: Person | None = None
    parent: Channel | None = None
    """Of a thread."""
    denied: int = 0
    """Permissions that the bot lacks here."""
    messages: dict[int, Message] = field(default_factory=dict)
    """In the order of their ids."""
    last_message_id: int | None = None


@dataclass(slots=True, eq=False)
class Poll:
    """A poll and who voted for what."""

    question: str
    answers: list[Json]
    """As the wire shows them: ``{"answer_id", "poll_media"}``."""
    expiry: datetime
    multiselect: bool
    voters: dict[int, list[int]]
    """Person ids in ascending order, by answer id."""
    choices: dict[int, set[int]] = field(default_factory=dict)
    """Answer ids by person."""
    ended: bool = False
    final_from: float = 0.0
    """Wire time from which the count is final, once ended."""
    finalized: bool = False


@dataclass(slots=True, eq=False)
class Message:
    """A message as everybody sees it."""

    id: int
    channel: Channel
    author: Person
    content: str
    at: datetime
    type: int = 0
    edited_at: datetime | None = None
    flags: int = 0
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    mentions: list[Person] = field(default_factory=list)
    mentions_everyone: bool = False
    poll: Poll | None = None
    reply_to: int | None = None
    nonce: str | int | None = None
    only_for: Person | None = None
    """Who alone sees an ephemeral message."""
    metadata: Json | None = None
    """The interaction that it answers."""
    thread: Channel | None = None
    told: bool = False
    """Whether people have been shown it."""
    resulting: int | None = None
    """Id of the poll whose result this message tells."""
