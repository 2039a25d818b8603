"""Votes that wait for their poll to be known, and how long: other people's polls come by as well."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete

from core.models import ReplyRow
from core.store.statements import table

_REPLY = table(ReplyRow)

KEPT = timedelta(days=8)
"""A poll of ours lives for a week and is known within a day of its posting, or never."""


def forget_waiting(connection: Connection, account: str, now: datetime) -> int:
    """Delete votes of an account that have waited so long that their poll is somebody else's. Returns how many."""
    old = (_REPLY.c.account == account, _REPLY.c.outcome == "waiting", _REPLY.c.at < now - KEPT)
    return connection.execute(delete(_REPLY).where(*old)).rowcount
