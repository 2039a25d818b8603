"""Looking for what was said although no answer came, and editing what was said: against the sandbox, over sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from discord.utils import time_snowflake

from bots.discord import DiscordAccount
from bots.discord.look import Sought
from core.account import Direct, Look, Receipt
from core.clock import Clock
from core.errors import AccountUnavailable, ContentRefused, OutcomeUnknown
from core.message import Button, Line, Message, text
from sandbox.clocks import Clocks
from sandbox.discord.model import READ_HISTORY
from tests.bots.discord.conftest import Inbox, account_on, begin, listening
from tests.bots.discord.stage import CHANNEL, SCORES, Stage, staged, votes, week
from tests.bots.discord.wire import CHANNEL as WIRE_CHANNEL
from tests.bots.discord.wire import Request, Wire, as_json

ASK = Message(text("How likely?").parts, SCORES)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as running:
        yield running


@pytest.fixture
async def account(stage: Stage) -> AsyncIterator[DiscordAccount]:
    async with stage.account() as signed_in:
        yield signed_in


@pytest.fixture
async def restarted(stage: Stage) -> AsyncIterator[DiscordAccount]:
    """The same bot in a process that remembers nothing."""
    async with stage.account() as signed_in:
        yield signed_in


def a_moment_ago() -> datetime:
    return Clock().now() - timedelta(seconds=2)


async def test_a_message_that_was_said_is_found_with_its_receipt(
    stage: Stage, account: DiscordAccount, restarted: DiscordAccount
) -> None:
    ann = stage.person("ann")
    place, since = await account.place(CHANNEL), a_moment_ago()
    assert place.limits.looks
    said = await account.say(place, ASK, "ask", begin=begin)
    alone = await account.say(place, text(" The report:\n*56*  "), "report", begin=begin)
    direct = await account.say(Direct(ann), ASK, "invitation", begin=begin)
    assert await restarted.look(place, ASK, "ask", since) == said
    assert await restarted.look(place, text(" The report:\n*56*  "), "report", since) == alone
    assert await restarted.look(Direct(ann), ASK, "invitation", since) == direct


async def test_a_poll_that_was_posted_is_found_and_its_votes_are_caught_up(
    stage: Stage, account: DiscordAccount, restarted: DiscordAccount, inbox: Inbox
) -> None:
    ann = stage.person("ann")
    place, since, poll = await account.place(CHANNEL), a_moment_ago(), week()
    said = await account.poll(place, poll, "ask", begin=begin)
    await stage.discord.vote(ann, stage.posts[0], 3)
    found = await restarted.look(place, poll, "ask", since)
    assert found == said
    async with listening(restarted, inbox):
        await stage.discord.vote(ann, stage.posts[0], 4)
        await restarted.catch_up([said], inbox)
    assert (ann, 4, False) in votes(inbox.events)


async def test_what_was_not_said_is_not_found(stage: Stage, account: DiscordAccount) -> None:
    ann = stage.person("ann")
    place, since = await account.place(CHANNEL), a_moment_ago()
    assert await account.look(place, ASK, "ask", since) is Look.NOT_SAID  # nobody ever wrote here
    for number in range(120):
        await stage.discord.write("dc", ann, f"How likely? {number}", place=CHANNEL)
    await stage.discord.write("dc", ann, "How likely?", place=CHANNEL)
    await account.say(place, Message(ASK.parts, (Button("9", "score-of-another-wave"),)), "other", begin=begin)
    await account.poll(place, week(), "poll", begin=begin)
    assert await account.look(place, ASK, "ask", since) is Look.NOT_SAID
    assert await account.look(place, text("How likely?"), "report", since) is Look.NOT_SAID
    assert await account.look(Direct(ann), ASK, "invitation", since) is Look.NOT_SAID


async def test_it_is_found_behind_what_others_wrote(
    stage: Stage, account: DiscordAccount, restarted: DiscordAccount
) -> None:
    ann = stage.person("ann")
    place, since = await account.place(CHANNEL), a_moment_ago()
    for number in range(150):
        await stage.discord.write("dc", ann, str(number), place=CHANNEL)
    said = await account.say(place, ASK, "ask", begin=begin)
    assert await restarted.look(place, ASK, "ask", since) == said


async def test_what_was_said_a_week_before_is_another_one() -> None:
    calendar = Clocks()
    async with staged(calendar) as stage, stage.account() as account:
        place, poll = await account.place(CHANNEL), week()
        await account.poll(place, poll, "ask:W46", begin=begin)
        await account.say(place, text("The weekly report"), "report:W46", begin=begin)
        next_week = Clock().now() + timedelta(days=7)
        async with stage.account() as restarted:
            assert await restarted.look(place, poll, "ask:W47", next_week) is Look.NOT_SAID
            assert await restarted.look(place, text("The weekly report"), "report:W47", next_week) is Look.NOT_SAID


async def test_a_poll_is_known_among_those_of_other_weeks_however_late_it_is_looked_for() -> None:
    async with staged(Clocks()) as stage, stage.account() as account:
        place, poll, since = await account.place(CHANNEL), week(), a_moment_ago()
        later = replace(poll, closes_at=poll.closes_at + timedelta(days=7))
        said = await account.poll(place, poll, "ask:W46", begin=begin)
        after = await account.poll(place, later, "ask:W47", begin=begin)
        async with stage.account() as restarted:
            assert await restarted.look(place, poll, "ask:W46", since) == said
            assert await restarted.look(place, later, "ask:W47", since) == after


def test_of_two_that_look_alike_it_is_the_one_said_since_then() -> None:
    since = Clock().now()
    sought = Sought(ASK, "nonce", me=1, since=since, speed=10_000.0)
    before, after = ({"id": str(time_snowflake(since + hours))} for hours in (timedelta(hours=-1), timedelta(hours=1)))
    assert sought.pick([before, after]) is after
    assert sought.pick([before]) is before
    assert sought.pick([after, after]) is Look.CANNOT_TELL


async def test_words_that_may_be_those_of_another_message_are_not_taken_for_it(
    stage: Stage, account: DiscordAccount, restarted: DiscordAccount
) -> None:
    ann = stage.person("ann")
    thanks, before = text("Thank you!"), a_moment_ago()
    first = await account.say(Direct(ann), thanks, "answer:1", begin=begin)
    after = Clock().now() + timedelta(seconds=1)
    assert await account.look(Direct(ann), thanks, "answer:2", before) is Look.NOT_SAID  # it knows which one that is
    assert await account.look(Direct(ann), thanks, "answer:1", before) == first
    assert await restarted.look(Direct(ann), thanks, "answer:2", after) is Look.CANNOT_TELL  # the clocks may differ
    second = await account.say(Direct(ann), thanks, "answer:2", begin=begin)
    async with stage.account() as again:
        assert await again.look(Direct(ann), thanks, "answer:3", before) is Look.CANNOT_TELL
        known = [first.message, second.message]  # to the books, whoever said them
        assert await again.look(Direct(ann), thanks, "answer:3", before, others=known) is Look.NOT_SAID
        assert await again.look(Direct(ann), thanks, "answer:2", before, others=known[:1]) == second
    assert await account.look(Direct(ann), thanks, "answer:2", before) == second


async def test_a_history_that_we_may_not_read_tells_nothing(stage: Stage, account: DiscordAccount) -> None:
    place, since = await account.place(CHANNEL), a_moment_ago()
    await account.say(place, ASK, "ask", begin=begin)
    stage.discord.deny(CHANNEL, READ_HISTORY)
    assert await account.look(place, ASK, "ask", since) is Look.CANNOT_TELL
    stage.discord.deny(CHANNEL, 1 << 10)
    assert await account.look(place, ASK, "ask", since) is Look.CANNOT_TELL


async def test_an_answer_that_was_cut_is_found_once_the_nonce_is_forgotten(wire: Wire, inbox: Inbox) -> None:
    """The whole way, with a Discord that posts and does not answer."""
    posts, history = ("POST", f"/channels/{WIRE_CHANNEL}/messages"), ("GET", f"/channels/{WIRE_CHANNEL}/messages")
    kept: list[dict[str, object]] = []

    async def post_and_cut(request: Request) -> object:
        made = {
            "id": "1441000000000000000",
            "channel_id": WIRE_CHANNEL,
            "timestamp": "2025-11-20T10:00:00+00:00",
            "author": {"id": "1100000000000000001"},
            "components": request.body.get("components", []),
            "content": request.body["content"],
        }
        kept.append(made)
        assert request.raw.transport is not None
        request.raw.transport.abort()
        return as_json({})

    async def found(_: Request) -> object:
        return as_json(kept)

    wire.route(*posts, post_and_cut)  # type: ignore[arg-type]
    wire.route(*history, found)  # type: ignore[arg-type]
    async with account_on(f"{wire.url}/api/v10", f"{wire.url}/gateway") as account:
        place = Direct("5")
        wire.on("POST", "/users/@me/channels", {"id": WIRE_CHANNEL, "type": 1})
        with pytest.raises(OutcomeUnknown):
            await account.say(place, ASK, "ask", begin=begin)
        del kept[1:]  # its second try had the same nonce
        receipt = await account.look(place, ASK, "ask", datetime.fromisoformat("2025-11-20T10:00:00+00:00"))
    assert isinstance(receipt, Receipt)
    assert (receipt.message, receipt.place, receipt.refs) == ("1441000000000000000", "5", ("msg:1441000000000000000",))


@pytest.mark.parametrize("status", [500, 503])
async def test_a_discord_that_is_out_of_order_is_asked_again_later(
    wire: Wire, account_there: DiscordAccount, status: int
) -> None:
    wire.on("POST", "/users/@me/channels", {"id": WIRE_CHANNEL, "type": 1})
    wire.on("GET", f"/channels/{WIRE_CHANNEL}/messages", {"message": "no"}, status)
    with pytest.raises(AccountUnavailable):
        await account_there.look(Direct("5"), ASK, "ask", a_moment_ago())


@pytest.fixture
async def account_there(wire: Wire) -> AsyncIterator[DiscordAccount]:
    async with account_on(f"{wire.url}/api/v10", f"{wire.url}/gateway", call_s=2.0) as signed_in:
        yield signed_in


async def test_what_was_said_can_be_edited_twice(
    stage: Stage, account: DiscordAccount, restarted: DiscordAccount
) -> None:
    ann = stage.person("ann")
    place, other = await account.place(CHANNEL), Message((Line("The score is 56."),), (Button("Why", "w"),))
    assert place.limits.edits
    await restarted.place(CHANNEL)
    for to in (place, Direct(ann)):
        said = await account.say(to, text("The score is being counted."), f"report:{to}", begin=begin)
        await account.edit(said, other)
        await restarted.edit(said, other)
        assert (stage.posts[-1].id, stage.posts[-1].text) == (said.message, "The score is being counted.")
        since = a_moment_ago()
        assert await account.look(to, other, f"report:{to}", since) == said
        await account.edit(said, text("The score is 57."))
        assert await account.look(to, text("The score is 57."), f"report:{to}", since) == said
    gone = Receipt(place=CHANNEL, message="1", refs=(), sent_at=Clock().now())
    with pytest.raises(ContentRefused, match="gone"):
        await account.edit(gone, other)
