"""Which answers the counting rule (docs/counting.md) allows for what one person did in one week, in code of its own.

Where everything is known there is one. There are more where a follower never saw an acknowledgement (the act may count
or not), and where the platform hides the order: a vote on Discord that was made while no session listened is later read
from the list of voters, which does not say when. Then it may stand before or after what was done another way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from tests.faults.recorded import Act


class Weight(Enum):
    """Whether an act counts."""

    SURE = "sure"
    MAYBE = "maybe"
    HIDDEN = "hidden"
    """It counts, but the platform does not say when it was done."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it is kept."""

    low: int
    high: int
    channel: str


@dataclass(frozen=True, slots=True)
class _Standing:
    given: Given
    vote: str
    """The poll that it is a vote in; empty for another way."""


_Pending = frozenset[tuple[str, Given | None]]
_State = tuple[_Standing | None, _Pending]


def allowed(acts: Iterable[tuple[Act, Weight]]) -> set[Given | None]:
    """Every answer that may be kept after these acts of one person in one week, ``None`` for no answer."""
    states: set[_State] = {(None, frozenset())}
    for act, weight in acts:
        if weight is Weight.NEVER:
            continue
        reached: set[_State] = set()
        for state in _settled(states):
            if weight is not Weight.SURE:
                reached.add(state if weight is Weight.MAYBE else _hide(state, act))
            if weight is not Weight.HIDDEN:
                reached.add(_done(state, act))
        states = reached
    return {standing.given if standing else None for standing, pending in _settled(states) if not pending}


def _done(state: _State, act: Act) -> _State:
    standing, pending = state
    poll = f"{act.place} {act.post}" if act.kind in ("vote", "retract") else ""
    if poll:
        pending = frozenset(one for one in pending if one[0] != poll)
    return _after(standing, poll, _given(act)), pending


def _after(standing: _Standing | None, poll: str, given: Given | None) -> _Standing | None:
    if given is not None:
        return _Standing(given, poll)
    return None if standing is not None and standing.vote == poll else standing


def _hide(state: _State, act: Act) -> _State:
    standing, pending = state
    poll = f"{act.place} {act.post}"
    return standing, frozenset(one for one in pending if one[0] != poll) | {(poll, _given(act))}


def _given(act: Act) -> Given | None:
    if act.kind == "retract" or act.low is None or act.high is None:
        return None
    return Given(act.low, act.high, act.channel)


def _settled(states: Iterable[_State]) -> set[_State]:
    """These states, and all that they may become when a hidden vote comes to light."""
    found = set(states)
    ahead = list(found)
    while ahead:
        for more in _revealed(ahead.pop()):
            if more not in found:
                found.add(more)
                ahead.append(more)
    return found


def _revealed(state: _State) -> Iterator[_State]:
    standing, pending = state
    for one in pending:
        poll, given = one
        yield _after(standing, poll, given), pending - {one}
        if standing is not None and standing.vote != poll:
            yield standing, pending - {one}  # a list of voters never overrides what was done another way
