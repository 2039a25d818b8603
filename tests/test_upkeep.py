"""``vouch backup`` and ``vouch restore`` as a person types them."""

from __future__ import annotations

import asyncio
import json
import stat
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
