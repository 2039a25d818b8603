"""Leases: which process serves an account, and how another follows it.

A lease lasts ``LEASE_S`` by the database's clock and is renewed well before. Who waits for one takes it when it ran
out, or at once when its holder is gone: on PostgreSQL each run of Vouch holds an advisory lock for as long as its
connection lives, on SQLite the one process that may use the file holds a lock of the operating system on it
(``core/store/alone.py``). A holder that was paused learns of its loss from the fence (``core/store/fencing.py``).
Source: C. Gray and D. Cheriton, "Leases", SOSP 1989.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, Interval, func, literal, select, update
from sqlalchemy.exc import DBAPIError

from core.clock import steady
from core.errors import StoreAway, StoreError
from core.models import Lease
from core.store import holders
from core.store.alone import FileLock
from core.store.database import Database
from core.store.fencing import Held, Now
from core.store.opening import as_away
from core.store.session import Session
from core.store.statements import Upsert, stamp, table
from core.threads import in_thread

log = logging.getLogger(__name__)

T = TypeVar("T")
TakeOver = Callable[[Connection, str], None]

LEASE_S = 8.0
"""How long a lease lasts when it is not renewed, in seconds of the database's clock."""

RENEW_S = 2.0
"""How often it is renewed, in wall seconds."""

MARGIN_S = 2.0
"""A holder that could not renew gives up so long before its lease runs out, in wall seconds."""

SERVICE, COMMAND = "service", "command"
"""Who has the file of a SQLite database to itself: one that serves until it is told to stop, or one that ends soon."""

LOCK_S = 1.0
"""How long taking a lease may wait for its row: then it is tried again."""

_LEASE = table(Lease)
_EVER = datetime(9999, 1, 1, tzinfo=UTC)
"""On SQLite the lock on the file is the lease: no clock can end it."""

_add = Upsert(Lease, ("account", "fence", "session", "until"), key=("account",))


@dataclass(frozen=True, slots=True)
class _Seen:
    """Somebody else's lease, and since when it has looked like this, by our steady clock."""

    fence: int
    until: datetime
    since_s: float


class Leases:
    """The leases of one run of one process. ``async with Leases(database, take_over) as leases``."""

    def __init__(
        self,
        database: Database,
        take_over: TakeOver,
        *,
        lease_s: float = LEASE_S,
        renew_s: float = RENEW_S,
        margin_s: float = MARGIN_S,
        steady: Callable[[], float] = steady,
    ) -> None:
        """``take_over`` sees to what the holder before left undone, in the transaction in which its lease is taken."""
        self._database = database
        self._take_over = take_over
        self._lease_s, self._renew_s, self._margin_s = lease_s, renew_s, margin_s
        self._steady = steady
        self._number = secrets.randbits(62) + 1
        self.session = f"{self._number:x}"
        """Names this run in the database."""
        self._renewed: dict[Held, float] = {}
        """Our leases, and when each was last renewed, by the steady clock."""
        self._lost: dict[Held, asyncio.Event] = {}
        self._others: dict[str, _Seen] = {}
        self._file = FileLock.beside(database.engine.url) if database.dialect == "sqlite" else None
        self._queue = FileLock.beside(database.engine.url, "next") if self._file is not None else None
        """A service that waits for the file holds this, so that a command sees it."""
        self._session = None if self._file is not None else Session(database.engine.url, self._number)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vouch-leases")
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Leases:
        if self._session is not None:
            await self._database.when_there_is_room(self._connect, self._session)
            self._renewing = asyncio.create_task(self._renew_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        for held in list(self._renewed):
            with suppress(StoreError):
                await self.release(held)
        for lock in (self._queue, self._file):
            if lock is not None:
                lock.release()
        if self._session is not None:
            await self._in_thread(self._session.close)
        self._thread.shutdown(wait=False)

    @staticmethod
    def _connect(session: Session) -> None:
        try:
            session.open()
        except (DBAPIError, StoreAway) as error:
            session.close()
            raise as_away(error) or StoreError(
                f"the database cannot be reached: {error}; see service.database"
            ) from error

    @property
    def count(self) -> int:
        """How many accounts we serve."""
        return len(self._renewed)

    @property
    def shared(self) -> bool:
        """Whether other processes may serve accounts beside us."""
        return self._file is None

    def alone(self, name: str = COMMAND) -> bool:
        """SQLite: whether no other process uses the file, from now on until we end. PostgreSQL: always true. ``name``
        is ``SERVICE`` or ``COMMAND``. A service that has to wait is seen by whoever looks at ``awaited``."""
        if self._file is None or self._queue is None:
            return True
        taken = self._file.take(name)
        if taken:
            self._queue.release()
        elif name == SERVICE:
            with suppress(OSError):  # on a full disk nobody can be told
                self._queue.take(name)
        return taken

    @property
    def awaited(self) -> bool:
        """SQLite: whether a service waits for the file. PostgreSQL: never."""
        return self._queue is not None and self._queue.is_taken

    @property
    def holder(self) -> str:
        """SQLite: who uses the file, or did last: ``SERVICE`` or ``COMMAND``."""
        return self._file.holder if self._file is not None else ""

    async def take(self, account: str) -> Held | None:
        """Take the lease of an account; ``None`` while another live process has it. Raises ``StoreError``."""
        if not self.alone():
            return None
        started = self._steady()
        try:
            held = await self._write(lambda connection: self._take(connection, account))
        except DBAPIError as error:
            raise StoreError(f"{account}: its lease cannot be taken now: {error.orig}") from error
        if held is not None:
            self._renewed[held], self._lost[held] = started, asyncio.Event()
            self._others.pop(account, None)
        return held

    async def lost(self, held: Held) -> None:
        """Returns once the lease is lost, or could not be renewed for so long that it may be."""
        lost = self._lost.get(held)
        while lost is not None and not lost.is_set():
            left_s = None
            if self._session is not None:
                left_s = self._renewed[held] + self._lease_s - self._margin_s - self._steady()
                if left_s <= 0:
                    return
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await lost.wait()

    async def release(self, held: Held) -> None:
        """Give a lease back: whoever waits for it may have it at once. Raises ``StoreError``."""
        self._renewed.pop(held, None)
        if (lost := self._lost.pop(held, None)) is not None:
            lost.set()
        free = update(_LEASE).where(_LEASE.c.account == held.account, _LEASE.c.fence == held.fence)
        try:
            await self._write(lambda connection: connection.execute(free.values(session="")))
        except DBAPIError as error:
            raise StoreError(f"{held.account}: its lease cannot be given back now: {error.orig}") from error

    # -- taking --------------------------------------------------------------------------------------------------------

    def _take(self, connection: Connection, account: str) -> Held | None:
        _add(connection, [(account, 0, "", stamp(connection)(datetime.fromtimestamp(0, UTC)))])
        query = select(_LEASE.c.fence, _LEASE.c.session, _LEASE.c.until, _LEASE.c.until <= Now())
        fence, session, until, over = connection.execute(query.where(_LEASE.c.account == account)).one()
        if not (session == "" or over or self._is_gone(connection, session) or self._stuck(account, fence, until)):
            return None
        same = (_LEASE.c.account == account, _LEASE.c.fence == fence, _LEASE.c.until == until)
        mine = update(_LEASE).where(*same).values(fence=fence + 1, session=self.session, until=self._until())
        if connection.execute(mine).rowcount != 1:  # somebody else was faster, or it was renewed after all
            return None
        if fence and self._file is None:
            holders.follow(connection, account, fence)
        self._take_over(connection, account)
        return Held(account, fence + 1)

    def _until(self) -> Any:
        if self._file is not None:
            return _EVER
        return Now() + literal(timedelta(seconds=self._lease_s), Interval())

    def _is_gone(self, connection: Connection, session: str) -> bool:
        if self._file is not None:  # we have the lock on the file, so it does not
            return True
        # Shared, so that two who ask at the same time do not take each other for it. Our own we lost or gave up.
        return session == self.session or bool(
            connection.execute(select(func.pg_try_advisory_xact_lock_shared(int(session, 16)))).scalar_one()
        )

    def _stuck(self, account: str, fence: int, until: datetime) -> bool:
        """Whether nobody renewed it for the life of a lease: then it is over, however far off a clock once was."""
        now, seen = self._steady(), self._others.get(account)
        if seen is None or (seen.fence, seen.until) != (fence, until):
            self._others[account] = _Seen(fence, until, now)
            return False
        return now - seen.since_s > self._lease_s

    # -- renewing ------------------------------------------------------------------------------------------------------

    async def _renew_for_ever(self) -> None:
        complained = False
        while True:
            await asyncio.sleep(self._renew_s)
            for held in list(self._renewed):
                started = self._steady()
                try:
                    renewed = await self._in_thread(lambda held=held: self._renew(held))  # type: ignore[misc]
                except DBAPIError as error:
                    if not complained:
                        log.warning("%s: its lease cannot be renewed now: %s", held.account, error.orig)
                    complained = True
                    break
                complained = False
                if renewed and held in self._renewed:
                    self._renewed[held] = started
                elif held in self._renewed:
                    self._lost[held].set()

    def _renew(self, held: Held) -> bool:
        if self._session is None:
            return True
        its = (_LEASE.c.account == held.account, _LEASE.c.fence == held.fence, _LEASE.c.session == self.session)
        # One row a transaction: who locks several in an order of its own may wait for who waits for it.
        return self._session.execute(update(_LEASE).where(*its).values(until=self._until())) == 1

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """In the thread of the session, whatever becomes of who waits for it."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))

    async def _write(self, job: Callable[[Connection], T]) -> T:
        """On SQLite in the one writer's turn. On PostgreSQL beside it: what arrives must not hold up a take-over."""
        if self._file is not None:
            return await self._database.write(job)

        def run() -> T:
            with self._database.engine.begin() as connection:
                connection.execute(select(func.set_config("lock_timeout", f"{LOCK_S:.0f}s", True)))
                return job(connection)

        return await in_thread(run)
