"""Every way in which Discord ends a connection, and every broken answer to every call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from aiohttp import web

from bots.discord import DiscordAccount
from core.account import Direct, Limits, Place, PlaceKind, Poll, Receipt
from core.clock import Clock
from core.errors import AccountRefused, AccountUnavailable, OutcomeUnknown
from core.events import Reply
from core.message import text
from tests.bots.discord.conftest import Inbox, account_on, begin, listening
from tests.bots.discord.wire import CHANNEL, VOTE, Request, Wire, as_json

FATAL = {4004, 4010, 4011, 4012, 4013, 4014}
"""Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes"""
OVER = {4007, 4009}
PLACE = Place(id=CHANNEL, kind=PlaceKind.GROUP, limits=Limits(post_chars=2000))
SAID = Receipt(place=CHANNEL, message="77", refs=("msg:77",), sent_at=Clock().now())
POLL = Poll(question="?", options=("1", "2"), closes_at=Clock().now() + timedelta(days=1))
MESSAGES, MESSAGE = f"/channels/{CHANNEL}/messages", f"/channels/{CHANNEL}/messages/77"
A_POLL = {"id": "77", "poll": {"results": {"is_finalized": True}, "answers": [{"answer_id": 1}]}}


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011, *range(4000, 4010), *range(4010, 4015)])
async def test_each_close_code_has_its_way_back(wire: Wire, account: DiscordAccount, inbox: Inbox, code: int) -> None:
    async with listening(account, inbox) as listener:
        if code == 1006:  # no farewell at all
            wire.cut()
        else:
            await wire.hang_up(code)
        if code in FATAL:
            with pytest.raises(AccountRefused, match=str(code)):
                await asyncio.wait_for(listener, 5)
            return
        await wire.sessions(2)
        assert (wire.identified, wire.resumed) == ((2, 0) if code in OVER else (1, 1))
        await wire.dispatch("MESSAGE_POLL_VOTE_ADD", VOTE)
        (reply,) = await inbox.have(1)
    assert isinstance(reply, Reply)


@pytest.mark.parametrize(
    ("frame", "sessions"),
    [('{"op":7,"d":null}', (1, 1)), ('{"op":9,"d":true}', (1, 1)), ('{"op":9,"d":false}', (2, 0))],
)
async def test_each_request_to_come_again_is_followed(
    wire: Wire, account: DiscordAccount, inbox: Inbox, frame: str, sessions: tuple[int, int]
) -> None:
    async with listening(account, inbox):
        await wire.send_raw(frame)
        await wire.sessions(2)
        assert (wire.identified, wire.resumed) == sessions
        await wire.dispatch("MESSAGE_POLL_VOTE_ADD", VOTE)
        await inbox.have(1)


async def test_a_payload_that_breaks_every_session_is_left_behind(
    wire: Wire, account: DiscordAccount, inbox: Inbox
) -> None:
    async with listening(account, inbox):
        wire.replayed = ["no JSON at all"]
        await wire.send_raw("no JSON at all")
        await wire.sessions(3)
        assert (wire.identified, wire.resumed) == (2, 1)


async def html(_: Request) -> web.StreamResponse:
    return web.Response(text="<html>no</html>", content_type="text/html", status=200)


async def bad_gateway(_: Request) -> web.StreamResponse:
    return web.Response(text="<html>no</html>", content_type="text/html", status=503)


async def nonsense(_: Request) -> web.StreamResponse:
    return as_json({"unexpected": True})


async def reset(request: Request) -> web.StreamResponse:
    assert request.raw.transport is not None
    request.raw.transport.abort()
    return as_json({})


async def hang(_: Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return as_json({})


CALLS: dict[str, tuple[str, str, Callable[[DiscordAccount], Awaitable[object]], bool]] = {
    "place": ("GET", f"/channels/{CHANNEL}", lambda a: a.place(CHANNEL), False),
    "say": ("POST", MESSAGES, lambda a: a.say(PLACE, text("Hello"), "k", begin=begin), True),
    "poll": ("POST", MESSAGES, lambda a: a.poll(PLACE, POLL, "k", begin=begin), True),
    "open": ("POST", "/users/@me/channels", lambda a: a.say(Direct("5"), text("Hi"), "k", begin=begin), False),
    "look": ("GET", MESSAGES, lambda a: a.look(PLACE, text("Hello"), "k", Clock().now()), False),
    "expire": ("POST", f"/channels/{CHANNEL}/polls/77/expire", lambda a: a.close(SAID), False),
    "voters": ("GET", f"/channels/{CHANNEL}/polls/77/answers/1", lambda a: a.close(SAID), False),
    "edit": ("PATCH", MESSAGE, lambda a: _edit(a), False),
}


async def _edit(account: DiscordAccount) -> None:
    account._channels.add(CHANNEL)
    await account.edit(SAID, text("Hello"))


@pytest.mark.parametrize("broken", [html, bad_gateway, nonsense, reset, hang])
@pytest.mark.parametrize("name", CALLS)
async def test_a_broken_answer_is_never_taken_for_a_refusal_and_nothing_is_said_twice(
    wire: Wire, name: str, broken: Callable[[Request], Awaitable[web.StreamResponse]]
) -> None:
    method, path, call, speaks = CALLS[name]
    wire.on("POST", f"/channels/{CHANNEL}/polls/77/expire", A_POLL)
    wire.on("GET", MESSAGE, A_POLL)
    wire.route(method, path, broken)
    async with account_on(f"{wire.url}/api/v10", f"{wire.url}/gateway", call_s=0.5) as account:
        if name == "edit" and broken in (html, nonsense):
            await call(account)  # its answer tells nothing that we need
            return
        with pytest.raises(OutcomeUnknown if speaks else AccountUnavailable):
            await call(account)
    sent = [r.body for r in wire.requests if (r.method, r.path) == (method, path)]
    assert len(sent) == 1 or not speaks or len({body["nonce"] for body in sent}) == 1
