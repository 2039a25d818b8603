"""Saying what is planned, account by account: claim, begin, say, settle. Nothing is ever said without a claim, and
nothing leaves before it is kept that it may have."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from core.account import Account, Address, Direct, Place, Poll, Receipt
from core.clock import Clock, steady
from core.diary import Said, nobody
from core.errors import (
    AccountError,
    AccountUnavailable,
    ContentRefused,
    NotOurs,
    OutcomeUnknown,
    PersonUnreachable,
    StoreError,
)
from core.errors import AccountRefused as Refused
from core.outcomes import Settle, outcome
from core.resolving import SETTLE_S, Replay, Resolver, uses_placeholder
from core.store import claims, outbox
from core.store.claims import FAR, Begun
from core.store.database import Connection, Database
from core.store.fencing import Held
from core.store.outbox import Claimed, Kind

log = logging.getLogger(__name__)

T = TypeVar("T")

IN_FLIGHT = 16
"""Most things an account says at the same time; the adapter paces them."""

LOOK_AGAIN_S = 1.0
"""How long, in wall seconds, until the outbox is looked at again when nobody woke us."""

GRACE_S = 3.0
"""How long, in wall seconds, what is being said may take to end when we are stopped."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
"""Pauses, in wall seconds, before the database is tried again."""

BEGIN_S = 2.0
"""A beginning that took longer, in wall seconds, is given up: we may have been paused, and our lease be lost."""


@dataclass(slots=True)
class _Saying:
    """One thing on its way."""

    thing: Claimed
    begun: bool = False
    """Whether its request may have left."""


class Sender:
    """Says what the outbox holds for one account, while its lease is ours."""

    def __init__(
        self,
        account: Account,
        places: Mapping[str, Place],
        database: Database,
        held: Held,
        clock: Clock,
        replay: Replay,
        *,
        unread: bool = False,
        kinds: Collection[Kind] = tuple(Kind),
        said: Said = nobody,
        grace_s: float = GRACE_S,
        settle_s: float = SETTLE_S,
    ) -> None:
        """``replay`` takes up, inside the writer's transaction, what had waited for the refs of a post; ``kinds``:
        nothing else is said; ``said`` hears of what was said and kept."""
        self._said = said
        self._kinds = kinds
        self._unread = unread
        """Whether people may have written what nobody read, such as stop: then nothing unasked is said to any."""
        self._grace_s = grace_s
        self._account = account
        self._places = places
        self._database = database
        self._held = held
        self._clock = clock
        self._replay = replay
        self._wake = asyncio.Event()
        self._free = asyncio.Semaphore(IN_FLIGHT)
        self._in_hand: set[int] = set()
        self._lost_claim = False
        """Whether a claim may be kept that we never heard of: a server can go away just while it commits."""
        self._resolver = Resolver(account, places, database, held, clock, replay, planned=self.wake, settle_s=settle_s)

    def wake(self) -> None:
        """Look at the outbox now."""
        self._wake.set()

    def heard(self) -> None:
        """What people wrote while nobody listened was read: they may be written to unasked."""
        self._unread = False
        self.wake()

    async def run(self) -> None:
        """Say things until cancelled; then what has begun may end, so that we know what became of it, and the rest is
        put back. Raises ``NotOurs`` when the lease is lost."""
        saying: dict[asyncio.Task[None], _Saying] = {}
        resolving = asyncio.create_task(self._resolver.run())
        try:
            while True:
                self._wake.clear()
                taken = await self._take()
                for thing in map(_Saying, taken):
                    task = asyncio.create_task(self._say_and_free(thing))
                    saying[task] = thing
                    task.add_done_callback(saying.pop)
                if not taken:
                    await self._rest()
        finally:
            resolving.cancel()
            await _let_end(dict(saying), self._grace_s)
            await asyncio.gather(resolving, return_exceptions=True)

    async def drain(self) -> None:
        """Say everything that is due now, see to what is unknown, then return: for who has a calendar of their own.
        Raises ``NotOurs``."""
        while taken := await self._take():
            await asyncio.gather(*(self._say_and_free(_Saying(thing)) for thing in taken))
            await self.resolve()
        await self.resolve()

    async def resolve(self) -> bool:
        """See to what is unknown and may be looked for now. Returns whether there is more to find out later."""
        return await self._resolver.resolve()

    @property
    def _answers_only(self) -> bool:
        direct = self._places.get("direct")
        return direct is not None and direct.limits.answers_only

    # -- claiming ------------------------------------------------------------------------------------------------------

    async def _take(self) -> list[Claimed]:
        await self._free.acquire()
        room = 1
        while room < IN_FLIGHT and not self._free.locked():
            await self._free.acquire()
            room += 1
        taken: list[Claimed] = []
        try:
            await self._put_back_lost()
            taken = await self._claim(room)
            self._in_hand.update(thing.id for thing in taken)
        except StoreError as error:
            self._lost_claim = True
            log.error("%s: nothing can be said now: %s", self._account.name, error)
        finally:
            for _ in range(room - len(taken)):
                self._free.release()
        return taken

    async def _put_back_lost(self) -> None:
        """What a claim took of which we never heard the end is claimed for nobody."""
        if self._lost_claim:
            held, in_hand = self._held, set(self._in_hand)
            await self._database.write(lambda connection: claims.put_back_others(connection, held, in_hand))
            self._lost_claim = False

    async def _claim(self, room: int) -> list[Claimed]:
        held, now, only, far = self._held, self._clock.now(), self._answers_only, FAR * self._clock.speed
        claiming = asyncio.ensure_future(
            self._database.write(
                lambda connection: claims.claim(
                    connection, held, now, room, self._kinds, answers_only=only, asked_only=self._unread, far=far
                )
            )
        )
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            # We are stopped while the claim is on its way: what it brings was not said, and can be claimed again.
            with suppress(StoreError, NotOurs):
                taken = await claiming
                await self._database.write(lambda connection: claims.put_back(connection, taken))
            raise

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(max(LOOK_AGAIN_S / self._clock.speed, 0.1)):
                await self._wake.wait()
        except TimeoutError:
            pass

    # -- saying --------------------------------------------------------------------------------------------------------

    async def _say_and_free(self, saying: _Saying) -> None:
        try:
            await self._say(saying)
        except StoreError as error:
            log.error("%s: what became of it could not be kept: %s", saying.thing.key, error)
        finally:
            self._in_hand.discard(saying.thing.id)
            self._free.release()
            self._wake.set()

    async def _say(self, saying: _Saying) -> None:
        """Say one claimed thing and settle it."""
        try:
            receipt = await self._speak(saying)
        except asyncio.CancelledError:
            if saying.begun:
                await self._keep(self._outcome(saying, OutcomeUnknown(self._account.name, "stopped while being sent")))
            else:
                await self._keep(lambda connection: claims.put_back(connection, [saying.thing]))
            raise
        except Exception as error:
            await self._failed(saying, error)
        else:
            if receipt is not None:
                await self._keep(lambda connection: self._settled(connection, saying.thing, receipt))
                place = self._places.get(saying.thing.place)
                self._said(self._account.name, saying.thing, place.title if place is not None else "")

    async def _speak(self, saying: _Saying) -> Receipt | None:
        """The receipt; ``None`` when it is somebody else's to go on."""
        thing, place = saying.thing, self._places.get(saying.thing.place)
        if thing.receipt is not None:
            return await self._edit(thing.receipt, thing)
        to: Address | None = Direct(thing.person) if thing.person is not None else place
        if to is None:
            raise Refused(self._account.name, f"place {thing.place} is not known; see the settings")
        begin = partial(self._begin, saying)
        if isinstance(thing.body, Poll):
            if not isinstance(to, Place):
                raise ContentRefused(self._account.name, "a poll cannot be a direct message")
            return await self._account.poll(to, thing.body, thing.key, begin=begin)
        first = thing.placeholder if place is not None and uses_placeholder(place.limits) else None
        receipt = await self._account.say(
            to, first or thing.body, thing.key, under=thing.under, not_after=thing.not_after, begin=begin
        )
        if first is None:
            return receipt
        if not await self._keep(lambda connection: outbox.placed(connection, thing, receipt)):
            return None
        saying.thing, saying.begun = replace(thing, receipt=receipt), False
        return await self._edit(receipt, saying.thing)

    async def _edit(self, receipt: Receipt, thing: Claimed) -> Receipt:
        """Make the report of its placeholder. Twice is as good as once."""
        if isinstance(thing.body, Poll):
            raise ContentRefused(self._account.name, "a poll cannot be edited")
        await self._account.edit(receipt, thing.body)
        return receipt

    async def _begin(self, saying: _Saying) -> None:
        """Keep that it may be said from now on, if it still may. Raises ``NotOurs`` when not, ``AccountUnavailable``
        when that took too long."""
        started = steady()
        begun = await self._database.write(
            lambda connection: claims.begin(connection, saying.thing, self._held, self._clock.now())
        )
        if begun is not Begun.YES:
            raise NotOurs(self._account.name, begun)
        if steady() - started > BEGIN_S:
            raise AccountUnavailable(self._account.name, "beginning took too long", 0.0)
        saying.begun = True

    # -- what became of it ---------------------------------------------------------------------------------------------

    async def _keep(self, job: Callable[[Connection], T]) -> T:
        """Keep what became of something, however long the database cannot: only we know it. Raises ``StoreError`` when
        it is closed."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                return await self._database.write(job)
            except StoreError as error:
                log.error("%s: what was said cannot be kept now: %s", self._account.name, error)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._database.ended()
                        raise
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _settled(self, connection: Connection, thing: Claimed, receipt: Receipt) -> None:
        account, refs = outbox.sent(connection, thing.id, receipt, self._clock.now())
        if thing.kind is Kind.ASK:
            self._replay(connection, account, refs)

    async def _failed(self, saying: _Saying, error: Exception) -> None:
        key = saying.thing.key
        if isinstance(error, NotOurs) and not saying.begun:
            log.info("%s: not said: %s", key, error)
            return
        if not isinstance(error, AccountError | StoreError):  # a fault of ours: this one message's, not the account's
            log.exception("%s", key, exc_info=error)
        else:
            log.log(logging.INFO if isinstance(error, PersonUnreachable) else logging.WARNING, "%s: %s", key, error)
        await self._keep(self._outcome(saying, error))
        self._resolver.wake()

    def _outcome(self, saying: _Saying, error: Exception) -> Settle:
        return outcome(saying.thing, error, self._clock, begun=saying.begun)


async def _let_end(saying: Mapping[asyncio.Task[None], _Saying], grace_s: float) -> None:
    """Give what has begun a moment to end; what does not is cancelled, and then unknown. The rest never begins."""
    for task, its in saying.items():
        if not its.begun:
            task.cancel()
    left = set(saying)
    if left:
        _, left = await asyncio.wait(left, timeout=grace_s)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
