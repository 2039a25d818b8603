"""Saying what is planned, account by account: claim, say, settle. Nothing is ever said without a claim."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from core.account import Account, Address, Direct, Place, Poll, Receipt
from core.clock import Clock
from core.errors import AccountError, AccountUnavailable, OutcomeUnknown, PersonUnreachable, StoreError, TooLate
from core.errors import AccountRefused as Refused
from core.store import outbox
from core.store.database import Connection, Database
from core.store.outbox import Claimed

log = logging.getLogger(__name__)

IN_FLIGHT = 16
"""Most things an account says at the same time; the adapter paces them."""

LOOK_AGAIN_S = 1.0
"""How long, in wall seconds, until the outbox is looked at again when nobody woke us."""

GRACE_S = 3.0
"""How long, in wall seconds, what is being said may take to end when we are stopped."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
"""Pauses, in wall seconds, before the database is tried again."""

REFUSED_AGAIN_S = 300.0
"""How long until something is tried again after the platform refused the account itself."""


class Sender:
    """Says what the outbox holds for one account."""

    def __init__(
        self,
        account: Account,
        places: Mapping[str, Place],
        database: Database,
        clock: Clock,
        replay: Callable[[Connection, str, Sequence[str]], None],
        *,
        grace_s: float = GRACE_S,
    ) -> None:
        """``replay`` takes up, inside the writer's transaction, what had waited for the refs of a post."""
        self._grace_s = grace_s
        self._account = account
        self._places = places
        self._database = database
        self._clock = clock
        self._replay = replay
        self._wake = asyncio.Event()
        self._free = asyncio.Semaphore(IN_FLIGHT)

    def wake(self) -> None:
        """Look at the outbox now."""
        self._wake.set()

    async def run(self) -> None:
        """Say things until cancelled; then what is being said may end, so that we know what became of it."""
        saying: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._wake.clear()
                taken = await self._take()
                for thing in taken:
                    task = asyncio.create_task(self._say_and_free(thing))
                    saying.add(task)
                    task.add_done_callback(saying.discard)
                if not taken:
                    await self._rest()
        finally:
            await _let_end(saying, self._grace_s)

    async def drain(self) -> None:
        """Say everything that is due now, then return."""
        while taken := await self._take():
            await asyncio.gather(*(self._say_and_free(thing) for thing in taken))

    @property
    def _answers_only(self) -> bool:
        direct = self._places.get("direct")
        return direct is not None and direct.limits.answers_only

    async def _take(self) -> list[Claimed]:
        await self._free.acquire()
        room = 1
        while room < IN_FLIGHT and not self._free.locked():
            await self._free.acquire()
            room += 1
        taken: list[Claimed] = []
        try:
            taken = await self._claim(room)
        except StoreError as error:
            log.error("%s: nothing can be said now: %s", self._account.name, error)
        finally:
            for _ in range(room - len(taken)):
                self._free.release()
        return taken

    async def _claim(self, room: int) -> list[Claimed]:
        name, now, only = self._account.name, self._clock.now(), self._answers_only
        claiming = asyncio.ensure_future(
            self._database.write(lambda connection: outbox.claim(connection, name, now, room, answers_only=only))
        )
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            # We are stopped while the claim is on its way: what it brings was not said, and can be claimed again.
            taken = await claiming
            await self._keep(lambda connection: outbox.put_back(connection, taken, now, answers_only=only))
            raise

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(max(LOOK_AGAIN_S / self._clock.speed, 0.1)):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _say_and_free(self, thing: Claimed) -> None:
        try:
            await self.say(thing)
        finally:
            self._free.release()
            self._wake.set()

    async def say(self, thing: Claimed) -> None:
        """Say one claimed thing and settle it."""
        try:
            receipt = await self._speak(thing)
        except AccountError as error:
            await self._failed(thing, error)
        except Exception as error:  # a fault of ours: this one message's, not the whole account's
            log.exception("%s", thing.key)
            await self._failed(thing, OutcomeUnknown(self._account.name, f"{type(error).__name__}: {error}"))
        except asyncio.CancelledError:
            await self._failed(thing, OutcomeUnknown(self._account.name, "stopped while it was being sent"))
            raise
        else:
            await self._keep(lambda connection: self._settled(connection, thing, receipt))

    async def _keep(self, job: Callable[[Connection], object]) -> None:
        """Keep what became of something, however long the database cannot: only we know it."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                await self._database.write(job)
                return
            except StoreError as error:
                log.error("%s: what was said cannot be kept now: %s", self._account.name, error)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _speak(self, thing: Claimed) -> Receipt:
        place = self._places.get(thing.place)
        if isinstance(thing.body, Poll):
            if place is None:
                raise Refused(self._account.name, f"place {thing.place} is not known; see the settings")
            return await self._account.poll(place, thing.body, thing.key)
        to: Address | None = Direct(thing.person) if thing.person is not None else place
        if to is None:
            raise Refused(self._account.name, f"place {thing.place} is not known; see the settings")
        return await self._account.say(to, thing.body, thing.key, not_after=thing.not_after)

    def _settled(self, connection: Connection, thing: Claimed, receipt: Receipt) -> None:
        account, refs = outbox.sent(connection, thing.id, receipt, self._clock.now())
        if thing.kind is outbox.Kind.ASK:
            self._replay(connection, account, refs)

    async def _failed(self, thing: Claimed, error: AccountError) -> None:
        log.log(logging.INFO if isinstance(error, PersonUnreachable) else logging.WARNING, "%s: %s", thing.key, error)
        now, only = self._clock.now(), self._answers_only

        def settle(connection: Connection) -> None:
            match error:
                case AccountUnavailable() | Refused():
                    wire_s = error.retry_after_s if isinstance(error, AccountUnavailable) else REFUSED_AGAIN_S
                    due_at = now + timedelta(seconds=wire_s * self._clock.speed)
                    outbox.postpone(connection, thing.id, due_at, str(error), answers_only=only)
                case TooLate():
                    outbox.expired(connection, thing.id, now, answers_only=only)
                case OutcomeUnknown():
                    outbox.unknown(connection, thing.id, str(error), now)
                case _:
                    unreachable = isinstance(error, PersonUnreachable)
                    outbox.refused(connection, thing.id, str(error), now, unreachable=unreachable, answers_only=only)

        await self._keep(settle)


async def _let_end(saying: set[asyncio.Task[None]], grace_s: float) -> None:
    """Give what is being said a moment to end; what does not is cancelled, and then unknown."""
    left = set(saying)
    if left:
        _, left = await asyncio.wait(left, timeout=grace_s)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
