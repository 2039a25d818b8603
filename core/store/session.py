"""PostgreSQL: the connection by which others see that a run of Vouch lives."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, func, select
from sqlalchemy.exc import DBAPIError


class Session:
    """A connection of its own, on which this run holds its advisory lock and renews its leases.

    Source: https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """

    def __init__(self, url: URL, number: int) -> None:
        # A connection that is cut off without a word must be noticed before the lease runs out.
        bounds = {"connect_timeout": "4", "tcp_user_timeout": "4000"}
        self._engine: Engine = create_engine(
            url.update_query_dict(bounds), poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        self._number = number
        self._connection: Connection | None = None

    def open(self) -> Connection:
        """Connect and take the lock, unless that was done. Raises ``DBAPIError``: then ``close``."""
        if self._connection is None:
            self._connection = self._engine.connect()
            self._connection.execute(select(func.set_config("statement_timeout", "4s", False)))
            self._connection.execute(select(func.pg_advisory_lock(self._number)))
        return self._connection

    def execute(self, statement: Any) -> int:
        """Run one statement; returns how many rows it changed. After a failure the next one connects again."""
        try:
            return self.open().execute(statement).rowcount
        except DBAPIError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):
                connection.invalidate()
            connection.close()
