"""Records as X shows them: only the fields that were asked for, and what the expansions bring along.

Source: https://docs.x.com/x-api/fundamentals/fields and https://docs.x.com/x-api/fundamentals/expansions
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox.rules import Rules
from sandbox.x.media import GIF
from sandbox.x.query import Query
from sandbox.x.records import Dm, Member, Network, Poll, Tweet
from sandbox.x.text import LINK, MENTION, escaped, picture_link, shortened, with_short_links
from sandbox.x.vocabulary import (
    DM_DEFAULT,
    DM_EVENT_FIELDS,
    MEDIA_DEFAULT,
    MEDIA_FIELDS,
    POLL_DEFAULT,
    POLL_FIELDS,
    TWEET_DEFAULT,
    TWEET_FIELDS,
    USER_DEFAULT,
    USER_FIELDS,
)

_EDITABLE = timedelta(hours=1)
_BROUGHT_BY = {
    "author_id": "author_id",
    "in_reply_to_user_id": "in_reply_to_user_id",
    "attachments.poll_ids": "attachments",
    "attachments.media_keys": "attachments",
    "referenced_tweets.id": "referenced_tweets",
    "referenced_tweets.id.author_id": "referenced_tweets",
    "referenced_posts": "referenced_tweets",
    "entities.mentions.username": "entities",
    "sender_id": "sender_id",
}
"""An expansion shows the field that it expands, too."""


def moment(at: datetime) -> str:
    """A time as X writes it: UTC, whole seconds with milliseconds that are none, Z."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.000Z"


class View:
    """How one call wants to see things, and what it has expanded so far."""

    def __init__(self, network: Network, rules: Rules, query: Query) -> None:
        self._network = network
        self._rules = rules
        self.expansions = query.words("expansions")
        self.renamed = query.text("post.fields") is not None or bool(
            self.expansions & {"referenced_posts", "edit_history_post_ids", "username"}
        )
        brought = {_BROUGHT_BY[name] for name in self.expansions if name in _BROUGHT_BY}
        asked = query.words("tweet.fields") | query.words("post.fields") | brought
        self._tweet = self._chosen(asked, TWEET_DEFAULT, TWEET_FIELDS)
        self._poll = self._chosen(query.words("poll.fields"), POLL_DEFAULT, POLL_FIELDS)
        self._user = self._chosen(query.words("user.fields"), USER_DEFAULT, USER_FIELDS)
        self._media = self._chosen(query.words("media.fields"), MEDIA_DEFAULT, MEDIA_FIELDS)
        self._dm = self._chosen(query.words("dm_event.fields") | brought, DM_DEFAULT, DM_EVENT_FIELDS)
        self._polls: dict[int, Mapping[str, Any]] = {}
        self._users: dict[int, Mapping[str, Any]] = {}
        self._tweets: dict[int, Mapping[str, Any]] = {}
        self._media_shown: dict[str, Mapping[str, Any]] = {}

    def _chosen(
        self, asked: frozenset[str] | set[str], default: frozenset[str], every: frozenset[str]
    ) -> tuple[str, ...]:
        return tuple(sorted(default | asked if self._rules.on("x.fields.asked") else every))

    def tweet(self, tweet: Tweet, *, expand: bool = True) -> dict[str, Any]:
        shown = {name: value for name in self._tweet if (value := self._tweet_field(tweet, name)) is not None}
        if self.renamed:
            shown = {_NEW_NAMES.get(name, name): value for name, value in shown.items()}
        if expand and self.expansions:
            self._expand_tweet(tweet)
        return shown

    def _tweet_field(self, tweet: Tweet, name: str) -> Any:
        read = _TWEET_FIELDS.get(name)
        if read is not None:
            return read(tweet)
        if name == "text":
            shown = self.text(tweet.text)
            return f"{shown} {picture_link(tweet.id)}".strip() if tweet.media_keys else shown
        if name == "entities":
            return self._with_picture(tweet, self._entities(tweet.text))
        return None

    def _with_picture(self, tweet: Tweet, found: dict[str, Any] | None) -> dict[str, Any] | None:
        """The link that X puts behind the words of a post with a picture.

        Source: https://docs.x.com/x-api/fundamentals/data-dictionary (``entities.urls`` with ``media_key``)
        """
        if not tweet.media_keys:
            return found
        start = len(self.text(tweet.text)) + 1 if tweet.text else 0
        full = f"https://x.com/{tweet.author.username}/status/{tweet.id}/photo/1"
        link = {
            "start": start,
            "end": start + len(picture_link(tweet.id)),
            "url": picture_link(tweet.id),
            "expanded_url": full,
            "display_url": f"pic.x.com/{picture_link(tweet.id)[-10:]}",
            "media_key": tweet.media_keys[0],
        }
        return {**(found or {}), "urls": [*(found or {}).get("urls", []), link]}

    def text(self, text: str) -> str:
        """As the API returns it: links as t.co, and escaped."""
        if self._rules.on("x.post.links"):
            text = with_short_links(text)
        return escaped(text) if self._rules.on("x.post.escaped") else text

    def _entities(self, text: str) -> dict[str, Any] | None:
        shown = self.text(text)
        links = {shortened(link.group()): link.group() for link in LINK.finditer(text)}
        urls = [
            {"start": at.start(), "end": at.end(), "url": at.group(), "expanded_url": _full(links[at.group()]),
             "display_url": links[at.group()]}
            for at in LINK.finditer(shown)
            if at.group() in links
        ]  # fmt: skip
        mentions = [
            {"start": at.start(), "end": at.end(), "username": member.username, "id": str(member.id)}
            for at in MENTION.finditer(shown)
            if (member := self._network.by_username.get(at.group(1).lower())) is not None
        ]
        found = {"urls": urls, "mentions": mentions}
        return {name: items for name, items in found.items() if items} or None

    def _expand_tweet(self, tweet: Tweet) -> None:
        wanted = self.expansions
        if tweet.poll is not None and "attachments.poll_ids" in wanted:
            self._polls[tweet.poll.id] = self.poll(tweet.poll)
        if "author_id" in wanted:
            self._add_user(tweet.author.id)
        if tweet.reply_to_author is not None and "in_reply_to_user_id" in wanted:
            self._add_user(tweet.reply_to_author)
        if "entities.mentions.username" in wanted:
            for member in sorted(tweet.mentions):
                self._add_user(member)
        if "attachments.media_keys" in wanted:
            self._add_media(tweet.media_keys)
        parent = self._network.tweets.get(tweet.reply_to or 0)
        if parent is not None and wanted & {
            "referenced_tweets.id",
            "referenced_tweets.id.author_id",
            "referenced_posts",
        }:
            self._tweets[parent.id] = self.tweet(parent, expand=False)
            if "referenced_tweets.id.author_id" in wanted:
                self._add_user(parent.author.id)

    def poll(self, poll: Poll) -> dict[str, Any]:
        full = {
            "id": str(poll.id),
            "options": [
                {"position": place, "label": label, "votes": votes}
                for place, (label, votes) in enumerate(zip(poll.options, poll.votes, strict=True), start=1)
            ],
            "duration_minutes": poll.minutes,
            "end_datetime": moment(poll.ends_at),
            "voting_status": "closed" if self._network.closed(poll) else "open",
        }
        return {name: full[name] for name in full if name in self._poll}

    def user(self, member: Member) -> dict[str, Any]:
        full = {
            "id": str(member.id),
            "name": member.name,
            "username": member.username,
            "created_at": moment(member.created_at),
            "description": "",
            "protected": False,
            "verified": False,
            "verified_type": "none",
            "public_metrics": {
                "followers_count": len(self._network.members) - 1 if member.account else 0,
                "following_count": 0,
                "tweet_count": len(self._network.timelines.get(member.id, ())),
                "listed_count": 0,
                "like_count": 0,
            },
        }
        return {name: full[name] for name in full if name in self._user}

    def dm(self, dm: Dm) -> dict[str, Any]:
        full: dict[str, Any] = {
            "id": str(dm.id),
            "event_type": "MessageCreate",
            "text": self.text(dm.text),
            "created_at": moment(dm.created_at),
            "sender_id": str(dm.sender),
            "dm_conversation_id": dm.conversation_id,
        }
        if dm.media_key is not None:
            full["attachments"] = {"media_keys": [dm.media_key]}
        if not self._rules.on("x.dm.participants"):
            full["participant_ids"] = [str(dm.sender), str(dm.receiver)]
        if "sender_id" in self.expansions:
            self._add_user(dm.sender)
        if dm.media_key is not None and "attachments.media_keys" in self.expansions:
            self._add_media((dm.media_key,))
        shown = {name: full[name] for name in full if name in self._dm}
        if "entities" in self._dm and (urls := (self._entities(dm.text) or {}).get("urls")):
            shown["urls"] = urls
        return shown

    def _add_user(self, member_id: int) -> None:
        if member_id not in self._users and member_id in self._network.members:
            self._users[member_id] = self.user(self._network.members[member_id])

    def _add_media(self, keys: Iterable[str]) -> None:
        for key in keys:
            full = {"media_key": key, "type": "animated_gif" if key.startswith(GIF) else "photo"}
            if not key.startswith(GIF):
                full["url"] = f"https://pbs.twimg.com/media/{key}.png"
            self._media_shown[key] = {name: full[name] for name in full if name in self._media}

    @property
    def expanded_users(self) -> Iterable[int]:
        return self._users

    @property
    def expanded_tweets(self) -> Iterable[int]:
        return self._tweets

    def includes(self) -> dict[str, Any]:
        """The ``includes`` of the answer; nothing when nothing was expanded."""
        groups: dict[str, Mapping[Any, Mapping[str, Any]]] = {
            "polls": self._polls,
            "users": self._users,
            "posts" if self.renamed else "tweets": self._tweets,
            "media": self._media_shown,
        }
        found = {name: list(items.values()) for name, items in groups.items() if items}
        return {"includes": found} if found else {}


def _full(link: str) -> str:
    return link if "://" in link else f"http://{link}"


def _attachments(tweet: Tweet) -> dict[str, Any] | None:
    if tweet.poll is not None:
        return {"poll_ids": [str(tweet.poll.id)]}
    return {"media_keys": list(tweet.media_keys)} if tweet.media_keys else None


_NEW_NAMES = {"edit_history_tweet_ids": "edit_history_post_ids", "referenced_tweets": "referenced_posts"}
_TWEET_FIELDS: dict[str, Callable[[Tweet], Any]] = {
    "id": lambda tweet: str(tweet.id),
    "edit_history_tweet_ids": lambda tweet: [str(tweet.id)],
    "author_id": lambda tweet: str(tweet.author.id),
    "created_at": lambda tweet: moment(tweet.created_at),
    "conversation_id": lambda tweet: str(tweet.conversation_id),
    "in_reply_to_user_id": lambda tweet: str(tweet.reply_to_author) if tweet.reply_to_author else None,
    "referenced_tweets": lambda tweet: [{"type": "replied_to", "id": str(tweet.reply_to)}] if tweet.reply_to else None,
    "attachments": _attachments,
    "lang": lambda tweet: "und",
    "possibly_sensitive": lambda tweet: False,
    "reply_settings": lambda tweet: "everyone",
    "edit_controls": lambda tweet: {
        "is_edit_eligible": False,
        "editable_until": moment(tweet.created_at + _EDITABLE),
        "edits_remaining": 5,
    },
    "public_metrics": lambda tweet: {
        "retweet_count": 0,
        "reply_count": tweet.replies,
        "like_count": 0,
        "quote_count": 0,
        "bookmark_count": 0,
        "impression_count": 0,
    },
}
