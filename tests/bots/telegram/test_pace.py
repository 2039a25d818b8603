"""The turns: never faster than Telegram allows, in order, and no slower than needed. Time is a number here."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.telegram.pace import LONGEST_WAIT_S, CrowdedError, Pace


class Time:
    """A clock that jumps to the next sleeper when nobody else has anything to do."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0
        self.stalls: list[tuple[float, float]] = []
        """From when on, and for how long, nobody gets to do anything: the machine is busy with something else."""

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.now + seconds, self._count, woken))
        await woken

    async def run(self, *tasks: asyncio.Task[None]) -> None:
        while not all(task.done() for task in tasks):
            for _ in range(20):
                await asyncio.sleep(0)
            if self._sleepers:
                at, _, woken = heapq.heappop(self._sleepers)
                self.now = max(self.now, at)
                while self.stalls and self.stalls[0][0] <= self.now:
                    since, for_s = self.stalls.pop(0)
                    self.now = max(self.now, since + for_s)
                woken.set_result(None)
                while self._sleepers and self._sleepers[0][0] <= self.now:
                    heapq.heappop(self._sleepers)[2].set_result(None)
        await asyncio.gather(*tasks)


class Sent:
    """Sends through a pace, and notes when each message left."""

    def __init__(self, took_s: Callable[[], float] = lambda: 0.0) -> None:
        self.time = Time()
        self.pace = Pace(lambda: self.time.now, self.time.sleep)
        self.left: list[tuple[float, int]] = []
        self.crowded = 0
        self._took_s = took_s

    async def one(self, chat: int) -> None:
        try:
            async with self.pace.turn(chat, group=chat < 0, until=self.pace.patience()):
                self.left.append((self.time.now, chat))
                if self._took_s():
                    await self.time.sleep(self._took_s())
        except CrowdedError:
            self.crowded += 1

    async def all(self, *chats: int) -> None:
        await self.time.run(*(asyncio.create_task(self.one(chat)) for chat in chats))


def most_within(times: list[float], seconds: float) -> int:
    """The most of ``times`` that lie within any such stretch."""
    return max((sum(1 for other in times if at <= other < at + seconds) for at in times), default=0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.0, 3.0), max_size=4), st.floats(0.05, 0.9))
async def test_who_was_held_up_does_not_go_together_with_those_whose_turn_it_is(at: list[float], for_s: float) -> None:
    sent = Sent()
    sent.time.stalls = [(1000.0 + since, for_s) for since in sorted(at)]
    await sent.all(*range(120))
    assert most_within([moment for moment, _ in sent.left], 1.0) <= 30
    assert len(sent.left) == 120


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-3, 40), max_size=120), st.sampled_from([0.0, 0.02, 0.3]))
async def test_no_limit_is_ever_passed(chats: list[int], took_s: float) -> None:
    sent = Sent(lambda: took_s)
    await sent.all(*chats)
    assert most_within([at for at, _ in sent.left], 1.0) <= 29
    for chat in set(chats):
        times = [at for at, to in sent.left if to == chat]
        assert all(later - earlier >= 1.0 for earlier, later in pairwise(times))
        assert chat >= 0 or most_within(times, 60.0) <= 20
    assert len(sent.left) + sent.crowded == len(chats)


async def test_many_people_are_written_to_at_28_a_second() -> None:
    sent = Sent()
    await sent.all(*range(1, 281))
    assert 9.5 <= sent.left[-1][0] - sent.left[0][0] <= 10.1


async def test_a_chat_keeps_its_order() -> None:
    sent = Sent()
    said: list[int] = []

    async def say(n: int) -> None:
        async with sent.pace.turn(5, group=False, until=sent.pace.patience()):
            said.append(n)

    await sent.time.run(*(asyncio.create_task(say(n)) for n in range(10)))
    assert said == list(range(10))


async def test_a_pause_holds_for_everybody_and_ends() -> None:
    sent = Sent()
    sent.pace.pause(5.0)
    await sent.all(1, 2, -3)
    assert min(at for at, _ in sent.left) >= 1005.0
    assert max(at for at, _ in sent.left) <= 1006.0


async def test_a_pause_that_begins_while_others_wait_holds_for_them_too() -> None:
    sent = Sent()

    async def pause() -> None:
        await sent.time.sleep(0.5)
        sent.pace.pause(7.0)

    await sent.time.run(asyncio.create_task(pause()), *(asyncio.create_task(sent.one(chat)) for chat in range(1, 57)))
    assert not [at for at, _ in sent.left if 1000.6 < at < 1007.5]
    assert len(sent.left) == 56


async def test_who_would_wait_too_long_is_told_at_once() -> None:
    sent = Sent()
    sent.pace.pause(LONGEST_WAIT_S + 10)
    with pytest.raises(CrowdedError) as told:
        async with sent.pace.turn(1, group=False, until=sent.pace.patience()):
            raise AssertionError("no turn was free")
    assert told.value.wait_s == pytest.approx(LONGEST_WAIT_S + 10, abs=0.5)
    assert sent.time.now == 1000.0


async def test_the_21st_message_of_a_minute_to_a_group_is_sent_back_to_come_later() -> None:
    sent = Sent()
    for _ in range(21):
        await sent.all(-7)
    assert len(sent.left) == 20
    assert sent.crowded == 1


async def test_nobody_waits_longer_than_told() -> None:
    sent = Sent(lambda: 3.0)
    await sent.all(*[9] * 15)
    assert max(at for at, _ in sent.left) <= 1000.0 + LONGEST_WAIT_S
    assert sent.crowded == 15 - len(sent.left) > 0


async def test_a_silent_request_does_not_hold_the_others_for_ever() -> None:
    pace = Pace()
    entered = asyncio.Event()

    async def silent() -> None:
        async with pace.turn(1, group=False, until=pace.patience()):
            entered.set()
            await asyncio.Event().wait()

    hung = asyncio.create_task(silent())
    await entered.wait()
    with pytest.raises(CrowdedError):
        async with pace.turn(1, group=False, until=pace.patience() - LONGEST_WAIT_S + 1.05):
            raise AssertionError("no turn was free")
    hung.cancel()
    await asyncio.gather(hung, return_exceptions=True)
    async with pace.turn(1, group=False, until=pace.patience()):
        pass


async def test_idle_chats_are_forgotten() -> None:
    sent = Sent()
    for first in range(1, 6000, 100):
        await sent.all(*range(first, first + 100))
    assert sent.pace.chats_remembered <= 4096
