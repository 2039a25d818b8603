"""What the service's database holds, read with plain SQL over a connection of our own that never writes."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import quote

import psycopg

_ROWS = (
    "SELECT o.key, o.account, o.state, o.place, p.platform_id, o.claimed_at FROM outbox o "
    "LEFT JOIN person p ON p.id = o.person_id WHERE o.state IN ('claimed', 'sending')"
)
_ANSWERS = (
    "SELECT o.key FROM outbox o WHERE o.account = {0} AND o.kind = 'answer' AND o.state IN ('planned', 'claimed')"
)
_OF_INSTANCE = "SELECT 1 FROM pg_stat_activity WHERE application_name = {0} LIMIT 1"
UNREAD = "the database could not be read"
"""How a death is noted of which nobody could see what was committed."""
SQLITE = "sqlite:///"
FAILURES = (sqlite3.Error, psycopg.Error, OSError)
"""What a question raises when the database cannot be asked now."""


@dataclass(frozen=True, slots=True)
class Row:
    """Something that is being said."""

    key: str
    account: str
    state: str
    place: str
    person: str
    claimed_at: float
    """Calendar, Unix seconds; 0 when the row does not say."""


class _Answers(Protocol):
    def fetchall(self) -> list[tuple[Any, ...]]: ...


class Kept:
    """A connection to one service's database. ``with Kept(url) as kept``. Every call raises one of ``FAILURES`` when
    the database cannot be asked; before the service has made its tables, they hold nothing."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lite: sqlite3.Connection | None = None
        self._server: psycopg.Connection[tuple[Any, ...]] | None = None
        if url.startswith(SQLITE):
            path = url.removeprefix(SQLITE)
            # Were it able to write, closing it after a death would tidy up what the service has to find as it was left.
            self._lite = sqlite3.connect(
                f"file:{quote(path)}?mode=ro", uri=True, timeout=2.0, isolation_level=None, check_same_thread=False
            )
        else:
            self._server = psycopg.connect(url, autocommit=True, connect_timeout=2, application_name="campaign")
            self._server.execute("SET default_transaction_read_only = on")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        for connection in (self._lite, self._server):
            if connection is not None:
                connection.close()

    def has_work_of(self, instance: str) -> bool:
        """PostgreSQL: whether the server still does what an instance sent before it died."""
        return self._server is not None and bool(self._ask(_OF_INSTANCE, instance))

    def version(self) -> int | None:
        """A number that changes with each commit of somebody else; ``None`` where there is none."""
        return None if self._lite is None else int(self._lite.execute("PRAGMA data_version").fetchone()[0])

    def there(self, account: str, events: Iterable[str]) -> set[str]:
        """Those of the events that are kept, as a reply, a consent, or an order of a team."""
        return {event for event in events if self._is_there(account, event)}

    def _is_there(self, account: str, event: str) -> bool:
        sql = "SELECT 1 FROM {1} WHERE account = {0} AND event = {0} LIMIT 1"
        return any(self._ask(sql.replace("{1}", table), account, event) for table in ("reply", "consent", "command"))

    def being_said(self) -> list[Row]:
        """Rows that are claimed or being sent."""
        return [
            Row(key, account, state, place or "", person or "", _moment(claimed_at))
            for key, account, state, place, person, claimed_at in self._ask(_ROWS)
        ]

    def unanswered(self, account: str) -> set[str]:
        """Keys of answers that are planned and not said yet."""
        return {key for (key,) in self._ask(_ANSWERS, account)}

    def _ask(self, sql: str, *values: str) -> Sequence[tuple[Any, ...]]:
        if self._lite is not None:
            try:
                return self._lite.execute(sql.replace("{0}", "?"), values).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return ()
                raise
        assert self._server is not None
        try:
            return self._server.execute(sql.replace("{0}", "%s").encode(), values).fetchall()
        except psycopg.errors.UndefinedTable:
            return ()


@contextmanager
def left(url: str) -> Iterator[Kept]:
    """What the dead left, as its next start will find it. On SQLite a copy: of a commit that was on its way to the disk
    the index in shared memory does not tell yet, and who opens the log anew finds it. Raises one of ``FAILURES``."""
    if not url.startswith(SQLITE):
        with Kept(url) as kept:
            yield kept
        return
    path = Path(url.removeprefix(SQLITE))
    with TemporaryDirectory(prefix="left-") as folder:
        for part in (path, path.with_name(path.name + "-wal")):
            if part.exists():
                shutil.copyfile(part, Path(folder) / part.name)
        with Kept(f"{SQLITE}{folder}/{path.name}") as kept:
            yield kept


def _moment(value: object) -> float:
    """SQLite brings a text without a zone, PostgreSQL a time with one."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return 0.0
    return (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).timestamp()
