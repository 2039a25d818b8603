"""One service on a SQLite file: another is refused, a command is waited for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.settings import load
from core.store.alone import FileLock
from core.store.leases import COMMAND, SERVICE
from demo.plan import plan_of
from sandbox.server import Sandbox
from tests.command import SHIPPED, Vouch, refused


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
