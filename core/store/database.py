"""Opening the database, and the one writer that commits for everybody.

The writer takes whatever queued while it was committing and commits it together (group commit): at full durability
this acknowledges an order of magnitude more replies than a commit each. Source: D. DeWitt et al., "Implementation
Techniques for Main Memory Database Systems", SIGMOD 1984, section 5.2 (group commit); https://www.sqlite.org/wal.html.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from core.errors import SettingsError, StoreError
from core.models import SCHEMA, Kept
from core.store.statements import table

__all__ = ["Connection", "Database", "Job", "open_engine"]

T = TypeVar("T")
Job = Callable[[Connection], Any]

_KEPT = table(Kept)

BATCH = 512
"""Most jobs in one commit."""


_PRAGMAS = (
    *("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON", "secure_delete=ON"),
    *("cache_size=-16000", "wal_autocheckpoint=4000"),  # 16 MB each: the pages that replies touch stay in memory
)


def open_engine(url: str) -> Engine:
    """An engine for ``sqlite:///file`` (WAL, ``synchronous=FULL``, ``BEGIN IMMEDIATE``) or ``postgresql://…``.

    Raises ``SettingsError`` when the address cannot be used.
    """
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        engine = create_engine(url, pool_pre_ping=url.startswith("postgresql"))
    except Exception as error:
        raise SettingsError(f"service.database: {error}; write sqlite:///FILE or postgresql://…") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _set_up_postgresql)
    return engine


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _set_up_postgresql(connection: Any, _: object) -> None:
    # A process that was paused within a transaction must not keep its locks for longer than its leases last.
    connection.execute("SET idle_in_transaction_session_timeout = '5s'")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred BEGIN that reads, then writes, fails with "locked" when two write: the lock is taken at once.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@dataclass(slots=True)
class _Queued:
    job: Job
    future: asyncio.Future[Any]


class Database:
    """One database and its writer thread. ``async with Database(url) as database``."""

    def __init__(self, url: str, *, room: int = 20_000) -> None:
        self.engine = open_engine(url)
        self.dialect = self.engine.dialect.name
        self._queue: deque[_Queued] = deque()
        self._some = threading.Condition()
        self._closed = False
        self._room = asyncio.Semaphore(room)  # first come, first served: calls keep their order when it is full
        self._thread: threading.Thread | None = None
        self.on_rollback: list[Callable[[], None]] = []
        """Called in the writer's thread when a transaction was undone: to forget what was remembered of it."""

    def create(self) -> None:
        """Create the tables where they are missing; refuse a schema newer than this code (``StoreError``)."""
        try:
            with self.engine.begin() as connection:
                SQLModel.metadata.create_all(connection)
                kept: dict[str, str] = dict(connection.execute(select(_KEPT.c.name, _KEPT.c.value)).all())
                missing = {"schema": str(SCHEMA), "seal": secrets.token_hex(32)}
                for name, value in missing.items():
                    if name not in kept:
                        connection.execute(_KEPT.insert().values(name=name, value=value))
        except DBAPIError as error:
            raise StoreError(f"the database cannot be opened: {error.orig}; see service.database") from error
        if int(kept.get("schema", SCHEMA)) > SCHEMA:
            raise StoreError(
                f"the database has schema {kept['schema']}, this Vouch knows {SCHEMA}: install a newer Vouch"
            )

    def kept(self, name: str) -> str:
        """A single value of the ``kept`` table."""
        with self.reading() as connection:
            return str(connection.execute(select(_KEPT.c.value).where(_KEPT.c.name == name)).scalar_one())

    def reading(self) -> Connection:
        """A connection for reading, in a transaction of its own: a consistent picture. Use with ``with``."""
        connection = self.engine.connect()
        if self.dialect == "postgresql":
            return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return connection.execution_options(reading=True)

    async def __aenter__(self) -> Database:
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[StoreError | None] = self._loop.create_future()
        await asyncio.to_thread(self.create)
        self._thread = threading.Thread(target=self._run, name="vouch-writer", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        with self._some:
            self._closed = True
            self._some.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
        await asyncio.sleep(0)  # what the thread has left to the loop
        self.engine.dispose()

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run ``job`` in a transaction and return its result once it is committed. Calls keep their order.

        Raises whatever the job raises, or ``StoreError`` when the commit failed: then nothing of it was kept.
        """
        await self._room.acquire()
        future: asyncio.Future[T] = self._loop.create_future()
        with self._some:
            if self._closed:
                raise StoreError("the database is closed")
            self._queue.append(_Queued(job, future))
            self._some.notify()
        return await future

    # -- the writer thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._work()
        except BaseException as fault:  # whatever it is: nobody may wait for a writer that is gone
            error = fault
        with self._some:
            self._closed = True
            left = list(self._queue)
            self._queue.clear()
        self._loop.call_soon_threadsafe(self._end, error, left)

    def _end(self, error: BaseException | None, left: Sequence[_Queued]) -> None:
        fault = StoreError(f"the database's writer ended: {error or 'it was closed'}")
        self._settle([(queued, fault) for queued in left])
        if not self._ended.done():
            self._ended.set_result(fault if error is not None else None)

    async def ended(self) -> None:
        """Returns when the database was closed; raises ``StoreError`` as soon as its writer ends by itself."""
        if (fault := await asyncio.shield(self._ended)) is not None:
            raise fault

    def _work(self) -> None:
        with self.engine.connect() as connection:
            while True:
                with self._some:
                    while not self._queue and not self._closed:
                        self._some.wait()
                    if not self._queue:
                        return
                    batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH))]
                try:
                    settled = self._commit(connection, batch)
                except BaseException as error:
                    fault = StoreError(f"the database's writer ended: {error!r}")
                    self._loop.call_soon_threadsafe(self._settle, [(queued, fault) for queued in batch])
                    raise
                self._loop.call_soon_threadsafe(self._settle, settled)

    def _commit(self, connection: Connection, batch: Sequence[_Queued]) -> Iterable[tuple[_Queued, Any]]:
        try:
            transaction = connection.begin()
        except Exception as error:  # the database is away or locked: no fault of any job
            return [(queued, _as_store_error(error)) for queued in batch]
        try:
            with transaction:
                return list(zip(batch, self._perform(connection, batch), strict=True))
        except Exception as error:
            for forget in self.on_rollback:
                forget()
            if len(batch) == 1:
                return [(batch[0], _as_store_error(error))]
            # One job that fails must not take the others with it: halve until it stands alone.
            half = len(batch) // 2
            return [*self._commit(connection, batch[:half]), *self._commit(connection, batch[half:])]

    def _perform(self, connection: Connection, batch: Sequence[_Queued]) -> list[Any]:
        """Run the jobs in order; neighbours that know how to run as one (``merged``) do."""
        results: list[Any] = []
        at = 0
        while at < len(batch):
            merged = getattr(batch[at].job, "merged", None)
            end = at + 1
            if merged is not None:
                while end < len(batch) and getattr(batch[end].job, "merged", None) == merged:
                    end += 1
                results += merged(connection, [queued.job for queued in batch[at:end]])
            else:
                results.append(batch[at].job(connection))
            at = end
        return results

    def _settle(self, settled: Iterable[tuple[_Queued, Any]]) -> None:
        for queued, result in settled:
            self._room.release()
            if queued.future.done():
                continue
            if isinstance(result, Exception):
                queued.future.set_exception(result)
            else:
                queued.future.set_result(result)


def _as_store_error(error: Exception) -> Exception:
    if isinstance(error, DBAPIError):
        return StoreError(f"the database could not keep something: {error.orig}")
    return error
