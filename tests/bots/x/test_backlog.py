"""More than X lets us read at once: kept part by part, whatever happens in between."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.x import XAccount
from bots.x.paged import Gap, Progress
from core.account import Answer
from core.errors import AccountUnavailable
from core.events import Cursor, Event, Reply

from . import rude
from .place import WAIT_S, Kept, X, listening, standing

EVENTS = "/2/dm_events"


@pytest.fixture
async def slow() -> AsyncIterator[X]:
    """X in real time: a quarter of an hour takes one, unless it is skipped."""
    async with standing(speed=1.0) as found:
        yield found


async def _written(x: X, count: int, words: str = "") -> list[str]:
    ann = x.person()
    return [f"d{await x.direct(ann, f'{words}{number}')}" for number in range(count)]


def _ids(kept: Kept) -> list[str]:
    return [event.id for event in kept.of(Reply) if isinstance(event, Reply)]


def _cursors(kept: Kept) -> dict[str, str]:
    return {event.name: event.value for event in kept.of(Cursor) if isinstance(event, Cursor)}


async def _directs(account: XAccount, kept: Kept, cursors: dict[str, str]) -> None:
    """Catch up with direct messages where ``cursors`` ends."""
    await account.place("direct")
    async with listening(account, kept, cursors):
        await account.catch_up([], kept.deliver)


async def test_what_a_window_allows_is_kept_and_the_next_process_goes_on_there(slow: X) -> None:
    written, kept = await _written(slow, 1900), Kept()
    async with slow.account() as account:
        with pytest.raises(AccountUnavailable) as caught:
            await _directs(account, kept, {})
    assert 880 < caught.value.retry_after_s < 905
    assert sorted(_ids(kept)) == sorted(written[-1500:])
    assert slow.asked("GET", EVENTS) == 15
    slow.clocks.skip(901)
    new = await _written(slow, 1, "STOP ")
    before = len(kept.calls)
    async with slow.account() as restarted:
        await _directs(restarted, kept, _cursors(kept))
    assert [event.id for event in kept.calls[before] if isinstance(event, Reply)][-1:] == new
    assert set(_ids(kept)) == set(written + new)
    assert len(_ids(kept)) <= 1900 + 100  # of the last minute, what is on the page that was read anyway
    # A page for what is new, four for the rest, and one for the round that somebody waited for.
    assert slow.asked("GET", EVENTS) == 15 + 6
    assert _cursors(kept) == {"dm_events": new[0][1:]}


async def test_parts_come_newest_first_and_each_in_its_order(slow: X) -> None:
    written, kept = await _written(slow, 1200), Kept()
    async with slow.account() as account:
        await _directs(account, kept, {})
    parts = [[event.id for event in call if isinstance(event, Reply)] for call in kept.calls]
    assert [part for part in parts if part] == [written[700:], written[200:700], written[:200]]
    assert all(isinstance(call[-1], Cursor) for call in kept.calls)


class Killed(Exception):
    """The process ends here."""


@pytest.mark.parametrize("seed", range(5))
async def test_kills_in_a_long_backlog_lose_nothing_and_always_get_on(seed: int) -> None:
    chance, kept, stored = random.Random(seed), Kept(), dict[str, str]()

    async def deliver(events: Sequence[Event]) -> Sequence[Answer]:
        if chance.random() < 0.3:
            raise Killed
        answers = await kept.deliver(events)
        stored.update(_cursors(kept))
        if chance.random() < 0.3:
            raise Killed  # committed, but nobody was told
        return answers

    async with standing() as x:
        written, kills, done = await _written(x, 2500), 0, False
        while not done:
            async with x.account() as account:
                await account.place("direct")
                task = asyncio.create_task(account.listen(deliver, dict(stored), lambda: None))
                try:
                    async with asyncio.timeout(WAIT_S):
                        while not task.done() and set(_ids(kept)) != set(written):
                            kept.changed.clear()
                            news = asyncio.create_task(kept.changed.wait())
                            await asyncio.wait({task, news}, return_when=asyncio.FIRST_COMPLETED)
                            news.cancel()
                finally:
                    task.cancel()
                    with suppress(Killed, asyncio.CancelledError):
                        await task
                done, kills = set(_ids(kept)) == set(written), kills + 1
            assert x.asked("GET", EVENTS) <= 25 + 12 * kills
    assert len(set(_ids(kept))) == 2500


async def test_a_token_that_x_no_longer_takes_is_done_without(slow: X) -> None:
    written, kept = await _written(slow, 300), Kept()
    cursor = f"{written[199][1:]} {written[49][1:]}:00000000000g0deadbeef"
    async with slow.account() as account:
        await _directs(account, kept, {"dm_events": cursor})
    assert set(_ids(kept)) >= set(written[50:199] + written[200:])
    assert _cursors(kept) == {"dm_events": written[-1][1:]}


@pytest.mark.parametrize("cursor", ["", "soon", "12 x:y", "12 3", "-4"])
async def test_what_is_no_cursor_of_ours_begins_again(slow: X, cursor: str) -> None:
    written, kept = await _written(slow, 3), Kept()
    async with slow.account() as account:
        await _directs(account, kept, {"dm_events": cursor})
    assert _ids(kept) == written


IDS = st.integers(0, 10**19 - 1)
TOKENS = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVabcdefghijklmnopqrstuvwxyz", max_size=40)


@given(IDS, st.lists(st.builds(Gap, above=IDS, token=TOKENS), max_size=3))
def test_a_cursor_says_what_was_kept(newest: int, gaps: list[Gap]) -> None:
    progress = Progress(newest, tuple(gaps))
    assert Progress.of(str(progress)) == progress


# What X does not promise, and what may still happen.

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
PROFILE = rude.says(200, {"data": {"id": "15", "username": "brand"}})


def _page(*ids: int, **meta: str) -> rude.Answer:
    items = [
        {"id": str(id), "event_type": "MessageCreate", "sender_id": "7", "dm_conversation_id": "7-15",
         "created_at": AT.isoformat(), "text": str(id)}
        for id in ids
    ]  # fmt: skip
    return rude.says(200, {"data": items, "meta": meta})


async def _delivered(rounds: int, *pages: rude.Answer) -> list[str]:
    """The ids that so many rounds deliver."""
    left, kept = list(pages), Kept()

    async def answer(request: Any) -> Any:
        if request.path == EVENTS:
            return await (left.pop(0) if len(left) > 1 else left[0])(request)
        return await (PROFILE if request.path.endswith("/me") else rude.says(200, {"meta": {}}))(request)

    clock = rude.Clock(AT, time.time())
    async with rude.host(answer) as host:
        account = XAccount("brand", **rude.SECRETS, base_url=host.url, clock=clock, forms=lambda token: None)
        async with account:
            for _ in range(rounds):
                await account.catch_up([], kept.deliver)
    return _ids(kept)


async def test_an_item_that_x_shows_late_is_not_lost() -> None:
    assert await _delivered(3, _page(905, 903), _page(906, 905, 904, 903), _page(906, 905, 904, 903)) == [
        "d903", "d905", "d904", "d906",
    ]  # fmt: skip


async def test_pages_out_of_order_and_twice_are_sorted() -> None:
    pages = _page(907, 909, 907, next_token="a"), _page(907, 904, 906, next_token="b"), _page(904, 901, 903)
    assert await _delivered(1, *pages) == ["d901", "d903", "d904", "d906", "d907", "d909"]
