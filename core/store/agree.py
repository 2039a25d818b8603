"""Letting the database follow what was said outside of it (``stops``): at every start, and after a restore."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from core.buttons import Seal
from core.models import Comment, ConsentRow, Kept, Person, ReplyRow, Response
from core.store import lastword
from core.store.statements import Lookup, Upsert, among, many, table
from core.store.stops import ERASED, Said, What, fingerprint, latest, note

log = logging.getLogger(__name__)

_PERSON = table(Person)
_KEPT = table(Kept)
_COLUMNS = (_PERSON.c.id, _PERSON.c.account, _PERSON.c.platform_id, _PERSON.c.stopped)
_STOPPED = select(*_COLUMNS).where(
    _PERSON.c.stopped.is_(True), _PERSON.c.erasing_at.is_(None), _PERSON.c.platform_id.not_like(f"{ERASED}%")
)
"""Not those who are forgotten, or about to be: what is kept of them outside is that they asked for it."""
_add_people = Upsert(
    Person, ("account", "platform_id", "opened", "stopped", "blocked", "owed"), key=("account", "platform_id")
)
_known = Lookup(select(*_COLUMNS).where(_PERSON.c.account == bindparam("account"), among(_PERSON.c.platform_id, "ids")))


def agree(connection: Connection) -> None:
    """Let the database follow what was said last, in the connection's transaction: at every start, and after a restore.

    Where nothing is kept outside of it yet, what the database knows is kept there.
    """
    last = latest(connection)
    all_said = last
    _forget_again(connection, all_said)
    last = {key: one for key, one in last.items() if not key[1].startswith(ERASED)}
    people = _stopped_people(connection.execute(_STOPPED).all())
    _know(connection, [key for key, one in last.items() if key not in people and one.what is not What.START])
    people |= _stopped_people(_among(connection, [key for key in last if key not in people]))
    wrong: dict[bool, list[int]] = {True: [], False: []}
    for key, (id, stopped) in people.items():
        if (one := last.get(key)) is not None and stopped is (one.what is What.START):
            wrong[not stopped].append(id)
    for stopped, ids in wrong.items():
        if ids:
            rows = [{"person_id": id} for id in ids]
            connection.execute(
                _PERSON.update().where(_PERSON.c.id == bindparam("person_id")).values(stopped=stopped), rows
            )
    if wrong[True]:
        log.warning("%d stops that the database did not know of are in force", len(wrong[True]))
    heard = {id: last[key] for key, (id, _) in people.items() if key in last}
    # Else an older start that comes again, now that the cursors are older too, would undo what was said since.
    lastword.catch_up(
        connection, {id: (one.what, datetime.fromisoformat(one.at)) for id, one in heard.items() if one.at}
    )
    new = [key for key, (_, stopped) in people.items() if stopped and key not in last]
    note(connection, [Said(account, person, What.STOP, "", "") for account, person in new])
    _forget_again(connection, all_said)  # also those whom only the record outside knew


def _forget_again(connection: Connection, last: Mapping[tuple[str, str], Said]) -> None:
    """Whoever asked to be forgotten is forgotten again where a backup brought them back: known by their id, as long as
    that had not gone yet, else by its fingerprint."""
    asked = {key for key, one in last.items() if one.what is What.ERASE}
    if not asked:
        return
    seal = Seal(bytes.fromhex(connection.execute(select(_KEPT.c.value).where(_KEPT.c.name == "seal")).scalar_one()))
    there = select(_PERSON.c.id, _PERSON.c.account, _PERSON.c.platform_id).where(
        _PERSON.c.account.in_({account for account, _ in asked}),
        _PERSON.c.platform_id.not_like(f"{ERASED}%"),
        _PERSON.c.erasing_at.is_(None),
    )
    found: dict[int, datetime] = {}
    for id, account, person in connection.execute(there).all():
        by_id = (account, person) in last
        name = person if by_id else fingerprint(seal, account, person)
        if (account, name) not in asked:
            continue
        since = datetime.fromisoformat(last[account, name].at)
        if by_id or _was_there(connection, id, since):  # else they came back since
            found[id] = since
    for id, since in found.items():
        gone = {"erasing_at": since, "stopped": True, "opened": False}
        connection.execute(_PERSON.update().where(_PERSON.c.id == id).values(**gone))
    if found:
        lastword.catch_up(connection, {id: (What.ERASE, since) for id, since in found.items()})
        log.warning("%d who asked to be forgotten are forgotten again", len(found))


def _was_there(connection: Connection, person_id: int, since: datetime) -> bool:
    """Whether anything is kept of a person from before they asked to be forgotten."""
    for its in _OF_A_PERSON:
        before = select(its.c.person_id).where(its.c.person_id == person_id, its.c.at <= since).limit(1)
        if connection.execute(before).first() is not None:
            return True
    return False


_OF_A_PERSON = (table(ConsentRow), table(Comment), table(Response), table(ReplyRow))
"""The last is not indexed by person; it is asked only for those who may have come back."""


def _know(connection: Connection, stopped: Sequence[tuple[str, str]]) -> None:
    """Have a row for each of them, also those who came after the backup that was restored: a row that is made when they
    next write would be of somebody who never said stop."""
    _add_people(connection, [(account, person, False, True, False, 0) for account, person in stopped])


def _stopped_people(rows: Iterable[Any]) -> dict[tuple[str, str], tuple[int, bool]]:
    return {(account, person): (id, bool(stopped)) for id, account, person, stopped in rows}


def _among(connection: Connection, keys: Iterable[tuple[str, str]]) -> Iterator[Any]:
    by_account: dict[str, list[str]] = {}
    for account, person in keys:
        by_account.setdefault(account, []).append(person)
    for account, people in by_account.items():
        yield from _known(connection, account=account, ids=many(connection, people))
