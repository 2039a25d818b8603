"""How far each account has read."""

from __future__ import annotations

from sqlalchemy import select

from core.models import CursorRow
from core.store.database import Database
from core.store.statements import table

_CURSOR = table(CursorRow)


def cursors_of(database: Database, account: str) -> dict[str, str]:
    """The values last kept for an account, by name."""
    with database.reading() as connection:
        rows = connection.execute(select(_CURSOR.c.name, _CURSOR.c.value).where(_CURSOR.c.account == account))
        return dict(rows.all())
