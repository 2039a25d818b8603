"""Several runs of Vouch on one database: who serves an account, who takes over, and what the others may still do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Connection, insert

from core.errors import NotOurs, StoreError
from core.message import text as words
from core.models import Person
from core.sender import Sender
from core.store import outbox
from core.store.database import Database
from core.store.fencing import Held
from core.store.statements import table
from core.survey import next_wave
from tests.store.scene import SURVEY, WAVE, Scene, up
from tests.store.stage import Stage
from tests.store.test_leases import kill

PATIENT = {"renew_s": 3_600.0, "lease_s": 3_600.0}
"""A lease that nobody renews and that does not run out."""
PAUSED = {"renew_s": 3_600.0, "lease_s": 1.0, "margin_s": -3_600.0}
"""A process that sleeps through its lease and does not notice."""
SHORT = {"renew_s": 0.1, "lease_s": 1.0, "margin_s": 0.3}


async def until(true: Callable[[], object], seconds: float = 10) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - whoever does it tells nobody
            await asyncio.sleep(0.02)


async def plan(database: Database, scene: Scene, key: str) -> None:
    """Plan something to say here."""
    thing = outbox.Planned(key=key, account="here", kind=outbox.Kind.REPORT, body=words("hello"), place="room")
    await database.write(lambda connection: outbox.plan(connection, [thing], scene.now))


async def plan_to_somebody(
    database: Database, scene: Scene, key: str, kind: outbox.Kind = outbox.Kind.RELAY, *, of_a_wave: bool = False
) -> None:
    """Plan something to say to a person who may be written to."""

    def both(connection: Connection) -> None:
        given = {"account": "here", "platform_id": "7", "opened": True, "stopped": False, "blocked": False, "owed": 0}
        person = connection.execute(insert(table(Person)).values(**given).returning(table(Person).c.id)).scalar_one()
        body = words("hello")
        wave = scene.inbox.directory.wave(connection, SURVEY, WAVE).id if of_a_wave else None
        thing = outbox.Planned(key=key, account="here", kind=kind, body=body, person_id=person, wave_id=wave)
        outbox.plan(connection, [thing], scene.now)

    await database.write(both)


async def assert_can_do_nothing(database: Database, scene: Scene, held: Held) -> None:
    """Whoever held this lease neither says nor keeps anything more."""
    before = kept(database)
    places = scene.presence.places["here"]
    sender = Sender(scene.here, places, database, held, scene.clock, scene.inbox.replay)
    with pytest.raises(NotOurs):
        await sender.drain()
    with pytest.raises(StoreError):
        await scene.inbox.deliver("here", held)([Stage(database).typed(1, "ann", "9")])
    assert kept(database) == before


def kept(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Everything but the leases, which are renewed all the time, and when their holders were followed: on a busy
    machine a short one may be lost and taken again meanwhile."""
    found = {name: rows for name, rows in Stage(database).dump().items() if name != "lease"}
    return found | {"cursor": [row for row in found["cursor"] if "followed" not in row]}


async def test_a_killed_process_is_followed_at_once(shared: Database, stack: AsyncExitStack) -> None:
    first = await stack.enter_async_context(up(Scene(shared, ["here"], **PATIENT)))
    await until(lambda: first.presence.up)
    second = await stack.enter_async_context(up(Scene(shared, ["here"], **SHORT)))
    await until(second.presence.ready.is_set)
    assert second.presence.up == {}
    kill(shared, first.leases)
    await until(lambda: second.presence.up, 3)
    await plan(shared, second, "report:one")
    await until(lambda: state_of(shared, "report:one") == "sent")
    await assert_can_do_nothing(shared, first, Held("here", 1))
    assert first.here.said == []


async def test_who_was_refused_is_awake_once_another_could_read(shared: Database, stack: AsyncExitStack) -> None:
    second = Scene(shared, ["here"], **SHORT)
    second.here.refused = True
    await stack.enter_async_context(up(second))
    await until(lambda: second.here.tries)  # the next time would be half a minute later
    first = await stack.enter_async_context(up(Scene(shared, ["here"], **PATIENT)))
    await until(lambda: first.here.caught_up)
    second.here.refused = False
    await until(second.presence.ready.is_set, 5)
    kill(shared, first.leases)
    await until(lambda: second.presence.up, 3)


async def test_a_paused_process_is_followed_and_can_do_nothing_when_it_wakes(
    shared: Database, stack: AsyncExitStack
) -> None:
    first = await stack.enter_async_context(up(Scene(shared, ["here"], **PAUSED)))
    await until(lambda: first.presence.up)
    second = await stack.enter_async_context(up(Scene(shared, ["here"], **SHORT)))
    await until(lambda: second.presence.up, 5)
    await until(lambda: not first.presence.up, 5)  # its sender found that it may not claim any more
    await plan(shared, second, "report:one")
    await until(lambda: state_of(shared, "report:one") == "sent")
    await assert_can_do_nothing(shared, first, Held("here", 1))
    assert first.here.said == []


async def test_what_a_killed_process_was_saying_is_unknown_and_what_it_had_claimed_is_said(
    shared: Database, stack: AsyncExitStack
) -> None:
    first = await stack.enter_async_context(up(Scene(shared, ["here"], **PATIENT)))
    await until(lambda: first.presence.up)
    first.here.hold.clear()
    await plan(shared, first, "report:one")
    states = partial(state_of, shared, "report:one")
    await until(lambda: states() == "sending")
    second = await stack.enter_async_context(up(Scene(shared, ["here"], **SHORT)))
    kill(shared, first.leases)
    await until(lambda: second.presence.up, 3)
    assert states() == "unknown"
    assert second.here.said == []
    first.here.hold.set()


def state_of(database: Database, key: str) -> str:
    """The state of what has this key."""
    with database.reading() as connection:
        return str(outbox.states(connection, [key])[key][0])


async def test_processes_that_start_together_share_the_accounts(shared: Database, stack: AsyncExitStack) -> None:
    scenes = [Scene(shared), Scene(shared)]
    for scene in scenes:
        await stack.enter_async_context(scene.leases)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(scene.presence.run()) for scene in scenes]
        for scene in scenes:
            await until(scene.presence.ready.is_set)
        await until(lambda: all(len(scene.presence.up) == 1 for scene in scenes))
        assert {name for scene in scenes for name in scene.presence.up} == {"here", "there"}
        for task in running:
            task.cancel()


async def test_of_two_that_share_the_accounts_one_reports_once_and_in_time(
    shared: Database, stack: AsyncExitStack
) -> None:
    first = await stack.enter_async_context(up(Scene(shared, ["here"])))
    second = await stack.enter_async_context(up(Scene(shared, ["there"])))

    async def tick_until(true: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not true():
                await asyncio.gather(first.service.tick(), second.service.tick())
                await asyncio.sleep(0.02)

    await tick_until(lambda: first.asked(first.here) and second.asked(second.there))
    first.now = second.now = WAVE.closes_at + timedelta(hours=9, minutes=1)
    await tick_until(lambda: first.there.caught_up == 0 and second.there.caught_up == 2)
    first.now = second.now = first.now + timedelta(minutes=1)
    await tick_until(lambda: len(first.reports()) == 2)
    week = next_wave(SURVEY, WAVE).key
    await tick_until(lambda: second.asked(second.there)[1:] == [f"ask:s:{week}:there:0"])
    assert second.reports() == []


async def test_a_command_beside_a_running_service_lets_that_say_it(database: Database, stack: AsyncExitStack) -> None:
    running = await stack.enter_async_context(up(Scene(database, ["here"])))
    await until(lambda: running.presence.up)
    command = Scene(database, ["here"])
    async with command.leases, command.presence.visiting(["here"]) as look:
        await plan(database, command, "report:one")
        look()
        await until(lambda: state_of(database, "report:one") == "sent")
    assert ([key for key, _ in running.here.said], command.here.said) == (["report:one"], [])


async def test_a_command_alone_says_it_itself_and_leaves_the_account(database: Database, stack: AsyncExitStack) -> None:
    command = Scene(database, ["here"])
    async with command.leases, command.presence.visiting(["here"]) as look:
        await plan(database, command, "report:one")
        look()
        await until(lambda: state_of(database, "report:one") == "sent")
        assert [key for key, _ in command.here.said] == ["report:one"]
    running = await stack.enter_async_context(up(Scene(database, ["here"])))
    await until(lambda: running.presence.up, 3)


UNASKED = pytest.mark.parametrize(
    ("kind", "of_a_wave", "waits"),
    [
        (outbox.Kind.RELAY, False, True),
        (outbox.Kind.INVITATION, True, True),
        (outbox.Kind.ANSWER, True, True),
        (outbox.Kind.ANSWER, False, False),
    ],
)


@UNASKED
async def test_a_command_says_nothing_to_persons_whose_stop_may_wait_unread(
    database: Database, stack: AsyncExitStack, kind: outbox.Kind, of_a_wave: bool, waits: bool
) -> None:
    del waits  # for a command they all do
    command = Scene(database, ["here"])
    async with command.leases, command.presence.visiting(["here"]) as look:
        await plan_to_somebody(database, command, "to:one", kind, of_a_wave=of_a_wave)
        await plan(database, command, "report:one")
        look()
        await until(lambda: state_of(database, "report:one") == "sent")
        assert [key for key, _ in command.here.said] == ["report:one"]
    running = await stack.enter_async_context(up(Scene(database, ["here"])))
    await until(lambda: [key for key, _ in running.here.said] == ["to:one"], 3)


@UNASKED
async def test_a_service_says_nothing_unasked_to_persons_until_it_has_heard_what_waited(
    database: Database, stack: AsyncExitStack, kind: outbox.Kind, of_a_wave: bool, waits: bool
) -> None:
    scene = Scene(database, ["here"])
    scene.here.silent = True
    await stack.enter_async_context(up(scene))
    await until(lambda: scene.presence.up)
    await plan_to_somebody(database, scene, "to:one", kind, of_a_wave=of_a_wave)
    await plan(database, scene, "report:one")  # it is claimed after what is for persons
    scene.presence.wake("here")
    await until(lambda: "report:one" in dict(scene.here.said))
    if waits:
        assert "to:one" not in dict(scene.here.said)
        scene.here.came_up()
    await until(lambda: "to:one" in dict(scene.here.said))


async def test_polls_are_read_again_whenever_the_stream_comes_up(database: Database, stack: AsyncExitStack) -> None:
    scene = await stack.enter_async_context(up(Scene(database, ["here"])))
    await until(lambda: scene.here.caught_up == 1)
    scene.here.away = True
    scene.here.came_up()
    await until(lambda: scene.here.caught_up >= 3)
    scene.here.away = False
    found = scene.here.caught_up
    await until(lambda: scene.here.caught_up == found + 1)
    assert scene.presence.caught_up("here") == scene.now
