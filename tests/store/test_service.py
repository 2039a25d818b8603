"""The calendar's work with a small account at our own seam: asked, closed and published once, whoever is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.posting import PATIENCE, PATIENCE_WALL_S
from core.store.database import Database
from core.survey import next_wave
from tests.store.scene import SURVEY, WAVE, Scene, up


@pytest.fixture
async def scene(database: Database) -> AsyncIterator[Scene]:
    async with up(Scene(database)) as scene:
        async with asyncio.timeout(20):
            await scene.presence.ready.wait()
        yield scene


async def test_a_week_is_asked_once_in_each_channel_and_reported_once(scene: Scene) -> None:
    await scene.until(lambda: bool(scene.asked(scene.here) and scene.asked(scene.there)))
    scene.now = WAVE.closes_at + timedelta(hours=9, minutes=1)
    await scene.until(lambda: len(scene.reports()) == 2)
    scene.now += timedelta(hours=5)
    await scene.until(lambda: len(scene.asked(scene.here)) == 2)
    assert scene.reports() == [f"report:s:{WAVE.key}:team:0", f"report:s:{WAVE.key}:team:1"]
    weeks = [WAVE.key, next_wave(SURVEY, WAVE).key]
    assert scene.asked(scene.there) == [f"ask:s:{week}:there:0" for week in weeks]


async def test_a_platform_that_hangs_holds_up_no_ask(scene: Scene) -> None:
    await scene.until(lambda: bool(scene.asked(scene.here) and scene.asked(scene.there)))
    scene.there.hangs = True
    scene.now = WAVE.closes_at + timedelta(hours=9, minutes=1)
    await scene.until(lambda: len(scene.asked(scene.here)) == 2 and scene.there.caught_up == 2)
    assert scene.reports() == []


async def test_a_report_waits_two_hours_for_an_account_that_is_away_and_asks_it_seldom(scene: Scene) -> None:
    await scene.until(lambda: bool(scene.asked(scene.here) and scene.asked(scene.there)))
    scene.there.away = True
    due = WAVE.closes_at + timedelta(hours=9)
    scene.now = due + timedelta(minutes=1)
    await scene.until(lambda: scene.there.caught_up == 2)
    await scene.settled()
    assert (scene.there.caught_up, scene.reports()) == (2, [])
    scene.now = due + PATIENCE + timedelta(minutes=1)
    await scene.until(lambda: len(scene.reports()) == 2)


async def test_who_is_started_again_does_not_wait_anew_for_an_account_that_hangs(database: Database) -> None:
    before, after = Scene(database), Scene(database)
    due = WAVE.closes_at + timedelta(hours=9)
    async with up(before):
        await before.until(lambda: bool(before.asked(before.here) and before.asked(before.there)))
        await before.until(lambda: before.there.caught_up == 1)
        before.there.away = True
        before.now = due + timedelta(minutes=1)
        await before.until(lambda: before.there.caught_up == 2)
        await before.settled()
        assert before.reports() == []
    after.there.hangs = True
    after.now = due + PATIENCE + timedelta(minutes=2)
    async with up(after):
        await after.until(lambda: len(after.reports()) == 2)
    assert "Could not be read in time, so answers may be missing: there" in headline(after)


async def test_who_is_started_again_and_again_publishes_within_a_few_seconds(database: Database) -> None:
    before, after = Scene(database), Scene(database)
    due = WAVE.closes_at + timedelta(hours=9)
    async with up(before):
        await before.until(lambda: bool(before.asked(before.here) and before.asked(before.there)))
        before.there.away = True
        before.now = due + timedelta(minutes=1)
        await before.until(lambda: before.there.caught_up == 2)
        await before.settled()
        assert before.reports() == []
    after.there.refused = True  # it never comes up
    after.now = due + 2 * PATIENCE + timedelta(minutes=2)
    async with up(after), asyncio.timeout(PATIENCE_WALL_S - 1):
        await after.until(lambda: len(after.reports()) == 2)


async def test_a_team_that_cannot_be_told_costs_no_reading(database: Database) -> None:
    scene = Scene(database)
    scene.here.no_place = "office"
    async with up(scene):
        await scene.until(lambda: bool(scene.asked(scene.there)) and scene.there.caught_up == 1)
        scene.now = WAVE.closes_at + timedelta(hours=9, minutes=1)
        await scene.until(lambda: len(scene.asked(scene.there)) == 2)
        assert scene.there.caught_up == 1


async def test_a_report_that_waited_in_vain_names_the_account_that_could_not_be_read(scene: Scene) -> None:
    await scene.until(lambda: bool(scene.asked(scene.here) and scene.asked(scene.there)))
    await scene.until(lambda: scene.there.caught_up == 1)
    scene.there.away = True
    scene.now = WAVE.closes_at + timedelta(hours=9, minutes=1)
    await scene.until(lambda: scene.there.caught_up == 2)
    scene.now += PATIENCE
    await scene.until(lambda: len(scene.reports()) == 2)
    assert "Could not be read in time, so answers may be missing: there" in headline(scene)
    assert "Late" not in headline(scene)


@pytest.mark.parametrize("weeks", [0, 1, 5, 60])
async def test_after_an_outage_comes_one_late_report_that_says_so(database: Database, weeks: int) -> None:
    """One, of the last week that was asked, however many have passed since."""
    async with up(Scene(database)) as before:
        await before.until(lambda: bool(before.asked(before.here) and before.asked(before.there)))
    after, again = Scene(database), Scene(database)
    after.now = again.now = WAVE.closes_at + timedelta(weeks=weeks, days=2)
    async with up(after):
        await after.settled()  # nobody is up yet: that is no reason to report without them
        await after.until(lambda: all(after.presence.caught_up(name) == after.now for name in ("here", "there")))
        after.now += timedelta(minutes=2)
        await after.until(lambda: len(after.reports()) == 2 and len(after.asked(after.there)) == 1)
        after.now += PATIENCE + timedelta(hours=1)
        await after.settled()
    assert after.reports() == [f"report:s:{WAVE.key}:team:{part}" for part in (0, 1)]
    assert f"Late: it was due on {WAVE.closes_at:%Y-%m-%d} 09:00." in headline(after)
    assert "Could not be read" not in headline(after)
    async with up(again):
        await again.until(again.presence.ready.is_set)
        await again.settled()
    assert again.reports() == []


def headline(scene: Scene) -> str:
    """What the team read first."""
    return next(said for key, said in scene.here.said if key.startswith("report:"))


async def test_a_database_that_is_away_is_not_told_with_every_tick(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "vouch.db"
    async with Database(f"sqlite:///{file}") as database, up(Scene(database)) as scene:
        await scene.until(lambda: bool(scene.asked(scene.here) and scene.asked(scene.there)))
        file.rename(tmp_path / "elsewhere.db")
        caplog.clear()
        await scene.settled()
        (tmp_path / "elsewhere.db").rename(file)
    assert [r for r in caplog.records if r.levelno >= logging.WARNING and r.name == "core.service"] == []
    assert [r for r in caplog.records if "was moved" in r.message and r.name == "core.store.database"]
