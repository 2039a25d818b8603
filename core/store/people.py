"""The persons that one transaction works on: known by their ids on the platform, with what they allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from core.buttons import Seal
from core.events import Consent, ConsentKind, Reply
from core.models import ConsentRow, Person
from core.store import lastword, stops
from core.store.lastword import Word, Words, is_word, moment, place_of, words_of
from core.store.statements import Lookup, Upsert, among, many, stamp, table
from core.store.stops import What

_PERSON = table(Person)
_known = Lookup(
    select(
        *(_PERSON.c.id, _PERSON.c.platform_id, _PERSON.c.language),
        *(_PERSON.c.opened, _PERSON.c.stopped, _PERSON.c.blocked, _PERSON.c.owed, _PERSON.c.erasing_at),
    ).where(_PERSON.c.account == bindparam("account"), among(_PERSON.c.platform_id, "ids"))
)
_CHANGE = update(_PERSON).where(_PERSON.c.id == bindparam("person_id"), _PERSON.c.platform_id == bindparam("name"))
"""By the name as well: meanwhile they may have been forgotten."""
_add_people = Upsert(
    Person,
    ("account", "platform_id", "language", "opened", "stopped", "blocked", "owed"),
    key=("account", "platform_id"),
)
_add_consents = Upsert(
    ConsentRow,
    ("account", "event", "person_id", "kind", "evidence", "place", "at"),
    key=("account", "event"),
)

Name = tuple[str, str]
"""Account, and the person's id there."""


@dataclass(slots=True)
class KnownPerson:
    """A person as this transaction sees them."""

    id: int
    account: str
    platform_id: str
    language: str | None
    opened: bool
    stopped: bool
    blocked: bool
    owed: int
    erasing_at: Any = None
    """Since when they are being forgotten, as the database stores times."""
    parted: bool = False
    """Whether their id was forgotten already, and this transaction knows it again."""
    changed: bool = False
    words: Words = field(default_factory=Words)
    """What they said last about being written to; to be recalled first."""

    @property
    def leaving(self) -> bool:
        """Whether they are being forgotten, and did not come back."""
        return self.erasing_at is not None and not self.opened

    @property
    def reachable(self) -> bool:
        """Whether we may write to them."""
        return self.opened and not self.stopped and not self.blocked and self.erasing_at is None


class People:
    """``know`` them first, ``recall`` what they said, then change, then ``save``."""

    def __init__(self, connection: Connection, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal
        self._stamp = stamp(connection)
        self._known: dict[Name, KnownPerson] = {}
        self._recalled: set[int] = set()
        self._consents: list[tuple[Any, ...]] = []
        self._noted: list[stops.Said] = []
        self._forgetting: list[tuple[KnownPerson, datetime | None]] = []

    def __getitem__(self, name: Name) -> KnownPerson:
        return self._known[name]

    def know(self, wanted: Mapping[Name, str | None]) -> None:
        """Have a row for each of these; a new one with the language that the platform tells, if it does."""
        missing = [name for name in wanted if name not in self._known]
        self._fetch({name: name for name in missing})
        new = [name for name in missing if name not in self._known]
        self._fetch({(name[0], stops.fingerprint(self._seal, *name)): name for name in new})
        new = [name for name in new if name not in self._known]
        if new:
            _add_people(self._connection, [(*name, wanted[name], False, False, False, 0) for name in new])
            self._fetch({name: name for name in new})

    def recall(self, names: Iterable[Name]) -> None:
        """Remember what these have said about being written to: needed of whoever says more of it."""
        people = [self._known[name] for name in names]
        missing = {person.id: person for person in people if person.id not in self._recalled}
        if missing:
            self._recalled.update(missing)
            for id, words in words_of(self._connection, missing).items():
                missing[id].words = words

    def met(self, name: Name, language: str | None, at: datetime, *, returns: bool) -> KnownPerson:
        """The person who did something, speaking this language, where the platform tells. Who was forgotten comes back
        by what they did since, if it ``returns`` to us: to block us does not."""
        person = self._known[name]
        if returns and person.parted and self._stamp(at) > person.erasing_at:
            self.recall([name])
            self._comes_back(person)
        if language is not None and language != person.language:
            person.language, person.changed = language, True
        return person

    def erase(self, person: KnownPerson, reply: Reply) -> bool:
        """They want to be forgotten. Returns whether that is new: not where they said so before, or came back since.
        Who came back still has what they wrote before erased."""
        word, was_leaving = Word(self._stamp(reply.at), place_of(reply)), person.leaving
        if not person.words.hear(What.ERASE, word):
            return False
        person.erasing_at, person.opened, person.changed = word.at, not person.words.erases, True
        self._forgetting.append((person, reply.at))
        if person.opened:
            if not person.words.stops:
                self._note(person, What.START, person.words.latest[What.START])
            return False
        person.stopped = True
        self._note(person, What.ERASE, word, reply.id)
        return not was_leaving

    def _comes_back(self, person: KnownPerson) -> None:
        """Who was forgotten does something new: their id is theirs to give again. What they asked to stop stays so."""
        words = person.words
        wish, stop = words.latest.get(What.ERASE), words.latest.get(What.STOP)
        word = Word(person.erasing_at, wish.ord if wish is not None else None)
        if stop is not None and stop.is_after(word):
            word = stop
        if wish is not None:
            words.latest[What.ERASE] = Word(person.erasing_at, wish.ord)  # its time was that at which their id went
            words.news.add(What.ERASE)
        words.hear(What.STOP, word)
        self._note(person, What.STOP, word)
        person.erasing_at, person.parted, person.changed = None, False, True
        self._forgetting.append((person, None))

    def allow(self, person: KnownPerson, consent: Consent) -> bool:
        """Keep what they allowed or took back, and follow it. Only an explicit grant undoes a stop, and only a stop
        that came before it. Returns whether it holds."""
        at = self._stamp(consent.at)
        kept = (person.account, consent.id, person.id, str(consent.kind), consent.evidence, consent.place, at)
        self._consents.append(kept)
        person.changed = True
        word = Word(at, consent.order)
        match consent.kind:
            case ConsentKind.GRANTED:
                person.blocked = False
                if is_word(consent):
                    return self._starts(person, word, consent.id)
                person.opened = person.opened or person.erasing_at is None
            case ConsentKind.WITHDRAWN:
                return self._stops(person, word, consent.id)
            case ConsentKind.BLOCKED:
                person.blocked = True
        return True

    def _starts(self, person: KnownPerson, word: Word, event: str) -> bool:
        was_leaving, words = person.leaving, person.words
        words.hear(What.START, word)
        person.opened = person.opened or not words.erases
        if words.stops:
            if was_leaving and person.opened:  # the wish to be forgotten is gone, a later stop is not
                self._note(person, What.STOP, words.latest[What.STOP])
            return False
        if person.stopped:
            self._note(person, What.START, word, event)
        person.stopped = False
        return True

    def _stops(self, person: KnownPerson, word: Word, event: str) -> bool:
        is_news = person.words.hear(What.STOP, word)
        if not person.words.stops:
            if is_news:  # they came back since: no restore may know the one without the other
                self._note(person, What.START, person.words.latest[What.START])
            return False
        person.stopped = True
        if is_news and not person.leaving:  # else a restore would take it for all that they asked
            self._note(person, What.STOP, word, event)
        return True

    def _note(self, person: KnownPerson, what: What, word: Word, event: str = "") -> None:
        """No restore may forget this."""
        its = stops.said(person.account, person.platform_id, what, moment(word.at), event, word.ord)
        self._noted.append(its)

    def save(self) -> None:
        """Write what changed; first of all what no restore may forget."""
        stops.note(self._connection, self._noted)
        _add_consents(self._connection, self._consents)
        changed = [
            {
                "person_id": person.id,
                "name": person.platform_id,
                "language": person.language,
                "opened": person.opened,
                "stopped": person.stopped,
                "blocked": person.blocked,
                "owed": person.owed,
            }
            for person in self._known.values()
            if person.changed
        ]
        for one, since in self._forgetting:
            its = {"platform_id": one.platform_id, "erasing_at": since}
            self._connection.execute(update(_PERSON).where(_PERSON.c.id == one.id).values(**its))
        if changed:
            self._connection.execute(_CHANGE, changed)
        lastword.keep(self._connection, [(person.id, person.words) for person in self._known.values()])

    def _fetch(self, names: Mapping[Name, Name]) -> None:
        """Look them up by the names under which they may stand; each is known by the name that it stands for."""
        for account in {account for account, _ in names}:
            ids = [platform_id for its, platform_id in names if its == account]
            found = _known(self._connection, account=account, ids=many(self._connection, ids))
            for id, stands, language, opened, stopped, blocked, owed, erasing_at in found:
                name = names[account, stands]
                flags = (bool(opened), bool(stopped), bool(blocked))
                self._known[name] = KnownPerson(id, *name, language, *flags, owed, erasing_at, stands != name[1])
