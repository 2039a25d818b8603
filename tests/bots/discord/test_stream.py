"""What comes to the account, against the sandbox: taps, forms, messages, and what happened while we were away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from bots.discord import DiscordAccount
from bots.discord.answer import MANY
from core.account import Answer, Direct
from core.errors import AccountUnavailable
from core.events import Reply, Via, Votes
from core.message import Button, Message, text
from tests.bots.discord.conftest import FORM, Inbox, begin, listening
from tests.bots.discord.stage import CHANNEL, SCORES, Stage, staged, votes, week


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as running:
        yield running


@pytest.fixture
async def account(stage: Stage) -> AsyncIterator[DiscordAccount]:
    async with stage.account() as signed_in:
        yield signed_in


async def test_tap_is_delivered_then_answered_in_private(stage: Stage, account: DiscordAccount, inbox: Inbox) -> None:
    ann = stage.person("ann")
    async with listening(account, inbox):
        await account.say(await account.place(CHANNEL), Message(text("How likely?").parts, SCORES), "k", begin=begin)
        post = stage.posts[0]
        assert [button.label for button in post.buttons] == [str(score) for score in range(11)]
        tapping = asyncio.create_task(stage.discord.tap(ann, post, post.buttons[9]))
        (reply,) = await inbox.have(1)
        assert await tapping
        assert isinstance(reply, Reply)
        assert (reply.via, reply.token, reply.person, reply.place) == (Via.TAP, "score-9", ann, CHANNEL)
        assert (reply.ref, reply.language) == (f"msg:{post.id}", "en-US")
        assert len(stage.posts) == 1  # nothing to say, nothing said


class Thankful(Inbox):
    """Answers every reply."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer

    async def __call__(self, events: object) -> list[Answer]:
        await super().__call__(events)  # type: ignore[arg-type]
        return [self.answer] * len(self.calls[-1])


async def test_thanks_are_seen_by_the_person_alone_and_open_the_form(stage: Stage, account: DiscordAccount) -> None:
    inbox = Thankful(Answer(message=text("Thank you!", Button("Tell us why", "why-ann"))))
    ann, bob = stage.person("ann"), stage.person("bob")
    async with listening(account, inbox):
        await account.say(await account.place(CHANNEL), Message(text("How likely?").parts, SCORES), "k", begin=begin)
        ask = stage.posts[0]
        assert await stage.discord.tap(ann, ask, ask.buttons[10])
        thanks = stage.posts[1]
        assert (thanks.to, thanks.text) == (ann, "Thank you!")
        assert await stage.discord.tap(bob, thanks, thanks.buttons[0]) is False
        assert await stage.discord.fill(ann, thanks, thanks.buttons[0], "It just works.\nAlways.")
    form = inbox.replies[-1]
    assert isinstance(form, Reply)
    assert (form.via, form.token, form.text, form.person) == (Via.FORM, FORM.token, "It just works.\nAlways.", ann)
    assert [event.token for event in inbox.replies if isinstance(event, Reply)] == ["score-10", FORM.token]
    assert stage.posts[-1].to == ann


async def test_toast_is_seen_by_the_person_alone(stage: Stage, account: DiscordAccount) -> None:
    ann = stage.person("ann")
    async with listening(account, Thankful(Answer(toast="Noted: *9*"))):
        await account.say(await account.place(CHANNEL), Message(text("How likely?").parts, SCORES), "k", begin=begin)
        assert await stage.discord.tap(ann, stage.posts[0], stage.posts[0].buttons[9])
    assert (stage.posts[1].to, stage.posts[1].text) == (ann, "Noted: *9*")


async def test_slow_keeping_defers_and_thanks_afterwards(stage: Stage, account: DiscordAccount) -> None:
    inbox = Thankful(Answer(message=text("Thank you!")))
    inbox.hold = asyncio.Event()
    ann = stage.person("ann")
    async with listening(account, inbox):
        await account.say(await account.place(CHANNEL), Message(text("How likely?").parts, SCORES), "k", begin=begin)
        assert await stage.discord.tap(ann, stage.posts[0], stage.posts[0].buttons[9])  # within 3 s, kept or not
        assert len(stage.posts) == 1
        inbox.hold.set()
        await stage.have(2)
    assert (stage.posts[1].to, stage.posts[1].text) == (ann, "Thank you!")


async def test_a_rush_of_taps_is_deferred_at_once_and_everybody_is_thanked(
    stage: Stage, account: DiscordAccount
) -> None:
    inbox = Thankful(Answer(message=text("Thank you!")))
    inbox.hold = asyncio.Event()
    people = [stage.person(f"p{number}") for number in range(MANY + 20)]
    async with listening(account, inbox):
        await account.say(await account.place(CHANNEL), Message(text("How likely?").parts, SCORES), "k", begin=begin)
        post = stage.posts[0]
        taps = [asyncio.create_task(stage.discord.tap(person, post, post.buttons[9])) for person in people]
        async with asyncio.timeout(5):
            done, waiting = await asyncio.wait(taps, return_when=asyncio.FIRST_COMPLETED)
        assert len(stage.posts) == 1  # nothing is kept, nobody is thanked
        assert {tap.result() for tap in done} == {True}
        assert taps[0] in waiting  # there is time for the first ones
        assert done <= set(taps[MANY:])
        inbox.hold.set()
        assert all(await asyncio.gather(*taps))
        await stage.have(1 + len(people))
    assert {post.to for post in stage.posts[1:]} == set(people)


async def test_who_is_cancelled_just_when_the_barrier_answers_ends(
    stage: Stage, account: DiscordAccount, inbox: Inbox
) -> None:
    async with listening(account, inbox):
        await account.catch_up([], inbox)
        for turns in range(80):  # of the loop; the answer comes at one of them
            catching_up = asyncio.create_task(account.catch_up([], inbox))
            for _ in range(turns):
                await asyncio.sleep(0)
            ended = catching_up.done()
            catching_up.cancel()
            await asyncio.wait({catching_up}, timeout=8)
            assert ended or catching_up.cancelled(), turns
        assert ended


async def test_direct_messages_both_ways(stage: Stage, account: DiscordAccount, inbox: Inbox) -> None:
    ann = stage.person("ann")
    async with listening(account, inbox):
        receipt = await account.say(Direct(ann), Message(text("How likely?").parts, SCORES), "invite:ann", begin=begin)
        post = stage.posts[0]
        assert (post.to, post.place, receipt.place, receipt.refs) == (ann, "direct", ann, (f"msg:{post.id}",))
        assert await stage.discord.tap(ann, post, post.buttons[7])
        number = await stage.discord.write("dc", ann, "8, sorry", reply_to=post)
        tap, words = await inbox.have(2)
        assert isinstance(tap, Reply)
        assert isinstance(words, Reply)
        assert (tap.via, tap.token, tap.place, tap.ref) == (Via.TAP, "score-7", "", receipt.refs[0])
        assert (words.id, words.text, words.place, words.ref) == (f"m{number}", "8, sorry", "", receipt.refs[0])
        assert words.order > tap.order
        await account.catch_up([], inbox)
    (name,) = inbox.cursors
    assert inbox.cursors[name] == number


async def test_mentions_in_the_channel_are_read_talk_is_not(
    stage: Stage, account: DiscordAccount, inbox: Inbox
) -> None:
    ann = stage.person("ann")
    async with listening(account, inbox):
        await account.say(await account.place(CHANNEL), text("How likely?"), "k", begin=begin)
        await stage.discord.write("dc", ann, "what a day", place=CHANNEL)
        await stage.discord.write("dc", ann, "10!", place=CHANNEL, reply_to=stage.posts[0])
        (reply,) = await inbox.have(1)
        await account.catch_up([], inbox)
    assert isinstance(reply, Reply)
    assert (reply.text, reply.place, reply.ref) == ("10!", CHANNEL, f"msg:{stage.posts[0].id}")
    assert inbox.replies == [reply]


async def test_what_was_written_while_away_comes_before_what_comes_now(stage: Stage, inbox: Inbox) -> None:
    ann = stage.person("ann")
    async with stage.account() as account, listening(account, inbox):
        await account.say(Direct(ann), text("How likely?"), "invite:ann", begin=begin)
        await account.catch_up([], inbox)
    cursors = inbox.cursors
    assert len(cursors) == 1
    written = [await stage.discord.write("dc", ann, str(number)) for number in range(120)]
    later = Inbox()
    async with stage.account() as account, listening(account, later, cursors):
        written.append(await stage.discord.write("dc", ann, "10"))
        await account.catch_up([], later)
    replies = sorted((event for event in later.replies if isinstance(event, Reply)), key=lambda reply: reply.order)
    assert [reply.id for reply in replies] == [f"m{number}" for number in written]
    assert list(later.cursors.values())[-1] in written


async def test_votes_cast_while_away_are_caught_up(stage: Stage, inbox: Inbox) -> None:
    ann, bob = stage.person("ann"), stage.person("bob")
    async with stage.account() as account, listening(account, inbox):
        receipt = await account.poll(await account.place(CHANNEL), week(), "k", begin=begin)
        await stage.discord.vote(ann, stage.posts[0], 2)
        await inbox.have(1)
    await stage.discord.vote(ann, stage.posts[0], None)
    await stage.discord.vote(bob, stage.posts[0], 8)
    later = Inbox()
    async with stage.account() as account, listening(account, later):
        await account.catch_up([receipt], later)
    (caught,) = later.events
    assert isinstance(caught, Votes)
    assert dict(caught.votes) == {bob: 8}


async def test_an_account_can_listen_again(stage: Stage, account: DiscordAccount, inbox: Inbox) -> None:
    ann = stage.person("ann")
    async with listening(account, inbox):
        receipt = await account.poll(await account.place(CHANNEL), week(), "k", begin=begin)
    again = Inbox()
    async with listening(account, again):
        await stage.discord.vote(ann, stage.posts[0], 4)
        await account.catch_up([receipt], again)
    assert votes(again.events) == [(ann, 4, False)]
    assert [dict(event.votes) for event in again.events if isinstance(event, Votes)][-1] == {ann: 4}
    assert inbox.events == []


@pytest.mark.parametrize("how", ["cut", "asked to reconnect", "session taken"])
async def test_a_broken_connection_loses_nothing(stage: Stage, account: DiscordAccount, inbox: Inbox, how: str) -> None:
    ann, bob = stage.person("ann"), stage.person("bob")
    async with listening(account, inbox):
        receipt = await account.poll(await account.place(CHANNEL), week(), "k", begin=begin)
        await account.say(Direct(bob), text("How likely?"), "invite:bob", begin=begin)
        await account.catch_up([], inbox)
        if how == "cut":
            await stage.discord.drop_connections("dc")
        elif how == "asked to reconnect":
            stage.discord.ask_reconnect("dc")
        else:
            stage.discord.invalidate_sessions("dc")
        await stage.discord.vote(ann, stage.posts[0], 6)
        number = await stage.discord.write("dc", bob, "9")
        await until_async(lambda: caught_up(account, [receipt], inbox))
        latest = [event for event in inbox.events if isinstance(event, Votes)][-1]
    assert dict(latest.votes) == {ann: 6}
    assert f"m{number}" in {event.id for event in inbox.replies if isinstance(event, Reply)}


@pytest.mark.parametrize("hangs_up", [False, True])
async def test_what_came_while_too_much_waited_comes_when_there_is_room(
    stage: Stage, inbox: Inbox, hangs_up: bool
) -> None:
    ann = stage.person("ann")
    inbox.hold = asyncio.Event()
    async with stage.account(most_urgent=2) as account, listening(account, inbox):
        await account.say(Direct(ann), text("How likely?"), "invite:ann", begin=begin)
        written = [await stage.discord.write("dc", ann, str(number)) for number in range(30)]
        await inbox.have(1)
        if hangs_up:  # as Discord does after some time without an answer to its heartbeats
            await stage.discord.drop_connections("dc")
        inbox.hold.set()
        await inbox.have(len(written))
    assert [event.id for event in inbox.replies if isinstance(event, Reply)] == [f"m{number}" for number in written]


async def test_a_new_session_is_kept_though_the_one_before_is_not_all_kept(stage: Stage, inbox: Inbox) -> None:
    """Else another process would take up the old one, whose places in the order are before those of the new one."""
    ann = stage.person("ann")
    async with stage.account() as account, listening(account, inbox):
        receipt = await account.poll(await account.place(CHANNEL), week(), "k", begin=begin)
        await account.catch_up([], inbox)
        old = json.loads(inbox.kept["session"])["id"]
        inbox.hold = asyncio.Event()
        await stage.discord.vote(ann, stage.posts[0], 2)
        await inbox.have(1)
        stage.discord.invalidate_sessions("dc")

        async def is_kept() -> bool:
            await asyncio.sleep(0.01)
            return bool(json.loads(inbox.kept["session"])["id"] != old)

        await until_async(is_kept)
        await stage.discord.vote(ann, stage.posts[0], 7)
        closed = await account.close(receipt)
        inbox.hold.set()
    assert closed is not None
    assert dict(closed.votes) == {ann: 7}
    assert closed.order > json.loads(inbox.kept["session"])["base"]


async def caught_up(account: DiscordAccount, polls: list[object], inbox: Inbox) -> bool:
    try:
        await account.catch_up(polls, inbox)  # type: ignore[arg-type]
    except AccountUnavailable:
        return False
    return True


async def until_async(condition: object) -> None:
    """Wait until an asynchronous condition holds."""
    async with asyncio.timeout(20):
        while not await condition():  # type: ignore[operator]
            pass


async def test_an_edited_message_comes_again_with_its_new_words(
    stage: Stage, account: DiscordAccount, inbox: Inbox
) -> None:
    ann = stage.person("ann")
    async with listening(account, inbox):
        written = await stage.discord.write("dc", ann, "9, lovely")
        assert written is not None
        assert await stage.discord.rewrite("dc", ann, written, "8, lovely people")
        await inbox.have(2)
    first, edited = (event for event in inbox.replies if isinstance(event, Reply))
    assert (first.text, first.edited) == ("9, lovely", False)
    assert (edited.text, edited.edited) == ("8, lovely people", True)
    assert first.message == edited.message
    assert first.id != edited.id
    assert first.order < edited.order
