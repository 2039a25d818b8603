"""``vouch read``: how a message would be understood, one in words or many as lines."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.architecture import ROOT
from tests.command import Vouch

LINES = [
    {"text": "9/10 super"},
    {"text": "«7 ou 8»"},
    {"text": "8点です。また買います"},
    {"text": "stop"},
    {"text": "\ud800 9"},
    {"text": "", "more": 1},
]
READ = [
    {"score": 9, "intent": "score", "ambiguous": False, "comment": "super"},
    {"score": None, "intent": "comment", "ambiguous": True, "comment": "«7 ou 8»"},
    {"score": 8, "intent": "score", "ambiguous": False, "comment": "また買います"},
    {"score": None, "intent": "stop", "ambiguous": False, "comment": ""},
    {"score": 9, "intent": "score", "ambiguous": False, "comment": ""},
    {"score": None, "intent": "none", "ambiguous": False, "comment": ""},
]


@pytest.fixture
def vouch(tmp_path: object) -> Vouch:
    return Vouch(tmp_path)  # type: ignore[arg-type]


def piped(text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "cli.py"), "read", "--jsonl"]
    return subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", check=False)


def test_a_message_is_shown_as_it_is_understood(vouch: Vouch) -> None:
    assert vouch.here("read", "9/10 super") == (0, "score    9\ncomment  super\n", "")
    assert vouch.here("read", "7 or 8")[1].splitlines()[0] == "score    perhaps, but not which: Vouch asks again, once"
    assert vouch.here("read", "8, but stop texting me")[1].splitlines() == [
        "score    8",
        "intent   stop: they want no more messages",
        "comment  but stop texting me",
    ]
    assert "none: nothing to answer" in vouch.here("read", "hello")[1]


def test_a_script_gets_json(vouch: Vouch) -> None:
    assert json.loads(vouch.here("read", "9/10 super", "--json")[1]) == READ[0]
    assert json.loads(vouch.here("read", "0", "--json", "--from-1")[1])["ambiguous"]


def test_lines_are_read_in_order() -> None:
    done = piped("".join(f"{json.dumps(line)}\n" for line in LINES) + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line) for line in done.stdout.splitlines()] == READ


@pytest.mark.parametrize("line", ["9", "[]", "{}", '{"text": 9}', "nine", '{"text": null}'])
def test_a_line_that_is_something_else_is_named(line: str) -> None:
    done = piped(f'{{"text": "9"}}\n{line}\n')
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == 'vouch: line 2 is not {"text": "…"}; write one JSON object a line\n'


def test_without_a_message_it_says_what_to_give(vouch: Vouch) -> None:
    code, _, complained = vouch.here("read")
    assert code == 2
    assert "give a message in quotes, or --jsonl" in complained
