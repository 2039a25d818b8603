"""What waits to be delivered: two lanes. Taps, forms and messages go first; votes follow, so many at most.

Of one person's doings none passes another: whoever voted and then wrote takes the vote along.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.account import Answer
from core.events import Cursor, Event, Reply

Then = Callable[[Sequence[Answer]], object]
"""Is called with the answers to the events that were put in together, once those are kept."""


class Spot(NamedTuple):
    """Where in the gateway's stream something came: the how many-th session of ours, and the sequence in it."""

    session: int = 0
    sequence: int = 0


NOWHERE = Spot()
"""Before all sessions."""


@dataclass(slots=True, eq=False)
class Part:
    """What was put in together."""

    events: Sequence[Event]
    then: Then | None
    spot: Spot
    number: int
    batch: object = None
    """What it went with."""
    kept: bool = False
    withheld: tuple[Cursor, ...] = ()
    """Its cursors, where what lies below was not kept yet when it was."""


class Lanes:
    """The parts that wait, in the order in which they go."""

    def __init__(self) -> None:
        self._first: deque[Part] = deque()
        self._votes: dict[str, list[Part]] = {}
        self.votes = 0
        """How many votes wait."""

    def __bool__(self) -> bool:
        return bool(self._first or self._votes)

    @property
    def urgent(self) -> int:
        """How many parts wait that go first."""
        return len(self._first)

    def add(self, part: Part) -> None:
        """This goes before all votes but those of the same person."""
        if self._votes:
            for event in part.events:
                if isinstance(event, Reply) and event.person in self._votes:
                    earlier = self._votes.pop(event.person)
                    self.votes -= len(earlier)
                    self._first.extend(earlier)
        self._first.append(part)

    def add_vote(self, person: str, part: Part) -> None:
        """This goes when nothing else waits."""
        self._votes.setdefault(person, []).append(part)
        self.votes += 1

    def take(self, events: int, *, votes_too: bool) -> list[Part]:
        """The next parts, until they hold so many events."""
        first: list[Part] = []
        votes: list[Part] = []
        while events > 0 and (self._first or (votes_too and self._votes)):
            if self._first:
                first.append(self._first.popleft())
                events -= len(first[-1].events)
            else:
                of_one = self._votes.pop(next(iter(self._votes)))
                votes += of_one
                events -= len(of_one)
        self.votes -= len(votes)
        votes.sort(key=lambda part: part.number)  # those that go together, as they came
        return first + votes

    def clear(self) -> None:
        """Nothing waits any more."""
        self._first.clear()
        self._votes.clear()
        self.votes = 0
