"""Whether taps may have been lost: told once, after the backlog, from when to when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots.telegram import TelegramAccount
from bots.telegram.hearing import NOTED_EVERY_S, TAP_LIFE_S, Hearing
from core.clock import Clock, Wall
from core.events import Cursor, Event, Reply, Silence
from tests.bots.telegram.scripted import TOKEN, BotApi, Kept, forms, refusal, said


@dataclass
class Times:
    """A wall clock and a still one in the test's hand."""

    wall: float = 1_800_000_000.0
    still: float = 500.0
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        calendar = datetime(2026, 11, 16, 9, tzinfo=UTC)
        self.clock = Clock(calendar=calendar, started=self.wall, speed=100.0, wall=lambda: self.wall)

    def hearing(self, cursors: Mapping[str, str] | None = None) -> Hearing:
        made = Hearing("tg", self.clock, lambda: self.still)
        made.resume(cursors or {})
        return made

    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.still += seconds

    def heard(self, hearing: Hearing) -> Sequence[Event]:
        """The end of the queue is seen now, and kept."""
        news = hearing.news(hearing.now())
        hearing.kept(hearing.now(), noted=bool(news))
        return news


def test_the_first_start_ever_has_missed_nothing_and_notes_when_it_began() -> None:
    times = Times()
    assert times.heard(times.hearing()) == (Cursor(name="heard", value="1800000000"),)


def test_the_moment_is_noted_every_20_s() -> None:
    times = Times()
    hearing = times.hearing()
    noted = []
    for _ in range(50):
        noted += [event.value for event in times.heard(hearing) if isinstance(event, Cursor)]
        times.wait(1)
    assert noted == ["1800000000", "1800000020", "1800000040"]
    assert NOTED_EVERY_S == 20


@pytest.mark.parametrize(("away_s", "silent"), [(TAP_LIFE_S, False), (TAP_LIFE_S + 1, True)])
def test_a_silence_within_one_run_is_told_once_on_the_calendar(away_s: float, silent: bool) -> None:
    times = Times()
    hearing = times.hearing()
    times.heard(hearing)
    since = times.clock.now()
    times.wait(away_s)
    news = times.heard(hearing)
    expected = [Silence(since=since, until=times.clock.now())] if silent else []
    assert [event for event in news if isinstance(event, Silence)] == expected
    times.wait(1)
    assert times.heard(hearing) == ()


@pytest.mark.parametrize(("away_s", "silent"), [(TAP_LIFE_S - 1, False), (TAP_LIFE_S + 1, True)])
def test_a_silence_between_two_runs_is_told_from_what_was_noted(away_s: float, silent: bool) -> None:
    times = Times()
    since = times.clock.now()
    noted = {"heard": str(int(times.wall))}
    times.wait(away_s)
    times.still = 3.0  # of another machine
    news = times.heard(times.hearing(noted))
    expected = [Silence(since=since, until=times.clock.now())] if silent else []
    assert [event for event in news if isinstance(event, Silence)] == expected


def test_what_was_not_kept_is_told_again() -> None:
    times = Times()
    hearing = times.hearing({"heard": str(int(times.wall) - 1000)})
    for _ in range(2):
        assert [type(event) for event in hearing.news(hearing.now())] == [Silence, Cursor]
    times.heard(hearing)
    assert times.heard(hearing) == ()


@pytest.mark.parametrize("noted", ["1900000000", "yesterday", ""])
def test_a_note_that_says_nothing_is_passed_over(noted: str) -> None:
    times = Times()
    assert [type(event) for event in times.heard(times.hearing({"heard": noted}))] == [Cursor]


def test_a_wall_clock_that_is_set_within_a_run_is_no_silence() -> None:
    times = Times()
    hearing = times.hearing()
    times.heard(hearing)
    times.wall += 400 * 86_400
    times.wait(1)
    assert times.heard(hearing) == ()


def test_whoever_takes_the_account_back_goes_by_who_had_it_last() -> None:
    times = Times()
    hearing = times.hearing()
    times.heard(hearing)
    times.wait(1_000)
    hearing.resume({"heard": str(int(times.wall) - 10)})
    assert [type(event) for event in times.heard(hearing)] == [Cursor]


@asynccontextmanager
async def resumed(account: TelegramAccount, kept: Kept, heard_ago_s: float) -> AsyncIterator[None]:
    cursors = {"heard": str(int(time.time() - heard_ago_s))}
    ready = asyncio.Event()
    task = asyncio.create_task(account.listen(kept, cursors, ready.set))
    await asyncio.wait_for(ready.wait(), 10)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_silence_comes_once_after_the_whole_backlog(api: BotApi, account: TelegramAccount, kept: Kept) -> None:
    api.put(*(said(n) for n in range(500, 730)))
    async with resumed(account, kept, 1_000):
        await kept.until(231)
        api.put(said(730))
        await kept.until(232)
    assert [type(event) for event in kept.events] == [*[Reply] * 230, Silence, Reply]
    silence = kept.events[230]
    assert isinstance(silence, Silence)
    assert timedelta(seconds=999) <= silence.until - silence.since <= timedelta(seconds=1_010)
    assert abs(time.time() - float(kept.cursors["heard"])) < 10


async def test_a_short_absence_is_no_silence(api: BotApi, account: TelegramAccount, kept: Kept) -> None:
    async with resumed(account, kept, 100):
        api.put(said(500))
        await kept.until(1)
    assert [type(event) for event in kept.events] == [Reply]


async def test_one_update_after_asking_again_is_not_taken_for_the_end_of_the_queue(
    api: BotApi, account: TelegramAccount, kept: Kept
) -> None:
    """Who asks from the same place again is given one at a time."""
    api.put(*(said(n) for n in range(500, 603)))
    asked: list[str] = []

    async def slowed(fields: dict[str, str]) -> Any:
        asked.append(fields.get("offset", "0"))
        if len(asked) == 2:
            return refusal(502, "Bad Gateway")
        waiting = await api.updates(fields)
        return waiting[:1] if asked[-1:] == asked[-2:-1] else waiting

    api.scripts["getUpdates"] = slowed
    async with resumed(account, kept, 1_000):
        await kept.until(104)
    assert asked[1] == asked[2] == "600"
    assert [type(event) for event in kept.events] == [*[Reply] * 103, Silence]


@pytest.mark.parametrize("off_s", [-400.0, 400.0])
@pytest.mark.parametrize(("away_s", "silent"), [(100.0, False), (200.0, True)])
async def test_whoever_follows_on_a_machine_whose_clock_is_wrong_says_silence_where_there_was_one(
    api: BotApi, off_s: float, away_s: float, silent: bool
) -> None:
    """Here the second machine's clock is this one's, and the time of the platforms is another."""

    def platforms() -> float:
        return time.time() - off_s

    async def run(clock: Clock, cursors: Mapping[str, str], update: int) -> Kept:
        kept, ready = Kept(api), asyncio.Event()
        async with TelegramAccount("tg", TOKEN, base_url=api.url, clock=clock, forms=forms) as account:
            task = asyncio.create_task(account.listen(kept, cursors, ready.set))
            await asyncio.wait_for(ready.wait(), 10)
            api.put(said(update))
            await kept.until(1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return kept

    first = await run(Clock(wall=lambda: platforms() - away_s), {}, 500)
    wall = Wall()
    wall.compare([platforms()])
    second = await run(Clock(wall=wall), first.cursors, 501)
    assert [event for event in first.events if isinstance(event, Silence)] == []
    assert len([event for event in second.events if isinstance(event, Silence)]) == silent
    assert abs(float(second.cursors["heard"]) - platforms()) < 10
