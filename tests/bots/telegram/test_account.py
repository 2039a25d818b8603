"""``TelegramAccount`` against the sandbox, over sockets: the real library, a strict platform, people who act.

Whatever goes over the wire in these tests is checked against the Bot API's specification, where that is at hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bots.telegram import TelegramAccount
from core.account import Account, Direct, PlaceKind, Poll
from core.clock import Clock
from core.errors import AccountRefused, AccountUnavailable, ContentRefused, PersonUnreachable
from core.events import Consent, ConsentKind, Reply, Totals, Via
from core.message import Button, Line, Link, Message, Quote, Strong, text
from tests.bots.telegram.scripted import begun, forms
from tests.bots.telegram.world import BASIC, CHANNEL, GROUP, SCORES, World, group, listening, living, poll


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with living() as alive:
        yield alive


async def test_it_is_an_account(world: World) -> None:
    account: Account = world.account
    assert account.name == "tg"


async def test_places_are_as_the_platform_describes_them(world: World) -> None:
    fans, news, direct = [await world.account.place(id) for id in (GROUP, CHANNEL, "direct")]
    assert [place.kind for place in (fans, news, direct)] == [PlaceKind.GROUP, PlaceKind.BROADCAST, PlaceKind.DIRECT]
    assert [place.limits.poll_names_voters for place in (fans, news)] == [True, False]
    assert (fans.title, fans.limits.poll_options, fans.limits.post_chars) == ("Fans", 12, 4096)


@pytest.mark.parametrize(("id", "mend"), [("-1009999", "add @"), ("@fans", "number"), ("77", "add @"), ("x", "number")])
async def test_a_place_that_is_none_is_refused_with_the_mend(world: World, id: str, mend: str) -> None:
    with pytest.raises(AccountRefused, match=mend):
        await world.account.place(id)


async def test_a_place_that_the_bot_was_thrown_out_of_is_refused(world: World) -> None:
    place = await group(world)
    world.app.kick("tg", GROUP)
    with pytest.raises(AccountRefused):
        await world.account.place(GROUP)
    with pytest.raises(AccountRefused):
        await world.account.say(place, text("hello"), "k", begin=begun)


async def test_a_person_is_no_place(world: World) -> None:
    await world.app.open_direct("tg", world.person)
    with pytest.raises(AccountRefused, match="direct"):
        await world.account.place(world.person)


async def test_a_wrong_token_is_refused_without_showing_it(world: World) -> None:
    token = "1:" + "A" * 35
    url = f"{world.sandbox.url}/telegram"
    with pytest.raises(AccountRefused) as told:
        async with TelegramAccount("tg", token, base_url=url, clock=world.clock, forms=forms):
            raise AssertionError("signed in")
    assert token not in str(told.value)
    assert told.value.__cause__ is None


async def test_nobody_at_the_address_is_unavailable() -> None:
    token = "1:" + "A" * 35
    with pytest.raises(AccountUnavailable) as told:
        async with TelegramAccount("tg", token, base_url="http://127.0.0.1:9", clock=Clock(), forms=forms):
            raise AssertionError("signed in")
    assert token not in str(told.value) + repr(told.value.__cause__)


async def test_a_named_poll_brings_votes_changes_and_retractions(world: World) -> None:
    receipt = await world.account.poll(await group(world), poll(world), "k", begin=begun)
    post = world.posts[-1]
    assert post.options == SCORES
    assert post.names_voters
    async with listening(world):
        for option in (9, 3, None):
            assert await world.app.vote(world.person, post, option)
        await world.until(lambda: len([e for e in world.events if isinstance(e, Reply)]) == 3)
        votes = await world.replies()
    assert [(vote.option, vote.withdrawn) for vote in votes] == [(9, False), (3, False), (None, True)]
    assert {vote.ref for vote in votes} <= set(receipt.refs)
    assert {(vote.person, vote.via, vote.place) for vote in votes} == {(world.person, Via.VOTE, "")}
    assert [vote.order for vote in votes] == sorted({vote.order for vote in votes})


async def test_closing_a_poll_returns_its_totals_once(world: World) -> None:
    receipt = await world.account.poll(await world.account.place(CHANNEL), poll(world), "k", begin=begun)
    post = world.posts[-1]
    assert not post.names_voters
    for option in (9, 9, 0):
        assert await world.app.vote(world.app.add_person(name="Voter"), post, option)
    closed = await world.account.close(receipt)
    assert closed is not None
    assert (closed.ref, closed.totals, closed.final) == (receipt.refs[0], (1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0), True)
    assert await world.account.close(receipt) is None
    finals = [event for event in await world.caught_up() if isinstance(event, Totals) and event.final]
    assert {final.totals for final in finals} <= {closed.totals}
    assert not await world.app.vote(world.app.add_person(name="Late"), post, 5)


async def test_closing_a_named_poll_returns_its_totals_too(world: World) -> None:
    receipt = await world.account.poll(await group(world), poll(world), "k", begin=begun)
    await world.app.vote(world.person, world.posts[-1], 10)
    closed = await world.account.close(receipt)
    assert closed is not None
    assert (closed.totals[10], closed.final, closed.ref) == (1, True, receipt.refs[0])


async def test_nobody_sees_the_result_before_the_close(world: World) -> None:
    await world.account.poll(await group(world), poll(world), "k", begin=begun)
    post = world.posts[-1]
    await world.app.vote(world.person, post, 10)
    assert world.app.visible_totals(post) is None
    assert not [event for event in await world.caught_up() if isinstance(event, Totals) and not event.final]


@pytest.mark.parametrize(("days", "expected"), [(7, 7.25), (30.3, None), (60, None), (-0.1, 0.15)])
async def test_a_poll_ends_by_itself_on_the_morning_after_its_close(
    world: World, days: float, expected: float | None
) -> None:
    await world.account.poll(await group(world), poll(world, days), "k", begin=begun)
    ends = world.posts[-1].closes_at
    assert ends is not None
    lasts_s = (ends - world.clock.now()).total_seconds()
    assert lasts_s == pytest.approx(expected * 86_400 if expected else 2_628_000, abs=70)
    assert lasts_s <= 2_628_000


@pytest.mark.parametrize(
    "change",
    [
        {"options": ()},
        {"options": ("x",) * 13},
        {"options": ("x" * 101,)},
        {"options": ("",)},
        {"question": ""},
        {"question": "x" * 301},
        {"closes_at": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_poll_that_cannot_be_shown_is_refused_before_it_is_sent(
    world: World, change: dict[str, object]
) -> None:
    fields = {"question": "How likely?", "options": SCORES, "closes_at": world.clock.now() + timedelta(days=7)} | change
    with pytest.raises(ContentRefused):
        await world.account.poll(await group(world), Poll(**fields), "k", begin=begun)  # type: ignore[arg-type]
    assert world.calls("sendPoll") == []


async def test_what_the_customer_said_is_shown_as_said_and_links_nothing(world: World) -> None:
    words = "<b>bad</b> & https://evil.example @tg_bot #tag /stop $TSLA a@b.example tg://x"
    message = Message((Strong("One answer"), Quote(words), Line("next"), Link("Report", "https://brand.example/r")))
    receipt = await world.account.say(await group(world), message, "k", begin=begun)
    post = world.posts[-1]
    assert post.text.replace("\u2060", "") == f"One answer\n{words}\nnext\nReport"
    assert receipt.refs == (f"msg:{GROUP}:{receipt.message}",)
    sent = world.calls("sendMessage")[-1].response_body.decode()
    for kind in ("url", "mention", "hashtag", "bot_command", "cashtag", "email"):
        assert f'"type":"{kind}"' not in sent
    assert '"type":"text_link"' in sent


async def test_buttons_are_tapped_and_answered_with_a_note(world: World) -> None:
    world.toast = "Thank you!"
    buttons = [Button(score, f"v1.{score}") for score in SCORES]
    receipt = await world.account.say(await group(world), text("How likely?", *buttons), "k", begin=begun)
    post = world.posts[-1]
    assert [button.data for button in post.buttons] == [button.token for button in buttons]
    async with listening(world):
        assert await world.app.tap(world.person, post, post.buttons[9])
        await world.until(lambda: any(isinstance(event, Reply) for event in world.events))
        await world.until_called("answerCallbackQuery")
    (tap,) = [event for event in world.events if isinstance(event, Reply)]
    assert (tap.token, tap.ref, tap.place, tap.language) == ("v1.9", receipt.refs[0], GROUP, "de")
    assert b"Thank" in world.calls("answerCallbackQuery")[0].request_body


async def test_start_grants_a_text_answers_and_a_block_is_heard_of(world: World) -> None:
    with pytest.raises(PersonUnreachable):
        await world.account.say(Direct(world.person), text("hello"), "k", begin=begun)
    assert await world.app.open_direct("tg", world.person, "spring")
    receipt = await world.account.say(Direct(world.person), text("How likely?"), "k", begin=begun)
    assert receipt.place == world.person
    assert await world.app.write("tg", world.person, "9", reply_to=world.posts[-1])
    written = await world.app.write("tg", world.person, "7")
    assert written is not None
    assert await world.app.rewrite("tg", world.person, written, "8")
    await world.app.block("tg", world.person)
    start, answered, alone, edited, blocked = await world.caught_up()
    assert isinstance(start, Consent)
    assert (start.kind, start.evidence) == (ConsentKind.GRANTED, "pressed Start: spring")
    assert isinstance(answered, Reply)
    assert (answered.text, answered.place, answered.ref) == ("9", "", receipt.refs[0])
    assert isinstance(alone, Reply)
    assert (alone.text, alone.ref) == ("7", None)
    assert isinstance(edited, Reply)
    assert (edited.text, edited.person) == ("8", world.person)
    assert edited.id != alone.id
    assert isinstance(blocked, Consent)
    assert blocked.kind is ConsentKind.BLOCKED
    with pytest.raises(PersonUnreachable):
        await world.account.say(Direct(world.person), text("hello"), "k", begin=begun)


async def test_catching_up_brings_all_that_was_queued_when_it_was_called(world: World) -> None:
    await world.account.poll(await group(world), poll(world), "k", begin=begun)
    post = world.posts[-1]
    people = [world.app.add_person(name=f"P{n}") for n in range(250)]
    async with listening(world):
        for person in people:
            await world.app.vote(person, post, 10)
        started = asyncio.get_running_loop().time()
        await asyncio.wait_for(world.account.catch_up([], world.deliver), 10)
        took_s = asyncio.get_running_loop().time() - started
        assert {event.person for event in world.events if isinstance(event, Reply)} == set(people)
    assert len([event for event in world.events if isinstance(event, Reply)]) == 250
    assert took_s < 2.5


async def test_a_group_that_moves_keeps_its_place(world: World) -> None:
    place = await world.account.place(BASIC)
    await world.account.say(place, text("before"), "k1", begin=begun)
    moved_to = world.app.upgrade(BASIC)
    with pytest.raises(AccountUnavailable) as told:
        await world.account.say(place, text("after"), "k2", begin=begun)
    assert told.value.retry_after_s == 0
    receipt = await world.account.say(place, text("after"), "k2", begin=begun)
    assert receipt.place == BASIC
    assert receipt.refs == (f"msg:{moved_to}:{receipt.message}",)
    assert (await world.account.place(BASIC)).id == BASIC
    assert await world.app.write("tg", world.person, "10", place=moved_to, reply_to=world.posts[-1])
    (reply,) = await world.replies()
    assert (reply.place, reply.ref) == (BASIC, receipt.refs[0])


async def test_the_platform_never_has_to_slow_us_down(world: World) -> None:
    people = [world.app.add_person(name=f"P{n}") for n in range(60)]
    for person in people:
        await world.app.open_direct("tg", person)
    before = asyncio.get_running_loop().time()
    asked = (world.account.say(Direct(person), text("How likely?"), person, begin=begun) for person in people)
    await asyncio.gather(*asked)
    took_s = asyncio.get_running_loop().time() - before
    assert {exchange.status for exchange in world.calls("sendMessage")} == {200}
    assert took_s < 3.5
