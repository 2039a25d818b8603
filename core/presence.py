"""Keeping the accounts up: signed in, their places known, listening and saying what is planned."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

from core.account import Account, Place
from core.clock import Clock
from core.errors import AccountError, AccountRefused, AccountUnavailable
from core.sender import Sender
from core.store.cursors import cursors_of
from core.store.database import Database
from core.store.inbox import Inbox

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
PLACES_AGAIN_S = 60.0
"""How often, in wall seconds, a place that could not be used is looked at again."""

LONGEST_PAUSE_S = 30.0
"""Pauses, in wall seconds, before an account that failed is tried again; each is twice the one before."""


class Presence:
    """The accounts, as far as they are up."""

    def __init__(
        self,
        accounts: Mapping[str, Callable[[], Account]],
        wanted: Mapping[str, Iterable[str]],
        database: Database,
        inbox: Inbox,
        clock: Clock,
    ) -> None:
        """``accounts`` make an account by name; ``wanted`` are the ids of the places that each is to post in."""
        self._accounts = accounts
        self._wanted = {name: set(ids) for name, ids in wanted.items()}
        self._database = database
        self._inbox = inbox
        self._clock = clock
        self._senders: dict[str, Sender] = {}
        self._listening: set[str] = set()
        self.up: dict[str, Account] = {}
        self.places: dict[str, dict[str, Place]] = {name: {} for name in accounts}
        self.ready = asyncio.Event()
        """Set once the streams of all accounts have been up."""

    async def run(self) -> None:
        """Keep all accounts up until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name in self._accounts:
                group.create_task(self._keep_up(name))

    def wake(self, account: str) -> None:
        """Something was planned for this account. To be called in the loop's thread."""
        if account in self._senders:
            self._senders[account].wake()

    @asynccontextmanager
    async def visiting(self, names: Iterable[str]) -> AsyncIterator[Callable[[], Awaitable[object]]]:
        """Sign in on these accounts without listening, for a command. Gives a call that says whatever is due there.

        An account that cannot be used is named in the log and left out; raises its ``AccountError`` when all are such.
        """
        async with AsyncExitStack() as stack:
            senders: list[Sender] = []
            fault: AccountError | None = None
            for name in sorted(set(names)):
                try:
                    account = await stack.enter_async_context(self._accounts[name]())
                    await self._find_places(account)
                    senders.append(self._sender(account))
                except AccountError as error:
                    log.error("%s", error)
                    fault = error
            if fault is not None and not senders:
                raise fault
            yield lambda: asyncio.gather(*(sender.drain() for sender in senders))

    async def _keep_up(self, name: str) -> None:
        pause = FIRST_PAUSE_S
        while True:
            started = asyncio.get_running_loop().time()
            try:
                async with self._accounts[name]() as account:
                    await self._serve(account)
            except* AccountUnavailable as group:
                log.warning("%s; trying again", _first(group))
            except* AccountError as group:
                log.error("%s; trying again", _first(group))
                pause = LONGEST_PAUSE_S
            except* Exception as group:  # a fault of ours on one account must not take the others down
                log.error("%s: %r; trying again", name, _first(group), exc_info=_first(group))
            finally:
                self.up.pop(name, None)
            if asyncio.get_running_loop().time() - started > LONGEST_PAUSE_S:
                pause = FIRST_PAUSE_S
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _serve(self, account: Account) -> None:
        await self._find_places(account)
        sender = self._sender(account)
        self.up[account.name] = account
        cursors = await asyncio.to_thread(cursors_of, self._database, account.name)
        async with asyncio.TaskGroup() as group:
            listening = partial(self._is_listening, account.name)
            group.create_task(account.listen(self._inbox.deliver(account.name), cursors, listening))
            group.create_task(sender.run())
            group.create_task(self._find_the_rest(account))

    def _sender(self, account: Account) -> Sender:
        sender = Sender(account, self.places[account.name], self._database, self._clock, self._inbox.replay)
        self._senders[account.name] = sender
        return sender

    def _is_listening(self, name: str) -> None:
        self._listening.add(name)
        if len(self._listening) == len(self._accounts):
            self.ready.set()

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
            self._inbox.private_answers[(account.name, id)] = place.limits.private_answers
            if place.limits.answers_only:
                self._inbox.answers_only.add(account.name)

        await asyncio.gather(*(find(id) for id in self._missing(account.name)))


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
