"""A session at Discord's gateway, as it is kept: enough to take it up again in another process, and to give what it
brings the same names and places in the order whenever it brings them.

Source: https://docs.discord.com/developers/events/gateway#resuming
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from discord.gateway import DiscordWebSocket

from bots.discord.lanes import Spot
from core.clock import Clock
from core.events import Cursor

_NAME = "session"
LIVES_S = 300.0
"""After so long without us a session is not asked for any more. Discord says "for a while"; three minutes are usual."""
_PER_EVENT = 16
"""Places in the order for each event of a session: itself, and what we read elsewhere before the next one."""
DISPATCHED = 2_000 << 22
"""By so much, in ids, two things may pass each other on Discord's way to us: two seconds; an id holds its time in ms.
Source: https://docs.discord.com/developers/reference#snowflakes"""
GAP = 1_000_000
"""Places kept free in the order before each session, for what its history tells us later."""


@dataclass(slots=True)
class Session:
    """A session at the gateway."""

    id: str
    gateway: str
    """Where it is to be taken up again."""
    base: int
    """The place in the order from which it counts on: larger than all before."""
    sequence: int = 0
    """Up to here all of it is kept."""
    guild: int = 0
    """Some server of ours, as a session that is taken up again does not say."""
    owes: bool = False
    """Whether something that was written before it has still to be read."""
    seen_at: float = 0.0
    """Unix time at which we had it."""
    first: int = 0
    """The first message or tap that it brought, by its id; 0 until there is one."""
    places: int = 0
    """How many of the places before it are taken by what the history told us."""
    tag: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self.tag = hashlib.sha256(self.id.encode()).hexdigest()[:10]

    def name_of(self, sequence: int) -> str:
        """The name of an event that Discord gives none."""
        return f"v{self.tag}:{sequence}"

    def order_of(self, sequence: int) -> int:
        """The place of an event in the account's order."""
        return self.base + sequence * _PER_EVENT

    def came(self, id: int) -> None:
        """It has brought this message or tap."""
        self.first = min(self.first or id, id)

    def brings(self, message: int) -> bool:
        """Whether a message surely was written when this session was there, so that it brings it: long enough after
        something that it has brought."""
        return 0 < self.first < message - DISPATCHED

    def place_before(self) -> int:
        """The next place in the order before all that it brings. It goes on where another process left off, or who
        wrote two messages would have said the second one first."""
        self.places += 1
        return self.base - GAP + self.places

    def lives(self, wall: float) -> bool:
        """Whether Discord may still have it."""
        return bool(self.id) and abs(wall - self.seen_at) < LIVES_S

    @property
    def cursor(self) -> Cursor:
        """How it is kept."""
        fields = asdict(self)
        del fields["tag"]
        return Cursor(name=_NAME, value=json.dumps(fields, separators=(",", ":")))


def session_of(cursors: Mapping[str, str]) -> Session | None:
    """The session that was kept last."""
    try:
        fields: dict[str, Any] = json.loads(cursors[_NAME])
        return Session(**fields)
    except (KeyError, ValueError, TypeError):
        return None


class Orders:
    """Gives places in the order of an account: the gateway's for what it brings, and others between those."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._highest = 0
        self._between = 0

    def reached(self, order: int) -> None:
        """So far it is taken."""
        self._highest = max(self._highest, order)

    def base(self) -> int:
        """Where a new session counts from, with ``GAP`` free places before: µs of wall time, later than all before."""
        self._highest = max(int(self._clock.wall() * 1e6), self._highest) + GAP
        return self._highest

    def last(self) -> int:
        """A place behind all that any session has brought; what the next one brings is behind it."""
        return self.base()

    def now(self, session: Session, sequence: int) -> int:
        """A place behind all that the gateway has brought, and before all that it will."""
        start = session.order_of(sequence)
        self._between = min(max(self._between + 1, start + 1), start + _PER_EVENT - 1)
        return self._between


class Socket(DiscordWebSocket):
    """discord.py's connection. A heartbeat tells Discord what we have seen: we say what is kept."""

    before = 0
    """What was kept when the session was taken up: so far nothing more is known to be."""
    kept: Callable[[], Spot] = staticmethod(Spot)
    came: Callable[[], Spot] = staticmethod(Spot)

    async def send_heartbeat(self, data: Any) -> None:
        """Called by discord.py in its rhythm."""
        kept, came = self.kept(), self.came()
        seen = kept.sequence if kept.session == came.session else self.before
        await super().send_heartbeat({**data, "d": seen or None})
