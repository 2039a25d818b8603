"""Editing: repeatable, told by what is known, and seen by people in the place of the earlier words."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from bots.telegram import TelegramAccount
from bots.telegram.places import BROADCAST_LIMITS, DIRECT_LIMITS, GROUP_LIMITS
from core.account import Direct, Look, Receipt
from core.clock import Clock
from core.errors import AccountError, AccountRefused, AccountUnavailable, ContentRefused, MessageGone, PersonUnreachable
from core.message import Line, Message, Strong, text
from tests.bots.telegram.scripted import BotApi, begun, refusal, said
from tests.bots.telegram.test_account import world as world
from tests.bots.telegram.test_send import BAD, SENT, answering
from tests.bots.telegram.world import BASIC, GROUP, World, group

IN_GROUP = Receipt(place=GROUP, message="77", refs=(f"msg:{GROUP}:77",), sent_at=Clock().now())
TO_ANN = Receipt(place="1111111", message="78", refs=("msg:1111111:78",), sent_at=Clock().now())
NOT_MODIFIED = BAD + "message is not modified: specified new message content and reply markup are exactly the same"


def test_places_edit_and_do_not_look() -> None:
    for limits in (GROUP_LIMITS, BROADCAST_LIMITS, DIRECT_LIMITS):
        assert (limits.edits, limits.looks) == (True, False)


async def test_a_placeholder_becomes_the_report_and_may_become_it_again(world: World) -> None:
    receipt = await world.account.say(await group(world), text("The report comes soon"), "k", begin=begun)
    report = Message((Strong("NPS 40"), Line("n 1 < 2")))
    for _ in range(2):
        await world.account.edit(receipt, report)
    soon, shown = world.posts
    assert (soon.id, soon.edited) == (receipt.message, False)
    assert (shown.id, shown.edited, shown.text) == (receipt.message, True, "NPS 40\nn 1 < 2")
    assert [exchange.status for exchange in world.calls("editMessageText")] == [200, 400]


async def test_what_is_gone_or_stayed_behind_cannot_be_edited(world: World) -> None:
    receipt = await world.account.say(await world.account.place(BASIC), text("soon"), "k", begin=begun)
    with pytest.raises(MessageGone):
        await world.account.edit(IN_GROUP, text("NPS 40"))
    with pytest.raises(ContentRefused):
        await world.account.edit(Receipt(place=GROUP, message="1", refs=(), sent_at=Clock().now()), text("NPS 40"))
    world.app.upgrade(BASIC)
    with pytest.raises(MessageGone):
        await world.account.edit(receipt, text("NPS 40"))


async def test_nothing_can_be_looked_up(world: World) -> None:
    found = await world.account.look(Direct(world.person), text("hello"), "k", world.clock.now())
    assert found is Look.CANNOT_TELL
    assert world.exchanges[1:] == []


@pytest.mark.parametrize(
    ("receipt", "answer", "expected"),
    [
        (IN_GROUP, SENT, None),
        (IN_GROUP, True, None),
        (IN_GROUP, {}, None),
        (IN_GROUP, refusal(400, NOT_MODIFIED), None),
        (IN_GROUP, refusal(400, BAD + "message to edit not found"), MessageGone),
        (IN_GROUP, refusal(400, BAD + "message can't be edited"), MessageGone),
        (IN_GROUP, refusal(400, BAD + "MESSAGE_ID_INVALID"), MessageGone),
        (IN_GROUP, refusal(400, BAD + "group chat was upgraded", migrate_to_chat_id=-1009), MessageGone),
        (IN_GROUP, refusal(400, BAD + "chat not found"), AccountRefused),
        (IN_GROUP, refusal(403, "Forbidden: bot was kicked from the supergroup chat"), AccountRefused),
        (TO_ANN, refusal(403, "Forbidden: bot was blocked by the user"), PersonUnreachable),
        (IN_GROUP, refusal(401, "Unauthorized"), AccountRefused),
        (IN_GROUP, refusal(429, "Too Many Requests", retry_after=300), AccountUnavailable),
        (IN_GROUP, refusal(502, "Bad Gateway"), AccountUnavailable),
        (IN_GROUP, web.Response(body=b"<html>", status=502), AccountUnavailable),
        (IN_GROUP, web.Response(body=b"<html>"), AccountUnavailable),
        (IN_GROUP, web.Response(body=b'{"ok":tr'), AccountUnavailable),
        (IN_GROUP, asyncio.CancelledError, AccountUnavailable),
    ],
)
async def test_a_failed_edit_says_what_to_do(
    api: BotApi, account: TelegramAccount, receipt: Receipt, answer: Any, expected: type[AccountError] | None
) -> None:
    answering(api, "editMessageText", answer)
    if expected is None:
        await account.edit(receipt, text("NPS 40"))
    else:
        with pytest.raises(expected) as told:
            await account.edit(receipt, text("NPS 40"))
        assert type(told.value) is expected
    (asked,) = api.asked("editMessageText")
    assert (asked["chat_id"], asked["message_id"]) == (receipt.place, receipt.message)


async def test_a_429_on_an_edit_silences_the_whole_account(api: BotApi, account: TelegramAccount) -> None:
    answering(api, "editMessageText", refusal(429, "Too Many Requests", retry_after=300))
    answering(api, "sendMessage", said(1)["message"])
    with pytest.raises(AccountUnavailable):
        await account.edit(IN_GROUP, text("NPS 40"))
    with pytest.raises(AccountUnavailable) as told:
        await account.say(Direct("1111111"), text("hello"), "k", begin=begun)
    assert told.value.retry_after_s > 290
    assert api.asked("sendMessage") == []
