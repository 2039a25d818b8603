"""From the gateway to the store: a cursor never passes what is not kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.discord.history import cursor
from bots.discord.intake import Intake
from bots.discord.lanes import Spot
from core.account import NOTHING, Answer
from core.errors import StoreError
from core.events import Cursor, Event, Reply, Via

CHANNEL = 7


def reply(number: int) -> Reply:
    return Reply(id=f"m{number}", person="5", via=Via.TEXT, at=datetime.now(UTC), order=number, text="9")


class Store:
    """Keeps a call when the test lets it. ``calls`` are the open ones, in their order."""

    def __init__(self) -> None:
        self.calls: list[tuple[Sequence[Event], asyncio.Future[bool]]] = []
        self.kept: list[Event] = []
        self._news = asyncio.Condition()

    async def __call__(self, events: Sequence[Event]) -> Sequence[Answer]:
        keep = asyncio.get_running_loop().create_future()
        self.calls.append((events, keep))
        async with self._news:
            self._news.notify_all()
        if not await keep:
            raise StoreError("disk full")
        self.kept.extend(events)
        return [Answer(toast=getattr(event, "id", "")) for event in events]

    async def called(self, times: int) -> None:
        async with asyncio.timeout(8), self._news:
            await self._news.wait_for(lambda: len(self.calls) >= times)

    @property
    def cursors(self) -> list[str]:
        return [event.value for event in self.kept if isinstance(event, Cursor)]

    @property
    def replies(self) -> list[str]:
        return [event.id for event in self.kept if isinstance(event, Reply)]


@pytest.fixture
async def intake() -> AsyncIterator[Intake]:
    running = Intake("dc")
    yield running
    running.close()


async def test_a_cursor_does_not_pass_a_batch_that_is_not_kept(intake: Intake) -> None:
    store, answers = Store(), list[Sequence[Answer]]()
    intake.open(store)
    intake.put((reply(100), cursor(CHANNEL, 100)))
    await store.called(1)
    intake.put((reply(101), cursor(CHANNEL, 101)), answers.append)
    await store.called(2)
    store.calls[0][1].set_result(False)
    store.calls[1][1].set_result(True)
    await store.called(3)  # the first again: the second was answered meanwhile
    assert [list(given) for given in answers] == [[Answer(toast="m101"), NOTHING]]
    assert (store.replies, store.cursors) == (["m101"], [])  # stopped here, the channel is read again from 99 on
    store.calls[2][1].set_result(True)
    await store.called(4)
    store.calls[3][1].set_result(True)
    await intake.drained()
    assert (store.replies, store.cursors) == (["m101", "m100"], ["100", "101"])


async def test_a_cursor_that_waited_is_not_lost_with_a_call_that_fails(intake: Intake) -> None:
    store = Store()
    intake.open(store)
    for number in (100, 101):
        intake.put((reply(number), cursor(CHANNEL, number)))
        await store.called(number - 99)
    store.calls[1][1].set_result(True)
    store.calls[0][1].set_result(True)
    await store.called(3)
    store.calls[2][1].set_result(False)
    await store.called(4)
    store.calls[3][1].set_result(True)
    await intake.drained()
    assert store.cursors == ["100", "101"]


async def test_who_listens_next_gets_no_cursor_of_the_one_before(intake: Intake) -> None:
    before, after = Store(), Store()
    intake.open(before)
    for number in (100, 101):
        intake.put((reply(number), cursor(CHANNEL, number)))
        await before.called(number - 99)
    intake.close()
    before.calls[0][1].set_result(False)
    before.calls[1][1].set_result(True)
    intake.open(after)
    await after.called(1)
    assert [event for event in after.calls[0][0] if isinstance(event, Cursor)] == []
    after.calls[0][1].set_result(True)
    intake.put((reply(102), cursor(CHANNEL, 102)))
    await after.called(2)
    after.calls[1][1].set_result(True)
    await intake.drained()
    assert (before.cursors, after.cursors) == ([], ["102"])


async def test_nothing_of_a_new_session_is_kept_before_the_session_itself() -> None:
    """Else the next process would take up the one before, whose places in the order are before what is kept."""
    store = Store()
    intake = Intake("dc", lambda spot: Cursor(name="session", value=f"{spot.session}:{spot.sequence}"))
    intake.open(store)
    intake.newest = Spot(1, 8)
    intake.put((reply(100),))
    await store.called(1)
    intake.newest = intake.begun = Spot(2, 1)
    intake.put(())
    await store.called(2)
    store.calls[1][1].set_result(False)  # the disk is full for a moment, so the mark by itself is not kept
    intake.put((reply(200),))
    await store.called(3)
    store.calls[2][1].set_result(True)
    intake.newest = Spot(2, 2)
    intake.put((reply(201),))
    await store.called(4)
    store.calls[3][1].set_result(True)
    for _ in range(5):
        await asyncio.sleep(0)
    assert (store.replies, store.cursors) == (["m200", "m201"], ["2:1", "2:1"])
    intake.close()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
async def test_whenever_it_stops_all_below_the_cursor_is_kept(picks: list[int]) -> None:
    store, intake = Store(), Intake("dc")
    intake.open(store)
    newest = 0
    for pick in picks:
        waiting = [keep for _, keep in store.calls if not keep.done()]
        if pick < len(waiting):
            waiting[pick].set_result(True)
        else:
            newest += 1
            intake.put((reply(newest), cursor(CHANNEL, newest)))
        for _ in range(5):  # turns of the loop: nothing here waits for the wall
            await asyncio.sleep(0)
        reached = max((int(value) for value in store.cursors), default=0)
        assert {f"m{number}" for number in range(1, reached + 1)} <= set(store.replies)
    while waiting := [keep for _, keep in store.calls if not keep.done()]:
        waiting[-1].set_result(True)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    intake.close()
    assert store.cursors == sorted(store.cursors, key=int)
    assert (len(store.replies), store.cursors[-1:]) == (newest, [str(newest)] if newest else [])
