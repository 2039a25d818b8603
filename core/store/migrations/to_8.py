"""From 7 to 8: which channels asked in a week is found without looking at everybody who was invited."""

from __future__ import annotations

from alembic.operations import Operations
from sqlalchemy import text


def upgrade(op: Operations) -> None:
    """The step."""
    asked = text("wave_id IS NOT NULL")
    op.create_index("outbox_channel", "outbox", ["wave_id", "channel"], sqlite_where=asked, postgresql_where=asked)
