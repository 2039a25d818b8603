"""Keeping the accounts up whose lease is ours: signed in, their places known, listening and saying what is planned."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta

from core.account import Account, Deliver, Place
from core.clock import Clock
from core.diary import Said, nobody
from core.errors import AccountError, AccountRefused, AccountUnavailable, NotOurs, StoreError
from core.events import Cursor
from core.sender import Sender
from core.store import asks
from core.store.cursors import cursors_of
from core.store.database import Database
from core.store.fencing import Held
from core.store.inbox import Inbox
from core.store.leases import Leases
from core.store.outbox import Kind
from core.threads import in_thread

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
PLACES_AGAIN_S = 60.0
"""How often, in wall seconds, a place that could not be used is looked at again."""

LONGEST_PAUSE_S = 30.0
"""Pauses, in wall seconds, before an account that failed is tried again; each is twice the one before."""

LOOK_S = 1.0
"""How often, in wall seconds, the lease of an account that another process serves is asked for."""

SPREAD_S, SPREAD_LONGEST_S, SPREAD_STEP_S = 0.25, 2.0, 0.05
"""Who serves accounts already waits so long for each of them, in wall seconds, before it takes one more that is free:
so processes that start together share, and of those that are left the least busy one follows."""

CATCH_UP_S = 120.0
"""How long, in wall seconds, reading all that one account can still give may take."""

RECENT = timedelta(days=8)
"""Polls of waves that closed longer ago are not read again: no platform would say anything new."""

CAUGHT_UP = "caught up"
"""Name of the cursor that holds up to which calendar time an account was read, for processes that do not serve it."""


class Presence:
    """The accounts, as far as they are up here."""

    def __init__(
        self,
        accounts: Mapping[str, Callable[[], Account]],
        wanted: Mapping[str, Iterable[str]],
        database: Database,
        inbox: Inbox,
        clock: Clock,
        leases: Leases,
        said: Said = nobody,
    ) -> None:
        """``accounts`` make an account by name; ``wanted`` are the ids of the places that each is to post in; ``said``
        is told what was said."""
        self._accounts = accounts
        self._wanted = {name: set(ids) for name, ids in wanted.items()}
        self._database = database
        self._inbox = inbox
        self._clock = clock
        self._leases = leases
        self._said = said
        self._taking = 0
        self._senders: dict[str, Sender] = {}
        self._delivers: dict[str, Deliver] = {}
        self._helds: dict[str, Held] = {}
        self._served: set[str] = set()
        """Accounts that were up here, or that another live process serves."""
        self.up: dict[str, Account] = {}
        self.places: dict[str, dict[str, Place]] = {name: {} for name in accounts}
        self.ready = asyncio.Event()
        """Set once the stream of every account has been up, here or in another live process."""

    def held(self, account: str) -> Held | None:
        """Our lease of an account that is up here."""
        return self._helds.get(account)

    @property
    def answers_only(self) -> Collection[str]:
        """Accounts on which one may write only to those who wrote first, once for each of theirs."""
        return self._inbox.answers_only

    async def run(self) -> None:
        """Keep all accounts up until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name in self._accounts:
                group.create_task(self._keep_up(name))

    def wake(self, account: str) -> None:
        """Something was planned for this account. To be called in the loop's thread."""
        if account in self._senders:
            self._senders[account].wake()

    def deliver(self, account: str) -> Deliver:
        """The ``Deliver`` of an account that is up here, under its lease."""
        return self._delivers[account]

    @asynccontextmanager
    async def visiting(self, names: Iterable[str]) -> AsyncIterator[Callable[[], None]]:
        """Sign in on these accounts without listening, for a command. While it stays, asks and posts that are due there
        are said, as far as no other process serves the account: what is planned for such a one, that process says.
        Nothing else is said: people may have written stop, and nobody has read it; and a service may wait for the
        database. Gives a call that has the outbox looked at. What has begun when the command leaves may end, within
        moments.

        An account that cannot be used is named in the log and left out; raises its ``AccountError`` when all are such.
        """
        async with AsyncExitStack() as stack:
            usable: list[Account] = []
            fault: AccountError | None = None
            for name in sorted(set(names)):
                try:
                    account = await stack.enter_async_context(self._accounts[name]())
                    await self._find_places(account)
                    usable.append(account)
                except AccountError as error:
                    log.error("%s", error)
                    fault = error
            if fault is not None and not usable:
                raise fault
            senders = [sender for account in usable if (sender := await self._visitor(stack, account)) is not None]

            def look() -> None:
                for sender in senders:
                    sender.wake()

            yield look

    async def _visitor(self, stack: AsyncExitStack, account: Account) -> Sender | None:
        """What says asks and posts of an account until the stack is left; ``None`` where another process does."""
        held = await self._leases.take(account.name)
        if held is None:
            return None
        stack.push_async_callback(self._leases.release, held)
        sender = self._sender(account, held, kinds=(Kind.ASK, Kind.REPORT))
        speaking = asyncio.create_task(sender.run())

        async def stop() -> None:
            speaking.cancel()
            with suppress(asyncio.CancelledError, NotOurs):  # who has the lease by now says the rest
                await speaking

        stack.push_async_callback(stop)
        return sender

    # -- one account ---------------------------------------------------------------------------------------------------

    async def _keep_up(self, name: str) -> None:
        pause = FIRST_PAUSE_S
        while True:
            started = asyncio.get_running_loop().time()
            try:
                async with self._holding(name) as held, asyncio.TaskGroup() as group:
                    group.create_task(self._until_lost(held))
                    group.create_task(self._serve(held))
            except* NotOurs as group:
                log.warning("%s", _first(group))
                pause = FIRST_PAUSE_S
            except* (AccountUnavailable, StoreError) as group:
                log.warning("%s; trying again", _first(group))
            except* AccountError as group:
                log.error("%s; trying again", _first(group))
                pause = LONGEST_PAUSE_S
            except* Exception as group:  # a fault of ours on one account must not take the others down
                log.error("%s: %r; trying again", name, _first(group), exc_info=_first(group))
            if asyncio.get_running_loop().time() - started > LONGEST_PAUSE_S:
                pause = FIRST_PAUSE_S
            pause = FIRST_PAUSE_S if await self._another_reads(name, pause) else min(pause * 2, LONGEST_PAUSE_S)

    async def _another_reads(self, name: str, within_s: float) -> bool:
        """Pause before an account that failed here is tried again, but only until another process has read it: what
        failed is over then, and who follows that process must not be asleep."""
        ends = asyncio.get_running_loop().time() + within_s
        before = await self._read_up_to(name)
        while (left_s := ends - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(LOOK_S, left_s))
            if before != (now := await self._read_up_to(name)):
                return now is not None
        return False

    async def _read_up_to(self, name: str) -> datetime | None:
        """Up to when another process may have read an account; ``None`` where there is none, or nobody can say."""
        with suppress(Exception):  # nothing that fails here may end more than a pause
            return await in_thread(self.caught_up, name) if self._leases.shared else None
        return None

    @asynccontextmanager
    async def _holding(self, name: str) -> AsyncIterator[Held]:
        """Wait until the account's lease is ours; give it back at the end."""
        held = await self._take(name)
        try:
            yield held
        finally:
            self.up.pop(name, None)
            self._senders.pop(name, None)
            self._delivers.pop(name, None)
            self._helds.pop(name, None)
            with suppress(StoreError):
                await self._leases.release(held)

    async def _take(self, name: str) -> Held:
        while True:
            await self._let_others_go_first()
            self._taking += 1
            try:
                held = await self._leases.take(name)
            finally:
                self._taking -= 1
            if held is not None:
                return held
            self._is_served(name)
            await asyncio.sleep(LOOK_S)

    async def _let_others_go_first(self) -> None:
        waited_s = 0.0
        while self._leases.shared:
            serving = self._leases.count + self._taking
            if waited_s >= min(SPREAD_S * serving, SPREAD_LONGEST_S):
                return
            await asyncio.sleep(SPREAD_STEP_S)
            waited_s += SPREAD_STEP_S

    async def _until_lost(self, held: Held) -> None:
        await self._leases.lost(held)
        raise NotOurs(held.account, "its lease was lost, another process may serve it now; nothing more is said here")

    async def _serve(self, held: Held) -> None:
        name, came_up = held.account, asyncio.Event()

        async with self._accounts[name]() as account:
            await self._find_places(account)
            sender = self._sender(account, held)

            def listening() -> None:
                came_up.set()
                sender.heard()
                self._is_served(name)

            deliver = self._inbox.deliver(name, held)
            self.up[name], self._delivers[name], self._senders[name] = account, deliver, sender
            self._helds[name] = held
            cursors = await in_thread(cursors_of, self._database, name)
            async with asyncio.TaskGroup() as group:
                group.create_task(account.listen(deliver, cursors, listening))
                group.create_task(sender.run())
                group.create_task(self._find_the_rest(account))
                group.create_task(self._stay_even(name, came_up))

    def _sender(self, account: Account, held: Held, kinds: Collection[Kind] = tuple(Kind)) -> Sender:
        places, replay = self.places[account.name], self._inbox.replay
        return Sender(
            account, places, self._database, held, self._clock, replay, unread=True, kinds=kinds, said=self._said
        )

    def _is_served(self, name: str) -> None:
        self._served.add(name)
        if len(self._served) == len(self._accounts):
            self.ready.set()

    # -- catching up ---------------------------------------------------------------------------------------------------

    async def catch_up(self, name: str) -> None:
        """Read all that an account that is up here can still give, and note how far it was read.

        Raises ``AccountError``, ``StoreError``, ``TimeoutError``.
        """
        account, deliver, began = self.up.get(name), self._delivers.get(name), self._clock.now()
        if account is None or deliver is None:
            raise AccountUnavailable(name, "it is not up")
        polls = await in_thread(self._open_polls, name, began - RECENT)
        async with asyncio.timeout(CATCH_UP_S):
            await account.catch_up([poll.receipt for poll in polls], deliver)
            await deliver([Cursor(name=CAUGHT_UP, value=began.isoformat())])

    def caught_up(self, name: str) -> datetime | None:
        """Up to when an account was read, here or by another process. Asks the database."""
        value = cursors_of(self._database, name).get(CAUGHT_UP)
        return datetime.fromisoformat(value) if value else None

    async def _stay_even(self, name: str, came_up: asyncio.Event) -> None:
        """Read what was missed, each time the stream is said to have come up."""
        while True:
            await came_up.wait()
            came_up.clear()
            await self._read_all(name)

    async def _read_all(self, name: str) -> None:
        """Return once all was read that this account can still give."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                return await self.catch_up(name)
            except (AccountUnavailable, StoreError, TimeoutError) as error:
                log.warning("%s: catching up: %s; trying again", name, error or "it took too long")
            except AccountError as error:
                return log.error("%s: catching up: %s", name, error)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _open_polls(self, name: str, since: datetime) -> Sequence[asks.OpenAsk]:
        with self._database.reading() as connection:
            return asks.open_polls(connection, name, since)

    # -- its places ----------------------------------------------------------------------------------------------------

    async def _find_the_rest(self, account: Account) -> None:
        """Ask again for places that could not be used: somebody may be giving us the right to just now."""
        while self._missing(account.name):
            await asyncio.sleep(PLACES_AGAIN_S)
            with suppress(AccountUnavailable):
                await self._find_places(account, again=True)

    def _missing(self, name: str) -> set[str]:
        return self._wanted.get(name, set()) - set(self.places[name])

    async def _find_places(self, account: Account, *, again: bool = False) -> None:
        async def find(id: str) -> None:
            try:
                place = await account.place(id)
            except AccountRefused as error:
                log.log(logging.DEBUG if again else logging.ERROR, "%s", error)
                return
            if again:
                log.info("%s: %s can be used now", account.name, place.title or id)
            self.places[account.name][id] = place
            self._inbox.limits[(account.name, id)] = place.limits
            if place.limits.answers_only:
                self._inbox.answers_only.add(account.name)

        await asyncio.gather(*(find(id) for id in self._missing(account.name)))


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
