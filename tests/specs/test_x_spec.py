"""The checker of X's wire sees planted errors, and finds none in what the stand-in and the clients say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sandbox.server import Exchange

from ..limits.test_x import ROWS
from ..limits.x_rig import ACCOUNT, Rig, rig
from .x import SPEC_PRESENT, SPECS, check

pytestmark = pytest.mark.skipif(not SPEC_PRESENT, reason=f"X's descriptions are not in {SPECS}")

QUIET = [*sorted(name for name in ROWS if not name.startswith("x.rate.")), "x.rate.dms"]
"""The other rates repeat one and the same exchange hundreds of times."""


@pytest.mark.parametrize("name", QUIET)
async def test_the_stand_in_answers_as_described(name: str) -> None:
    exchanges: list[Exchange] = []
    async with rig(on_exchange=exchanges.append) as ready:
        await ROWS[name](ready)
    for exchange in exchanges:
        wrong = check(exchange)
        assert [violation for violation in wrong if ": answer" in violation] == []
        if exchange.status < 300 and name != "x.auth.required":
            assert wrong == []
    assert exchanges or name in ("x.poll.hidden",)


async def tour(ready: Rig) -> None:
    """One good call of each kind that the planted errors are put into."""
    post = await ready.post("How likely?", poll={"options": ["a", "b"], "duration_minutes": 60})
    await ready.x.write(ACCOUNT, ready.ann, "9", place="timeline", reply_to=ready.posts[0])
    await ready.x.write(ACCOUNT, ready.ann, "hi")
    wanted = ["attachments.poll_ids", "author_id"]
    await ready.call(lambda sdk: sdk.posts.get_by_ids([post], expansions=wanted, poll_fields=["end_datetime"]))
    path = f"/2/users/{ready.brand}/mentions?tweet.fields=created_at,referenced_tweets&max_results=5"
    await ready.raw("GET", path, headers=ready.signed("GET", path))
    await ready.call(lambda sdk: next(sdk.direct_messages.get_events(dm_event_fields=["created_at"])))
    await ready.message(ready.ann, "Hello")
    await ready.refused(403, lambda sdk: sdk.direct_messages.create_by_participant_id(ready.bob, {"text": "Hello"}))


def sent(key: str, value: Any) -> Callable[[Exchange], Exchange]:
    def plant(exchange: Exchange) -> Exchange:
        return replace(exchange, request_body=json.dumps({**json.loads(exchange.request_body), key: value}).encode())

    return plant


def asked(**query: str) -> Callable[[Exchange], Exchange]:
    names = {name.replace("_fields", ".fields"): value for name, value in query.items()}
    return lambda exchange: replace(exchange, query={**exchange.query, **names})


def answered(change: Callable[[Any], object]) -> Callable[[Exchange], Exchange]:
    def plant(exchange: Exchange) -> Exchange:
        body = json.loads(exchange.response_body)
        change(body)
        return replace(exchange, response_body=json.dumps(body).encode())

    return plant


POST, LOOKUP, MENTIONS, EVENTS, SEND, REFUSED = range(6)
PLANTED: dict[str, tuple[int, Callable[[Exchange], Exchange], str]] = {
    "one option": (POST, sent("poll", {"options": ["a"], "duration_minutes": 60}), "too short"),
    "eight days": (POST, sent("poll", {"options": ["a", "b"], "duration_minutes": 11520}), "10080"),
    "long label": (POST, sent("poll", {"options": ["a", "b" * 26], "duration_minutes": 60}), "too long"),
    "unknown key": (POST, sent("sound", "loud"), "sound"),
    "number as id": (POST, sent("reply", {"in_reply_to_tweet_id": 1}), "is not of type 'string'"),
    "no JSON": (POST, lambda exchange: replace(exchange, request_body=b"text=hello"), "is not JSON"),
    "a form": (POST, lambda exchange: replace(exchange, request_headers={"Content-Type": "text/plain"}), "text/plain"),
    "no credentials": (POST, lambda exchange: replace(exchange, request_headers={}), "neither OAuth nor Bearer"),
    "half signed": (
        MENTIONS,
        lambda exchange: replace(exchange, request_headers={"Authorization": 'OAuth oauth_token="a"'}),
        "oauth_signature is missing",
    ),
    "wrong status": (POST, lambda exchange: replace(exchange, status=200), "status 200"),
    "no such path": (POST, lambda exchange: replace(exchange, path="/2/tweet"), "no such endpoint"),
    "101 ids": (LOOKUP, asked(ids=",".join(["1"] * 101)), "too long"),
    "a word as id": (LOOKUP, asked(ids="first"), "does not match"),
    "no ids": (LOOKUP, lambda exchange: replace(exchange, query={}), "ids is missing"),
    "unknown field": (LOOKUP, asked(poll_fields="voters"), "voters"),
    "unknown parameter": (EVENTS, asked(since_id="1"), "since_id is not known"),
    "big page": (EVENTS, asked(max_results="101"), "101"),
    "small page": (MENTIONS, asked(max_results="4"), "4 is less than"),
    "no moment": (MENTIONS, asked(start_time="yesterday"), "date-time"),
    "empty list": (LOOKUP, answered(lambda body: body.update(data=[])), "empty list"),
    "votes as text": (
        LOOKUP,
        answered(lambda body: body["includes"]["polls"][0]["options"][0].update(votes="1")),
        "votes",
    ),
    "voters named": (LOOKUP, answered(lambda body: body["includes"]["polls"][0].update(voters=["1"])), "voters"),
    "id as number": (MENTIONS, answered(lambda body: body["data"][0].update(id=1)), "is not of type 'string'"),
    "local time": (
        MENTIONS,
        answered(lambda body: body["data"][0].update(created_at="2026-01-01T09:00:00")),
        "date-time",
    ),
    "misspelt": (MENTIONS, answered(lambda body: body["meta"].update(nextToken="a")), "nextToken is not described"),
    "no meaning": (EVENTS, answered(lambda body: body["data"][0].update(mood="good")), "mood is not described"),
    "no event id": (SEND, answered(lambda body: body["data"].pop("dm_event_id")), "dm_event_id"),
    "empty message": (SEND, sent("text", ""), "not valid under any"),
    "untyped problem": (REFUSED, answered(lambda body: body.pop("type")), "type"),
    "refusal as JSON": (
        REFUSED,
        lambda exchange: replace(exchange, response_headers={"Content-Type": "application/json"}),
        "code",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
async def test_a_planted_error_is_seen(name: str) -> None:
    exchanges: list[Exchange] = []
    async with rig(on_exchange=exchanges.append) as ready:
        await tour(ready)
    number, plant, words = PLANTED[name]
    assert [violation for exchange in exchanges for violation in check(exchange)] == []
    assert words in "\n".join(check(plant(exchanges[number])))
