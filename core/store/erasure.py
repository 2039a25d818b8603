"""Forgetting a person who asked for it: in steps, because a last message still has to find them.

1. At once, with the wish itself: nothing more is said to them but the goodbye, and the wish is kept where no restore
   forgets it (``stops``).
2. ``blank``: what they wrote is gone, everywhere.
3. ``part``, once the goodbye is settled, or after a day: their id goes, with all that names them. A fingerprint of it
   (HMAC-SHA256 under the database's own key) stands in its place, so that a vote that is read again counts once.
4. ``let_go``, when no answer of theirs can change any more: the fingerprint goes too. Scores stay, as nobody's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, not_, or_, select, true, update

from core.buttons import Seal
from core.desk_tables import CommandRow
from core.envelope import dump, load_receipt
from core.message import text
from core.models import Comment, ConsentRow, Outbox, Person, Ref, ReplyRow
from core.store import cases, decisions, lastword, quoted, stops
from core.store.outbox import FINAL, MOVING, Priority, State
from core.store.statements import table

_PERSON = table(Person)
_REPLY = table(ReplyRow)
_COMMENT = table(Comment)
_COMMAND = table(CommandRow)
_CONSENT = table(ConsentRow)
_OUTBOX = table(Outbox)
_REF = table(Ref)
_COLUMNS = (_PERSON.c.id, _PERSON.c.account, _PERSON.c.platform_id, _PERSON.c.erasing_at, _PERSON.c.opened)

PATIENCE = timedelta(days=1)
"""So long the goodbye may take."""
SETTLED = timedelta(days=9)
"""After so long no answer that was given before can change: a week, and a day until it freezes."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Somebody who asked to be forgotten."""

    id: int
    account: str
    name: str
    """The platform's id, or its fingerprint."""
    since: datetime
    back: bool
    """Whether they opened the way to direct messages anew: then their id stays."""

    @property
    def parted(self) -> bool:
        """Whether the id is gone."""
        return self.name.startswith(stops.ERASED)


def leaving(connection: Connection) -> list[Leaving]:
    """All whose erasure is under way."""
    return [Leaving(*row) for row in connection.execute(select(*_COLUMNS).where(_PERSON.c.erasing_at.is_not(None)))]


def written_by(connection: Connection, person: Leaving) -> list[tuple[str, str]]:
    """Keys of the replies that still say something. Reads the whole table: to be done beside the writer."""
    says = or_(_REPLY.c.text != "", _REPLY.c.token.is_not(None), _REPLY.c.ref.is_not(None))
    return _keys(connection, _REPLY.c.person_id == person.id, says, _REPLY.c.outcome != "waiting")


def replies_of(connection: Connection, person: Leaving) -> list[tuple[str, str]]:
    """Keys of all their replies; like ``written_by``."""
    return _keys(connection, _REPLY.c.person_id == person.id)


def _keys(connection: Connection, *its: ColumnElement[bool]) -> list[tuple[str, str]]:
    rows = connection.execute(select(_REPLY.c.account, _REPLY.c.event).where(*its))
    return [(account, event) for account, event in rows]


def _as_it_is(connection: Connection, person: Leaving) -> Leaving | None:
    """The person as they stand now, held until the transaction ends; ``None`` when somebody else has gone on, or they
    came back meanwhile."""
    its = (_PERSON.c.id == person.id, _PERSON.c.platform_id == person.name, _PERSON.c.erasing_at == person.since)
    row = connection.execute(select(*_COLUMNS).where(*its).with_for_update()).one_or_none()
    return None if row is None else Leaving(*row)


def _goes(at: ColumnElement[datetime], person: Leaving) -> ColumnElement[bool]:
    """Whether what they wrote at this time is to be forgotten: of who came back, what is from before their wish."""
    return at <= person.since if person.back else true()


def blank(connection: Connection, person: Leaving, replies: Sequence[tuple[str, str]]) -> None:
    """What they wrote is gone; of each reply stays what it counted."""
    now_is = _as_it_is(connection, person)
    if now_is is None:
        return
    for account, event in replies:
        its = and_(_REPLY.c.account == account, _REPLY.c.event == event, _goes(_REPLY.c.at, now_is))
        connection.execute(update(_REPLY).where(its).values(text="", token=None, ref=None))
    connection.execute(delete(_COMMENT).where(_COMMENT.c.person_id == person.id, _goes(_COMMENT.c.at, now_is)))
    quoted.withdraw(connection, person.id)


def part(connection: Connection, person: Leaving, seal: Seal, now: datetime) -> bool:
    """Their id goes, if nothing is under way to them any more and they did not come back. Returns whether it went."""
    now_is = _as_it_is(connection, person)
    if now_is is None:
        return False
    if now_is.back:
        connection.execute(update(_PERSON).where(_PERSON.c.id == person.id).values(erasing_at=None))
        return False
    theirs = _OUTBOX.c.person_id == person.id
    moving = _OUTBOX.c.state.in_([str(state) for state in MOVING])
    open_still = or_(moving, and_(_OUTBOX.c.state == str(State.UNKNOWN), _OUTBOX.c.looks != FINAL))
    never = and_(_OUTBOX.c.state == str(State.PLANNED), _OUTBOX.c.priority != int(Priority.GOODBYE))
    waits = connection.execute(select(_OUTBOX.c.id).where(theirs, open_still, not_(never)).limit(1)).first() is not None
    if waits and now < person.since + PATIENCE:
        return False
    for (receipt,) in connection.execute(select(_OUTBOX.c.receipt).where(theirs, _OUTBOX.c.receipt != "")):
        refs = load_receipt(receipt).refs
        connection.execute(delete(_REF).where(_REF.c.account == person.account, _REF.c.ref.in_(refs)))
    for (id,) in connection.execute(select(_OUTBOX.c.id).where(theirs)).all():
        nothing = {"key": f"{stops.ERASED}{id}", "body": dump(text("")), "receipt": ""}
        connection.execute(update(_OUTBOX).where(_OUTBOX.c.id == id).values(**nothing))
    unsettled = or_(moving, _OUTBOX.c.state == str(State.UNKNOWN))
    connection.execute(update(_OUTBOX).where(theirs, unsettled).values(state=str(State.EXPIRED), settled_at=now))
    connection.execute(delete(_CONSENT).where(_CONSENT.c.person_id == person.id))
    asked = (_COMMAND.c.account == person.account, _COMMAND.c.person == person.name)
    connection.execute(update(_COMMAND).where(*asked).values(person="", said="", name=""))
    cases.forget(connection, person.id)
    cases.forget_owner(connection, person.account, person.name)
    decisions.forget_owner(connection, person.account, person.name)
    mark = stops.fingerprint(seal, person.account, person.name)
    gone = {"platform_id": mark, "language": None, "opened": False, "owed": 0}
    connection.execute(update(_PERSON).where(_PERSON.c.id == person.id).values(**gone))
    stops.forget(connection, person.account, person.name, mark, now)
    lastword.parted(connection, person.id, now)
    return True


def scrub(engine: Engine) -> bool:
    """What was overwritten in a SQLite file is gone from its log as well. ``False`` when somebody is reading or writing
    just now: nobody is made to wait for it."""
    if engine.dialect.name != "sqlite":
        return True
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout=0")
        try:
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            busy = 1
        finally:
            cursor.execute(f"PRAGMA busy_timeout={int(patience)}")
    finally:
        connection.close()
    return not busy


def is_settled(connection: Connection, person: Leaving, now: datetime) -> bool:
    """Whether nothing of theirs can change any more, nor be still on its way: where the wish was heard late, what they
    wrote before it may be."""
    return person.since + SETTLED <= now and not lastword.parted_after(connection, person.id, now - SETTLED)


def let_go(connection: Connection, person: Leaving, replies: Sequence[tuple[str, str]]) -> None:
    """Nothing tells any more who they were; to be called with all their replies once it ``is_settled``."""
    if _as_it_is(connection, person) is None:
        return
    for account, event in replies:
        connection.execute(delete(_REPLY).where(_REPLY.c.account == account, _REPLY.c.event == event))
    lastword.let_go(connection, person.id)
    nobody = {"platform_id": f"{stops.ERASED}{person.id}", "erasing_at": None}
    connection.execute(update(_PERSON).where(_PERSON.c.id == person.id).values(**nobody))
