"""From 4 to 5: what a team asks for in its own place is kept, and who asked."""

from __future__ import annotations

from alembic.operations import Operations
from sqlalchemy import Column, DateTime, String


def upgrade(op: Operations) -> None:
    """The step."""
    op.create_table(
        "command",
        Column("account", String, primary_key=True),
        Column("event", String, primary_key=True),
        Column("place", String, nullable=False),
        Column("person", String, nullable=False),
        Column("said", String, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("state", String, nullable=False),
        Column("outcome", String, nullable=False),
        Column("settled_at", DateTime(timezone=True), nullable=True),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_command_state", "command", ["state"])
