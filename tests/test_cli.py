"""The command line: every mistake is one line that names the mend, and no secret is ever shown."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import typer.main

import cli
from core.models import SCHEMA
from core.settings import load
from core.understood import settings_text
from tests.command import SHIPPED, Vouch, refused

LIVE = re.sub(r"\[sandbox\].*?(?=# Brands)", "", SHIPPED, flags=re.DOTALL)
"""The same without a sandbox."""
MISSING = [
    *(f"VOUCH_ACME_X_{name}" for name in ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")),
    *("VOUCH_ACME_TELEGRAM_TOKEN", "VOUCH_ACME_DISCORD_TOKEN"),
]
"""The secrets that it needs."""
COMMANDS: Mapping[str, Any] = getattr(typer.main.get_command(cli.app), "commands")  # noqa: B009 (typer's own click)
TOKEN = "8412973650:AAE-canary-canary-canary-canary-canar"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("score", "--settings", "none.toml"), r"there is no file none\.toml: name yours with --settings"),
        (("demo", "--settings", "none.toml"), r"there is no file none\.toml: name yours with --settings"),
        (("settings", "--settings", "."), r"is a folder: name the settings file in it with --settings"),
        (("score", "loyalty"), r"there is no survey 'loyalty'; there is: recommend"),
        (("score", "--week", "2026-W60"), r"'2026-W60' is no week: write year and ISO week such as '2026-W47'"),
        (("score", "--week", "2020-W10"), r"recommend: nothing was asked yet \(there is no vouch\.db\)"),
        (("score",), r"recommend: nothing was asked yet .*; .*`vouch ask` asks now"),
        (("sandbox", "--port", "99999"), r"'--port': .*less than or equal to 65535; see `vouch sandbox --help`"),
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
    assert list(vouch.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("score",), "recommend: nothing was asked yet"),
        (("demo", "--settings", "none.toml"), "there is no file none.toml"),
        (("run", "--loud"), "No such option: --loud"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_script_gets_what_is_wrong_as_json(vouch: Vouch, arguments: tuple[str, ...], told: str) -> None:
    code, said, complained = vouch.here(*arguments, "--json")
    assert (code, said, complained.count("\n")) == (2, "", 1)
    assert told in json.loads(complained)["error"]


def test_the_version_is_told(vouch: Vouch) -> None:
    code, said, complained = vouch.here("--version")
    assert (code, complained) == (0, "")
    assert re.fullmatch(r"vouch \d+\.\d+\.\d+\n", said)


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)], ids=lambda words: " ".join(words) or "vouch")
def test_every_option_is_explained(vouch: Vouch, command: tuple[str, ...]) -> None:
    code, said, complained = vouch.here(*command, "-h")
    assert (code, complained) == (0, "")
    assert said == vouch.here(*command, "--help")[1]
    assert "wave" not in said.lower()
    options = COMMANDS[command[0]].params if command else []
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize(
    ("database", "told"),
    [
        ("nonsense", r"service\.database: .*write sqlite:///FILE or postgresql://"),
        ("sqlite:////no/such/folder/vouch.db", r"there is no folder /no/such/folder; see service\.database"),
        (
            "postgresql://vouch:canary-word@127.0.0.1:9/vouch",
            r"server is away: .*service\.database .*refused",
        ),
    ],
)
def test_a_database_that_cannot_be_opened_is_told_without_its_password(vouch: Vouch, database: str, told: str) -> None:
    complaint = refused(vouch.here("score", VOUCH_SERVICE__DATABASE=database))
    assert re.search(told, complaint)
    assert "canary-word" not in complaint


@pytest.mark.parametrize("command", [("run",), ("ask",), ("report", "--post")], ids=" ".join)
def test_without_its_secrets_nothing_starts(vouch: Vouch, command: tuple[str, ...]) -> None:
    told = refused(vouch.here(*command, text=LIVE))
    assert "no consumer_key for accounts.acme-x; put what is missing into the environment: " in told
    assert re.findall(r"VOUCH_\w+", told) == MISSING


def test_what_is_there_is_not_missing(vouch: Vouch) -> None:
    told = refused(vouch.here("run", text=LIVE, VOUCH_ACME_X_CONSUMER_KEY="key", VOUCH_ACME_TELEGRAM_TOKEN=TOKEN))
    assert "no consumer_secret for accounts.acme-x" in told
    assert set(re.findall(r"VOUCH_\w+", told)) == set(MISSING) - {
        "VOUCH_ACME_X_CONSUMER_KEY",
        "VOUCH_ACME_TELEGRAM_TOKEN",
    }


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


def test_settings_say_whom_they_speak_to_and_what_is_missing(vouch: Vouch) -> None:
    _, said, _ = vouch.here("settings", text=LIVE, VOUCH_ACME_DISCORD_TOKEN=TOKEN)
    path = vouch.folder / "own.toml"
    assert said.startswith(f"Read from {path}. Vouch speaks to the real platforms.\n")
    assert "\naccounts.acme-discord.token = *** (from VOUCH_ACME_DISCORD_TOKEN)\n" in said
    assert re.findall(r"^  (VOUCH_\w+)$", said, re.MULTILINE) == MISSING[:-1]
    assert said.endswith(f"Next: set them, then `vouch settings --settings {path}` again.\n")
    _, said, _ = vouch.here("settings", text=LIVE, **dict.fromkeys(MISSING, TOKEN))
    assert said.endswith(f"No secret is missing. Next: `vouch run --settings {path}`.\n")
    _, said, _ = vouch.here("settings")
    assert "Vouch speaks to the sandbox at http://127.0.0.1:8025.\n" in said
    assert "Missing" not in said
    assert said.endswith("Next: `vouch sandbox` in one terminal, `vouch run` in another.\n")


@pytest.mark.parametrize(
    ("now", "asked", "posted"),
    [
        ("2026-11-23T08:30", "on Mon 23 Nov 10:00", "on Mon 30 Nov 09:00"),
        ("2026-11-23T07:30", "on Mon 23 Nov 10:00", "on Mon 23 Nov 09:00"),
        ("2026-11-25T12:00", "as soon as Vouch runs, then on Mon 30 Nov 10:00", "on Mon 30 Nov 09:00"),
    ],
)
def test_settings_say_when_is_asked_and_posted_next(vouch: Vouch, now: str, asked: str, posted: str) -> None:
    path = vouch.settings(LIVE)
    said = settings_text(load(path), path, "", datetime.fromisoformat(f"{now}+00:00"), "")
    assert (
        f"\nrecommend asks for Acme, 0-10, {asked} (Europe/Paris), in\n  x-poll: poll on the timeline of acme-x\n"
        in said
    )
    assert "\n  telegram-direct: in direct messages of acme-telegram\n" in said
    assert f"\nTeam acme gets the post {posted} (Europe/Paris), in -1001000000009 of acme-telegram.\n" in said
    made_up = vouch.here("settings")[1]  # the sandbox's calendar is its own
    assert "\nrecommend asks for Acme, 0-10, on Mon 10:00 (Europe/Paris), in\n" in made_up


def test_settings_say_why_a_database_cannot_be_used(vouch: Vouch) -> None:
    def told(url: str, **more: str) -> str:
        said = vouch.here("settings", text=LIVE, **{"VOUCH_SERVICE__DATABASE": url, **more})[1]
        return said.partition("The database cannot be used: ")[2]

    secrets = dict.fromkeys(MISSING, TOKEN)
    nowhere = told("sqlite:////nowhere/vouch.db", **secrets)
    assert nowhere.startswith("there is no folder /nowhere; see service.database.\n")
    assert "Next: mend the database, then `vouch settings" in nowhere
    file = vouch.folder / "made-up.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE kept (name TEXT PRIMARY KEY, value TEXT)")
        connection.executemany("INSERT INTO kept VALUES (?, ?)", [("schema", str(SCHEMA)), ("sandbox", "there")])
        connection.commit()
    assert "made-up followers answered; name another file" in told(f"sqlite:///{file}", **secrets)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE kept SET value = '' WHERE name = 'sandbox'")
        connection.commit()
    assert told(f"sqlite:///{file}", **secrets) == ""
    assert "it holds what real people answered" in told(f"sqlite:///{file}", VOUCH_SANDBOX__URL="http://127.0.0.1:8025")
    (vouch.folder / "no.db").write_text("this is no database, and far too long to be taken for an empty one")
    assert told(f"sqlite:///{vouch.folder / 'no.db'}").startswith("the database's file is damaged")
    assert "server is away" in told("postgresql://vouch@/vouch?host=/nowhere/at/all")
    assert not [found for found in vouch.folder.glob("*") if found.suffix in (".db-wal", ".lock")]
    assert told("sqlite:///new.db", **secrets) == ""
    assert not (vouch.folder / "new.db").exists()


def test_settings_say_which_file_a_secret_is_from(vouch: Vouch) -> None:
    (vouch.folder / "acme-telegram.token").write_text(TOKEN)
    _, said, _ = vouch.here("settings", text=LIVE, CREDENTIALS_DIRECTORY=str(vouch.folder))
    assert f"accounts.acme-telegram.token = *** (from {vouch.folder / 'acme-telegram.token'})\n" in said
    assert TOKEN not in said


def test_settings_as_json_are_what_the_file_says(vouch: Vouch) -> None:
    shown = vouch.json("settings", VOUCH_SERVICE__TICK_S="2")
    assert shown["service"].items() >= {"database": "sqlite:///vouch.db", "tick_s": 2.0}.items()
    assert shown["teams"]["acme"]["report"] == "Mon 09:00"
    tables = {"service", "sandbox", "brands", "accounts", "channels", "teams", "themes", "benchmarks", "surveys"}
    assert set(shown) == tables
