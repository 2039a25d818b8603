"""Finding out whether what may have been said was said: looked for on the platform where it can be seen.

Where it cannot, a placeholder is said again, for that does no harm, and the rest waits for a person (``vouch status``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from core.account import Account, Address, Direct, Limits, Look, Place, Poll, Receipt
from core.clock import OFF_S, Clock, steady
from core.errors import AccountError, AccountUnavailable, StoreError
from core.store import doubts, holders, outbox
from core.store.database import Connection, Database
from core.store.doubts import Alike, Doubt
from core.store.fencing import Held
from core.store.outbox import Kind
from core.threads import in_thread

log = logging.getLogger(__name__)

SETTLE_S = 10.0
"""Nothing is looked for sooner, in wall seconds: until then a request of a holder before us may still arrive."""

RESOLVE_AGAIN_S = 2.0
"""How often, in wall seconds, it is seen to while there is something to find out."""

SELDOM_S = 60.0
"""How often otherwise: another process may have brought something, as ``vouch restore`` does."""

LOOK_LATER_S = 300.0
"""How long, in wall seconds, until something is looked for again that the platform would not let us look for."""

APART = timedelta(seconds=OFF_S) + timedelta(minutes=5)
"""So far the platform's clock and ours may differ, and a little more."""

MOST_LOOKS = 10
"""So often a thing is said again because it was not found: then looking for it cannot be trusted."""

MOST_PLACEHOLDERS, PLACEHOLDER_AGAIN_S, PLACEHOLDER_SELDOM_S = 8, 1.0, 60.0
"""So often a placeholder is said again: after so many wall seconds, each time after twice as many, but no more than the
last. A place that swallows as many answers is not to be filled with them."""

Replay = Callable[[Connection, str, Sequence[str]], None]
"""Takes up, inside the writer's transaction, what had waited for the refs of a post."""


def uses_placeholder(limits: Limits) -> bool:
    """Whether a report goes to this place as a placeholder that is then edited."""
    return limits.edits and not limits.looks


class Resolver:
    """Finds out, for one account, what became of what is unknown."""

    def __init__(
        self,
        account: Account,
        places: Mapping[str, Place],
        database: Database,
        held: Held,
        clock: Clock,
        replay: Replay,
        planned: Callable[[], None],
        *,
        settle_s: float,
    ) -> None:
        """``planned`` is called when something is to be said again."""
        self._account = account
        self._places = places
        self._database = database
        self._held = held
        self._clock = clock
        self._replay = replay
        self._planned = planned
        self._settle_s = settle_s
        self._not_before: dict[int, float] = {}
        """When each doubt may be looked for, by the steady clock."""
        self._others: dict[str, Place] = {}
        """Places that the settings do not name (any more)."""
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something has become unknown."""
        self._wake.set()

    async def run(self) -> None:
        """See to what is unknown until cancelled."""
        while True:
            self._wake.clear()
            left = True
            try:
                left = await self.resolve()
            except StoreError as error:
                log.error("%s: what is unknown cannot be seen to now: %s", self._account.name, error)
            except Exception:  # a fault of ours here must not end what is said beside it
                log.exception("%s: seeing to what is unknown", self._account.name)
            try:
                async with asyncio.timeout(RESOLVE_AGAIN_S if left else SELDOM_S):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def resolve(self) -> bool:
        """See to everything unknown that may be looked for now. Returns whether there is more to find out later."""
        found = await in_thread(self._doubts)
        self._not_before = {
            doubt.id: self._not_before.get(doubt.id, steady() + settles_in_s) for doubt, settles_in_s in found
        }
        waits = [await self._see_to(doubt) for doubt, _ in found]
        return any(waits)

    def _doubts(self) -> list[tuple[Doubt, float]]:
        """Each with how long its request may still arrive, wall seconds, however often we have started."""
        with self._database.reading() as connection:
            found = doubts.doubts(connection, self._account.name, self._clock.now())
            given_up_s = {doubt.id: self._given_up_s_ago(connection, doubt) or 0.0 for doubt in found}
        return [(doubt, min(max(self._settle_s - given_up_s[doubt.id], 0.0), self._settle_s)) for doubt in found]

    def _given_up_s_ago(self, connection: Connection, doubt: Doubt) -> float | None:
        if self._database.dialect == "postgresql":  # whose calendar it was, nobody knows
            return holders.followed_s_ago(connection, self._account.name, doubt.fence)
        if doubt.until is None:
            return None
        return (self._clock.now() - doubt.until).total_seconds() / self._clock.speed

    async def _see_to(self, doubt: Doubt) -> bool:
        """See to one. Returns whether it is to be looked for later."""
        try:
            place = await self._place(doubt)
            if place.limits.looks:
                return steady() < self._not_before[doubt.id] or await self._look(doubt, place)
        except AccountError as error:
            self._later(doubt, error)
            return True
        except StoreError:
            raise
        except Exception as error:  # a fault of ours: the others are looked for all the same
            log.exception("%s: looking whether it was said", doubt.key)
            self._later(doubt, error)
            return True
        if doubt.kind is Kind.REPORT and doubt.placeholder is not None and uses_placeholder(place.limits):
            pause_s = min(PLACEHOLDER_AGAIN_S * 2**doubt.looks, PLACEHOLDER_SELDOM_S)
            await self._again(doubt, MOST_PLACEHOLDERS, "its placeholder was said again in vain", pause_s)
        elif isinstance(doubt.body, Poll):
            await self._give_up(doubt, "nobody can look for it here; its first vote makes it known again")
        else:
            await self._give_up(doubt, "nobody can look for it here")
        return False

    async def _place(self, doubt: Doubt) -> Place:
        id = "direct" if doubt.person is not None else doubt.place
        if id in self._places:
            return self._places[id]
        if id not in self._others:
            self._others[id] = await self._account.place(id)
        return self._others[id]

    async def _look(self, doubt: Doubt, place: Place) -> bool:
        to: Address = Direct(doubt.person) if doubt.person is not None else place
        alike = await in_thread(self._alike, doubt)
        others = alike.known
        found = await self._account.look(to, doubt.body, doubt.key, doubt.since, under=doubt.under, others=others)
        log.info("%s: looked whether it was said: %s", doubt.key, "said" if isinstance(found, Receipt) else found)
        match found:
            case Receipt() if self._is_later(doubt, found):
                await self._give_up(doubt, "what was found was said when it had long been given up")
            case Receipt():
                if not await self._database.write(lambda connection: self._was_said(connection, doubt, found)):
                    return True
            case Look.NOT_SAID:
                await self._again(doubt, MOST_LOOKS, "it was said and looked for in vain")
            case Look.CANNOT_TELL if await in_thread(self._will_tell, doubt, alike):
                return True
            case Look.CANNOT_TELL:
                await self._give_up(doubt, "it could not be found out whether it was said")
        self._not_before.pop(doubt.id, None)  # if it becomes unknown again, that is another request
        return False

    def _alike(self, doubt: Doubt) -> Alike:
        with self._database.reading() as connection:
            return doubts.alike(connection, self._account.name, doubt)

    def _will_tell(self, doubt: Doubt, before: Alike) -> bool:
        """Whether what reads the same was on its way while we looked, so that looking again tells the two apart."""
        after = self._alike(doubt)
        return after != before or after.on_its_way

    def _is_later(self, doubt: Doubt, found: Receipt) -> bool:
        """Whether a message cannot be what was looked for: next week's ask has the same words."""
        if doubt.until is None:
            return False
        return found.sent_at > doubt.until + APART + timedelta(seconds=self._settle_s * self._clock.speed)

    def _was_said(self, connection: Connection, doubt: Doubt, receipt: Receipt) -> bool:
        """Settle what was found. Returns whether that can be told yet: no two things are one message."""
        anothers = doubts.is_anothers(connection, self._account.name, doubt, receipt)
        if anothers:
            log.warning("%s: what was found is another message; see `vouch status`", doubt.key)
            doubts.cannot_tell(connection, doubt, self._held, "what was found there is another message")
            self._planned()
        elif anothers is False:
            account, refs = outbox.sent(connection, doubt.id, receipt, self._clock.now())
            if doubt.kind is Kind.ASK:
                self._replay(connection, account, refs)
        return anothers is not None

    async def _again(self, doubt: Doubt, most: int, in_vain: str, pause_s: float = 0.0) -> None:
        if doubt.looks >= most:
            await self._give_up(doubt, f"{in_vain} {doubt.looks} times")
            return
        due_at = self._clock.now() + timedelta(seconds=pause_s * self._clock.speed)
        if await self._database.write(lambda connection: doubts.not_said(connection, doubt, self._held, due_at)):
            self._planned()

    async def _give_up(self, doubt: Doubt, why: str) -> None:
        log.warning("%s: it may have been said; %s; see `vouch status`", doubt.key, why)
        await self._database.write(lambda connection: doubts.cannot_tell(connection, doubt, self._held, why))
        self._planned()  # the next message of a report may have waited for this one

    def _later(self, doubt: Doubt, error: Exception) -> None:
        wait_s = error.retry_after_s if isinstance(error, AccountUnavailable) else LOOK_LATER_S
        log.info("%s: cannot look now: %s", doubt.key, error)
        self._not_before[doubt.id] = steady() + wait_s
