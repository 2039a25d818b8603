"""What the time is: the platforms', asked over a real socket, where the machine's clock is wrong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.utils import formatdate

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from connecting import LOOK_S, TIME_AGAIN_S, TIME_OFTEN_S, Connections, Watch, connections
from core.settings import AccountSettings, SandboxSettings, Settings
from sandbox.clocks import Clocks
from sandbox.server import Sandbox
from tests.core.test_clock import DAY_S, Machine

RESOLUTION_S = 1.0
"""A ``Date`` has whole seconds."""


@dataclass
class Platform:
    """Tells a time of its own, or none."""

    now: float
    age: int = 0
    """So long its answer lay in a cache."""
    tells: bool = True
    asked: int = 0
    url: str = field(default="", init=False)

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        aged = {"Age": str(self.age)} if self.age else {}
        return web.Response(
            status=404, headers={"Date": formatdate(self.now, usegmt=True) if self.tells else "", **aged}
        )

    async def found(self, machine: Machine) -> Connections:
        """How the account is reached from a machine."""
        account = AccountSettings(platform="telegram", base_url=self.url, token=SecretStr("1:a"))
        return await connections(Settings(accounts={"tg": account}), machine.wall)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
async def platform(machine: Machine) -> AsyncIterator[Platform]:
    """Its clock is right at first."""
    running = Platform(machine.wall_s)
    app = web.Application()
    app.router.add_get("/{any:.*}", running.answer)
    async with TestServer(app) as server:
        running.url = str(server.make_url("")).rstrip("/")
        yield running


async def lived(machine: Machine, platform: Platform, watch: Watch, seconds: float) -> None:
    """Time goes by, everywhere."""
    for _ in range(int(seconds / LOOK_S)):
        machine.live(LOOK_S)
        platform.now += LOOK_S
        await watch.look()


@pytest.mark.parametrize("off_s", [-400 * DAY_S, -400, -15, 15, 400, 400 * DAY_S])
async def test_a_machine_whose_clock_is_wrong_goes_by_the_platforms(
    machine: Machine, platform: Platform, off_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    platform.now -= off_s
    found = await platform.found(machine)
    assert found.clock.wall() == pytest.approx(platform.now, abs=RESOLUTION_S)
    assert found.compared
    assert [record.levelno for record in caplog.records] == [logging.ERROR if abs(off_s) > 600 else logging.WARNING]
    assert f"this machine's clock is {'400 days' if abs(off_s) > 600 else '0:'}" in caplog.text
    watch = Watch(found, lambda: None)
    await lived(machine, platform, watch, 60)
    assert found.clock.wall() == pytest.approx(platform.now, abs=RESOLUTION_S)
    machine.wall_s -= off_s  # somebody sets it: nothing happens
    await lived(machine, platform, watch, 60)
    assert found.clock.wall() == pytest.approx(platform.now, abs=RESOLUTION_S)
    assert len(caplog.records) == 1


async def test_an_answer_out_of_a_cache_says_how_old_it_is(machine: Machine, platform: Platform) -> None:
    platform.now, platform.age = platform.now - 3_000, 3_000
    assert (await platform.found(machine)).clock.wall() == machine.wall_s


async def test_a_machine_that_stood_still_and_was_set_is_right_and_not_our_count(
    machine: Machine, platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    found, jumps = await platform.found(machine), [0]
    watch = Watch(found, lambda: jumps.append(1))
    platform.now += 3_000
    machine.wall_s += 3_000
    await lived(machine, platform, watch, 20)
    assert found.clock.wall() == machine.wall_s
    assert (sum(jumps), platform.asked) == (1, 2)
    assert [record.getMessage() for record in caplog.records] == [
        "Vouch's own count of the time was 0:50:00 behind the platforms': it goes by theirs"
    ]


async def test_a_clock_that_jumps_alone_is_told_once_and_not_followed(
    machine: Machine, platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    found = await platform.found(machine)
    watch = Watch(found, lambda: None)
    machine.wall_s += 3_000
    await lived(machine, platform, watch, 20)
    assert found.clock.wall() == pytest.approx(platform.now, abs=RESOLUTION_S)
    assert [record.getMessage() for record in caplog.records] == [
        "this machine's clock is 3000 s off; Vouch goes on by its own count"
    ]


async def test_a_clock_that_goes_wrong_slowly_is_put_right_while_we_run(machine: Machine, platform: Platform) -> None:
    found = await platform.found(machine)
    watch = Watch(found, lambda: None)
    platform.now += 60  # as after two weeks of 50 millionths
    await lived(machine, platform, watch, TIME_OFTEN_S - LOOK_S)
    assert platform.asked == 1
    await lived(machine, platform, watch, 2 * LOOK_S)
    assert platform.asked == 2
    assert found.clock.wall() == pytest.approx(platform.now, abs=RESOLUTION_S)


async def test_platforms_are_asked_again_soon_until_one_tells_the_time(machine: Machine, platform: Platform) -> None:
    platform.now -= 400
    platform.tells = False
    found = await platform.found(machine)
    assert not found.compared
    watch = Watch(found, lambda: None)
    await lived(machine, platform, watch, 2 * TIME_AGAIN_S)
    assert (platform.asked, found.clock.wall()) == (3, machine.wall_s)
    platform.tells = True
    await lived(machine, platform, watch, TIME_AGAIN_S)
    assert found.clock.wall() == pytest.approx(platform.now, abs=RESOLUTION_S)


async def test_a_sandbox_tells_its_own_time(machine: Machine) -> None:
    wire = [machine.wall_s - 400]
    async with asyncio.timeout(20), Sandbox(accounts=[], places=[], clocks=Clocks(wire=lambda: wire[0])) as sandbox:
        settings = Settings(sandbox=SandboxSettings(url=sandbox.url))
        found = await connections(settings, machine.wall)
        assert found.clock.wall() == wire[0]
        wire[0] += 60
        assert await found.times() == [wire[0]]
    assert await found.times() == []
