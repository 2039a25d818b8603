"""Of two things that were said in the same words in the same place, one is not taken for the other, and neither is
given up while the other one can still tell."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from core.account import Look
from core.message import text as words
from core.store.database import Database
from core.store.outbox import FINAL
from tests.store.stage import Stage
from tests.store.test_resolving import plan, report, row, soon, speaking
from tests.store.voice import SEEN, Voice


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with Database(database_url) as database:
        yield Stage(database)


async def test_what_is_known_to_be_another_is_named_to_who_looks(stage: Stage) -> None:
    voice = Voice(stage, place=SEEN)
    twin = report(1, body=words("part 0"))
    plan(stage, twin, report(2))
    await soon(speaking(stage, voice).drain())
    plan(stage, report())
    voice.loses.add(report().key)
    await soon(speaking(stage, voice).drain())
    known = json.loads(str(row(stage, twin.key)["receipt"]))["message"]
    assert voice.others == {report().key: {known}}
    assert row(stage, report().key)["state"] == "sent"


async def test_two_that_read_the_same_are_looked_for_again_while_one_is_on_its_way(stage: Stage) -> None:
    voice = Voice(stage, place=SEEN)
    twin = report(1, body=words("part 0"))
    plan(stage, report())
    voice.loses.add(report().key)
    voice.finds[report().key] = [Look.CANNOT_TELL] * 4
    sender = speaking(stage, voice)
    plan(stage, twin)
    with stage.database.engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET state = 'sending' WHERE key = :key"), {"key": twin.key})
    await soon(sender.drain())
    assert row(stage, report().key)["looks"] == 0
    with stage.database.engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET state = 'unknown' WHERE key = :key"), {"key": twin.key})
    voice.finds[twin.key] = [Look.CANNOT_TELL]
    assert await sender.resolve() is True
    assert (row(stage, report().key)["looks"], row(stage, twin.key)["looks"]) == (0, FINAL)
    assert await sender.resolve() is False
    assert row(stage, report().key)["looks"] == FINAL


async def test_of_two_in_doubt_the_later_one_is_told_first_and_tells_of_the_other(stage: Stage) -> None:
    voice = Voice(stage, place=SEEN)
    twin = replace(report(), key="desk:another:0")
    plan(stage, report(), twin)
    voice.loses |= {report().key, twin.key}
    voice.finds[report().key] = [Look.CANNOT_TELL]  # both stand there, and either may be it
    await soon(speaking(stage, voice).drain())
    assert [row(stage, key)["state"] for key in (report().key, twin.key)] == ["sent", "sent"]
    known = json.loads(str(row(stage, twin.key)["receipt"]))["message"]
    assert voice.others[report().key] == {known}
    assert row(stage, report().key)["state"] == "sent"
