"""Golden payloads: what the documentation says that Discord sends, through the real discord.py, to events of ours.

``payloads/<case>.json`` names its source; ``<case>.answer.json`` lists what must be delivered for it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bots.discord import DiscordAccount
from core.events import Cursor, Event, Reply
from tests.bots.discord.conftest import Inbox, listening
from tests.bots.discord.wire import CHANNEL, Wire

PAYLOADS = Path(__file__).parent / "payloads"
CASES = sorted(path.stem for path in PAYLOADS.glob("*.json") if not path.stem.endswith(".answer"))
LAST = {"user_id": "1", "channel_id": CHANNEL, "message_id": "2", "answer_id": 1}


def load(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))


def without_arrival(event: Event, golden: dict[str, Any]) -> dict[str, Any]:
    """The fields of an event that its golden answer names; of a vote, id and time are those of its arrival."""
    assert isinstance(event, Reply | Cursor)
    shown = asdict(event)
    if isinstance(shown.get("at"), datetime):
        shown["at"] = shown["at"].isoformat()
    return {key: value for key, value in shown.items() if key in golden}


@pytest.mark.parametrize("case", CASES)
async def test_golden_payload(case: str, wire: Wire, account: DiscordAccount, inbox: Inbox) -> None:
    golden, answer = load(case), load(f"{case}.answer")
    async with listening(account, inbox):
        await wire.dispatch(golden["t"], golden["d"])
        await wire.dispatch("MESSAGE_POLL_VOTE_ADD", LAST)
        last = (await inbox.have(sum("via" in event for event in answer) + 1))[-1]
    assert isinstance(last, Reply)
    assert last.ref == "msg:2"
    came = inbox.events[:-1]
    assert [without_arrival(event, expected) for event, expected in zip(came, answer, strict=True)] == answer


def test_every_payload_has_an_answer() -> None:
    names = {path.name for path in PAYLOADS.glob("*.json")}
    assert len(CASES) == len(names) / 2
    assert all(f"{case}.answer.json" in names for case in CASES)


async def test_arrival_gives_votes_their_ids_and_place_in_the_order(
    wire: Wire, account: DiscordAccount, inbox: Inbox
) -> None:
    async with listening(account, inbox):
        for _ in range(3):
            await wire.dispatch("MESSAGE_POLL_VOTE_ADD", LAST)
            await wire.dispatch("MESSAGE_POLL_VOTE_REMOVE", LAST)
        events = await inbox.have(6)
    replies = [event for event in events if isinstance(event, Reply)]
    assert [reply.withdrawn for reply in replies] == [False, True] * 3
    assert len({reply.id for reply in replies}) == 6
    assert all(a.order < b.order for a, b in pairwise(replies))
