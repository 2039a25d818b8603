"""Publishing and deleting posts: text, polls, media, replies, and what X refuses of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox.seam import Post
from sandbox.x.media import GIF, Library
from sandbox.x.problems import Refusal, forbidden, invalid, missing
from sandbox.x.query import Answer, Call, check_keys, read_id, read_json
from sandbox.x.records import Network, Tweet
from sandbox.x.site import Site
from sandbox.x.text import escaped, has_forbidden, has_link, picture_link, weighted_length, with_short_links

LENGTH = 280
OPTIONS = (2, 4)
LABEL = 25
MINUTES = (5, 10_080)
MEDIA = 4
"""Photos; of animated GIFs one alone."""
SAME_TEXT_FOR = timedelta(hours=24)
"""X says "a while"; nobody outside knows how long."""
TIMELINE = "timeline"

_NOT_CARRIED = frozenset({"card_uri", "community_id", "edit_options", "geo", "quote_tweet_id"})
"""Known to X, and refused here rather than ignored."""
_IGNORED = frozenset(
    {"direct_message_deep_link", "for_super_followers_only", "nullcast", "reply_settings", "share_with_followers"}
)
_KNOWN = _NOT_CARRIED | _IGNORED | {"media", "poll", "reply", "text"}


class Posting:
    """The calls that write and delete posts."""

    def __init__(self, site: Site, library: Library) -> None:
        self._site = site
        self._library = library
        self._recent: dict[tuple[int, str], datetime] = {}

    def create(self, call: Call) -> Answer:
        body = read_json(call, self._site.rules, _KNOWN)
        network, brand = self._site.network, call.caller.app.member
        for name in sorted(_NOT_CARRIED & set(body)):
            raise forbidden(f"You are not permitted to use `{name}`.")
        text = self._text(body)
        options, minutes = self._poll(body)
        media_keys = self._media(call, body)
        reply_to = self._reply_to(call, body)
        self._not_again(brand.id, text, reply_to)
        tweet = network.post(brand, text, reply_to=reply_to, options=options, minutes=minutes, media_keys=media_keys)
        if reply_to is not None:
            network.answered.add((brand.id, reply_to.id))
        self._bill(call.caller.app.account, text, reply_to)
        self._site.watcher(self._seen(call.caller.app.account, text, tweet, body))
        shown = with_short_links(tweet.text) if self._site.rules.on("x.post.links") else tweet.text
        shown = f"{shown} {picture_link(tweet.id)}".strip() if tweet.media_keys else shown
        shown = escaped(shown) if self._site.rules.on("x.post.escaped") else shown
        return Answer({"data": {"id": str(tweet.id), "edit_history_tweet_ids": [str(tweet.id)], "text": shown}}, 201)

    def _text(self, body: Mapping[str, Any]) -> str:
        text = body.get("text", "")
        if not isinstance(text, str):
            raise invalid("$.text: must be a string")
        if not text.strip() and "media" not in body and self._site.rules.on("x.post.empty"):
            raise invalid("Your Tweet text must not be empty.")
        if self._site.rules.on("x.post.length") and (has_forbidden(text) or weighted_length(text) > LENGTH):
            raise invalid(
                "Your Tweet text is too long. For more information on how Twitter determines text length see "
                "https://github.com/twitter/twitter-text."
            )
        return text

    def _poll(self, body: Mapping[str, Any]) -> tuple[list[str], int]:
        if "poll" not in body:
            return [], 0
        rules, poll = self._site.rules, body["poll"]
        if not isinstance(poll, dict) or not {"options", "duration_minutes"} <= set(poll):
            raise invalid("$.poll: is missing required fields: options, duration_minutes")
        check_keys(poll, frozenset({"options", "duration_minutes", "reply_settings"}), "$.poll", rules)
        if "media" in body and rules.on("x.post.exclusive"):
            raise invalid("$.poll: is mutually exclusive with media")
        options, minutes = poll["options"], poll["duration_minutes"]
        if not isinstance(options, list) or not all(isinstance(label, str) for label in options):
            raise invalid("$.poll.options: must be an array of strings")
        if not OPTIONS[0] <= len(options) <= OPTIONS[1] and rules.on("x.post.poll.options"):
            raise invalid(f"$.poll.options: there must be {OPTIONS[0]} to {OPTIONS[1]} items in the array")
        if not all(1 <= len(label) <= LABEL and label.strip() for label in options) and rules.on("x.post.poll.label"):
            raise invalid(f"$.poll.options: must be 1 to {LABEL} characters long")
        if type(minutes) is not int or not (
            MINUTES[0] <= minutes <= MINUTES[1] or not rules.on("x.post.poll.duration")
        ):
            raise invalid(f"$.poll.duration_minutes: must be an integer from {MINUTES[0]} to {MINUTES[1]}")
        return options, minutes

    def _media(self, call: Call, body: Mapping[str, Any]) -> list[str]:
        if "media" not in body:
            return []
        media = body["media"]
        ids = media.get("media_ids") if isinstance(media, dict) else None
        if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
            raise invalid("$.media: is missing required field: media_ids")
        keys = [self._library.key(call.caller.app.account, item, "tweet_") for item in ids]
        if not self._site.rules.on("x.post.media"):
            return [key for key in keys if key is not None]
        animated = sum(1 for key in keys if key is not None and key.startswith(GIF))
        if not 1 <= len(ids) <= MEDIA or None in keys or (animated and len(ids) > 1):
            raise invalid("Your media IDs are invalid.", {"media.media_ids": ids})
        return [key for key in keys if key is not None]

    def _reply_to(self, call: Call, body: Mapping[str, Any]) -> Tweet | None:
        """The post that is answered, if X lets this brand answer it."""
        if "reply" not in body:
            return None
        reply = body["reply"]
        raw = reply.get("in_reply_to_tweet_id") if isinstance(reply, dict) else None
        if not isinstance(raw, str):
            raise invalid("$.reply: is missing required field: in_reply_to_tweet_id")
        rules, network, brand = self._site.rules, self._site.network, call.caller.app.member
        parent = network.tweets.get(read_id(raw, "reply.in_reply_to_tweet_id"))
        if parent is None:
            if rules.on("x.post.reply.visible"):
                raise forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
            return None
        if (brand.id, parent.author.id) in network.blocks and rules.on("x.post.reply.blocked"):
            raise forbidden("You have been blocked from replying to this user.")
        if brand.id not in parent.mentions - {parent.author.id} and rules.on("x.post.reply.mentioned"):
            raise forbidden(
                "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by "
                "the author of the post you are replying to."
            )
        if (brand.id, parent.id) in network.answered and rules.on("x.post.reply.once"):
            raise forbidden("This request looks like it might be automated: one automated reply per interaction.")
        return parent

    def _not_again(self, brand: int, text: str, reply_to: Tweet | None) -> None:
        """The same words to the same reader are refused for a while."""
        now = self._site.clocks.now()
        key = (brand, text if reply_to is None else f"@{reply_to.author.username} {text}")
        last = self._recent.get(key)
        if text and last is not None and now - last < SAME_TEXT_FOR and self._site.rules.on("x.post.duplicate"):
            raise forbidden("You are not allowed to create a Tweet with duplicate content.")
        self._recent[key] = now

    def _bill(self, account: str, text: str, reply_to: Tweet | None) -> None:
        price = "post.create.summoned" if reply_to is not None else "post.create"
        self._site.bills[account].write("post.create.link" if has_link(text) else price)

    def _seen(self, account: str, text: str, tweet: Tweet, body: Mapping[str, Any]) -> Post:
        return Post(
            platform="x",
            account=account,
            place=TIMELINE,
            to=None,
            id=str(tweet.id),
            text=text,
            at=tweet.created_at,
            options=tweet.poll.options if tweet.poll else (),
            closes_at=tweet.poll.ends_at if tweet.poll else None,
            reply_to=str(tweet.reply_to) if tweet.reply_to else None,
            raw=dict(body),
            pictures=tuple(map(self._library.content, tweet.media_keys)),
        )

    def delete(self, call: Call) -> Answer:
        network: Network = self._site.network
        tweet_id = read_id(call.path["id"], "id")
        tweet = network.tweets.get(tweet_id)
        if tweet is None:
            if self._site.rules.on("x.delete.missing"):
                raise Refusal(404, {**missing("tweet", "id", str(tweet_id)), "status": 404})
            return Answer({"data": {"deleted": False}})
        if tweet.author is not call.caller.app.member and self._site.rules.on("x.delete.own"):
            raise forbidden("You are not authorized to delete this Tweet.")
        network.delete(tweet)
        return Answer({"data": {"deleted": True}})
