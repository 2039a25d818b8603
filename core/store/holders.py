"""When each holder of an account's lease was followed by the next one, by the database server's clock.

Nobody else's clock can say how long ago that was: another machine kept the other times. A request of a holder can
arrive for some seconds after it was followed, and who is started again and again must not wait for them anew each time.
"""

from __future__ import annotations

import json

from sqlalchemy import Connection, func, select

from core.store.cursors import cursor_of, keep_cursors

_NAME = "followed"

MOST = 50
"""So many holders are remembered."""


def follow(connection: Connection, account: str, fence: int) -> None:
    """The holder with this fence is followed now: to be called in the transaction that takes its lease, on a server."""
    known = [*_known(connection, account), (fence, _now(connection))]
    keep_cursors(connection, [(account, _NAME, json.dumps(known[-MOST:]))])


def followed_s_ago(connection: Connection, account: str, fence: int) -> float | None:
    """How many seconds ago the holder with this fence was followed, at least; ``None`` when nobody knows."""
    later = [at for other, at in _known(connection, account) if other >= fence]
    return None if not later else _now(connection) - later[0]


def _known(connection: Connection, account: str) -> list[tuple[int, float]]:
    value = cursor_of(connection, account, _NAME)
    return [(int(fence), float(at)) for fence, at in json.loads(value or "[]")]


def _now(connection: Connection) -> float:
    """The server's clock, Unix seconds: not when the transaction began."""
    return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())
