"""The house holds: directions of imports, words, sizes, no work at import. Each rule is seen to fail, too."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from itertools import groupby

import pytest
from pydantic import BaseModel

from core.settings import Settings, load
from tests.architecture import ROOT, SHIPPED, TESTS, Source, at_import, of_tests, shipped

Rule = Callable[[Source], Iterator[str]]
BY_NAME = {rule.__name__: rule for rule in (*SHIPPED, *TESTS)}


def by_name(rule: Rule) -> str:
    return rule.__name__


@pytest.mark.parametrize("rule", SHIPPED, ids=by_name)
def test_what_is_shipped_keeps(rule: Rule) -> None:
    assert [broken for source in shipped() for broken in rule(source)] == []


@pytest.mark.parametrize("rule", TESTS, ids=by_name)
def test_the_tests_keep(rule: Rule) -> None:
    assert [broken for source in of_tests() for broken in rule(source)] == []


PLANTED = [
    ("directions", "core/service.py", "from bots import open_account"),
    ("directions", "core/service.py", "def late():\n    import sandbox.server"),
    ("directions", "core/sender.py", "import tweepy"),
    ("directions", "core/reach.py", "import discord"),
    ("directions", "core/reading/scores.py", "from telegram import Update"),
    ("directions", "core/sender.py", "import scheduler"),
    ("directions", "core/service.py", "from sqlalchemy import select"),
    ("directions", "core/new.py", "from sqlmodel import SQLModel"),
    ("directions", "core/new.py", "from . import secret"),
    ("directions", "bots/x/send.py", "from sqlalchemy import text"),
    ("directions", "bots/x/send.py", "import discord"),
    ("directions", "bots/x/send.py", "from bots.discord import DiscordAccount"),
    ("directions", "bots/x/send.py", "from bots import discord"),
    ("directions", "bots/telegram/read.py", "from bots.x.read import mention"),
    ("directions", "bots/__init__.py", "from bots.x import XAccount"),
    ("directions", "bots/__init__.py", "import tweepy"),
    ("directions", "scheduler.py", "from sandbox.server import Sandbox"),
    ("directions", "scheduler.py", "import commands"),
    ("directions", "commands.py", "import bots"),
    ("directions", "sandbox/x/text.py", "from core.nps import nps"),
    ("directions", "sandbox/telegram/state.py", "from bots.telegram import render"),
    ("directions", "demo/live.py", "from scheduler import run"),
    ("directions", "demo/readback.py", "from core.nps import nps"),
    ("directions", "stray.py", "import rich"),
    ("purity", "core/nps.py", "import asyncio"),
    ("purity", "core/words.py", "import socket"),
    ("purity", "core/report.py", "from core.store import tallies"),
    ("purity", "core/survey.py", "def due():\n    return datetime.now(UTC)"),
    ("purity", "core/dialogue.py", "def words():\n    return open('words')"),
    ("import_does_nothing", "core/models.py", "ENGINE = create_engine('sqlite://')"),
    ("import_does_nothing", "core/settings.py", "SETTINGS = load(path)"),
    ("import_does_nothing", "core/clock.py", "def now(at=datetime.now(UTC)): ..."),
    ("import_does_nothing", "core/words.py", "class Words:\n    text = path.read_text()"),
    ("import_does_nothing", "cli.py", "TOKEN = os.environ['TOKEN']"),
    ("no_print", "core/report.py", "def show():\n    print('NPS')"),
    ("aware", "core/survey.py", "def now():\n    return datetime.now()"),
    ("aware", "bots/x/read.py", "at = datetime.utcnow()"),
    ("aware", "bots/x/read.py", "at = datetime.fromtimestamp(0)"),
    ("aware", "sandbox/world.py", "START = datetime(2026, 11, 16)"),
    ("aware", "sandbox/world.py", "today = date.today()"),
    ("time_is_passed_in", "core/store/asks.py", "def f():\n    return datetime.now(UTC)"),
    ("time_is_passed_in", "bots/x/read.py", "def f():\n    return time.time()"),
    ("asks_limits_not_names", "core/service.py", "if account.platform == 'x': ..."),
    ("asks_limits_not_names", "core/service.py", "if platform in ('telegram', 'discord'): ..."),
    ("asks_limits_not_names", "core/sender.py", "match platform:\n    case 'discord': ..."),
    ("words", "core/service.py", "class WaveManager: ..."),
    ("words", "core/utils.py", ""),
    ("words", "bots/x/read.py", "def process_reply(): ..."),
    ("words", "sandbox/server.py", "def record(helper): ..."),
    ("words", "sandbox/world.py", "def record(handler): ..."),
    ("words", "core/sender.py", "user_id = 1"),
    ("words", "demo/live.py", "class Demo:\n    def go(self):\n        self.helper = 1"),
    ("explained", "core/nps.py", "def nps(): ..."),
    ("explained", "core/nps.py", '"""Room."""\n\n\ndef nps(): ...'),
    ("explained", "core/nps.py", '"""Room."""\n\n\nclass Tally: ...'),
    ("explained", "core/nps.py", '"""Room."""\n\n\nclass Tally:\n    """T."""\n    async def n(self): ...'),
    ("short", "core/nps.py", "x = 1\n" * 351),
    ("short", "core/nps.py", "def nps():\n" + "    x = 1\n" * 60),
    ("nothing_is_faked", "tests/test_x.py", "from unittest.mock import Mock"),
    ("nothing_is_faked", "tests/test_x.py", "def test(monkeypatch):\n    monkeypatch.setattr(a, 'b', c)"),
    ("nothing_is_faked", "tests/test_x.py", "def test():\n    time.sleep(1)"),
    ("nothing_is_faked", "tests/test_x.py", "@pytest.mark.skip\ndef test(): ..."),
]


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED, ids=lambda value: str(value)[:40])
def test_a_planted_violation_is_seen(rule: str, path: str, text: str) -> None:
    assert list(BY_NAME[rule](Source(path, text)))


def test_every_rule_is_seen_to_fail() -> None:
    assert {rule for rule, _, _ in PLANTED} == set(BY_NAME)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        ("directions", "bots/x/send.py", "import tweepy\nfrom core.message import Message\nimport asyncio"),
        ("directions", "core/store/asks.py", "from sqlalchemy import select"),
        ("purity", "core/sender.py", "import asyncio"),
        (
            "import_does_nothing",
            "core/nps.py",
            "def f():\n    return open('x')\n\nif __name__ == '__main__':\n    run()",
        ),
        ("no_print", "commands.py", "Console().print(table)"),
        ("aware", "core/survey.py", "at = datetime(2026, 11, 16, tzinfo=zone)"),
        ("asks_limits_not_names", "core/settings.py", "if platform == 'x': ..."),
        ("words", "demo/live.py", "process = start()"),
        ("explained", "core/nps.py", '"""Room."""\n\n\ndef _inner(): ...'),
        ("nothing_is_faked", "tests/test_x.py", "def test(monkeypatch):\n    monkeypatch.setenv('A', 'b')"),
    ],
)
def test_what_is_allowed_is_not_seen(rule: str, path: str, text: str) -> None:
    assert list(BY_NAME[rule](Source(path, text))) == []


# -- of the whole house ------------------------------------------------------------------------------------------------


def cycle_free(graph: dict[str, set[str]]) -> list[str]:
    """The modules in an order in which each stands after what it imports. Raises ``CycleError``."""
    return list(TopologicalSorter(graph).static_order())


def test_no_module_imports_itself_by_way_of_others() -> None:
    sources = {
        source.path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): source for source in shipped()
    }
    graph: dict[str, set[str]] = {name: set() for name in sources}
    for name, source in sources.items():
        for node in at_import(source.tree):
            if isinstance(node, ast.Import):
                graph[name] |= {alias.name for alias in node.names} & set(sources)
            elif isinstance(node, ast.ImportFrom):
                found = {f"{node.module}.{alias.name}" for alias in node.names}
                graph[name] |= (found & set(sources)) or ({str(node.module)} & set(sources))
    assert set(cycle_free(graph)) == set(sources)
    with pytest.raises(ValueError, match="cycle"):
        cycle_free({"a": {"b"}, "b": {"a"}})


def loaded_by(program: str) -> set[str]:
    """What Python has imported, and whatever that has, after it ran a program in a process of its own."""
    probe = f"{program}\nimport json, sys\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert found.returncode == 0, found.stderr
    return set(json.loads(found.stdout.rsplit("\n", 2)[-2]))


PLATFORM_LIBRARIES = {"tweepy", "telegram", "discord"}
HEAVY = PLATFORM_LIBRARIES | {"sqlalchemy", "sqlmodel", "core.store", "aiohttp", "pydantic", "apscheduler", "sandbox"}


def test_help_imports_neither_a_platform_nor_the_store() -> None:
    help_alone = "import sys, cli\nsys.argv = ['vouch', '--help']\ntry: cli.main()\nexcept SystemExit: pass"
    loaded = loaded_by(help_alone)
    assert "cli" in loaded
    assert not HEAVY & loaded


@pytest.mark.parametrize(
    ("imported", "library"), [("bots.telegram", "telegram"), ("bots.discord", "discord"), ("bots.x", "tweepy")]
)
def test_an_adapter_brings_its_own_library_alone(imported: str, library: str) -> None:
    loaded = loaded_by(f"import {imported}")
    assert loaded & (PLATFORM_LIBRARIES | {"sqlalchemy", "sqlmodel", "sandbox"}) == {library}


def test_the_service_brings_no_library_before_an_account_needs_it() -> None:
    loaded = loaded_by("import scheduler, commands")
    assert "core.service" in loaded
    assert not loaded & (PLATFORM_LIBRARIES | {"sandbox"})


# -- settings ----------------------------------------------------------------------------------------------------------


def explained_keys(text: str) -> dict[str, set[str]]:
    """By table, the keys that a settings file sets, or names in the comments above or inside the table: as
    ``key = …``, or listed for a platform as in ``x: consumer_key, consumer_secret``."""
    found: dict[str, set[str]] = {}
    for paragraph in text.split("\n\n"):
        table = re.search(r"^\[(\w+)", paragraph, re.MULTILINE)
        if table is not None:
            plain = re.sub(r"\{.*?\}", "", paragraph)
            lists = re.findall(r"\b(?:telegram|discord|x): ([\w, ]+?)(?:   |$)", plain, re.MULTILINE)
            names = {name for listed in lists for name in listed.split(", ")}
            found.setdefault(table[1], set()).update(names, re.findall(r"\b([a-z_]+) = ", plain))
    return found


def keys_of_the_settings() -> dict[str, set[str]]:
    """By table, the keys that ``core/settings.py`` knows."""
    found: dict[str, set[str]] = {}
    for table, field in Settings.model_fields.items():
        kind = field.annotation
        named = getattr(kind, "__args__", ())
        model = named[1] if named else kind
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        found[table] = set(model.model_fields)
    return found


def test_the_settings_file_names_every_setting_and_no_other() -> None:
    assert explained_keys((ROOT / "settings.toml").read_text("utf-8")) == keys_of_the_settings()


def test_a_setting_that_is_not_explained_is_seen() -> None:
    text = (ROOT / "settings.toml").read_text("utf-8")
    assert explained_keys(re.sub("tick_s", "tack_s", text)) != keys_of_the_settings()
    assert explained_keys(text.replace("gateway_url", "gate")) != keys_of_the_settings()


@pytest.mark.parametrize("name", ["settings.toml", "examples/two-brands.toml"])
def test_what_ships_can_be_loaded(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert set(load(ROOT / name).surveys) == set(tomllib.loads(text)["surveys"])
    assert not [line for line, same in groupby(text.splitlines()) if line and len(list(same)) > 1]
