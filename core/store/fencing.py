"""Fencing: only the holder of an account's latest lease may say and keep anything, whatever others still believe.

Each statement that matters asks for the fence in its own ``WHERE``. Who was paused and lost the lease meanwhile learns
of it from the database, at the moment at which it would do harm.
Source: M. Kleppmann, "How to do distributed locking", 2016.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from core.columns import Moment
from core.models import Lease
from core.store.statements import Lookup, among, many, table

_LEASE = table(Lease)


class Now(FunctionElement[datetime]):
    """The database's clock, now: not when the transaction began."""

    name = "database_now"
    inherit_cache = True
    type = Moment()


@compiles(Now, "sqlite")
def _now_on_sqlite(element: Now, compiler: SQLCompiler, **options: Any) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f', 'now')"


@compiles(Now, "postgresql")
def _now_on_postgresql(element: Now, compiler: SQLCompiler, **options: Any) -> str:
    return "clock_timestamp()"


@dataclass(frozen=True, slots=True)
class Held:
    """A lease that we took."""

    account: str
    fence: int


def ours(held: Held) -> ColumnElement[bool]:
    """Whether this is still the latest lease of its account and has not run out: for the ``WHERE`` of an ``UPDATE``.

    On PostgreSQL it locks the lease's row against a new holder until the transaction ends. So either all of the
    transaction is there before anybody takes the lease over, or nothing of it ever is: a lock that has to wait for
    another's commit looks at the row again. Source:
    https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED
    """
    lease = select(_LEASE.c.fence).where(
        _LEASE.c.account == held.account, _LEASE.c.fence == held.fence, _LEASE.c.until > Now()
    )
    return exists(lease.with_for_update(read=True))


_standing = Lookup(
    select(_LEASE.c.account, _LEASE.c.fence)
    .where(among(_LEASE.c.account, "accounts"), _LEASE.c.until > Now())
    .order_by(_LEASE.c.account)
    .with_for_update(read=True)
)


def standing(connection: Connection, helds: Iterable[Held]) -> set[Held]:
    """Those of the leases that are still ours, by one look; as safe as ``ours`` until the transaction ends."""
    helds = set(helds)
    accounts = sorted({held.account for held in helds})
    found = _standing(connection, accounts=many(connection, accounts)) if accounts else ()
    return helds & {Held(account, fence) for account, fence in found}
