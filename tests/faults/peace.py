"""When nothing was wrong: all instances were up, nothing was broken, and no answer was spoiled.

What the service heard then it had to take, and what a platform gives up soon it had to answer: there is no excuse.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from tests.faults.contract import Act, Truth

Span = tuple[float, float]
"""From when to when, wall."""

HEARD_S = 2.0
"""So long after it was heard, at most, a thing has been taken and answered."""

AFTERWARDS_S = 1.0
"""So long after something was wrong all may not be well yet."""

LONGEST_WAIT_S = 12.0
"""So long a 429 may have told us to wait."""


class Peace:
    """``troubles``: when something was broken, and when an instance was starting."""

    def __init__(self, truth: Truth, troubles: Sequence[Span]) -> None:
        self._spans: list[Span] = []
        reached = min((life.since_wall for life in truth.lives), default=truth.wall)
        after = ((since, until + AFTERWARDS_S) for since, until in troubles)
        for since, until in (*sorted((*after, *_wrong(truth))), (truth.wall, truth.wall)):
            if since > reached:
                self._spans.append((reached, since))
            reached = max(reached, until)
        self._begins = [since for since, _ in self._spans]

    def all_of(self, since: float, until: float) -> bool:
        """Whether nothing was wrong in all that time, wall."""
        at = bisect_right(self._begins, since) - 1
        return at >= 0 and until <= self._spans[at][1]

    def heard(self, act: Act) -> bool:
        """Whether an act went over the wire in peace, which went on until it must have been taken."""
        return act.wired is not None and self.all_of(act.wired, act.wired + HEARD_S)


def _wrong(truth: Truth) -> Iterator[Span]:
    for hit in truth.hits:
        yield hit.wall, hit.wall + AFTERWARDS_S
    for life in truth.lives:
        if life.until_wall is not None:
            yield life.until_wall, life.until_wall + AFTERWARDS_S
    for request in truth.requests:
        if request.fault:
            yield request.wall, request.wall + (LONGEST_WAIT_S if request.fault == "429" else AFTERWARDS_S)
