"""The judge sees a teammate's words that a customer got twice, or never."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.hand_made import BOT, CASE, act, clean, message, moment, said
from tests.faults.judge import Verdict, judge
from tests.faults.recorded import PostSeen

WORDS = "We are sorry. Your reference: bot-1."


TOLD = "Case 1: what you wrote did not reach the customer."


def verdict(
    *,
    got: int,
    row: dict[str, Any] | None = None,
    outcome: str = "answers case 1",
    state: str = "done",
    told: str = "",
    to: str = "cy",
) -> Verdict:
    """Of a note that a customer got so often. ``row``: what the outbox says of it; ``told``: what the team was."""
    truth, books = clean()
    note = replace(act(50, "note", BOT, "lea", "team", text=WORDS), post="77")
    arrived = post(900, "direct", to, f"Acme: {WORDS}")
    about = replace(post(901, "-9", None, "Case 1: 2 of 10"), id="77")
    more = [post(902, "-9", None, told)] if told else []
    truth = replace(truth, acts=(*truth.acts, note), posts=(*truth.posts, about, *more, *[arrived] * got))
    books.command = [{"account": BOT, "event": note.events[0], "state": state, "outcome": outcome}]
    books.cases = [{"id": 1, "person_id": 3}]
    heard = ["Case 1: 2 of 10", *([told] if told else [])]
    books.outbox += [said(f"case:{n}", BOT, place="-9", body=message(text)) for n, text in enumerate(heard)]
    if row is not None:
        books.outbox.append(said("relay:1", BOT, person_id=3, body=message(f"Acme: {WORDS}"), **row))
    return judge(truth, books, CASE)


def post(number: int, place: str, to: str | None, text: str) -> PostSeen:
    """Something that appeared."""
    return PostSeen(
        number=number,
        request=-1,
        platform="telegram",
        account=BOT,
        place=place,
        to=to,
        id=str(number),
        text=text,
        at=moment(51),
        options=(),
        names_voters=False,
        buttons=(),
        reply_to=None,
        key="",
        edits=(),
        channel="",
    )


def test_each_note_arrives_once() -> None:
    found = verdict(got=1, row={"state": "sent"})
    assert (found.relayed, found.lost, found.doubled, found.violations) == (1, 0, 0, [])
    assert verdict(got=2, row={"state": "sent"}).doubled
    assert verdict(got=0).lost == 1
    assert verdict(got=0, row={"state": "claimed"}).lost == 1
    assert verdict(got=0, row={"state": "planned"}).lost == 1
    assert verdict(got=0, state="waiting", outcome="").lost == 1


def test_a_note_that_another_customer_gets_is_seen() -> None:
    assert verdict(got=1, row={"state": "sent"}, to="ann").lost == 1


@pytest.mark.parametrize(("state", "outcome"), [("done", "closed before"), ("refused", "may not")])
def test_what_the_team_was_told_is_not_lost(state: str, outcome: str) -> None:
    assert verdict(got=0, state=state, outcome=outcome).lost == 0


def test_what_was_refused_is_told_or_lost() -> None:
    refused = {"state": "refused", "error": "Forbidden: bot was blocked by the user"}
    assert verdict(got=0, row=refused, told=TOLD).lost == 0
    assert verdict(got=0, row=refused).lost == 1
    assert verdict(got=0, row=refused, told=TOLD.replace("1", "2")).lost == 1
