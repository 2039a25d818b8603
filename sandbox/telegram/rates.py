"""How often one bot may speak. The wire's clock counts.

Telegram's FAQ: about one message a second in a chat, "we may allow short bursts that go over this limit", 20 a minute
in a group, about 30 a second over all chats. The length of a burst is not published; here it is three messages, then
one a second. Sends and edits count alike, and channels count as groups: both are the harsher reading.
``allow_paid_broadcast`` buys nothing here: the sandbox's bots own no Stars.
Source: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

from __future__ import annotations

import math
from collections import defaultdict, deque

from sandbox.clocks import Clocks
from sandbox.rules import Rules
from sandbox.telegram.errors import too_many

BURST = 3
"""Messages that one chat takes at once after a pause; afterwards one a second."""
GROUP_PER_MINUTE = 20
TOTAL_PER_SECOND = 30


class Rates:
    """The limits of one bot."""

    def __init__(self, clocks: Clocks, rules: Rules) -> None:
        self._clocks = clocks
        self._rules = rules
        self._total: deque[float] = deque(maxlen=TOTAL_PER_SECOND)
        self._groups: defaultdict[int, deque[float]] = defaultdict(lambda: deque(maxlen=GROUP_PER_MINUTE))
        self._free_at: dict[int, float] = {}

    def spend(self, chat: int, *, group: bool) -> None:
        """Count one message into a chat.

        Raises:
            Refused: 429 with the whole seconds to wait; a refused message counts for nothing.
        """
        now = self._clocks.wire()
        free_at = max(self._free_at.get(chat, 0.0), now)
        waits = [0.0]
        if self._rules.on("telegram.rate.chat"):
            waits.append(free_at - (BURST - 1) - now)
        if self._rules.on("telegram.rate.total") and len(self._total) == TOTAL_PER_SECOND:
            waits.append(self._total[0] + 1 - now)
        if group and self._rules.on("telegram.rate.group") and len(self._groups[chat]) == GROUP_PER_MINUTE:
            waits.append(self._groups[chat][0] + 60 - now)
        if max(waits) > 0:
            raise too_many(max(1, math.ceil(max(waits))))
        self._free_at[chat] = free_at + 1
        self._total.append(now)
        if group:
            self._groups[chat].append(now)
