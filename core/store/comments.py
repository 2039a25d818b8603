"""What people write beside their scores, a message each: an edited message replaces its earlier words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, select, update

from core.models import Comment, Person, Response
from core.store.statements import Upsert, table

_COMMENT = table(Comment)
_PERSON = table(Person)
_RESPONSE = table(Response)
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


@dataclass(frozen=True, slots=True)
class Written:
    """A comment, with the answer of the same person and week, if there is one."""

    account: str
    person_id: int
    text: str
    at: datetime
    channel: str
    """Where they answered; empty without an answer."""
    low: int | None
    high: int | None
    quotable: bool
    """Whether they said that it may be quoted."""


def written_in(connection: Connection, wave_id: int) -> list[Written]:
    """All that was written in a wave, the oldest first; but for those who asked to be forgotten."""
    same = and_(_RESPONSE.c.person_id == _COMMENT.c.person_id, _RESPONSE.c.wave_id == _COMMENT.c.wave_id)
    its = (
        select(_COMMENT.c.account, _COMMENT.c.person_id, _COMMENT.c.text, _COMMENT.c.at, _RESPONSE.c.channel)
        .add_columns(_RESPONSE.c.low, _RESPONSE.c.high, _RESPONSE.c.quotable)
        .join_from(_COMMENT, _PERSON, _PERSON.c.id == _COMMENT.c.person_id)
        .join(_RESPONSE, same, isouter=True)
        .where(_COMMENT.c.wave_id == wave_id, _COMMENT.c.text != "", _PERSON.c.erasing_at.is_(None))
        .order_by(_COMMENT.c.at, _COMMENT.c.message)
    )
    return [
        Written(account, person_id, text, at, channel or "", low, high, bool(quotable))
        for account, person_id, text, at, channel, low, high, quotable in connection.execute(its)
    ]
