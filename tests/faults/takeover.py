"""How soon another instance serves what a killed or paused one served, read from the leases that PostgreSQL holds.

Each instance names its connections after itself (``application_name`` in its address), so its advisory lock tells which
session is its own, and so which leases. An account is served again when its lease has a new holder and that one has
read what was missed, which it does once the account's stream is up.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg

LEASE_S = 8.0
"""A pause of a holder beyond this loses it its lease."""

PROMISED_S = 15.0
"""So soon somebody else serves them."""

LONGEST_S = 30.0
LOOK_S = 0.05

_SESSIONS: LiteralString = (
    "SELECT (l.classid::bigint << 32) | l.objid::bigint FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
    "WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.mode = 'ExclusiveLock' AND a.application_name = %s"
)
_LEASES: LiteralString = (
    "SELECT l.account, l.session, l.fence, l.until > clock_timestamp(), c.value FROM lease l "
    "LEFT JOIN cursor c ON c.account = l.account AND c.name = 'caught up'"
)


@dataclass(frozen=True, slots=True)
class Served:
    """What an instance serves: the fence of each account, and up to when it was read."""

    accounts: dict[str, tuple[int, str]]


@dataclass
class Takeovers:
    """All that are measured in one world. ``injected`` tells how many faults have taken place on the wires."""

    url: str
    injected: Callable[[], Any]
    took_s: list[float] = field(default_factory=list)
    """Where nothing else was wrong meanwhile."""
    slow_s: list[float] = field(default_factory=list)
    """Where a fault of ours met it."""
    too_late: list[str] = field(default_factory=list)
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def served_by(self, name: str) -> Served | None:
        """What an instance serves now; ``None`` when it serves nothing or nobody can say."""
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                mine = {f"{row[0]:x}" for row in connection.execute(_SESSIONS, (name,))}
                rows = connection.execute(_LEASES).fetchall()
        except psycopg.Error:
            return None
        found = {account: (fence, value or "") for account, session, fence, _, value in rows if session in mine}
        return Served(found) if found else None

    def follow(self, served: Served, since: float) -> None:
        """Measure in the background; ``since`` is Unix time."""
        task = asyncio.create_task(self._measure(served, since))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def followed(self) -> None:
        """Wait until nothing is being measured."""
        await asyncio.gather(*self._under_way)

    async def _measure(self, served: Served, since: float) -> None:
        before = await self.injected()
        took_s = await asyncio.to_thread(self._wait, served, since)
        if took_s is None:
            return
        met_a_fault = await self.injected() > before
        (self.slow_s if met_a_fault else self.took_s).append(took_s)
        if took_s > PROMISED_S and not met_a_fault:
            self.too_late.append(f"{', '.join(served.accounts)}: served again after {took_s:.1f} s")

    def _wait(self, served: Served, since: float) -> float | None:
        """Seconds until all is served again; ``None`` when the database went away meanwhile."""
        never = threading.Event()
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                while time.time() - since < LONGEST_S:
                    now = {row[0]: row[2:] for row in connection.execute(_LEASES)}
                    if all(is_served(now[account], *was) for account, was in served.accounts.items()):
                        break
                    never.wait(LOOK_S)
        except psycopg.Error:
            return None
        return time.time() - since


def is_served(lease: tuple[int, bool, str | None], fence: int, caught_up: str) -> bool:
    """Whether a lease (its fence, whether it lasts, up to when its account was read) has a new holder since it had this
    fence and its account was read up to then, and whether that one has read what was missed."""
    now, lasts, read = lease
    return now > fence and lasts and (read or "") > caught_up
