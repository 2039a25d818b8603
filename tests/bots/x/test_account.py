"""The whole account over real tweepy and real sockets, against the stand-in of X."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bots.x import AGAIN, XAccount
from core.account import Direct, Place, PlaceKind, Poll, Receipt
from core.errors import (
    AccountRefused,
    AccountUnavailable,
    ContentRefused,
    OutcomeUnknown,
    PersonUnreachable,
    StoreError,
)
from core.events import Consent, Cursor, Reply, Totals
from core.message import text

from . import rude
from .place import WAIT_S, Kept, X, begin, listening, receipt, standing

OPTIONS = ("9-10", "7-8", "4-6", "0-3")


@pytest.fixture
async def x() -> AsyncIterator[X]:
    async with standing() as found:
        yield found


@pytest.fixture
async def account(x: X) -> AsyncIterator[XAccount]:
    async with x.account() as found:
        await found.place("timeline")
        await found.place("direct")
        yield found


@pytest.fixture
async def timeline(account: XAccount) -> Place:
    return await account.place("timeline")


async def _poll(x: X, account: XAccount, question: str = "How likely?", days: float = 7.0) -> Receipt:
    closes_at = x.clock.now() + timedelta(days=days)
    place = await account.place("timeline")
    return await account.poll(
        place, Poll(question=question, options=OPTIONS, closes_at=closes_at), question, begin=begin
    )


def _texts(kept: Kept) -> list[str]:
    return [event.text for event in kept.of(Reply) if isinstance(event, Reply)]


def _cursors(kept: Kept) -> dict[str, str]:
    return {event.name: event.value for event in kept.of(Cursor) if isinstance(event, Cursor)}


async def test_places(account: XAccount, timeline: Place) -> None:
    assert (timeline.kind, timeline.title) == (PlaceKind.TIMELINE, "@Brand")
    assert (timeline.limits.poll_options, timeline.limits.option_chars, timeline.limits.post_chars) == (4, 25, 280)
    assert not timeline.limits.poll_names_voters
    assert timeline.limits.buttons == 0
    direct = await account.place("direct")
    assert (direct.kind, direct.limits.post_chars, direct.limits.poll_options) == (PlaceKind.DIRECT, 10_000, 0)


@pytest.mark.parametrize("key", ["consumer_key", "consumer_secret", "access_token", "access_token_secret"])
async def test_wrong_keys_are_refused_at_the_door(x: X, key: str) -> None:
    with pytest.raises(AccountRefused, match="access token"):
        await x.account(**{key: "wrong"}).__aenter__()


async def test_x_is_down_at_the_door(x: X) -> None:
    x.stand_in.faults.outage = True
    with pytest.raises(AccountUnavailable):
        await x.account().__aenter__()


async def test_the_same_words_are_taken_again_in_a_while(x: X, account: XAccount, timeline: Place) -> None:
    await account.say(timeline, text("Our score is 40."), "a", begin=begin)
    with pytest.raises(AccountUnavailable, match="duplicate") as refused:
        await account.say(timeline, text("Our score is 40."), "b", begin=begin)
    assert refused.value.retry_after_s * x.clock.speed == AGAIN.total_seconds()


async def test_a_lost_answer_is_unknown_and_the_post_is_there(x: X, account: XAccount, timeline: Place) -> None:
    x.stand_in.faults.lose_answers = 1
    with pytest.raises(OutcomeUnknown):
        await account.say(timeline, text("Our score is 40."), "a", begin=begin)
    assert [post.text for post in x.posts] == ["Our score is 40."]


async def test_direct_messages_go_to_who_wrote_first_once_for_each_message(x: X, account: XAccount) -> None:
    ann, bob, stranger = x.person(), x.person(), x.person()
    await x.direct(ann, "hello")
    await x.direct(bob, "hello")
    await x.stand_in.block("brand", bob)
    receipt = await account.say(Direct(ann), text("How likely, @ann?"), "a", begin=begin)
    assert (receipt.place, receipt.message) == (ann, x.posts[-1].id)
    assert (x.posts[-1].to, x.posts[-1].text) == (ann, "How likely, @\u200bann?")
    for person in (bob, stranger):
        with pytest.raises(PersonUnreachable):
            await account.say(Direct(person), text("How likely?"), "b", begin=begin)
    with pytest.raises(ContentRefused):
        await account.say(Direct(ann), text("And why?"), "c", begin=begin)


async def test_mentions_and_direct_messages_come_with_their_cursors(x: X, account: XAccount) -> None:
    ann, kept = x.person(), Kept()
    await _poll(x, account)
    async with listening(account, kept):
        reply = await x.mention(ann, "9 <3", x.posts[0])
        alone = await x.mention(ann, "@Brand 10")
        direct = await x.direct(ann, "8 & more")
        await kept.until(lambda: len(kept.of(Reply)) == 3)
    by_id = {event.id: event for event in kept.of(Reply) if isinstance(event, Reply)}
    first, second, third = by_id[f"p{reply}"], by_id[f"p{alone}"], by_id[f"d{direct}"]
    assert (first.text, first.ref, first.place) == ("9 <3", f"post:{x.posts[0].id}", "timeline")
    assert (second.text, second.ref, second.person) == ("10", None, ann)
    assert (third.text, third.ref, third.place) == ("8 & more", None, "")
    assert first.order < second.order < third.order
    (consent,) = kept.of(Consent)
    assert isinstance(consent, Consent)
    assert (consent.person, consent.id, consent.explicit) == (ann, f"c{direct}", False)
    assert _cursors(kept) == {"mentions": alone, "dm_events": direct}


async def test_an_answer_deep_in_the_thread_still_refers_to_the_ask(x: X, account: XAccount) -> None:
    ann, bob, kept = x.person(), x.person(), Kept()
    await _poll(x, account)
    first = await x.mention(ann, "9", x.posts[0])
    await x.mention(bob, "@Brand 3, unlike her", replace(x.posts[0], id=first))
    await account.catch_up([], kept.deliver)
    refs = {event.ref for event in kept.of(Reply) if isinstance(event, Reply)}
    assert refs == {f"post:{x.posts[0].id}"}
    assert len(_texts(kept)) == 2


async def test_pages_are_delivered_at_once_oldest_first_with_the_cursor_last(x: X, account: XAccount) -> None:
    ann, kept = x.person(), Kept()
    for number in range(250):
        await x.mention(ann, f"@Brand {number}")
        await x.direct(ann, f"direct {number}")
    async with listening(account, kept):
        pass
    mentions, directs = sorted(kept.calls, key=lambda call: isinstance(call[0], Consent))
    assert [event.text for event in mentions if isinstance(event, Reply)] == [str(n) for n in range(250)]
    assert [event.text for event in directs if isinstance(event, Reply)] == [f"direct {n}" for n in range(250)]
    for call in (mentions, directs):
        assert [isinstance(event, Cursor) for event in call] == [False] * (len(call) - 1) + [True]


async def test_a_burst_of_mentions_does_not_outrun_the_stream(x: X, account: XAccount) -> None:
    ann, kept = x.person(), Kept()
    async with listening(account, kept):
        for number in range(3000):
            await x.mention(ann, f"@Brand {number}")
            if number % 100 == 99:
                await kept.until(lambda sent=number: len(kept.of(Reply)) > sent - 700)
        await kept.until(lambda: len(kept.of(Reply)) == 3000)
    assert _texts(kept) == [str(number) for number in range(3000)]


async def test_after_a_restart_only_what_is_new_comes(x: X, account: XAccount) -> None:
    ann, before, after = x.person(), Kept(), Kept()
    await x.mention(ann, "@Brand 1")
    await x.direct(ann, "one")
    async with listening(account, before):
        pass
    await x.mention(ann, "@Brand 2")
    await x.direct(ann, "two")
    async with x.account() as again, listening(again, after, _cursors(before)):
        await after.until(lambda: len(after.of(Reply)) == 2)
    assert sorted(_texts(before)) == ["1", "one"]
    assert sorted(_texts(after)) == ["2", "two"]


async def test_what_could_not_be_kept_comes_again(x: X, account: XAccount) -> None:
    ann, kept = x.person(), Kept(refuse=2)
    await x.mention(ann, "@Brand 1")
    await x.direct(ann, "one")
    async with listening(account, kept):
        assert sorted(_texts(kept)) == ["1", "one"]
    assert len(kept.refused) == 2
    await x.mention(ann, "@Brand 2")
    with pytest.raises(StoreError):
        await account.catch_up([], Kept(refuse=9).deliver)
    await account.catch_up([], kept.deliver)
    assert sorted(_texts(kept)) == ["1", "2", "one"]


async def test_our_own_messages_are_no_replies(x: X, account: XAccount, timeline: Place) -> None:
    ann, kept = x.person(), Kept()
    await x.direct(ann, "hello")
    await account.say(Direct(ann), text("How likely?"), "a", begin=begin)
    await account.say(timeline, text("We asked."), "b", begin=begin)
    await account.catch_up([], kept.deliver)
    assert _texts(kept) == ["hello"]


async def test_catch_up_brings_all_that_happened_before_it_was_called(x: X, account: XAccount) -> None:
    ann, kept = x.person(), Kept()
    receipt = await _poll(x, account)
    async with listening(account, kept):
        for number in range(20):
            await x.mention(ann, f"@Brand {number}")
            await x.direct(ann, f"direct {number}")
            assert await x.stand_in.vote(x.person(), x.posts[0], number % 2)
            await account.catch_up([receipt], kept.deliver)
            assert str(number) in _texts(kept)
            assert f"direct {number}" in _texts(kept)
            totals = kept.of(Totals)[-1]
            assert isinstance(totals, Totals)
            assert sum(totals.totals) == number + 1
    assert len(_texts(kept)) == len(set(_texts(kept))) == 40


async def test_never_two_rounds_at_once(x: X, account: XAccount) -> None:
    kept = Kept(gate=asyncio.Event())
    assert kept.gate is not None
    mentions = f"/2/users/{x.keys['access_token'].partition('-')[0]}/mentions"
    await x.mention(x.person(), "@Brand 9")
    first = asyncio.create_task(account.catch_up([], kept.deliver))
    async with asyncio.timeout(WAIT_S):
        await kept.waiting.wait()
        second = asyncio.create_task(account.catch_up([receipt("123")], kept.deliver))
        await x.until_asked("GET", "/2/tweets")
        assert x.asked("GET", mentions) == 1
        kept.gate.set()
        await asyncio.gather(first, second)
    assert x.asked("GET", mentions) == 2
    assert _texts(kept) == ["9"]


async def test_x_never_has_to_say_too_many(x: X, account: XAccount, timeline: Place) -> None:
    people = [x.person() for _ in range(60)]
    for person in people:
        await x.direct(person, "hello")
    kept = Kept()
    async with listening(account, kept), asyncio.timeout(WAIT_S):
        await asyncio.gather(
            *(account.say(Direct(person), text("How likely?"), person, begin=begin) for person in people),
            *(account.say(timeline, text(f"Score {number}"), str(number), begin=begin) for number in range(150)),
            *(account.catch_up([], kept.deliver) for _ in range(40)),
        )
    assert len(x.posts) == 210
    assert [exchange.path for exchange in x.exchanges if exchange.status == 429] == []


async def test_an_outage_ends_and_nothing_is_lost(x: X, account: XAccount) -> None:
    ann, kept = x.person(), Kept()
    async with listening(account, kept):
        x.stand_in.faults.outage = True
        await x.mention(ann, "@Brand 9")
        with pytest.raises(AccountUnavailable):
            await account.catch_up([], kept.deliver)
        x.stand_in.faults.outage = False
        await kept.until(lambda: _texts(kept) == ["9"])


async def test_used_up_credits_end_the_stream_with_the_mend(x: X, account: XAccount) -> None:
    kept = Kept()
    x.stand_in.faults.out_of_credits = True
    with pytest.raises(AccountRefused, match="credits"):
        async with asyncio.timeout(WAIT_S):
            await account.listen(kept.deliver, {}, lambda: None)


async def test_a_malformed_item_is_set_aside_alone() -> None:
    good = {"id": "902", "author_id": "5", "created_at": "2026-11-21T10:00:00.000Z", "text": "@brand 9"}
    me = rude.says(200, {"data": {"id": "15", "username": "brand", "name": "Brand"}})
    items = [{"id": "903", "author_id": 5}, 7, good, {"text": "no id"}, {**good, "id": "901", "created_at": "now"}]
    mentions, empty = rude.says(200, {"data": items, "meta": {}}), rude.says(200, {"meta": {"result_count": 0}})

    async def answer(request: rude.web.Request) -> rude.web.StreamResponse:
        by_path = {"/2/users/me": me, "/2/users/15/mentions": mentions}
        return await by_path.get(request.path, empty)(request)

    kept = Kept()
    async with rude.host(answer) as host:
        account = XAccount("brand", **rude.SECRETS, base_url=host.url, clock=rude.Clock(), forms=lambda token: None)
        async with account, listening(account, kept):
            pass
    (call,) = kept.calls
    assert [event.id for event in call if isinstance(event, Reply)] == ["p902"]
    assert call[-1] == Cursor(name="mentions", value="903")


async def test_what_no_channel_uses_is_not_read(x: X) -> None:
    async with x.account() as account:
        await account.place("timeline")
        async with listening(account, Kept()):
            pass
    assert x.asked("GET", "/2/dm_events") == 0


async def test_catching_up_does_not_wait_for_a_far_window() -> None:
    spent = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(time.time()) + 600)}
    me = rude.says(200, {"data": {"id": "15", "username": "brand", "name": "Brand"}})
    empty = rude.says(200, {"meta": {"result_count": 0}}, spent)

    async def answer(request: rude.web.Request) -> rude.web.StreamResponse:
        return await (me if request.path == "/2/users/me" else empty)(request)

    async with rude.host(answer) as host:
        account = XAccount("brand", **rude.SECRETS, base_url=host.url, clock=rude.Clock(), forms=lambda token: None)
        async with account:
            await account.catch_up([], Kept().deliver)
            with pytest.raises(AccountUnavailable) as caught:
                async with asyncio.timeout(WAIT_S):
                    await account.catch_up([], Kept().deliver)
            assert 590 < caught.value.retry_after_s < 610
