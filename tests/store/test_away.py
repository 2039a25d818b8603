"""When the database itself fails: nothing is confirmed that was not kept, the process stays up and says why once, and
goes on by itself."""

from __future__ import annotations

import asyncio
import json
import select
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from core.errors import StoreAway, StoreError
from core.store.database import AGAIN_S, Database
from tests.architecture import ROOT
from tests.faults.databases import Server
from tests.store.stage import ACCOUNT, Stage
from tests.store.test_writer import keep, names

WAIT_S = 60.0
LIMIT = 400_000
"""Bytes: the tables and a few replies."""


@contextmanager
def writing(url: str, most: int, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A process that writes until there is no room."""
    command = [sys.executable, "-m", "tests.store.on_a_full_disk", url, str(most), *more]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running
        finally:
            running.kill()


class Followed:
    """What such a process tells."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self.running = running
        self.told: list[dict[str, Any]] = []

    def until(self, key: str, times: int = 1) -> None:
        """Read on until this came so often."""
        assert self.running.stdout is not None
        while times:
            line = self.running.stdout.readline()
            assert line, f"it ended: {self.running.stderr.read() if self.running.stderr else ''}"
            self.told.append(json.loads(line))
            times -= key in self.told[-1]

    def say(self, word: str) -> None:
        """Tell it something."""
        assert self.running.stdin is not None
        self.running.stdin.write(f"{word}\n")
        self.running.stdin.flush()

    def all(self, key: str) -> list[Any]:
        """What came under a key."""
        return [told[key] for told in self.told if key in told]


def kept(file: Path) -> list[str]:
    """The replies in the database, in the order of their numbers."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [event for (event,) in connection.execute("SELECT event FROM reply ORDER BY ord")]


def check_full(followed: Followed, file: Path, reason: str) -> None:
    """Fill it, see what is said, make room, and see it go on where it was."""
    followed.until("refused", 4)
    refused_at = [told["at_s"] for told in followed.told if "refused" in told]
    assert all(b - a >= AGAIN_S * 0.9 for a, b in pairwise(refused_at)), "not at a calm pace"
    followed.say("room")
    followed.until("kept", 3)
    while len(followed.all("log")) < 2:
        followed.until("kept")
    followed.say("stop")
    fault, again = followed.all("log")
    assert reason in fault
    assert "nothing is confirmed" in fault
    assert again == "the database keeps things again"
    assert all(reason in refused for refused in followed.all("refused"))


def test_a_file_that_may_not_grow_stops_the_confirming_until_it_may(tmp_path: Path) -> None:
    file = tmp_path / "vouch.db"
    with writing(f"sqlite:///{file}", LIMIT) as running:
        followed = Followed(running)
        check_full(followed, file, "the disk does not take what is written")
        running.communicate(timeout=WAIT_S)
        assert running.returncode == 0
    confirmed = [event for events in followed.all("kept") for event in events]
    assert kept(file)[: len(confirmed)] == confirmed


def test_who_is_started_while_there_is_no_room_waits_for_it(tmp_path: Path) -> None:
    file = tmp_path / "vouch.db"
    with writing(f"sqlite:///{file}", 0) as running:
        Followed(running).until("kept")
        running.kill()
        running.wait(WAIT_S)
    before = kept(file)
    with writing(f"sqlite:///{file}", 1, "from-the-start") as running:
        followed = Followed(running)
        followed.until("log")
        assert "nothing can be kept now" in followed.told[0]["log"]
        followed.say("room")
        followed.until("kept")
        followed.say("stop")
        running.communicate(timeout=WAIT_S)
        assert running.returncode == 0
    assert kept(file)[: len(before)] == before


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A disk of 2 MB; ``None`` where we may not mount one."""
    mount = shutil.which("mount")
    asked = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=2m", "vouch-test", str(folder)], capture_output=True, check=False
    )
    if not asked or asked.returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True, timeout=WAIT_S)


def test_a_full_disk_stops_the_confirming_until_there_is_room(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    with small_disk(folder) as disk:
        if disk is None:  # not permitted here: the test above says nearly as much
            return
        file, ballast = disk / "vouch.db", disk / "ballast"
        ballast.write_bytes(b"." * 1_000_000)
        with writing(f"sqlite:///{file}", 0) as running:
            followed = Followed(running)
            followed.until("refused", 4)
            assert all("the disk is full: make room" in refused for refused in followed.all("refused"))
            ballast.unlink()
            followed.until("kept", 1)
            followed.say("stop")
            running.communicate(timeout=WAIT_S)
            assert running.returncode == 0
        confirmed = [event for events in followed.all("kept") for event in events]
        assert kept(file)[: len(confirmed)] == confirmed
        assert followed.all("log")[0].startswith("nothing can be kept now")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the database's own log said."""
    return [record.getMessage() for record in caplog.records if record.name == "core.store.database"]


async def until_again(database: Database, caplog: pytest.LogCaptureFixture) -> int:
    """Write until it says that it works again. Returns how many writes were kept."""
    done = 0
    async with asyncio.timeout(WAIT_S):
        while "the database keeps things again" not in lines(caplog):
            try:
                await database.write(keep(f"again {done}"))
                done += 1
            except StoreAway:
                continue
            await asyncio.sleep(0.05)
    return done


def forbid(connection: Connection) -> None:
    """A job after which the writer's connection may not write."""
    on_sqlite = connection.dialect.name == "sqlite"
    connection.execute(text("PRAGMA query_only=ON" if on_sqlite else "SET default_transaction_read_only = on"))


def only_read(connection: Connection) -> str:
    """A job that writes nothing."""
    return str(connection.execute(text("SELECT 'read'")).scalar_one())


async def test_what_may_only_be_read_is_said_once_and_gone_on_with(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with asyncio.timeout(WAIT_S), Database(database_url) as database:
        await database.write(keep("before"))
        await database.write(forbid)
        for _ in range(2):
            results = await asyncio.gather(*(database.write(keep("never")) for _ in range(50)), return_exceptions=True)
            assert {type(result) for result in results} == {StoreAway}
        with pytest.raises(StoreAway, match="the database is read-only: let Vouch write to it"):
            await database.write(only_read)  # which would prove nothing
        (fault,) = lines(caplog)
        assert fault.startswith("nothing can be kept now, so nothing is confirmed: the database is read-only")
        database.engine.dispose()  # new connections may write
        done = await until_again(database, caplog)
        assert lines(caplog) == [fault, "the database keeps things again"]
    assert names(database) == {"before", *(f"again {number}" for number in range(done))}


async def test_a_stop_that_cannot_be_kept_outside_is_not_kept_at_all(tmp_path: Path) -> None:
    async with asyncio.timeout(WAIT_S), Database(f"sqlite:///{tmp_path}/vouch.db") as database:
        stage, beside = Stage(database), tmp_path / "vouch.db.stops"
        beside.mkdir()  # so nothing can be written to it
        with pytest.raises(StoreAway):
            await stage.inbox.deliver(ACCOUNT)([stage.typed(1, "ann", "stop")])
        assert stage.rows("person") == stage.rows("reply") == []
        beside.rmdir()
        await stage.inbox.deliver(ACCOUNT)([stage.typed(1, "ann", "stop")])
        assert [row["stopped"] for row in stage.rows("person")] == [True]


async def test_a_file_that_is_moved_away_is_written_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file, elsewhere = tmp_path / "vouch.db", tmp_path / "elsewhere.db"
    async with asyncio.timeout(WAIT_S), Database(f"sqlite:///{file}") as database:
        await database.write(keep("before"))
        file.rename(elsewhere)
        with pytest.raises(StoreAway, match=r"the database's file was moved .*: put it back"):
            await database.write(keep("meanwhile"))
        with pytest.raises(StoreAway, match="was moved"):
            database.reading()
        assert not file.exists()
        elsewhere.rename(file)
        done = await until_again(database, caplog)
        assert names(database) == {"before", *(f"again {number}" for number in range(done))}


async def test_a_folder_that_is_no_folder_any_more_stops_nothing_for_good(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    folder.mkdir()
    async with asyncio.timeout(WAIT_S), Database(f"sqlite:///{folder}/vouch.db") as database:
        await database.write(keep("before"))
        folder.rename(elsewhere)
        folder.touch()  # the system says that it is no directory, not that there is no file
        with pytest.raises(StoreAway, match="was moved or cannot be opened"):
            await database.write(keep("meanwhile"))
        folder.unlink()
        elsewhere.rename(folder)
        done = await until_again(database, caplog)
        assert names(database) == {"before", *(f"again {number}" for number in range(done))}


async def test_a_server_that_is_killed_and_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    with tempfile.TemporaryDirectory(prefix="vouch-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder) / "pg")
        await asyncio.to_thread(server.create)
        await server.start()
        try:
            async with asyncio.timeout(WAIT_S), Database(server.url) as database:
                await database.write(keep("before"))
                await server.kill()
                with pytest.raises(StoreAway, match="the database server is away: start it"):
                    await database.write(keep("meanwhile"))
                with pytest.raises(StoreAway, match="the database server is away"), database.reading() as connection:
                    connection.execute(text("SELECT 1"))
                with pytest.raises(StoreAway):
                    await database.write(keep("meanwhile"))
                await server.start()
                done = await until_again(database, caplog)
                with database.reading() as connection:
                    assert only_read(connection) == "read"
                assert names(database) == {"before", *(f"again {number}" for number in range(done))}
            said = lines(caplog)
            assert said[-1] == "the database keeps things again"
            assert all("the database server" in line for line in said[:-1])
        finally:
            await server.kill()


def stand_still(connection: Connection) -> None:
    """What a process meets that was paused within a transaction: the server has hung up meanwhile."""
    connection.execute(text("SET idle_in_transaction_session_timeout = '20ms'"))
    driver: Any = connection.connection.driver_connection
    assert select.select([driver.fileno()], [], [], WAIT_S)[0]
    connection.execute(text("SELECT 1"))


async def test_a_process_that_stood_still_within_a_transaction_goes_on_by_itself(
    postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with asyncio.timeout(WAIT_S), Database(postgresql_url) as database:
        with pytest.raises(StoreAway, match=r"stood still .*: nothing to mend"), database.reading() as connection:
            await asyncio.to_thread(stand_still, connection)
        with pytest.raises(StoreAway, match=r"stood still .*: nothing to mend"):
            await database.write(stand_still)
        done = await until_again(database, caplog)
        assert names(database) == {f"again {number}" for number in range(done)}


async def test_a_service_that_starts_before_its_server_waits_for_it(caplog: pytest.LogCaptureFixture) -> None:
    with tempfile.TemporaryDirectory(prefix="vouch-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder) / "pg")
        await asyncio.to_thread(server.create)
        database = Database(server.url, patient=True)
        try:
            async with asyncio.timeout(WAIT_S):
                entering = asyncio.create_task(database.__aenter__())
                while not lines(caplog):
                    await asyncio.wait({entering}, timeout=0.05)
                assert not entering.done()
                await server.start()
                await entering
                await database.write(keep("afterwards"))
                assert names(database) == {"afterwards"}
        finally:
            await database.__aexit__()
            await server.kill()
        assert lines(caplog)[0].startswith("nothing can be kept now")


def test_a_server_that_is_not_there_at_the_start_is_named() -> None:
    database = Database("postgresql://vouch@/vouch?host=/nowhere/at/all")
    with pytest.raises(StoreAway, match=r"the database server is away: start it, or mend service\.database"):
        database.create()


async def test_a_server_that_knows_us_not_is_not_waited_for() -> None:
    with tempfile.TemporaryDirectory(prefix="vouch-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder) / "pg")
        await asyncio.to_thread(server.create)
        await server.start()
        try:
            database = Database(server.url.replace("/postgres?", "/nothing?"), patient=True)
            with pytest.raises(StoreError, match=r"refuses us: mend service\.database.*does not exist"):
                await database.__aenter__()
        finally:
            await server.kill()
