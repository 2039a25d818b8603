"""What a running service tells of its work: posts at once, the rest once a minute, and answers as they stand."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert

from core.account import Receipt
from core.clock import Clock
from core.diary import EVERY_S, Diary
from core.errors import StoreAway
from core.events import Totals
from core.message import text as words
from core.models import Person
from core.sender import Sender
from core.store import outbox
from core.store.database import Database
from core.store.outbox import Kind, Planned
from core.store.statements import table
from tests.store.stage import ACCOUNT, NOW, SURVEY, WAVES, Stage, poll_ref
from tests.store.voice import PLACE, Voice, hold

ROOM = replace(PLACE, title="the living room")


@dataclass
class Told:
    """A diary on a database, and what it told since it was last asked."""

    stage: Stage
    diary: Diary
    sender: Sender
    log: pytest.LogCaptureFixture
    watch: list[float]
    """How many seconds have passed."""

    def lines(self) -> list[str]:
        found = [record.getMessage() for record in self.log.records if record.name == "core.diary"]
        self.log.clear()
        return found

    async def after(self, seconds: float) -> list[str]:
        self.watch[0] += seconds
        await self.diary.tell()
        return self.lines()

    async def say(self, key: str, kind: Kind, *, person: int | None = None, under: Receipt | None = None) -> None:
        given = {"place": "" if person else ROOM.id, "person_id": person}
        thing = Planned(key=key, account=ACCOUNT, kind=kind, body=words(key), **given)  # type: ignore[arg-type]
        with self.stage.database.engine.begin() as connection:
            outbox.plan(connection, [thing], self.stage.now)
        await self.sender.drain()


@pytest.fixture
async def told(database_url: str, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Told]:
    caplog.set_level(logging.INFO)
    async with Database(database_url) as database:
        stage = Stage(database)
        clock = Clock(wall=lambda: stage.now.timestamp())
        watch = [0.0]
        diary = Diary(database, [SURVEY], clock, steady=lambda: watch[0])
        replay, lease = stage.inbox.replay, hold(stage)
        sender = Sender(Voice(stage), {ROOM.id: ROOM}, database, lease, clock, replay, said=diary.said)
        yield Told(stage, diary, sender, caplog, watch)


def somebody(stage: Stage) -> int:
    given = {"account": ACCOUNT, "platform_id": "7", "opened": True, "stopped": False, "blocked": False, "owed": 0}
    with stage.database.engine.begin() as connection:
        return int(connection.execute(insert(table(Person)).values(**given).returning(table(Person).c.id)).scalar_one())


async def test_what_is_posted_is_told_at_once(told: Told) -> None:
    await told.say("report:one", Kind.REPORT)
    await told.say("case:one", Kind.CASE)
    await told.say("desk:one", Kind.DESK)  # whoever asked for it knows
    assert told.lines() == [
        f"{ACCOUNT}: the score is posted in the living room",
        f"{ACCOUNT}: wrote to the team in the living room",
    ]


async def test_what_is_said_to_people_is_counted_and_told_once_a_minute(told: Told) -> None:
    person = somebody(told.stage)
    for number in range(3):
        await told.say(f"answer:{number}", Kind.ANSWER, person=person)
    await told.say("relay:one", Kind.RELAY, person=person)
    assert await told.after(EVERY_S - 1) == []
    assert await told.after(1) == [f"{ACCOUNT}: 3 messages more went to people, one answer of the team was passed on"]
    assert await told.after(EVERY_S) == []


async def test_answers_are_told_as_they_stand_and_votes_of_nobody_apart(told: Told) -> None:
    stage = told.stage
    stage.post("dm", 0)
    stage.post("news", 0, named=False)
    assert await told.after(EVERY_S) == []
    stage.deliver(stage.typed(1, "ann", "9"), stage.typed(2, "bob", "3"))
    stage.deliver(Totals(ref=poll_ref("news", 0), totals=(0,) * 10 + (41,), as_of=NOW))
    week = f"{SURVEY.name} {WAVES[0].key}"
    assert await told.after(EVERY_S) == [f"{week}: 2 answers so far, and 41 votes in polls that name nobody"]
    assert await told.after(EVERY_S) == []
    stage.deliver(stage.typed(3, "eve", "10"))
    stage.now += timedelta(days=5)  # it was the last minute of the week
    assert await told.after(EVERY_S) == [f"{week}: 3 answers so far, and 41 votes in polls that name nobody"]


class Away(Database):
    """Cannot be read."""

    def reading(self) -> Connection:
        raise StoreAway("the database server is away: start it", "refused")


async def test_a_database_that_is_away_takes_nothing_down(caplog: pytest.LogCaptureFixture) -> None:
    watch = [0.0]
    diary = Diary(Away("sqlite://"), [SURVEY], Clock(), steady=lambda: watch[0])
    watch[0] = EVERY_S
    with caplog.at_level(logging.DEBUG):
        await diary.tell()
    assert "cannot be counted now: the database server is away" in caplog.text
