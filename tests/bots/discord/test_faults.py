"""What goes wrong, on purpose: refusals, lost answers, hung sockets, malformed payloads, sessions taken away."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from typing import Any

import pytest
import yarl
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bots.discord import DiscordAccount
from bots.discord.gateway import identify_wait_s
from bots.discord.pace import BURST, REQUESTS_S, Pace
from core.account import Direct, Limits, Place, PlaceKind, Receipt
from core.clock import Clock
from core.errors import (
    AccountError,
    AccountRefused,
    AccountUnavailable,
    ContentRefused,
    OutcomeUnknown,
    PersonUnreachable,
    StoreError,
    TooLate,
)
from core.events import Reply
from core.message import Message, text
from tests.bots.discord.conftest import TOKEN, Inbox, account_on, begin, listening
from tests.bots.discord.wire import CHANNEL, GUILD, VOTE, Request, Wire, as_json, channel

PLACE = Place(id=CHANNEL, kind=PlaceKind.GROUP, limits=Limits(post_chars=2000))
POSTS = ("POST", f"/channels/{CHANNEL}/messages")
POSTED = {"id": "1200", "channel_id": CHANNEL, "timestamp": "2026-11-21T12:00:00+00:00"}

# Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes
REFUSALS: list[tuple[int, int, type[AccountError]]] = [
    (403, 50007, PersonUnreachable),
    (403, 50278, PersonUnreachable),
    (403, 50001, AccountRefused),
    (403, 50013, AccountRefused),
    (404, 10003, AccountRefused),
    (401, 0, AccountRefused),
    (400, 50006, ContentRefused),
    (400, 50035, ContentRefused),
    (400, 520000, ContentRefused),
    (400, 520006, ContentRefused),
    (400, 200000, ContentRefused),
    (400, 40003, AccountUnavailable),
    (503, 0, OutcomeUnknown),
]


@pytest.mark.parametrize(("status", "code", "error"), REFUSALS)
async def test_each_refusal_has_its_meaning(
    wire: Wire, account: DiscordAccount, status: int, code: int, error: type[AccountError]
) -> None:
    wire.on(*POSTS, {"code": code, "message": "no"}, status)
    with pytest.raises(error) as refused:
        await account.say(PLACE, text("Hello"), "k", begin=begin)
    assert type(refused.value) is error
    assert refused.value.account == "dc"


@pytest.mark.parametrize(("status", "code"), [(404, 10003), (403, 50001), (403, 50013)])
async def test_a_closed_direct_channel_concerns_one_person_only(
    wire: Wire, account: DiscordAccount, status: int, code: int
) -> None:
    wire.on("POST", "/users/@me/channels", {"id": CHANNEL, "type": 1})
    wire.on(*POSTS, {"code": code, "message": "no"}, status)
    with pytest.raises(PersonUnreachable):
        await account.say(Direct("5"), text("Hello"), "k", begin=begin)


async def test_too_many_requests_say_how_long_to_wait(wire: Wire, account: DiscordAccount) -> None:
    body = {"message": "You are being rate limited.", "retry_after": 64.57, "global": False}
    wire.on(*POSTS, body, 429, Via="1.1 google")
    with pytest.raises(AccountUnavailable) as stopped:
        await account.say(PLACE, text("Hello"), "k", begin=begin)
    assert stopped.value.retry_after_s == 64.57
    wire.on(*POSTS, "<html>error 1015</html>", 429, **{"Retry-After": "2000"})
    with pytest.raises(AccountUnavailable) as stopped:
        await account.say(PLACE, text("Hello"), "k", begin=begin)
    assert stopped.value.retry_after_s == 2000


async def test_a_lost_answer_is_asked_for_again_under_the_same_nonce(wire: Wire, account: DiscordAccount) -> None:
    async def lose(request: Request) -> web.StreamResponse:
        wire.on(*POSTS, POSTED)
        assert request.raw.transport is not None
        request.raw.transport.abort()
        return as_json({})

    wire.route(*POSTS, lose)
    receipt = await account.say(PLACE, text("Hello"), "report:s:2026-W47", begin=begin)
    assert (receipt.message, receipt.refs) == ("1200", ("msg:1200",))
    first, second = await wire.asked(*POSTS), await wire.asked(*POSTS, times=2)
    assert first.body == second.body
    assert first.body["enforce_nonce"] is True
    assert len(first.body["nonce"]) <= 25


async def test_an_answer_lost_twice_leaves_the_outcome_unknown(wire: Wire, account: DiscordAccount) -> None:
    async def lose(request: Request) -> web.StreamResponse:
        assert request.raw.transport is not None
        request.raw.transport.abort()
        return as_json({})

    wire.route(*POSTS, lose)
    with pytest.raises(OutcomeUnknown):
        await account.say(PLACE, text("Hello"), "k", begin=begin)


async def test_an_answer_that_makes_no_sense_leaves_the_outcome_unknown(wire: Wire, account: DiscordAccount) -> None:
    wire.on(*POSTS, {"unexpected": True})
    with pytest.raises(OutcomeUnknown):
        await account.say(PLACE, text("Hello"), "k", begin=begin)


async def test_a_hung_socket_is_released(wire: Wire) -> None:
    async def hang(_: Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return as_json({})

    wire.route(*POSTS, hang)
    wire.route("GET", f"/channels/{CHANNEL}", hang)
    wire.route("POST", "/users/@me/channels", hang)
    async with account_on(f"{wire.url}/api/v10", f"{wire.url}/gateway", call_s=0.2) as account:
        with pytest.raises(OutcomeUnknown):
            await account.say(PLACE, text("Hello"), "k", begin=begin)
        with pytest.raises(AccountUnavailable):
            await account.place(CHANNEL)
        with pytest.raises(AccountUnavailable):  # nothing was said: only the way there was asked for
            await account.say(Direct("5"), text("Hello"), "k", begin=begin)


async def test_nothing_was_said_when_nobody_listens() -> None:
    async with Wire() as wire:
        account = account_on(f"{wire.url}/api/v10", f"{wire.url}/gateway")
        await account.__aenter__()
    try:
        with pytest.raises((OutcomeUnknown, AccountUnavailable)):  # may find its old connection dead after writing
            await account.say(PLACE, text("Hello"), "k", begin=begin)
        with pytest.raises(AccountUnavailable):
            await account.say(PLACE, text("Hello"), "k", begin=begin)
    finally:
        await account.__aexit__()
    with pytest.raises(AccountUnavailable):
        async with account_on(f"{wire.url}/api/v10", f"{wire.url}/gateway"):
            pass


@pytest.mark.parametrize(
    "frame",
    [
        '{"op": 0, "t": "MESSAGE_POLL_VOTE_ADD", "s": 9, "d": {"user_id": "5"}}',
        '{"op": 0, "t": "MESSAGE_CREATE", "s": 9, "d": null}',
        "no JSON at all",
    ],
)
async def test_a_malformed_payload_costs_a_session_not_the_stream(
    wire: Wire, account: DiscordAccount, inbox: Inbox, frame: str
) -> None:
    async with listening(account, inbox):
        await wire.send_raw(frame)
        await wire.sessions(2)
        await wire.dispatch("MESSAGE_POLL_VOTE_ADD", VOTE)
        (reply,) = await inbox.have(1)
    assert isinstance(reply, Reply)
    assert (reply.person, reply.option) == ("5", 2)


async def test_an_event_that_we_cannot_read_is_set_aside(
    wire: Wire, account: DiscordAccount, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(account, inbox):
        await wire.dispatch("INTERACTION_CREATE", _nobody_tapped())
        await wire.dispatch("MESSAGE_POLL_VOTE_ADD", VOTE)
        await inbox.have(1)
    assert wire.identified == 1
    assert "set aside a malformed" in caplog.text


def _nobody_tapped() -> dict[str, Any]:
    return {
        "id": "846462639134605312",
        "token": "t",
        "version": 1,
        "type": 3,
        "application_id": "1",
        "attachment_size_limit": 1,
        "data": {"component_type": 2, "custom_id": "c"},
    }


@pytest.mark.parametrize("code", [4004, 4013, 4014])
async def test_a_gateway_that_does_not_want_us_needs_a_person(
    wire: Wire, account: DiscordAccount, inbox: Inbox, code: int
) -> None:
    async with listening(account, inbox) as listener:
        await wire.hang_up(code)
        with pytest.raises(AccountRefused):
            await asyncio.wait_for(listener, 5)


async def test_what_the_store_could_not_keep_is_delivered_again_in_its_place(
    wire: Wire, account: DiscordAccount, inbox: Inbox
) -> None:
    inbox.errors.append(StoreError("disk full"))
    async with listening(account, inbox):
        await wire.dispatch("MESSAGE_POLL_VOTE_ADD", VOTE)
        await account.catch_up([], inbox)  # waits for it
        await wire.dispatch("MESSAGE_POLL_VOTE_REMOVE", VOTE)
        first, second = await inbox.have(2)
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert [first.withdrawn, second.withdrawn] == [False, True]
    assert first.order < second.order


async def test_catching_up_waits_for_what_is_being_kept(wire: Wire, account: DiscordAccount, inbox: Inbox) -> None:
    inbox.hold = asyncio.Event()
    async with listening(account, inbox):
        await wire.dispatch("MESSAGE_POLL_VOTE_ADD", VOTE)
        catching_up = asyncio.create_task(account.catch_up([], inbox))
        await inbox.have(1)
        done, _ = await asyncio.wait({catching_up}, timeout=0.3)
        assert not done
        inbox.hold.set()
        await asyncio.wait_for(catching_up, 5)


async def test_no_log_of_ours_or_the_library_shows_the_token(
    wire: Wire, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with account_on(f"{wire.url}/api/v10", f"{wire.url}/gateway") as account:
        assert logging.getLogger("discord").getEffectiveLevel() >= logging.WARNING
        async with listening(account, inbox):
            wire.on(*POSTS, {"code": 50001, "message": "no"}, 403)
            with pytest.raises(AccountRefused) as refused:
                await account.say(PLACE, Message(()), "k", begin=begin)
            await wire.send_raw("no JSON at all")
            await wire.sessions(2)
    assert TOKEN not in caplog.text
    assert TOKEN not in str(refused.value)


@given(st.lists(st.floats(0, 300), min_size=1, max_size=300))
def test_sessions_that_break_at_once_or_later_stay_below_the_quota_of_a_day(lives_s: list[float]) -> None:
    """Source: https://docs.discord.com/developers/events/gateway#session-start-limit-object (1,000 a day)"""
    now, past = 0.0, list[float]()
    number = 0
    while now < 86_400:
        now += identify_wait_s(past, now, 5.0)
        assert not past or now - past[-1] >= 5.0  # max_concurrency: one in five seconds
        past = [*past[-99:], now]
        number += 1
        now += lives_s[number % len(lives_s)]
    assert number < 1000


async def test_requests_over_all_routes_are_paced_and_answers_to_taps_are_not() -> None:
    """Source: https://docs.discord.com/developers/topics/rate-limits#global-rate-limit (50 a second)"""
    pace, loop = Pace(), asyncio.get_running_loop()
    started, sent = loop.time(), list[float]()

    async def request(path: str) -> None:
        await pace.wait(yarl.URL(f"https://discord.com/api/v10{path}"))
        sent.append(loop.time() - started)

    await asyncio.gather(*(request("/interactions/1/token/callback") for _ in range(200)))
    assert len(sent) == 200
    assert sent[-1] < 1.0
    sent.clear()
    await asyncio.gather(*(request(f"/channels/{number}/messages") for number in range(60)))
    assert len([at for at in sent if at < sent[0] + 1.0]) <= 50
    assert sent[-1] - sent[0] == pytest.approx((60 - BURST) / REQUESTS_S, abs=0.5)  # nor slower than it need be


async def test_what_is_too_late_is_not_said(wire: Wire, account: DiscordAccount) -> None:
    wire.on(*POSTS, POSTED)
    clock = Clock()
    with pytest.raises(TooLate):
        await account.say(PLACE, text("Hello"), "k", not_after=clock.now() - timedelta(seconds=1), begin=begin)
    assert ("POST", f"/channels/{CHANNEL}/messages") not in {(r.method, r.path) for r in wire.requests}
    await account.say(PLACE, text("Hello"), "k", not_after=clock.now() + timedelta(minutes=1), begin=begin)


@pytest.mark.parametrize("status", [403, 404, 418, 501])
async def test_a_place_whose_rights_are_not_told_is_taken(wire: Wire, account: DiscordAccount, status: int) -> None:
    wire.on("GET", f"/channels/{CHANNEL}", channel())
    wire.on("GET", f"/guilds/{GUILD}", {"code": 0, "message": "no"}, status)
    place = await account.place(CHANNEL)
    assert (place.kind, place.limits.poll_options) == (PlaceKind.GROUP, 10)


async def test_a_poll_that_discord_goes_on_counting_is_closed_later(wire: Wire, account: DiscordAccount) -> None:
    counting = {"id": "77", "poll": {"results": {"is_finalized": False}, "answers": []}}
    wire.on("POST", f"/channels/{CHANNEL}/polls/77/expire", counting)
    wire.on("GET", f"/channels/{CHANNEL}/messages/77", counting)
    began = time.monotonic()
    with pytest.raises(AccountUnavailable, match="counting"):
        await account.close(Receipt(place=CHANNEL, message="77", refs=("msg:77",), sent_at=Clock().now()))
    assert time.monotonic() - began < 10
