"""The persons that one transaction works on: known by their ids on the platform, with what they allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from core.buttons import Seal
from core.events import ConsentKind
from core.models import ConsentRow, Person
from core.store import stops
from core.store.statements import Lookup, Upsert, among, many, stamp, table

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

    @property
    def reachable(self) -> bool:
        """Whether we may write to them."""
        return self.opened and not self.stopped and not self.blocked and self.erasing_at is None


class People:
    """``know`` them first, then change, then ``save``."""

    def __init__(self, connection: Connection, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal
        self._stamp = stamp(connection)
        self._known: dict[Name, KnownPerson] = {}
        self._consents: list[tuple[Any, ...]] = []
        self._stops: list[stops.Said] = []
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

    def met(self, name: Name, language: str | None, at: datetime, *, returns: bool) -> KnownPerson:
        """The person who did something, speaking this language, where the platform tells. Who was forgotten comes back
        by what they did since, if it ``returns`` to us: to block us does not."""
        person = self._known[name]
        if returns and person.parted and (person.erasing_at is None or self._stamp(at) > person.erasing_at):
            self._comes_back(person)
        if language is not None and language != person.language:
            person.language, person.changed = language, True
        return person

    def erase(self, person: KnownPerson, event: str, at: datetime) -> None:
        """They are to be forgotten, from now on."""
        person.erasing_at, person.stopped, person.opened, person.changed = self._stamp(at), True, False, True
        self._forgetting.append((person, at))
        self._stops.append(stops.said(person.account, person.platform_id, stops.What.ERASE, at, event))

    def _comes_back(self, person: KnownPerson) -> None:
        """Who was forgotten does something new: their id is theirs to give again. What they asked to stop stays so."""
        person.erasing_at, person.parted, person.changed = None, False, True
        self._forgetting.append((person, None))
        self._stops.append(stops.Said(person.account, person.platform_id, stops.What.STOP, "", ""))

    def allow(
        self,
        person: KnownPerson,
        event: str,
        kind: ConsentKind,
        evidence: str,
        place: str,
        at: datetime,
        explicit: bool,
    ) -> None:
        """Keep what they allowed or took back, and follow it. Only an ``explicit`` grant undoes a stop."""
        self._consents.append((person.account, event, person.id, str(kind), evidence, place, self._stamp(at)))
        if kind is ConsentKind.WITHDRAWN or (kind is ConsentKind.GRANTED and explicit and person.stopped):
            what = stops.What.STOP if kind is ConsentKind.WITHDRAWN else stops.What.START
            self._stops.append(stops.said(person.account, person.platform_id, what, at, event))
        match kind:
            case ConsentKind.GRANTED:
                person.opened, person.blocked = explicit or person.erasing_at is None, False
                person.stopped = person.stopped and not explicit
            case ConsentKind.WITHDRAWN:
                person.stopped = True
            case ConsentKind.BLOCKED:
                person.blocked = True
        person.changed = True

    def save(self) -> None:
        """Write what changed; first of all what no restore may forget."""
        stops.note(self._connection, self._stops)
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

    def _fetch(self, names: Mapping[Name, Name]) -> None:
        """Look them up by the names under which they may stand; each is known by the name that it stands for."""
        for account in {account for account, _ in names}:
            ids = [platform_id for its, platform_id in names if its == account]
            found = _known(self._connection, account=account, ids=many(self._connection, ids))
            for id, stands, language, opened, stopped, blocked, owed, erasing_at in found:
                name = names[account, stands]
                flags = (bool(opened), bool(stopped), bool(blocked))
                self._known[name] = KnownPerson(id, *name, language, *flags, owed, erasing_at, stands != name[1])
