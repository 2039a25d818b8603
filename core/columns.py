"""What the tables' columns share."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, TypeDecorator, text

BAND = (
    "low IS NULL OR (low BETWEEN 0 AND 10 AND high BETWEEN low AND 10 AND NOT (low <= 6 AND high > 6) "
    "AND NOT (low <= 8 AND high > 8))"
)
"""A band lies within 0-10 and never straddles 6|7 or 8|9; NULL means that the answer was taken back."""

ZERO = {"default": None, "server_default": text("0")}
"""The database itself begins to count at zero: rows that are written in bulk need not say so."""

EMPTY = {"server_default": text("''")}
"""A column that was added later holds nothing in older rows."""

CLUSTERED = {"sqlite_with_rowid": False}
"""The table itself is ordered by its key: one page to write for a row, not two."""


class Moment(TypeDecorator[datetime]):
    """A time that is aware and UTC on our side, whatever the database's or the machine's zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Raises ``ValueError`` for a time without a zone."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no zone")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite forgets the zone, PostgreSQL answers in its own."""
        if value is None or value.tzinfo is UTC:
            return value
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
