"""The hook: when a confirmation reaches a platform, what it confirms must be in the database already.

It looks at that very moment, before the confirmation takes effect. Where the database cannot be asked just then (its
server was killed), it looks as soon as it can: what was committed before is there then, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.telegram.updates import TAP_LIFE_S
from tests.faults.kept import FAILURES, Kept
from tests.faults.reading import DEFERRALS, MODAL, What
from tests.faults.recorded import Violation
from tests.faults.seen import Arrival, Seen

Open = Callable[[str], Kept | None]
"""The database of an instance; ``None`` when there is no such instance. Raises one of ``FAILURES``."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a request confirms."""

    what: str
    arrivals: list[Arrival]


class Confirms:
    """Looks at each confirmation."""

    def __init__(self, seen: Seen, open: Open) -> None:
        self._seen = seen
        self._open = open
        self._later: list[tuple[str, float, Confirmation]] = []

    def of(self, platform: str, what: What) -> Confirmation | None:
        """What a request would confirm, if anything. A deferral confirms nothing, nor does a form that opens."""
        waiting = self._seen.pending.get(what.account, {}).values()
        if platform == "telegram" and what.offset:
            taken = [one for one in waiting if one.handed.update < what.offset and not self._has_expired(one)]
            return Confirmation("offset", taken) if taken else None
        if platform == "telegram" and what.query:
            taken = self._all(what.account, lambda one: one.handed.query == what.query)
            return Confirmation("answerCallbackQuery", taken) if taken else None
        if platform == "discord" and what.interaction and what.answer not in (*DEFERRALS, MODAL):
            taken = self.answered(what)
            return Confirmation("callback" if what.answer else "follow-up", taken) if taken else None
        return None

    def _has_expired(self, arrival: Arrival) -> bool:
        """Whether Telegram has given a tap up: it was not handed out again, so it is not what the offset confirms."""
        put = self._seen.put.get((arrival.account, arrival.handed.update), arrival.wired)
        return bool(arrival.handed.query) and time.time() - put > TAP_LIFE_S - 1

    def answered(self, what: What) -> list[Arrival]:
        """The tap or form that an answer on Discord is for."""
        return self._all(what.account, lambda one: one.handed.interaction == what.interaction)

    def _all(self, account: str, wanted: Callable[[Arrival], bool]) -> list[Arrival]:
        """Confirmed ones as well: a tap's answer comes after its offset on Telegram."""
        recent = reversed(self._seen.arrivals.values())
        found = next((one for one in recent if one.account == account and wanted(one)), None)
        return [] if found is None else [found]

    def look(self, instance: str, confirmation: Confirmation) -> None:
        """It has come: is it kept?"""
        self._seen.confirmations += 1
        self._later.append((instance, time.time(), confirmation))
        self.look_again()

    def look_again(self) -> None:
        """Judge what is still to be judged, as far as the databases answer."""
        waiting, self._later = self._later, []
        for instance, wall, confirmation in waiting:
            try:
                kept = self._open(instance)
                if kept is not None:
                    self._judge(kept, wall, confirmation)
                    continue
            except FAILURES:
                pass
            self._later.append((instance, wall, confirmation))

    def _judge(self, kept: Kept, wall: float, confirmation: Confirmation) -> None:
        by_account: dict[str, list[Arrival]] = {}
        for arrival in confirmation.arrivals:
            by_account.setdefault(arrival.account, []).append(arrival)
        for account, arrivals in by_account.items():
            there = kept.there(account, (one.handed.event for one in arrivals))
            for one in arrivals:
                if one.handed.event not in there:
                    self._seen.violations.append(
                        Violation(
                            wall=wall,
                            platform=one.platform,
                            account=account,
                            what=confirmation.what,
                            event=one.handed.event,
                        )
                    )
