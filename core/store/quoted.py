"""Whose words stand in which post: so that they can be taken out of it again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, delete, select, update

from core.account import Poll
from core.envelope import dump, load, placeholder_of
from core.message import Message, Quote
from core.models import Outbox, QuotedRow
from core.quotes import Quoted
from core.store.statements import Upsert, table

_OUTBOX, _QUOTED = table(Outbox), table(QuotedRow)
_keep = Upsert(QuotedRow, ("key", "person_id", "text"), key=("key", "person_id"))


def keep(connection: Connection, said: Iterable[tuple[str, Message | Poll]], quotes: Sequence[Quoted]) -> None:
    """Note whose words are in which of these messages, by their outbox keys."""
    for key, body in said:
        if isinstance(body, Message):
            shown = {part.text for part in body.parts if isinstance(part, Quote)}
            _keep(connection, [(key, quoted.person, quoted.line) for quoted in quotes if quoted.line in shown])


def withdraw(connection: Connection, person_id: int) -> None:
    """Take a person's words out of every post that is kept: one that was not said yet goes without them. What a
    platform shows already stays there."""
    rows = connection.execute(select(_QUOTED.c.key, _QUOTED.c.text).where(_QUOTED.c.person_id == person_id)).all()
    for key, words in rows:
        body = connection.execute(select(_OUTBOX.c.body).where(_OUTBOX.c.key == key)).scalar_one_or_none()
        kept = load(body) if body is not None else None
        if body is not None and isinstance(kept, Message):
            parts = tuple(part for part in kept.parts if not (isinstance(part, Quote) and part.text == words))
            bare = dump(replace(kept, parts=parts), placeholder_of(body))
            connection.execute(update(_OUTBOX).where(_OUTBOX.c.key == key).values(body=bare))
    connection.execute(delete(_QUOTED).where(_QUOTED.c.person_id == person_id))
