"""A week by hand: the commands beside a sandbox with followers and a service that runs, and how both are stopped."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any
from urllib.request import urlopen

import pytest

from core.settings import SECRETS, load
from demo.plan import plan_of, world_of
from sandbox.clocks import Clocks
from sandbox.server import Sandbox
from tests.architecture import ROOT
from tests.command import SHIPPED, WAIT_S, Vouch, refused

TUESDAY = datetime(2026, 10, 13, 12, tzinfo=UTC)
SPEED = 5_000.0
"""A day is 17 s: the week does not end while the test looks at it."""


async def _live(running: Future[str], stop: Event) -> None:
    settings = load(ROOT / "settings.toml")
    accounts, places, channels = plan_of(settings)
    sandbox = Sandbox(accounts, places, clocks=Clocks(start=TUESDAY, speed=SPEED))
    world = world_of(sandbox, settings, channels, followers=60, seed=1)
    async with sandbox:
        living = asyncio.create_task(world.run())
        running.set_result(sandbox.url)
        await asyncio.to_thread(stop.wait)
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a sandbox with followers, for the shipped settings."""
    running: Future[str] = Future()
    stop = Event()
    thread = Thread(target=lambda: asyncio.run(_live(running, stop)))
    thread.start()
    yield running.result(timeout=WAIT_S)
    stop.set()
    thread.join()


def line(running: subprocess.Popen[str]) -> str:
    """The next line that a process writes."""
    assert running.stdout is not None
    found = running.stdout.readline()
    assert found, running.stderr.read() if running.stderr else ""
    return found


def agree(found: Mapping[str, Any]) -> bool:
    """Whether counts, NPS and range agree with each other."""
    n = found["promoters"] + found["passives"] + found["detractors"]
    if not n:
        return (found["n"], found["nps"], found["range"]) == (0, None, None)
    exact = 100 * (found["promoters"] - found["detractors"]) / n
    low, high = found["range"]
    return bool(found["n"] == n and abs(found["nps"] - exact) <= 0.5 and low <= exact <= high)


def test_a_week_by_hand(vouch: Vouch, url: str) -> None:
    here = {"VOUCH_SANDBOX__URL": url}
    asked = vouch.json("ask", **here)["asked"]
    assert set(asked.values()) == {"sent"}
    assert {key.split(":")[:3][1] for key in asked} == {"recommend"}
    assert len(asked) == 7  # all channels but the direct ones, where people are invited one by one
    assert vouch("ask", **here) == (0, "Nothing to do: everything was asked before.\n", "")

    with vouch.start("run", "--json", **here) as service:
        try:
            assert json.loads(line(service))["event"] == "ready"
            until = time.monotonic() + WAIT_S
            while not (found := vouch.json("score", **here))["named"]["n"] and time.monotonic() < until:
                pass  # the followers think; each look is a process of its own
            look_at(vouch, here, found)
            post(vouch, here, found["week"])
            service.send_signal(signal.SIGTERM)
            said, logged = service.communicate(timeout=10)
        finally:
            service.kill()
    assert (service.returncode, said) == (0, "")
    assert [secret for secret in secrets(url) if secret in logged] == []
    assert [entry for entry in map(json.loads, logged.splitlines()) if "traceback" in entry] == []


def secrets(url: str) -> set[str]:
    """The credentials of all accounts of a sandbox."""
    with urlopen(f"{url}/sandbox") as answer:
        accounts = json.load(answer)["accounts"].values()
    found = {account[key] for account in accounts for key in SECRETS[account["platform"]]}
    assert len(found) == 6
    return found


def look_at(vouch: Vouch, here: Mapping[str, str], found: Mapping[str, Any]) -> None:
    assert (found["survey"], found["week"], found["scale"]) == ("recommend", "2026-W42", "0-10")
    assert set(found) == {"survey", "week", "scale", "opens_at", "closes_at", "named", "open", "channels", "window"}
    assert found["named"]["n"] > 0
    tallies = [found["named"], found["window"], *filter(None, [found["open"]]), *found["channels"].values()]
    assert all(map(agree, tallies))
    code, said, complained = vouch("score", **here)
    assert (code, complained) == (0, "")
    assert re.search(r"named answers, all channels: NPS -?\d+", said)
    code, said, complained = vouch("report", "--week", found["week"], **here)
    assert (code, complained) == (0, "")
    assert found["week"] in said
    assert "vouch report --post" in said
    assert vouch.json("report", "--week", found["week"], **here)["week"] == found["week"]
    assert "no full week yet: `vouch score` shows the present one" in refused(vouch("report", **here))
    assert "2020-W10 was never asked; there is: 2026-W42" in refused(vouch("score", "--week", "2020-W10", **here))


def post(vouch: Vouch, here: Mapping[str, str], week: str) -> None:
    posted = vouch.json("report", "--week", week, "--post", **here)["posted"]
    assert {key.rsplit(":", 1)[0] for key in posted} == {f"report:recommend:{week}:acme"}
    assert set(posted.values()) == {"sent"}
    again = vouch("report", "--week", week, "--post", **here)
    assert again == (0, "Nothing to do: everything was posted before.\n", "")


def test_the_sandbox_of_other_settings_is_told(vouch: Vouch, url: str) -> None:
    told = refused(vouch("ask", text=SHIPPED.replace("acme-telegram", "ours"), VOUCH_SANDBOX__URL=url))
    assert re.search(r"accounts\.ours: the sandbox at .* runs with other settings; start it with these", told)


def test_the_sandbox_stands_until_it_is_interrupted(vouch: Vouch) -> None:
    with vouch.start("sandbox", "--port", "0", "--followers", "50") as sandbox:
        assert re.search(r"stand at http://127\.0\.0\.1:\d+, with 50 followers", line(sandbox))
        assert "`vouch run`" in line(sandbox)
        sandbox.send_signal(signal.SIGINT)
        said, complained = sandbox.communicate(timeout=WAIT_S)
    assert (sandbox.returncode, said, complained.strip()) == (130, "", "")
