"""From 8 to 9: of each person the last stop, start and wish to be forgotten, so that no older one undoes a newer one.

Of what was said before this, stops and wishes are taken over, with their places on Telegram; elsewhere times tell as
much, and Discord's places were others."""

from __future__ import annotations

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Integer, String

_STOPS = """
INSERT INTO last_word (person_id, what, at, ord) SELECT person_id, 'stop', at, ord FROM (
    SELECT consent.person_id, consent.at, CASE WHEN consent.event LIKE 'u%' THEN reply.ord END AS ord,
        row_number() OVER (PARTITION BY consent.person_id ORDER BY consent.at DESC, consent.event DESC) AS nth
    FROM consent LEFT JOIN reply ON reply.account = consent.account AND reply.event = consent.event
    WHERE kind = 'withdrawn'
) AS said WHERE nth = 1"""
_WISHES = """
INSERT INTO last_word (person_id, what, at) SELECT id, 'erase', erasing_at FROM person WHERE erasing_at IS NOT NULL"""


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
    op.execute(_STOPS)
    op.execute(_WISHES)
