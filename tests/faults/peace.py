"""When nothing was wrong: all instances were up, nothing was broken, and no answer was spoiled.

What the service heard then it had to take, and what a platform gives up soon it had to answer: there is no excuse.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence

from tests.faults.recorded import Act, Truth

Span = tuple[float, float]
"""From when to when, wall."""

HEARD_S = 2.0
"""So long after it was heard, at most, a thing has been taken and answered."""

SOON_S = 0.5
"""What goes over the wire so soon after it was done can be answered in time; a session taken up again brings more."""

AFTERWARDS_S = 1.0
"""So long after something was wrong all may not be well yet."""

LONGEST_WAIT_S = 12.0
"""So long a 429 may have told us to wait."""


class Peace:
    """``troubles``: when something was broken, and when an instance was starting."""

    def __init__(self, truth: Truth, troubles: Sequence[Span]) -> None:
        ours = [(since, until + AFTERWARDS_S) for since, until in troubles]
        ours += ((hit.wall, hit.wall + AFTERWARDS_S) for hit in truth.hits)
        ours += ((life.until_wall, life.until_wall + AFTERWARDS_S) for life in truth.lives if life.until_wall)
        platforms = {act.platform for act in truth.acts}
        self._by_platform = {name: _Calm(truth, [*ours, *_spoiled(truth, {name})]) for name in platforms}
        self._all = _Calm(truth, [*ours, *_spoiled(truth, platforms)])

    def all_of(self, since: float, until: float) -> bool:
        """Whether nothing was wrong in all that time, wall."""
        return self._all.holds(since, until)

    def heard(self, act: Act) -> bool:
        """Whether an act went over the wire while nothing was wrong with us and its platform, which went on until it
        must have been taken."""
        return act.wired is not None and self._by_platform[act.platform].holds(act.wired, act.wired + HEARD_S)

    def could_be_answered(self, act: Act) -> bool:
        """Whether it was heard in peace, and so soon that there was time for an answer."""
        return act.wired is not None and act.wired - act.wall <= SOON_S and self.heard(act)

    def unheard(self, act: Act) -> bool:
        """Whether Discord never told us what was done while nothing was wrong, although the line to it was up."""
        done = act.platform == "discord" and act.accepted and act.wired is None and bool(act.events)
        calm = self._by_platform[act.platform].holds(act.wall - HEARD_S, act.wall + HEARD_S)
        return bool(done) and calm


class _Calm:
    """What lies between these."""

    def __init__(self, truth: Truth, wrong: Sequence[Span]) -> None:
        self._spans: list[Span] = []
        reached = min((life.since_wall for life in truth.lives), default=truth.wall)
        for since, until in (*sorted(wrong), (truth.wall, truth.wall)):
            if since > reached:
                self._spans.append((reached, since))
            reached = max(reached, until)
        self._begins = [since for since, _ in self._spans]

    def holds(self, since: float, until: float) -> bool:
        at = bisect_right(self._begins, since) - 1
        return at >= 0 and until <= self._spans[at][1]


def _spoiled(truth: Truth, platforms: Collection[str]) -> Iterator[Span]:
    """When answers of these platforms were spoiled, and for how long that was felt."""
    for request in truth.requests:
        if request.fault and request.platform in platforms:
            yield request.wall, request.wall + (LONGEST_WAIT_S if request.fault == "429" else AFTERWARDS_S)
