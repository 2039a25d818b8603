"""What the account says and asks, against the sandbox: the real discord.py over real sockets, and people beyond."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bots.discord import DiscordAccount
from core.account import Direct, Place, PlaceKind, Poll
from core.clock import Clock
from core.errors import AccountRefused, AccountUnavailable, ContentRefused, PersonUnreachable
from core.events import Reply, Votes
from core.message import Link, Message, text
from sandbox.clocks import Clocks
from tests.bots.discord.conftest import Inbox, begin, listening
from tests.bots.discord.stage import CHANNEL, NEWS, OPTIONS, Stage, staged, votes, week


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as running:
        yield running


@pytest.fixture
async def account(stage: Stage) -> AsyncIterator[DiscordAccount]:
    async with stage.account() as signed_in:
        yield signed_in


async def test_place_knows_the_channel_and_its_limits(account: DiscordAccount) -> None:
    place = await account.place(CHANNEL)
    assert (place.kind, place.title, place.limits.poll_options) == (PlaceKind.GROUP, "Survey", 10)
    assert (place.limits.option_chars, place.limits.buttons, place.limits.private_answers) == (55, 25, True)
    assert (await account.place("direct")).kind is PlaceKind.DIRECT
    news = await account.place(NEWS)
    assert (news.kind, news.limits.poll_options, news.limits.buttons) == (PlaceKind.BROADCAST, 0, 25)


async def test_place_that_is_not_there_or_not_ours_needs_a_person(stage: Stage, account: DiscordAccount) -> None:
    with pytest.raises(AccountRefused, match="does not exist"):
        await account.place("900000000000000002")
    with pytest.raises(AccountRefused, match="developer mode"):
        await account.place("#survey")
    stage.discord.deny(CHANNEL, 1 << 49)
    assert (await account.place(CHANNEL)).limits.poll_options == 0
    stage.discord.deny(CHANNEL, 1 << 11)
    with pytest.raises(AccountRefused, match="Send Messages"):
        await account.place(CHANNEL)


async def test_wrong_token_needs_a_person(stage: Stage) -> None:
    with pytest.raises(AccountRefused, match="token"):
        async with stage.account(token="wrong.token.at-all"):
            pass


async def test_poll_is_posted_voted_on_caught_up_and_closed(
    stage: Stage, account: DiscordAccount, inbox: Inbox
) -> None:
    ann, bob = stage.person("ann"), stage.person("bob")
    async with listening(account, inbox):
        receipt = await account.poll(await account.place(CHANNEL), week(), "ask:s:2026-W47:dc", begin=begin)
        (post,) = stage.posts
        assert (post.text, post.options, post.names_voters) == ("How likely?", OPTIONS, True)
        assert post.closes_at is not None
        assert round((post.closes_at - post.at).total_seconds()) == (7 * 24 + 1) * 3600  # a minute over 7 days
        assert receipt.refs == (f"msg:{post.id}",)
        await stage.discord.vote(ann, post, 9)
        await stage.discord.vote(bob, post, 0)
        await stage.discord.vote(ann, post, 3)
        await account.catch_up([receipt], inbox)
        assert votes(inbox.events) == [(ann, 9, False), (bob, 0, False), (ann, 9, True), (ann, 3, False)]
        (caught,) = [event for event in inbox.events if isinstance(event, Votes)]
        assert dict(caught.votes) == {ann: 3, bob: 0}
        assert not caught.final
        assert caught.order > max(event.order for event in inbox.events if isinstance(event, Reply))
        closed = await account.close(receipt)
        assert closed is not None
        assert closed.final
        assert dict(closed.votes) == {ann: 3, bob: 0}
        assert await stage.discord.vote(bob, post, 5) is False
        again = await account.close(receipt)
        assert again is not None
        assert dict(again.votes) == {ann: 3, bob: 0}


async def test_all_voters_of_a_large_poll_are_paged(stage: Stage, account: DiscordAccount, inbox: Inbox) -> None:
    receipt = await account.poll(await account.place(CHANNEL), week(), "k", begin=begin)
    people = [stage.person(f"p{number}") for number in range(230)]
    for number, person in enumerate(people):
        await stage.discord.vote(person, stage.posts[0], 9 if number < 201 else number % 9)
    async with listening(account, inbox):
        await account.catch_up([], inbox)
        closed = await account.close(receipt)
    assert closed is not None
    assert dict(closed.votes) == {p: 9 if number < 201 else number % 9 for number, p in enumerate(people)}


async def test_same_key_posts_once(stage: Stage, account: DiscordAccount) -> None:
    place = await account.place(CHANNEL)
    first = await account.say(place, text("Hello"), "report:s:2026-W47:team:0", begin=begin)
    second = await account.say(place, text("Hello"), "report:s:2026-W47:team:0", begin=begin)
    other = await account.say(place, text("Hello"), "report:s:2026-W47:team:1", begin=begin)
    assert first == second != other
    assert len(stage.posts) == 2


async def test_who_cannot_be_written_to(stage: Stage, account: DiscordAccount) -> None:
    ann, bob = stage.person("ann"), stage.person("bob")
    await stage.discord.block("dc", ann)
    stage.discord.leave("dc", bob)
    with pytest.raises(PersonUnreachable):
        await account.say(Direct(ann), text("Hello"), "a", begin=begin)
    with pytest.raises(PersonUnreachable):
        await account.say(Direct(bob), text("Hello"), "b", begin=begin)
    assert stage.posts == []


async def test_opening_too_many_stops_all_opening_but_not_the_known(stage: Stage, account: DiscordAccount) -> None:
    people = [stage.person(f"p{number}") for number in range(12)]
    for person in people[:10]:
        await account.say(Direct(person), text("Hello"), person, begin=begin)
    for person in people[10:]:
        with pytest.raises(AccountUnavailable, match="too fast") as stopped:
            await account.say(Direct(person), text("Hello"), person, begin=begin)
        assert stopped.value.retry_after_s > 500
    await account.say(Direct(people[0]), text("Hello again"), "again", begin=begin)
    assert len(stage.posts) == 11


async def test_what_is_too_long_is_refused_before_it_is_sent(stage: Stage, account: DiscordAccount) -> None:
    place = await account.place(CHANNEL)
    with pytest.raises(ContentRefused, match="2001"):
        await account.say(place, text("x" * 2001), "k", begin=begin)
    with pytest.raises(ContentRefused, match="56 characters"):
        await account.poll(place, Poll(question="?", options=("x" * 56,), closes_at=week().closes_at), "k", begin=begin)
    with pytest.raises(ContentRefused, match="empty"):
        await account.say(place, text(""), "k", begin=begin)
    assert stage.posts == []


async def test_a_place_without_access_needs_a_person(stage: Stage, account: DiscordAccount) -> None:
    gone = Place(id="900000000000000009", kind=PlaceKind.GROUP, limits=(await account.place("direct")).limits)
    with pytest.raises(AccountRefused, match=r"settings\.toml"):
        await account.say(gone, text("Hello"), "k", begin=begin)


async def test_words_of_others_ping_and_link_nowhere(stage: Stage, account: DiscordAccount) -> None:
    words = "@everyone <@900000000000000001> see **https://evil.example** or discord.gg/abc [x](https://y.example)"
    message = Message((*text(words).parts, Link("our page", "https://vouch.example/a_b")))
    await account.say(await account.place(CHANNEL), message, "k", begin=begin)
    (post,) = stage.posts
    assert "https://evil" not in post.text
    assert "discord.gg/" not in post.text
    assert "<@9" not in post.text
    assert "@everyone" not in post.text
    assert post.raw["allowed_mentions"] == {"parse": []}  # type: ignore[index]
    assert post.raw["content"].endswith("\n[our page](<https://vouch.example/a_b>)")  # type: ignore[index]


async def test_up_fast(stage: Stage, inbox: Inbox) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with stage.account() as account, listening(account, inbox):
        assert loop.time() - started < 1.5


async def test_calendar_of_the_sandbox_sets_the_length_of_a_poll() -> None:
    clocks = Clocks(speed=40_000)
    async with staged(clocks) as stage:
        clock = Clock(calendar=clocks.start, started=clocks.started, speed=clocks.speed)
        async with stage.account(clock) as account:
            closes_at = clock.now() + timedelta(days=7)
            receipt = await account.poll(
                await account.place(CHANNEL),
                Poll(question="?", options=("a", "b"), closes_at=closes_at),
                "k",
                begin=begin,
            )
            (post,) = stage.posts
            assert post.closes_at is not None
            assert abs(post.closes_at - closes_at) < timedelta(hours=2 + 12)  # 1 s of the wall is 11 h
            assert receipt.sent_at == post.at
