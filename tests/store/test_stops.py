"""Stops are kept beside the database: ids alone, safe from a crash within a line, and not growing for ever."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import text

from core.store import stops
from tests.store.stage import ACCOUNT, NOW
from tests.store.test_copies import opened
from tests.store.test_migrations import engine_of, make_old, rows_of, upgraded


def test_stops_are_ids_and_nothing_else_for_the_owner_alone(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/vouch.db") as stage:
        stage.deliver(stage.typed(1, "bob", "stop"))
    file = stops.beside(tmp_path / "vouch.db")
    assert file.stat().st_mode & 0o777 == 0o600
    (line,) = file.read_text("utf-8").splitlines()
    assert json.loads(line) == {
        "account": ACCOUNT,
        "person": "bob",
        "what": "stop",
        "at": "2026-11-04T00:00:00+00:00",
        "event": "e1",
        "ord": 1,
    }


def test_stops_from_before_they_were_kept_outside_are_taken_over(database_url: str) -> None:
    with engine_of(database_url) as engine:
        make_old(engine)
    upgraded(database_url)
    with engine_of(database_url) as engine, engine.begin() as connection:
        assert set(stops.latest(connection)) == {("tg", "bob")}
        connection.execute(text("UPDATE person SET stopped = false"))
    upgraded(database_url)
    with engine_of(database_url) as engine, engine.connect() as connection:
        assert [row["platform_id"] for row in rows_of(connection)["person"] if row["stopped"]] == ["bob"]


def test_a_record_from_before_it_told_places_is_read_and_goes_on(database_url: str) -> None:
    with opened(database_url) as stage:
        stage.deliver(stage.typed(1, "ann", "stop"))
        with stage.database.engine.begin() as connection:
            if stage.database.dialect == "postgresql":
                name = connection.execute(text("SELECT current_schema()")).scalar_one()
                connection.execute(text(f"ALTER TABLE vouch_stops.{name} DROP COLUMN ord"))
            else:
                file = stops.beside(Path(str(stage.database.engine.url.database)))
                file.write_text(file.read_text("utf-8").replace(', "ord": 1', ""), "utf-8")
    with opened(database_url) as stage:
        stage.deliver(stage.typed(2, "bob", "stop"))
        with stage.database.engine.connect() as connection:
            said = stops.latest(connection)
    assert {person: one.ord for (_, person), one in said.items()} == {"ann": None, "bob": 2}


def test_a_line_that_was_cut_short_takes_no_other_with_it(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path}/vouch.db", stops.beside(tmp_path / "vouch.db")
    with opened(url) as stage:
        stage.deliver(stage.typed(1, "ann", "stop"))
        with file.open("ab") as cut:
            cut.write(b'{"account": "tg", "per')
        stage.deliver(stage.typed(2, "bob", "stop"))
        with stage.database.engine.begin() as connection:
            connection.execute(text("UPDATE person SET stopped = false"))
    with opened(url) as stage:
        assert {row["platform_id"] for row in stage.rows("person") if row["stopped"]} == {"ann", "bob"}


def test_what_is_out_of_date_is_removed_when_there_is_much_of_it(database_url: str) -> None:
    upgraded(database_url)
    n = stops.LARGE // 80
    with engine_of(database_url) as engine, engine.begin() as connection:
        both = (stops.What.STOP, stops.What.START)
        stops.note(connection, [stops.said("tg", str(k % 50), both[k // 50 % 2], NOW, f"e{k}") for k in range(n)])
        before = stops.latest(connection)
    upgraded(database_url)
    with engine_of(database_url) as engine, engine.connect() as connection:
        assert stops.latest(connection) == before
        if engine.dialect.name == "sqlite":
            assert stops.beside(Path(str(engine.url.database))).stat().st_size < 50 * 200
        else:
            name = connection.execute(text("SELECT current_schema()")).scalar_one()
            assert connection.execute(text(f"SELECT count(*) FROM vouch_stops.{name}")).scalar_one() == 50
