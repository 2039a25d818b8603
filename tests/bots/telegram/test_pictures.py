"""A post with its picture, and what stands below it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bots.telegram import TelegramAccount
from core.account import Receipt
from core.errors import ContentRefused
from core.message import Line, text
from tests.bots.pictures import PNG, REPORT, SHOWN
from tests.bots.telegram.scripted import BotApi, begun, refusal
from tests.bots.telegram.test_account import world as world
from tests.bots.telegram.test_edit import IN_GROUP
from tests.bots.telegram.test_send import BAD, SENT, answering
from tests.bots.telegram.world import GROUP, World, group


async def test_a_placeholder_becomes_a_picture_with_the_words_below_it(world: World) -> None:
    place = await group(world)
    receipt = await world.account.say(place, text("The score follows"), "k", begin=begun)
    for _ in range(2):
        await world.account.edit(receipt, REPORT)
    shown = world.posts[-1]
    assert (shown.id, shown.edited, shown.text) == (receipt.message, True, SHOWN)
    assert [picture[:8] for picture in shown.pictures] == [PNG]
    assert 0 < place.limits.caption_chars < place.limits.post_chars


async def test_a_picture_can_be_said_at_once(world: World) -> None:
    receipt = await world.account.say(await group(world), REPORT, "k", begin=begun)
    assert (world.posts[-1].id, world.posts[-1].text) == (receipt.message, SHOWN)
    assert [picture[:8] for picture in world.posts[-1].pictures] == [PNG]


async def test_details_are_a_reply_and_stand_alone_where_that_is_gone(world: World) -> None:
    place = await group(world)
    first = await world.account.say(place, REPORT, "k:0", begin=begun)
    await world.account.say(place, text("details"), "k:1", under=first, begin=begun)
    await world.account.say(place, text("details"), "k:1", under=replace(first, message="9999"), begin=begun)
    assert [post.reply_to for post in world.posts] == [None, first.message, None]


async def test_words_that_are_too_long_for_a_picture_are_not_sent(world: World) -> None:
    longer = replace(REPORT, parts=(Line("a" * 1025),))
    with pytest.raises(ContentRefused):
        await world.account.say(await group(world), longer, "k", begin=begun)
    with pytest.raises(ContentRefused):
        await world.account.edit(Receipt(place=GROUP, message="1", refs=(), sent_at=world.clock.now()), longer)
    assert world.posts == []


@pytest.mark.parametrize(
    "no", [refusal(400, BAD + "not enough rights to send photos to the chat"), refusal(404, "Not Found")]
)
async def test_where_no_pictures_may_be_sent_the_words_stand_alone(
    api: BotApi, account: TelegramAccount, no: object
) -> None:
    answering(api, "editMessageMedia", no)
    answering(api, "editMessageText", SENT)
    await account.edit(IN_GROUP, REPORT)
    assert [method for method, _ in api.calls[-2:]] == ["editMessageMedia", "editMessageText"]
