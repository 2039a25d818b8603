"""The campaign's own mapping from what a platform hands out to the ids under which it is kept, held against the golden
payloads of the adapters: what their answers say must come of each payload, ours must say as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bots.discord.session import Session
from tests.faults.reading import gateway_event, page, updates

BOT = "1100000000000000001"
GOLDEN = Path(__file__).parents[1] / "bots"
X_PATHS = {"mentions": "/2/users/17/mentions", "directs": "/2/dm_events"}


def cases(platform: str) -> list[str]:
    names = (path.stem for path in (GOLDEN / platform / "payloads").glob("*.json"))
    return sorted(name for name in names if not name.endswith(".answer"))


def load(platform: str, name: str) -> Any:
    return json.loads((GOLDEN / platform / "payloads" / f"{name}.json").read_text("utf-8"))


def kept(answer: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """(id, person) of each reply or consent in a golden answer."""
    return [(one.get("id", ""), one["person"]) for one in answer if "person" in one]


@pytest.mark.parametrize("case", cases("telegram"))
def test_telegram(case: str) -> None:
    found = [(one.event, one.person) for one in updates([load("telegram", case)])]
    assert found == kept(load("telegram", f"{case}.answer"))


@pytest.mark.parametrize("case", cases("discord"))
def test_discord(case: str) -> None:
    golden = load("discord", case)
    told = golden["d"]
    session = Session("s1", "wss://gateway", base=1)
    one = gateway_event(json.dumps({"t": golden["t"], "s": 7, "d": told}).encode(), BOT, session.id)
    wanted = kept(load("discord", f"{case}.answer"))
    if "answer_id" in told:  # a vote has no id of its own
        wanted = [(session.name_of(7), person) for _, person in wanted]
    assert ([] if one is None else [(one.event, one.person)]) == wanted


@pytest.mark.parametrize("case", [case for case in cases("x") if not case.startswith("polls")])
def test_x(case: str) -> None:
    answer = load("x", f"{case}.answer")
    path = X_PATHS[case.partition("_")[0]]
    found = [(one.event, one.person) for one in page(path, load("x", case), answer["me"])]
    assert found == kept([one["Reply"] for one in answer["events"] if "Reply" in one])
