"""``vouch backup`` and ``vouch restore`` as a person types them."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from core.store.database import Database
from core.store.leases import Leases
from tests.command import SHIPPED, Vouch

LIVE = SHIPPED.replace('url = "http://127.0.0.1:8025"', 'url = ""')


@pytest.fixture
def vouch(tmp_path: Path) -> Vouch:
    database = Database(f"sqlite:///{tmp_path}/vouch.db")
    database.create()
    database.engine.dispose()
    return Vouch(tmp_path)


def test_back_up_and_restore(vouch: Vouch) -> None:
    code, said, complained = vouch.here("backup", "one day", text=LIVE)
    assert (code, complained) == (0, "")
    assert "Backed up 2 rows to one day" in said
    assert "`vouch restore 'one day' --settings" in said
    assert stat.S_IMODE((vouch.folder / "one day").stat().st_mode) == 0o600
    code, said, complained = vouch.here("restore", "one day", text=LIVE)
    assert (code, complained) == (0, "")
    assert "What was there before is kept in vouch.db.before-restore." in said
    assert "Stops stay in force" in said
    assert "not said blindly again" in said


def rows(vouch: Vouch) -> list[tuple[str, str]]:
    """What the database keeps."""
    with closing(sqlite3.connect(vouch.folder / "vouch.db")) as database:
        return database.execute("SELECT name, value FROM kept ORDER BY name").fetchall()


def test_what_is_no_backup_is_named_and_changes_nothing(vouch: Vouch) -> None:
    assert vouch.here("backup", "copy", text=LIVE)[0] == 0
    before = rows(vouch)
    code, _, complained = vouch.here("restore", "vouch.db", text=LIVE)
    assert (code, complained) == (2, "vouch: vouch.db is the database itself: name a backup\n")
    whole = (vouch.folder / "copy").read_bytes()
    (vouch.folder / "copy").write_bytes(whole[:8_000] + bytes(4_000) + whole[12_000:])
    code, _, complained = vouch.here("restore", "copy", text=LIVE)
    assert (code, complained) == (2, "vouch: copy is damaged, and nothing was changed: take another backup\n")
    assert rows(vouch) == before
    assert {file.name for file in vouch.folder.glob("vouch.db.*")} <= {"vouch.db.lock"}


def test_on_another_machine_it_says_that_later_stops_are_not_here(vouch: Vouch) -> None:
    assert vouch.here("backup", "copy", text=LIVE)[0] == 0
    for file in vouch.folder.glob("vouch.db*"):
        file.unlink()
    code, said, _ = vouch.here("restore", "copy", text=LIVE)
    assert code == 0
    assert "Only the stops in the backup are in force" in said


def test_a_database_is_for_its_owner_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new.db")
    database.create()
    assert [stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("new.db*")] == [0o600] * 3
    database.engine.dispose()


def test_for_a_script(vouch: Vouch) -> None:
    code, said, _ = vouch.here("backup", "copy", "--json", text=LIVE)
    assert code == 0
    size = (vouch.folder / "copy").stat().st_size
    assert json.loads(said) == {"file": "copy", "rows": 2, "bytes": size}
    code, said, _ = vouch.here("restore", "copy", "--json", text=LIVE)
    told = json.loads(said)
    assert (code, told["rows"], told["unknown"], told["aside"]) == (0, 2, 0, "vouch.db.before-restore")
    code, _, complained = vouch.here("restore", "nothing", "--json", text=LIVE)
    assert (code, json.loads(complained)) == (2, {"error": "there is no file nothing"})


def test_a_running_service_is_backed_up_but_not_replaced(vouch: Vouch) -> None:
    async def beside() -> tuple[tuple[int, str, str], tuple[int, str, str]]:
        url = f"sqlite:///{vouch.folder}/vouch.db"
        async with Database(url) as database, Leases(database, lambda connection, account: None) as leases:
            assert await leases.take("acme-telegram") is not None
            await database.write(lambda c: c.execute(text("INSERT INTO kept VALUES ('mine', '')")))
            made = await asyncio.to_thread(vouch, "backup", "copy", text=LIVE)
            refused = await asyncio.to_thread(vouch, "restore", "copy", text=LIVE)
            return made, refused

    made, refused = asyncio.run(beside())
    assert made[0] == 0, made
    assert "Backed up 4 rows" in made[1]
    assert refused == (2, "", "vouch: vouch.db is in use by another Vouch: stop it first\n")
