"""Since when a report is tried, whoever tries it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import event

from core.store import tries
from core.store.database import Database
from tests.store.stage import NOW

KEY = "report:s:2026-W47:team:0"
LATER = NOW + timedelta(minutes=5)


def test_the_first_try_is_kept_until_it_is_made(database: Database) -> None:
    with database.engine.begin() as connection:
        assert tries.first_tried(connection, KEY, NOW) == NOW
        assert tries.first_tried(connection, KEY, LATER) == NOW
        tries.made(connection, KEY)
        assert tries.first_tried(connection, KEY, LATER) == LATER


def test_who_tries_while_another_process_makes_it_is_not_stopped_by_that(shared: Database) -> None:
    with shared.engine.begin() as connection:
        tries.first_tried(connection, KEY, NOW)
    with shared.engine.begin() as connection:

        def made_meanwhile(*_: Any) -> None:
            with shared.engine.begin() as other:
                tries.made(other, KEY)

        event.listen(connection, "after_cursor_execute", made_meanwhile, once=True)
        assert tries.first_tried(connection, KEY, LATER) == LATER
