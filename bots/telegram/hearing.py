"""Whether something may have passed us by: since when all that happened has been heard.

Telegram keeps a tap for 150 s. While nobody asks for updates, or asks in vain, or cannot keep up, taps die unheard, and
nobody says so; we know it only from how long ago the queue was last seen to its end. That moment is kept with the
events (``Cursor``), so that the next start knows it too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from core.clock import Clock, steady
from core.events import Cursor, Event, Silence

TAP_LIFE_S: Final = 150.0
"""Source: https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp
(add_update_callback_query)"""
NOTED_EVERY_S: Final = 20.0
"""How often the moment is written down, where nothing else is wrong."""
HEARD: Final = "heard"
"""The cursor: unix time in whole seconds when the queue was last seen to its end and kept. By ``Clock.wall``, for the
machine's own clock may differ from that of who wrote it."""

log = logging.getLogger(__name__)


class Hearing:
    """Since when one bot has heard everything. ``still`` goes on whatever is done to the clock."""

    def __init__(self, name: str, clock: Clock, still: Callable[[], float] = steady) -> None:
        self._name = name
        self._clock = clock
        self._still = still
        self._resumed = False
        self._until: float | None = None
        """On the still clock: all that happened until then has been kept."""
        self._noted: float | None = None

    def resume(self, cursors: Mapping[str, str]) -> None:
        """Go on from what was kept last. A moment that lies ahead (the clock was set back) says nothing."""
        self._resumed = True
        try:
            ago_s = self._clock.wall() - float(cursors[HEARD])
        except (KeyError, ValueError):
            return
        if ago_s >= 0:
            kept = self._still() - ago_s
            self._until = kept if self._until is None else max(self._until, kept)

    def now(self) -> float:
        """The present moment on the still clock."""
        return self._still()

    def news(self, at: float) -> tuple[Event, ...]:
        """What to keep together with the last of the queue, which was seen to its end at ``at``."""
        if not self._resumed:
            return ()
        since_s = 0.0 if self._until is None else at - self._until
        silent = since_s > TAP_LIFE_S
        if not silent and self._noted is not None and at - self._noted < NOTED_EVERY_S:
            return ()
        late_s = self._still() - at
        cursor = Cursor(name=HEARD, value=str(int(self._clock.wall() - late_s)))
        if not silent:
            return (cursor,)
        until = self._clock.now() - timedelta(seconds=late_s * self._clock.speed)
        log.warning("%s: nothing was heard for %.0f s: taps of that time may be lost", self._name, since_s)
        return (Silence(since=until - timedelta(seconds=since_s * self._clock.speed), until=until), cursor)

    def kept(self, at: float, *, noted: bool) -> None:
        """All that happened until ``at`` has been kept; ``noted``: with the news of it."""
        if self._resumed:
            self._until = at
            self._noted = at if noted else self._noted
