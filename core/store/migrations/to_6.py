"""From 5 to 6: who owns a week's fix, and unhappy people as cases that a team works on."""

from __future__ import annotations

from alembic.operations import Operations
from sqlalchemy import Column, DateTime, ForeignKey, Integer, String, UniqueConstraint, text


def upgrade(op: Operations) -> None:
    """The step."""
    op.add_column("command", Column("name", String, nullable=False, server_default=text("''")))
    op.create_table(
        "decision",
        Column("survey", String, primary_key=True),
        Column("wave", String, primary_key=True),
        Column("team", String, primary_key=True),
        Column("title", String, nullable=False),
        Column("proposed_at", DateTime(timezone=True), nullable=False),
        Column("account", String, nullable=False),
        Column("owner", String, nullable=False),
        Column("owner_name", String, nullable=False),
        Column("owned_at", DateTime(timezone=True), nullable=True),
        Column("done_at", DateTime(timezone=True), nullable=True),
        Column("reminded_at", DateTime(timezone=True), nullable=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cases",
        Column("id", Integer, primary_key=True),
        Column("person_id", Integer, ForeignKey("person.id"), nullable=False),
        Column("wave_id", Integer, ForeignKey("wave.id"), nullable=False),
        Column("survey", String, nullable=False),
        Column("state", String, nullable=False),
        Column("opened_at", DateTime(timezone=True), nullable=False),
        Column("last_at", DateTime(timezone=True), nullable=False),
        Column("told_at", DateTime(timezone=True), nullable=True),
        Column("account", String, nullable=False),
        Column("owner", String, nullable=False),
        Column("owner_name", String, nullable=False),
        Column("answered_at", DateTime(timezone=True), nullable=True),
        Column("closed_at", DateTime(timezone=True), nullable=True),
        Column("outcome", String, nullable=False),
        UniqueConstraint("person_id", "wave_id"),
    )
    op.create_index("cases_told", "cases", ["survey", "told_at"])
    op.create_index("cases_last", "cases", ["survey", "last_at"])
    op.create_table(
        "case_ref",
        Column("account", String, primary_key=True),
        Column("ref", String, primary_key=True),
        Column("case_id", Integer, ForeignKey("cases.id"), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "relay",
        Column("key", String, primary_key=True),
        Column("case_id", Integer, ForeignKey("cases.id"), nullable=False),
        sqlite_with_rowid=False,
    )
