"""From X's JSON to events: pure functions, one item at a time. X's field names live here and nowhere else.

The names are those of X API 2.159, which tweepy 4.17 speaks; 2.167 renames ``referenced_tweets`` (with ``type`` and
``id``) to ``referenced_posts`` and gives ``sender_id`` without being asked.

An item that is not what X documents raises ``Malformed``: the stream sets that one aside and goes on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from core.events import Consent, ConsentKind, Reply, Totals, Via

Json = Mapping[str, Any]

TIMELINE: Final = "timeline"
POST_FIELDS: Final = ["author_id", "conversation_id", "created_at", "referenced_tweets"]
DIRECT_FIELDS: Final = ["created_at", "dm_conversation_id", "event_type", "id", "sender_id", "text"]
DIRECT_TYPES: Final = "MessageCreate"
POLL_EXPANSION: Final = "attachments.poll_ids"
OWN_POST_FIELDS: Final = ["attachments", "created_at", "entities"]
OWN_POLL_FIELDS: Final = ["duration_minutes", "id", "options"]
OWN_DIRECT_FIELDS: Final = ["created_at", "entities", "event_type", "id", "sender_id", "text"]
POLL_FIELDS: Final = ["end_datetime", "id", "options", "voting_status"]

_ID = re.compile(r"[0-9]{1,19}")
"""Every id of X is 1 to 19 digits. Source: X OpenAPI 2.159, ``TweetId``, ``UserId``, ``DmEventId``."""
_FIRST_MOMENT: Final = datetime.fromtimestamp(1288834974.657, UTC)
"""What the time within ids counts from. Source: https://github.com/twitter-archive/snowflake/tree/snowflake-2010"""
_ADDRESSED = re.compile(r"(?:\s*[@\uff20][A-Za-z0-9_]{1,20}(?![A-Za-z0-9_]))+\s*")
"""The handles that X puts before a reply's words."""
_ONE_TO_ONE = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")
"""``{smaller user id}-{larger user id}``; a group's id is one number.
Source: https://docs.x.com/x-api/direct-messages/lookup/integrate"""
_ESCAPED = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
"""X hands out ``<``, ``>`` and ``&`` as HTML entities, and only these; the ampersand must come last."""


class Malformed(ValueError):
    """An item that X's specification does not allow. The text names the field, never what a person wrote."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Who the account is on X."""

    id: str
    handle: str


def profile(page: Json) -> Profile:
    """The answer to "who am I". Raises ``Malformed``."""
    data = page.get("data")
    if not isinstance(data, dict):
        raise Malformed("data is missing")
    return Profile(_id(data, "id"), _text(data, "username"))


def post_ref(post: str) -> str:
    """The name under which replies and totals refer to a post of ours."""
    return f"post:{post}"


def direct_ref(id: str) -> str:
    """The name of a direct message of ours."""
    return f"direct:{id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A post or a direct message of ours, as X shows it."""

    id: str
    at: datetime
    text: str
    links: Mapping[str, str]
    """What each short link in ``text`` stands for, as far as X says."""
    options: tuple[str, ...] = ()
    """Of a poll."""
    minutes: int = 0
    """How long the poll lasts."""


def own_post(post: Json, page: Json) -> Own:
    """A post of ours, with its poll out of the page's ``includes``. Raises ``Malformed``."""
    options: tuple[str, ...] = ()
    minutes = 0
    attached = post.get("attachments")
    if isinstance(attached, dict) and "poll_ids" in attached:
        poll = _poll_of(post, items(page, "includes", "polls"))
        options = tuple(
            _text(option, "label") for option in sorted(_options(poll), key=lambda o: _count(o, "position"))
        )
        minutes = _count(poll, "duration_minutes")
    return Own(
        id=_id(post, "id"),
        at=_time(post, "created_at"),
        text=plain(_text(post, "text")),
        links=_links(items(post, "entities", "urls")),
        options=options,
        minutes=minutes,
    )


def own_direct(event: Json, me: str) -> Own | None:
    """A direct message of ours; ``None`` for what others wrote. Raises ``Malformed``."""
    if _text(event, "event_type") != DIRECT_TYPES or _id(event, "sender_id") != me:
        return None
    return Own(
        id=_id(event, "id"),
        at=_time(event, "created_at"),
        text=plain(_text(event, "text") if "text" in event else ""),
        links=_links([*items(event, "urls"), *items(event, "entities", "urls")]),
    )


def at(item: Json) -> datetime:
    """When an item was made. Raises ``Malformed``."""
    return _time(item, "created_at")


def mention(post: Json, me: str) -> Reply | None:
    """A post that mentions the account; ``None`` for our own posts and for retweets (somebody else's words).

    ``ref`` is the post that began the conversation, so that an answer deep in the thread still refers to our ask;
    for a quotation it is the quoted post. Raises ``Malformed``.
    Source: https://docs.x.com/x-api/fundamentals/conversation-id
    """
    id = _id(post, "id")
    author = _id(post, "author_id")
    related = _related(post)
    if author == me or "retweeted" in related:
        return None
    root = related.get("quoted")
    if "replied_to" in related:
        root = _id(post, "conversation_id") if "conversation_id" in post else related["replied_to"]
    first = _first_of(post, id)
    return Reply(
        id=f"p{id}",
        person=author,
        via=Via.TEXT,
        at=_time(post, "created_at"),
        order=int(id),
        place=TIMELINE,
        ref=post_ref(root) if root is not None else None,
        ref_at=made_at(root) if root is not None else None,
        text=words(_text(post, "text")),
        message=post_ref(first),
        edited=first != id,
    )


def _first_of(post: Json, id: str) -> str:
    """The id that a post had before it was edited: an edited one is a new post, which names its earlier ones. Answers
    to others and direct messages cannot be edited, mentions and quotations can.

    Source: https://docs.x.com/x-api/fundamentals/edit-posts
    """
    history = post.get("edit_history_tweet_ids")
    if not isinstance(history, list) or not history:
        return id
    return _id({"id": min(history, key=lambda each: (len(str(each)), str(each)))}, "id")


def made_at(id: str) -> datetime:
    """When the post with this id was made, by the milliseconds that its upper bits count."""
    return _FIRST_MOMENT + timedelta(milliseconds=int(id) >> 22)


def direct(event: Json, me: str) -> tuple[Consent, Reply] | tuple[()]:
    """A direct message: the consent that it is, then its words. Nothing for our own messages, for groups (a message to
    several is no consent to be written to alone), and for people who join or leave. Raises ``Malformed``.

    Source: https://docs.x.com/x-api/direct-messages/lookup/integrate
    """
    if _text(event, "event_type") != DIRECT_TYPES:
        return ()
    id = _id(event, "id")
    sender = _id(event, "sender_id")
    if sender == me or not _ONE_TO_ONE.fullmatch(_text(event, "dm_conversation_id")):
        return ()
    at = _time(event, "created_at")
    return (
        Consent(
            id=f"c{id}",
            person=sender,
            kind=ConsentKind.GRANTED,
            at=at,
            order=int(id),
            evidence="wrote to the brand first",
            explicit=False,
        ),
        Reply(
            id=f"d{id}",
            person=sender,
            via=Via.TEXT,
            at=at,
            order=int(id),
            text=plain(_text(event, "text") if "text" in event else ""),
        ),
    )


def poll_totals(post: Json, polls: Sequence[Json], as_of: datetime) -> Totals:
    """The totals of the poll on ``post``; ``polls`` are the answer's ``includes.polls``. Final once voting is closed.

    Raises ``Malformed``, also when the post carries no poll.
    Source: https://developer.x.com/en/docs/x-api/data-dictionary/object-model/poll
    """
    poll = _poll_of(post, polls)
    counted = sorted((_count(option, "position"), _count(option, "votes")) for option in _options(poll))
    return Totals(
        ref=post_ref(_id(post, "id")),
        totals=tuple(votes for _, votes in counted),
        as_of=as_of,
        final=poll.get("voting_status") == "closed",
    )


def items(page: Json, *path: str) -> list[Json]:
    """The objects of a page below ``path``; none where X leaves the key out. Raises ``Malformed`` for another shape."""
    found: Any = page
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    if found is None:
        return []
    if not isinstance(found, list):
        raise Malformed(f"{'.'.join(path)} is not a list")
    return [item for item in found if isinstance(item, dict)]


def next_token(page: Json) -> str | None:
    """What asks for the following, older page; ``None`` after the last."""
    meta = page.get("meta")
    token = meta.get("next_token") if isinstance(meta, dict) else None
    return token if isinstance(token, str) and token else None


def number(item: Json) -> int | None:
    """The item's id as a number, which grows with time; ``None`` when it has none."""
    id = item.get("id")
    return int(id) if isinstance(id, str) and _ID.fullmatch(id) else None


def words(text: str) -> str:
    """What a post says, without the handles that it begins with. A mention alone says nothing: an empty text."""
    text = plain(text)
    addressed = _ADDRESSED.match(text)
    return text[addressed.end() :] if addressed else text


def plain(text: str) -> str:
    """What the person typed, from what X hands out."""
    for escaped, typed in _ESCAPED:
        text = text.replace(escaped, typed)
    return text


def _poll_of(post: Json, polls: Sequence[Json]) -> Json:
    attachments = post.get("attachments")
    wanted = attachments.get("poll_ids") if isinstance(attachments, dict) else None
    if not isinstance(wanted, list) or not wanted:
        raise Malformed("the post has no attachments.poll_ids")
    for poll in polls:
        if poll.get("id") == wanted[0]:
            return poll
    raise Malformed("includes.polls lacks the poll")


def _options(poll: Json) -> list[Json]:
    options = poll.get("options")
    if not isinstance(options, list) or not all(isinstance(option, dict) for option in options):
        raise Malformed("the poll has no options")
    return options


def _links(urls: Sequence[Json]) -> dict[str, str]:
    return {_text(url, "url"): _text(url, "expanded_url") for url in urls if "expanded_url" in url}


def _related(post: Json) -> dict[str, str]:
    if "referenced_tweets" not in post:
        return {}
    return {_text(item, "type"): _id(item, "id") for item in items(post, "referenced_tweets")}


def _text(item: Json, field: str) -> str:
    value = item.get(field)
    if not isinstance(value, str):
        raise Malformed(f"{field} is not a text")
    return value


def _id(item: Json, field: str) -> str:
    value = _text(item, field)
    if not _ID.fullmatch(value):
        raise Malformed(f"{field} is not an id")
    return value


def _count(item: Any, field: str) -> int:
    value = item.get(field) if isinstance(item, dict) else None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Malformed(f"{field} is not a count")
    return value


def _time(item: Json, field: str) -> datetime:
    try:
        at = datetime.fromisoformat(_text(item, field))
    except ValueError as error:
        raise Malformed(f"{field} is not a time") from error
    if at.tzinfo is None:
        raise Malformed(f"{field} has no zone")
    return at.astimezone(UTC)
