"""A service of one page, so that the killer and the hook are tested without the real one: takes Telegram updates, keeps
them, confirms them, answers each. ``python -m tests.faults.victim URL TOKEN DATABASE [confirm-first]``."""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

WORK_S = 0.03
"""What a library takes to parse and to connect: without it the ways to and from the disk are too short to be hit."""
ACCOUNT = "acme-telegram"
TABLES = """
CREATE TABLE IF NOT EXISTS reply (account, event, PRIMARY KEY (account, event));
CREATE TABLE IF NOT EXISTS consent (account, event, PRIMARY KEY (account, event));
CREATE TABLE IF NOT EXISTS person (id INTEGER PRIMARY KEY, platform_id UNIQUE);
CREATE TABLE IF NOT EXISTS outbox (key PRIMARY KEY, account, kind, state, place, person_id, claimed_at);
"""


class Victim:
    """Right, but for ``confirm_first``."""

    def __init__(self, url: str, token: str, database: str, *, confirm_first: bool) -> None:
        self._url, self._token, self._confirm_first = url, token, confirm_first
        self._working = threading.Event()
        self._connection = sqlite3.connect(database, isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + TABLES)
        self._clock = json.load(urlopen(f"{url}/sandbox"))["clock"]

    def run(self) -> None:
        """Until killed."""
        offset = 0
        while True:
            updates = self._call("getUpdates", offset=offset, timeout=1)
            if not updates:
                continue
            offset = updates[-1]["update_id"] + 1
            if self._confirm_first:
                self._call("getUpdates", offset=offset, timeout=0)
            self._keep(updates)
            self._answer()

    def _call(self, method: str, **body: Any) -> Any:
        request = Request(f"{self._url}/telegram/bot{self._token}/{method}", json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        with urlopen(request) as answer:
            return json.load(answer)["result"]

    def _keep(self, updates: list[dict[str, Any]]) -> None:
        self._working.wait(WORK_S)
        do = self._connection.execute
        do("BEGIN IMMEDIATE")
        for update in updates:
            event, person = f"u{update['update_id']}", str(update["message"]["from"]["id"])
            do("INSERT OR IGNORE INTO reply VALUES (?, ?)", (ACCOUNT, event))
            do("INSERT OR IGNORE INTO person (platform_id) VALUES (?)", (person,))
            key = f"answer:::{ACCOUNT}/{event}:0"
            sql = "INSERT OR IGNORE INTO outbox SELECT ?, ?, 'answer', 'planned', '', id, NULL FROM person "
            do(sql + "WHERE platform_id = ?", (key, ACCOUNT, person))
        do("COMMIT")

    def _answer(self) -> None:
        do = self._connection.execute
        sql = "SELECT key, platform_id FROM outbox o JOIN person p ON p.id = person_id WHERE state = 'planned'"
        for key, person in do(sql).fetchall():
            do("UPDATE outbox SET state = 'sending', claimed_at = ? WHERE key = ?", (self._now(), key))
            self._working.wait(WORK_S)
            self._call("sendMessage", chat_id=int(person), text=f"Thank you for {key}")
            do("UPDATE outbox SET state = 'sent' WHERE key = ?", (key,))

    def _now(self) -> str:
        passed = timedelta(seconds=(time.time() - self._clock["started"]) * self._clock["speed"])
        return (
            (datetime.fromisoformat(self._clock["calendar"]) + passed).astimezone(UTC).replace(tzinfo=None).isoformat()
        )


if __name__ == "__main__":
    Victim(*sys.argv[1:4], confirm_first="confirm-first" in sys.argv).run()
