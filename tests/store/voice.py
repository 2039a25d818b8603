"""A small account at our own seam, and what its platform holds: what was posted, edited, and can be looked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.account import Address, Begin, Deliver, Direct, Limits, Look, Place, PlaceKind, Poll, Receipt, Standing
from core.errors import AccountRefused, ContentRefused, MessageGone, OutcomeUnknown
from core.message import Message
from core.models import Lease
from core.store import outbox
from core.store.fencing import Held
from core.store.outbox import TakenOver
from core.store.statements import table
from tests.store.stage import ACCOUNT, NOW, Stage

PLACE = Place(id="-1001", kind=PlaceKind.GROUP, limits=Limits(post_chars=4_000))
"""A place where nobody can look or edit."""
SEEN = Place(id="-1001", kind=PlaceKind.GROUP, limits=Limits(post_chars=4_000, looks=True))
EDITED = Place(id="-1001", kind=PlaceKind.GROUP, limits=Limits(post_chars=4_000, edits=True))

_LEASE = table(Lease)


@dataclass
class Platform:
    """What people see there: it outlives whoever speaks."""

    said: list[tuple[Address, Message | Poll, str]] = field(default_factory=list)
    """To whom, what it reads now, and the key under which it was said."""

    def put(self, to: Address, body: Message | Poll, key: str) -> Receipt:
        self.said.append((to, body, key))
        return self.receipt(len(self.said) - 1)

    def receipt(self, index: int) -> Receipt:
        to, _, key = self.said[index]
        where = to.person if isinstance(to, Direct) else to.id
        return Receipt(place=where, message=str(index), refs=(f"ref:{key}",), sent_at=NOW)

    def reads(self, body: Message | Poll) -> int:
        """How often this can be read."""
        return sum(said == body for _, said, _ in self.said)


class Voice:
    """An account that notes what is said, fails when told to, stops at chosen points, and looks whether the store knew
    beforehand what it does."""

    name = ACCOUNT

    def __init__(self, stage: Stage, platform: Platform | None = None, place: Place = PLACE) -> None:
        self.stage = stage
        self.platform = platform or Platform()
        self.posts_to = place
        self.wrong: list[str] = []
        """Keys that were not claimed before, or not begun after ``begin``."""
        self.unready: dict[str, Exception] = {}
        """Raised once by what is said under a key, before it begins."""
        self.fails: dict[str, Exception] = {}
        """Raised once after it began, in place of being said."""
        self.loses: set[str] = set()
        """Keys whose first answer is lost after the platform took them."""
        self.deleted: set[str] = set()
        """Keys whose message somebody has deleted before it is edited."""
        self.stubborn = False
        """Whether ``fails`` and ``loses`` go on for ever."""
        self.looked: list[tuple[str, datetime]] = []
        self.others: dict[str, Collection[str]] = {}
        self.finds: dict[str, list[Look | Receipt | Exception]] = {}
        """What looking answers in place of the truth, first things first."""
        self.stops_at = ""
        """``claimed``, ``begun``, ``taken``, ``editing`` or ``edited``: where it waits for ``hold``."""
        self.reached = asyncio.Event()
        self.hold = asyncio.Event()
        self.most_at_once = 0
        self._now = 0

    @property
    def said(self) -> list[tuple[Address, Message | Poll, str]]:
        return self.platform.said

    async def __aenter__(self) -> Voice:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def place(self, id: str) -> Place:
        if id != self.posts_to.id:
            raise AccountRefused(self.name, f"{id} is not there")
        return self.posts_to

    async def listen(self, deliver: Deliver, cursors: Mapping[str, str], ready: Callable[[], None]) -> None:
        ready()

    async def offer(self, place: Place, commands: Sequence[tuple[str, str]], *, to_all: bool) -> None:
        return None

    async def standing(self, place: Place, person: str) -> Standing:
        return Standing()

    async def close(self, poll: Receipt) -> None:
        return None

    async def catch_up(self, polls: Sequence[Receipt], deliver: Deliver) -> None:
        return None

    async def poll(self, place: Place, poll: Poll, key: str, *, begin: Begin) -> Receipt:
        return await self._speak(place, poll, key, begin)

    async def say(
        self,
        to: Address,
        message: Message,
        key: str,
        *,
        under: Receipt | None = None,
        not_after: datetime | None = None,
        begin: Begin,
    ) -> Receipt:
        return await self._speak(to, message, key, begin)

    async def edit(self, said: Receipt, message: Message) -> None:
        to, _, key = self.platform.said[int(said.message)]
        await self._point("editing")
        if key in self.fails:
            raise self.fails.pop(key)
        if key in self.deleted:
            raise MessageGone(self.name, "message to edit not found")
        self.platform.said[int(said.message)] = (to, message, key)
        await self._point("edited")

    async def look(
        self,
        to: Address,
        body: Message | Poll,
        key: str,
        since: datetime,
        *,
        under: Receipt | None = None,
        others: Collection[str] = (),
    ) -> Receipt | Look:
        if not self.posts_to.limits.looks:
            raise ContentRefused(self.name, "nobody can look here")
        self.looked.append((key, since))
        self.others[key] = others
        if self.finds.get(key):
            found = self.finds[key].pop(0)
            if isinstance(found, Exception):
                raise found
            return found
        there = [index for index, (_, _, its) in enumerate(self.platform.said) if its == key]
        return self.platform.receipt(there[0]) if there else Look.NOT_SAID

    async def _speak(self, to: Address, body: Message | Poll, key: str, begin: Begin) -> Receipt:
        await self._look_up(key, "claimed")
        await self._point("claimed")
        if key in self.unready:
            raise self.unready.pop(key)
        await begin()
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await self._point("begun")
        self._now -= 1
        if key in self.fails:
            raise self.fails[key] if self.stubborn else self.fails.pop(key)
        receipt = self.platform.put(to, body, key)
        await self._point("taken")
        if key in self.loses:
            self.loses -= set() if self.stubborn else {key}
            raise OutcomeUnknown(self.name, "the answer was lost")
        return receipt

    async def _point(self, name: str) -> None:
        if name == self.stops_at:
            self.reached.set()
            await self.hold.wait()

    async def _look_up(self, key: str, wanted: str) -> None:
        states = await asyncio.to_thread(self.states)
        if states[key] != wanted:
            self.wrong.append(key)

    def states(self) -> dict[str, str]:
        return {row["key"]: row["state"] for row in self.stage.rows("outbox")}


def hold(stage: Stage, account: str = ACCOUNT) -> Held:
    """Take the lease of an account, whoever has it."""
    fence = 1 + max((row["fence"] for row in stage.rows("lease") if row["account"] == account), default=0)
    until = datetime(9999, 1, 1, tzinfo=UTC)
    with stage.database.engine.begin() as connection:
        connection.execute(_LEASE.delete().where(_LEASE.c.account == account))
        connection.execute(_LEASE.insert().values(account=account, fence=fence, session="a1", until=until))
    return Held(account, fence)


def take_over(stage: Stage, account: str = ACCOUNT) -> tuple[Held, TakenOver]:
    """Take the lease from whoever has it, with what it leaves undone."""
    held = hold(stage, account)
    with stage.database.engine.begin() as connection:
        return held, outbox.take_over(connection, account, stage.now)
