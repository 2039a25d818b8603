"""What may have been said: looked for where it can be seen, known again by its first vote, settled by a person's word,
and never said again on a guess."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta

import pytest
from sqlalchemy import text

from core.account import Limits, Look, Place, PlaceKind, Poll, Receipt
from core.clock import Clock
from core.errors import AccountUnavailable
from core.message import text as words
from core.models import Person
from core.resolving import APART, MOST_LOOKS, MOST_PLACEHOLDERS
from core.sender import Sender
from core.store import asks, doubts, holders, outbox
from core.store.database import Database
from core.store.outbox import FINAL, Kind, Planned
from core.store.statements import table
from tests.store.stage import ACCOUNT, CHANNELS, NOW, Stage
from tests.store.voice import EDITED, PLACE, SEEN, Voice, hold

_PERSON = table(Person)
POLL = Poll(question="How likely?", options=("0", "1"), closes_at=NOW + timedelta(days=3))
DIRECT = Place(id="direct", kind=PlaceKind.DIRECT, limits=Limits(post_chars=4_000, looks=True, answers_only=True))


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with Database(database_url) as database:
        yield Stage(database)


def speaking(stage: Stage, voice: Voice, *, settle_s: float = 0, direct: Place | None = None) -> Sender:
    places = {voice.posts_to.id: voice.posts_to, **({"direct": direct} if direct is not None else {})}
    clock = Clock(wall=lambda: stage.now.timestamp())
    return Sender(voice, places, stage.database, hold(stage), clock, stage.inbox.replay, settle_s=settle_s)


def plan(stage: Stage, *things: Planned) -> None:
    with stage.database.engine.begin() as connection:
        outbox.plan(connection, things, stage.now)


def report(part: int = 0, **more: object) -> Planned:
    values = {"key": f"report:s:w:t:{part}", "account": ACCOUNT, "kind": Kind.REPORT, "body": words(f"part {part}")}
    return Planned(**{**values, "place": PLACE.id, **more})  # type: ignore[arg-type]


def row(stage: Stage, key: str) -> dict[str, object]:
    (found,) = [row for row in stage.rows("outbox") if row["key"] == key]
    return found


async def soon(work: Awaitable[object]) -> None:
    async with asyncio.timeout(30):
        await work


@pytest.mark.parametrize("answer_lost", [True, False])
async def test_what_is_found_was_said_and_what_is_not_there_is_said(stage: Stage, answer_lost: bool) -> None:
    voice = Voice(stage, place=SEEN)
    thing = report()
    plan(stage, thing)
    if answer_lost:
        voice.loses.add(thing.key)
    else:
        voice.fails[thing.key] = ZeroDivisionError("a fault of ours, before it left")
    await soon(speaking(stage, voice).drain())
    await soon(speaking(stage, voice).drain())
    assert [key for _, _, key in voice.said] == [thing.key]
    assert row(stage, thing.key)["state"] == "sent"
    assert voice.looked == [(thing.key, NOW)]


async def test_nothing_is_looked_for_before_a_late_request_can_have_arrived(stage: Stage) -> None:
    voice = Voice(stage, place=SEEN)
    plan(stage, report())
    voice.loses.add(report().key)
    sender = speaking(stage, voice, settle_s=3_600)
    await soon(sender.drain())
    assert await sender.resolve() is True
    assert (voice.looked, row(stage, report().key)["state"]) == ([], "unknown")


async def test_the_wait_for_a_late_request_goes_on_through_starts(stage: Stage) -> None:
    voice = Voice(stage, place=SEEN)
    plan(stage, report())
    voice.loses.add(report().key)
    await soon(speaking(stage, voice, settle_s=3_600).drain())
    stage.now += timedelta(seconds=3_599)
    assert await speaking(stage, voice, settle_s=3_600).resolve() is True
    stage.now += timedelta(seconds=1)
    on_one_machine = stage.database.dialect == "sqlite"  # else nobody knows whose clock it was
    assert await speaking(stage, voice, settle_s=3_600).resolve() is not on_one_machine
    assert row(stage, report().key)["state"] == ("sent" if on_one_machine else "unknown")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_on_a_server_the_wait_goes_by_when_the_holder_was_followed(stage: Stage) -> None:
    voice = Voice(stage, place=SEEN)
    plan(stage, report())
    voice.loses.add(report().key)
    await soon(speaking(stage, voice, settle_s=3_600).drain())
    fence = row(stage, report().key)["fence"]
    with stage.database.engine.begin() as connection:
        assert holders.followed_s_ago(connection, ACCOUNT, fence) is None
        holders.follow(connection, ACCOUNT, fence)
        holders.follow(connection, ACCOUNT, fence + 1)
        ago_s = holders.followed_s_ago(connection, ACCOUNT, fence)
        assert ago_s is not None
        assert 0 <= ago_s < 60
    assert await speaking(stage, voice, settle_s=3_600).resolve() is True
    with stage.database.engine.begin() as connection:
        connection.execute(text("UPDATE cursor SET value = :long_ago"), {"long_ago": json.dumps([[fence, 1.0]])})
    assert await speaking(stage, voice, settle_s=3_600).resolve() is False
    assert row(stage, report().key)["state"] == "sent"


@pytest.mark.parametrize(("later", "state"), [(APART, "sent"), (APART + timedelta(seconds=1), "unknown")])
async def test_what_was_said_long_after_it_was_given_up_is_something_else(
    stage: Stage, later: timedelta, state: str
) -> None:
    voice = Voice(stage, place=SEEN)
    plan(stage, report())
    voice.loses.add(report().key)
    voice.finds[report().key] = [Receipt(place=PLACE.id, message="77", refs=(), sent_at=NOW + later)]
    await soon(speaking(stage, voice).drain())
    assert row(stage, report().key)["state"] == state


async def test_what_cannot_be_told_is_final_and_says_why(stage: Stage) -> None:
    voice = Voice(stage, place=SEEN)
    plan(stage, report())
    voice.loses.add(report().key)
    voice.finds[report().key] = [Look.CANNOT_TELL]
    sender = speaking(stage, voice)
    await soon(sender.drain())
    found = row(stage, report().key)
    assert (found["state"], found["looks"]) == ("unknown", FINAL)
    assert found["error"] == "tg: the answer was lost; it could not be found out whether it was said"
    assert await sender.resolve() is False
    assert len(voice.looked) == 1


async def test_a_platform_that_is_away_is_asked_later(stage: Stage) -> None:
    voice = Voice(stage, place=SEEN)
    plan(stage, report())
    voice.loses.add(report().key)
    voice.finds[report().key] = [AccountUnavailable(ACCOUNT, "busy", 3_600), ZeroDivisionError("a fault of ours")]
    sender = speaking(stage, voice)
    await soon(sender.drain())
    assert await sender.resolve() is True
    assert len(voice.looked) == 1
    again = speaking(stage, voice)  # a fault of ours when looking does no harm either
    assert await again.resolve() is True
    assert (len(voice.looked), row(stage, report().key)["state"]) == (2, "unknown")
    await soon(speaking(stage, voice).drain())
    assert row(stage, report().key)["state"] == "sent"


async def test_looking_that_never_finds_what_is_said_is_not_trusted_for_ever(stage: Stage) -> None:
    voice = Voice(stage, place=SEEN)
    plan(stage, report())
    sender = speaking(stage, voice)
    voice.finds[report().key] = [Look.NOT_SAID] * 1_000
    voice.fails[report().key], voice.stubborn = ZeroDivisionError("lost"), True
    await soon(sender.drain())
    assert len(voice.looked) == MOST_LOOKS + 1
    assert row(stage, report().key)["looks"] == FINAL


async def test_an_invitation_is_looked_for_after_a_stop_but_not_said_again(stage: Stage) -> None:
    voice = Voice(stage, place=SEEN)
    known = stage.wave()
    with stage.database.engine.begin() as connection:
        connection.execute(_PERSON.insert().values(account=ACCOUNT, platform_id="ann", opened=True, owed=1))
        asks.plan_invitations(connection, known, CHANNELS["dm"], lambda id, _: words(id), NOW, answers_only=True)
    ((key, _),) = voice.states().items()
    voice.fails[key] = ZeroDivisionError("lost")
    voice.finds[key] = [AccountUnavailable(ACCOUNT, "busy", 3_600)]
    await soon(speaking(stage, voice, direct=DIRECT).drain())
    assert (row(stage, key)["state"], stage.rows("person")[0]["owed"]) == ("unknown", 0)
    with stage.database.engine.begin() as connection:
        connection.execute(_PERSON.update().values(stopped=True))
    await soon(speaking(stage, voice, direct=DIRECT).drain())
    await soon(speaking(stage, voice, direct=DIRECT).drain())
    assert [looked for looked, _ in voice.looked] == [key, key]
    assert (voice.said, row(stage, key)["state"]) == ([], "refused")
    assert stage.rows("person")[0]["owed"] == 1  # what was not said used up none of their messages


async def test_since_when_is_looked_survives_a_clock_that_was_wrong(stage: Stage) -> None:
    voice = Voice(stage, place=SEEN)
    stage.now = NOW + timedelta(days=400)
    plan(stage, report())
    voice.loses.add(report().key)
    voice.finds[report().key] = [AccountUnavailable(ACCOUNT, "busy", 3_600)]
    await soon(speaking(stage, voice).drain())
    stage.now = NOW
    await soon(speaking(stage, voice).drain())
    assert [since for _, since in voice.looked] == [NOW + timedelta(days=400), NOW - doubts.LOOK_BACK]
    assert len(voice.said) == 1


async def test_what_was_planned_while_the_clock_ran_ahead_is_due_all_the_same(stage: Stage) -> None:
    voice = Voice(stage)
    stage.now = NOW + timedelta(days=400)
    plan(stage, report())
    stage.now = NOW
    await soon(speaking(stage, voice).drain())
    assert len(voice.said) == 1


async def test_one_message_is_not_two_things(stage: Stage) -> None:
    voice = Voice(stage, place=SEEN)
    first, second, third = report(0, body=words("Thanks!")), report(5, body=words("Thanks!")), report(6)
    plan(stage, first)
    await soon(speaking(stage, voice).drain())
    plan(stage, second, third)
    voice.loses |= {second.key, third.key}
    voice.finds[second.key] = [voice.platform.receipt(0)]
    voice.finds[third.key] = [voice.platform.receipt(0)]
    await soon(speaking(stage, voice).drain())
    assert [row(stage, thing.key)["state"] for thing in (first, second, third)] == ["sent", "unknown", "unknown"]
    assert row(stage, second.key)["looks"] == FINAL
    assert str(row(stage, second.key)["error"]).endswith("; what was found there is another message")
    assert row(stage, second.key)["receipt"] == ""


async def test_what_may_be_the_message_of_another_that_is_on_its_way_is_nobodys_yet(stage: Stage) -> None:
    voice = Voice(stage, place=SEEN)
    first, second = (report(0, key=f"answer:{n}", kind=Kind.ANSWER, body=words("Thanks!")) for n in (1, 2))
    plan(stage, first)
    voice.loses.add(first.key)
    voice.finds[first.key] = [AccountUnavailable(ACCOUNT, "busy", 0)] * 2
    sender = speaking(stage, voice)
    await soon(sender.drain())
    plan(stage, second)
    voice.stops_at = "taken"
    draining = asyncio.create_task(sender.drain())
    await soon(voice.reached.wait())
    voice.finds[first.key] = [voice.platform.receipt(1)]
    assert await sender.resolve() is True
    assert row(stage, first.key)["state"] == "unknown"
    voice.hold.set()
    await soon(draining)
    await soon(sender.drain())
    assert [row(stage, thing.key)["state"] for thing in (first, second)] == ["sent", "sent"]
    assert len({str(row(stage, thing.key)["receipt"]) for thing in (first, second)}) == 2


# -- reports -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [PLACE, SEEN, EDITED], ids=["unseen", "seen", "edited"])
async def test_the_messages_of_a_report_arrive_in_order(stage: Stage, place: Place) -> None:
    voice = Voice(stage, place=place)
    things = [report(part, placeholder=words(f"part {part} follows")) for part in range(12)]
    plan(stage, *things)
    voice.fails[things[0].key] = AccountUnavailable(ACCOUNT, "busy", 60)
    voice.loses.add(things[3].key)
    voice.fails[things[5].key] = ZeroDivisionError("lost")
    sender = speaking(stage, voice)
    await soon(sender.drain())
    assert (voice.said, len([s for s in voice.states().values() if s == "planned"])) == ([], 12)
    for _ in range(4):
        stage.now += timedelta(minutes=1)
        await soon(sender.drain())
    read = [body for _, body, _ in voice.said if body in [thing.body for thing in things]]
    assert read == [t.body for t in things if place is not PLACE or t is not things[5]]
    assert voice.platform.reads(words("part 3 follows")) == int(place is EDITED)


async def test_a_placeholder_is_said_again_only_so_often(stage: Stage) -> None:
    voice = Voice(stage, place=EDITED)
    plan(stage, report(placeholder=words("the score follows")))
    sender = speaking(stage, voice)
    voice.loses, voice.stubborn = {report().key}, True
    await soon(sender.drain())
    assert len(voice.said) == 1  # a place that is in trouble is given a moment
    for _ in range(MOST_PLACEHOLDERS + 3):
        stage.now += timedelta(minutes=1)
        await soon(sender.drain())
    assert [body for _, body, _ in voice.said] == [words("the score follows")] * (MOST_PLACEHOLDERS + 1)
    found = row(stage, report().key)
    assert (found["state"], found["looks"]) == ("unknown", FINAL)


async def test_a_report_whose_placeholder_was_deleted_is_said_whole(stage: Stage) -> None:
    voice = Voice(stage, place=EDITED)
    plan(stage, report(placeholder=words("the score follows")))
    voice.deleted = {report().key}
    await soon(speaking(stage, voice).drain())
    assert [body for _, body, _ in voice.said] == [words("the score follows"), words("part 0")]
    assert row(stage, report().key)["state"] == "sent"


async def test_a_report_said_whole_is_not_said_again_when_nobody_knows_whether_it_was(stage: Stage) -> None:
    voice = Voice(stage, place=EDITED)
    plan(stage, report(placeholder=words("the score follows")))
    voice.deleted, voice.stops_at = {report().key}, "editing"
    sender = speaking(stage, voice)
    draining = asyncio.create_task(sender.drain())
    await soon(voice.reached.wait())
    voice.loses = {report().key}
    voice.hold.set()
    await soon(draining)
    stage.now += timedelta(hours=1)
    await soon(sender.drain())
    assert [body for _, body, _ in voice.said] == [words("the score follows"), words("part 0")]
    assert row(stage, report().key)["state"] == "unknown"


@pytest.mark.parametrize("error", [AccountUnavailable(ACCOUNT, "busy", 60), ZeroDivisionError("a fault of ours")])
async def test_an_edit_that_failed_is_repeated_on_the_same_message(stage: Stage, error: Exception) -> None:
    voice = Voice(stage, place=EDITED)
    plan(stage, report(placeholder=words("the score follows")))
    voice.stops_at = "editing"
    sender = speaking(stage, voice)
    draining = asyncio.create_task(sender.drain())
    await soon(voice.reached.wait())
    voice.fails[report().key] = error
    voice.hold.set()
    await soon(draining)
    assert (row(stage, report().key)["state"], voice.platform.reads(words("the score follows"))) == ("placed", 1)
    stage.now += timedelta(hours=1)
    await soon(sender.drain())
    assert [body for _, body, _ in voice.said] == [words("part 0")]
    assert row(stage, report().key)["state"] == "sent"
