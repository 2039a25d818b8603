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
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any
from urllib.request import urlopen

import pytest

from core.settings import SECRETS, load
from core.store import outbox
from core.store.commands import pause
from core.store.database import Database
from core.store.decisions import propose
from demo.plan import plan_of, world_of
from sandbox.clocks import Clocks
from sandbox.server import Sandbox
from tests.architecture import ROOT
from tests.command import SHIPPED, WAIT_S, Vouch, refused

TUESDAY = datetime(2026, 10, 13, 12, tzinfo=UTC)
NEXT_MONDAY = datetime(2026, 10, 19, 8, tzinfo=UTC)
SPEED = 5_000.0
"""A day is 17 s: the week does not end while the test looks at it."""


@dataclass(frozen=True)
class Stage:
    """A sandbox that runs in a thread of its own."""

    url: str
    clocks: Clocks


async def _live(running: Future[Stage], stop: Event) -> None:
    settings = load(ROOT / "settings.toml")
    accounts, places, channels = plan_of(settings)
    sandbox = Sandbox(accounts, places, clocks=Clocks(start=TUESDAY, speed=SPEED))
    world = world_of(sandbox, settings, channels, followers=60, seed=1)
    async with sandbox:
        living = asyncio.create_task(world.run())
        running.set_result(Stage(sandbox.url, sandbox.clocks))
        await asyncio.to_thread(stop.wait)
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A sandbox with followers, for the shipped settings."""
    running: Future[Stage] = Future()
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_to_while_it_waits_for_its_database(vouch: Vouch, stage: Stage, number: int) -> None:
    here = {"VOUCH_SANDBOX__URL": stage.url, "VOUCH_SERVICE__DATABASE": "postgresql://vouch@127.0.0.1:1/vouch"}
    with vouch.start("run", **here) as service:
        try:
            assert service.stderr is not None
            assert "the database server is away" in service.stderr.readline()
            service.send_signal(number)
            said, logged = service.communicate(timeout=WAIT_S)
        finally:
            service.kill()
    assert (service.returncode, said, logged) == (0, "Stopped.\n", "")


def test_a_week_by_hand(vouch: Vouch, stage: Stage) -> None:
    here = {"VOUCH_SANDBOX__URL": stage.url}
    asked = vouch.json("ask", **here)["asked"]
    assert set(asked.values()) == {"sent"}
    assert {key.split(":")[:3][1] for key in asked} == {"recommend"}
    assert len(asked) == 7  # all channels but the direct ones, where people are invited one by one
    again = "Nothing to do: this week's question was asked before. `vouch score recommend` shows how it stands; "
    assert vouch("ask", "recommend", **here) == (0, f"{again}the next is asked on Mon 10:00 (Europe/Paris).\n", "")

    with vouch.start("run", "--json", **here) as service:
        try:
            assert json.loads(line(service))["event"] == "ready"
            until = time.monotonic() + WAIT_S
            while not (found := vouch.json("score", **here))["named"]["n"] and time.monotonic() < until:
                pass  # the followers think; each look is a process of its own
            look_at(vouch, here, found)
            stays_unsent(vouch, here, found["week"])
            service.send_signal(signal.SIGTERM)
            said, logged = service.communicate(timeout=10)
        finally:
            service.kill()
    assert (service.returncode, said) == (0, "")
    assert [secret for secret in secrets(stage.url) if secret in logged] == []
    assert [entry for entry in map(json.loads, logged.splitlines()) if "traceback" in entry] == []
    stage.clocks.skip((NEXT_MONDAY - stage.clocks.now()).total_seconds())
    post(vouch, here, found["week"])


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
    assert re.search(r"named answers, all channels: NPS (-?\d+|–)", said)
    assert said.endswith("\n2026-W42 is open until Sun 18 Oct 23:59 (Europe/Paris).\n")
    code, said, complained = vouch("report", "--week", found["week"], **here)
    assert (code, complained) == (0, "")
    assert found["week"] in said
    assert "2026-W42 is open until Sun 18 Oct 23:59 (Europe/Paris); then send it with `vouch report --week" in said
    assert vouch.json("report", "--week", found["week"], **here)["week"] == found["week"]
    told = "no full week yet: 2026-W42 is open until Sun 18 Oct 23:59 (Europe/Paris); `vouch score` shows how it stands"
    assert told in refused(vouch("report", **here))
    assert "2020-W10 was never asked; there is: 2026-W42" in refused(vouch("score", "--week", "2020-W10", **here))


def stays_unsent(vouch: Vouch, here: Mapping[str, str], week: str) -> None:
    told = refused(vouch("report", "--week", week, "--post", **here))
    assert f"{week} is open until Sun 18 Oct 23:59 (Europe/Paris) and is posted once; `vouch score` shows how" in told


def post(vouch: Vouch, here: Mapping[str, str], week: str) -> None:
    code, said, complained = vouch("report", text=SHIPPED, **here)
    given = f"--settings {vouch.folder / 'own.toml'}"
    assert (code, complained) == (0, "")
    assert said.endswith(f"\n\nSend it with `vouch report {given} --post`.\n")
    assert vouch("score", **here)[1].endswith("\n`vouch report` prints the post of the last full week.\n")
    as_its_team(vouch, here)
    code, said, complained = vouch("report", "--post", **here)
    assert (code, complained) == (0, "")
    *messages, last = said.splitlines()
    assert messages == [f"team acme, message {n}: posted" for n in (1, 2)]
    assert last == "It is in the team's place now."
    nothing = "Nothing to do: it was posted before, and is never posted twice.\n"
    assert vouch("report", "--week", week, "--post", **here) == (0, nothing, "")
    assert vouch.json("report", "--post", **here) == {"posted": {}}


def as_its_team(vouch: Vouch, here: Mapping[str, str]) -> None:
    database = Database(f"sqlite:///{vouch.folder}/vouch.db")
    with database.engine.begin() as connection:
        propose(connection, "recommend", "2026-W41", "acme", "Delivery", TUESDAY)
    line = "Last week: nobody took Delivery."
    assert line not in vouch("report", **here)[1]
    assert line in vouch("report", "--team", "acme", **here)[1].splitlines()
    told = refused(vouch("report", "--team", "all", **here))
    assert "recommend does not report to a team 'all'; there is: acme" in told
    told = refused(vouch("report", "--team", "acme", "--post", **here))
    assert "--post sends it to all its teams; --preview, --proof and --team only look: choose one" in told


def test_the_sandbox_of_other_settings_is_told(vouch: Vouch, stage: Stage) -> None:
    told = refused(vouch("ask", text=SHIPPED.replace("acme-telegram", "ours"), VOUCH_SANDBOX__URL=stage.url))
    assert re.search(r"accounts\.ours: the sandbox at .* runs with other settings; start it with these", told)


def test_what_is_asked_is_told_in_words(vouch: Vouch, stage: Stage) -> None:
    code, said, complained = vouch("ask", VOUCH_SANDBOX__URL=stage.url)
    assert (code, complained) == (0, "")
    assert {"x-poll: asked", "telegram-buttons: asked", "discord-poll: asked"} < set(said.splitlines())
    assert said.endswith("\nSee who answers with `vouch score`; `vouch run` listens for answers.\n")
    assert "vouch report" not in vouch("score", VOUCH_SANDBOX__URL=stage.url)[1]


def test_a_paused_survey_is_not_asked_by_hand_either(vouch: Vouch, stage: Stage) -> None:
    database = Database(f"sqlite:///{vouch.folder}/vouch.db")
    database.create()
    with database.engine.begin() as connection:
        pause(connection, "recommend", True)
    told = refused(vouch("ask", VOUCH_SANDBOX__URL=stage.url))
    assert "recommend is paused: write /resume in its team's channel, then ask again" in told
    with database.reading() as connection:
        assert outbox.keys_like(connection, "ask:") == []


def test_a_service_says_when_it_is_up_and_when_it_stopped(vouch: Vouch, stage: Stage) -> None:
    with vouch.start("run", VOUCH_SANDBOX__URL=stage.url) as service:
        assert re.search(r"^Vouch is up after [\d.]+ s on acme-x, acme-telegram, acme-discord\.$", line(service))
        assert line(service) == "Stop it with Ctrl-C; see `vouch score` meanwhile.\n"
        service.send_signal(signal.SIGINT)
        said, _ = service.communicate(timeout=WAIT_S)
    assert (service.returncode, said) == (0, "Stopped.\n")


def test_the_sandbox_stands_until_it_is_interrupted(vouch: Vouch) -> None:
    path = vouch.settings(SHIPPED)
    with vouch.start("sandbox", "--port", "0", "--followers", "50", "--settings", str(path)) as sandbox:
        found = re.search(
            r"^X, Telegram and Discord stand at (http://127\.0\.0\.1:\d+), with 50 followers", line(sandbox)
        )
        assert found is not None
        next_step = f"`VOUCH_SANDBOX__URL={found[1]} vouch run --settings {path}` in another terminal.\n"
        assert line(sandbox) == f"Now run {next_step}"
        sandbox.send_signal(signal.SIGINT)
        said, complained = sandbox.communicate(timeout=WAIT_S)
    assert (sandbox.returncode, said, complained.strip()) == (130, "", "")


def test_a_script_gets_the_sandboxes_address(vouch: Vouch) -> None:
    with vouch.start("sandbox", "--port", "0", "--followers", "50", "--json") as sandbox:
        ready = json.loads(line(sandbox))
        with urlopen(f"{ready['url']}/sandbox") as answer:
            assert json.load(answer)["clock"]["speed"] == 10_080
        sandbox.send_signal(signal.SIGINT)
        assert sandbox.communicate(timeout=WAIT_S) == ("", "")
    assert ready["event"] == "ready"
