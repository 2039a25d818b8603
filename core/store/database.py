"""The one writer that commits for everybody, and connections for reading.

The writer takes whatever queued while it was committing and commits it together (group commit): at full durability
this acknowledges an order of magnitude more replies than a commit each. Source: D. DeWitt et al., "Implementation
Techniques for Main Memory Database Systems", SIGMOD 1984, section 5.2 (group commit); https://www.sqlite.org/wal.html.

When the database itself fails (disk full, read-only, server away) the writer says so once, refuses what is queued, so
that nothing is confirmed to a platform, and tries again at a calm pace until it works.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from core.clock import steady
from core.errors import StoreAway, StoreError
from core.models import Kept
from core.store.faults import MOVED, PASSES
from core.store.opening import as_away, file_of, open_engine, prepare
from core.store.statements import table
from core.threads import in_thread

__all__ = ["Connection", "Database", "Job", "existing", "open_engine"]

log = logging.getLogger(__name__)

T = TypeVar("T")
Job = Callable[[Connection], Any]

_KEPT = table(Kept)

_PROBE = _KEPT.update().where(_KEPT.c.name == "seal").values(value=_KEPT.c.value)

BATCH = 512
"""Most jobs in one commit."""

AGAIN_S = 1.0
"""How long, in wall seconds, the writer rests after the database itself failed."""

SAY_AGAIN_S = 300.0
"""How often, in wall seconds, it is said while that goes on."""

CALM_S = 2.0
"""How long, in wall seconds, it must have worked until we say that it works again."""


def existing(url: str, missing: str) -> Database:
    """The database at this address, which looking alone does not create, for reading. Raises ``StoreError`` when there
    is none, with what is ``missing`` then: ``{file}`` stands for the file."""
    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:") and not file.exists() and file.absolute().parent.is_dir():
        raise StoreError(missing.format(file=file))
    database = Database(url)
    database.create()
    return database


@dataclass(slots=True)
class _Queued:
    job: Job
    future: asyncio.Future[Any]


class Database:
    """One database and its writer thread. ``async with Database(url) as database``."""

    def __init__(self, url: str, *, room: int = 20_000, patient: bool = False) -> None:
        """``patient``: a full disk, or a server that is away, is waited for at the start as well."""
        self.engine = open_engine(url)
        self.dialect = self.engine.dialect.name
        self._queue: deque[_Queued] = deque()
        self._some = threading.Condition()
        self._closed = False
        self._patient = patient
        self._room = asyncio.Semaphore(room)  # first come, first served: calls keep their order when it is full
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._file: int | None = None
        """Which file a SQLite database is in; what is written to it once it is moved away may never be seen again."""
        self._fault: str | None = None
        self._said_at_s = 0.0
        self._failed_at_s = 0.0
        self._resting = False
        self.on_rollback: list[Callable[[], None]] = []
        """Called in the writer's thread when a transaction was undone: to forget what was remembered of it."""

    def create(self) -> None:
        """Make the tables where there are none, bring an older schema up to date; refuse a newer one (``StoreError``).

        Stops that a restored backup does not know are taken from beside it."""
        prepare(self.engine)

    def kept(self, name: str) -> str:
        """A single value of the ``kept`` table."""
        with self.reading() as connection:
            return str(connection.execute(select(_KEPT.c.value).where(_KEPT.c.name == name)).scalar_one())

    def reading(self) -> Connection:
        """A connection for reading, in a transaction of its own: a consistent picture. Use with ``with``. Raises
        ``StoreAway``."""
        self._heed_the_file()
        connection = self.engine.connect()
        if self.dialect == "postgresql":
            return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return connection.execution_options(reading=True)

    async def __aenter__(self) -> Database:
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[StoreError | None] = self._loop.create_future()
        try:
            await self.when_there_is_room(self.create)
            self._file = file_of(self.engine)
        except BaseException:
            self.engine.dispose()
            raise
        self._thread = threading.Thread(target=self._run, name="vouch-writer", daemon=True)
        self._thread.start()
        return self

    async def when_there_is_room(self, work: Callable[..., T], *arguments: object) -> T:
        """Do in a thread what the start needs. Raises ``StoreAway`` unless it passes and we are patient."""
        while True:
            try:
                done = await in_thread(work, *arguments)
            except StoreAway as fault:
                if not self._patient or fault.reason not in PASSES:
                    raise
                self._failed(fault)
                await asyncio.sleep(AGAIN_S)
            else:
                self._resting = False
                return done

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

        Raises whatever the job raises, or ``StoreError`` when the commit failed: then nothing of it was kept, unless a
        server went away just while it committed (every job can be repeated). ``StoreAway`` when the database itself
        fails: try again later.
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
        try:
            while batch := self._next():
                try:
                    settled = self._attempt(batch)
                except BaseException as error:
                    fault = StoreError(f"the database's writer ended: {error!r}")
                    self._loop.call_soon_threadsafe(self._settle, [(queued, fault) for queued in batch])
                    raise
                self._loop.call_soon_threadsafe(self._settle, settled)
        finally:
            self._disconnect()

    def _next(self) -> list[_Queued]:
        """What is to be committed next, as soon as there is something; nothing when we are closed."""
        with self._some:
            self._some.wait_for(lambda: self._queue or self._closed)
            if self._resting:
                self._some.wait_for(lambda: self._closed, AGAIN_S)
            return [self._queue.popleft() for _ in range(min(len(self._queue), BATCH))]

    def _attempt(self, batch: Sequence[_Queued]) -> Iterable[tuple[_Queued, Any]]:
        settled: list[tuple[_Queued, Any]] = []
        try:
            self._heed_the_file()
            if self._connection is None:
                self._connection = self.engine.connect()
            self._commit(self._connection, batch, settled)
        except StoreAway as fault:
            self._failed(fault)
            return [*settled, *((queued, fault) for queued in batch[len(settled) :])]
        self._worked()
        return settled

    def _heed_the_file(self) -> None:
        """Raises ``StoreAway`` when our file is not where it was. SQLite would write on, to a file without a name."""
        if self._file is not None and file_of(self.engine) != self._file:
            raise StoreAway(MOVED, f"{self.engine.url.database} is not the file that it was")

    def _failed(self, fault: StoreAway) -> None:
        self._disconnect()
        self._failed_at_s, self._resting = steady(), True
        if self._fault != fault.reason or steady() - self._said_at_s > SAY_AGAIN_S:
            self._fault, self._said_at_s = fault.reason, steady()
            log.error("nothing can be kept now, so nothing is confirmed: %s; trying again every second", fault)

    def _worked(self) -> None:
        self._resting = False
        if self._fault is not None and steady() - self._failed_at_s >= CALM_S:
            self._fault = None
            log.warning("the database keeps things again")

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError, StoreAway):
                connection.close()

    def _commit(self, connection: Connection, batch: Sequence[_Queued], settled: list[tuple[_Queued, Any]]) -> None:
        """Commit a batch, and add what became of each. Raises ``StoreAway``: then the rest was not kept."""
        try:
            with connection.begin():
                if self._fault is not None:  # a job may write nothing, and so prove nothing
                    connection.execute(_PROBE)
                results = self._perform(connection, batch)
            settled += zip(batch, results, strict=True)
        except Exception as error:
            for forget in self.on_rollback:
                forget()
            if (away := as_away(error)) is not None:
                raise away from (None if away is error else error)
            if len(batch) == 1:
                settled.append((batch[0], _as_store_error(error)))
                return
            # One job that fails must not take the others with it: halve until it stands alone.
            half = len(batch) // 2
            self._commit(connection, batch[:half], settled)
            self._commit(connection, batch[half:], settled)

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
