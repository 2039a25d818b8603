"""One gateway session: its intents, its numbered events, and what of them waits to be sent or replayed."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

GUILDS, GUILD_MEMBERS, GUILD_PRESENCES = 1 << 0, 1 << 1, 1 << 8
GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 9, 1 << 12, 1 << 15
GUILD_POLLS, DIRECT_POLLS = 1 << 24, 1 << 25
PRIVILEGED = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT
VALID_INTENTS = sum(1 << bit for bit in (*range(17), 20, 21, 24, 25))
"""Source: https://discord.com/developers/docs/events/gateway#list-of-intents"""

REPLAY_LIMIT = 50_000
"""Events that a session remembers for a RESUME."""
RESUMABLE_S = 180.0
"""How long (wire) a session without a connection can be resumed: minutes, says PLATFORMS.md."""


@dataclass(eq=False)
class Session:
    """Events are numbered when they happen and sent in that order; a session without a connection keeps them."""

    id: str
    intents: int
    shard: tuple[int, int]
    sequence: int = 0
    remembers: int | None = REPLAY_LIMIT
    """How many events it keeps for a RESUME; ``None``: all."""
    kept: deque[tuple[int, bytes]] = field(init=False)
    """What a RESUME may ask for: all events since the last one that a heartbeat confirmed."""
    waiting: deque[bytes] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    connected: bool = True
    lost_at: float = 0.0
    """Wire time at which the connection was lost."""

    def __post_init__(self) -> None:
        self.kept = deque(maxlen=self.remembers)

    def wants(self, intent: int, guild: int | None) -> bool:
        """Whether the session listens to events of this kind from this guild (``None``: direct messages)."""
        if intent and not self.intents & intent:
            return False
        number, total = self.shard
        return ((guild or 0) >> 22) % total == number if guild is not None else number == 0

    def dispatch(self, event: str, data: str) -> None:
        """Number an event and queue it; ``data`` is its JSON."""
        self.sequence += 1
        frame = f'{{"t":"{event}","s":{self.sequence},"op":0,"d":{data}}}'.encode()
        self.kept.append((self.sequence, frame))
        if self.connected:
            self.send(frame)

    def send(self, frame: bytes) -> None:
        self.waiting.append(frame)
        self.wake.set()

    def confirm(self, sequence: int) -> None:
        """The client has seen everything up to ``sequence``."""
        while self.kept and self.kept[0][0] <= sequence:
            self.kept.popleft()

    def lose(self, wire: float) -> None:
        """The connection is gone; the session is not, for a while."""
        self.connected = False
        self.lost_at = wire
        self.waiting.clear()

    def replay(self, sequence: int) -> bool:
        """Queue again what came after ``sequence``; ``False`` when that is no longer known."""
        earliest = self.kept[0][0] if self.kept else self.sequence + 1
        if sequence > self.sequence or sequence + 1 < earliest:
            return False
        self.connected = True
        for number, frame in self.kept:
            if number > sequence:
                self.waiting.append(frame)
        self.wake.set()
        return True
