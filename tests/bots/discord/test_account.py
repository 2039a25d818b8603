"""The account against the sandbox: the real discord.py over real sockets, and people on the other side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

import pytest

from bots.discord import DiscordAccount
from core.account import Answer, Direct, Place, PlaceKind, Poll
from core.clock import Clock
from core.errors import AccountRefused, AccountUnavailable, ContentRefused, PersonUnreachable
from core.events import Event, Reply, Via, Votes
from core.message import Button, Link, Message, text
from sandbox.clocks import Clocks
from sandbox.discord import DiscordStandIn
from sandbox.rules import Rules
from sandbox.seam import AccountPlan, PlacePlan, Post
from sandbox.server import Exchange, Sandbox
from tests.bots.discord.conftest import FORM, Inbox, account_on, listening
from tests.specs.discord import check

CHANNEL, NEWS = "900000000000000001", "900000000000000003"
SCORES = tuple(Button(str(score), f"score-{score}") for score in range(11))
OPTIONS = ("0–1", *(str(score) for score in range(2, 11)))


@dataclass
class Stage:
    """A sandbox with one account and one channel, and what its people see."""

    sandbox: Sandbox
    discord: DiscordStandIn
    posts: list[Post] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.sandbox.watchers.append(self._posted)

    def _posted(self, post: Post) -> None:
        self.posts.append(post)
        self.news.set()

    async def have(self, number: int) -> None:
        """Wait until the bot has posted so many times."""
        async with asyncio.timeout(5):
            while len(self.posts) < number:
                self.news.clear()
                await self.news.wait()

    def account(self, clock: Clock | None = None, token: str | None = None) -> DiscordAccount:
        credentials = self.sandbox.credentials["dc"]
        base = f"{self.sandbox.url}/discord"
        return account_on(
            base + credentials["base_url"],
            base + credentials["gateway_url"],
            token=token or credentials["token"],
            clock=clock,
        )

    def person(self, name: str) -> str:
        return self.discord.add_person(name=name)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """The sandbox; where Discord's OpenAPI is at hand, all that goes over its wire is checked against it."""
    exchanges: list[Exchange] = []
    async with Sandbox(
        accounts=[AccountPlan("dc", "discord")],
        places=[PlacePlan("dc", CHANNEL, "group", "Survey"), PlacePlan("dc", NEWS, "broadcast", "News")],
        rules=Rules(off={"discord.gateway.concurrency"}),  # 5 s between sessions, which these tests need not wait for
        on_exchange=exchanges.append,
    ) as sandbox:
        yield Stage(sandbox, cast(DiscordStandIn, sandbox.stand_ins["discord"]))
    assert [problem for exchange in exchanges for problem in check(exchange)] == []


@pytest.fixture
async def account(stage: Stage) -> AsyncIterator[DiscordAccount]:
    async with stage.account() as signed_in:
        yield signed_in


def week() -> Poll:
    return Poll(question="How likely?", options=OPTIONS, closes_at=Clock().now() + timedelta(days=7, minutes=1))


def votes(events: list[Event]) -> list[tuple[str, int | None, bool]]:
    return [(e.person, e.option, e.withdrawn) for e in events if isinstance(e, Reply) and e.via is Via.VOTE]


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
    with pytest.raises(AccountRefused, match="Create Polls"):
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
        receipt = await account.poll(await account.place(CHANNEL), week(), "ask:s:2026-W47:dc")
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


async def test_all_voters_of_a_large_poll_are_paged(stage: Stage, account: DiscordAccount) -> None:
    receipt = await account.poll(await account.place(CHANNEL), week(), "k")
    people = [stage.person(f"p{number}") for number in range(230)]
    for number, person in enumerate(people):
        await stage.discord.vote(person, stage.posts[0], 9 if number < 201 else number % 9)
    closed = await account.close(receipt)
    assert closed is not None
    assert dict(closed.votes) == {p: 9 if number < 201 else number % 9 for number, p in enumerate(people)}


async def test_same_key_posts_once(stage: Stage, account: DiscordAccount) -> None:
    place = await account.place(CHANNEL)
    first = await account.say(place, text("Hello"), "report:s:2026-W47:team:0")
    second = await account.say(place, text("Hello"), "report:s:2026-W47:team:0")
    other = await account.say(place, text("Hello"), "report:s:2026-W47:team:1")
    assert first == second != other
    assert len(stage.posts) == 2


async def test_tap_is_delivered_then_answered_in_private(stage: Stage, account: DiscordAccount, inbox: Inbox) -> None:
    ann = stage.person("ann")
    async with listening(account, inbox):
        await account.say(await account.place(CHANNEL), Message(text("How likely?").parts, SCORES), "k")
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
        await account.say(await account.place(CHANNEL), Message(text("How likely?").parts, SCORES), "k")
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
        await account.say(await account.place(CHANNEL), Message(text("How likely?").parts, SCORES), "k")
        assert await stage.discord.tap(ann, stage.posts[0], stage.posts[0].buttons[9])
    assert (stage.posts[1].to, stage.posts[1].text) == (ann, "Noted: *9*")


async def test_slow_keeping_defers_and_thanks_afterwards(stage: Stage, account: DiscordAccount) -> None:
    inbox = Thankful(Answer(message=text("Thank you!")))
    inbox.hold = asyncio.Event()
    ann = stage.person("ann")
    async with listening(account, inbox):
        await account.say(await account.place(CHANNEL), Message(text("How likely?").parts, SCORES), "k")
        assert await stage.discord.tap(ann, stage.posts[0], stage.posts[0].buttons[9])  # within 3 s, kept or not
        assert len(stage.posts) == 1
        inbox.hold.set()
        await stage.have(2)
    assert (stage.posts[1].to, stage.posts[1].text) == (ann, "Thank you!")


async def test_direct_messages_both_ways(stage: Stage, account: DiscordAccount, inbox: Inbox) -> None:
    ann = stage.person("ann")
    async with listening(account, inbox):
        receipt = await account.say(Direct(ann), Message(text("How likely?").parts, SCORES), "invite:ann")
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
        await account.say(await account.place(CHANNEL), text("How likely?"), "k")
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
        await account.say(Direct(ann), text("How likely?"), "invite:ann")
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
        receipt = await account.poll(await account.place(CHANNEL), week(), "k")
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
        receipt = await account.poll(await account.place(CHANNEL), week(), "k")
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
        receipt = await account.poll(await account.place(CHANNEL), week(), "k")
        await account.say(Direct(bob), text("How likely?"), "invite:bob")
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


async def caught_up(account: DiscordAccount, polls: list[object], inbox: Inbox) -> bool:
    try:
        await account.catch_up(polls, inbox)  # type: ignore[arg-type]
    except AccountUnavailable:
        return False
    return True


async def test_who_cannot_be_written_to(stage: Stage, account: DiscordAccount) -> None:
    ann, bob = stage.person("ann"), stage.person("bob")
    await stage.discord.block("dc", ann)
    stage.discord.leave("dc", bob)
    with pytest.raises(PersonUnreachable):
        await account.say(Direct(ann), text("Hello"), "a")
    with pytest.raises(PersonUnreachable):
        await account.say(Direct(bob), text("Hello"), "b")
    assert stage.posts == []


async def test_opening_too_many_stops_all_opening_but_not_the_known(stage: Stage, account: DiscordAccount) -> None:
    people = [stage.person(f"p{number}") for number in range(12)]
    for person in people[:10]:
        await account.say(Direct(person), text("Hello"), person)
    for person in people[10:]:
        with pytest.raises(AccountUnavailable, match="too fast") as stopped:
            await account.say(Direct(person), text("Hello"), person)
        assert stopped.value.retry_after_s > 500
    await account.say(Direct(people[0]), text("Hello again"), "again")
    assert len(stage.posts) == 11


async def test_what_is_too_long_is_refused_before_it_is_sent(stage: Stage, account: DiscordAccount) -> None:
    place = await account.place(CHANNEL)
    with pytest.raises(ContentRefused, match="2001"):
        await account.say(place, text("x" * 2001), "k")
    with pytest.raises(ContentRefused, match="56 characters"):
        await account.poll(place, Poll(question="?", options=("x" * 56,), closes_at=week().closes_at), "k")
    with pytest.raises(ContentRefused, match="empty"):
        await account.say(place, text(""), "k")
    assert stage.posts == []


async def test_a_place_without_access_needs_a_person(stage: Stage, account: DiscordAccount) -> None:
    gone = Place(id="900000000000000009", kind=PlaceKind.GROUP, limits=(await account.place("direct")).limits)
    with pytest.raises(AccountRefused, match=r"settings\.toml"):
        await account.say(gone, text("Hello"), "k")


async def test_words_of_others_ping_and_link_nowhere(stage: Stage, account: DiscordAccount) -> None:
    words = "@everyone <@900000000000000001> see **https://evil.example** or discord.gg/abc [x](https://y.example)"
    message = Message((*text(words).parts, Link("our page", "https://vouch.example/a_b")))
    await account.say(await account.place(CHANNEL), message, "k")
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
    async with Sandbox(
        accounts=[AccountPlan("dc", "discord")], places=[PlacePlan("dc", CHANNEL, "group")], clocks=clocks
    ) as sandbox:
        stage = Stage(sandbox, cast(DiscordStandIn, sandbox.stand_ins["discord"]))
        clock = Clock(calendar=clocks.start, started=clocks.started, speed=clocks.speed)
        async with stage.account(clock) as account:
            closes_at = clock.now() + timedelta(days=7)
            receipt = await account.poll(
                await account.place(CHANNEL), Poll(question="?", options=("a", "b"), closes_at=closes_at), "k"
            )
            (post,) = stage.posts
            assert post.closes_at is not None
            assert abs(post.closes_at - closes_at) < timedelta(hours=2 + 12)  # 1 s of the wall is 11 h
            assert receipt.sent_at == post.at


async def until_async(condition: object) -> None:
    """Wait until an asynchronous condition holds."""
    async with asyncio.timeout(20):
        while not await condition():  # type: ignore[operator]
            pass
