"""What people said last about being written to, in whatever order it reaches us.

A backlog may come with its newest part first, and live messages before what was written while we were away. So of each
kind (a stop, a start, the wish to be forgotten) the latest is kept with its place among what people of its account did,
and what holds is told from these. Times tell it only where a place is not known, and never for a start: a platform may
not tell when somebody tapped, and our clock can be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from core.dialogue import Meaning
from core.events import Consent, ConsentKind, Reply
from core.models import LastWord
from core.store.statements import Lookup, Upsert, among, many, stamp, table
from core.store.stops import Said, What

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
    """Its place; ``None`` where only its time is known."""

    def is_after(self, other: Word) -> bool:
        """Whether it was said after the other."""
        if self.ord is None or other.ord is None:
            return bool(self.at > other.at)
        return self.ord > other.ord


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
        return word is not None and not (start is not None and start.is_after(word))


def place_of(reply: Reply) -> int:
    """Where it stands among what people of its account did."""
    return reply.order if reply.done is None else reply.done


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


def later(connection: Connection, said: Mapping[int, Said]) -> Sequence[tuple[int, Words]]:
    """What people said by the record outside of the database, where that is later than what is known here: to be kept.
    By a time alone, which may be that of a clock that was wrong, nobody is written to again."""
    written, known = stamp(connection), words_of(connection, said)
    news: list[tuple[int, Words]] = []
    for id, one in said.items():
        if not one.at or (one.what is What.START and one.ord is None):
            continue
        word, before = Word(written(datetime.fromisoformat(one.at)), one.ord), known.get(id, Words())
        if one.what not in before.latest or word.is_after(before.latest[one.what]):
            before.hear(one.what, word)
            news.append((id, before))
    return news


def parted(connection: Connection, person_id: int, now: datetime) -> None:
    """Their id goes now: from here on that is the time of their wish."""
    its = (_WORD.c.person_id == person_id, _WORD.c.what == str(What.ERASE))
    connection.execute(update(_WORD).where(*its).values(at=now))


def parted_after(connection: Connection, person_id: int, at: datetime) -> bool:
    """Whether the id of somebody who is forgotten went after this time."""
    its = (_WORD.c.person_id == person_id, _WORD.c.what == str(What.ERASE), _WORD.c.at > at)
    return connection.execute(select(_WORD.c.what).where(*its)).first() is not None


def let_go(connection: Connection, person_id: int) -> None:
    """Nothing of it is kept any more."""
    connection.execute(delete(_WORD).where(_WORD.c.person_id == person_id))


def moment(stored: Any) -> datetime:
    """A time as the database stores it, as we know it."""
    if isinstance(stored, str):
        return datetime.fromisoformat(stored).replace(tzinfo=UTC)
    found: datetime = stored
    return found.astimezone(UTC)
