"""What a restore forgot: between the backup and the restore things were said that the database does not know of.

So what could have been said in that time, and is planned after it, may have been said: it is looked for, and not said.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from core.models import Kept
from core.store.statements import Upsert, table

_KEPT = table(Kept)
_NAME = "forgotten"

_keep = Upsert(Kept, ("name", "value"), key=("name",), update=lambda old, new: {"value": new.value})


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The time between a backup and its restore; calendar times."""

    since: datetime
    until: datetime

    def covers(self, first: datetime, last: datetime | None) -> bool:
        """Whether something that can be said from ``first`` to ``last`` (``None``: for ever) could have been said."""
        return first < self.until and (last is None or last > self.since)


def forgot(connection: Connection, its: Forgotten) -> None:
    """The database has just been restored."""
    spans = [*forgotten(connection), its]
    _keep(connection, [(_NAME, json.dumps([[each.since.isoformat(), each.until.isoformat()] for each in spans]))])


def forgotten(connection: Connection) -> list[Forgotten]:
    """Every time that a restore forgot."""
    kept = connection.execute(select(_KEPT.c.value).where(_KEPT.c.name == _NAME)).scalar_one_or_none()
    moments = [[datetime.fromisoformat(moment) for moment in span] for span in json.loads(kept or "[]")]
    return [Forgotten(since, until) for since, until in moments]
