"""The campaign: worlds side by side, each with a platform that is never killed and a service that is, all the time."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from core.settings import load
from sandbox.weeks import week_at
from tests.architecture import ROOT
from tests.faults.books import read
from tests.faults.contract import Up
from tests.faults.databases import Store, opened
from tests.faults.judge import LEAST_SHARE, Case, Verdict, judge
from tests.faults.recorded import Truth
from tests.faults.remote import Remote
from tests.faults.run import Progress, Run
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.service import Service
from tests.faults.takeover import Takeovers

SETTINGS = Path(__file__).with_name("settings.toml")

LONG, SHORT_SHARE = 500, 0.98
"""From so many kills on a campaign is long; the least share of a short one."""

UP_S = 60.0
PEACE_S, LONGEST_PEACE_S, PEACE_ACTS = 6.0, 25.0, 40
"""So long followers still act when all faults are over, until so many acts were done, but no longer than that: what is
heard then has no excuse. A quiet hour of the calendar may bring next to none, and would prove nothing."""

CATCH_UP_S = 60.0
"""How long the service may take, after all faults are over, until nothing waits any more."""

LATE_S = 30 * 3600.0
"""So long after its end, in calendar seconds, a week is surely reported: the last team reads it after 15 hours."""

LOST_HEART = 40
"""So many kills in a row that did not come about end a campaign: something is wrong with it."""


@dataclass(frozen=True)
class Wanted:
    """What was asked for."""

    seed: int
    kills: int
    scenarios: tuple[str, ...]
    database: str
    instances: int
    worlds: int
    followers: int
    week_s: float
    folder: Path
    window: str = ""
    """Kill only here, if it says so; and at this platform's requests and events."""
    platform: str = ""
    hold_times: bool = False
    """Whether a start or a take-over that took too long fails the campaign, or all of it: only a quiet machine can
    hold times."""
    named: tuple[str, ...] = ()
    """Scenarios that were asked for by name: no machine is excused from these."""

    @property
    def least_share(self) -> float:
        """What share must be sent. In a short campaign most kills are aimed at a window, and each that falls between
        the beginning and the request of a message on Telegram costs that one message, out of few."""
        return LEAST_SHARE if self.kills >= LONG else SHORT_SHARE


@dataclass
class Ended:
    """What one world came to."""

    verdict: Verdict
    ready_s: list[float]
    slow_s: list[float]
    too_late: list[str]
    """Starts and take-overs that took longer than is promised."""
    took_s: list[float] = field(default_factory=list)
    slow_took_s: list[float] = field(default_factory=list)
    injected: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)
    confirmations: int = 0
    weeks: int = 0
    traced: bool = False
    """Whether kills at chosen system calls were possible."""
    small_disk: bool = False
    """Whether a disk of its own could be filled up."""


async def campaign(wanted: Wanted, tell: Callable[[str], None]) -> tuple[Progress, list[Ended]]:
    """Run all worlds to their end and judge them."""
    least = 0 if wanted.window or wanted.platform else min(50, wanted.kills // 12)
    progress = Progress(wanted.kills, least, wanted.window, wanted.platform)
    worlds = [_world(wanted, number, progress, tell) for number in range(wanted.worlds)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(world) for world in worlds]
    return progress, [task.result() for task in tasks]


async def _world(wanted: Wanted, number: int, progress: Progress, tell: Callable[[str], None]) -> Ended:
    folder = wanted.folder / f"world-{number}"
    folder.mkdir(parents=True)
    rng = Random(f"{wanted.seed}:{number}")
    async with AsyncExitStack() as stack:
        run = await stack.enter_async_context(_started(wanted, number, rng, progress, folder))
        await _break(run, _chosen(wanted, run), tell)
        tell(f"world {number}: {progress.kills} kills, letting it catch up")
        with progress.spending("end"):
            truth, url = await _calm(run), run.store.url
        books = await asyncio.to_thread(read, url)
    (folder / "truth.json").write_text(json.dumps(truth.as_json()), "utf-8")
    crashes = [text for service in run.services for text in service.crashes]
    posted = [span for service in run.services for span in service.posted]
    troubles = [*run.troubles, *(span for service in run.services for span in service.starts)]
    verdict = await asyncio.to_thread(
        judge, truth, books, Case.of(run.settings), crashes=crashes, posted=posted, troubles=troubles
    )
    tell(f"world {number}: {'all is well' if verdict.clean else 'something is wrong'}")
    weeks = len({week.week for week in truth.weeks})
    ended = Ended(verdict, run.ready_s, run.slow_s, run.too_late)
    if run.takeovers is not None:
        ended.too_late += run.takeovers.too_late
        ended.took_s, ended.slow_took_s = run.takeovers.took_s, run.takeovers.slow_s
    ended.injected, ended.refusals = truth.injected, truth.refusals
    ended.confirmations, ended.weeks = truth.confirmations, weeks
    ended.traced, ended.small_disk = run.traces, run.store.disk is not None
    return ended


@asynccontextmanager
async def _started(wanted: Wanted, number: int, rng: Random, progress: Progress, folder: Path) -> AsyncIterator[Run]:
    names = wanted.scenarios
    async with AsyncExitStack() as stack:
        small = "disk-full" in names
        store = await stack.enter_async_context(opened(wanted.database, folder, small=small))
        up = await stack.enter_async_context(platform(wanted, number, folder))
        remote = await stack.enter_async_context(Remote(up.control))
        wall = folder / "wall" if "clock" in names and number == 0 else None
        if wall is not None:
            wall.write_text("0", "ascii")
        services = [
            Service(f"vouch-{one}", SETTINGS, up.url, store.named(f"vouch-{one}"), folder / f"vouch-{one}.log", wall)
            for one in range(wanted.instances)
        ]
        run = Run(rng, load(SETTINGS), store, remote, services, progress, wall)
        run.traces = up.strace
        if wanted.instances > 1:
            run.takeovers = Takeovers(store.url, run.injected)
        try:
            for service in services:
                await run.launch(service)
            await run.wait_ready()
            yield run
        finally:
            for service in services:
                service.signal(signal.SIGCONT)
                await service.stop()


@asynccontextmanager
async def platform(wanted: Wanted, number: int, folder: Path) -> AsyncIterator[Up]:
    """The process that is never killed."""
    more = ["--settings", SETTINGS, "--seed", wanted.seed + 1000 * number]
    more += ["--followers", wanted.followers, "--week-s", wanted.week_s]
    more += ["--teams"] if "desk" in wanted.scenarios else []
    with (folder / "platform.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.platform", *map(str, more)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), UP_S)
            if not line:
                raise RuntimeError(f"the platform did not start; see {folder / 'platform.log'}")
            yield Up.of(json.loads(line))
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


# -- breaking things ---------------------------------------------------------------------------------------------------


def _chosen(wanted: Wanted, run: Run) -> list[Scenario]:
    found = [scenario for scenario in SCENARIOS if scenario.name in wanted.scenarios and scenario.fits(run)]
    return found or [scenario for scenario in SCENARIOS if scenario.name == "kills"]


async def _break(run: Run, scenarios: list[Scenario], tell: Callable[[str], None]) -> None:
    """Play scenarios, first each that was not played in any world, then as they are drawn, until there were enough
    kills."""
    weights = [scenario.weight for scenario in scenarios]
    in_vain, told, played = 0, time.monotonic(), run.progress.scenarios
    while (new := [scenario for scenario in scenarios if not played[scenario.name]]) or not run.progress.done:
        before = run.progress.kills
        scenario = run.rng.choice(new) if new else run.rng.choices(scenarios, weights)[0]
        played[scenario.name] += 1
        await scenario.play(run)
        in_vain = 0 if run.progress.kills > before else in_vain + 1
        if in_vain >= LOST_HEART:
            run.services[0].crashes.append(f"no kill came about any more: {dict(run.progress.missed)}")
            return
        if time.monotonic() - told > 15:
            told = time.monotonic()
            tell(f"{run.progress.kills} of {run.progress.wanted} kills, windows {dict(run.progress.windows)}")


# -- afterwards --------------------------------------------------------------------------------------------------------


async def _calm(run: Run) -> Truth:
    """Lift everything, hold the followers, let the service finish what it has, and stop it."""
    await run.remote.lift()
    await run.remote.lift()
    for service in run.services:
        if service.running:
            service.signal(signal.SIGCONT)
            service.starve(None)
        else:
            await run.come_back(service, killed=False)
    await run.wait_ready()
    await _live_on(run)
    state = await run.remote.world("hold")
    zone = next(brand.timezone for brand in run.settings.brands.values())
    over = week_at(datetime.fromtimestamp(state.at, UTC), zone).closes_at.timestamp() + LATE_S
    while state.at < over:
        await asyncio.sleep(0.3)
        state = await run.remote.world("look")
    deadline = time.monotonic() + CATCH_UP_S
    while waiting := await asyncio.to_thread(_waiting, run.store):
        if time.monotonic() > deadline:
            run.services[0].crashes.append(f"waiting for {CATCH_UP_S:.0f} s in the end: {', '.join(waiting[:5])}")
            break
        await asyncio.sleep(0.5)
    for service in run.services:
        await run.remote.gone(service.name)
        await service.stop()
    return await run.remote.truth()


async def _live_on(run: Run) -> None:
    """Let followers act while nothing is wrong."""
    before, began = (await run.remote.world("look")).acts, time.monotonic()
    await asyncio.sleep(PEACE_S)
    while time.monotonic() - began < LONGEST_PEACE_S:
        if (await run.remote.world("look")).acts - before >= PEACE_ACTS:
            return
        await asyncio.sleep(0.5)


def _waiting(store: Store) -> list[str]:
    """What is still to be said or to be found out, and why if it says so."""
    return [
        f"{row['key']} {row['state']} {row['error']}".strip()
        for row in read(store.url).outbox
        if row["state"] in ("claimed", "sending", "placed")
        or (row["state"] == "planned" and row["kind"] == "report")
        or (row["state"] == "unknown" and row["looks"] >= 0)
    ]
