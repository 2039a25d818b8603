"""Between a backup and its restore things were said that the database does not know of: they are not said again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core.account import Limits
from core.clock import Clock
from core.message import text as words
from core.publishing import plan_report, report_key
from core.routes import Team
from core.sender import Sender
from core.store import asks, copies, doubts, outbox
from core.store.database import Database
from core.store.forgotten import forgotten
from core.store.outbox import FINAL, RESTORED, Kind, Planned
from tests.store.stage import ACCOUNT, CHANNELS, NOW, SURVEY, WAVES, Stage
from tests.store.test_copies import opened, start
from tests.store.voice import SEEN, Voice, hold

TEAM = Team(name="team", account=ACCOUNT, place="-1001", report="Mon 09:00", zone="UTC", language="en")
RESTORED_AT = WAVES[0].closes_at + timedelta(hours=10)


def planned(stage: Stage) -> dict[str, tuple[str, int, str]]:
    """State, looks and error of what was planned now, by key."""
    return {
        r["key"]: (r["state"], r["looks"], r["error"]) for r in stage.rows("outbox") if r["planned_at"] == stage.now
    }


def invite(stage: Stage, wave: int) -> None:
    known = stage.wave(WAVES[wave])
    with stage.database.engine.begin() as connection:
        asks.plan_invitations(connection, known, CHANNELS["dm"], lambda *_: words("?"), stage.now)


def report(stage: Stage, wave: int) -> str:
    with stage.database.engine.begin() as connection:
        plan_report(connection, SURVEY, WAVES[wave], TEAM, Limits(post_chars=4_000), stage.now)
    return report_key(SURVEY.name, WAVES[wave].key, TEAM.name, 0)


@pytest.fixture
def restored(database_url: str, tmp_path: Path) -> str:
    """A database that was restored a wave after its backup."""
    with opened(database_url) as stage:
        stage.post("group", 0)
        stage.deliver(start(1, "ann"), start(2, "bob"))
        invite(stage, 0)
    copies.backup(database_url, tmp_path / "backup", NOW)
    copies.restore(database_url, tmp_path / "backup", RESTORED_AT)
    return database_url


def test_what_may_have_been_said_is_in_doubt_and_the_rest_is_not(restored: str) -> None:
    with opened(restored) as stage:
        stage.now = RESTORED_AT + timedelta(hours=1)
        doubtful = [stage.plan_ask("forum", 0), stage.plan_ask("group", 1)]
        invite(stage, 1)
        doubtful += [f"invitation:acme:{WAVES[1].key}:tg/{person}:0" for person in (1, 2)]
        last_report = report(stage, 0)
        free = [stage.plan_ask("group", 2), report(stage, 1)]
        answer = Planned(key="answer:9", account=ACCOUNT, kind=Kind.ANSWER, body=words("Thanks!"), person_id=1)
        with stage.database.engine.begin() as connection:
            outbox.plan(connection, [answer], stage.now)
        found = planned(stage)
        assert [r for r in stage.rows("outbox") if r["key"] == last_report and "placeholder" in r["body"]] == []
    assert {key: found[key] for key in doubtful} == dict.fromkeys(doubtful, ("unknown", 0, RESTORED))
    assert {key: found[key][0] for key in [*free, answer.key]} == dict.fromkeys([*free, answer.key], "planned")
    # Its numbers are other ones now, so looking for these words would find nothing, and say them again.
    assert found[last_report][:2] == ("unknown", FINAL)


def test_it_is_in_doubt_but_once(restored: str) -> None:
    with opened(restored) as stage:
        stage.now = RESTORED_AT + timedelta(hours=1)
        key = stage.plan_ask("group", 1)
        with stage.database.engine.begin() as connection:
            assert doubts.by_hand(connection, key, stage.now, said=False)
        stage.plan_ask("group", 1)
        assert planned(stage)[key][0] == "planned"


async def test_what_is_found_is_not_said_and_what_is_not_there_is(restored: str) -> None:
    async with Database(restored) as database:
        stage = Stage(database)
        stage.now = RESTORED_AT + timedelta(hours=1)
        there, gone = stage.plan_ask("group", 1), stage.plan_ask("forum", 1)
        last_report = report(stage, 0)
        voice = Voice(stage, place=SEEN)
        voice.platform.put(SEEN, words("?"), there)
        places = {"-1001": SEEN, "-1002": SEEN}
        clock = Clock(wall=lambda: stage.now.timestamp())
        sender = Sender(voice, places, database, hold(stage), clock, stage.inbox.replay, settle_s=0)
        await sender.drain()
        await sender.drain()
        assert [key for _, _, key in voice.said] == [there, gone]
        assert [voice.states()[key] for key in (there, gone, last_report)] == ["sent", "sent", "unknown"]


def test_one_restore_after_another_forgets_what_each_forgot(restored: str, tmp_path: Path) -> None:
    copies.backup(restored, tmp_path / "second", RESTORED_AT + timedelta(days=1))
    copies.restore(restored, tmp_path / "second", RESTORED_AT + timedelta(days=2))
    with opened(restored) as stage, stage.database.reading() as connection:
        spans = [(span.since, span.until) for span in forgotten(connection)]
    assert spans == [(NOW, RESTORED_AT), (RESTORED_AT + timedelta(days=1), RESTORED_AT + timedelta(days=2))]
