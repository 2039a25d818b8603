"""What is said on X: what fits, when a poll ends, and what is not even tried."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bots.x import XAccount
from bots.x.send import Sender
from core.account import Limits, Place, PlaceKind, Poll
from core.clock import Clock
from core.errors import AccountRefused, ContentRefused, TooLate
from core.message import Button, Line, Message, text

from . import rude
from .place import begin

TIMELINE = Place(id="timeline", kind=PlaceKind.TIMELINE, limits=Limits(post_chars=280))
CREATED = rude.says(201, {"data": {"id": "900", "text": "hello"}})


@pytest.mark.parametrize(
    "message", [text("a" * 281), text("\u65e5" * 141), Message((Line("hi"),), (Button("9", "t"),))]
)
async def test_what_x_would_refuse_is_not_sent(message: Message) -> None:
    async with rude.host(CREATED) as host, rude.api(host.url) as api:
        with pytest.raises(ContentRefused):
            await Sender("brand", api, Clock()).post(TIMELINE, message, begin)
        assert host.asked == []


async def test_a_direct_message_takes_ten_thousand_characters() -> None:
    sent = rude.says(201, {"data": {"dm_event_id": "7", "dm_conversation_id": "5-15"}})
    async with rude.host(sent) as host, rude.api(host.url) as api:
        sender = Sender("brand", api, Clock())
        receipt = await sender.direct("5", text("a" * 10_000), begin)
        assert (receipt.place, receipt.message) == ("5", "7")
        with pytest.raises(ContentRefused):
            await sender.direct("5", text("a" * 10_001), begin)


async def test_an_invitation_whose_time_passed_is_not_sent() -> None:
    sent = rude.says(201, {"data": {"dm_event_id": "7", "dm_conversation_id": "5-15"}})
    clock = Clock()
    async with rude.host(sent) as host, rude.api(host.url) as api:
        sender = Sender("brand", api, clock)
        with pytest.raises(TooLate):
            await sender.direct("5", text("hello"), begin, clock.now() - timedelta(seconds=1))
        assert host.asked == []
        await sender.direct("5", text("hello"), begin, clock.now() + timedelta(minutes=1))
        assert len(host.asked) == 1


async def test_a_post_whose_time_passed_is_not_sent() -> None:
    clock = Clock()
    account = XAccount("brand", **rude.SECRETS, base_url="http://127.0.0.1:9", clock=clock, forms=lambda token: None)
    with pytest.raises(TooLate):
        await account.say(TIMELINE, text("hello"), "key", not_after=clock.now() - timedelta(seconds=1), begin=begin)


@pytest.mark.parametrize(
    ("options", "lasts"),
    [
        (("a",), timedelta(days=1)),
        (("a",) * 5, timedelta(days=1)),
        (("a", ""), timedelta(days=1)),
        (("a", "b" * 26), timedelta(days=1)),
        (("a", "b"), timedelta(minutes=5)),
    ],
)
async def test_a_poll_that_x_cannot_carry_is_not_sent(options: tuple[str, ...], lasts: timedelta) -> None:
    async with rude.host(CREATED) as host, rude.api(host.url) as api:
        clock = Clock()
        poll = Poll(question="How likely?", options=options, closes_at=clock.now() + lasts)
        with pytest.raises(ContentRefused):
            await Sender("brand", api, clock).poll(TIMELINE, poll, begin)
        assert host.asked == []


@pytest.mark.parametrize(
    ("lasts", "minutes"),
    [
        (timedelta(minutes=6), 5),
        (timedelta(days=1), 1439),
        (timedelta(hours=168), 10_079),
        (timedelta(hours=169), 10_080),
    ],
)
async def test_a_poll_ends_within_its_last_minute(lasts: timedelta, minutes: int) -> None:
    asked: list[Any] = []

    async def keep(request: Any) -> Any:
        asked.append(await request.json())
        return await CREATED(request)

    clock = Clock()
    async with rude.host(keep) as host, rude.api(host.url) as api:
        poll = Poll(question="How likely?", options=("a", "b"), closes_at=clock.now() + lasts)
        receipt = await Sender("brand", api, clock).poll(TIMELINE, poll, begin)
    assert receipt.refs == ("post:900",)
    assert asked[0]["poll"] == {"options": ["a", "b"], "duration_minutes": minutes}


async def test_direct_needs_a_person() -> None:
    account = XAccount("brand", **rude.SECRETS, base_url="http://127.0.0.1:9", clock=Clock(), forms=lambda token: None)
    place = await account.place("direct")
    with pytest.raises(AccountRefused):
        await account.say(place, text("hello"), "key", begin=begin)
    with pytest.raises(AccountRefused):
        await account.place("-1001")
