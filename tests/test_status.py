"""``vouch status``: what a person is told about what waits and what is unknown, and what their word does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.message import text as words
from core.models import SCHEMA, Lease, Outbox, Person
from core.store import outbox
from core.store.alone import FileLock
from core.store.commands import pause
from core.store.database import Database
from core.store.outbox import FINAL, Kind, Planned, State
from core.store.statements import table
from tests.command import SHIPPED, Vouch, refused

_OUTBOX, _LEASE, _PERSON = table(Outbox), table(Lease), table(Person)
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
KEY = "ask:recommend:2026-W47:telegram-poll:0"
LIVE = SHIPPED.replace('url = "http://127.0.0.1:8025"', 'url = ""')


@pytest.fixture
def database(vouch: Vouch) -> Database:
    """A database in which one thing waits and one is unknown."""
    found = Database(f"sqlite:///{vouch.folder}/vouch.db")
    found.create()
    things = [
        Planned(key=key, account="acme-telegram", kind=Kind(key.split(":")[0]), body=words("?"), place="-1001")
        for key in (KEY, "report:recommend:2026-W46:acme:0", "report:recommend:2026-W46:acme:1")
    ]
    with found.engine.begin() as connection:
        outbox.plan(connection, things, NOW)
        unknown = {"state": str(State.UNKNOWN), "claimed_at": NOW, "error": "the answer was lost", "looks": FINAL}
        connection.execute(_OUTBOX.update().where(_OUTBOX.c.key == KEY).values(**unknown))
    return found


def states(database: Database) -> dict[str, str]:
    with database.reading() as connection:
        return {key: str(state) for key, (state, _) in outbox.states(connection, [KEY]).items()}


def test_it_says_what_waits_and_what_a_person_should_do(vouch: Vouch, database: Database) -> None:
    code, said, complained = vouch.here("status", text=LIVE)
    assert (code, complained) == (0, "")
    lines = said.splitlines()
    assert "acme-telegram: nobody serves it; to be said: 2 × report" in lines
    assert "acme-x: nobody serves it; to be said: nothing" in lines
    assert f"Unknown since 18 Nov 12:00 UTC: {KEY} (the answer was lost)" in lines
    (advice,) = [line for line in lines if "Look in" in line]
    settings = vouch.folder / "own.toml"
    assert advice.startswith("  Look in Telegram, -1001, whether it is there; then ")
    assert f"`vouch status --settings {settings} --said {KEY}` or" in advice
    assert lines[-1].endswith(f" MB, schema {SCHEMA}.")


def test_nobody_is_sent_to_look_where_nobody_can(vouch: Vouch, database: Database) -> None:
    with database.engine.begin() as connection:
        person = {"account": "acme-telegram", "platform_id": "77", "opened": True, "stopped": False, "blocked": False}
        id = connection.execute(_PERSON.insert().values(**person)).inserted_primary_key
        assert id is not None
        connection.execute(_OUTBOX.update().where(_OUTBOX.c.key == KEY).values(person_id=id[0]))
    _, said, _ = vouch.here("status", text=LIVE)
    assert "  Telegram shows nobody what a bot has written to person 77: leave it, or ask them." in said
    assert "Look in" not in said
    with database.engine.begin() as connection:
        connection.execute(_OUTBOX.update().where(_OUTBOX.c.key == KEY).values(not_after=NOW - timedelta(days=1)))
    _, said, _ = vouch.here("status", text=LIVE)
    assert "1 more never came to light, and their time is over: nothing is to be done" in said
    assert KEY not in said


def test_a_script_gets_all_of_it(vouch: Vouch, database: Database) -> None:
    found = vouch.json("status")
    assert set(found) == {"accounts", "unknown", "late_reports", "paused", "waiting_replies", "gaps", "database"}
    assert found["accounts"]["acme-telegram"] == {"served": False, "waiting": {"report": 2}}
    (doubt,) = found["unknown"]
    assert (doubt["key"], doubt["since"], doubt["looking"]) == (KEY, NOW.isoformat(), False)
    assert (found["waiting_replies"], found["gaps"], found["database"]["schema"]) == (0, [], SCHEMA)


def test_a_survey_that_is_paused_is_told(vouch: Vouch, database: Database) -> None:
    assert vouch.json("status")["paused"] == []
    with database.engine.begin() as connection:
        pause(connection, "recommend", True)
    assert vouch.json("status")["paused"] == ["recommend"]
    assert "Paused: recommend asks nobody, until somebody writes /resume in its team's" in vouch.here("status")[1]


@pytest.mark.parametrize(("option", "state"), [("--said", "sent"), ("--not-said", "planned")])
def test_a_person_who_has_looked_settles_it(vouch: Vouch, database: Database, option: str, state: str) -> None:
    code, said, complained = vouch.here("status", option, KEY)
    assert (code, complained) == (0, "")
    assert said.startswith(f"{KEY}: ")
    assert states(database) == {KEY: state}
    assert f"is not unknown, it is {state}; `vouch status` lists" in refused(vouch.here("status", option, KEY))
    assert "there is nothing under the key 'ask'" in refused(vouch.here("status", option, "ask"))
    assert states(database) == {KEY: state}
    _, said, _ = vouch.here("status")
    assert KEY not in said


def test_it_cannot_be_said_and_not_said(vouch: Vouch, database: Database) -> None:
    told = refused(vouch.here("status", "--said", KEY, "--not-said", KEY))
    assert "either --said or --not-said" in told
    assert states(database) == {KEY: "unknown"}


def test_it_says_who_serves_an_account(vouch: Vouch, database: Database) -> None:
    with database.engine.begin() as connection:
        lease = {"account": "acme-telegram", "fence": 1, "session": "a1", "until": NOW + timedelta(days=9_999)}
        connection.execute(_LEASE.insert().values(**lease))
    assert vouch.json("status")["accounts"]["acme-telegram"]["served"] is False  # that process is gone
    lock = FileLock(Path(f"{vouch.folder}/vouch.db.lock"))
    assert lock.take()
    found = vouch.json("status")["accounts"]
    lock.release()
    assert {name: each["served"] for name, each in found.items()} == {
        "acme-discord": False,
        "acme-telegram": True,
        "acme-x": False,
    }


def test_without_a_database_there_is_nothing_to_say(vouch: Vouch) -> None:
    assert "there is no vouch.db yet; `vouch run` makes it" in refused(vouch.here("status"))
    code, said, complained = vouch.here("status", "--json")
    assert (code, said) == (2, "")
    assert "there is no vouch.db yet" in json.loads(complained)["error"]
