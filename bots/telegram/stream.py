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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from telegram.error import Conflict, Forbidden, InvalidToken, TelegramError

from bots.telegram.batch import Batch, Reader
from bots.telegram.faults import UNREADABLE, fault
from bots.telegram.hearing import Hearing
from bots.telegram.read import KINDS
from bots.telegram.transport import FETCH_LIMIT, Flooded, RawBot
from core.account import Answer, Deliver, Forms
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

BESIDE: Final = {
    "poller": "another program reads the updates of this bot with the same token: stop it, or give it a bot of its own",
    "webhook": "the updates of this bot go to a webhook: remove it with deleteWebhook",
}

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _CatchUp:
    """Somebody waits until all that is queued now has been committed."""

    queued: float
    """How many updates were queued (infinite where nobody says): after as many different ones, or at an empty answer,
    all of them have been fetched."""
    done: asyncio.Future[None]
    seen: set[int] = field(default_factory=set)
    """Ids that have been fetched since. What was fetched may come again, when its confirmation was lost."""
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
    """The updates of one bot."""

    def __init__(self, name: str, bot: RawBot, reader: Reader, hearing: Hearing, forms: Forms) -> None:
        self._name = name
        self._bot = bot
        self._reader = reader
        self._hearing = hearing
        self._forms = forms
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
        self._toasts: set[asyncio.Task[None]] = set()
        self._toasting = asyncio.Semaphore(TOASTS_AT_ONCE)
        self._beside: str | None = None
        """Who else reads this bot's updates, as it was said last."""

    async def listen(self, deliver: Deliver, cursors: Mapping[str, str], ready: Callable[[], None]) -> None:
        """Deliver until cancelled. Raises ``AccountRefused``."""
        # Somebody else may have read on since, and ids may have started over: an old offset would skip them.
        self._offset = None
        self._hearing.resume(cursors)
        self._reader.resume(cursors)
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
            failures, self._beside = 0, None
            if not up:
                up = True
                ready()
            if fetched is not None:
                for one in waiting:
                    one.seen |= fetched
                self._settle(one for one in waiting if not fetched or len(one.seen) >= one.queued)

    async def _round(self, deliver: Deliver, wait_s: int) -> frozenset[int] | None:
        """Fetch, deliver, and only then note what to confirm. Returns the ids of what was fetched.

        A batch that could not be kept is held and delivered again (``None`` is returned for it, as nothing was
        fetched): Telegram itself would forget a tap after 150 s.
        """
        batch, fresh = self._held, self._held is None
        if batch is None:
            self._held = batch = await self._fetched(wait_s)
        answers = await deliver(batch.events) if batch.events else ()
        self._held, self._last_ids = None, batch.ids
        if batch.heard_at is not None:
            self._hearing.kept(batch.heard_at, noted=batch.noted)
        self._offset = max(batch.ids) + 1 if batch.ids else None
        self._thank(batch.taps, batch.events, answers)
        return batch.ids if fresh else None

    async def _fetched(self, wait_s: int) -> Batch:
        """One getUpdates, read. Where it shows the end of the queue, what is to be said about that comes last."""
        before = self._last_asked
        raw = await self._fetch(wait_s)
        batch = self._reader.read(raw, self._last_ids)
        # Who asks from the same place again is given one update at a time: then one is no sign of the end.
        if len(raw) >= FETCH_LIMIT or (len(raw) == 1 and before == self._last_asked):
            return batch
        at = self._hearing.now()
        news = self._hearing.news(at)
        return replace(batch, events=batch.events + news, heard_at=at, noted=bool(news))

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
        if isinstance(error, Conflict):
            self._tell_beside("webhook" if "webhook" in error.message.lower() else "poller")
        else:
            log.warning("%s: no updates now, next try in %.1f s: %s", self._name, pause_s, error)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._hurry.wait()

    def _tell_beside(self, who: str) -> None:
        """Say once who else takes this bot's updates, and what to do about it.

        Source: https://core.telegram.org/bots/api#getupdates (notes)
        """
        if who != self._beside:
            self._beside = who
            log.error("%s: %s. Until then we wait; what Telegram keeps is not lost", self._name, BESIDE[who])

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
                await self._bot.answer_callback_query(query, text=note and note[:TOAST_CHARS])
            except (TelegramError, *UNREADABLE) as error:
                log.debug("%s: a tap got no note: %s", self._name, error)
