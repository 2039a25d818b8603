"""From 3 to 4: the roll-up is ordered by wave; what weekly posts said is kept, and whose words stand in them."""

from __future__ import annotations

from alembic.operations import Operations
from sqlalchemy import Column, DateTime, ForeignKey, Integer, String


def upgrade(op: Operations) -> None:
    """The step."""
    op.create_table(
        "rollup_4",
        Column("wave_id", Integer, primary_key=True, autoincrement=False),
        Column("channel", String, primary_key=True),
        Column("later_id", Integer, primary_key=True, autoincrement=False),
        Column("low", Integer, primary_key=True, autoincrement=False),
        Column("high", Integer, primary_key=True, autoincrement=False),
        Column("n", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO rollup_4 (wave_id, channel, later_id, low, high, n) "
        "SELECT wave_id, channel, later_id, low, high, n FROM rollup"
    )
    op.drop_table("rollup")
    op.rename_table("rollup_4", "rollup")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX rollup_4_pkey RENAME TO rollup_pkey")
    op.create_table(
        "published",
        Column("survey", String, primary_key=True),
        Column("wave", String, primary_key=True),
        Column("team", String, primary_key=True),
        Column("score", Integer, nullable=True),
        Column("low", Integer, nullable=True),
        Column("high", Integer, nullable=True),
        Column("verdict", String, nullable=False),
        Column("counts", String, nullable=False),
        Column("fingerprint", String, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quoted",
        Column("key", String, primary_key=True),
        Column("person_id", Integer, ForeignKey("person.id"), primary_key=True, autoincrement=False),
        Column("text", String, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_quoted_person_id", "quoted", ["person_id"])
