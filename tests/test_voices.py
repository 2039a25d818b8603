"""``vouch comments``: what people wrote, with their scores, and what may be quoted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.ballot import Scale
from core.message import text as words
from core.models import Comment, Person, Response, WaveRow
from core.store import outbox
from core.store.database import Database
from core.store.outbox import Kind, Planned
from core.store.statements import table
from tests.command import SHIPPED, Vouch, refused

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
LIVE = SHIPPED.replace('url = "http://127.0.0.1:8025"', 'url = ""')


@pytest.fixture
def vouch(tmp_path: Path) -> Vouch:
    return Vouch(tmp_path)


@pytest.fixture
def database(vouch: Vouch) -> Database:
    """A week that was asked."""
    found = Database(f"sqlite:///{vouch.folder}/vouch.db")
    found.create()
    opens = datetime(2026, 11, 16, tzinfo=UTC)
    wave = {"id": 1, "survey": "recommend", "key": "2026-W47", "code": "c", "scale": str(Scale.ZERO_TO_TEN)}
    with found.engine.begin() as connection:
        connection.execute(table(WaveRow).insert().values(**wave, opens_at=opens, closes_at=opens + timedelta(days=7)))
        asked = {"account": "acme-telegram", "kind": Kind.ASK, "body": words("?"), "place": "-1001"}
        outbox.plan(connection, [Planned(key="ask:recommend:2026-W47:telegram-poll:0", wave_id=1, **asked)], NOW)
    return found


def write(database: Database, person: int, text: str, score: int | None, *, quotable: bool | None = None) -> None:
    """Somebody answers, or not, and writes."""
    at = NOW + timedelta(minutes=person)
    who = {"id": person, "account": "acme-telegram", "platform_id": str(person), "opened": True, "blocked": False}
    said = {"account": "acme-telegram", "message": f"m{person}", "person_id": person, "wave_id": 1, "text": text}
    answer = {"person_id": person, "wave_id": 1, "channel": "telegram-buttons", "via": "tap", "ord": person, "at": at}
    with database.engine.begin() as connection:
        connection.execute(table(Person).insert().values(**who, stopped=False))
        connection.execute(table(Comment).insert().values(**said, at=at))
        if score is not None:
            marks = {"low": score, "high": score, "quotable": quotable}
            connection.execute(table(Response).insert().values(**answer, **marks))


def test_comments_come_with_their_scores_and_say_what_may_be_quoted(vouch: Vouch, database: Database) -> None:
    write(database, 2, "Fitted first time.", 10, quotable=True)
    write(database, 1, "Third late parcel,\x1b[2J\nand nobody \u202eanswers.", 2, quotable=False)
    write(database, 3, "Where are you?", None)
    assert vouch.here("comments", text=LIVE) == (
        0,
        "Acme, week 2026-W47: 3 written, the oldest first, each with the score that its writer gave last\n"
        "   2  telegram-buttons: Third late parcel, [2J and nobody answers.\n"
        "  10  telegram-buttons: Fitted first time.  (may be quoted)\n"
        "   –  acme-telegram: Where are you?\n"
        "Outside the team show only what may be quoted. `--json` gives all of it to a script.\n",
        "",
    )
    told = json.loads(vouch.here("comments", "--json", text=LIVE)[1])
    assert [(one["low"], one["may_be_quoted"]) for one in told["comments"]] == [(2, False), (10, True), (None, False)]


def test_a_week_in_which_nobody_wrote_says_so(vouch: Vouch, database: Database) -> None:
    assert vouch.here("comments", text=LIVE)[1] == "Acme, week 2026-W47: nobody has written anything yet.\n"
    assert "2026-W40 was never asked" in refused(vouch.here("comments", "--week", "2026-W40", text=LIVE))


def test_a_comment_with_an_unclear_number_says_so(vouch: Vouch, database: Database) -> None:
    unclear = ("8 ou 9", "بين 3 و 4", "8 or 9, delivery was slow")
    comments = ("10 bad?", "0 差评", "06 12 34 56 78", "#48213?")
    for person, text in enumerate((*unclear, *comments)):
        write(database, person, text, 8)
    assert vouch.here("comments", text=LIVE)[1].splitlines()[1:-1] == [
        *(f"   8  telegram-buttons: {text}  (its number was unclear)" for text in unclear),
        *(f"   8  telegram-buttons: {text}" for text in comments),
        "None of these may be quoted yet: people say so by a tap, after they have written.",
    ]
