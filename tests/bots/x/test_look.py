"""Whether it was said after all: what X shows of our posts and messages, over real sockets."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots.x import XAccount
from bots.x.render import render
from core.account import Address, Direct, Look, Place, Poll, Receipt
from core.errors import AccountRefused, AccountUnavailable, ContentRefused, OutcomeUnknown
from core.events import Totals
from core.message import Message, text

from . import rude
from .place import Kept, X, begin, standing
from .test_look_words import BUSY

ME = "15"
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.fixture
async def x() -> AsyncIterator[X]:
    async with standing() as found:
        yield found


@pytest.fixture
async def account(x: X) -> AsyncIterator[XAccount]:
    async with x.account() as found:
        yield found


@pytest.fixture
async def timeline(account: XAccount) -> Place:
    return await account.place("timeline")


def _poll(x: X, question: str = "How likely, in < 1 minute?", days: float = 7.0) -> Poll:
    return Poll(question=question, options=("9-10", "7-8"), closes_at=x.clock.now() + timedelta(days=days))


async def _lost(x: X, account: XAccount, to: Address, body: Message | Poll, key: str = "key") -> datetime:
    """Say it, and lose the answer. Returns since when it may be there."""
    since = x.clock.now()
    x.stand_in.faults.lose_answers = 1
    if isinstance(body, Poll):
        assert isinstance(to, Place)
        said: Awaitable[Receipt] = account.poll(to, body, key, begin=begin)
    else:
        said = account.say(to, body, key, begin=begin)
    with pytest.raises(OutcomeUnknown):
        await said
    return since


async def test_both_places_look_and_none_edits(x: X, account: XAccount, timeline: Place) -> None:
    for place in (timeline, await account.place("direct")):
        assert (place.limits.looks, place.limits.edits) == (True, False)
    receipt = await account.say(timeline, text("hello"), "a", begin=begin)
    with pytest.raises(ContentRefused):
        await account.edit(receipt, text("hullo"))


@pytest.mark.parametrize("again", [False, True])
async def test_a_lost_post_is_found_as_it_would_have_been_told(x: X, timeline: Place, again: bool) -> None:
    """By the process that posted it, and by the next one."""
    async with x.account() as first, x.account() as second:
        for number in range(3):
            await first.say(timeline, text(f"another {number}"), str(number), begin=begin)
        since = await _lost(x, first, timeline, BUSY)
        found = await (second if again else first).look(timeline, BUSY, "key", since)
    assert isinstance(found, Receipt)
    post = x.posts[-1]
    assert (found.place, found.message, found.refs) == ("timeline", post.id, (f"post:{post.id}",))
    assert since - timedelta(seconds=1) < found.sent_at <= x.clock.now()


async def test_a_lost_direct_message_is_found(x: X, account: XAccount) -> None:
    ann, bob = x.person(), x.person()
    for person in (ann, bob):
        await x.direct(person, "hello")
    since = await _lost(x, account, Direct(ann), BUSY)
    found = await account.look(Direct(ann), BUSY, "key", since)
    assert isinstance(found, Receipt)
    id = x.posts[-1].id
    assert (found.place, found.message, found.refs) == (ann, id, (f"direct:{id}",))
    assert await account.look(Direct(bob), BUSY, "another key", since) is Look.NOT_SAID


async def test_what_was_said_in_the_second_of_the_claim_is_found_though_x_tells_whole_seconds() -> None:
    async with standing(speed=1.0) as x, x.account() as account:
        ann = x.person()
        await x.direct(ann, "hello")
        for to in (Direct(ann), await account.place("timeline")):
            since = await _lost(x, account, to, BUSY)
            assert isinstance(await account.look(to, BUSY, "key", since), Receipt)


async def test_a_lost_poll_is_found_and_counted_from_then_on(x: X, account: XAccount, timeline: Place) -> None:
    poll, kept = _poll(x), Kept()
    since = await _lost(x, account, timeline, poll)
    await x.stand_in.vote(x.person(), x.posts[0], 1)
    found = await account.look(timeline, poll, "key", since)
    assert isinstance(found, Receipt)
    assert (found.message, found.refs) == (x.posts[0].id, (f"post:{x.posts[0].id}",))
    await account.catch_up([], kept.deliver)
    assert [event.totals for event in kept.of(Totals) if isinstance(event, Totals)] == [(0, 1)]


async def test_what_was_never_said_is_not_there(x: X, account: XAccount, timeline: Place) -> None:
    ann, since = x.person(), x.clock.now()
    await x.direct(ann, "hello")
    await x.direct(ann, render(BUSY))
    await x.mention(ann, "hello")
    await account.say(timeline, text("hello, you"), "other", begin=begin)
    for to, body in ((timeline, text("hello")), (timeline, _poll(x)), (Direct(ann), BUSY)):
        assert await account.look(to, body, "key", since) is Look.NOT_SAID


async def test_a_post_and_a_poll_with_the_same_words_are_two_things(x: X, account: XAccount, timeline: Place) -> None:
    poll = _poll(x, "How likely?")
    since = await _lost(x, account, timeline, poll)
    assert await account.look(timeline, text("How likely?"), "key", since) is Look.NOT_SAID


async def test_an_earlier_message_with_the_same_words_is_not_taken(x: X, account: XAccount) -> None:
    ann = x.person()
    await x.direct(ann, "9")
    before = await account.say(Direct(ann), text("Thanks!"), "a", begin=begin)
    late, soon = before.sent_at + timedelta(minutes=10), before.sent_at + timedelta(minutes=1)
    assert await account.look(Direct(ann), text("Thanks!"), "b", soon) is Look.NOT_SAID
    async with x.account() as restarted:
        assert await restarted.look(Direct(ann), text("Thanks!"), "b", late) is Look.NOT_SAID
        assert await restarted.look(Direct(ann), text("Thanks!"), "c", soon) is Look.CANNOT_TELL


async def test_of_two_messages_with_the_same_words_each_serves_one_key(x: X, account: XAccount) -> None:
    ann = x.person()
    since = x.clock.now()
    for _ in range(2):
        await x.direct(ann, "9")
    await account.say(Direct(ann), text("Thanks!"), "a", begin=begin)
    await _lost(x, account, Direct(ann), text("Thanks!"))
    first, second = x.posts
    async with x.account() as restarted:
        assert await restarted.look(Direct(ann), text("Thanks!"), "key", since) is Look.CANNOT_TELL
        known = [first.id]  # to the books, whoever said it
        told = await restarted.look(Direct(ann), text("Thanks!"), "key", since, others=known)
        assert isinstance(told, Receipt)
        assert told.message == second.id
    for _ in range(2):
        found = await account.look(Direct(ann), text("Thanks!"), "key", since)
        assert isinstance(found, Receipt)
        assert found.message == second.id != first.id
    assert await account.look(Direct(ann), text("Thanks!"), "third", since) is Look.NOT_SAID


async def test_all_pages_are_read(x: X, account: XAccount) -> None:
    ann = x.person()
    await x.direct(ann, "hello")
    since = await _lost(x, account, Direct(ann), text("How likely?"))
    for number in range(250):
        await x.direct(ann, str(number))
    assert isinstance(await account.look(Direct(ann), text("How likely?"), "key", since), Receipt)
    assert x.asked("GET", f"/2/dm_conversations/with/{ann}/dm_events") == 3


async def test_beyond_thirty_days_direct_messages_cannot_be_seen(x: X, account: XAccount) -> None:
    now = x.clock.now()
    assert await account.look(Direct(x.person()), text("hi"), "a", now - timedelta(days=31)) is Look.CANNOT_TELL
    assert await account.look(Direct(x.person()), text("hi"), "a", now - timedelta(days=20)) is Look.NOT_SAID


async def test_trouble_is_no_answer(x: X, account: XAccount, timeline: Place) -> None:
    since = x.clock.now()
    x.stand_in.faults.outage = True
    with pytest.raises(AccountUnavailable):
        await account.look(timeline, text("hello"), "a", since)
    x.stand_in.faults.outage = False
    x.stand_in.faults.out_of_credits = True
    with pytest.raises(AccountRefused, match="credits"):
        await account.look(timeline, text("hello"), "a", since)


# What only a host that is made up can answer.

TIMELINE = f"/2/users/{ME}/tweets"
PROFILE = rude.says(200, {"data": {"id": ME, "username": "brand", "name": "Brand"}})
EMPTY = rude.says(200, {"meta": {"result_count": 0}})
DUPLICATE = rude.says(
    403, {"detail": "You are not allowed to create a Tweet with duplicate content.", "title": "Forbidden"}
)


def _post(id: int = 900, at: datetime = AT, said: str = "hello", **more: Any) -> dict[str, Any]:
    return {"id": str(id), "text": said, "created_at": at.isoformat(), **more}


def _page(*posts: Mapping[str, Any], **meta: str) -> rude.Answer:
    return rude.says(200, {"data": list(posts), "meta": {"result_count": len(posts), **meta}})


def _by_path(**answers: Sequence[rude.Answer]) -> rude.Answer:
    """Answers by method; each in its turn, the last one stays."""
    left = {method: list(each) for method, each in answers.items()}

    async def answer(request: Any) -> Any:
        if request.path == "/2/users/me":
            return await PROFILE(request)
        turn = left[request.method]
        return await (turn.pop(0) if len(turn) > 1 else turn[0])(request)

    return answer


def _account(url: str) -> XAccount:
    clock = rude.Clock(AT, time.time())
    return XAccount("brand", **rude.SECRETS, base_url=url, clock=clock, forms=lambda token: None)


async def _looked(*pages: rude.Answer) -> Receipt | Look:
    async with rude.host(_by_path(GET=pages)) as host, _account(host.url) as account:
        return await account.look(await account.place("timeline"), text("hello"), "key", AT)


async def test_a_timeline_is_seen_as_far_back_as_x_shows_it() -> None:
    """3,200 posts: there may be more, which X does not show."""
    full = [_page(*(_post(id, said="no") for id in range(100)), next_token="more")] * 31
    assert await _looked(*full, _page(*(_post(id, said="no") for id in range(99)))) is Look.NOT_SAID
    assert await _looked(*full, _page(*(_post(id, said="no") for id in range(100)))) is Look.CANNOT_TELL
    assert isinstance(await _looked(*full, _page(*(_post(id, said="no") for id in range(99)), _post())), Receipt)


@pytest.mark.parametrize(
    "post",
    [{"id": "900", "text": "hello"}, _post(text=None), _post(attachments={"poll_ids": ["7"]})],
)
async def test_what_is_not_understood_may_be_the_one(post: Mapping[str, Any]) -> None:
    assert await _looked(_page(post)) is Look.CANNOT_TELL
    assert isinstance(await _looked(_page(post, _post(901))), Receipt)


async def test_a_timeline_that_is_not_shown() -> None:
    assert await _looked(rude.says(403, {"title": "Forbidden", "detail": "no"})) is Look.CANNOT_TELL


@pytest.mark.parametrize(
    "answer", [rude.page(503), rude.page(200), rude.broken(200), rude.hangs_up, rude.says(200, {"data": 7})]
)
async def test_an_answer_that_is_lost_is_asked_for_again(answer: rude.Answer) -> None:
    with pytest.raises(AccountUnavailable):
        await _looked(answer)


async def test_the_end_of_the_limit_is_handed_back() -> None:
    reset = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(AT.timestamp()) + 600)}
    with pytest.raises(AccountUnavailable) as caught:
        await _looked(rude.says(429, {"title": "Too Many Requests"}, reset))
    assert caught.value.retry_after_s == pytest.approx(600.0, abs=10.0)


async def test_words_that_x_has_already_were_said_after_all() -> None:
    """X showed the post late: it was looked for in vain, said again, and refused."""
    answers = _by_path(GET=[EMPTY, _page(_post())], POST=[DUPLICATE])
    async with rude.host(answers) as host, _account(host.url) as account:
        place = await account.place("timeline")
        assert await account.look(place, text("hello"), "key", AT) is Look.NOT_SAID
        receipt = await account.say(place, text("hello"), "key", begin=begin)
        assert receipt.message == "900"
        with pytest.raises(AccountUnavailable):  # they are another message's
            await account.say(place, text("hello"), "another key", begin=begin)


async def test_words_that_x_has_but_does_not_show_stay_unknown() -> None:
    answers = _by_path(GET=[EMPTY, EMPTY, _page(_post())], POST=[DUPLICATE])
    async with rude.host(answers) as host, _account(host.url) as account:
        place = await account.place("timeline")
        assert await account.look(place, text("hello"), "key", AT) is Look.NOT_SAID
        with pytest.raises(OutcomeUnknown):
            await account.say(place, text("hello"), "key", begin=begin)
        found = await account.look(place, text("hello"), "key", AT + timedelta(hours=1))
        assert isinstance(found, Receipt)
