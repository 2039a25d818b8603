"""The team's own place is also the desk: what is asked for there is done, for who may ask, and written down.

Whoever asks is looked up on the platform when the order is carried out; who is nobody there gets nothing. An order,
what becomes of it and the answer that goes into the place are one transaction: whatever is killed, it is carried out
once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from weakref import WeakKeyDictionary

from core.account import Account, Place, Standing
from core.answering import Answering
from core.buttons import Seal
from core.cases import Teammate, key
from core.clock import Clock, steady
from core.done import Done
from core.errors import AccountError, AccountUnavailable, NotOurs, StoreAway, VouchError
from core.message import text
from core.orders import LASTING, Order, offered, order_of
from core.presence import Presence
from core.routes import Routes, Team
from core.store import commands, outbox, quoted
from core.store.commands import MAY_NOT, State, Waiting
from core.store.database import Connection, Database
from core.store.fencing import Held, standing
from core.store.outbox import Kind, Planned
from core.threads import in_thread
from core.watch import Watch
from core.words import words_for

log = logging.getLogger(__name__)

PATIENCE, PATIENCE_WALL_S = timedelta(minutes=10), 60.0
"""What could not be carried out for so long, on the calendar and by the wall, nobody waits for any more."""

LASTS = timedelta(days=1)
"""So long what somebody may be waiting for is done all the same."""

SEE_TO_S = 60.0
"""How long, in wall seconds, one order may take."""

SECOND = "somebody else came first"
"""Outcome of an order after another one, which was carried out."""

OFFER_AGAIN_S = 60.0
"""How often, in wall seconds, it is tried again to show the commands in a place."""


class Desk:
    """Carries out what teams ask for. Give it accounts that are up, and call ``begin`` often."""

    def __init__(
        self,
        database: Database,
        routes: Routes,
        teams: Mapping[str, Team],
        presence: Presence,
        seal: Seal,
        clock: Clock,
    ) -> None:
        self._database = database
        self._presence = presence
        self._clock = clock
        self._teams = {(team.account, team.place): team for team in teams.values() if team.inside}
        self._answering = Answering(database, routes, seal, clock, presence.answers_only)
        self._watch = Watch(database, routes, self._teams.values(), presence, seal, clock)
        self._offered: WeakKeyDictionary[Account, dict[str, float]] = WeakKeyDictionary()
        """By account and place when its commands are to be shown again; never, once they are."""
        self._not_before: dict[str, float] = {}
        """By account when it may be asked again."""
        self._working: asyncio.Task[None] | None = None

    @property
    def places(self) -> dict[tuple[str, str], str]:
        """By account and place of each desk its language."""
        return {place: team.language for place, team in self._teams.items()}

    @property
    def teams(self) -> Collection[Team]:
        """All that have one."""
        return self._teams.values()

    def begin(self) -> None:
        """Go on beside whoever calls, unless that is under way: it may take long, and holds up nobody."""
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._guarded())

    async def stop(self) -> None:
        """End what is under way: it is carried out by whoever comes next."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)

    async def _guarded(self) -> None:
        try:
            await self.work()
        except VouchError as error:
            log.debug("the desk waits: %s", error)
        except Exception:
            log.exception("the desk: trying again")

    async def work(self) -> None:
        """Offer the commands where an account has come up, and carry out what is asked for."""
        for account in list(self._presence.up.values()):
            await self._offer(account)
        undecided: set[tuple[str, str]] = set()
        for asked in await in_thread(self._waiting):
            where = (asked.account, asked.place)
            if where in undecided:
                continue  # in the order in which they were given
            try:
                async with asyncio.timeout(SEE_TO_S):
                    settled = await self._see_to(asked)
            except (NotOurs, StoreAway, TimeoutError) as error:  # the others are seen to all the same
                log.warning("%s: an order waits: %s", asked.account, error or "it took too long")
                settled = False
            if not settled:
                undecided.add(where)
        await self._watch.work()

    async def _offer(self, account: Account) -> None:
        shown = self._offered.setdefault(account, {})
        for (name, place), team in self._teams.items():
            found = self._presence.places.get(name, {}).get(place)
            if name != account.name or found is None or steady() < shown.get(place, 0.0):
                continue
            shown[place] = steady() + OFFER_AGAIN_S
            try:
                await account.offer(found, offered(words_for(team.language)), to_all=bool(team.roles))
                shown[place] = float("inf")
            except (AccountError, TimeoutError) as error:
                log.warning("%s: the commands cannot be shown in %s: %s", name, place, error or "it took too long")

    def _waiting(self) -> list[Waiting]:
        with self._database.reading() as connection:
            return commands.waiting(connection, list(self._presence.up))

    async def _see_to(self, asked: Waiting) -> bool:
        """See to one. Returns whether it is settled."""
        team, order = self._teams.get((asked.account, asked.place)), order_of(asked.said)
        account, held = self._presence.up.get(asked.account), self._presence.held(asked.account)
        place = self._presence.places.get(asked.account, {}).get(asked.place)
        if held is None:
            return False
        if team is None or order is None:  # the settings were changed since
            return await self._settle(asked, held, State.REFUSED, Done("not in the team's place"))
        if self._is_stale(asked, order):
            return await self._settle(asked, held, State.EXPIRED, not_done("it could not be done in time", order, team))
        if account is None or place is None:
            return False
        its = await self._standing(account, place, asked)
        if its is None:
            return False
        words = words_for(team.language)
        if not may(its, team):
            said = words("Only who administers this place may ask Vouch for that.")
            return await self._settle(asked, held, State.REFUSED, Done(MAY_NOT, (text(said),)))
        try:
            who = Teammate(asked.account, asked.person, asked.name)
            done = await self._answering.to(replace(order, event=asked.event), team, place, who)
        except StoreAway:  # it comes back, and the order waits for it
            raise
        except Exception:  # a fault of ours: it is not tried again, and the others are seen to
            log.exception("%s: /%s", asked.account, order.name)
            done = not_done("a fault of Vouch's; see its log", order, team)
            return await self._settle(asked, held, State.EXPIRED, done)
        return await self._settle(asked, held, State.DONE, done)

    async def _standing(self, account: Account, place: Place, asked: Waiting) -> Standing | None:
        """What who asked is there now; ``None`` when nobody can say, and not before the platform lets us ask again."""
        if steady() < self._not_before.get(account.name, 0.0):
            return None
        try:
            return await account.standing(place, asked.person)
        except AccountUnavailable as error:
            self._not_before[account.name] = steady() + max(error.retry_after_s, 1.0)
            return None
        except AccountError as error:
            log.warning("%s: who asked cannot be looked up: %s", asked.account, error)
            return Standing()

    def _is_stale(self, asked: Waiting, order: Order) -> bool:
        return self._clock.now() > asked.at + self._patience_for(order)

    def _patience_for(self, order: Order | None) -> timedelta:
        return max(LASTS, self._patience) if order is not None and order.name in LASTING else self._patience

    @property
    def _patience(self) -> timedelta:
        return max(PATIENCE, timedelta(seconds=PATIENCE_WALL_S * self._clock.speed))

    async def _settle(self, asked: Waiting, held: Held, state: State, done: Done) -> bool:
        outcome = await self._database.write(partial(self._keep, asked, held, state, done))
        log.info("%s: an order of %s: %s, %s", asked.account, asked.person, state, outcome)
        for account in {asked.account, *done.wakes}:
            self._presence.wake(account)
        return True

    def _keep(self, asked: Waiting, held: Held, state: State, done: Done, connection: Connection) -> str:
        """Returns the outcome that is written down."""
        if not standing(connection, {held}):
            raise NotOurs(asked.account, "another process serves this account now")
        now = self._clock.now()
        told_before = state is State.REFUSED and commands.was_refused(connection, asked, now - self._patience)
        if not commands.settle(connection, asked, state, done.outcome, now) or told_before:
            return done.outcome
        instead = done.change(connection, now) if done.change is not None else None
        if instead is not None:
            done = Done(SECOND, (instead,))
            commands.note(connection, asked, SECOND)
        things = [
            Planned(
                key=self._key(asked, done, part),
                account=asked.account,
                kind=Kind.DESK if done.case is None else Kind.CASE,
                body=body,
                place=asked.place,
                not_after=now + self._patience_for(order_of(asked.said)),
            )
            for part, body in enumerate(done.messages)
        ]
        outbox.plan(connection, things, now)
        quoted.keep(connection, [(thing.key, thing.body) for thing in things], done.quotes)
        return done.outcome

    def _key(self, asked: Waiting, done: Done, part: int) -> str:
        """The outbox key of an answer; of one about a case, it says which."""
        if done.case is None:
            return f"desk:{asked.account}:{asked.event}:{part}"
        return key(self._teams[asked.account, asked.place].name, done.case, f"{asked.account}.{asked.event}", part)


def not_done(why: str, order: Order, team: Team) -> Done:
    """What comes of an order that was not carried out: who gave it is told, where somebody may be waiting for it."""
    if order.name not in LASTING:
        return Done(why)
    words, number = words_for(team.language), order.words.partition(" ")[0]
    shown = f"/{order.name} {number if number.isdecimal() else ''}".strip()
    return Done(why, (text(words("This was not done, please try again: {order}", order=shown)),))


def may(standing: Standing, team: Team) -> bool:
    """Whether somebody may ask for anything in a team's place: who administers it, or has the role that the settings
    name. Nobody else, and nobody by default."""
    return standing.admin or bool(standing.roles & set(team.roles))
