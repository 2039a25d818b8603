"""From the answer of one getUpdates to the events in it: each update is read by itself, a malformed one set aside."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from telegram import Update
from telegram.error import TelegramError

from bots.telegram.read import poll_seen, read
from bots.telegram.transport import RawBot
from core.clock import Clock
from core.events import ORDER, Cursor, Event, PollSeen, Reply

SEEN_AGAIN_S: Final = 30.0
"""A poll that we do not know is told of once more after this long, and then at most so often when it comes by: when it
was first seen, the answer to the request that posted it may still have been on its way."""
ORDERS_AHEAD: Final = 60_000_000
"""So far ahead the cursor is written: a minute's worth, in microseconds."""
HIGHEST_ID: Final = 2**31 - 1
"""Source: https://core.telegram.org/bots/api#update (ids are Integers; TDLib keeps them in 32 bits)"""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Seen:
    """A poll that this process has not posted."""

    poll: PollSeen
    told_at: float
    """Monotonic."""
    again: bool = True
    """Whether it is to be told of once more even if it does not come by again."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one getUpdates brought."""

    events: tuple[Event, ...]
    taps: tuple[tuple[int, str], ...]
    """Of each tap: which event it is, and the id under which it is answered."""
    ids: frozenset[int]
    """Of all updates in it."""
    heard_at: float | None = None
    """When the queue was seen to its end by this (see ``hearing.py``)."""
    noted: bool = False
    """Whether the events say so."""


class Reader:
    """Reads the updates of one bot. ``moved`` says which groups have got a new id, old to new; ``posted`` which polls
    this process has posted, by id."""

    def __init__(
        self,
        name: str,
        bot: RawBot,
        clock: Clock,
        moved: Mapping[int, int],
        posted: set[str],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._bot = bot
        self._clock = clock
        self._moved = moved
        self._posted = posted
        self._now = now
        self._seen: dict[str, _Seen] = {}
        """By id."""
        self._order = 0
        self._ceiling = 0
        self.set_aside = 0
        """How many malformed updates were passed over."""

    def resume(self, cursors: Mapping[str, str]) -> None:
        """Go on above every order that was given before, by whoever and whatever their clock said."""
        with suppress(KeyError, ValueError):
            self._order = max(self._order, int(cursors[ORDER]))

    def read(self, raw: list[Any], known: frozenset[int]) -> Batch:
        """Read updates in the order of their ids, but for those with ``known`` ids. Raises ``TelegramError`` when none
        of them could ever be confirmed."""
        events: list[Event] = []
        taps: list[tuple[int, str]] = []
        ids: set[int] = set()
        arrived, me, handle = self._clock.now(), self._bot.id, self._bot.username
        for one in sorted(raw, key=_place_in_stream):
            try:
                id = _id(one)
                if id in ids or id in known:
                    ids.add(id)
                    continue
                ids.add(id)
                if "poll" in one:
                    events.extend(self._not_known(one))
                if _is_told_by_votes(one):
                    continue
                update = Update.de_json(one, None)
                found = read(update, me=me, order=self._next_order(), arrived=arrived, handle=handle)
            except Exception as error:
                self.set_aside += 1
                log.warning("%s: a malformed update was set aside: %s", self._name, type(error).__name__)
                continue
            if found and update.callback_query is not None:
                taps.append((len(events), update.callback_query.id))
            events.extend(found if not self._moved else map(self._at_home, found))
        if raw and not ids:
            raise TelegramError("updates without ids")
        events += self._once_more()
        if self._order > self._ceiling:
            self._ceiling = self._order + ORDERS_AHEAD
            events.append(Cursor(name=ORDER, value=str(self._ceiling)))
        return Batch(tuple(events), tuple(taps), frozenset(ids))

    def _not_known(self, update: dict[str, Any]) -> tuple[PollSeen, ...]:
        """The poll of an update, where this process has neither posted it nor told of it lately."""
        id, now = update["poll"]["id"], self._now()
        seen = self._seen.get(id)
        if id in self._posted or (seen is not None and now - seen.told_at < SEEN_AGAIN_S):
            return ()
        poll = poll_seen(update["poll"])
        self._seen[id] = _Seen(poll, now, again=seen is None)
        return (poll,)

    def _once_more(self) -> list[PollSeen]:
        now, due = self._now(), []
        for id, seen in self._seen.items():
            if seen.again and now - seen.told_at >= SEEN_AGAIN_S:
                seen.again, seen.told_at = False, now
                due += [seen.poll] if id not in self._posted else []
        return due

    def _next_order(self) -> int:
        """Wall time in microseconds, but always more than the last. A ceiling is kept with the events, because wall
        clocks are set back and another machine has another one."""
        self._order = max(self._order + 1, time.time_ns() // 1000)
        return self._order

    def _at_home(self, event: Event) -> Event:
        """The event with the id that the settings know, where its group has got a new one since."""
        if not isinstance(event, Reply) or not event.place:
            return event
        settings_ids = {str(new): str(old) for old, new in self._moved.items()}
        return replace(event, place=settings_ids.get(event.place, event.place))


def _place_in_stream(raw: Any) -> int:
    try:
        return _id(raw)
    except (TypeError, KeyError, ValueError):
        return 0


def _id(raw: Any) -> int:
    """The update's id. Raises ``TypeError``, ``KeyError`` or ``ValueError`` where there is none: to confirm up to an id
    that cannot be would confirm what nobody has read."""
    id = raw["update_id"]
    if not isinstance(id, int) or isinstance(id, bool):
        raise TypeError("an update id is a number")
    if not 0 < id <= HIGHEST_ID:
        raise ValueError("no update has this id")
    return id


def _is_told_by_votes(update: Any) -> bool:
    """Whether it only repeats the totals of an open poll whose every vote comes by itself: half of all updates of a
    named poll, and parsing them would cost as much as the votes."""
    poll = update.get("poll")
    return isinstance(poll, dict) and poll.get("is_anonymous") is False and poll.get("is_closed") is False
