"""An old database becomes a present one: the same as if it had just been made, with all its rows, whatever happens."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from core.errors import StoreError
from core.models import SCHEMA
from core.store.database import Database, open_engine
from core.store.migrations.migrate import STEPS, upgrade_file
from tests.architecture import ROOT

SCHEMAS = Path(__file__).with_name("schemas")
SEAL = "5e" * 32
PEOPLE = 40


def make_old(engine: Engine) -> None:
    """A database as schema 1 left it, with something in every table."""
    tables = SCHEMAS.joinpath(f"1.{engine.dialect.name}.sql").read_text("utf-8")
    rows = SCHEMAS.joinpath("1.rows.sql").read_text("utf-8")
    if engine.dialect.name == "sqlite":
        rows = rows.replace("+00'", "'")  # times have no zone there
    with engine.begin() as connection:
        for statement in re.sub(r"^--.*$", "", f"{tables};{rows}", flags=re.MULTILINE).split(";"):
            if statement.strip():
                connection.exec_driver_sql(statement)
        for person in range(10, 10 + PEOPLE):
            name = {"id": person, "name": f"person {person}"}
            connection.execute(text("INSERT INTO person VALUES (:id, 'tg', :name, 'fr', true, false, false, 0)"), name)


def rows_of(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name in inspect(connection).get_table_names():
        rows = [dict(row) for row in connection.execute(text(f'SELECT * FROM "{name}"')).mappings()]
        found[name] = sorted(rows, key=str)
    return found


def picture(connection: Connection) -> dict[str, object]:
    """All that there is to say about the tables."""
    found: dict[str, object] = {}
    look = inspect(connection)
    for name in look.get_table_names():
        columns = [{**column, "type": str(column["type"])} for column in look.get_columns(name)]
        for column in columns:
            column["default"] = str(column["default"]).strip("'()").replace("'::character varying", "")
        found[name] = {
            "columns": columns,
            "key": look.get_pk_constraint(name)["constrained_columns"],
            "names": sorted(str(key) for key in look.get_foreign_keys(name)),
            "unique": sorted(sorted(one["column_names"]) for one in look.get_unique_constraints(name)),
            "indexes": sorted(_plain(index) for index in look.get_indexes(name)),
            "checks": sorted(check["sqltext"] for check in look.get_check_constraints(name)),
        }
    if connection.dialect.name == "sqlite":
        found["rowids"] = sorted(
            (row.name, row.wr) for row in connection.execute(text("PRAGMA table_list")) if row.name != "sqlite_schema"
        )
    return found


def _plain(index: Any) -> str:
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return str({**index, "dialect_options": options})


@contextlib.contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    """An engine that is given back."""
    engine = open_engine(url)
    yield engine
    engine.dispose()


def upgraded(url: str) -> None:
    """Open a database as Vouch does."""
    database = Database(url)
    try:
        database.create()
    finally:
        database.engine.dispose()


def test_the_old_schema_is_the_one_before_the_steps() -> None:
    assert len(STEPS) == SCHEMA - 1


def test_an_old_database_becomes_what_a_new_one_is(database_url: str, another_url: str) -> None:
    with engine_of(database_url) as engine:
        make_old(engine)
        with engine.connect() as connection:
            before = rows_of(connection)
    upgraded(database_url)
    upgraded(another_url)
    with engine_of(database_url) as engine, engine.connect() as connection:
        found, after = picture(connection), rows_of(connection)
    with engine_of(another_url) as engine, engine.connect() as connection:
        assert found == picture(connection)
    assert all(before.values()), "a table of the old one is empty: its rows prove nothing"
    for name, rows in before.items():
        if name == "kept":
            assert {row["name"]: row["value"] for row in after[name]} == {"schema": str(SCHEMA), "seal": SEAL}
        else:
            stays = [key for key in rows[0] if (name, key) != ("response", "comment")]
            kept, had = ([{key: row[key] for key in stays} for row in its] for its in (after[name], rows))
            assert sorted(kept, key=str) == sorted(had, key=str)
    assert [row["text"] for row in after["comment"]] == [r["comment"] for r in before["response"] if r["comment"]]
    assert after["comment"]
    assert {(row["looks"], row["fence"], row["spent"]) for row in after["outbox"]} == {(0, 0, 0)}


def test_the_old_file_is_kept_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    url, file = f"sqlite:///{tmp_path}/vouch.db", tmp_path / "vouch.db"
    with engine_of(url) as engine:
        make_old(engine)
    file.chmod(0o640)
    before = file.stat()
    upgraded(url)
    aside = tmp_path / "vouch.db.schema-1"
    assert aside.stat().st_ino == before.st_ino
    assert file.stat().st_mode == before.st_mode
    assert str(aside) in caplog.text
    with closing(sqlite3.connect(aside)) as old:
        assert old.execute("SELECT value FROM kept WHERE name = 'schema'").fetchone() == ("1",)
    assert {path.name for path in tmp_path.iterdir()} == {
        "vouch.db",
        "vouch.db.schema-1",
        "vouch.db.lock",
        "vouch.db.stops",
    }


def test_a_file_that_somebody_uses_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/vouch.db"
    with engine_of(url) as engine:
        make_old(engine)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT value FROM kept WHERE name = 'schema'")).scalar_one() == "1"
            connection.rollback()  # it is idle, and has it open
            with pytest.raises(StoreError, match="in use by another Vouch: stop it"):
                upgraded(url)
            assert connection.execute(text("SELECT value FROM kept WHERE name = 'schema'")).scalar_one() == "1"


def test_two_that_start_at_once_do_not_collide(database_url: str) -> None:
    with engine_of(database_url) as engine:
        make_old(engine)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(upgraded, [database_url] * 4))
    with engine_of(database_url) as engine, engine.connect() as connection:
        assert len(rows_of(connection)["person"]) == PEOPLE + 2


def test_two_that_make_the_tables_at_once_do_not_collide(database_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(upgraded, [database_url] * 4))
    with engine_of(database_url) as engine, engine.connect() as connection:
        assert len(rows_of(connection)["kept"]) == 2


def test_what_is_not_the_old_schema_is_left_as_it_was(database_url: str) -> None:
    with engine_of(database_url) as engine:
        make_old(engine)
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE person ADD COLUMN shoe_size INTEGER"))
            before = rows_of(connection)
    with pytest.raises(StoreError, match=r"not what schema 1 was.*shoe_size"):
        upgraded(database_url)
    with engine_of(database_url) as engine, engine.connect() as connection:
        assert rows_of(connection) == before


def test_a_copy_that_names_rows_which_are_not_there_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "vouch.db"
    engine = create_engine(f"sqlite:///{file}")  # which checks no foreign keys
    make_old(engine)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM wave"))
    engine.dispose()
    with pytest.raises(StoreError, match=r"damaged: .* names no wave"):
        upgrade_file(file)


LEFT = {"vouch.db", "vouch.db.schema-1", "vouch.db.lock", "vouch.db.stops", "vouch.db-wal", "vouch.db-shm"}

MIGRATE = """
import sys
from core.store.database import Database
database = Database(sys.argv[1])
print("go", flush=True)
database.create()
"""


def test_killed_at_any_step_it_is_the_old_or_the_new_one_whole(tmp_path: Path) -> None:
    start = tmp_path / "start"
    start.mkdir()
    with engine_of(f"sqlite:///{start}/vouch.db") as engine:
        make_old(engine)
    command = [sys.executable, "-m", "tests.store.killed", "migrate", str(tmp_path)]
    steps = int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout)
    found: dict[str, int] = {}
    for folder in (tmp_path / str(step) for step in range(1, steps + 1)):
        if not folder.exists():
            continue
        file = folder / "vouch.db"
        half = Path(f"{file}.migrating").exists()
        with closing(sqlite3.connect(file)) as connection:
            (schema,) = connection.execute("SELECT value FROM kept WHERE name = 'schema'").fetchone()
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("SELECT count(*) FROM person").fetchone() == (PEOPLE + 2,)
            assert connection.execute("SELECT text FROM reply").fetchall() == [("",)]
        moment = f"schema {schema}{' beside a copy' if half else ''}"
        found[moment] = found.get(moment, 0) + 1
        upgraded(f"sqlite:///{file}")
        with engine_of(f"sqlite:///{file}") as engine, engine.connect() as connection:
            assert len(rows_of(connection)["person"]) == PEOPLE + 2
            assert {"name": "schema", "value": str(SCHEMA)} in rows_of(connection)["kept"]
        assert {path.name for path in folder.iterdir()} <= LEFT
    assert found.keys() == {"schema 1", "schema 1 beside a copy", f"schema {SCHEMA}"}, found


def test_a_normal_start_does_not_load_alembic(tmp_path: Path) -> None:
    script = f"{MIGRATE}\nprint('alembic' in sys.modules)"
    command = [sys.executable, "-c", script, f"sqlite:///{tmp_path}/vouch.db"]
    for _ in range(2):
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
        assert said.split() == ["go", "False"]
