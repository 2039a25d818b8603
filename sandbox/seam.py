"""What the stand-ins and the world of followers say to each other, in words that fit every platform.

A stand-in knows wires and limits. The world knows people. A stand-in tells the world what the bot posted (``Post``);
the world answers through the human side of the stand-in (``StandIn``): what a person can do in the platform's app.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from aiohttp import web


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """One bot account that exists on a platform. Its credentials are derived from its name."""

    name: str
    platform: str
    """``telegram``, ``discord`` or ``x``."""
    title: str = "Brand"


@dataclass(frozen=True, slots=True)
class PlacePlan:
    """A place where an account may post. X timelines and direct messages exist without being planned."""

    account: str
    id: str
    """As the bot addresses it: a Telegram chat id, a Discord channel id."""
    kind: str
    """``group`` (people can write: Telegram supergroup, Discord text channel) or ``broadcast`` (Telegram channel)."""
    title: str = "Place"


@dataclass(frozen=True, slots=True)
class PostButton:
    """A button as the person sees it, with the data that the platform sends back."""

    label: str
    data: str


@dataclass(frozen=True, slots=True)
class Post:
    """Something the bot sent that people can see: a message or a poll, in a place or to one person."""

    platform: str
    account: str
    place: str
    """Place id; ``timeline`` for a post on X; ``direct`` for a direct message."""
    to: str | None
    """The person's id when only they see it (a direct message, or a private answer to their tap)."""
    id: str
    text: str
    """As a person reads it: markup rendered away. For a poll its question."""
    at: datetime
    """Calendar time."""
    options: tuple[str, ...] = ()
    """Of a poll."""
    names_voters: bool = False
    """Of a poll: whether the bot can learn who voted."""
    closes_at: datetime | None = None
    """Of a poll."""
    buttons: tuple[PostButton, ...] = ()
    reply_to: str | None = None
    key: str = ""
    """What tells apart two posts that a bot may have sent twice: the client's nonce where it has one."""
    raw: object = None
    """What went over the wire (the request's fields), for whoever wants to show it."""
    pictures: tuple[bytes, ...] = field(default=(), repr=False)
    """The files that are shown with it."""
    edited: bool = False
    """Whether it stands where the post with the same id stood before: the bot edited it. ``at`` is the first post's."""


Watcher = Callable[[Post], None]
"""Called by a stand-in, synchronously, whenever the bot has posted or edited something, as soon as people can see
it."""


class StandIn(Protocol):
    """One platform's stand-in: its HTTP application, and what people can do in its app.

    Every act is put on the bot's stream before the coroutine is first suspended, so that the order of calls is the
    order of the stream. An act returns whether the platform took it: ``False`` when the poll is closed, the person may
    not write there, or the app showed "interaction failed".
    """

    platform: str

    def application(self) -> web.Application:
        """To be mounted under ``/{platform}``."""
        ...

    def add_account(self, plan: AccountPlan) -> dict[str, str]:
        """Create the bot. Returns its credentials and addresses as the settings of an adapter name them, relative
        addresses starting with ``/``."""
        ...

    def add_place(self, plan: PlacePlan) -> None:
        """Create a place; its account may post there."""
        ...

    def promote(self, account: str, place: str, person: str) -> None:
        """Give a person the rights of the team in a place of theirs: administrator. On X nobody has any."""
        ...

    def add_person(self, *, name: str, language: str = "en") -> str:
        """A person joins the platform (and every guild and group on it). Returns their id on the platform."""
        ...

    async def open_direct(self, account: str, person: str, payload: str = "") -> bool:
        """Open direct messages the platform's way: press Start on Telegram (with a deep link's payload). On X and
        Discord nothing is needed before ``write`` and this returns True without telling the bot."""
        ...

    async def write(
        self, account: str, person: str, text: str, *, place: str = "direct", reply_to: Post | None = None
    ) -> str | None:
        """Write a message: directly to the account, or in a place (``timeline`` on X: a post that mentions the account,
        and that replies to ``reply_to``). Returns the message's id, ``None`` when refused."""
        ...

    async def vote(self, person: str, post: Post, option: int | None) -> bool:
        """Vote for an option of a poll, instead of the earlier one if any; ``None`` takes the vote back."""
        ...

    async def tap(self, person: str, post: Post, button: PostButton) -> bool:
        """Tap a button. Where the platform shows forms, see ``fill``. On Discord this waits for the answer (3 s)."""
        ...

    async def fill(self, person: str, post: Post, button: PostButton, text: str) -> bool:
        """Tap a button that opens a form, write the text into its first field and send it. Discord only; elsewhere
        ``False``."""
        ...

    async def block(self, account: str, person: str) -> None:
        """The person blocks the account: it can no longer write to them directly."""
        ...

    def visible_totals(self, post: Post) -> tuple[int, ...] | None:
        """What a person sees of a poll's present result; ``None`` where it is hidden."""
        ...
