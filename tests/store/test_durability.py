"""What is thanked for is on the disk: asked of the very connection on which the writer commits, for a wrong word in the
setting up of a connection would be seen by nothing but a power cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping

import pytest
from sqlalchemy import Connection, text

from core.errors import StoreError
from core.store.database import Database, open_engine

FULL = 2
"""Source: https://www.sqlite.org/pragma.html#pragma_synchronous"""
SETTINGS: Mapping[str, Mapping[str, object]] = {
    "sqlite": {"PRAGMA synchronous": FULL, "PRAGMA journal_mode": "wal"},
    "postgresql": {"SHOW synchronous_commit": "on"},
}


def asked(question: str) -> Callable[[Connection], object]:
    """A job that asks the writer's connection."""
    return lambda connection: connection.execute(text(question)).scalar_one()


async def test_the_writer_waits_for_the_disk_at_every_commit(database: Database) -> None:
    wanted = SETTINGS[database.dialect]
    async with asyncio.timeout(10):
        assert {question: await database.write(asked(question)) for question in wanted} == wanted


@pytest.fixture(params=["off", "local", "remote_write", "on", "remote_apply"])
def default(request: pytest.FixtureRequest, postgresql: str) -> Iterator[str]:
    """What the role has for its default."""
    engine = open_engine(postgresql)
    with engine.begin() as connection:
        connection.execute(text(f"ALTER ROLE CURRENT_USER SET synchronous_commit = {request.param}"))
    yield request.param
    with engine.begin() as connection:
        connection.execute(text("ALTER ROLE CURRENT_USER RESET synchronous_commit"))
    engine.dispose()


async def test_on_postgresql_whatever_the_role_has_for_its_default(default: str, postgresql_url: str) -> None:
    kept = "remote_apply" if default == "remote_apply" else "on"
    async with asyncio.timeout(20), Database(postgresql_url) as database:
        assert await database.write(asked("SHOW synchronous_commit")) == kept
        source = "SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'"
        assert await database.write(asked(source)) == default
        with pytest.raises(StoreError):
            await database.write(asked("SELECT pg_terminate_backend(pg_backend_pid())"))
        assert await database.write(asked("SHOW synchronous_commit")) == kept  # of the connection after it, too
