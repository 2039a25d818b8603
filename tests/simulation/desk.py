"""The service at its desk: the real store, inbox, calendar and senders, step by step, on the accounts of the town.

A death is real to all of it: from then on no write reaches the database, and whoever comes next begins with nothing
but the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from core.account import Deliver, Place
from core.buttons import Seal
from core.clock import Clock
from core.errors import NotOurs, StoreError
from core.models import Lease
from core.routes import Channel, ChannelKind, Routes, Team
from core.sender import Sender
from core.service import Service
from core.store import asks, outbox
from core.store.database import Connection, Database
from core.store.fencing import Held
from core.store.inbox import Inbox
from core.store.statements import table
from core.survey import Survey
from tests.simulation.town import DIRECT, OFFICE, POLLED, Account, Killed

T = TypeVar("T")

_LEASE = table(Lease)

CHANNELS = {
    f"{account}-{place}": Channel(name=f"{account}-{place}", account=account, place=place, kind=kind)
    for account in ("open", "shut")
    for place, kind in ((POLLED, ChannelKind.POLL), (DIRECT, ChannelKind.DIRECT))
}
TEAMS = {
    "near": Team(name="near", account="open", place=OFFICE, zone="Europe/Paris"),
    "far": Team(name="far", account="shut", place=OFFICE, zone="America/New_York", report="Mon 08:00"),
}
SURVEY = Survey(name="s", brand="Acme", zone="Europe/Paris", channels=tuple(CHANNELS), teams=tuple(TEAMS))


class Mortal(Database):
    """A database that a dead process cannot write to."""

    dead = False

    async def write(self, job: Callable[[Connection], T]) -> T:
        if self.dead:
            raise Killed
        return await super().write(job)


class Presence:
    """The accounts, as the calendar sees them: up, and read whenever it asks."""

    def __init__(self, accounts: Mapping[str, Account], inbox: Inbox, held: Mapping[str, Held]) -> None:
        self.up = dict(accounts)
        self.places: dict[str, dict[str, Place]] = {name: account.places() for name, account in accounts.items()}
        self._inbox = inbox
        self._held = held

    def wake(self, account: str) -> None:
        """The senders are driven by hand."""

    def deliver(self, account: str) -> Deliver:
        return self._inbox.deliver(account, self._held[account])

    async def catch_up(self, name: str) -> None:
        with self._inbox.database.reading() as connection:
            polls = asks.open_polls(connection, name, datetime.min.replace(tzinfo=UTC))
        await self.up[name].catch_up([poll.receipt for poll in polls], self.deliver(name))

    def caught_up(self, name: str) -> datetime | None:
        return None


class Desk:
    """One process of the service at a time."""

    def __init__(self, database: Mortal, accounts: Mapping[str, Account], now: Callable[[], datetime]) -> None:
        self.database = database
        self.accounts = accounts
        self.clock = Clock(wall=lambda: now().timestamp())
        self.lives = 0

    async def begin(self) -> None:
        """Start, as after a death. Whoever served before may only be paused."""
        self.database.dead = False
        if self.lives:
            self.before = self.senders, self.presence
        self.lives += 1
        self.held = {name: Held(name, self.lives) for name in self.accounts}
        seal = Seal(bytes.fromhex(self.database.kept("seal")))
        self.inbox = Inbox(self.database, Routes([SURVEY], CHANNELS), seal, self.clock)
        self.presence = Presence(self.accounts, self.inbox, self.held)
        for name, account in self.accounts.items():
            self.inbox.limits.update({(name, id): place.limits for id, place in account.places().items()})
        self.senders = {name: self._sender(name) for name in self.accounts}
        self.service = Service(self.database, self.inbox.routes, TEAMS, self.presence, self.inbox, self.clock)  # type: ignore[arg-type]
        await self.database.write(self._take_over)

    def _take_over(self, connection: Connection) -> None:
        connection.execute(_LEASE.delete())
        for held in self.held.values():
            ever = datetime(9999, 1, 1, tzinfo=UTC)
            connection.execute(_LEASE.insert().values(account=held.account, fence=held.fence, session="s", until=ever))
            outbox.take_over(connection, held.account, self.clock.now())

    def _sender(self, name: str) -> Sender:
        places = self.presence.places[name]
        return Sender(
            self.accounts[name], places, self.database, self.held[name], self.clock, self.inbox.replay, settle_s=0.0  # type: ignore[arg-type]
        )  # fmt: skip

    # -- steps -------------------------------------------------------------------------------------------------------

    async def tick(self) -> None:
        """Let the calendar do what is due."""
        await self._or_die(self.service.tick())

    async def speak(self, name: str) -> None:
        """Say what is due on an account, and find out what is unknown."""
        await self._or_die(self.senders[name].drain())

    async def hear(self, name: str, most: int, dies: str = "") -> None:
        """Take what the account's stream brings."""
        await self._or_die(self.accounts[name].bring(self.presence.deliver(name), most, dies=dies))

    async def wake_the_one_before(self, name: str) -> None:
        """The holder before us was only paused, and goes on as if nothing had been: it can neither speak nor keep."""
        senders, presence = self.before
        said, confirmed = len(self.accounts[name].said), self.accounts[name].confirmed
        with suppress(NotOurs):
            await senders[name].drain()
        with suppress(StoreError):
            await self.accounts[name].bring(presence.deliver(name), 9)
        assert (len(self.accounts[name].said), self.accounts[name].confirmed) == (said, confirmed)

    async def _or_die(self, step: Coroutine[Any, Any, object]) -> None:
        """Take one step to its end, and all that it set going; a death on the way ends everything, and a new process
        begins."""
        here = asyncio.current_task()
        for account in self.accounts.values():
            account.underway.clear()
        try:
            await step
        except Killed:
            self.database.dead = True
        while going := asyncio.all_tasks() - {here}:
            for found in await asyncio.gather(*going, return_exceptions=True):
                self.database.dead = self.database.dead or isinstance(found, Killed)
        if self.database.dead:
            for account in self.accounts.values():
                account.cut |= account.underway
            await self.begin()
