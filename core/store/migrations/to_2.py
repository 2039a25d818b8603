"""From 1 to 2: leases with fences, how often a lost answer was looked for, and gaps."""

from __future__ import annotations

from alembic.operations import Operations
from sqlalchemy import Column, DateTime, ForeignKey, Integer, String, text


def upgrade(op: Operations) -> None:
    """The step."""
    for name in ("looks", "fence", "spent"):
        op.add_column("outbox", Column(name, Integer, nullable=False, server_default=text("0")))
    op.create_table(
        "lease",
        Column("account", String, primary_key=True),
        Column("fence", Integer, nullable=False),
        Column("session", String, nullable=False),
        Column("until", DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "gap",
        Column("ask_id", Integer, ForeignKey("ask.id"), primary_key=True, autoincrement=False),
        Column("totals", String, nullable=False),
        Column("known", String, nullable=False),
        Column("as_of", DateTime(timezone=True), nullable=False),
    )
