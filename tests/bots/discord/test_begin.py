"""What is said is begun: after all waiting, once, right before the request; and what may not be begun is not said."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from aiohttp import web

from bots.discord import DiscordAccount
from core.account import Address, Direct, Limits, Place, PlaceKind, Poll
from core.clock import Clock
from core.errors import AccountUnavailable, ContentRefused, NotOurs, OutcomeUnknown, StoreError, TooLate
from core.message import text
from tests.bots.discord.conftest import begin
from tests.bots.discord.wire import CHANNEL, Request, Wire, as_json

PLACE = Place(id=CHANNEL, kind=PlaceKind.GROUP, limits=Limits(post_chars=2000))
POSTS = ("POST", f"/channels/{CHANNEL}/messages")
OPENS = ("POST", "/users/@me/channels")
POSTED = {"id": "1200", "channel_id": CHANNEL, "timestamp": "2026-11-21T12:00:00+00:00"}
LIMITED = {"message": "You are being rate limited.", "retry_after": 0.2, "global": False}


@dataclass
class Began:
    """A ``begin`` that notes what had been asked of Discord by then."""

    wire: Wire
    error: Exception | None = None
    seen: list[list[str]] = field(default_factory=list)

    async def __call__(self) -> None:
        self.seen.append([request.path for request in self.wire.requests if request.method == "POST"])
        if self.error:
            raise self.error


@pytest.fixture
def open_doors(wire: Wire) -> Wire:
    """A Discord that takes messages."""
    wire.on(*OPENS, {"id": CHANNEL, "type": 1})
    wire.on(*POSTS, POSTED)
    return wire


async def test_it_is_begun_once_with_the_channel_open_and_nothing_said(
    open_doors: Wire, account: DiscordAccount
) -> None:
    began = Began(open_doors)
    await account.say(Direct("5"), text("Hello"), "k", begin=began)
    assert began.seen == [["/users/@me/channels"]]


@pytest.mark.parametrize("to", [PLACE, Direct("5")])
@pytest.mark.parametrize("error", [NotOurs("dc", "another serves it"), StoreError("disk full")])
async def test_what_may_not_be_begun_is_not_said(
    open_doors: Wire, account: DiscordAccount, to: Address, error: Exception
) -> None:
    with pytest.raises(type(error)) as raised:
        await account.say(to, text("Hello"), "k", begin=Began(open_doors, error))
    assert raised.value is error
    poll = Poll(question="?", options=("1", "2"), closes_at=Clock().now() + timedelta(days=1))
    with pytest.raises(type(error)):
        await account.poll(PLACE, poll, "k", begin=Began(open_doors, error))
    assert POSTS not in {(request.method, request.path) for request in open_doors.requests}


async def test_what_is_refused_by_ourselves_is_never_begun(open_doors: Wire, account: DiscordAccount) -> None:
    began = Began(open_doors)
    with pytest.raises(ContentRefused):
        await account.say(PLACE, text("x" * 2001), "k", begin=began)
    late = Clock().now() - timedelta(seconds=1)
    with pytest.raises(TooLate):
        await account.say(PLACE, text("Hello"), "k", not_after=late, begin=began)
    assert began.seen == []


async def test_a_repeated_request_is_begun_once(open_doors: Wire, account: DiscordAccount) -> None:
    async def falter(_: Request) -> web.StreamResponse:
        open_doors.on(*POSTS, POSTED)
        return as_json(LIMITED, 429, {"Via": "1.1 google"})

    open_doors.route(*POSTS, falter)
    began = Began(open_doors)
    await account.say(PLACE, text("Hello"), "k", begin=began)
    first, second = await open_doors.asked(*POSTS), await open_doors.asked(*POSTS, times=2)
    assert first.body["nonce"] == second.body["nonce"]
    assert len(began.seen) == 1


@pytest.mark.parametrize("everywhere", [False, True])
async def test_a_pause_longer_than_the_lease_is_left_to_core(
    open_doors: Wire, account: DiscordAccount, everywhere: bool
) -> None:
    open_doors.on(*POSTS, LIMITED | {"retry_after": 9.5, "global": everywhere}, 429, Via="1.1 google")
    began_at = time.monotonic()
    with pytest.raises(AccountUnavailable) as stopped:
        await account.say(PLACE, text("Hello"), "k", begin=begin)
    assert stopped.value.retry_after_s == 9.5
    assert time.monotonic() - began_at < 2
    open_doors.on(*POSTS, POSTED)  # and others need not wait for it for ever
    await asyncio.wait_for(account.say(PLACE, text("Hello"), "k", begin=begin), 5)


async def test_a_refusal_says_nothing_about_an_earlier_lost_answer(open_doors: Wire, account: DiscordAccount) -> None:
    async def lose(_: Request) -> web.StreamResponse:
        open_doors.on(*POSTS, LIMITED | {"retry_after": 60}, 429, Via="1.1 google")
        return as_json({}, 502)

    open_doors.route(*POSTS, lose)
    with pytest.raises(OutcomeUnknown):
        await account.say(PLACE, text("Hello"), "k", begin=begin)
