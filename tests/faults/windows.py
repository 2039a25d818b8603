"""In which window a death fell: judged afterwards from what was committed and what went over the wire.

* received-committed: handed out to the instance, and not in the database;
* committed-confirmed: in the database, and the platform does not know it yet. Where a platform is told nothing (votes
  and messages on Discord, everything on X): in the database, and the answer to the follower not said;
* claimed-sent: an outbox row is claimed or sending, and no such request took effect;
* sent-recorded: it took effect, and the row does not say so.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.faults.contract import CLAIMED, COMMITTED, RECEIVED, SENT
from tests.faults.kept import Kept, Row
from tests.faults.seen import Arrival, Call, Seen

FRESH_S = 10.0
"""Who was handed something longer ago has either taken it or never will."""
INTERACTION_S = 3.0
"""So long an interaction waits for its answer."""
EARLIER_S = 0.05
"""Wall seconds by which the two clocks may differ."""


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was in a window."""

    window: str
    platform: str
    account: str
    what: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was committed when it died."""

    arrivals: list[Arrival]
    there: set[tuple[str, str]]
    rows: list[Row]
    unanswered: set[str] = field(default_factory=set)

    def add(self, rows: Iterable[Row]) -> None:
        """What is being said by another look: of a commit that was on its way to the disk nobody knows yet whether the
        next start finds it."""
        known = {row.key for row in self.rows}
        self.rows.extend(row for row in rows if row.key not in known)


def snapshot(kept: Kept, seen: Seen, instance: str, up_since: float) -> Snapshot:
    """Of an instance that has been up since then (wall). Raises one of ``FAILURES``."""
    since = max(time.time() - FRESH_S, up_since)
    arrivals = [
        one
        for waiting in list(seen.pending.values())
        for one in list(waiting.values())
        if one.last_wired > since and one.instance == instance
    ]
    there: set[tuple[str, str]] = set()
    unanswered: set[str] = set()
    for account in {one.account for one in arrivals}:
        events = [one.handed.event for one in arrivals if one.account == account]
        there.update((account, event) for event in kept.there(account, events))
        unanswered |= kept.unanswered(account)
    return Snapshot(arrivals, there, kept.being_said(), unanswered)


def windows(taken: Snapshot, seen: Seen) -> list[Found]:
    """Everything that was in a window, once nothing of the dead is under way any more."""
    found = [one for arrival in taken.arrivals if (one := _window_of(arrival, taken)) is not None]
    for row in taken.rows:
        window = SENT if applied(row, seen.calls, seen) else CLAIMED
        found.append(Found(window, seen.platforms.get(row.account, ""), row.account, row.key))
    return found


def _window_of(arrival: Arrival, taken: Snapshot) -> Found | None:
    event = arrival.handed.event
    name = (arrival.platform, arrival.account, event)
    if (arrival.account, event) not in taken.there:
        return Found(RECEIVED, *name)
    confirmable = arrival.platform == "telegram" or (
        arrival.handed.interaction and time.time() - arrival.last_wired < INTERACTION_S
    )
    if arrival.confirmed is None and confirmable:
        return Found(COMMITTED, *name)
    told = f"{arrival.account}/{event}:"
    return Found(COMMITTED, *name) if any(told in key for key in taken.unanswered) else None


def applied(row: Row, calls: Iterable[Call], seen: Seen) -> Call | None:
    """The request by which a row was said, if one took effect since it was claimed."""
    nonce = hashlib.sha256(row.key.encode()).hexdigest()[:25]
    since = row.claimed_at - EARLIER_S * seen.clocks.speed
    for call in reversed(list(calls)):
        if call.at < since:
            return None
        what = call.what
        if not call.applied or not what.outbox or what.account != row.account:
            continue
        if what.nonce == nonce if what.nonce else _same_target(row, call):
            return call
    return None


def _same_target(row: Row, call: Call) -> bool:
    return call.what.to == row.person if row.person else call.what.place == row.place
