"""From 2 to 3: comments in a table of their own, whether they may be quoted, and who asked to be erased."""

from __future__ import annotations

from alembic.operations import Operations
from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Integer, String, text

_ERASING = text("erasing_at IS NOT NULL")


def upgrade(op: Operations) -> None:
    """The step."""
    op.add_column("person", Column("erasing_at", DateTime(timezone=True), nullable=True))
    op.create_index("person_erasing", "person", ["erasing_at"], sqlite_where=_ERASING, postgresql_where=_ERASING)
    op.add_column("response", Column("quotable", Boolean, nullable=True))
    op.create_table(
        "comment",
        Column("account", String, primary_key=True),
        Column("message", String, primary_key=True),
        Column("person_id", Integer, ForeignKey("person.id"), nullable=False),
        Column("wave_id", Integer, ForeignKey("wave.id"), nullable=False),
        Column("text", String, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_comment_person_id", "comment", ["person_id"])
    op.create_index("ix_comment_wave_id", "comment", ["wave_id"])
    op.execute(
        "INSERT INTO comment (account, message, person_id, wave_id, text, at) "
        "SELECT person.account, 'schema-2:' || person_id || ':' || wave_id, person_id, wave_id, comment, at "
        "FROM response JOIN person ON person.id = person_id WHERE comment <> ''"
    )
    op.drop_column("response", "comment")
