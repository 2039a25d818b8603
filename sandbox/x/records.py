"""What X remembers: members, posts with polls, direct messages, blocks; ids from the calendar; look-ups in O(1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.clocks import Clocks
from sandbox.x.text import mentioned

_EPOCH_MS = 1288834974657
"""Source: https://docs.x.com/fundamentals/x-ids"""


@dataclass(slots=True)
class Member:
    """A profile: a person's or the brand's."""

    id: int
    username: str
    name: str
    created_at: datetime
    account: str | None = None
    """Our name of the account when the profile is a brand's."""


@dataclass(slots=True)
class Poll:
    """A poll on a post: X counts, and names nobody."""

    id: int
    options: tuple[str, ...]
    minutes: int
    ends_at: datetime
    votes: list[int]
    voters: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Tweet:
    """A post. ``text`` is as its author typed it, behind the names that a reply carries."""

    id: int
    author: Member
    text: str
    created_at: datetime
    conversation_id: int
    reply_to: int | None = None
    reply_to_author: int | None = None
    poll: Poll | None = None
    media_keys: tuple[str, ...] = ()
    mentions: frozenset[int] = frozenset()
    replies: int = 0


@dataclass(slots=True)
class Dm:
    """A direct message."""

    id: int
    sender: int
    receiver: int
    text: str
    created_at: datetime
    media_key: str | None = None

    @property
    def conversation_id(self) -> str:
        low, high = sorted((self.sender, self.receiver))
        return f"{low}-{high}"


@dataclass(slots=True)
class Conversation:
    """Between a brand and a person."""

    events: list[Dm] = field(default_factory=list)
    received: int = 0
    """How many messages the brand got."""
    sent: int = 0


class Network:
    """All of X."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._last_id = 0
        self.members: dict[int, Member] = {}
        self.by_username: dict[str, Member] = {}
        self.tweets: dict[int, Tweet] = {}
        self.timelines: dict[int, list[int]] = {}
        self.mentions: dict[int, list[int]] = {}
        self.inboxes: dict[int, list[Dm]] = {}
        """Per brand."""
        self.conversations: dict[tuple[int, int], Conversation] = {}
        """By brand and person."""
        self.blocks: set[tuple[int, int]] = set()
        """(brand, person who blocked it)"""
        self.answered: set[tuple[int, int]] = set()
        """(brand, post that it replied to)"""

    def new_id(self, at: datetime) -> int:
        """A snowflake: milliseconds of the calendar and a sequence; strictly increasing over posts and messages."""
        self._last_id = max(self._last_id + 1, self.stamp(at))
        return self._last_id

    @staticmethod
    def stamp(at: datetime) -> int:
        """The least id of that millisecond."""
        return (int(at.timestamp() * 1000) - _EPOCH_MS) << 22

    def join(self, member: Member) -> None:
        self.members[member.id] = member
        self.by_username[member.username.lower()] = member

    def post(
        self,
        author: Member,
        text: str,
        *,
        reply_to: Tweet | None = None,
        options: Sequence[str] = (),
        minutes: int = 0,
        media_keys: Sequence[str] = (),
    ) -> Tweet:
        """Publish. A reply carries the name of whom it answers in front of its text."""
        at = self._clocks.now()
        if reply_to is not None and reply_to.author is not author:
            handle = reply_to.author.username
            if handle.lower() not in mentioned(text):
                text = f"@{handle} {text}"
        post_id = self.new_id(at)
        poll = None
        if options:
            ends_at = at + timedelta(minutes=minutes)
            poll = Poll(self.new_id(at), tuple(options), minutes, ends_at, [0] * len(options))
        found = (self.by_username.get(name) for name in mentioned(text))
        tweet = Tweet(
            id=post_id,
            author=author,
            text=text,
            created_at=at,
            conversation_id=reply_to.conversation_id if reply_to else post_id,
            reply_to=reply_to.id if reply_to else None,
            reply_to_author=reply_to.author.id if reply_to else None,
            poll=poll,
            media_keys=tuple(media_keys),
            mentions=frozenset(member.id for member in found if member is not None),
        )
        self.tweets[post_id] = tweet
        self.timelines.setdefault(author.id, []).append(post_id)
        for member_id in tweet.mentions - {author.id}:
            self.mentions.setdefault(member_id, []).append(post_id)
        if reply_to is not None:
            reply_to.replies += 1
        return tweet

    def delete(self, tweet: Tweet) -> None:
        """Forget a post; look-ups skip its id."""
        del self.tweets[tweet.id]
        parent = self.tweets.get(tweet.reply_to or 0)
        if parent is not None:
            parent.replies -= 1

    def conversation(self, brand: int, person: int) -> Conversation:
        return self.conversations.setdefault((brand, person), Conversation())

    def message(self, brand: int, person: int, text: str, *, from_brand: bool, media_key: str | None = None) -> Dm:
        """A direct message between a brand and a person."""
        at = self._clocks.now()
        sender, receiver = (brand, person) if from_brand else (person, brand)
        dm = Dm(self.new_id(at), sender, receiver, text, at, media_key)
        conversation = self.conversation(brand, person)
        conversation.events.append(dm)
        if from_brand:
            conversation.sent += 1
        else:
            conversation.received += 1
        self.inboxes.setdefault(brand, []).append(dm)
        return dm

    def closed(self, poll: Poll) -> bool:
        return self._clocks.now() >= poll.ends_at
