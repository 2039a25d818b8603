"""The killer hits the windows that it means, nobody but who is registered, and the hook sees what came too early."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE

import psutil  # type: ignore[import-untyped]
import pytest

from tests.architecture import ROOT
from tests.faults.contract import CLAIMED, COMMITTED, RECEIVED, SENT, Arm, Hit, Service
from tests.faults.kept import Kept, Row, left
from tests.faults.platform import Platform
from tests.faults.remote import Remote
from tests.faults.tracing import can_trace
from tests.faults.victim import ACCOUNT
from tests.faults.windows import Snapshot

SETTINGS = Path(__file__).with_name("settings.toml")
WAYS = [(RECEIVED, "wire"), (COMMITTED, "wire"), (COMMITTED, "database"), (CLAIMED, "wire"), (CLAIMED, "database")]
WAYS += [(SENT, "wire"), ("random", "wire")]
WAYS += [("random", "syscall")] if can_trace() else []


class Stage:
    """A platform, its client, and a victim on it."""

    def __init__(self, platform: Platform, remote: Remote, urls: tuple[str, ...], database: Path) -> None:
        self.platform, self.remote, self.urls, self.database = platform, remote, urls, database
        self._people = 0

    async def victim(self, url: str, *more: str) -> asyncio.subprocess.Process:
        token = self.platform.sandbox.credentials[ACCOUNT]["token"]
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.victim", url or self.urls[0], token, str(self.database), *more),
            cwd=ROOT,
        )

    async def registered(self, process: asyncio.subprocess.Process, url: str = "") -> None:
        service = Service(name="one", pid=process.pid, database=f"sqlite:///{self.database}", url=url)
        assert (await self.remote.up(service)).ok

    async def keep_starting(self) -> None:
        """One person after another presses Start."""
        telegram = self.platform.sandbox.stand_ins["telegram"]
        while True:
            person = telegram.add_person(name=f"Person {self._people}")
            self._people += 1
            await telegram.open_direct(ACCOUNT, person)
            await asyncio.sleep(0.1)

    async def until(self, seen: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while True:
                if seen():
                    return
                await asyncio.sleep(0.02)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    platform = Platform(SETTINGS, seed=1, followers=3, week_s=3600)
    async with platform.serving() as up, Remote(up.control) as remote:
        stage = Stage(platform, remote, up.urls, tmp_path / "victim.db")
        starting = asyncio.create_task(stage.keep_starting())
        yield stage
        starting.cancel()


@asynccontextmanager
async def running(stage: Stage, *more: str, url: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
    process = await stage.victim(url, *more)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize(("window", "how"), WAYS)
async def test_a_kill_falls_into_the_window_that_was_meant(stage: Stage, window: str, how: str) -> None:
    async with running(stage) as process:
        await stage.registered(process)
        await stage.until(lambda: stage.platform.seen.confirmations)
        hit = await stage.remote.arm(
            Arm(instance="one", window=window, how=how, within_s=15 if window != "random" else 2)
        )
        assert await process.wait() == -9
    assert hit.happened
    assert hit.pid == process.pid
    assert hit.window == window or window == "random"
    assert not hit.window or hit.what.startswith(("u", "answer:"))
    assert hit.after_accept_ms is not None
    assert stage.database.with_name("victim.db-wal").stat().st_size, "what the dead left has been tidied up"
    assert not (await stage.remote.truth()).violations


@pytest.mark.parametrize("told", [True, False])
async def test_of_two_the_one_is_hit_that_was_meant(stage: Stage, told: bool) -> None:
    idle = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(60)")
    mine, other = (stage.urls[1], stage.urls[0]) if told else ("", "")
    async with running(stage, url=mine) as process:
        await stage.registered(process, url=mine)
        database = f"sqlite:///{stage.database}"
        assert (await stage.remote.up(Service(name="two", pid=idle.pid, database=database, url=other))).ok
        hit = await stage.remote.arm(Arm(instance="one", window=SENT, how="wire", within_s=15))
        assert (hit.happened, hit.pid, hit.window) == (True, process.pid, SENT)
    assert {call.instance for call in stage.platform.seen.calls} == {"one"}
    assert idle.returncode is None
    idle.kill()
    await idle.wait()


async def test_who_confirms_before_keeping_is_seen(stage: Stage) -> None:
    async with running(stage, "confirm-first") as process:
        await stage.registered(process)
        await stage.until(lambda: stage.platform.seen.violations)
    found = (await stage.remote.truth()).violations[0]
    assert (found.platform, found.what) == ("telegram", "offset")
    assert found.event in {one.handed.event for one in stage.platform.seen.arrivals.values()}


_DIES_WRITING = """
import os, shutil, sqlite3, sys
path = sys.argv[1]
connection = sqlite3.connect(path, isolation_level=None)
connection.execute("PRAGMA journal_mode = wal")
connection.execute("CREATE TABLE reply (account, event)")
connection.execute("INSERT INTO reply VALUES ('one', 'told')")
shutil.copyfile(path + "-shm", path + "-untold")
connection.execute("INSERT INTO reply VALUES ('one', 'untold')")
sys.stdout.write("ready")
sys.stdout.flush()
sys.stdin.read()
os.kill(os.getpid(), 9)
"""


def test_of_a_commit_that_was_on_its_way_to_the_disk_is_seen_what_the_next_start_finds(tmp_path: Path) -> None:
    path = tmp_path / "vouch.db"
    with subprocess.Popen([sys.executable, "-c", _DIES_WRITING, path], stdin=PIPE, stdout=PIPE) as dying:
        assert dying.stdin is not None
        assert dying.stdout is not None
        assert dying.stdout.read(5) == b"ready"
        with Kept(f"sqlite:///{path}") as watching:  # while somebody has the file open, its index is not made anew
            assert watching.there("one", ["told", "untold"]) == {"told", "untold"}
            dying.stdin.close()
            assert dying.wait() == -9
            with open(f"{path}-shm", "r+b") as index:
                index.write(Path(f"{path}-untold").read_bytes())
            assert watching.there("one", ["told", "untold"]) == {"told"}
            with left(f"sqlite:///{path}") as kept:
                assert kept.there("one", ["told", "untold"]) == {"told", "untold"}


async def test_a_paused_one_is_stopped_and_goes_on(stage: Stage) -> None:
    async with running(stage) as process:
        await stage.registered(process)
        await stage.until(lambda: stage.platform.seen.confirmations)
        hit = await stage.remote.arm(Arm(instance="one", window=SENT, signal="STOP", within_s=15))
        assert hit.happened
        assert psutil.Process(process.pid).status() == psutil.STATUS_STOPPED
        before = stage.platform.seen.confirmations
        assert (await stage.remote.go_on("one")).ok
        await stage.until(lambda: stage.platform.seen.confirmations > before)


async def test_nobody_is_hit_who_is_not_registered(stage: Stage) -> None:
    async with running(stage) as process:
        nobody = Arm(instance="one", window="random", within_s=0.2)
        assert not (await stage.remote.arm(nobody)).happened
        await stage.registered(process)
        await stage.remote.gone("one")
        hit: Hit = await stage.remote.arm(nobody)
        assert not hit.happened
        assert process.returncode is None


def test_what_one_look_calls_said_and_another_does_not_is_in_doubt() -> None:
    one, two, same = (Row(key, "tg", "sending", "", "p", 0.0) for key in ("a", "b", "a"))
    taken = Snapshot([], set(), [one])
    taken.add([same, two])
    assert [row.key for row in taken.rows] == ["a", "b"]
