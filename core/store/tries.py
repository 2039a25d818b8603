"""When a report was tried first, for as long as it has not been made."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select

from core.models import Kept
from core.store.statements import Upsert, table

_KEPT = table(Kept)

_add = Upsert(Kept, ("name", "value"), key=("name",))


def first_tried(connection: Connection, report: str, now: datetime) -> datetime:
    """When the report of this key was tried first: ``now`` (aware), unless somebody did before."""
    _add(connection, [(_name(report), now.isoformat())])
    kept = connection.execute(select(_KEPT.c.value).where(_KEPT.c.name == _name(report))).scalar_one_or_none()
    return min(datetime.fromisoformat(kept), now) if kept else now  # another process may have made it just now


def made(connection: Connection, report: str) -> None:
    """It has been made: nobody asks any more."""
    connection.execute(delete(_KEPT).where(_KEPT.c.name == _name(report)))


def _name(report: str) -> str:
    return f"tried {report}"
