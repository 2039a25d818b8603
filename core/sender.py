"""Saying what is planned, account by account: claim, say, settle. Nothing is ever said without a claim."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from core.account import Account, Address, Direct, Place, Poll, Receipt
from core.clock import Clock
from core.errors import AccountError, AccountUnavailable, OutcomeUnknown, PersonUnreachable, TooLate
from core.errors import AccountRefused as Refused
from core.store import outbox
from core.store.database import Connection, Database
from core.store.outbox import Claimed

log = logging.getLogger(__name__)

IN_FLIGHT = 16
"""Most things an account says at the same time; the adapter paces them."""

LOOK_AGAIN_S = 1.0
"""How long, in wall seconds, until the outbox is looked at again when nobody woke us."""

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
    ) -> None:
        """``replay`` takes up, inside the writer's transaction, what had waited for the refs of a post."""
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
        """Say things until cancelled."""
        async with asyncio.TaskGroup() as saying:
            while True:
                self._wake.clear()
                taken = await self._take()
                for thing in taken:
                    saying.create_task(self._say_and_free(thing))
                if not taken:
                    await self._rest()

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
        name, now = self._account.name, self._clock.now()
        taken: list[Claimed] = []
        try:
            taken = await self._database.write(
                lambda connection: outbox.claim(connection, name, now, room, answers_only=self._answers_only)
            )
        finally:
            for _ in range(room - len(taken)):
                self._free.release()
        return taken

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
        else:
            await self._database.write(lambda connection: self._settled(connection, thing, receipt))

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
                    outbox.expired(connection, thing.id, now)
                case OutcomeUnknown():
                    outbox.unknown(connection, thing.id, str(error), now)
                case _:
                    unreachable = isinstance(error, PersonUnreachable)
                    outbox.refused(connection, thing.id, str(error), now, unreachable=unreachable)

        await self._database.write(settle)
