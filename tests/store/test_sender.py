"""The sender, with a small account at our own seam: what each outcome leads to, and that a claim comes first."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from core.account import Direct
from core.clock import Clock
from core.errors import (
    AccountRefused,
    AccountUnavailable,
    ContentRefused,
    OutcomeUnknown,
    PersonUnreachable,
    StoreAway,
    StoreError,
    TooLate,
)
from core.message import text as words
from core.models import Person
from core.outcomes import REFUSED_AGAIN_S
from core.sender import IN_FLIGHT, Sender
from core.store import asks, outbox
from core.store.database import Database
from core.store.outbox import Kind, Planned
from core.store.statements import table
from tests.store.stage import ACCOUNT, CHANNELS, NOW, Stage, poll_ref
from tests.store.voice import PLACE, Voice, hold


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with Database(database_url) as database:
        yield Stage(database)


@pytest.fixture
async def voice(stage: Stage) -> Voice:
    return Voice(stage)


@pytest.fixture
def sender(stage: Stage, voice: Voice) -> Sender:
    clock = Clock(wall=lambda: stage.now.timestamp())
    return Sender(voice, {PLACE.id: PLACE}, stage.database, hold(stage), clock, stage.inbox.replay)


def plan(stage: Stage, *keys: str, place: str = PLACE.id, person: int | None = None) -> None:
    things = [
        Planned(key=key, account=ACCOUNT, kind=Kind.REPORT, body=words(key), place=place, person_id=person)
        for key in keys
    ]
    with stage.database.engine.begin() as connection:
        outbox.plan(connection, things, stage.now)


def row(stage: Stage, key: str) -> dict[str, object]:
    (found,) = [row for row in stage.rows("outbox") if row["key"] == key]
    return found


class HardOfHearing(Database):
    """Keeps what it is given, and is cut off before it says so, as often as told."""

    deaf = 0

    async def write(self, job: Callable[[Connection], Any]) -> Any:
        found = await super().write(job)
        if self.deaf:
            self.deaf -= 1
            raise StoreAway("the database server is away: start it", "cut off")
        return found


async def test_what_a_claim_took_of_which_nobody_heard_is_said_all_the_same(database_url: str) -> None:
    async with HardOfHearing(database_url) as database:
        stage = Stage(database)
        voice, clock = Voice(stage), Clock(wall=lambda: stage.now.timestamp())
        sender = Sender(voice, {PLACE.id: PLACE}, database, hold(stage), clock, stage.inbox.replay)
        plan(stage, "thing 1.")
        database.deaf = 1
        await sender.drain()
        assert row(stage, "thing 1.")["state"] == "claimed"
        await sender.drain()
        assert row(stage, "thing 1.")["state"] == "sent"
        assert len(voice.said) == 1


async def test_everything_due_is_claimed_said_and_settled(stage: Stage, voice: Voice, sender: Sender) -> None:
    keys = [f"thing {number:02}." for number in range(40)]
    plan(stage, *keys)
    voice.stops_at = "begun"
    draining = asyncio.create_task(sender.drain())
    async with asyncio.timeout(20):
        await until(stage, lambda: voice.most_at_once == IN_FLIGHT)
        voice.hold.set()
        await draining
    assert sorted(key for _, _, key in voice.said) == keys
    assert {to for to, _, _ in voice.said} == {PLACE}
    assert set(voice.states().values()) == {"sent"}
    assert voice.wrong == []
    assert voice.most_at_once == IN_FLIGHT
    async with asyncio.timeout(20):
        await sender.drain()
    assert len(voice.said) == 40


@pytest.mark.parametrize(
    ("error", "state", "after_s"),
    [
        (AccountUnavailable(ACCOUNT, "busy", retry_after_s=30), "planned", 30),
        (AccountRefused(ACCOUNT, "no right to post"), "planned", REFUSED_AGAIN_S),
        (ContentRefused(ACCOUNT, "too long"), "refused", None),
        (PersonUnreachable(ACCOUNT, "closed"), "refused", None),
        (OutcomeUnknown(ACCOUNT, "the answer was lost"), "unknown", None),
        (TooLate(ACCOUNT, "the week is over"), "expired", None),
        (ZeroDivisionError("a fault of ours"), "unknown", None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_the_kind_of_error_decides(
    stage: Stage, voice: Voice, sender: Sender, error: Exception, state: str, after_s: float | None
) -> None:
    plan(stage, "bad", "good")
    voice.fails["bad"] = error
    async with asyncio.timeout(20):
        await sender.drain()
    assert (row(stage, "bad")["state"], row(stage, "good")["state"]) == (state, "sent")
    assert (str(error) in str(row(stage, "bad")["error"])) is (state != "expired")
    stage.now = NOW + timedelta(seconds=(after_s or 1e6) - 1)
    async with asyncio.timeout(20):
        await sender.drain()
    assert [key for _, _, key in voice.said] == ["good"]
    if after_s is not None:
        stage.now += timedelta(seconds=1)
        async with asyncio.timeout(20):
            await sender.drain()
        assert [key for _, _, key in voice.said] == ["good", "bad"]


async def test_who_cannot_be_reached_is_not_invited_again(stage: Stage, voice: Voice, sender: Sender) -> None:
    known = stage.wave()
    with stage.database.engine.begin() as connection:
        connection.execute(table(Person).insert().values(account=ACCOUNT, platform_id="ann", opened=True))
        asks.plan_invitations(connection, known, CHANNELS["dm"], lambda id, _: words(id), NOW)
    (key,) = voice.states()
    voice.fails[key] = PersonUnreachable(ACCOUNT, "closed")
    async with asyncio.timeout(20):
        await sender.drain()
    assert [person["blocked"] for person in stage.rows("person")] == [True]
    assert row(stage, key)["state"] == "refused"


async def test_a_direct_message_goes_to_its_person(stage: Stage, voice: Voice, sender: Sender) -> None:
    with stage.database.engine.begin() as connection:
        connection.execute(table(Person).insert().values(account=ACCOUNT, platform_id="ann", opened=True))
    plan(stage, "hello", place="", person=1)
    async with asyncio.timeout(20):
        await sender.drain()
    assert [to for to, _, _ in voice.said] == [Direct("ann")]


async def test_a_place_that_is_not_known_waits_for_a_person(stage: Stage, voice: Voice, sender: Sender) -> None:
    plan(stage, "lost", place="-404")
    async with asyncio.timeout(20):
        await sender.drain()
    assert voice.said == []
    assert row(stage, "lost")["state"] == "planned"
    assert "-404 is not known; see the settings" in str(row(stage, "lost")["error"])


async def test_a_posted_ask_takes_up_what_waited_for_it(stage: Stage, voice: Voice, sender: Sender) -> None:
    key = stage.plan_ask("group", 0)
    stage.deliver(stage.vote(1, "ann", f"ref:{key}", 9), stage.vote(2, "ann", poll_ref("group", 0), 1))
    async with asyncio.timeout(20):
        await sender.drain()
    assert [(low, channel) for low, _, channel, _ in stage.responses().values()] == [(9, "group")]


async def test_running_it_says_what_is_planned_meanwhile(stage: Stage, voice: Voice, sender: Sender) -> None:
    plan(stage, "before")
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(20):
        await until(stage, lambda: len(voice.said) == 1)
        plan(stage, "after")
        sender.wake()
        await until(stage, lambda: set(voice.states().values()) == {"sent"} and len(voice.states()) == 2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_what_does_not_end_when_we_are_stopped_is_unknown_and_stays_so(stage: Stage, voice: Voice) -> None:
    voice.stops_at = "begun"
    plan(stage, "half said")
    sender = speaking(stage, voice, grace_s=0.01)
    await stopped_while_saying(stage, voice, sender)
    assert row(stage, "half said")["state"] == "unknown"
    voice.hold.set()
    async with asyncio.timeout(20):
        await sender.drain()
    assert (voice.said, row(stage, "half said")["state"]) == ([], "unknown")


async def test_what_ends_in_time_when_we_are_stopped_is_sent(stage: Stage, voice: Voice) -> None:
    voice.stops_at = "begun"
    plan(stage, "last words")
    asyncio.get_running_loop().call_later(0.2, voice.hold.set)
    await stopped_while_saying(stage, voice, speaking(stage, voice, grace_s=20))
    assert (len(voice.said), row(stage, "last words")["state"]) == (1, "sent")


async def test_a_claim_that_comes_too_late_is_put_back(stage: Stage, voice: Voice) -> None:
    plan(stage, "not begun")
    sender = speaking(stage, voice, grace_s=20)
    gate = threading.Event()
    blocked = asyncio.create_task(stage.database.write(lambda connection: gate.wait(20)))
    running = asyncio.create_task(sender.run())
    await asyncio.sleep(0)  # it asks for the claim, which waits behind the gate
    running.cancel()
    await asyncio.sleep(0)
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    await blocked
    assert (voice.said, row(stage, "not begun")["state"]) == ([], "planned")


async def test_a_receipt_is_kept_as_soon_as_the_database_can(stage: Stage, voice: Voice) -> None:
    key = stage.plan_ask("group", 0)
    faults = iter(("database is locked", "database is locked"))

    def replay(connection: Connection, account: str, refs: Sequence[str]) -> None:
        for fault in faults:
            raise StoreError(fault)

    clock = Clock(wall=lambda: stage.now.timestamp())
    sender = Sender(voice, {CHANNELS["group"].place: PLACE}, stage.database, hold(stage), clock, replay)
    async with asyncio.timeout(20):
        await sender.drain()
    assert (len(voice.said), row(stage, key)["state"]) == (1, "sent")


def speaking(stage: Stage, voice: Voice, *, grace_s: float) -> Sender:
    clock = Clock(wall=lambda: stage.now.timestamp())
    return Sender(voice, {PLACE.id: PLACE}, stage.database, hold(stage), clock, stage.inbox.replay, grace_s=grace_s)


async def stopped_while_saying(stage: Stage, voice: Voice, sender: Sender) -> None:
    """Run the sender until it says something, then stop it."""
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(20):
        await until(stage, lambda: voice.most_at_once == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def until(stage: Stage, true: Callable[[], bool]) -> None:
    """Look again after each turn of the writer."""
    while not true():
        await stage.database.write(lambda connection: None)
