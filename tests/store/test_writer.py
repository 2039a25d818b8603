"""The writer: what it acknowledges is committed, calls keep their order, and a job that fails fails alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, create_engine, func, insert, select, text
from sqlalchemy.exc import StatementError

from core.errors import SettingsError, StoreError
from core.events import Cursor
from core.models import Kept, WaveRow
from core.store.cursors import cursors_of
from core.store.database import Database, open_engine
from core.store.statements import table
from tests.store.stage import ACCOUNT, NOW, SURVEY, WAVES, Stage

_KEPT = table(Kept)


def keep(name: str) -> Callable[[Connection], str]:
    """A job that writes one row."""

    def job(connection: Connection) -> str:
        connection.execute(insert(_KEPT).values(name=name, value=""))
        return name

    return job


def fail(connection: Connection) -> None:
    """A job that writes, then raises."""
    connection.execute(insert(_KEPT).values(name="never", value=""))
    raise ZeroDivisionError


def names(database: Database) -> set[str]:
    """What the jobs of this module wrote, read by a connection of its own."""
    engine = open_engine(database.engine.url.render_as_string(hide_password=False).replace("+psycopg", ""))
    with engine.connect() as connection:
        found = set(connection.execute(select(_KEPT.c.name)).scalars())
    engine.dispose()
    return found - {"schema", "seal"}


async def test_deliver_returns_once_a_second_connection_can_read_it(database: Database) -> None:
    stage = Stage(database)
    deliver = stage.inbox.deliver(ACCOUNT)
    async with asyncio.timeout(10):
        answers = await deliver([stage.typed(1, "ann", "9"), stage.typed(2, "ann", "hello")])
    second = create_engine(database.engine.url)
    with second.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM reply")).scalar_one() == 2
        assert connection.execute(text("SELECT low FROM response")).scalar_one() == 9
    second.dispose()
    assert len(answers) == 2
    assert await deliver([]) == ()


async def test_a_failing_job_takes_no_other_with_it(database: Database) -> None:
    jobs = [fail if number in (3, 4, 17) else keep(f"job {number}") for number in range(40)]
    async with asyncio.timeout(20):
        results = await asyncio.gather(*(database.write(job) for job in jobs), return_exceptions=True)
    for number, result in enumerate(results):
        if number in (3, 4, 17):
            assert isinstance(result, ZeroDivisionError)
        else:
            assert result == f"job {number}"
    assert names(database) == {f"job {number}" for number in range(40) if number not in (3, 4, 17)}


async def test_what_the_database_refuses_is_a_store_error(database: Database) -> None:
    async with asyncio.timeout(10):
        await database.write(keep("once"))
        with pytest.raises(StoreError, match="could not keep"):
            await database.write(keep("once"))


async def test_a_wave_that_was_undone_is_not_remembered(database: Database) -> None:
    inbox = Stage(database).inbox

    def make_and_fail(connection: Connection) -> None:
        inbox.directory.wave(connection, SURVEY, WAVES[1])
        raise ZeroDivisionError

    async with asyncio.timeout(10):
        with pytest.raises(ZeroDivisionError):
            await database.write(make_and_fail)
        known = await database.write(lambda connection: inbox.directory.wave(connection, SURVEY, WAVES[1]))
    with database.reading() as connection:
        assert connection.execute(text("SELECT id, key FROM wave")).all() == [(known.id, WAVES[1].key)]


async def test_back_pressure_keeps_the_order_of_calls(database_url: str) -> None:
    done: list[int] = []
    async with asyncio.timeout(20), Database(database_url, room=3) as database:
        await asyncio.gather(*(database.write(lambda _, number=number: done.append(number)) for number in range(200)))
    assert done == list(range(200))


async def test_a_caller_that_gives_up_leaves_the_others_alone(database: Database) -> None:
    async with asyncio.timeout(10):
        first = asyncio.create_task(database.write(keep("first")))
        second = asyncio.create_task(database.write(keep("second")))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == "second"
    assert names(database) == {"first", "second"}


async def test_a_closed_database_says_so(database_url: str) -> None:
    async with Database(database_url) as database:
        pass
    with pytest.raises(StoreError, match="closed"):
        await database.write(keep("late"))


async def test_the_writer_outlives_a_lost_connection(database: Database) -> None:
    async with asyncio.timeout(20):
        if database.dialect == "postgresql":
            with pytest.raises(StoreError):
                await database.write(lambda c: c.execute(text("SELECT pg_terminate_backend(pg_backend_pid())")))
        else:
            with pytest.raises(StoreError):
                await database.write(lambda c: c.execute(text("SELECT nothing FROM nowhere")))
        await database.write(keep("after"))
    assert names(database) == {"after"}


async def test_a_reader_sees_one_picture(database: Database) -> None:
    count = select(func.count()).select_from(_KEPT)
    async with asyncio.timeout(10):
        with database.reading() as connection:
            before = connection.execute(count).scalar_one()
            await database.write(keep("meanwhile"))
            assert connection.execute(count).scalar_one() == before
    assert names(database) == {"meanwhile"}


async def test_cursors_are_kept_with_the_events(database: Database) -> None:
    stage = Stage(database)
    async with asyncio.timeout(10):
        deliver = stage.inbox.deliver(ACCOUNT)
        await deliver([stage.typed(1, "ann", "9"), Cursor(name="offset", value="7"), Cursor(name="offset", value="8")])
        await stage.inbox.deliver("other")([Cursor(name="offset", value="1")])
    assert cursors_of(database, ACCOUNT) == {"offset": "8"}


def test_times_come_back_as_they_went_in(stage: Stage) -> None:
    moment = datetime(2026, 3, 29, 1, 30, 0, 123456, UTC)
    stage.deliver(stage.typed(1, "ann", "5", at=moment))
    stage.deliver(stage.typed(2, "ann", "6", at=moment.astimezone()))
    assert [row["at"] for row in stage.rows("reply")] == [moment, moment]
    assert {row["at"].tzinfo for row in stage.rows("reply")} == {UTC}
    wave = table(WaveRow)
    with stage.database.reading() as connection, pytest.raises(StatementError, match="has no zone"):
        connection.execute(select(wave).where(wave.c.opens_at == NOW.replace(tzinfo=None)))


def test_a_newer_schema_is_refused(database_url: str) -> None:
    database = Database(database_url)
    database.create()
    with database.engine.begin() as connection:
        connection.execute(_KEPT.update().where(_KEPT.c.name == "schema").values(value="999"))
    with pytest.raises(StoreError, match="newer Vouch"):
        database.create()
    database.engine.dispose()


def test_creating_again_keeps_the_seal(database_url: str) -> None:
    database = Database(database_url)
    database.create()
    seal = database.kept("seal")
    database.create()
    assert database.kept("seal") == seal
    assert len(bytes.fromhex(seal)) == 32
    database.engine.dispose()


@pytest.mark.parametrize("url", ["nonsense", "mysterydb:///x", "mysql://host/x"])
def test_an_address_that_is_none_names_the_setting(url: str) -> None:
    with pytest.raises(SettingsError, match=r"service\.database"):
        open_engine(url)


def test_a_file_that_cannot_be_opened_names_the_setting() -> None:
    database = Database("sqlite:////nowhere/at/all/vouch.db")
    with pytest.raises(StoreError, match=r"service\.database"):
        database.create()
    database.engine.dispose()


async def test_when_the_writer_ends_nobody_waits_for_it(database_url: str) -> None:
    database = Database(database_url)
    async with asyncio.timeout(20), database:

        def end(connection: Connection) -> None:
            raise SystemExit

        ended = asyncio.create_task(database.ended())
        results = await asyncio.gather(
            *(database.write(job) for job in (keep("before"), end, keep("after"))), return_exceptions=True
        )
        assert any(isinstance(result, StoreError) for result in results)
        with pytest.raises(StoreError, match="writer ended"):
            await ended
        with pytest.raises(StoreError, match="closed"):
            await database.write(keep("later"))
