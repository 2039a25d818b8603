"""The service's books as a judge reads them: plain SQL on its tables, plain rows, no code of its own."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import create_engine, text

from tests.faults.recorded import Request

Row = dict[str, Any]

TABLES = (
    "person",
    "wave",
    "response",
    "reply",
    "consent",
    "rollup",
    "count",
    "ref",
    "ask",
    "outbox",
    "gap",
    "lease",
    "command",
    "cases",
)


@dataclass
class Books:
    """The rows of each table, times as Unix seconds."""

    person: list[Row] = field(default_factory=list)
    wave: list[Row] = field(default_factory=list)
    response: list[Row] = field(default_factory=list)
    reply: list[Row] = field(default_factory=list)
    consent: list[Row] = field(default_factory=list)
    rollup: list[Row] = field(default_factory=list)
    count: list[Row] = field(default_factory=list)
    ref: list[Row] = field(default_factory=list)
    ask: list[Row] = field(default_factory=list)
    outbox: list[Row] = field(default_factory=list)
    gap: list[Row] = field(default_factory=list)
    lease: list[Row] = field(default_factory=list)
    command: list[Row] = field(default_factory=list)
    cases: list[Row] = field(default_factory=list)

    @cached_property
    def people(self) -> dict[int, Row]:
        """Persons by row id."""
        return {row["id"]: row for row in self.person}

    @cached_property
    def waves(self) -> dict[int, Row]:
        """Waves by row id."""
        return {row["id"]: row for row in self.wave}

    @cached_property
    def events(self) -> dict[str, set[str]]:
        """By account: ids of everything that was kept of what people and teams did."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for row in (*self.reply, *self.consent, *self.command):
            found[row["account"]].add(row["event"])
        return found

    def person_of(self, row: Row) -> tuple[str, str]:
        """Account and platform id of the person of a row."""
        person = self.people[row["person_id"]]
        return person["account"], person["platform_id"]

    def wave_of(self, row: Row) -> tuple[str, str]:
        """Survey and week of the wave of a row."""
        wave = self.waves[row["wave_id"]]
        return wave["survey"], wave["key"]

    def is_of(self, request: Request, row: Row) -> bool:
        """Whether a request may have been that of a row of the outbox: to the same person or place."""
        if request.account != row["account"]:
            return False
        if row["person_id"] is not None:
            return request.to == str(self.people[row["person_id"]]["platform_id"])
        return request.place == str(row["place"])


def read(url: str) -> Books:
    """Read a database as ``service.database`` names it. Nobody may be writing."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        with engine.connect() as connection:
            rows = {
                name: [
                    {column: _plain(value) for column, value in row.items()}
                    for row in connection.execute(text(f'SELECT * FROM "{name}"')).mappings()
                ]
                for name in TABLES
            }
        return Books(**rows)
    finally:
        engine.dispose()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, str) and len(value) in (19, 26) and value[4:5] == value[7:8] == "-" and value[13:14] == ":":
        try:
            return datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp()  # SQLite keeps times as text
        except ValueError:
            return value
    return value
