"""What an error leads to, when something was to be said. Its type decides, and whether the request may have left:
before that, no error leaves a thing unknown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from core.clock import Clock
from core.errors import (
    AccountError,
    AccountRefused,
    AccountUnavailable,
    ContentRefused,
    MessageGone,
    OutcomeUnknown,
    PersonUnreachable,
    StoreError,
    TooLate,
)
from core.store import outbox
from core.store.database import Connection
from core.store.outbox import Claimed

REFUSED_AGAIN_S = 300.0
"""How long until something is tried again after the platform refused the account itself, or a fault of ours kept it
from being said."""

EDIT_AGAIN_S = 5.0
"""How long until a placeholder is edited again when nobody knows whether it was."""

STORE_AGAIN_S = 1.0
"""How long until something is tried again that the database kept from beginning."""

Settle = Callable[[Connection], None]
"""Keeps what became of a thing."""


def outcome(thing: Claimed, error: Exception, clock: Clock, *, begun: bool) -> Settle:
    """How to settle a thing that ended in this error."""
    now = clock.now()
    text = str(error) if isinstance(error, AccountError) else f"{type(error).__name__}: {error}"

    def later(wire_s: float) -> Settle:
        due_at = now + timedelta(seconds=wire_s * clock.speed)
        return lambda connection: outbox.postpone(connection, thing, due_at, text)

    match error:
        case AccountUnavailable():
            return later(error.retry_after_s)
        case AccountRefused():
            return later(REFUSED_AGAIN_S)
        case TooLate():
            return lambda connection: outbox.expired(connection, thing, now)
        case MessageGone() if thing.receipt is not None:
            return lambda connection: outbox.unplaced(connection, thing, text, now)
        case PersonUnreachable() | ContentRefused():
            gone = isinstance(error, PersonUnreachable)
            return lambda connection: outbox.refused(connection, thing, text, now, unreachable=gone)
        case _ if begun:
            return lambda connection: outbox.unknown(connection, thing, text, now)
        case StoreError():
            return later(STORE_AGAIN_S)
        case OutcomeUnknown() if thing.receipt is not None:
            return later(EDIT_AGAIN_S)
        case _:
            return later(REFUSED_AGAIN_S)
