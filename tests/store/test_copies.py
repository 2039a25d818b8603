"""A backup holds everything, whichever database it comes from and goes to; a restore is whole or not at all, forgets no
stop, and says nothing again that may have been said since."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.errors import StoreError
from core.events import Consent, ConsentKind
from core.models import SCHEMA
from core.store import asks, copies
from core.store.alone import FileLock
from core.store.database import Database
from core.store.leases import Leases
from core.store.outbox import State
from tests.architecture import ROOT
from tests.store.stage import ACCOUNT, CHANNELS, NOW, Stage, words
from tests.store.test_migrations import engine_of, make_old, rows_of, upgraded

LATER = NOW + timedelta(hours=3)


@contextmanager
def opened(url: str) -> Iterator[Stage]:
    """A survey on a database, without the writer's thread."""
    database = Database(url)
    try:
        database.create()
        yield Stage(database)
    finally:
        database.engine.dispose()


def fill(stage: Stage) -> None:
    """Something of everything, with a message in each state."""
    stage.post("group", 0)
    stage.post("lobby", 0)
    stage.deliver(stage.vote(1, "ann", "poll:group:0", 9), stage.typed(2, "bob", "7 — naïve 你好"))
    stage.deliver(start(3, "ann"), start(4, "bob"), start(5, "cid"))
    stage.plan_ask("forum", 0)
    stage.plan_ask("news", 0)
    stage.plan_ask("chat", 0)
    states = {"forum": State.CLAIMED, "news": State.SENDING}
    with stage.database.engine.begin() as connection:
        for channel, state in states.items():
            change = text("UPDATE outbox SET state = :state WHERE kind = 'ask' AND channel = :channel")
            connection.execute(change, {"state": str(state), "channel": channel})
        connection.execute(text("INSERT INTO lease VALUES ('tg', 7, '', '2026-11-01 00:00:00')"))


def start(order: int, person: str) -> Consent:
    """They ask for direct messages."""
    return Consent(
        id=f"c{order}",
        person=person,
        kind=ConsentKind.GRANTED,
        at=NOW,
        order=order,
        evidence="pressed start",
        explicit=True,
    )


def everything(url: str) -> dict[str, Any]:
    """Every row there is, times as they are whatever the database."""
    with opened(url) as stage:
        return stage.dump()


def invited(stage: Stage) -> set[str]:
    """Who would be invited now."""
    asked: set[str] = set()

    def invite(person: str, _: str | None) -> Any:
        asked.add(person)
        return words("?")

    with stage.database.engine.connect() as connection:
        asks.plan_invitations(connection, stage.wave(), CHANNELS["dm"], invite, NOW)
        connection.rollback()
    return asked


def test_a_backup_brings_every_row_into_either_database(database_url: str, target_url: str, tmp_path: Path) -> None:
    with opened(database_url) as stage:
        fill(stage)
        before = stage.dump()
    file = tmp_path / "backup"
    made = copies.backup(database_url, file, NOW)
    assert file.stat().st_mode & 0o777 == 0o600
    assert made.rows == sum(map(len, before.values()))
    done = copies.restore(target_url, file, LATER)
    assert done.made_at == "2026-11-04T00:00:00+00:00"
    after = everything(target_url)
    changed = {"outbox", "lease", "kept"}
    assert set(before["kept"]) < set(after["kept"])
    assert {name: rows for name, rows in after.items() if name not in changed} == {
        name: rows for name, rows in before.items() if name not in changed
    }
    assert len(after["outbox"]) == len(before["outbox"])
    with opened(target_url) as stage:  # new rows come after those that were restored
        stage.post("forum", 1)
        stage.deliver(stage.typed(9, "new", "5"))
        assert len(stage.rows("person")) == len(before["person"]) + 1


@pytest.mark.parametrize("state", ["planned", "unknown"])
def test_what_was_to_be_said_is_in_doubt_after_a_restore(database_url: str, tmp_path: Path, state: str) -> None:
    with opened(database_url) as stage:
        fill(stage)
        key = "report:acme:2026-W44:team:0"
        report = {**stage.rows("outbox")[0], "id": 99, "key": key, "kind": "report", "state": state}
        report["body"] = json.dumps({**json.loads(report["body"]), "placeholder": json.loads(report["body"])})
        with stage.database.engine.begin() as connection:
            names = ", ".join(f'"{name}"' for name in report)
            values = ", ".join(f":{name}" for name in report)
            connection.execute(text(f"INSERT INTO outbox ({names}) VALUES ({values})"), stored(stage, report))
    copies.backup(database_url, tmp_path / "backup", NOW)
    done = copies.restore(database_url, tmp_path / "backup", LATER)
    with opened(database_url) as stage:
        rows = {
            row["channel"] if row["key"] != key else "report": row
            for row in stage.rows("outbox")
            if row["kind"] != "answer"
        }
    assert {rows[name]["state"] for name in ("forum", "news", "chat", "report")} == {str(State.UNKNOWN)}
    assert {rows[name]["state"] for name in ("group", "lobby")} == {str(State.SENT)}
    assert done.unknown >= 4
    for name in ("forum", "news", "chat"):
        row = rows[name]
        assert row["error"] == "restored from a backup of 2026-11-04T00:00:00+00:00: it may have been said since"
        assert (row["settled_at"], row["claimed_at"], row["looks"]) == (LATER, NOW, 0)
    assert "placeholder" not in json.loads(rows["report"]["body"]), "said again, it would become a second report"


def stored(stage: Stage, row: dict[str, Any]) -> dict[str, Any]:
    """A row with times as the driver takes them."""
    if stage.database.dialect == "postgresql":
        return row
    return {name: str(value.replace(tzinfo=None)) if hasattr(value, "tzinfo") else value for name, value in row.items()}


def test_a_stop_that_came_after_the_backup_stays_in_force(database_url: str, tmp_path: Path) -> None:
    with opened(database_url) as stage:
        fill(stage)
        stage.deliver(stage.typed(20, "bob", "stop"))
        assert invited(stage) == {"cid"}  # ann has answered
    copies.backup(database_url, tmp_path / "backup", NOW)
    with opened(database_url) as stage:
        stage.deliver(stage.typed(21, "cid", "stop"))
        stage.deliver(start(22, "bob"))
        stage.deliver(start(23, "dan"), stage.typed(24, "dan", "stop"))
    copies.restore(database_url, tmp_path / "backup", LATER)
    with opened(database_url) as stage:
        standing = {row["platform_id"]: row["stopped"] for row in stage.rows("person")}
        assert standing == {"ann": False, "bob": False, "cid": True, "dan": True}
        stage.deliver(stage.typed(25, "dan", "hello"))  # whom the backup does not know at all
        assert not {"cid", "dan"} & invited(stage)


def test_the_previous_database_is_kept_and_can_be_put_back(database_url: str, tmp_path: Path) -> None:
    with opened(database_url) as stage:
        fill(stage)
    copies.backup(database_url, tmp_path / "backup", NOW)
    with opened(database_url) as stage:
        stage.deliver(stage.typed(30, "dan", "10"))
        later = stage.dump()
    for _ in range(2):
        done = copies.restore(database_url, tmp_path / "backup", LATER)
    assert done.aside is not None
    assert done.aside.name.endswith("-2")
    first = done.aside.with_name(done.aside.name.removesuffix("-2"))
    copies.restore(database_url, first, LATER)
    assert everything(database_url)["response"] == later["response"]


def test_the_next_lease_has_a_fence_that_nobody_ever_had(database_url: str, tmp_path: Path) -> None:
    with opened(database_url) as stage:
        fill(stage)
    copies.backup(database_url, tmp_path / "backup", NOW)
    with opened(database_url) as stage, stage.database.engine.begin() as connection:
        connection.execute(text("UPDATE lease SET fence = 41"))
        connection.execute(text("INSERT INTO lease VALUES ('x', 5, '', '2026-11-01 00:00:00')"))
    copies.restore(database_url, tmp_path / "backup", LATER)
    with opened(database_url) as stage:
        assert {row["account"]: (row["fence"], row["session"]) for row in stage.rows("lease")} == {
            "tg": (41, ""),
            "x": (5, ""),
        }


@pytest.fixture
async def served(database_url: str) -> AsyncIterator[Database]:
    """A database that a service uses."""
    async with Database(database_url) as database, Leases(database, lambda connection, account: None) as leases:
        assert await leases.take(ACCOUNT) is not None
        yield database


async def test_a_database_that_is_served_is_backed_up_but_not_restored(
    served: Database, database_url: str, tmp_path: Path
) -> None:
    stage, going = Stage(served), True

    async def write() -> int:
        order = 0
        while going:
            order += 1
            await served.write(lambda c, n=order: c.execute(text(f"INSERT INTO kept VALUES ('row {n}', '')")))  # type: ignore[misc]
        return order

    writing = asyncio.create_task(write())
    async with asyncio.timeout(60):
        for number in range(5):
            made = await asyncio.to_thread(copies.backup, database_url, tmp_path / str(number), NOW)
            with closing(sqlite3.connect(made.file)) as found:
                numbers = [int(n.split()[1]) for (n,) in found.execute("SELECT name FROM kept WHERE name LIKE 'row %'")]
            assert sorted(numbers) == list(range(1, len(numbers) + 1)), "not one moment's picture"
        going = False
        written = await writing
        with pytest.raises(StoreError, match="in use by another Vouch: stop it first"):
            await asyncio.to_thread(copies.restore, database_url, tmp_path / "0", LATER)
        await served.write(lambda c: c.execute(text("INSERT INTO kept VALUES ('after', '')")))
    assert len(stage.rows("kept")) == written + 3


def test_a_file_that_another_process_holds_is_not_replaced(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/vouch.db"
    upgraded(url)
    copies.backup(url, tmp_path / "backup", NOW)
    lock = FileLock(tmp_path / "vouch.db.lock")
    assert lock.take()
    with pytest.raises(StoreError, match="in use by another Vouch"):
        copies.restore(url, tmp_path / "backup", LATER)
    lock.release()
    assert copies.restore(url, tmp_path / "backup", LATER).rows == 2


def test_an_old_backup_is_brought_up_to_date(database_url: str, tmp_path: Path) -> None:
    with engine_of(f"sqlite:///{tmp_path}/old.db") as engine:
        make_old(engine)
    made = copies.backup(f"sqlite:///{tmp_path}/old.db", tmp_path / "backup", NOW)
    done = copies.restore(database_url, tmp_path / "backup", LATER)
    assert done.rows == made.rows + 1  # a comment is a row of its own now
    with opened(database_url) as stage:
        assert len(stage.rows("person")) == 42
        assert {row["name"]: row["value"] for row in stage.rows("kept")}["schema"] == str(SCHEMA)


def test_a_damaged_database_gives_way_to_a_backup(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path}/vouch.db", tmp_path / "vouch.db"
    with opened(url) as stage:
        fill(stage)
        before = stage.dump()
    copies.backup(url, tmp_path / "backup", NOW)
    file.write_bytes(b"this is no database any more, whatever it was" * 100)
    file.with_name("vouch.db-wal").write_bytes(b"nor is this")
    done = copies.restore(url, tmp_path / "backup", LATER)
    assert done.aside == file.with_name("vouch.db.before-restore")
    assert done.aside.read_bytes().startswith(b"this is no database")
    assert everything(url)["response"] == before["response"]


@pytest.mark.parametrize("what", ["none", "text", "other", "newer", "cut"])
def test_what_is_no_whole_backup_changes_nothing(database_url: str, tmp_path: Path, what: str) -> None:
    with opened(database_url) as stage:
        fill(stage)
        before = stage.dump()
    file = tmp_path / "backup"
    copies.backup(database_url, file, NOW)
    match what:
        case "none":
            file.unlink()
        case "text":
            file.write_text("score,comment\n9,fine\n" * 500, "utf-8")
        case "other":
            file.unlink()
            with closing(sqlite3.connect(file)) as other:
                other.execute("CREATE TABLE holiday (day)")
        case "newer":
            with closing(sqlite3.connect(file)) as made, made:
                made.execute("UPDATE kept SET value = '999' WHERE name = 'schema'")
        case _:
            file.write_bytes(file.read_bytes()[: -3 * 4096])
    with pytest.raises(StoreError, match=r"there is no file|no database of Vouch|newer Vouch|damaged|malformed"):
        copies.restore(database_url, file, LATER)
    assert everything(database_url) == before


def test_a_backup_overwrites_nothing(database_url: str, tmp_path: Path) -> None:
    upgraded(database_url)
    file = tmp_path / "mine"
    file.write_text("precious", "utf-8")
    with pytest.raises(StoreError, match="there already"):
        copies.backup(database_url, file, NOW)
    assert file.read_text("utf-8") == "precious"
    with pytest.raises(StoreError, match="there is no folder"):
        copies.backup(database_url, tmp_path / "nowhere" / "backup", NOW)
    assert not list(tmp_path.glob("*.part*"))


def test_killed_at_any_step_a_restore_leaves_the_old_or_the_new_one_whole(tmp_path: Path) -> None:
    begin = tmp_path / "start"
    begin.mkdir()
    url = f"sqlite:///{begin}/vouch.db"
    with opened(url) as stage:
        fill(stage)
    copies.backup(url, begin / "backup", NOW)
    with opened(url) as stage:
        stage.deliver(stage.typed(40, "late", "3"), stage.typed(41, "cid", "stop"))
    command = [sys.executable, "-m", "tests.store.killed", "restore", str(tmp_path)]
    steps = int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout)
    found: dict[str, int] = {}
    for folder in (tmp_path / str(step) for step in range(1, steps + 1)):
        if not folder.exists():
            continue
        with opened(f"sqlite:///{folder}/vouch.db") as stage, stage.database.engine.connect() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
            people = {row["platform_id"]: row["stopped"] for row in rows_of(connection)["person"]}
            unknown = sum(row["state"] == State.UNKNOWN for row in rows_of(connection)["outbox"])
        assert people["cid"], "the stop is forgotten"
        old = "late" in people
        assert (unknown == 0) == old, "half of both"
        found["old" if old else "new"] = found.get("old" if old else "new", 0) + 1
    assert min(found.get("old", 0), found.get("new", 0)) >= 3, found
