"""How updates come in: kept before confirmed.

The library's own Updater confirms updates before anybody has seen them. Here one loop asks, delivers the whole batch,
and confirms it by asking for the next one only after ``deliver`` has returned. A malformed update is set aside alone.

The offset is sent once, to confirm. From then on none that matters is: update ids start over after a quiet week, and
an old offset would skip them. Who asks twice from the same offset within moments is given one update at a time and kept
waiting, so two that mean the same take turns.
Source: https://core.telegram.org/bots/api#getupdates ·
https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp (process_get_updates_query)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from telegram import Update
from telegram.error import Forbidden, InvalidToken, TelegramError

from bots.telegram.faults import fault
from bots.telegram.read import KINDS, read
from bots.telegram.transport import Flooded, RawBot
from core.account import Answer, Deliver, Forms
from core.clock import Clock
from core.errors import AccountUnavailable, StoreError, VouchError
from core.events import Event, Reply

LONG_POLL_S: Final = 20
"""How long Telegram holds a question for updates open."""
LONGEST_BACK_OFF_S: Final = 30.0
TRIES_TO_CATCH_UP: Final = 4
CATCH_UP_S: Final = 60.0
"""How long we ask for an empty answer where Telegram does not say how many updates are queued."""
TOAST_CHARS: Final = 200
"""Source: https://core.telegram.org/bots/api#answercallbackquery"""
TOASTS_AT_ONCE: Final = 16
TOASTS_WAITING: Final = 400
"""More taps than this waiting for a note: the rest gets none. A note is worth nothing later."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one getUpdates brought."""

    events: tuple[Event, ...]
    taps: tuple[tuple[int, str], ...]
    """Of each tap: which event it is, and the id under which it is answered."""
    ids: frozenset[int]
    """Of all updates in it."""


@dataclass(slots=True, eq=False)
class _CatchUp:
    """Somebody waits until all that is queued now has been committed."""

    left: float
    """How many updates were queued (infinite where nobody says): after as many, or at an empty answer, all of them have
    been fetched."""
    done: asyncio.Future[None]
    failures: int = 0

    def settle(self, error: VouchError | None = None) -> None:
        """Let them go on."""
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class _Interrupted(Exception):
    """The long poll was given up because somebody wants to catch up."""


class Stream:
    """The updates of one bot. ``moved`` says which groups have got a new id, old to new."""

    def __init__(self, name: str, bot: RawBot, clock: Clock, forms: Forms, moved: dict[int, int]) -> None:
        self._name = name
        self._bot = bot
        self._clock = clock
        self._forms = forms
        self._moved = moved
        self._polling = asyncio.Lock()
        self._listening = False
        self._offset: int | None = None
        """What confirms the last batch, until that has been answered."""
        self._last_asked: int | None = None
        self._last_ids: frozenset[int] = frozenset()
        self._held: Batch | None = None
        self._long_poll: asyncio.Task[list[Any]] | None = None
        self._hurry = asyncio.Event()
        self._waiting: list[_CatchUp] = []
        self._order = 0
        self._toasts: set[asyncio.Task[None]] = set()
        self._toasting = asyncio.Semaphore(TOASTS_AT_ONCE)
        self.set_aside = 0
        """How many malformed updates were passed over."""

    async def listen(self, deliver: Deliver, ready: Callable[[], None]) -> None:
        """Deliver until cancelled. Raises ``AccountRefused``."""
        self._listening = True
        try:
            async with self._polling:
                await self._run(deliver, ready)
        finally:
            self._listening = False
            self._settle(self._waiting, AccountUnavailable(self._name, "stopped listening while catching up"))
            for toast in self._toasts:
                toast.cancel()
            await asyncio.gather(*self._toasts, return_exceptions=True)

    async def catch_up(self, deliver: Deliver) -> None:
        """Return once all that was queued when this was called has been committed. Where ``listen`` runs, its loop
        does it and delivers to its own ``deliver``: there are never two pollers.

        Raises ``AccountUnavailable``, ``AccountRefused``, ``StoreError``.
        Source: https://core.telegram.org/bots/api#getwebhookinfo (``pending_update_count`` counts what no getUpdates
        has confirmed, too)
        """
        queued = math.inf
        try:
            queued = (await self._bot.get_webhook_info()).pending_update_count
        except (TelegramError, TypeError, ValueError) as error:
            log.info("%s: nobody says how many updates are queued, asking until there are none: %s", self._name, error)
        if not queued:
            return
        mine = _CatchUp(queued, asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        try:
            async with asyncio.timeout(CATCH_UP_S if queued == math.inf else None):
                await self._until_caught_up(mine, deliver)
        except TimeoutError:
            raise AccountUnavailable(self._name, "the updates do not end") from None
        finally:
            self._waiting = [one for one in self._waiting if one is not mine]

    async def _until_caught_up(self, mine: _CatchUp, deliver: Deliver) -> None:
        if self._listening:
            self._hurry.set()
            if self._long_poll is not None:
                self._long_poll.cancel()
        else:
            async with self._polling:
                await self._run(deliver, lambda: None, until=mine)
        await mine.done

    async def _run(self, deliver: Deliver, ready: Callable[[], None], until: _CatchUp | None = None) -> None:
        failures, up = 0, False
        while until is None or not until.done.done():
            self._hurry.clear()
            waiting = list(self._waiting)
            try:
                fetched = await self._round(deliver, LONG_POLL_S if up and not waiting else 0)
            except _Interrupted:
                continue
            except (TelegramError, StoreError) as error:
                failures += 1
                self._tell(error, waiting)
                if until is None or not until.done.done():
                    await self._back_off(error, failures)
                continue
            failures = 0
            if not up:
                up = True
                ready()
            if fetched is not None:
                for one in waiting:
                    one.left -= fetched
                self._settle(one for one in waiting if not fetched or one.left <= 0)

    async def _round(self, deliver: Deliver, wait_s: int) -> int | None:
        """Fetch, deliver, and only then note what to confirm. Returns how many updates were fetched.

        A batch that could not be kept is held and delivered again (``None`` is returned for it, as nothing was
        fetched): Telegram itself would forget a tap after 150 s.
        """
        batch, fresh = self._held, self._held is None
        if batch is None:
            self._held = batch = self._read(await self._fetch(wait_s))
        answers = await deliver(batch.events) if batch.events else ()
        self._held, self._last_ids = None, batch.ids
        self._offset = max(batch.ids) + 1 if batch.ids else None
        self._thank(batch.taps, batch.events, answers)
        return len(batch.ids) if fresh else None

    async def _fetch(self, wait_s: int) -> list[Any]:
        offset = self._offset
        if offset is None:
            offset = 0 if self._last_asked else 1  # both mean: from the first that is unconfirmed
        self._last_asked = offset
        call = asyncio.ensure_future(self._bot.raw_updates(offset=offset, timeout_s=wait_s, kinds=KINDS))
        self._long_poll = call if wait_s else None
        try:
            return await call
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Its offset has most likely arrived. If not, the last batch comes again and is known by its ids.
            self._offset = None
            raise _Interrupted from None
        finally:
            self._long_poll = None

    def _read(self, raw: list[Any]) -> Batch:
        """Parse each update by itself. Raises ``TelegramError`` when none of them could ever be confirmed."""
        events: list[Event] = []
        taps: list[tuple[int, str]] = []
        ids: set[int] = set()
        arrived, me = self._clock.now(), self._bot.id
        for one in raw:
            try:
                id = _id(one)
                ids.add(id)
                if id in self._last_ids or _is_told_by_votes(one):
                    continue
                update = Update.de_json(one, None)
                found = read(update, me=me, order=self._next_order(), arrived=arrived)
            except Exception as error:
                self.set_aside += 1
                log.warning("%s: a malformed update was set aside: %s", self._name, type(error).__name__)
                continue
            if found and update.callback_query is not None:
                taps.append((len(events), update.callback_query.id))
            events.extend(found if not self._moved else map(self._at_home, found))
        if raw and not ids:
            raise TelegramError("updates without ids")
        return Batch(tuple(events), tuple(taps), frozenset(ids))

    def _next_order(self) -> int:
        """Wall time in microseconds, but always more than the last."""
        self._order = max(self._order + 1, time.time_ns() // 1000)
        return self._order

    def _at_home(self, event: Event) -> Event:
        """The event with the id that the settings know, where its group has got a new one since."""
        if not isinstance(event, Reply) or not event.place:
            return event
        settings_ids = {str(new): str(old) for old, new in self._moved.items()}
        return replace(event, place=settings_ids.get(event.place, event.place))

    def _tell(self, error: Exception, waiting: Sequence[_CatchUp]) -> None:
        """Tell those who have waited for several tries in vain. Raises ``AccountRefused``."""
        if isinstance(error, InvalidToken | Forbidden):
            raise fault(self._name, error)
        ours = error if isinstance(error, VouchError) else AccountUnavailable(self._name, f"no updates now: {error}")
        for one in waiting:
            one.failures += 1
        self._settle([one for one in waiting if one.failures >= TRIES_TO_CATCH_UP], ours)

    async def _back_off(self, error: Exception, failures: int) -> None:
        """Wait before the next try, less if somebody wants to catch up, but never less than a 429 asks for."""
        if isinstance(error, Flooded):
            await asyncio.sleep(error.retry_after_s)
            return
        pause_s = min(LONGEST_BACK_OFF_S, 0.5 * 2 ** min(failures - 1, 10)) * random.uniform(0.5, 1.0)
        log.warning("%s: no updates now, next try in %.1f s: %s", self._name, pause_s, error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), pause_s)

    def _settle(self, waiting: Iterable[_CatchUp], error: VouchError | None = None) -> None:
        for one in list(waiting):
            one.settle(error)
        self._waiting = [one for one in self._waiting if not one.done.done()]

    def _thank(self, taps: Iterable[tuple[int, str]], events: Sequence[Event], answers: Sequence[Answer]) -> None:
        """Answer the taps of a batch that has been kept, without holding up the next."""
        for index, query in taps:
            if len(self._toasts) >= TOASTS_WAITING:
                return
            event = events[index]
            form = self._forms(event.token) if isinstance(event, Reply) and event.token else None
            note = answers[index].toast or (form.label if form else None)
            toast = asyncio.create_task(self._toast(query, note))
            self._toasts.add(toast)
            toast.add_done_callback(self._toasts.discard)

    async def _toast(self, query: str, note: str | None) -> None:
        """Best effort. "Query is too old" is harmless: the tap itself has been kept."""
        async with self._toasting:
            try:
                await self._bot.answer_callback_query(query, text=note and note[:TOAST_CHARS], read_timeout=10)
            except TelegramError as error:
                log.debug("%s: a tap got no note: %s", self._name, error)


def _id(raw: Any) -> int:
    """The update's id. Raises ``TypeError`` where there is none."""
    id = raw["update_id"]
    if not isinstance(id, int):
        raise TypeError("an update id is a number")
    return id


def _is_told_by_votes(update: Any) -> bool:
    """Whether it only repeats the totals of an open poll whose every vote comes by itself: half of all updates of a
    named poll, and parsing them would cost as much as the votes."""
    poll = update.get("poll")
    return isinstance(poll, dict) and poll.get("is_anonymous") is False and poll.get("is_closed") is False
