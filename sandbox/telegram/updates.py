"""The stream of updates of one bot: what getUpdates reads, confirms, waits for and loses.

Source: https://core.telegram.org/bots/api#getupdates ·
https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp (do_get_updates)
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from sandbox.clocks import Clocks
from sandbox.rules import Rules
from sandbox.telegram.errors import conflict

DAY_S = 86_400
TAP_LIFE_S = 150
LONGEST_POLL_S = 50
GATHER_S = 0.001
"""How long a woken long poll waits for more."""

KINDS = frozenset(
    [
        "message",
        "edited_message",
        "channel_post",
        "edited_channel_post",
        "business_connection",
        "business_message",
        "edited_business_message",
        "deleted_business_messages",
        "guest_message",
        "message_reaction",
        "message_reaction_count",
        "inline_query",
        "chosen_inline_result",
        "callback_query",
        "shipping_query",
        "pre_checkout_query",
        "purchased_paid_media",
        "poll",
        "poll_answer",
        "my_chat_member",
        "chat_member",
        "chat_join_request",
        "chat_boost",
        "removed_chat_boost",
        "managed_bot",
    ]
)
DEFAULT_KINDS = KINDS - {"chat_member", "message_reaction", "message_reaction_count"}


class _Update(NamedTuple):
    id: int
    expires: float
    body: bytes


def encoded(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


class Stream:
    """Updates of one bot, each encoded once."""

    def __init__(self, clocks: Clocks, rules: Rules, seed: str) -> None:
        self._clocks = clocks
        self._rules = rules
        self._seed = seed
        self._pending: deque[_Update] = deque()
        self._next_id = self._first_id()
        self._last_put: float | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._last_asked: tuple[int, float] | None = None
        self.allowed = DEFAULT_KINDS
        self.on_put: Callable[[str, int], None] = lambda kind, update_id: None
        """Told of each update that is put on the stream."""
        self.webhook = ""

    def _first_id(self) -> int:
        self._seed = hashlib.sha256(self._seed.encode()).hexdigest()
        return 100_000_000 + int(self._seed[:7], 16)

    @property
    def pending_count(self) -> int:
        """How many updates wait."""
        now = self._clocks.wire()
        return sum(1 for update in self._pending if update.expires > now)

    def allow(self, kinds: Iterable[str] | None) -> None:
        """Set which kinds are put on the stream from now on; ``None`` keeps what was set, nothing named is the default.

        What nobody knows is ignored, as on the server.
        """
        if kinds is None and self._rules.on("telegram.updates.sticky"):
            return
        self.allowed = KINDS.intersection(kinds or ()) or DEFAULT_KINDS

    def wants(self, kind: str) -> bool:
        """Whether an update of this kind would be kept."""
        return kind in self.allowed or not self._rules.on("telegram.updates.allowed")

    def put(self, kind: str, body: Any) -> None:
        """Put one update on the stream."""
        if not self.wants(kind):
            return
        now = self._clocks.wire()
        lasting, rule = (TAP_LIFE_S, "taps") if kind == "callback_query" else (DAY_S, "retention")
        lives_s = lasting if self._rules.on(f"telegram.updates.{rule}") else math.inf
        if (
            self._rules.on("telegram.updates.quiet_week")
            and self._last_put is not None
            and now - self._last_put >= 7 * DAY_S
        ):
            self._pending.clear()
            self._next_id = self._first_id()
        self._last_put = now
        update_id, self._next_id = self._next_id, self._next_id + 1
        raw = b'{"update_id":%d,"%s":%s}' % (update_id, kind.encode(), encoded(body))
        self._pending.append(_Update(update_id, now + lives_s, raw))
        self.on_put(kind, update_id)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def drop(self) -> None:
        """Forget everything that waits."""
        self._pending.clear()

    def set_webhook(self, url: str) -> None:
        """Send updates elsewhere (the sandbox sends them nowhere): long polls end, and none may begin."""
        self.webhook = url
        if url:
            self._waiting = self._ended(self._waiting)

    async def take(self, offset: int, limit: int, timeout_s: int) -> list[bytes]:
        """The updates from ``offset`` on, at most ``limit``; waits up to ``timeout_s`` for the first.

        Raises:
            Refused: 409, a webhook is set, or another request came to wait.
        """
        if self.webhook and self._rules.on("telegram.updates.webhook"):
            raise conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        if self._rules.on("telegram.updates.conflict"):
            self._waiting = self._ended(self._waiting)
        if self._rules.on("telegram.updates.limit"):
            limit = min(max(limit, 1), 100)
        limit, timeout_s = self._same_offset(offset, limit, min(max(timeout_s, 0), LONGEST_POLL_S))
        batch = self._batch(offset, limit)
        if batch or timeout_s <= 0:
            return batch
        waiting = self._waiting = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait([waiting], timeout=timeout_s)
            if waiting.done() and self._waiting is waiting:
                await asyncio.sleep(GATHER_S)
            if self._waiting is not waiting and self._rules.on("telegram.updates.conflict"):
                raise conflict(
                    "terminated by setWebhook request"
                    if self.webhook
                    else "terminated by other getUpdates request; make sure that only one bot instance is running"
                )
            return self._batch(offset, limit)
        finally:
            if self._waiting is waiting:
                self._waiting = None

    @staticmethod
    def _ended(waiting: asyncio.Future[None] | None) -> None:
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _same_offset(self, offset: int, limit: int, timeout_s: int) -> tuple[int, int]:
        """Who asks again from the same place within moments is slowed down (process_get_updates_query)."""
        now = self._clocks.wire()
        last, self._last_asked = self._last_asked, (offset, now)
        if last is None or last[0] != offset or not self._rules.on("telegram.updates.same_offset"):
            return limit, timeout_s
        if now < last[1] + 0.5:
            limit = 1
        if now < last[1] + 3.0:
            timeout_s = max(timeout_s, 3)
        return limit, timeout_s

    def _batch(self, offset: int, limit: int) -> list[bytes]:
        pending, now = self._pending, self._clocks.wire()
        if offset < 0:
            while len(pending) > -offset:
                pending.popleft()
        elif offset <= self._next_id and self._rules.on("telegram.updates.confirmed"):
            while pending and pending[0].id < offset:
                pending.popleft()
        while pending and pending[0].expires <= now:
            pending.popleft()
        batch: list[bytes] = []
        for update in pending:
            if len(batch) == limit:
                break
            if update.expires > now:
                batch.append(update.body)
        return batch
