"""From 8 to 9: of each person the last stop, start and wish to be forgotten, so that no older one undoes a newer one.

Their places in the stream are those of the replies that they were, if any. Who merely wrote to the brand did not start
anything."""

from __future__ import annotations

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Integer, String


def upgrade(op: Operations) -> None:
    """The step."""
    op.create_table(
        "last_word",
        Column("person_id", Integer, ForeignKey("person.id"), primary_key=True, autoincrement=False),
        Column("what", String, primary_key=True),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("ord", BigInteger, nullable=True),
        sqlite_with_rowid=False,
    )
    said = "FROM consent LEFT JOIN reply ON reply.account = consent.account AND reply.event = consent.event"
    op.execute(
        "INSERT INTO last_word (person_id, what, at, ord) SELECT consent.person_id, 'stop', max(consent.at), max(ord) "
        f"{said} WHERE kind = 'withdrawn' GROUP BY consent.person_id"
    )
    op.execute(
        "INSERT INTO last_word (person_id, what, at, ord) SELECT consent.person_id, 'start', max(consent.at), max(ord) "
        f"{said} WHERE kind = 'granted' AND evidence <> 'wrote to the brand first' GROUP BY consent.person_id"
    )
    op.execute(
        "INSERT INTO last_word (person_id, what, at) SELECT id, 'erase', erasing_at FROM person "
        "WHERE erasing_at IS NOT NULL"
    )
