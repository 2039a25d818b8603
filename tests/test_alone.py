"""One service on a SQLite file: another is refused, a command is waited for."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from commands import SETTLE_S, carry_out
from connecting import connections
from core.message import text
from core.settings import load
from core.store import outbox
from core.store.alone import FileLock
from core.store.leases import COMMAND, SERVICE
from demo.plan import plan_of
from sandbox.server import Sandbox
from scheduler import Parts
from tests.command import SHIPPED, Vouch, refused

KEY = "report:recommend:2026-W47:acme:0"
ADDRESS = "http://127.0.0.1:8025"


@pytest.fixture
def vouch(tmp_path: Path) -> Vouch:
    return Vouch(tmp_path)


async def test_a_second_service_on_one_file_is_refused_and_a_command_is_waited_for(vouch: Vouch) -> None:
    path = vouch.settings(SHIPPED)
    accounts, places, _ = plan_of(load(path))
    lock = FileLock(vouch.folder / "vouch.db.lock")
    async with Sandbox(accounts, places) as sandbox:
        assert lock.take(SERVICE)
        told = refused(await asyncio.to_thread(vouch, "run", "--settings", str(path), VOUCH_SANDBOX__URL=sandbox.url))
        assert "another Vouch runs on sqlite:///vouch.db" in told
        lock.release()
        assert lock.take(COMMAND)
        with vouch.start("run", "--settings", str(path), "--json", VOUCH_SANDBOX__URL=sandbox.url) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            said = await asyncio.to_thread(running.stderr.readline)
            assert "a command uses the database: waiting until it has ended" in said
            lock.release()
            assert '"ready"' in await asyncio.to_thread(running.stdout.readline)
            running.terminate()
            await asyncio.to_thread(running.communicate)


async def test_a_command_leaves_the_rest_to_a_service_that_waits(vouch: Vouch) -> None:
    """Nobody is listened to while a command has the file, so it does not wait there for what is due later."""
    path = vouch.settings(SHIPPED)
    accounts, places, _ = plan_of(load(path))
    service = FileLock(vouch.folder / "vouch.db.next")
    assert service.take(SERVICE)

    async def plan(parts: Parts) -> list[str]:
        def later(connection: Connection) -> None:
            kind = outbox.Kind.REPORT
            thing = outbox.Planned(key=KEY, account="acme-x", kind=kind, body=text("Hello"), place="timeline")
            outbox.plan(connection, [thing], parts.clock.now() + timedelta(hours=1))

        await parts.database.write(later)
        return [KEY]

    async with Sandbox(accounts, places) as sandbox:
        database = f"sqlite:///{vouch.folder / 'vouch.db'}"
        settings = load(vouch.settings(SHIPPED.replace(ADDRESS, sandbox.url).replace("sqlite:///vouch.db", database)))
        async with asyncio.timeout(SETTLE_S / 2):
            states = await carry_out(settings, await connections(settings), {"acme-x"}, plan)
    assert states == {KEY: "planned"}
    service.release()
