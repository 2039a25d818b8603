"""The command line: every mistake is one line that names the mend, scripts get JSON, and a stop is clean."""

from __future__ import annotations

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
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import cli
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
    line = refused(vouch.here("score", VOUCH_SERVICE__DATABASE=database))
    assert re.search(told, line)
    assert "canary-word" not in line


@pytest.mark.parametrize("command", [("run",), ("ask",), ("report", "--post")], ids=" ".join)
def test_without_its_secrets_nothing_starts(vouch: Vouch, command: tuple[str, ...]) -> None:
    line = refused(vouch.here(*command, text=LIVE))
    assert "accounts.acme-x: no consumer_key; put it into the environment variable VOUCH_ACME_X_CONSUMER_KEY" in line


@pytest.mark.parametrize("command", [("run",), ("ask",), ("report", "--post")], ids=" ".join)
def test_where_no_sandbox_answers_that_is_told(vouch: Vouch, command: tuple[str, ...]) -> None:
    line = refused(vouch.here(*command, VOUCH_SANDBOX__URL="http://127.0.0.1:9"))
    assert "sandbox.url: nothing answers at http://127.0.0.1:9; start it with `vouch sandbox`" in line


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
    line = refused(vouch.here("ask", text=text, VOUCH_TG_TOKEN=TOKEN))
    assert line.startswith("vouch: tg: ")
    assert TOKEN not in line


def test_a_token_never_leaves_this_machine_unencrypted(vouch: Vouch) -> None:
    line = refused(vouch.here("ask", text=ONE.format(base_url="http://telegram.example"), VOUCH_TG_TOKEN=TOKEN))
    assert re.search(r"base_url.*https", line)
    assert TOKEN not in line


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
        line = refused(vouch.here("ask", VOUCH_SANDBOX__URL=f"http://127.0.0.1:{server.server_port}"))
        server.shutdown()
        thread.join()
    assert "is no sandbox; start one with `vouch sandbox`" in line


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
    line = refused(vouch.here("settings", "--settings", str(path)))
    assert f"accounts.acme-telegram holds a secret that others can read: chmod 600 {path}" in line
    assert TOKEN not in line


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


@dataclass
class Beside:
    """A sandbox and a service that run, and the command beside them."""

    vouch: Vouch
    environment: Mapping[str, str]
    service: subprocess.Popen[str]

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        return self.vouch(*arguments, **self.environment)

    def json(self, *arguments: str) -> Any:
        return self.vouch.json(*arguments, **self.environment)


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    vouch = Vouch(tmp_path_factory.mktemp("beside"))
    fast = ("--port", "0", "--followers", "60", "--seed", "1", "--speed", "20000")
    with vouch.start("sandbox", *fast) as sandbox:
        try:
            url = re.search(r"http://127\.0\.0\.1:\d+", _line(sandbox))
            assert url is not None
            environment = {"VOUCH_SANDBOX__URL": url[0]}
            with vouch.start("run", "--json", **environment) as service:
                try:
                    assert json.loads(_line(service))["event"] == "ready"
                    yield Beside(vouch, environment, service)
                finally:
                    service.kill()
        finally:
            sandbox.kill()


def _line(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    line = running.stdout.readline()
    assert line, running.stderr.read() if running.stderr else ""
    return line


def numbers(found: Mapping[str, Any]) -> bool:
    """Whether counts, NPS and range agree with each other."""
    n = found["promoters"] + found["passives"] + found["detractors"]
    low, high = found["range"] or (None, None)
    exact = 100 * (found["promoters"] - found["detractors"]) / n if n else None
    agree = exact is None or (abs(found["nps"] - exact) <= 0.5 and low <= exact <= high)
    return found["n"] == n and agree and (n > 0 or (found["nps"], found["range"]) == (None, None))


def test_a_week_by_hand(beside: Beside) -> None:
    code, said, complained = beside("ask", "--json")
    assert (code, complained) == (0, "")
    asked = json.loads(said)["asked"]
    assert set(asked.values()) <= {"sent"}
    again = beside.json("ask")["asked"]
    assert not set(asked) & set(again)  # said once for ever

    before = time.monotonic()
    found = beside.json("score")
    while not found["named"]["n"] and time.monotonic() < before + WAIT_S:
        found = beside.json("score")  # a process of a second, as long as the followers think
    assert found["named"]["n"] > 0
    assert (found["survey"], found["scale"]) == ("recommend", "0-10")
    assert set(found) == {"survey", "week", "scale", "opens_at", "closes_at", "named", "open", "channels", "window"}
    assert numbers(found["named"])
    assert numbers(found["window"])
    assert all(numbers(tally) for tally in found["channels"].values())
    week = found["week"]

    code, said, complained = beside("score", "--week", week)
    assert (code, complained) == (0, "")
    assert re.search(r"named answers, all channels: NPS -?\d+", said)
    code, said, _ = beside("report", "--week", week)
    assert code == 0
    assert week in said
    assert "vouch report --post" in said
    assert beside.json("report", "--week", week)["week"] == week
    assert "was never asked; there is: " in refused(beside("report", "--week", "2020-W10"))

    posted = beside.json("report", "--week", week, "--post")["posted"]
    assert posted
    assert set(posted.values()) == {"sent"}
    assert {key.split(":")[0] for key in posted} == {"report"}
    code, said, complained = beside("report", "--week", week, "--post")
    assert (code, said, complained) == (0, "Nothing to do: everything was posted before.\n", "")


def test_the_service_stops_cleanly_when_it_is_told_to(beside: Beside) -> None:
    started = time.monotonic()
    beside.service.send_signal(signal.SIGTERM)
    said, logged = beside.service.communicate(timeout=WAIT_S)
    assert beside.service.returncode == 0
    assert said == ""
    assert "Traceback" not in logged
    assert '"traceback"' not in logged
    assert not [line for line in logged.splitlines() if json.loads(line)["level"] == "error"]
    assert time.monotonic() - started < 10


def test_the_sandbox_of_other_settings_is_told(beside: Beside) -> None:
    text = SHIPPED.replace("acme-telegram", "ours")
    line = refused(beside.vouch("ask", text=text, **beside.environment))
    assert re.search(r"accounts\.ours: the sandbox at .* runs with other settings; start it with these", line)
