"""What people said last about being written to, in whatever order it reaches us.

A backlog may come with its newest part first, and live messages before what was written while we were away. So of each
kind (a stop, a start, the wish to be forgotten) the latest is kept with its time and its place in the account's stream,
and what holds is told from these. A start is later than a stop only where both say so: a platform may not tell when
somebody tapped, and in doubt the stop holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from core.dialogue import Meaning
from core.events import Consent, ConsentKind
from core.models import LastWord
from core.store.statements import Lookup, Upsert, among, many, stamp, table
from core.store.stops import What

WORDS = (Meaning.STOPPED, Meaning.JOINED, Meaning.ERASE)
"""What of it people write and tap: heard also of somebody who is being forgotten."""

_WORD = table(LastWord)
_of_people = Lookup(
    select(_WORD.c.person_id, _WORD.c.what, _WORD.c.at, _WORD.c.ord).where(among(_WORD.c.person_id, "ids"))
)
_keep = Upsert(
    LastWord,
    ("person_id", "what", "at", "ord"),
    key=("person_id", "what"),
    update=lambda old, new: {"at": new.at, "ord": new.ord},
)


@dataclass(frozen=True, slots=True)
class Word:
    """When something was said."""

    at: Any
    """As the database stores times."""
    ord: int | None
    """Its place in the account's stream; ``None`` where only its time is known."""

    def is_after(self, other: Word) -> bool:
        """Whether it was surely said after the other."""
        if self.ord is None or other.ord is None:
            return bool(self.at > other.at)
        return bool(self.at >= other.at and self.ord > other.ord)


@dataclass(slots=True)
class Words:
    """The latest of each kind that one person said."""

    latest: dict[What, Word] = field(default_factory=dict[What, Word])
    news: set[What] = field(default_factory=set[What])
    """What has to be written."""

    def hear(self, what: What, word: Word) -> bool:
        """Take it in. ``False`` where a later one of its kind is known: then it says nothing new."""
        known = self.latest.get(what)
        if known is not None and known.is_after(word):
            return False
        self.latest[what] = word
        self.news.add(what)
        return True

    @property
    def stops(self) -> bool:
        """Whether they do not want to be written to: there is a stop that no start came after."""
        return self._holds(What.STOP) or self._holds(What.ERASE)

    @property
    def erases(self) -> bool:
        """Whether the wish to be forgotten holds: no start came after it."""
        return self._holds(What.ERASE)

    def _holds(self, what: What) -> bool:
        start, word = self.latest.get(What.START), self.latest.get(what)
        # By a time alone, which may be that of a clock that was wrong, nobody is written to again.
        return word is not None and not (start is not None and start.ord is not None and start.is_after(word))


def is_word(consent: Consent) -> bool:
    """Whether they say it in so many words: to write to the brand or to block it is something else."""
    return consent.kind is ConsentKind.WITHDRAWN or (consent.kind is ConsentKind.GRANTED and consent.explicit)


def words_of(connection: Connection, people: Iterable[int]) -> Mapping[int, Words]:
    """What each of these people said last; nothing of who never said a word of it."""
    found: dict[int, Words] = {}
    for person_id, what, at, ord in _of_people(connection, ids=many(connection, people)):
        found.setdefault(person_id, Words()).latest[What(what)] = Word(at, ord)
    return found


def keep(connection: Connection, words: Iterable[tuple[int, Words]]) -> None:
    """Write what is new."""
    rows = [(id, its.latest[what], what) for id, its in words for what in sorted(its.news)]
    _keep(connection, [(id, str(what), word.at, word.ord) for id, word, what in rows])


def catch_up(connection: Connection, said: Mapping[int, tuple[What, datetime]]) -> None:
    """What people said by the record outside of the database, where that is later than what is known here."""
    if not said:
        return
    written, known = stamp(connection), words_of(connection, said)
    news: list[tuple[int, Words]] = []
    for id, (what, at) in said.items():
        word, before = Word(written(at), None), known.get(id, Words())
        if what not in before.latest or word.is_after(before.latest[what]):
            before.hear(what, word)
            news.append((id, before))
    keep(connection, news)


def let_go(connection: Connection, person_id: int) -> None:
    """Nothing of it is kept any more."""
    connection.execute(delete(_WORD).where(_WORD.c.person_id == person_id))


def moment(stored: Any) -> datetime:
    """A time as the database stores it, as we know it."""
    if isinstance(stored, str):
        return datetime.fromisoformat(stored).replace(tzinfo=UTC)
    found: datetime = stored
    return found.astimezone(UTC)
