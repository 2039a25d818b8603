"""What people write beside their scores, a message each: an edited message replaces its earlier words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_, select, update

from core.models import Comment
from core.store.statements import Upsert, table

_COMMENT = table(Comment)
_save = Upsert(
    Comment,
    ("account", "message", "person_id", "wave_id", "text", "at"),
    key=("account", "message"),
    update=lambda old, new: {"text": new.text, "at": new.at},
    where=lambda old, new: new.at >= old.at,
)


_TEXT = 4
"""Which of the columns it is."""


class Comments:
    """The comments that one transaction keeps: ``write`` them, then ``save``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._new: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._edited: dict[tuple[str, str], str] = {}

    def write(self, account: str, message: str, person_id: int, wave_id: int, text: str, at: Any) -> None:
        """What a message says now; ``text`` may be empty where it said something before."""
        self._new[account, message] = (account, message, person_id, wave_id, text, at)

    def edit(self, account: str, message: str, text: str) -> None:
        """A message that said something before says this now, or nothing any more."""
        written = self._new.get((account, message))
        if written is None:
            self._edited[account, message] = text
        else:
            self._new[account, message] = (*written[:_TEXT], text, *written[_TEXT + 1 :])

    def save(self) -> None:
        """Write them."""
        _save(self._connection, self._new.values())
        for (account, message), text in self._edited.items():
            its = and_(_COMMENT.c.account == account, _COMMENT.c.message == message)
            self._connection.execute(update(_COMMENT).where(its).values(text=text))


def comments_of(connection: Connection, person_id: int) -> list[tuple[int, str]]:
    """(wave id, text) of all that a person wrote, the oldest first."""
    its = select(_COMMENT.c.wave_id, _COMMENT.c.text).where(_COMMENT.c.person_id == person_id, _COMMENT.c.text != "")
    return [(wave_id, text) for wave_id, text in connection.execute(its.order_by(_COMMENT.c.at, _COMMENT.c.message))]
