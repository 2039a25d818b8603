"""Votes that wait for their poll to be known, and how long: other people's polls come by as well."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists

from core.models import Outbox, ReplyRow
from core.store.outbox import Kind, State
from core.store.statements import table

_OUTBOX = table(Outbox)
_REPLY = table(ReplyRow)

KEPT = timedelta(days=8)
"""A poll of ours lives for a week and is known within a day of its posting, or it is in doubt."""

DOUBTED = timedelta(days=60)
"""After so long nobody looks for it any more."""


def forget_waiting(connection: Connection, account: str, now: datetime) -> int:
    """Delete votes of an account that have waited so long that their poll is somebody else's: not while an ask there is
    in doubt, for it may be theirs. Returns how many."""
    in_doubt = exists().where(
        _OUTBOX.c.account == account,
        _OUTBOX.c.kind == str(Kind.ASK),
        _OUTBOX.c.state == str(State.UNKNOWN),
        _OUTBOX.c.planned_at > now - DOUBTED,
    )
    old = (_REPLY.c.account == account, _REPLY.c.outcome == "waiting", _REPLY.c.at < now - KEPT)
    return connection.execute(delete(_REPLY).where(*old, ~in_doubt)).rowcount
