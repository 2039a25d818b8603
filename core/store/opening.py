"""Opening a database: how each kind is set up, and bringing its schema up to what this code knows."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from core.errors import SettingsError, StoreAway, StoreError
from core.models import SCHEMA, Kept
from core.store import stops
from core.store.agree import agree
from core.store.faults import BUSY, PASSES, storage_fault
from core.store.statements import table

_KEPT = table(Kept)

PRAGMAS = (
    *("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON", "secure_delete=ON"),
    *("cache_size=-16000", "wal_autocheckpoint=4000"),  # 16 MB each: the pages that replies touch stay in memory
)

BUSY_S = 5.0
"""So long another program may hold a SQLite file while we open it, wall seconds."""

_BOUNDS = {
    "connect_timeout": "5",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
}
"""A server that is cut off without a word is noticed within some 10 s. Source:
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS"""


def open_engine(url: str) -> Engine:
    """An engine for ``sqlite:///file`` (WAL, ``synchronous=FULL``, ``BEGIN IMMEDIATE``) or ``postgresql://…``
    (``synchronous_commit`` at least ``on``).

    Raises ``SettingsError`` when the address cannot be used.
    """
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        engine = create_engine(url, pool_pre_ping=url.startswith("postgresql"))
        if engine.dialect.name == "postgresql":
            bounds = {name: value for name, value in _BOUNDS.items() if name not in engine.url.query}
            engine = create_engine(engine.url.update_query_dict(bounds), pool_pre_ping=True)
    except Exception as error:
        raise SettingsError(f"service.database: {error}; write sqlite:///FILE or postgresql://…") from error
    event.listen(engine, "handle_error", _as_away)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _set_up_postgresql)
    return engine


def alone(file: Path) -> Engine:
    """An engine for a SQLite file that nobody else knows of yet: all of it stays in the one file."""
    engine = create_engine(f"sqlite:///{file}")
    event.listen(engine, "connect", _by_hand)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _by_hand(connection: Any, _: object) -> None:
    connection.isolation_level = None  # else Python's driver would begin and commit by itself
    connection.execute("PRAGMA synchronous=FULL")


def _as_away(context: ExceptionContext) -> StoreAway | None:
    """Whoever uses the database, reading too, learns of its own faults by their type."""
    return as_away(context.sqlalchemy_exception) if context.sqlalchemy_exception is not None else None


def as_away(error: BaseException) -> StoreAway | None:
    """A fault of the database itself as our error; ``None`` when it is none."""
    if isinstance(error, StoreAway):
        return error
    reason = storage_fault(error)
    what = error.orig if isinstance(error, DBAPIError) else error
    return StoreAway(reason, one_line(what or error)) if reason is not None else None


def one_line(error: BaseException) -> str:
    """The first line of what a driver says."""
    return " ".join(str(error).split("\n")[0].split())


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


_DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> %s"
"""A role or a database may have a weaker one for its default. Only ``remote_apply`` is stronger: it stays. Source:
https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-SYNCHRONOUS-COMMIT"""


def _set_up_postgresql(connection: Any, _: object) -> None:
    connection.execute(_DURABLE, ["remote_apply"])  # what is thanked for must be on the disk
    # A process that was paused within a transaction must not keep its locks for longer than its leases last.
    connection.execute("SET idle_in_transaction_session_timeout = '5s'")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred BEGIN that reads, then writes, fails with "locked" when two write: the lock is taken at once.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def prepare(engine: Engine) -> None:
    """Make the tables of an empty database, bring an older schema up to date, refuse a newer one.

    Raises ``StoreError``; ``StoreAway`` where there may be room later.
    """
    _make_file(engine)
    until = time.monotonic() + BUSY_S
    while True:
        before = file_of(engine)
        try:
            return _prepare(engine)
        except (DBAPIError, StoreAway) as error:
            engine.dispose()
            if before is not None and file_of(engine) not in (None, before):
                continue  # another process has just put a present one in its place
            if isinstance(error, StoreAway) and error.reason == BUSY and time.monotonic() < until:
                time.sleep(0.05)  # two that make a file WAL at once: SQLite does not wait there
                continue
            if isinstance(error, StoreAway) and error.reason in PASSES:
                raise
            what = error.orig if isinstance(error, DBAPIError) else error
            raise StoreError(f"the database cannot be opened: {what}; see service.database") from error


def _make_file(engine: Engine) -> None:
    """Make the empty file of a SQLite database for its owner alone. Raises ``StoreError``."""
    name = engine.url.database or ""
    if engine.dialect.name != "sqlite" or name in ("", ":memory:") or os.path.exists(name):
        return
    try:
        os.close(os.open(name, os.O_RDWR | os.O_CREAT, 0o600))
    except FileNotFoundError:
        raise StoreError(f"there is no folder {os.path.dirname(os.path.abspath(name))}; see service.database") from None
    except OSError as error:
        raise StoreError(f"the database cannot be made: {error}; see service.database") from error


def file_of(engine: Engine) -> int | None:
    """Which file there is under the name of a SQLite database; ``None`` where none can be found."""
    try:
        return os.stat(engine.url.database or "").st_ino if engine.dialect.name == "sqlite" else None
    except OSError:  # also a folder that is gone, or that we may not look into any more
        return None


def _prepare(engine: Engine) -> None:
    with engine.begin() as connection:
        lock_schema(connection)
        found = schema_of(connection)
        if found is None:
            create(connection)
        if found in (None, SCHEMA):
            stops.make_room(connection)
    if found in (None, SCHEMA):
        with engine.begin() as connection:  # of its own: it may lock people, and writers lock people before their stops
            lock_schema(connection)
            agree(connection)
    if found is not None and found < SCHEMA:
        engine.dispose()  # on SQLite another file takes its place
        from core.store.migrations.migrate import migrate  # alembic is loaded only when it is needed

        migrate(engine, found)
        _prepare(engine)


def lock_schema(connection: Connection) -> None:
    """Until the transaction ends, nobody else makes or changes the tables."""
    if connection.dialect.name == "postgresql":
        key = func.hashtext(func.concat("vouch schema ", func.current_schema()))
        connection.execute(select(func.pg_advisory_xact_lock(key)))


def schema_of(connection: Connection) -> int | None:
    """The version of the database's schema; ``None`` when it is empty. Raises ``StoreError`` for a newer one."""
    if not inspect(connection).has_table(_KEPT.name):
        return None
    found = connection.execute(select(_KEPT.c.value).where(_KEPT.c.name == "schema")).scalar_one_or_none()
    if found is None:
        return None
    if int(found) > SCHEMA:
        raise StoreError(f"the database has schema {found}, this Vouch knows {SCHEMA}: install a newer Vouch")
    return int(found)


def create(connection: Connection) -> None:
    """Make all tables, and what belongs to a new database. A busy machine may take its time: nobody else is there."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.set_config("idle_in_transaction_session_timeout", "60s", True)))
    SQLModel.metadata.create_all(connection)
    rows = [{"name": "schema", "value": str(SCHEMA)}, {"name": "seal", "value": secrets.token_hex(32)}]
    connection.execute(_KEPT.insert(), rows)
