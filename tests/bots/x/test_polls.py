"""Polls on X, over real sockets: totals while they are open, at their end, and when the post is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bots.x import XAccount
from core.account import Poll, Receipt
from core.events import Totals

from .place import Kept, X, begin, listening, receipt, standing

OPTIONS = ("9-10", "7-8", "4-6", "0-3")


@pytest.fixture
async def x() -> AsyncIterator[X]:
    async with standing() as found:
        yield found


@pytest.fixture
async def account(x: X) -> AsyncIterator[XAccount]:
    async with x.account() as found:
        yield found


async def _poll(x: X, account: XAccount, question: str = "How likely?", days: float = 7.0) -> Receipt:
    closes_at = x.clock.now() + timedelta(days=days)
    place = await account.place("timeline")
    return await account.poll(
        place, Poll(question=question, options=OPTIONS, closes_at=closes_at), question, begin=begin
    )


async def test_a_poll_as_people_see_it(x: X, account: XAccount) -> None:
    closes_at = x.clock.now() + timedelta(days=6)
    receipt = await _poll(x, account, days=6)
    post = x.posts[-1]
    assert (post.text, post.options, post.id) == ("How likely?", OPTIONS, receipt.message)
    assert receipt.refs == (f"post:{post.id}",)
    assert post.closes_at is not None
    assert timedelta(0) <= closes_at - post.closes_at <= timedelta(hours=2)


async def test_totals_are_final_when_the_poll_is_over_and_then_no_longer_asked(x: X, account: XAccount) -> None:
    kept = Kept()
    receipt = await _poll(x, account, days=1)
    await x.stand_in.vote(x.person(), x.posts[0], 2)
    closed = await account.close(receipt)
    assert closed is not None
    assert (closed.ref, closed.totals, closed.final) == (f"post:{receipt.message}", (0, 0, 1, 0), False)
    async with listening(account, kept):
        await kept.until(lambda: any(isinstance(event, Totals) and event.final for event in kept.of(Totals)))
    before = x.asked("GET", "/2/tweets")
    await account.catch_up([], kept.deliver)
    assert x.asked("GET", "/2/tweets") == before
    closed = await account.close(receipt)
    assert closed is not None
    assert (closed.totals, closed.final) == ((0, 0, 1, 0), True)


async def test_a_poll_that_is_gone_has_no_totals(x: X, account: XAccount) -> None:
    kept = Kept()
    assert await account.close(receipt("123")) is None
    await account.catch_up([receipt("123")], kept.deliver)
    assert kept.calls == []


async def test_a_hundred_polls_fit_one_question(x: X, account: XAccount) -> None:
    kept = Kept()
    receipts = [await _poll(x, account, f"How likely, {number}?") for number in range(101)]
    before = x.asked("GET", "/2/tweets")
    await account.catch_up(receipts, kept.deliver)
    assert len(kept.of(Totals)) == 101
    assert x.asked("GET", "/2/tweets") - before == 2
