"""**The** interface between core and a platform: what an account can do, and the limits of its places.

One account is one token on a platform: one stream, one rate budget. A new platform is one package in ``bots/``
that keeps this interface, and one line in its registry.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from core.events import Event, Totals, Votes
from core.message import Form, Message


class PlaceKind(StrEnum):
    """What sort of place a message goes to."""

    GROUP = "group"
    """Many can read and write: a Telegram group, a Discord text channel."""
    BROADCAST = "broadcast"
    """Many read, we write: a Telegram channel."""
    TIMELINE = "timeline"
    """The brand's own posts on X."""
    DIRECT = "direct"
    """Direct messages with one person each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one place can show. Core asks these, never the platform's name."""

    post_chars: int
    """Longest message, in the platform's own way of counting."""
    poll_options: int = 0
    """Most options of a poll; 0 where there are no polls."""
    option_chars: int = 0
    question_chars: int = 0
    poll_longest: timedelta = timedelta(0)
    poll_shortest: timedelta = timedelta(0)
    poll_names_voters: bool = False
    """Whether we can learn who voted for what."""
    buttons: int = 0
    """Most buttons under one message; 0 where there are none."""
    private_answers: bool = False
    """Whether a tap in public can be answered to that person alone with a message (more than a toast)."""
    toast_chars: int = 0
    """Longest note shown to the person who tapped; 0 where there is none."""
    tap_opens_direct: bool = False
    """Whether a tap in this place suffices for us to write to that person directly."""
    answers_only: bool = False
    """DIRECT: whether we may write only in answer, one message for each of theirs."""
    looks: bool = False
    """Whether ``Account.look`` can tell if a message of ours is there."""
    caption_chars: int = 0
    """Longest words with a picture; 0 where there are no pictures."""
    edits: bool = False
    """Whether a message of ours can be edited. A report to a place that edits but does not look goes as a placeholder
    that is then edited: a placeholder may be said twice, the report cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place on an account, as the platform describes it."""

    id: str
    """The id as in ``settings.toml``; ``direct`` and ``timeline`` are the two that carry no number."""
    kind: PlaceKind
    limits: Limits
    title: str = ""


@dataclass(frozen=True, slots=True)
class Direct:
    """The address of one person's direct messages: their id on the account."""

    person: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person is in a place, as the platform says when it is asked."""

    admin: bool = False
    """Whether they administer it: on Telegram its owner and administrators, on Discord who may manage the server."""
    roles: frozenset[str] = frozenset()
    """Ids of the roles that the platform gives them there."""


Address = Place | Direct


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """A poll to post."""

    question: str
    options: tuple[str, ...]
    closes_at: datetime
    """Calendar time. The adapter may end the poll earlier where the platform's longest poll is shorter, never later
    than its rounding step; it is ended by ``close`` as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the platform answered when we posted: enough to find, close, and look up the message again."""

    place: str
    """Place id, or the person's id for a direct message."""
    message: str
    """The platform's message id."""
    refs: tuple[str, ...]
    """Every name under which replies may refer to it (see ``core/events.py``)."""
    sent_at: datetime
    """Calendar time by the platform."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer to one event. All of it is best effort: whatever must arrive goes through the outbox."""

    message: Message | None = None
    """Shown to this person alone, in answer to a tap or form (where ``Limits.private_answers``)."""
    toast: str | None = None
    """A short note to the person who tapped (where ``Limits.toast_chars``)."""


NOTHING = Answer()
"""Nothing to answer."""

Deliver = Callable[[Sequence[Event]], Awaitable[Sequence[Answer]]]
"""Takes events, returns one ``Answer`` per event in the same order, once they are committed. The order of calls is
the order of the stream, whether or not the earlier call has returned yet. Raises ``StoreError`` when nothing could be
kept: then nothing may be confirmed to the platform."""

Begin = Callable[[], Awaitable[None]]
"""Called by ``poll`` and ``say`` once they have done all their waiting, immediately before the request leaves.

From its return on the thing may have been said; before, it surely was not. When it raises, nothing may leave, and the
error goes through as it is: the thing is no longer ours to say, or no longer wanted. Called once: an adapter that has
to wait again (a 429, a pause) raises ``AccountUnavailable`` and will be asked again."""


class Look(StrEnum):
    """What looking for a message found, other than the message."""

    NOT_SAID = "not said"
    """It is surely not there, and will not come: it may be said again."""
    CANNOT_TELL = "cannot tell"
    """This platform does not let us see it."""


Forms = Callable[[str], Form | None]
"""The form that the button with this token opens; pure and immediate, because a form must be the first answer."""


class Account(AbstractAsyncContextManager["Account"], Protocol):
    """One account on a platform. Entering it signs in (raises ``AccountRefused`` or ``AccountUnavailable``)."""

    @property
    def name(self) -> str:
        """The account's name in ``settings.toml``."""
        ...

    async def place(self, id: str) -> Place:
        """Ask the platform about a place of the settings. Raises ``AccountRefused`` with the mend when we cannot post
        there, ``AccountUnavailable``."""
        ...

    async def listen(self, deliver: Deliver, cursors: Mapping[str, str], ready: Callable[[], None]) -> None:
        """Bring events until cancelled. Calls ``ready()`` once the stream is up and has brought the first of what
        waited: only then are people written to unasked. Confirms to the platform only what ``deliver`` returned for.
        ``cursors`` are the values last kept (see ``Cursor``). Survives lost connections and malformed payloads; raises
        ``AccountRefused`` when a person must act."""
        ...

    async def poll(self, place: Place, poll: Poll, key: str, *, begin: Begin) -> Receipt:
        """Post a poll. ``key`` names this post for ever: a platform that can is told, so that a second try returns the
        first. Raises any ``AccountError``; ``OutcomeUnknown`` when it may have been posted; whatever ``begin`` raises.
        """
        ...

    async def say(
        self,
        to: Address,
        message: Message,
        key: str,
        *,
        under: Receipt | None = None,
        not_after: datetime | None = None,
        begin: Begin,
    ) -> Receipt:
        """Post a message; below a message of ours where ``under`` names one and the platform can. Raises as ``poll``
        does, ``PersonUnreachable``, and ``TooLate`` when the platform's limits would have it wait beyond
        ``not_after``."""
        ...

    async def edit(self, said: Receipt, message: Message) -> None:
        """Put another message in the place of one of ours (where ``Limits.edits``). May be repeated: what reads so
        already is left as it is. Raises ``AccountError``, ``ContentRefused`` when it is gone."""
        ...

    async def look(
        self,
        to: Address,
        body: Message | Poll,
        key: str,
        since: datetime,
        *,
        under: Receipt | None = None,
        others: Collection[str] = (),
    ) -> Receipt | Look:
        """Whether this was said after all: look on the platform for what ``poll`` or ``say`` with the same arguments
        would have left there at ``since`` (calendar time, the claim) or later. Never guesses: what might be another
        message of ours is not taken for it; ``others`` are those that surely are, by the platform's ids. Raises
        ``AccountUnavailable`` when the platform cannot be asked now."""
        ...

    async def offer(self, place: Place, commands: Sequence[tuple[str, str]], *, to_all: bool) -> None:
        """Show these commands in a place, each with what it does in at most 100 characters; none but these. ``to_all``:
        not only to who administers it, where the platform makes a difference. Raises ``AccountError``."""
        ...

    async def standing(self, place: Place, person: str) -> Standing:
        """What a person is there now: asked anew each time. A stranger is nothing. Raises ``AccountUnavailable``."""
        ...

    async def close(self, poll: Receipt) -> Totals | Votes | None:
        """End a poll on the platform where it can be ended, and return its last totals or its whole list of voters."""
        ...

    async def catch_up(self, polls: Sequence[Receipt], deliver: Deliver) -> None:
        """Deliver everything that had happened on the platform when this was called and that it can still give: the
        backlog, unread direct messages and mentions, and the present votes or totals of ``polls``. Returns once all of
        it has been committed. Raises ``AccountUnavailable``."""
        ...
