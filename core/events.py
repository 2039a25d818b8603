"""All that an account can bring us. Adapters make these; core decides what they mean.

Every time is aware and UTC, on the calendar clock. ``ref`` strings are opaque names that an adapter gives to
what it posted (``Receipt.refs``) and repeats in what comes back, such as ``poll:5213`` or ``msg:-1001:77``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

ORDER: Final = "order"
"""The cursor of an account that counts its places itself: every ``order`` that it has given is less than this."""


class Via(StrEnum):
    """How a reply came."""

    VOTE = "vote"
    TAP = "tap"
    TEXT = "text"
    FORM = "form"
    COMMAND = "command"
    """In a team's place: written ``/score``, or chosen from the platform's own list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One thing that one person did: voted, tapped, wrote, or filled in a form."""

    id: str
    """Unique on the account and the same when the platform delivers it again."""
    person: str
    """The platform's user id."""
    via: Via
    at: datetime
    """The platform's time where it gives one, else when it arrived."""
    order: int
    """Its place in the account's stream: of two replies of one person the larger is the later one (int64)."""
    done: int | None = None
    """When they did it, as a number that grows with time, by whatever way it came: the platform's id, where that tells
    (int64). ``None`` where ``order`` tells it."""
    place: str = ""
    """Id of the place where it happened; empty in direct messages and where the platform does not say."""
    ref: str | None = None
    """What it votes on, or the message that it answers; ``None`` when it stands alone."""
    ref_at: datetime | None = None
    """TEXT: when the message that it answers was written, where its id tells."""
    option: int | None = None
    """VOTE: index of the option, from 0. With ``withdrawn``: the option taken back, ``None`` = whatever it was."""
    withdrawn: bool = False
    """VOTE: taken back rather than given."""
    token: str | None = None
    """TAP and FORM: the token of the button or form, as it was sent."""
    text: str = ""
    """TEXT and FORM: what the person wrote, raw."""
    message: str = ""
    """TEXT: what the platform calls the message, the same when it is edited; empty where it cannot be."""
    edited: bool = False
    """TEXT: whether the message was there before, with other words."""
    written_at: datetime | None = None
    """TEXT: when an edited message was first written: it belongs to that week, but ``at`` is when it was edited."""
    language: str | None = None
    """The person's language where the platform tells, as a BCP 47 tag."""
    name: str = ""
    """How the platform shows them in a place; empty in direct messages and where it does not tell. Kept only of who
    works in a team's place."""


class ConsentKind(StrEnum):
    """What a person allowed or took back."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A person opened, closed or blocked the way to their direct messages."""

    id: str
    person: str
    kind: ConsentKind
    at: datetime
    order: int
    evidence: str
    """What they did, in words: ``pressed Start``, ``wrote to the brand first``."""
    explicit: bool = True
    """GRANTED: whether they asked for it in so many words. Merely writing to the brand does not undo a stop."""
    place: str = ""
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The totals of a poll, option by option. Of a poll that names nobody they are its open answers."""

    ref: str
    totals: tuple[int, ...]
    as_of: datetime
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """The whole list of a poll's voters. Later live events win, and it never overrides a typed or tapped score."""

    ref: str
    votes: tuple[tuple[str, int], ...]
    """(person id, option index) pairs."""
    as_of: datetime
    order: int
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSeen:
    """A poll of ours came by whose ``ref`` the adapter had not seen before: if the outcome of posting it is unknown, it
    is known by this. Sent only where a poll cannot be looked up: when it first comes by, and again at times, because
    the outcome may not have been unknown yet the first time."""

    ref: str
    question: str
    options: tuple[str, ...]
    closes_at: datetime | None = None
    """``Poll.closes_at`` as it was posted with, to the second, where the platform tells: it is what tells apart two
    polls with the same words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """The stream was away for so long that taps have been lost: the platform keeps them only for a while."""

    since: datetime
    """Calendar time until which taps are sure to have come."""
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far an adapter has read. Kept in the same transaction as the events delivered with it."""

    name: str
    value: str


Event = Reply | Consent | Totals | Votes | PollSeen | Silence | Cursor
