"""The killer: waits for a window, sends the signal, and examines what it hit.

The wire tells it what happens (``arrives``, ``applied``, ``answered``, ``handed``, ``accepted``); a thread watches the
database's commits; ``strace``, where it is, stops the process at a system call of its own.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.faults.confirms import Confirmation
from tests.faults.contract import CLAIMED, COMMITTED, RECEIVED, SENT, WINDOWS, Arm, Hit, Service
from tests.faults.kept import FAILURES, UNREAD, Kept, left
from tests.faults.seen import CUT_S, Arrival, Call, Seen
from tests.faults.services import Services
from tests.faults.tracing import CALLS, can_trace, killed_at
from tests.faults.windows import Found, Snapshot, applied, snapshot, windows

WAYS = {
    RECEIVED: (("wire", 85), ("syscall", 15)),
    COMMITTED: (("wire", 45), ("database", 45), ("syscall", 10)),
    CLAIMED: (("wire", 40), ("database", 50), ("syscall", 10)),
    SENT: (("wire", 90), ("syscall", 10)),
    "random": (("wire", 80), ("syscall", 20)),
}
SOON_S = 0.003
"""A reply takes about so long from the wire to the disk."""
ACCEPT_S = 0.05
AT_ANY_TIME = 0.4
"""So many of the kills that are aimed at no window come at any time; the others wait for an accept."""
UNDER_WAY_S = 0.08
"""What the dead had sent is at the platform by then."""
SERVER_S = 5.0
LOOK_S, LOOK_SERVER_S = 0.0005, 0.002


@dataclass(eq=False)
class Armed:
    """One kill to come."""

    arm: Arm
    how: str
    rng: Random
    service: Service
    """As it was registered then: it may be taken off the list before its death has been examined."""
    since: float
    struck: asyncio.Event = field(default_factory=asyncio.Event)
    wall: float = 0.0
    """When it was struck; 0 until then."""
    due: bool = False
    """Whether it will be struck in a moment."""
    after_answer: bool = False
    waits_for_accept: bool = False

    def wants(self, window: str, instance: str, platform: str) -> bool:
        """Whether this is what it waits for."""
        ready = not self.wall and not self.due and self.how == "wire" and self.arm.window == window
        return ready and self.arm.instance == instance and self.arm.platform in ("", platform)


class Killer:
    """At most one kill at a time for each instance. Every signal goes through ``Services``."""

    def __init__(self, seen: Seen, services: Services, seed: int) -> None:
        self._seen = seen
        self._services = services
        self._rng = Random(f"{seed}:kills")
        self._armed: dict[str, Armed] = {}
        self.traces = can_trace()

    # what the wire tells

    def arrives(self, call: Call, confirmation: Confirmation | None) -> bool:
        """A request has come and has not taken effect yet. ``True``: its sender is dead, so it never came."""
        armed = self._armed.get(call.instance)
        if armed is None or armed.arm.signal != "KILL":  # what a paused one has sent is on its way
            return False
        if call.what.outbox and armed.wants(CLAIMED, call.instance, call.platform):
            return self._strike(armed)
        if confirmation and armed.wants(COMMITTED, call.instance, call.platform):
            unknown = [one for one in confirmation.arrivals if one.confirmed is None]
            if unknown and self._are_kept(call.instance, unknown):
                return self._strike(armed)
        return False

    def _are_kept(self, instance: str, arrivals: list[Arrival]) -> bool:
        try:
            kept = self._services.kept(instance)
            if kept is None:
                return False
            return all(kept.there(one.account, [one.handed.event]) for one in arrivals)
        except FAILURES:
            return False

    def applied(self, call: Call) -> bool:
        """A request has taken effect. ``True``: its sender is dead, there is nobody to answer."""
        armed = self._armed.get(call.instance)
        if armed is None or not call.what.outbox or not armed.wants(SENT, call.instance, call.platform):
            return False
        armed.after_answer = armed.rng.random() < 0.5
        if armed.after_answer:
            armed.due = True
            return False
        return self._strike(armed) and armed.arm.signal == "KILL"

    def answered(self, call: Call) -> None:
        """An answer has been written whole."""
        armed = self._armed.get(call.instance)
        if armed is not None and armed.after_answer and call.what.outbox and call.applied:
            armed.after_answer = False
            self._soon(armed, armed.rng.uniform(0, 2 * SOON_S))

    def handed(self, instance: str, arrivals: list[Arrival]) -> None:
        """Replies have gone over the wire."""
        armed = self._armed.get(instance)
        fresh = [one for one in arrivals if one.confirmed is None]
        if armed is not None and fresh and armed.wants(RECEIVED, instance, fresh[0].platform):
            self._soon(armed, armed.rng.uniform(0, SOON_S))

    def accepted(self) -> None:
        """A platform has taken something that a follower did."""
        for armed in self._armed.values():
            if armed.waits_for_accept and not armed.due:
                self._soon(armed, armed.rng.uniform(0, ACCEPT_S))

    def _soon(self, armed: Armed, seconds: float) -> None:
        armed.due = True
        asyncio.get_running_loop().call_later(seconds, self._strike, armed)

    def _strike(self, armed: Armed) -> bool:
        """Send the signal, once; whether it was sent."""
        if armed.wall or armed.struck.is_set():
            return False
        armed.wall = time.time()
        if not self._services.send(armed.arm.instance, armed.arm.signal):
            armed.wall = 0.0
        armed.struck.set()
        return bool(armed.wall)

    # one kill

    async def arm(self, arm: Arm) -> Hit:
        """Wait for the window, strike, examine."""
        if not self._services.knows(arm.instance) or arm.instance in self._armed:
            return Hit(happened=False, asked=arm.window, note=f"{arm.instance} is not there to be killed")
        rng = Random(self._rng.random())
        how = arm.how if arm.how != "any" else self._way(arm, rng)
        if how == "syscall" and not (self.traces and arm.signal == "KILL"):
            return Hit(happened=False, asked=arm.window, note="strace is not here, may not attach, or cannot stop")
        armed = self._armed[arm.instance] = Armed(
            arm, how, rng, self._services.service(arm.instance), self._services.since(arm.instance)
        )
        try:
            note = await self._wait(armed)
            return await self._examined(armed, note)
        finally:
            armed.struck.set()
            self._armed.pop(arm.instance, None)

    def _way(self, arm: Arm, rng: Random) -> str:
        ways = [(way, weight) for way, weight in WAYS[arm.window] if way != "syscall" or self._may_trace(arm)]
        at_a_request = arm.window in (COMMITTED, CLAIMED) and arm.signal != "KILL"
        if at_a_request or (arm.platform == "x" and arm.window == COMMITTED):  # X is told nothing over the wire
            return "database"
        return rng.choices([way for way, _ in ways], [weight for _, weight in ways])[0]

    def _may_trace(self, arm: Arm) -> bool:
        return self.traces and arm.signal == "KILL" and not arm.platform

    async def _wait(self, armed: Armed) -> str:
        """Until it is struck or the time is over. Returns what went wrong, or nothing."""
        within_s, note = armed.arm.within_s, ""
        if armed.how == "syscall":
            return await self._trace(armed)
        watching = None
        if armed.how == "database":
            loop = asyncio.get_running_loop()
            watching = asyncio.create_task(asyncio.to_thread(self._watch, armed, lambda: _call(loop, armed)))
        elif armed.arm.window == "random":
            self._at_random(armed)
        try:
            await asyncio.wait_for(armed.struck.wait(), within_s)
        except TimeoutError:
            note = "the window did not come"
        finally:
            armed.struck.set()
            if watching is not None:
                await watching
        return note

    def _at_random(self, armed: Armed) -> None:
        loop, wait_s = asyncio.get_running_loop(), armed.rng.uniform(0, armed.arm.within_s * 0.8)
        if armed.rng.random() < AT_ANY_TIME:
            loop.call_later(wait_s, self._strike, armed)
        else:
            loop.call_later(wait_s, setattr, armed, "waits_for_accept", True)

    def _watch(self, armed: Armed, struck: Callable[[], None]) -> None:
        """In a thread of its own: strike at a commit after which the window is open."""
        until = time.monotonic() + armed.arm.within_s
        stop = threading.Event()
        while not armed.struck.is_set() and time.monotonic() < until:
            try:
                with Kept(armed.service.database) as kept:
                    self._watch_commits(armed, kept, until, stop)
            except FAILURES:
                stop.wait(0.01)
            if armed.wall:
                struck()
                return

    def _watch_commits(self, armed: Armed, kept: Kept, until: float, stop: threading.Event) -> None:
        version = kept.version()
        while not armed.struck.is_set() and time.monotonic() < until:
            now = kept.version()
            if (now is None or now != version) and self._is_open(armed, kept):
                armed.wall = time.time()
                if not self._services.send(armed.arm.instance, armed.arm.signal):
                    armed.wall = 0.0
                return
            version = now
            stop.wait(LOOK_SERVER_S if now is None else LOOK_S)

    def _is_open(self, armed: Armed, kept: Kept) -> bool:
        taken = snapshot(kept, self._seen, armed.arm.instance, armed.since)
        return any(
            one.window == armed.arm.window and armed.arm.platform in ("", one.platform)
            for one in windows(taken, self._seen)
        )

    async def _trace(self, armed: Armed) -> str:
        arm = armed.arm
        call, which = armed.rng.choice(CALLS[arm.window]), armed.rng.randint(1, 8)
        armed.how = f"syscall {call} {which}"
        pid = armed.service.pid
        note = await killed_at(call, which, pid, lambda: self._services.is_over(arm.instance), arm.within_s)
        if not note:
            armed.wall = time.time()
        return note

    # what it hit

    async def _examined(self, armed: Armed, note: str) -> Hit:
        arm = armed.arm
        if not armed.wall:
            return Hit(happened=False, instance=arm.instance, asked=arm.window, how=armed.how, note=note)
        pid = armed.service.pid
        if not await self._services.felt(arm.instance, arm.signal):
            note = f"{pid} did not feel it"
        if arm.signal == "KILL":
            await asyncio.to_thread(_let_end, armed.service)
        taken, unread = self._committed(armed)
        await asyncio.sleep(UNDER_WAY_S)
        found = windows(taken, self._seen)
        if arm.signal == "KILL":
            self._cut(armed, taken, exact=not unread)
            self._services.let_go(arm.instance)
        chosen = _chosen(arm, found)
        hit = Hit(
            happened=True,
            instance=arm.instance,
            pid=pid,
            signal=arm.signal,
            asked=arm.window,
            window=chosen.window if chosen else "",
            open={window: n for window in WINDOWS if (n := sum(one.window == window for one in found))},
            how=armed.how,
            platform=chosen.platform if chosen else "",
            what=chosen.what if chosen else "",
            after_accept_ms=self._seen.since_accept_ms(armed.wall),
            sending=tuple(row.key for row in taken.rows if row.state == "sending"),
            served=self._seen.served(arm.instance, armed.wall),
            wall=armed.wall,
            note=note or unread,
        )
        self._seen.hits.append(hit)
        return hit

    def _cut(self, armed: Armed, taken: Snapshot, *, exact: bool) -> None:
        """Say of which requests the answers were not recorded: nobody was there to hear them, or nobody wrote it down.
        Where the database cannot be read that is said of all that were answered shortly before."""
        self._seen.hung_up(armed.arm.instance, armed.wall, within_s=0.0 if exact else CUT_S)
        for row in taken.rows:
            call = applied(row, self._seen.calls, self._seen)
            if call is not None:
                call.cut = call.cut or "killed"

    def _committed(self, armed: Armed) -> tuple[Snapshot, str]:
        try:
            database = armed.service.database
            with left(database) if armed.arm.signal == "KILL" else Kept(database) as kept:
                taken = snapshot(kept, self._seen, armed.arm.instance, armed.since)
            with Kept(database) as kept:  # where a command has the file open, too, the next start finds it so
                taken.add(kept.being_said())
            return taken, ""
        except FAILURES as error:
            return Snapshot([], set(), []), f"{UNREAD}: {type(error).__name__}"


def _chosen(arm: Arm, found: list[Found]) -> Found | None:
    """What was meant if it was hit, else what is hit least often."""
    order = (arm.window, SENT, CLAIMED, COMMITTED, RECEIVED)
    meant = [one for one in found if arm.platform in ("", one.platform)] or found
    return min(meant, key=lambda one: order.index(one.window), default=None)


def _let_end(service: Service) -> None:
    """A server ends what the dead had sent to it: before that nobody knows what was committed."""
    until, never = time.monotonic() + SERVER_S, threading.Event()
    try:
        with Kept(service.database) as kept:
            while kept.has_work_of(service.name) and time.monotonic() < until:
                never.wait(LOOK_SERVER_S)
    except FAILURES:
        return


def _call(loop: asyncio.AbstractEventLoop, armed: Armed) -> None:
    loop.call_soon_threadsafe(armed.struck.set)
