"""The answers that one transaction plans: said later, in direct messages, once for ever under their name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from core.envelope import dump
from core.message import Message
from core.models import Outbox
from core.store.meaning import Read
from core.store.outbox import Kind, Priority, State
from core.store.people import KnownPerson
from core.store.statements import Upsert, stamp

_plan = Upsert(
    Outbox,
    (
        *("key", "account", "kind", "person_id", "place", "body", "channel", "priority", "state"),
        *("planned_at", "due_at", "not_after", "receipt", "error"),
    ),
    key=("key",),
)

ANSWER_LIFE = timedelta(days=3)
"""An answer that could not be said for so long is not said any more: thanks would come out of nowhere."""


class Answers:
    """``plan`` them, then ``save``."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        written = stamp(connection)
        self._now, self._stale = written(now), written(now + ANSWER_LIFE)
        self._planned: list[tuple[Any, ...]] = []

    def plan(self, person: KnownPerson, to: str, read: Read, message: Message, priority: Priority) -> None:
        """Answer what is called ``to``."""
        wave = read.wave.wave.key if read.wave else ""
        key = f"answer:{read.survey.name if read.survey else ''}:{wave}:{person.account}/{to}:0"
        whom = (key, person.account, str(Kind.ANSWER), person.id, "")
        what = (dump(message), read.channel, int(priority), str(State.PLANNED))
        self._planned.append((*whom, *what, self._now, self._now, self._stale, "", ""))

    def save(self) -> Iterable[str]:
        """Write them. Returns the accounts that have something to say."""
        _plan(self._connection, self._planned)
        return {row[1] for row in self._planned}
