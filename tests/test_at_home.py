"""A database that was filled on a sandbox is not taken for one of real people, nor the other way round."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from connecting import calendar, connections
from core.errors import StoreError
from core.settings import SandboxSettings, Settings, load
from core.store.database import existing
from demo.plan import plan_of
from sandbox.server import Sandbox
from scheduler import assembled
from tests.command import SHIPPED

ADDRESS = "http://127.0.0.1:8025"


async def look(settings: Settings) -> None:
    """What each command does that reads."""
    database = existing(settings.service.database, "there is no {file}")
    try:
        await calendar(settings, database)
    finally:
        database.engine.dispose()


@pytest.mark.parametrize("made_up_first", [False, True])
async def test_made_up_and_real_answers_never_mix(tmp_path: Path, made_up_first: bool) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(SHIPPED, "utf-8")
    accounts, places, _ = plan_of(load(file))
    async with Sandbox(accounts, places) as sandbox:
        text = SHIPPED.replace(ADDRESS, sandbox.url).replace("sqlite:///vouch.db", f"sqlite:///{tmp_path / 'vouch.db'}")
        file.write_text(text, "utf-8")
        settings, found = load(file), await connections(load(file))
        real = replace(found, sandbox="")
        here, there = (found, real) if made_up_first else (real, found)
        for _ in range(2):
            async with assembled(settings, here):
                pass
        mixed = "made-up followers" if made_up_first else "real people"
        with pytest.raises(StoreError, match=mixed):
            async with assembled(settings, there):
                pass
        looks_from = settings if not made_up_first else settings.model_copy(update={"sandbox": SandboxSettings()})
        with pytest.raises(StoreError, match=mixed):
            await look(looks_from)
    with pytest.raises(StoreError, match=mixed):  # also where no sandbox runs
        await look(looks_from)


async def test_another_sandbox_is_noticed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(SHIPPED, "utf-8")
    accounts, places, _ = plan_of(load(file))
    said: list[str] = []
    for _ in range(2):
        async with Sandbox(accounts, places) as sandbox:
            database = f"sqlite:///{tmp_path / 'vouch.db'}"
            file.write_text(SHIPPED.replace(ADDRESS, sandbox.url).replace("sqlite:///vouch.db", database), "utf-8")
            settings = load(file)
            with caplog.at_level(logging.WARNING):
                caplog.clear()
                async with assembled(settings, await connections(settings)):
                    pass
                said.append(caplog.text)
                caplog.clear()
                await look(settings)
                said.append(caplog.text)
    assert ["it was filled on another sandbox" in text for text in said] == [False, False, True, True]
