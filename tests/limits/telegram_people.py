"""Rows: polls and votes, taps and their answers, and what people can do in the app."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta

from aiogram.exceptions import TelegramBadRequest

from sandbox.seam import Post, PostButton
from tests.limits.telegram_rig import CHANNEL, GROUP, Rig, refused, row


@row("telegram.poll.sender")
async def polls_of_other_bots(rig: Rig) -> None:
    post = await rig.poll(is_anonymous=False)
    await rig.stand_in.vote(rig.bob, post, 1)
    kinds = [update.event_type for update in await rig.updates()]
    assert kinds == ["poll_answer", "poll"]
    assert await rig.other.get_updates(timeout=0) == []


@row("telegram.poll.question")
async def long_question(rig: Rig) -> None:
    assert (await rig.poll(question="😀" * 300)).text == "😀" * 300
    await refused(rig.poll(question="x" * 301), TelegramBadRequest, "poll question length must not exceed 300")
    await refused(rig.poll(question=" "), TelegramBadRequest, "poll question must be non-empty")


@row("telegram.poll.options")
async def too_many_options(rig: Rig) -> None:
    assert len((await rig.poll(options=[str(i) for i in range(12)])).options) == 12
    assert len((await rig.poll(options=["only"])).options) == 1
    call = rig.poll(options=[str(i) for i in range(13)])
    await refused(call, TelegramBadRequest, "poll can't have more than 12 options")
    await refused(rig.poll(options=[]), TelegramBadRequest, "poll must have at least 1 option")


@row("telegram.poll.option_length")
async def long_option(rig: Rig) -> None:
    assert await rig.poll(options=["😀" * 100, "no"])
    await refused(rig.poll(options=["x" * 101, "no"]), TelegramBadRequest, "poll options length must not exceed 100")
    await refused(rig.poll(options=[" ", "no"]), TelegramBadRequest, "poll options must be non-empty")


@row("telegram.poll.description")
async def long_description(rig: Rig) -> None:
    sent = await rig.bot.send_poll(
        GROUP, "?", ["No", "Yes"], description="<b>Why</b>" + "x" * 1021, description_parse_mode="HTML"
    )
    assert sent.poll is not None
    assert sent.poll.description == "Why" + "x" * 1021
    await refused(rig.poll(description="x" * 1025), TelegramBadRequest, "caption is too long")


@row("telegram.poll.named_in_channel")
async def named_poll_in_a_channel(rig: Rig) -> None:
    assert not (await rig.poll(CHANNEL)).names_voters
    why = "Bad Request: non-anonymous polls can't be sent to channel chats"
    await refused(rig.poll(CHANNEL, is_anonymous=False), TelegramBadRequest, why)


@row("telegram.poll.open_period")
async def short_period(rig: Rig) -> None:
    assert (await rig.poll(open_period=2_628_000)).closes_at == rig.clocks.now() + timedelta(seconds=2_628_000)
    assert (await rig.poll(open_period=5)).closes_at == rig.clocks.now() + timedelta(seconds=5)
    for period in (4, 2_628_001):
        await refused(rig.poll(open_period=period), TelegramBadRequest, "open_period")


@row("telegram.poll.close_date")
async def near_end(rig: Rig) -> None:
    def ending(ahead_s: int) -> Awaitable[Post]:
        """A poll that lasts so long: sending it takes a second."""
        return rig.poll(close_date=int(rig.clocks.now().timestamp()) + 1 + ahead_s)

    for ahead_s in (5, 2_628_000):
        assert (await ending(ahead_s)).closes_at == rig.clocks.now() + timedelta(seconds=ahead_s)
    for ahead_s in (4, 2_628_001):
        await refused(ending(ahead_s), TelegramBadRequest, "close_date")


@row("telegram.poll.one_end")
async def two_ends(rig: Rig) -> None:
    call = rig.poll(open_period=600, close_date=int(rig.clocks.now().timestamp()) + 600)
    await refused(call, TelegramBadRequest, "can't be used together")


@row("telegram.poll.members_only")
async def members_only_in_a_group(rig: Rig) -> None:
    await refused(rig.poll(members_only=True), TelegramBadRequest, "channel chats only")


@row("telegram.poll.closes")
async def votes_after_the_end(rig: Rig) -> None:
    post = await rig.poll(is_anonymous=False, open_period=600)
    rig.clocks.skip(599)
    assert await rig.stand_in.vote(rig.bob, post, 1)
    rig.clocks.skip(1)
    assert not await rig.stand_in.vote(rig.ann, post, 1)
    last = (await rig.updates())[-1].poll
    assert last is not None
    assert last.is_closed
    assert [option.voter_count for option in last.options] == [0, 1]


@row("telegram.poll.hidden")
async def hidden_results(rig: Rig) -> None:
    post = await rig.poll(hide_results_until_closes=True)
    await rig.stand_in.vote(rig.bob, post, 1)
    assert rig.stand_in.visible_totals(post) is None
    told = (await rig.updates())[-1].poll
    assert told is not None
    assert [option.voter_count for option in told.options] == [0, 0]
    final = await rig.bot.stop_poll(GROUP, int(post.id))
    assert [option.voter_count for option in final.options] == [0, 1]
    assert rig.stand_in.visible_totals(post) == (0, 1)


@row("telegram.poll.anonymous")
async def anonymous_votes(rig: Rig) -> None:
    post = await rig.poll()
    for option in (1, 0, None):
        assert await rig.stand_in.vote(rig.bob, post, option)
    updates = await rig.updates()
    assert [update.event_type for update in updates] == ["poll"] * 3
    counts = [[option.voter_count for option in update.poll.options] for update in updates if update.poll]
    assert counts == [[0, 1], [1, 0], [0, 0]]


@row("telegram.poll.stop_found")
async def stop_nothing(rig: Rig) -> None:
    await refused(rig.bot.stop_poll(GROUP, 99), TelegramBadRequest, "message with poll to stop not found")


@row("telegram.poll.stop_once")
async def stop_twice(rig: Rig) -> None:
    post = await rig.poll()
    assert (await rig.bot.stop_poll(GROUP, int(post.id))).is_closed
    assert not await rig.stand_in.vote(rig.bob, post, 1)
    call = rig.bot.stop_poll(GROUP, int(post.id))
    await refused(call, TelegramBadRequest, "poll has already been closed")


@row("telegram.poll.stop_own")
async def stop_a_poll_of_another_bot(rig: Rig) -> None:
    post = await rig.poll()
    await refused(rig.other.stop_poll(GROUP, int(post.id)), TelegramBadRequest, "poll can't be stopped")


@row("telegram.vote.revoting")
async def second_vote(rig: Rig) -> None:
    free = await rig.poll(is_anonymous=False)
    for option in (1, 0, None):
        assert await rig.stand_in.vote(rig.bob, free, option)
    answers = [update.poll_answer for update in await rig.updates(allowed_updates=["poll_answer"])]
    assert [answer.option_ids for answer in answers if answer] == [[1], [0], []]
    fixed = await rig.poll(is_anonymous=False, allows_revoting=False)
    assert await rig.stand_in.vote(rig.bob, fixed, 1)
    assert not await rig.stand_in.vote(rig.bob, fixed, 0)
    assert not await rig.stand_in.vote(rig.bob, fixed, None)


@row("telegram.vote.members_only")
async def vote_of_a_new_member(rig: Rig) -> None:
    post = await rig.poll(CHANNEL, members_only=True)
    new = rig.stand_in.add_person(name="New")
    rig.clocks.skip(86_400)
    assert not await rig.stand_in.vote(new, post, 1)
    rig.clocks.skip(1)
    assert await rig.stand_in.vote(new, post, 1)


@row("telegram.tap.text")
async def long_toast(rig: Rig) -> None:
    query = await rig.tapped()
    await refused(rig.bot.answer_callback_query(query, "x" * 201), TelegramBadRequest, "MESSAGE_TOO_LONG")
    assert await rig.bot.answer_callback_query(query, "x" * 200)
    assert (rig.posts[-1].to, rig.posts[-1].text) == (rig.ann, "x" * 200)


@row("telegram.tap.known")
async def answer_to_nothing(rig: Rig) -> None:
    query = await rig.tapped()
    why = "query is too old and response timeout expired or query ID is invalid"
    await refused(rig.bot.answer_callback_query("4000"), TelegramBadRequest, why)
    await refused(rig.other.answer_callback_query(query), TelegramBadRequest, why)


@row("telegram.tap.life")
async def answer_too_late(rig: Rig) -> None:
    first, second = await rig.taps(2)
    rig.wait(150)
    assert await rig.bot.answer_callback_query(first)
    rig.wait(1)
    await refused(rig.bot.answer_callback_query(second), TelegramBadRequest, "query is too old")


@row("telegram.tap.answered_once")
async def answer_twice(rig: Rig) -> None:
    query = await rig.tapped()
    assert await rig.bot.answer_callback_query(query)
    await refused(rig.bot.answer_callback_query(query), TelegramBadRequest, "query ID is invalid")


@row("telegram.tap.keyboard")
async def tap_what_is_gone(rig: Rig) -> None:
    post = await rig.buttons()
    assert await rig.stand_in.tap(rig.ann, post, post.buttons[0])
    await rig.bot.edit_message_reply_markup(chat_id=int(rig.ann), message_id=int(post.id))
    assert not await rig.stand_in.tap(rig.ann, post, post.buttons[0])
    assert not await rig.stand_in.tap(rig.ann, post, PostButton("8", "8"))


@row("telegram.group.privacy")
async def privacy_mode(rig: Rig) -> None:
    post = await rig.poll()
    name = (await rig.bot.get_me()).username
    for text, reply_to in (
        ("just talking", None),
        ("as a reply", post),
        (f"hey @{name}, nine", None),
        ("/score", None),
        (f"/score@{name}", None),
        ("/score@other_bot", None),
    ):
        assert await rig.stand_in.write("tg", rig.bob, text, place=str(GROUP), reply_to=reply_to)
    seen = [update.message.text for update in await rig.updates() if update.message]
    assert seen == ["as a reply", f"hey @{name}, nine", "/score", f"/score@{name}"]


@row("telegram.start.payload")
async def deep_link(rig: Rig) -> None:
    assert await rig.stand_in.open_direct("tg", rig.bob)
    assert await rig.stand_in.open_direct("tg", rig.bob, "aZ09_-" + "x" * 58)
    message = (await rig.updates())[-1].message
    assert message is not None
    assert message.text == "/start aZ09_-" + "x" * 58
    assert not await rig.stand_in.open_direct("tg", rig.bob, "x" * 65)
    assert not await rig.stand_in.open_direct("tg", rig.bob, "no spaces")


@row("telegram.direct.started")
async def write_before_start(rig: Rig) -> None:
    assert await rig.stand_in.write("tg", rig.bob, "9") is None
    await rig.stand_in.open_direct("tg", rig.bob)
    assert await rig.stand_in.write("tg", rig.bob, "9") is not None


@row("telegram.direct.blocked")
async def write_to_whom_one_blocked(rig: Rig) -> None:
    await rig.stand_in.block("tg", rig.ann)
    assert await rig.stand_in.write("tg", rig.ann, "9") is None


@row("telegram.channel.readers")
async def write_in_a_channel(rig: Rig) -> None:
    assert await rig.stand_in.write("tg", rig.ann, "9", place=str(CHANNEL)) is None
