"""Single values by account and name, such as how far an account has read; with no account, those of a survey."""

from __future__ import annotations

from sqlalchemy import Connection, select

from core.models import CursorRow
from core.store.database import Database
from core.store.statements import Upsert, table

_CURSOR = table(CursorRow)

keep_cursors = Upsert(
    CursorRow, ("account", "name", "value"), key=("account", "name"), update=lambda old, new: {"value": new.value}
)
"""Keep values: the last one counts."""


def cursor_of(connection: Connection, account: str, name: str) -> str | None:
    """The value last kept; ``None`` where there is none."""
    its = (_CURSOR.c.account == account, _CURSOR.c.name == name)
    return connection.execute(select(_CURSOR.c.value).where(*its)).scalar_one_or_none()


def cursors_of(database: Database, account: str) -> dict[str, str]:
    """The values last kept for an account, by name."""
    with database.reading() as connection:
        rows = connection.execute(select(_CURSOR.c.name, _CURSOR.c.value).where(_CURSOR.c.account == account))
        return dict(rows.all())
