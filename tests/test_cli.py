"""The command line: every mistake is one line that names the mend, scripts get JSON, and a stop is clean."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

import cli
from core.settings import load
from demo.plan import plan_of, world_of
from sandbox.clocks import Clocks
from sandbox.server import Sandbox
from tests.architecture import ROOT

SHIPPED = (ROOT / "settings.toml").read_text("utf-8")
LIVE = re.sub(r"\[sandbox\].*?(?=# Brands)", "", SHIPPED, flags=re.DOTALL)
"""The same without a sandbox."""
TOKEN = "8412973650:AAE-canary-canary-canary-canary-canar"
WAIT_S = 40.0


@dataclass
class Vouch:
    """The ``vouch`` command in a folder of its own, with a settings file."""

    folder: Path

    def settings(self, text: str, mode: int = 0o600) -> Path:
        path = self.folder / "own.toml"
        path.write_text(text, "utf-8")
        path.chmod(mode)
        return path

    def start(self, *arguments: str, text: str | None = None, **environment: str) -> subprocess.Popen[str]:
        if text is not None:
            arguments = (*arguments, "--settings", str(self.settings(text)))
        clean = {key: value for key, value in os.environ.items() if not key.startswith("VOUCH_")}
        return subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), *arguments],
            cwd=self.folder,
            env=clean | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, text: str | None = None, **environment: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of a process of its own."""
        with self.start(*arguments, text=text, **environment) as running:
            said, complained = running.communicate(timeout=WAIT_S)
            return running.returncode, said, complained

    def here(self, *arguments: str, text: str | None = None, **environment: str) -> tuple[int, str, str]:
        """The same in this process, which is quicker."""
        if text is not None:
            arguments = (*arguments, "--settings", str(self.settings(text)))
        said, complained = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patched, contextlib.chdir(self.folder):
            for name in [name for name in os.environ if name.startswith("VOUCH_")]:
                patched.delenv(name)
            for name, value in environment.items():
                patched.setenv(name, value)
            with (
                contextlib.redirect_stdout(said),
                contextlib.redirect_stderr(complained),
                pytest.raises(SystemExit) as end,
            ):
                cli.main(arguments)
        return int(end.value.code or 0), said.getvalue(), complained.getvalue()

    def json(self, *arguments: str, **environment: str) -> Any:
        code, said, complained = self(*arguments, "--json", **environment)
        assert (code, complained) == (0, "")
        return json.loads(said)


@pytest.fixture
def vouch(tmp_path: Path) -> Vouch:
    return Vouch(tmp_path)


def refused(found: tuple[int, str, str]) -> str:
    """The one line that was said when nothing else was done."""
    code, said, complained = found
    assert (code, said) == (2, ""), complained
    assert complained.startswith("vouch: ")
    assert complained.count("\n") == 1
    assert "Traceback" not in complained
    return complained


WRONG_SETTINGS = {
    "key": ("tick_s = 1.0", "tack_s = 1.0", r"service\.tack_s: there is no such setting; see"),
    "table": ("[service]", "[servant]", r"servant: there is no such setting; see"),
    "no survey": ("[surveys.recommend]", "[brands.b]\nname = 'B'\n[brands.c]", r"brands\.c"),
    "missing": ('brand = "acme"\n', "", r"surveys\.recommend\.brand: missing; add it"),
    "type": ("tick_s = 1.0", 'tick_s = "often"', r"service\.tick_s: .*valid number"),
    "range": ("tick_s = 1.0", "tick_s = 0", r"service\.tick_s: .*greater than 0"),
    "kind": ('kind = "poll"', 'kind = "pole"', r"channels\.x-poll\.kind: .*'poll', 'buttons'"),
    "scale": ('scale = "0-10"', 'scale = "1-5"', r"surveys\.recommend\.scale: .*'0-10' or '1-10'"),
    "platform": ('platform = "x"', 'platform = "y"', r"accounts\.acme-x\.platform: .*'telegram', 'discord' or 'x'"),
    "toml": ("[service]", "[[[", r"cannot be read: .*line \d+"),
    "account": ('account = "acme-x"', 'account = "acme"', r"x-poll\.account: there is no \[accounts\.acme\]; there is"),
    "channel": ('"x-poll", ', '"x-pol", ', r"recommend\.channels: there is no \[channels\.x-pol\]; there is: .*x-poll"),
    "team": ('teams = ["acme"]', 'teams = ["us"]', r"recommend\.teams: there is no \[teams\.us\]; there is: acme"),
    "brand": ('brand = "acme"', 'brand = "us"', r"recommend\.brand: there is no \[brands\.us\]; there is: acme"),
    "report": ('report = "Mon 09:00"', 'report = "Monday"', r"teams\.acme: 'Monday' is no moment .* 'Mon 09:00'"),
    "ask": ('ask = "Mon 10:00"', 'ask = "Mon 25:00"', r"surveys\.recommend: 'Mon 25:00' is no moment .* 'Mon 09:00'"),
    "zone": ('"Europe/Paris"', '"Europe/Pari"', r"there is no time zone 'Europe/Pari': write .*'Europe/Paris'"),
    "sandbox": ("http://127.0.0.1:8025", "http://evil.example", r"sandbox\.url: .*write http://127\.0\.0\.1:PORT"),
    "empty": (SHIPPED, "", r"no survey; add a table \[surveys\.NAME\]"),
}


@pytest.mark.parametrize("case", WRONG_SETTINGS)
def test_wrong_settings_are_told_in_one_line_with_the_mend(vouch: Vouch, case: str) -> None:
    right, wrong, told = WRONG_SETTINGS[case]
    assert right in SHIPPED
    assert re.search(told, refused(vouch.here("settings", text=SHIPPED.replace(right, wrong))))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("score", "--settings", "none.toml"), r"there is no file none\.toml: name yours with --settings"),
        (("demo", "--settings", "none.toml"), r"there is no file none\.toml: name yours with --settings"),
        (("settings", "--settings", "."), r"cannot be read: .*directory"),
        (("score", "loyalty"), r"there is no survey 'loyalty'; there is: recommend"),
        (("score", "--week", "2026-W60"), r"'2026-W60' is no week: write year and ISO week such as '2026-W47'"),
        (("score", "--week", "2020-W10"), r"recommend: 2020-W10 was never asked; nothing was asked yet"),
        (("score",), r"recommend: nothing was asked yet; .*`vouch ask` asks now"),
        (("score", "--json"), r"recommend: nothing was asked yet"),
        (("report",), r"recommend: nothing was asked yet"),
        (("report", "--week", "last"), r"'last' is no week: write"),
        (("demo", "--followers", "10"), r"'--followers': .*greater than or equal to 50; see `vouch demo --help`"),
        (("demo", "--followers", "many"), r"'--followers': .*integer; see `vouch demo --help`"),
        (("scroe",), r"No such command 'scroe'\. Did you mean 'score'\?; see `vouch --help`"),
        (("score", "--wek", "2026-W47"), r"No such option: --wek .*--week.*; see `vouch score --help`"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_told_in_one_line_with_the_mend(
    vouch: Vouch, arguments: tuple[str, ...], told: str
) -> None:
    assert re.search(told, refused(vouch.here(*arguments)))


@pytest.mark.parametrize(
    ("database", "told"),
    [
        ("nonsense", r"service\.database: .*write sqlite:///FILE or postgresql://"),
        ("sqlite:////no/such/folder/vouch.db", r"cannot be opened: .*; see service\.database"),
        ("postgresql://vouch:canary-word@127.0.0.1:9/vouch", r"cannot be opened: .*refused.*; see service\.database"),
    ],
)
def test_a_database_that_cannot_be_opened_is_told_without_its_password(vouch: Vouch, database: str, told: str) -> None:
    complaint = refused(vouch.here("score", VOUCH_SERVICE__DATABASE=database))
    assert re.search(told, complaint)
    assert "canary-word" not in complaint


@pytest.mark.parametrize("command", [("run",), ("ask",), ("report", "--post")], ids=" ".join)
def test_without_its_secrets_nothing_starts(vouch: Vouch, command: tuple[str, ...]) -> None:
    told = refused(vouch.here(*command, text=LIVE))
    assert "accounts.acme-x: no consumer_key; put it into the environment variable VOUCH_ACME_X_CONSUMER_KEY" in told


@pytest.mark.parametrize("command", [("run",), ("ask",), ("report", "--post")], ids=" ".join)
def test_where_no_sandbox_answers_that_is_told(vouch: Vouch, command: tuple[str, ...]) -> None:
    told = refused(vouch.here(*command, VOUCH_SANDBOX__URL="http://127.0.0.1:9"))
    assert "sandbox.url: nothing answers at http://127.0.0.1:9; start it with `vouch sandbox`" in told


ONE = """
[service]
database = "sqlite:///vouch.db"
[brands.b]
name = "B"
[accounts.tg]
platform = "telegram"
base_url = "{base_url}"
[channels.c]
account = "tg"
place = "-1001000000001"
[surveys.s]
brand = "b"
channels = ["c"]
"""


def test_where_no_platform_answers_that_is_told_without_the_token(vouch: Vouch) -> None:
    text = ONE.format(base_url="http://127.0.0.1:9")
    told = refused(vouch.here("ask", text=text, VOUCH_TG_TOKEN=TOKEN))
    assert told.startswith("vouch: tg: ")
    assert TOKEN not in told


def test_a_token_never_leaves_this_machine_unencrypted(vouch: Vouch) -> None:
    told = refused(vouch.here("ask", text=ONE.format(base_url="http://telegram.example"), VOUCH_TG_TOKEN=TOKEN))
    assert re.search(r"base_url.*https", told)
    assert TOKEN not in told


class _Stranger(BaseHTTPRequestHandler):
    """Some other program of this machine, which answers with JSON too."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"hello": "world"}')

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def test_something_else_at_the_sandboxs_address_is_told(vouch: Vouch) -> None:
    with HTTPServer(("127.0.0.1", 0), _Stranger) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        told = refused(vouch.here("ask", VOUCH_SANDBOX__URL=f"http://127.0.0.1:{server.server_port}"))
        server.shutdown()
        thread.join()
    assert "is no sandbox; start one with `vouch sandbox`" in told


def test_a_port_that_is_taken_is_told(vouch: Vouch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert re.search(rf"port {port} cannot be used .*--port", refused(vouch.here("sandbox", "--port", str(port))))


# -- secrets -----------------------------------------------------------------------------------------------------------


def with_token(text: str) -> str:
    return text.replace('platform = "telegram"', f'platform = "telegram"\ntoken = "{TOKEN}"')


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read_is_refused(vouch: Vouch, mode: int) -> None:
    path = vouch.settings(with_token(LIVE), mode)
    told = refused(vouch.here("settings", "--settings", str(path)))
    assert f"accounts.acme-telegram holds a secret that others can read: chmod 600 {path}" in told
    assert TOKEN not in told


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["text", "json"])
def test_settings_are_shown_without_secrets(vouch: Vouch, as_json: tuple[str, ...]) -> None:
    text = with_token(LIVE).replace("sqlite:///vouch.db", "postgresql://vouch:canary-word@db.example/vouch")
    code, said, complained = vouch.here("settings", *as_json, text=text, VOUCH_ACME_DISCORD_TOKEN=TOKEN[::-1])
    assert (code, complained) == (0, "")
    assert "***" in said
    assert not [word for word in (TOKEN, TOKEN[::-1], "canary-word") if word in said]


def test_settings_as_json_are_what_the_file_says(vouch: Vouch) -> None:
    shown = vouch.json("settings", VOUCH_SERVICE__TICK_S="2")
    assert shown["service"].items() >= {"database": "sqlite:///vouch.db", "tick_s": 2.0}.items()
    assert shown["teams"]["acme"]["report"] == "Mon 09:00"
    assert set(shown) == {"service", "sandbox", "brands", "accounts", "channels", "teams", "surveys"}


# -- beside a running sandbox and service ------------------------------------------------------------------------------

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
    return found["n"] == n and abs(found["nps"] - exact) <= 0.5 and low <= exact <= high


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
    assert [entry for entry in map(json.loads, logged.splitlines()) if "traceback" in entry] == []


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
