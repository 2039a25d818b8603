"""Bringing a database up to the present schema. On SQLite a copy is changed and checked, then takes the old one's
place; on PostgreSQL everything happens in one transaction."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Engine, func, select
from sqlmodel import SQLModel

from core.errors import StoreError
from core.models import SCHEMA, Kept
from core.store import files
from core.store.migrations import to_2, to_3, to_4, to_5, to_6, to_7, to_8, to_9
from core.store.opening import alone, lock_schema, schema_of
from core.store.statements import table

log = logging.getLogger(__name__)

_KEPT = table(Kept)

STEPS: Sequence[Callable[[Operations], None]] = (
    to_2.upgrade,
    to_3.upgrade,
    to_4.upgrade,
    to_5.upgrade,
    to_6.upgrade,
    to_7.upgrade,
    to_8.upgrade,
    to_9.upgrade,
)
"""The first takes schema 1 to 2, the next 2 to 3, and so on."""

LOCK_S = 30
"""How long, in seconds, PostgreSQL may wait until nobody else uses a table."""


def migrate(engine: Engine, found: int) -> None:
    """Bring a database from schema ``found`` to the present one. Whatever happens, it is wholly the one or the other.

    Raises ``StoreError`` when that is not possible; nothing is changed then.
    """
    log.warning("the database has schema %d and is brought to %d", found, SCHEMA)
    if engine.dialect.name == "sqlite":
        aside = _migrate_file(Path(engine.url.database or ""))
        log.warning("the database has schema %d now; as it was, it is kept in %s", SCHEMA, aside)
    else:
        with engine.begin() as connection:
            connection.execute(select(func.set_config("lock_timeout", f"{LOCK_S}s", True)))
            lock_schema(connection)
            upgrade(connection)
        log.warning("the database has schema %d now", SCHEMA)


def _migrate_file(file: Path) -> Path | None:
    new = Path(f"{file}.migrating")
    with files.locked(file), files.held_still(file) as old:
        found = int(old.execute("SELECT value FROM kept WHERE name = 'schema'").fetchone()[0])
        if found >= SCHEMA:  # somebody else has done it while we waited
            return None
        try:
            files.copy(old, new, file)
            upgrade_file(new)
            return files.swap(new, file, f"schema-{found}")
        finally:
            files.remove(new)


def upgrade_file(file: Path) -> None:
    """Bring a SQLite file that nobody else uses up to the present schema, and see that it is whole and lost no row."""
    with closing(sqlite3.connect(file)) as before:
        had = files.counts(before)
    engine = alone(file)
    try:
        with engine.begin() as connection:
            upgrade(connection)
    finally:
        engine.dispose()
    with closing(sqlite3.connect(file)) as after:
        files.check(after, file)
        has = files.counts(after)
    if lost := [f"{name} has {has.get(name)} rows, not {n}" for name, n in had.items() if has.get(name) != n]:
        raise StoreError(f"{file}: not all was carried over: {'; '.join(lost)}")


def upgrade(connection: Connection) -> None:
    """Take every step that is due, in the connection's transaction. Raises ``StoreError`` when the result is not the
    present schema."""
    found = schema_of(connection)
    if found is None or found == SCHEMA:
        return
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    for step in STEPS[found - 1 : SCHEMA - 1]:
        step(Operations(context))
    connection.execute(_KEPT.update().where(_KEPT.c.name == "schema").values(value=str(SCHEMA)))
    if differs := compare_metadata(context, SQLModel.metadata):
        raise StoreError(f"the database is not what schema {found} was: {differs[0]}; restore it from a backup")
