"""What teams ask for in their own places: kept as it arrives, settled once. Nothing is removed: it is the audit log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, func, select, update

from core.desk_tables import CommandRow
from core.events import Reply
from core.orders import LASTING, order_of
from core.reading import keepable
from core.store.cursors import cursor_of, keep_cursors
from core.store.statements import Upsert, stamp, table

_COMMAND = table(CommandRow)
_add = Upsert(
    CommandRow,
    ("account", "event", "place", "person", "said", "at", "state", "outcome", "name"),
    key=("account", "event"),
)

MOST_WAITING, MOST_LASTING, MOST_AT_ONCE = 5, 100, 50
"""So much of one person may wait, so much with what others may be waiting for, and so much is seen to in one go."""

LONGEST_NAME = 80

MAY_NOT = "may not"
"""Outcome of what somebody asked who may not."""

LONGEST = 2_000
"""Letters of what was said that are kept."""


class State(StrEnum):
    """What became of it."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that is asked for and not settled yet."""

    account: str
    event: str
    place: str
    person: str
    """The platform's id."""
    name: str
    said: str
    at: datetime


def take(connection: Connection, asked: Sequence[tuple[str, Reply, str]]) -> None:
    """Keep what is asked for, as a command is written; what was kept before stays as it is. Who asks for more than is
    seen to gets nothing."""
    moment = stamp(connection)
    for account, reply, written in asked:
        order = order_of(written)
        most = MOST_LASTING if order is not None and order.name in LASTING else MOST_WAITING
        many = _waits(connection, account, reply) >= most
        said, name = keepable(written)[:LONGEST], keepable(reply.name)[:LONGEST_NAME]
        state, outcome = (State.REFUSED, "too many at once") if many else (State.WAITING, "")
        its = (account, reply.id, reply.place, reply.person, said, moment(reply.at), str(state), outcome, name)
        _add(connection, [its])


def _waits(connection: Connection, account: str, reply: Reply) -> int:
    """How much of theirs waits already."""
    theirs = (_COMMAND.c.account == account, _COMMAND.c.person == reply.person)
    query = select(func.count()).where(*theirs, _COMMAND.c.state == str(State.WAITING))
    return connection.execute(query.select_from(_COMMAND)).scalar_one()


def was_refused(connection: Connection, asked: Waiting, since: datetime) -> bool:
    """Whether they were told no there since then: once is enough."""
    theirs = (_COMMAND.c.account == asked.account, _COMMAND.c.person == asked.person, _COMMAND.c.place == asked.place)
    lately = (_COMMAND.c.state == str(State.REFUSED), _COMMAND.c.outcome == MAY_NOT, _COMMAND.c.settled_at >= since)
    return connection.execute(select(_COMMAND.c.event).where(*theirs, *lately).limit(1)).first() is not None


def waiting(connection: Connection, accounts: Collection[str]) -> list[Waiting]:
    """What is asked for on these accounts and not settled, the oldest first."""
    columns = [_COMMAND.c[name] for name in ("account", "event", "place", "person", "name", "said", "at")]
    its = (_COMMAND.c.state == str(State.WAITING), _COMMAND.c.account.in_(list(accounts)))
    in_order = select(*columns).where(*its).order_by(_COMMAND.c.at, _COMMAND.c.event)
    rows = connection.execute(in_order.limit(MOST_AT_ONCE))
    return [Waiting(*row) for row in rows]


def settle(connection: Connection, asked: Waiting, state: State, outcome: str, now: datetime) -> bool:
    """Settle it, once. Returns whether it was still to be settled."""
    its = (_COMMAND.c.account == asked.account, _COMMAND.c.event == asked.event, _COMMAND.c.state == str(State.WAITING))
    settling = update(_COMMAND).where(*its).values(state=str(state), outcome=outcome, settled_at=now)
    return connection.execute(settling).rowcount == 1


def note(connection: Connection, asked: Waiting, outcome: str) -> None:
    """It was settled, in this transaction, with another outcome than was thought."""
    its = (_COMMAND.c.account == asked.account, _COMMAND.c.event == asked.event)
    connection.execute(update(_COMMAND).where(*its).values(outcome=outcome))


def pause(connection: Connection, survey: str, paused: bool) -> None:
    """Ask nobody any more, until it goes on."""
    keep_cursors(connection, [("", f"{PAUSED}{survey}", "1" if paused else "")])


def is_paused(connection: Connection, survey: str) -> bool:
    """Whether nobody is to be asked now."""
    return cursor_of(connection, "", f"{PAUSED}{survey}") == "1"


def ask_now(connection: Connection, survey: str, wave: str) -> None:
    """Ask this wave's question as soon as can be, in every process."""
    keep_cursors(connection, [("", f"ask:{survey}", wave)])


def is_to_ask(connection: Connection, survey: str, wave: str) -> bool:
    """Whether somebody wants it asked before its day."""
    return cursor_of(connection, "", f"ask:{survey}") == wave


PAUSED = "paused:"
"""How the names of cursors begin that pause a survey."""
