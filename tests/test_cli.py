"""The command line: every mistake is one line that names the mend, and no secret is ever shown."""

from __future__ import annotations

import re
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.command import SHIPPED, Vouch, refused

LIVE = re.sub(r"\[sandbox\].*?(?=# Brands)", "", SHIPPED, flags=re.DOTALL)
"""The same without a sandbox."""
TOKEN = "8412973650:AAE-canary-canary-canary-canary-canar"


WRONG_SETTINGS = {
    "key": ("tick_s = 1.0", "tack_s = 1.0", r"service\.tack_s: there is no such setting; see"),
    "table": ("[service]", "[servant]", r"servant: there is no such setting; see"),
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
