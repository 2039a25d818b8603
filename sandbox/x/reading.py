"""Reading profiles and posts: me, users, look-up by ids, mentions, timelines."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sandbox.rules import Rules
from sandbox.x.fields import View
from sandbox.x.pages import before_token, newest_first, token_after
from sandbox.x.problems import invalid, missing
from sandbox.x.query import Answer, Call, Query, read_id
from sandbox.x.records import Network, Tweet
from sandbox.x.site import Site
from sandbox.x.vocabulary import PAGE_QUERY, TWEET_EXPANSIONS, TWEET_QUERY, USER_EXPANSIONS, USER_QUERY

MENTIONS_BACK = 800
TIMELINE_BACK = 3200
"""800, too, without the replies. Source: https://docs.x.com/x-api/posts/timelines/introduction"""
IDS = 100


class Reading:
    """The answers; every one is billed."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def me(self, call: Call) -> Answer:
        query = Query(call, self._site.rules, USER_QUERY, USER_EXPANSIONS)
        view = View(self._site.network, self._site.rules, query)
        member = call.caller.app.member
        self._bill(call, (), (member.id,))
        return Answer({"data": view.user(member)})

    def user_by_id(self, call: Call) -> Answer:
        member_id = read_id(call.path["id"], "id")
        return self._user(call, "id", str(member_id), member_id)

    def user_by_name(self, call: Call) -> Answer:
        name = call.path["username"]
        if not re.fullmatch(r"[A-Za-z0-9_]{1,15}", name):
            message = f"The `username` query parameter value [{name}] does not match ^[A-Za-z0-9_]{{1,15}}$"
            raise invalid(message, {"username": [name]})
        found = self._site.network.by_username.get(name.lower())
        return self._user(call, "username", name, found.id if found else 0)

    def _user(self, call: Call, parameter: str, value: str, member_id: int) -> Answer:
        query = Query(call, self._site.rules, USER_QUERY, USER_EXPANSIONS)
        view = View(self._site.network, self._site.rules, query)
        member = self._site.network.members.get(member_id)
        if member is None:
            return self._no_user(parameter, value)
        self._bill(call, (), (member.id,))
        return Answer({"data": view.user(member)})

    def _no_user(self, parameter: str, value: str) -> Answer:
        if not self._site.rules.on("x.user.missing"):
            return Answer({})
        return Answer({"errors": [missing("user", parameter, value)]})

    def tweet(self, call: Call) -> Answer:
        query = Query(call, self._site.rules, TWEET_QUERY, TWEET_EXPANSIONS)
        tweet_id = read_id(call.path["id"], "id")
        found, errors, view = self._looked_up(call, query, [tweet_id], "id")
        return Answer({**({"data": found[0]} if found else {}), **errors, **view.includes()})

    def tweets(self, call: Call) -> Answer:
        query = Query(call, self._site.rules, TWEET_QUERY | {"ids"}, TWEET_EXPANSIONS)
        raw = query.text("ids") or ""
        ids = raw.split(",") if raw else []
        if not 1 <= len(ids) <= IDS and self._site.rules.on("x.lookup.ids"):
            message = f"The number of values in the `ids` query parameter list [{len(ids)}] is not between 1 and {IDS}"
            raise invalid(message, {"ids": ids})
        found, errors, view = self._looked_up(call, query, [read_id(item, "ids") for item in ids], "ids")
        return Answer({**({"data": found} if found else {}), **errors, **view.includes()})

    def _looked_up(
        self, call: Call, query: Query, ids: list[int], parameter: str
    ) -> tuple[list[dict[str, Any]], dict[str, Any], View]:
        view = View(self._site.network, self._site.rules, query)
        tweets = [self._site.network.tweets[item] for item in dict.fromkeys(ids) if item in self._site.network.tweets]
        shown = [view.tweet(tweet) for tweet in tweets]
        self._bill(call, tweets, view.expanded_users, view.expanded_tweets)
        lost = [missing("tweet", parameter, str(item)) for item in ids if item not in self._site.network.tweets]
        errors = {"errors": lost} if lost and self._site.rules.on("x.lookup.missing") else {}
        return shown, errors, view

    def mentions(self, call: Call) -> Answer:
        """The posts that mention a member, up to 800 back."""
        depth = MENTIONS_BACK if self._site.rules.on("x.mentions.depth") else 10**9
        return self._page(call, "mentions", self._site.network.mentions, depth)

    def timeline(self, call: Call) -> Answer:
        """The posts of a member, up to 3,200 back."""
        depth = TIMELINE_BACK if self._site.rules.on("x.timeline.depth") else 10**9
        return self._page(call, "timeline", self._site.network.timelines, depth)

    def _page(self, call: Call, kind: str, lists: dict[int, list[int]], depth: int) -> Answer:
        network = self._site.network
        extra = {"exclude"} if kind == "timeline" else frozenset[str]()
        query = Query(call, self._site.rules, TWEET_QUERY | PAGE_QUERY | extra, TWEET_EXPANSIONS)
        member_id = read_id(call.path["id"], "id")
        most = query.number("max_results", 5, 100, 10, "x.mentions.page")
        view = View(network, self._site.rules, query)
        if member_id not in network.members:
            return self._no_user("id", call.path["id"])
        no_replies = "replies" in query.words("exclude") if extra else False
        depth = min(depth, MENTIONS_BACK) if no_replies and self._site.rules.on("x.timeline.depth") else depth
        ids = lists.get(member_id, [])
        scope = f"{kind}:{member_id}"
        found, more = newest_first(
            ids,
            lambda item: item,
            low=max(len(ids) - depth, bisect_right(ids, _after(query, self._site.rules))),
            below=_below(query, before_token(scope, query.text("pagination_token"), self._site.rules)),
            most=most,
            keep=lambda item: item in network.tweets and not (no_replies and network.tweets[item].reply_to is not None),
        )
        tweets = [network.tweets[item] for item in found]
        shown = [view.tweet(tweet) for tweet in tweets]
        self._bill(call, tweets, view.expanded_users, view.expanded_tweets)
        meta: dict[str, Any] = {"result_count": len(shown)}
        if tweets:
            meta |= {"newest_id": str(tweets[0].id), "oldest_id": str(tweets[-1].id)}
        if more:
            meta["next_token"] = token_after(scope, tweets[-1].id)
        return Answer({**({"data": shown} if shown else {}), **view.includes(), "meta": meta})

    def _bill(self, call: Call, tweets: Iterable[Tweet], users: Iterable[int], expanded: Iterable[int] = ()) -> None:
        bill = self._site.bills[call.caller.app.account]
        today = self._site.clocks.now().date()
        own = call.caller.app.member.id
        read = [*tweets, *(self._site.network.tweets[item] for item in expanded)]
        mine = [tweet.id for tweet in read if tweet.author.id == own or own in tweet.mentions]
        bill.read(today, "post.read.own", mine)
        bill.read(today, "post.read", {tweet.id for tweet in read}.difference(mine))
        bill.read(today, "user.read", users)


def _after(query: Query, rules: Rules) -> int:
    """The id that the page must stay above."""
    since, start = query.id("since_id"), query.time("start_time")
    first = 0 if start is None else Network.stamp(_checked(start)) - 1
    return max(since or 0, first if rules.on("x.timeline.start") else 0)


def _below(query: Query, token: int | None) -> int | None:
    until, end = query.id("until_id"), query.time("end_time")
    ends = [token, until, None if end is None else Network.stamp(_checked(end))]
    return min((item for item in ends if item is not None), default=None)


def _checked(at: datetime) -> datetime:
    """Source: the reference of ``start_time``: on or after 2010-11-06."""
    if (at.year, at.month, at.day) < (2010, 11, 6):
        value = at.isoformat()
        raise invalid(f"Invalid time value [{value}]: must be on or after 2010-11-06", {"start_time": [value]})
    return at
