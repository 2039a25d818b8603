"""A small clean world by hand: what people did, what they saw, and the books of a service that did everything right."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.faults.books import Books, Row
from tests.faults.judge import Case
from tests.faults.recorded import Act, Count, PostSeen, Request, Truth, WeekTruth
from tests.faults.reported import Team

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
WEEK, LATER = "2026-W47", "2026-W48"
ACME, BOT, GUILD = "acme-x", "acme-telegram", "acme-discord"
DETAILS = (
    "Acme, week 2026-W47, details (scale 0-10)\n"
    "Named answers: NPS –, n 3: promoters 2, passives 0, detractors 1\n"
    "buttons (named): NPS –, n 1: promoters 1, passives 0, detractors 0"
)


def first_message(details: str) -> str:
    """The first message of a report with such details."""
    found = re.search(
        r"^Named answers: NPS –, n (\d+): promoters (\d+), passives (\d+), detractors (\d+)", details, re.M
    )
    assert found is not None
    n, promoters, passives, detractors = found.groups()
    groups = f"{promoters} gladly recommend us, {passives} are lukewarm, {detractors} would not"
    return f"Acme: too few answers for a score, n {n}, week 2026-W47\nOf {n}: {groups}."


HEADLINE = first_message(DETAILS)

THANKS = json.dumps({"parts": [["strong", "Thank"], ["line", "you"]], "buttons": []})


def message(text: str, first: str = "") -> str:
    """The body of a row that says so, after it was announced by ``first``."""
    announced = {"placeholder": {"parts": [["line", first]], "buttons": []}} if first else {}
    return json.dumps({"parts": [["line", text]], "buttons": [], **announced})


REPORT = {63: "The score follows.", 64: "More follows."}
"""Its messages in the world's only place of a team, as they are announced."""


CASE = Case(
    platforms={ACME: "x", BOT: "telegram", GUILD: "discord"},
    zones={"recommend": "UTC"},
    teams={"recommend": [Team("desk", BOT, "-9", "UTC", timedelta(hours=9))]},
)


def moment(hours: float) -> float:
    """So many hours after Monday."""
    return (MONDAY + timedelta(hours=hours)).timestamp()


def act(seq: int, kind: str, account: str, person: str, channel: str, **more: Any) -> Act:
    """Something that was done in its hour, accepted, heard of and confirmed at once."""
    wall = 1000.0 + seq
    low = more.get("low")
    plain: dict[str, Any] = {
        "seq": seq,
        "at": moment(seq),
        "wall": wall,
        "platform": CASE.platforms[account],
        "account": account,
        "person": person,
        "survey": "recommend",
        "channel": channel,
        "kind": kind,
        "week": WEEK,
        "low": low,
        "high": low,
        "text": "",
        "accepted": True,
        "frozen": False,
        "open": False,
        "direct": False,
        "place": "p",
        "post": channel,
        "events": (f"{kind}:{seq}",),
        "streamed": True,
        "wired": wall,
        "confirmed": wall,
        "lost": "",
    }
    return Act(**(plain | more))


def post(number: int, account: str, place: str, text: str, **more: Any) -> PostSeen:
    """Something that could be seen."""
    plain: dict[str, Any] = {
        "number": number,
        "request": number,
        "platform": CASE.platforms[account],
        "account": account,
        "place": place,
        "to": None,
        "id": str(number),
        "text": text,
        "at": moment(number),
        "options": (),
        "names_voters": False,
        "buttons": (),
        "reply_to": None,
        "key": "",
        "edits": (),
        "channel": "",
    }
    return PostSeen(**(plain | more))


def request(number: int, account: str, **more: Any) -> Request:
    """A request that was heard."""
    plain: dict[str, Any] = {
        "number": number,
        "wall": 0.0,
        "at": moment(1),
        "instance": "one",
        "platform": CASE.platforms[account],
        "account": account,
        "method": "POST",
        "path": "/",
        "text": "",
        "place": "",
        "to": "",
        "nonce": "",
        "applied": True,
        "status": 200,
        "fault": "",
        "cut": "",
    }
    return Request(**(plain | more))


def clean() -> tuple[Truth, Books]:
    """Four people on three platforms, a poll that names nobody, thanks and a report."""
    acts = (
        act(1, "vote", BOT, "ann", "poll", low=9),
        act(2, "tap", GUILD, "bo", "buttons", low=10),
        act(3, "start", BOT, "cy", "direct", direct=True),
        act(4, "text", BOT, "cy", "direct", low=3, text="3", direct=True),
        act(5, "comment", BOT, "cy", "direct", text="too slow", direct=True),
        act(6, "vote", ACME, "di", "x-poll", low=9, high=10, post="61", open=True, events=(), place="timeline"),
    )
    posts = (
        post(61, ACME, "timeline", "How likely?", options=("9–10", "7–8", "0–6"), channel="x-poll", at=moment(0.5)),
        post(62, BOT, "direct", "Thank you", to="cy", at=moment(4.1)),
        post(63, BOT, "-9", REPORT[63], edits=(HEADLINE,), at=moment(177)),
        post(64, BOT, "-9", REPORT[64], edits=(DETAILS,), at=moment(177)),
    )
    none = Count(promoters=0, passives=0, detractors=0)
    week = WeekTruth(survey="recommend", week=WEEK, named={"all": none}, open={"all": none}, asks={"poll": 1})
    truth = Truth(
        at=moment(200),
        wall=1200.0,
        acts=acts,
        posts=posts,
        requests=(),
        violations=(),
        confirmations=9,
        weeks=(week,),
        doubled=(),
        unwelcome=(),
        faults=(),
        hits=(),
        refusals={},
        counts={},
        injected={},
    )
    return truth, _books()


def _books() -> Books:
    opens = [moment(0), moment(168)]
    waves = [
        {"id": n, "survey": "recommend", "key": key, "opens_at": opens[n - 1]} for n, key in ((1, WEEK), (2, LATER))
    ]
    return Books(
        person=[_person(1, BOT, "ann"), _person(2, GUILD, "bo"), _person(3, BOT, "cy", opened=True)],
        wave=waves,
        response=[_response(1, 9, "poll"), _response(2, 10, "buttons"), _response(3, 3, "direct")],
        reply=[_reply(BOT, "vote:1"), _reply(GUILD, "tap:2"), _reply(BOT, "text:4"), _reply(BOT, "comment:5")],
        consent=[_reply(BOT, "start:3")],
        rollup=[_cell("poll", 9), _cell("buttons", 10), _cell("direct", 3)],
        count=[{"account": ACME, "ref": "poll:61", "totals": json.dumps([1, 0, 0])}],
        ref=[{"account": ACME, "ref": "poll:61", "ask_id": 7}],
        ask=[{"id": 7, "account": ACME, "message": "61", "place": "timeline"}],
        outbox=[
            said("answer:1", BOT, person_id=3),
            said("report:63", BOT, place="-9", body=message(HEADLINE, REPORT[63])),
            said("report:64", BOT, place="-9", body=message(DETAILS, REPORT[64])),
        ],
    )


def said(key: str, account: str, **more: Any) -> Row:
    """A row of the outbox that was sent in the first hours."""
    plain = {
        "person_id": None,
        "wave_id": None,
        "place": "",
        "kind": key.split(":")[0],
        "state": "sent",
        "error": "",
        "fence": 1,
        "body": THANKS,
    }
    times = {"planned_at": moment(1), "claimed_at": moment(1), "settled_at": moment(2)}
    return {"key": key, "account": account} | plain | times | more


def _person(id: int, account: str, name: str, *, opened: bool = False) -> Row:
    allowed = {"opened": opened, "stopped": False, "blocked": False}
    return {"id": id, "account": account, "platform_id": name} | allowed


def _response(person_id: int, low: int, channel: str) -> Row:
    return {"person_id": person_id, "wave_id": 1, "low": low, "high": low, "channel": channel}


def _reply(account: str, event: str) -> Row:
    return {"account": account, "event": event}


def _cell(channel: str, low: int) -> Row:
    return {"channel": channel, "wave_id": 1, "later_id": 0, "low": low, "high": low, "n": 1}


def redone(truth: Truth, seq: int, **more: Any) -> Truth:
    """The truth with one act done otherwise."""
    return replace(truth, acts=tuple(replace(a, **more) if a.seq == seq else a for a in truth.acts))


def retold(truth: Truth, books: Books, told: Mapping[int, str]) -> Truth:
    """The truth with a report that says something else, by the number of its message; the books say it as well."""
    for number, text in told.items():
        row = next(row for row in books.outbox if row["key"] == f"report:{number}")
        row["body"] = message(text, REPORT[number])
    posts = tuple(replace(p, edits=(told[p.number],)) if p.number in told else p for p in truth.posts)
    return replace(truth, posts=posts)
