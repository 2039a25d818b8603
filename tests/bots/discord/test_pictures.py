"""A post with its picture, and the thread below it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from bots.discord import DiscordAccount
from core.account import Look, Place, Receipt
from core.clock import Clock
from core.errors import AccountUnavailable
from core.message import Line, Message, Picture, Strong
from sandbox.discord.model import ATTACH_FILES, CREATE_THREADS, SEND_IN_THREADS
from tests.bots.discord.conftest import begin
from tests.bots.discord.stage import CHANNEL, NEWS, Stage
from tests.bots.discord.test_look import a_moment_ago
from tests.bots.discord.test_look import account as account
from tests.bots.discord.test_look import stage as stage
from tests.bots.pictures import PICTURE, PNG, REPORT, SHOWN

DETAILS = Message((Strong("Acme, week 2026-W47, details (scale 0-10)"), Line("Named answers: n 412")))


@pytest.fixture
async def place(account: DiscordAccount) -> Place:
    return await account.place(CHANNEL)


def payload(stage: Stage) -> dict[str, Any]:
    """What the last post was asked for with."""
    return cast(dict[str, Any], stage.posts[-1].raw)


async def test_the_first_line_stands_alone_and_the_rest_in_an_embed_with_the_picture(
    stage: Stage, account: DiscordAccount, place: Place
) -> None:
    await account.say(place, REPORT, "k", begin=begin)
    shown = stage.posts[-1]
    assert (shown.text.replace("\u200b", ""), [picture[:8] for picture in shown.pictures]) == (SHOWN, [PNG])
    sent = payload(stage)
    assert sent["content"].startswith("**Acme: NPS 27")
    assert sent["embeds"][0]["image"]["url"] == f"attachment://{sent['attachments'][0]['filename']}"
    assert sent["attachments"][0]["description"] == PICTURE.words
    assert sent["allowed_mentions"]["parse"] == []


async def test_a_lost_picture_is_found_and_another_one_is_not_taken_for_it(
    stage: Stage, account: DiscordAccount, place: Place
) -> None:
    since = a_moment_ago()
    said = await account.say(place, REPORT, "k", begin=begin)
    other = Message((*REPORT.parts, Line("and more")), picture=PICTURE)
    bare = Message(REPORT.parts)
    async with stage.account() as restarted:
        assert await restarted.look(place, REPORT, "k", since) == said
        assert await restarted.look(place, other, "other", since) is Look.NOT_SAID
        assert await restarted.look(place, bare, "bare", since) is Look.NOT_SAID


async def test_details_stand_in_a_thread_that_is_made_once(stage: Stage, account: DiscordAccount, place: Place) -> None:
    since = a_moment_ago()
    first = await account.say(place, REPORT, "k:0", begin=begin)
    details = await account.say(place, DETAILS, "k:1", under=first, begin=begin)
    more = await account.say(place, Message((Line("more"),)), "k:2", under=first, begin=begin)
    thread = stage.discord.state.channels[int(first.message)]
    assert [thread.messages[int(each.message)].content[:8] for each in (details, more)] == ["**Acme, ", "more"]
    assert thread.name == DETAILS.parts[0].text
    assert [post.place for post in stage.posts] == [CHANNEL] * 3
    async with stage.account() as restarted:
        assert await restarted.look(place, DETAILS, "k:1", since, under=first) == details
        assert await restarted.look(place, DETAILS, "k:1", since) is Look.NOT_SAID


@pytest.mark.parametrize("where", [CHANNEL, NEWS])
@pytest.mark.parametrize("denied", [CREATE_THREADS, SEND_IN_THREADS])
@pytest.mark.parametrize("known", [True, False])
async def test_where_there_may_be_no_thread_the_details_stand_in_the_channel(
    stage: Stage, account: DiscordAccount, where: str, denied: int, known: bool
) -> None:
    since = a_moment_ago()
    stage.discord.state.channels[int(where)].denied |= denied if known else 0
    place = await account.place(where)
    stage.discord.state.channels[int(where)].denied |= denied
    first = await account.say(place, REPORT, "k:0", begin=begin)
    try:
        details = await account.say(place, DETAILS, "k:1", under=first, begin=begin)
    except AccountUnavailable:
        assert (denied, known) == (SEND_IN_THREADS, False)
        details = await account.say(place, DETAILS, "k:1", under=first, begin=begin)
    assert int(details.message) in stage.discord.state.channels[int(where)].messages
    async with stage.account() as restarted:
        assert await restarted.look(place, DETAILS, "k:1", since, under=first) == details


async def test_below_a_message_that_is_gone_the_details_stand_in_the_channel(
    account: DiscordAccount, stage: Stage, place: Place
) -> None:
    gone = Receipt(place=CHANNEL, message="1100000000000000999", refs=(), sent_at=Clock().now())
    details = await account.say(place, DETAILS, "k:1", under=gone, begin=begin)
    assert int(details.message) in stage.discord.state.channels[int(CHANNEL)].messages


async def test_what_discord_takes_with_no_picture_is_said_in_words_and_found(
    stage: Stage, account: DiscordAccount, place: Place
) -> None:
    since = a_moment_ago()
    stage.discord.state.channels[int(CHANNEL)].denied |= ATTACH_FILES
    with pytest.raises(AccountUnavailable):
        await account.say(place, REPORT, "k", begin=begin)
    said = await account.say(place, REPORT, "k", begin=begin)
    assert (stage.posts[-1].text.replace("\u200b", ""), stage.posts[-1].pictures) == (SHOWN, ())
    async with stage.account() as restarted:
        assert await restarted.look(place, REPORT, "k", since) == said


async def test_a_picture_that_cannot_be_drawn_costs_nobody_the_words(
    stage: Stage, account: DiscordAccount, place: Place
) -> None:
    since = a_moment_ago()
    broken = Message(REPORT.parts, picture=Picture("no picture", "none"))
    said = await account.say(place, broken, "k", begin=begin)
    assert (stage.posts[-1].text.replace("\u200b", ""), stage.posts[-1].pictures) == (SHOWN, ())
    async with stage.account() as restarted:
        assert await restarted.look(place, broken, "k", since) == said


async def test_where_no_files_may_be_sent_there_are_no_pictures(stage: Stage, account: DiscordAccount) -> None:
    assert (await account.place(CHANNEL)).limits.caption_chars > 0
    stage.discord.state.channels[int(CHANNEL)].denied |= ATTACH_FILES
    assert (await account.place(CHANNEL)).limits.caption_chars == 0
