"""Letting the database follow what was said outside of it (``stops``): at every start, and after a restore."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from core.buttons import Seal
from core.events import ORDER
from core.models import Comment, ConsentRow, CursorRow, Kept, Person, ReplyRow, Response
from core.store import lastword
from core.store.statements import Lookup, Upsert, among, many, table
from core.store.stops import ERASED, Said, What, fingerprint, latest, note, said

log = logging.getLogger(__name__)

_PERSON = table(Person)
_KEPT = table(Kept)
_CURSOR = table(CursorRow)
_COLUMNS = (_PERSON.c.id, _PERSON.c.account, _PERSON.c.platform_id, _PERSON.c.stopped)
_STOPPED = select(*_COLUMNS).where(
    _PERSON.c.stopped.is_(True), _PERSON.c.erasing_at.is_(None), _PERSON.c.platform_id.not_like(f"{ERASED}%")
)
"""Not those who are forgotten, or about to be: what is kept of them outside is that they asked for it."""
_add_people = Upsert(
    Person, ("account", "platform_id", "opened", "stopped", "blocked", "owed"), key=("account", "platform_id")
)
_known = Lookup(select(*_COLUMNS).where(_PERSON.c.account == bindparam("account"), among(_PERSON.c.platform_id, "ids")))


@dataclass
class Agreed:
    """What had to be changed."""

    stops: int = 0
    forgotten: int = 0
    others: int = 0

    @property
    def nothing(self) -> bool:
        """Whether all was as it was said last."""
        return not (self.stops or self.forgotten or self.others)


def agree(connection: Connection) -> None:
    """Let the database follow what was said last, in the connection's transaction: at every start, and after a restore.

    Where nothing is kept outside of it yet, what the database knows is kept there.
    """
    if connection.dialect.name == "sqlite":
        found = _agree(connection)
    else:
        with connection.begin_nested() as trial:
            found = _agree(connection)
            if not found.nothing:
                trial.rollback()
        if not found.nothing:  # or somebody said it between two looks of ours: then nobody does until we are done
            connection.execute(text("LOCK TABLE person IN SHARE ROW EXCLUSIVE MODE"))
            found = _agree(connection)
    if found.stops:
        log.warning("%d stops that the database did not know of are in force", found.stops)
    if found.forgotten:
        log.warning("%d who asked to be forgotten are forgotten again", found.forgotten)


def _agree(connection: Connection) -> Agreed:
    found, all_said = Agreed(), latest(connection)
    found.forgotten = _forget_again(connection, all_said)
    last = {key: one for key, one in all_said.items() if not key[1].startswith(ERASED)}
    people = _stopped_people(connection.execute(_STOPPED).all())
    people |= _stopped_people(_among(connection, [key for key in last if key not in people]))
    missing = [key for key in last if key not in people]
    _know(connection, [last[key] for key in missing])
    people |= _stopped_people(_among(connection, missing))
    # Else an older start that comes again, now that the cursors are older too, would undo what was said since.
    news = lastword.later(connection, {id: last[key] for key, (id, _) in people.items() if key in last})
    lastword.keep(connection, news)
    _go_on_after(connection, last.values())
    started = {id for id, words in news if What.START in words.news}
    said_last = [(*people[key], one.what) for key, one in last.items() if key in people]
    left = [id for id, stopped, what in said_last if what is not What.START and not stopped]
    back = [id for id, stopped, what in said_last if what is What.START and (stopped or id in started)]
    new = {id: key for key, (id, stopped) in people.items() if stopped and key not in last}
    found.stops = _set(connection, left, True)
    found.others = _set(connection, back, False) + len(missing) + len(news) + len(new)
    note(connection, _stops_of(connection, new))
    found.forgotten += _forget_again(connection, all_said)  # also those whom only the record outside knew
    return found


def _set(connection: Connection, people: Sequence[int], stopped: bool) -> int:
    """Stop these people, or not. Returns how many they are. A start opens the way: whoever was being forgotten when the
    copy was made came back since."""
    if people:
        now = {"stopped": True} if stopped else {"stopped": False, "opened": True}
        one = _PERSON.update().where(_PERSON.c.id == bindparam("person_id")).values(**now)
        connection.execute(one, [{"person_id": id} for id in people])
    return len(people)


def _go_on_after(connection: Connection, all_said: Iterable[Said]) -> None:
    """What an account gives places by its own count goes on after the places that it gave before a restore."""
    highest: dict[str, int] = {}
    for one in all_said:
        highest[one.account] = max(highest.get(one.account, 0), one.ord or 0)
    counts = select(_CURSOR.c.account, _CURSOR.c.value).where(_CURSOR.c.name == ORDER)
    for account, value in connection.execute(counts).all():
        if int(value) <= highest.get(account, 0):
            its = (_CURSOR.c.account == account, _CURSOR.c.name == ORDER)
            connection.execute(_CURSOR.update().where(*its).values(value=str(highest[account] + 1)))


def _stops_of(connection: Connection, people: Mapping[int, tuple[str, str]]) -> list[Said]:
    """The stops of these people, as far as it is known when they said them."""
    known = lastword.words_of(connection, people)
    found: list[Said] = []
    for id, (account, person) in people.items():
        word = known[id].latest.get(What.STOP) if id in known else None
        if word is None:
            found.append(Said(account, person, What.STOP, "", ""))
        else:
            found.append(said(account, person, What.STOP, lastword.moment(word.at), "", word.ord))
    return found


def _forget_again(connection: Connection, last: Mapping[tuple[str, str], Said]) -> int:
    """Whoever asked to be forgotten is forgotten again where a backup brought them back: known by their id, as long as
    that had not gone yet, else by its fingerprint. Returns how many."""
    asked = {key for key, one in last.items() if one.what is What.ERASE}
    if not asked:
        return 0
    seal = _seal(connection)
    there = select(_PERSON.c.id, _PERSON.c.account, _PERSON.c.platform_id).where(
        _PERSON.c.account.in_({account for account, _ in asked}),
        _PERSON.c.platform_id.not_like(f"{ERASED}%"),
        _PERSON.c.erasing_at.is_(None),
    )
    found: dict[int, Said] = {}
    for id, account, person in connection.execute(there).all():
        by_id = (account, person) in last
        name = person if by_id else fingerprint(seal, account, person)
        if (account, name) not in asked:
            continue
        one = last[account, name]
        if by_id or _was_there(connection, id, datetime.fromisoformat(one.at)):  # else they came back since
            found[id] = one
    for id, one in found.items():
        gone = {"erasing_at": datetime.fromisoformat(one.at), "stopped": True, "opened": False}
        connection.execute(_PERSON.update().where(_PERSON.c.id == id).values(**gone))
    lastword.keep(connection, lastword.later(connection, found))
    return len(found)


def _was_there(connection: Connection, person_id: int, since: datetime) -> bool:
    """Whether anything is kept of a person from before they asked to be forgotten."""
    for its in _OF_A_PERSON:
        before = select(its.c.person_id).where(its.c.person_id == person_id, its.c.at <= since).limit(1)
        if connection.execute(before).first() is not None:
            return True
    return False


_OF_A_PERSON = (table(ConsentRow), table(Comment), table(Response), table(ReplyRow))
"""The last is not indexed by person; it is asked only for those who may have come back."""


def _know(connection: Connection, all_said: Sequence[Said]) -> None:
    """Have a row for each of them, also those who came after the backup that was restored: a row that is made when they
    next write would be of somebody who never said a word of it. Who was forgotten then, and came back since, gets their
    own again."""
    if not all_said:
        return
    seal, new = _seal(connection), list[Said]()
    for one in all_said:
        forgotten = (
            _PERSON.c.account == one.account,
            _PERSON.c.platform_id == fingerprint(seal, one.account, one.person),
        )
        back = _PERSON.update().where(*forgotten).values(platform_id=one.person, erasing_at=None)
        if not connection.execute(back).rowcount:
            new.append(one)
    rows = [(one.account, one.person, one.what is What.START, one.what is not What.START, False, 0) for one in new]
    _add_people(connection, rows)


def _seal(connection: Connection) -> Seal:
    return Seal(bytes.fromhex(connection.execute(select(_KEPT.c.value).where(_KEPT.c.name == "seal")).scalar_one()))


def _stopped_people(rows: Iterable[Any]) -> dict[tuple[str, str], tuple[int, bool]]:
    return {(account, person): (id, bool(stopped)) for id, account, person, stopped in rows}


def _among(connection: Connection, keys: Iterable[tuple[str, str]]) -> Iterator[Any]:
    by_account: dict[str, list[str]] = {}
    for account, person in keys:
        by_account.setdefault(account, []).append(person)
    for account, people in by_account.items():
        yield from _known(connection, account=account, ids=many(connection, people))
