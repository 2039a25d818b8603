"""The judge sees a teammate's words that a customer got twice, or never."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.hand_made import BOT, CASE, act, clean, moment, said
from tests.faults.judge import Verdict, judge
from tests.faults.recorded import PostSeen

WORDS = "We are sorry. Your reference: bot-1."


def verdict(
    *, got: int, row: dict[str, Any] | None = None, outcome: str = "answers case 1", state: str = "done"
) -> Verdict:
    """Of a note that a customer got so often. ``row``: what the outbox says of it."""
    truth, books = clean()
    note = act(50, "note", BOT, "lea", "team", text=WORDS)
    arrived = PostSeen(
        number=900,
        request=-1,
        platform="telegram",
        account=BOT,
        place="direct",
        to="cy",
        id="9",
        text=f"Acme: {WORDS}",
        at=moment(51),
        options=(),
        names_voters=False,
        buttons=(),
        reply_to=None,
        key="",
        edits=(),
        channel="",
    )
    truth = replace(truth, acts=(*truth.acts, note), posts=(*truth.posts, *[arrived] * got))
    books.command = [{"account": BOT, "event": note.events[0], "state": state, "outcome": outcome}]
    if row is not None:
        body = json.dumps({"parts": [["line", f"Acme: {WORDS}"]]})
        books.outbox.append(said("relay:1", BOT, person_id=3, body=body, **row))
    return judge(truth, books, CASE)


def test_each_note_arrives_once() -> None:
    found = verdict(got=1, row={"state": "sent"})
    assert (found.relayed, found.lost, found.doubled, found.violations) == (1, 0, 0, [])
    assert verdict(got=2, row={"state": "sent"}).doubled
    assert verdict(got=0).lost == 1
    assert verdict(got=0, row={"state": "claimed"}).lost == 1
    assert verdict(got=0, state="waiting", outcome="").lost == 1


@pytest.mark.parametrize(("state", "outcome"), [("done", "closed before"), ("refused", "may not")])
def test_what_the_team_was_told_is_not_lost(state: str, outcome: str) -> None:
    assert verdict(got=0, state=state, outcome=outcome).lost == 0


def test_what_was_refused_is_told_and_not_lost() -> None:
    assert verdict(got=0, row={"state": "refused", "error": "Forbidden: bot was blocked by the user"}).lost == 0
