"""The record of what went over the wires: requests, replies that were handed out, confirmations, posts, faults."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from itertools import islice

from sandbox.clocks import Clocks
from sandbox.seam import Post
from tests.faults.contract import Hit
from tests.faults.reading import Handed, What
from tests.faults.recorded import Life, Violation

CUT_S = 1.0
"""An answer that was written so shortly before a death may not have been recorded."""
SERVED_S = 30.0
"""A service asks an account for what is new, or is alive on its stream, more often than that."""
FORGOTTEN_S = 30.0
"""Where the platform is told nothing, what was handed out so long ago is nobody's business any more."""


@dataclass(slots=True, eq=False)
class Call:
    """One request."""

    number: int
    wall: float
    at: float
    instance: str
    platform: str
    method: str
    path: str
    what: What
    applied: bool = False
    applied_at: float = 0.0
    status: int = 0
    answered_at: float = 0.0
    """Wall; 0 until the answer has been written whole."""
    cut: str = ""
    fault: str = ""


@dataclass(slots=True, eq=False)
class Arrival:
    """One thing that a person did, from the moment in which it was first handed out."""

    account: str
    platform: str
    handed: Handed
    instance: str
    wired: float
    """Wall, the first time."""
    last_wired: float
    confirmed: float | None = None


@dataclass(slots=True, eq=False)
class Deed:
    """What became of one act: by which events it went, and when."""

    wall: float
    events: list[str] = field(default_factory=list)
    streamed: bool = False
    interaction: int = 0
    """Discord: of a tap or form."""


current: ContextVar[int] = ContextVar("current", default=-1)
"""Number of the request that is being answered."""

acting: ContextVar[int] = ContextVar("acting", default=-1)
"""Number of the act that is being done."""


class Seen:
    """Everything, in the order in which it happened."""

    def __init__(self, clocks: Clocks, platforms: Mapping[str, str]) -> None:
        self.clocks = clocks
        self.platforms = platforms
        """By account."""
        self.calls: list[Call] = []
        """Those that say something, and those whose answer was spoiled."""
        self.called: dict[tuple[str, str], float] = {}
        """By instance and account: when (wall) the one last asked anything of the other."""
        self.made = 0
        self.arrivals: dict[tuple[str, str], Arrival] = {}
        """By account and event."""
        self.pending: dict[str, dict[str, Arrival]] = {}
        """By account, then event: handed out and not confirmed."""
        self.deeds: dict[int, Deed] = {}
        """By the act's number in the ledger."""
        self.put: dict[tuple[str, int], float] = {}
        """Telegram: when (wall) an update was put on its account's stream."""
        self.posts: list[tuple[Post, int]] = []
        """With the number of the request."""
        self.edits: dict[tuple[str, str, str], list[str]] = {}
        """By account, place (or person) and message id."""
        self.violations: list[Violation] = []
        self.confirmations = 0
        self.hits: list[Hit] = []
        self.refusals: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.injected: Counter[str] = Counter()
        self.lives: list[Life] = []
        self.accepts: list[float] = []
        """When (wall) a platform took something, of a follower or of the service; in order."""

    def came_up(self, instance: str) -> None:
        """It runs from now on."""
        self.went_away(instance)
        now = self.clocks.now().timestamp()
        self.lives.append(Life(instance=instance, since=now, until=None, since_wall=time.time()))

    def went_away(self, instance: str) -> None:
        """It runs no more."""
        for at, life in enumerate(self.lives):
            if life.instance == instance and life.until is None:
                self.lives[at] = replace(life, until=self.clocks.now().timestamp(), until_wall=time.time())

    def call(self, platform: str, method: str, path: str, what: What, instance: str) -> Call:
        """A request has come."""
        at = self.clocks.now().timestamp()
        found = Call(self.made, time.time(), at, instance, platform, method, path, what)
        self.made += 1
        self.counts[f"{platform} {what.name}"] += 1
        self.called[instance, what.account] = found.wall
        if what.says:
            self.calls.append(found)
        return found

    def spoiled(self, call: Call, fault: str) -> None:
        """Its answer is cut, or it was not answered as it should be."""
        self.injected[f"{call.platform} {fault}"] += 1
        call.fault = fault
        if fault not in ("slow", "429"):  # these are heard, and say what is so
            call.cut = fault
        if not call.what.says:
            self.calls.append(call)

    def was_applied(self, call: Call) -> None:
        """It has taken effect."""
        call.applied, call.applied_at = True, time.time()
        self.accepts.append(call.applied_at)

    def posted(self, post: Post) -> None:
        """People see something."""
        self.posts.append((post, current.get()))

    def edited(self, account: str, place: str, message: str, text: str) -> None:
        """What stands there now."""
        self.edits.setdefault((account, place, message), []).append(text)

    def handed_out(self, platform: str, account: str, things: Iterable[Handed], instance: str) -> list[Arrival]:
        """These went over the wire. Returns those that are not confirmed."""
        now, waiting = time.time(), self.pending.setdefault(account, {})
        found: list[Arrival] = []
        for thing in things:
            arrival = self.arrivals.get((account, thing.event))
            if arrival is None:
                arrival = Arrival(account, platform, thing, instance, now, now)
                self.arrivals[account, thing.event] = waiting[thing.event] = arrival
            arrival.last_wired, arrival.instance = now, instance
            if arrival.confirmed is None:
                found.append(arrival)
        if platform != "telegram":  # most of these are never confirmed
            for event in [event for event, one in islice(waiting.items(), 50) if one.last_wired < now - FORGOTTEN_S]:
                del waiting[event]
        return found

    def confirmed(self, arrivals: Iterable[Arrival]) -> None:
        """The platform knows that these were taken."""
        now = time.time()
        for arrival in arrivals:
            if arrival.confirmed is None:
                arrival.confirmed = now
            self.pending[arrival.account].pop(arrival.handed.event, None)

    def deed(self, act: int) -> Deed:
        """What became of an act."""
        if act not in self.deeds:
            self.deeds[act] = Deed(time.time())
        return self.deeds[act]

    def accept(self) -> None:
        """A platform has taken something that a follower did."""
        self.accepts.append(time.time())

    def put_on(self, account: str, kind: str, update: int) -> None:
        """Telegram: an update was put on the stream, by the act that is being done, if any."""
        self.put[account, update] = time.time()
        act = acting.get()
        if act >= 0 and kind != "poll":
            deed = self.deed(act)
            deed.streamed = True
            deed.events.append(f"u{update}")
        self.accept()

    def since_accept_ms(self, wall: float) -> float | None:
        """How long before ``wall`` a platform last took something."""
        at = bisect_right(self.accepts, wall)
        return round((wall - self.accepts[at - 1]) * 1000, 1) if at else None

    def served(self, instance: str, wall: float) -> tuple[str, ...]:
        """The accounts that an instance served shortly before: nobody lets one be without asking anything of it."""
        return tuple(
            account for (name, account), at in self.called.items() if name == instance and wall - SERVED_S < at
        )

    def hung_up(self, instance: str, wall: float, *, within_s: float) -> None:
        """The instance died: what was not answered by then will not be heard, nor recorded what was heard so late."""
        for call in reversed(self.calls):
            if call.wall < wall - 60:
                break
            if call.instance == instance and not call.cut and call.wall <= wall:
                if not call.answered_at or call.answered_at >= wall:
                    call.cut = "hung up"
                elif call.answered_at > wall - within_s:
                    call.cut = "killed"
