"""What was done, seen and asked in a world, as the platform's process records it for the judge.

Times named ``at`` are the calendar's, times named ``wall`` the wall's; both are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.faults.contract import Hit
from tests.faults.told import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Act(Told):
    """One thing that a follower did: the ledger's entry and what became of it on the wire."""

    seq: int
    at: float
    wall: float
    platform: str
    account: str
    person: str
    survey: str
    channel: str
    kind: str
    """``vote retract tap text`` count; ``comment stop block start greeting ask_me thanks`` do not. Teammates tap
    (``order``) and write to a customer (``note``)."""
    week: str
    low: int | None
    high: int | None
    text: str
    accepted: bool | None
    """Whether the platform took it."""
    frozen: bool
    open: bool
    """A vote in a poll that names nobody: nobody's event, it counts in totals only."""
    direct: bool
    place: str
    post: str
    """What it votes on, is tapped on or answers: its id, if any."""
    events: tuple[str, ...]
    """Event ids as the service keeps them. A vote on Discord is told once to each session that lives then: where none
    does, there is none, and it is known from the voters' pages alone."""
    streamed: bool
    """Whether it was put on a stream that lives (a session, an update queue, a page)."""
    wired: float | None
    """Wall: it first went over the wire to an instance."""
    confirmed: float | None
    """When (wall) the platform first got a confirmation."""
    lost: str
    """Why the platform gave up on it: ``expired`` (a tap older than 150 s, an interaction older than 3 s, an update
    older than 24 h), ``no stream`` (nobody was connected, and there is no history of it), ``deferred`` (an interaction
    was answered by a deferral alone: the app showed that, and it never comes again); empty: it did not. What is lost
    may have been kept all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostSeen(Told):
    """Something that the service posted and people could see."""

    number: int
    request: int
    """The request that posted it, see ``Request.number``; -1 if none did."""
    platform: str
    account: str
    place: str
    to: str | None
    id: str
    text: str
    at: float
    options: tuple[str, ...]
    names_voters: bool
    buttons: tuple[str, ...]
    """Labels."""
    reply_to: str | None
    key: str
    """The nonce, where the platform has one."""
    edits: tuple[str, ...]
    """What it was edited into, one after the other; the last is what stands there now."""
    channel: str
    """The channel that asks by it; empty for anything else."""
    poll: str = ""
    """Telegram: the poll's own id, which is not the message's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Told):
    """One request that says something (a post, message, edit, answer to a tap), and what became of its answer."""

    number: int
    wall: float
    at: float
    instance: str
    """Whose it was; empty when nobody knows any more."""
    platform: str
    account: str
    method: str
    path: str
    text: str
    """What it said, as it stood in the request."""
    place: str
    to: str
    """The person, for a direct message; else empty."""
    nonce: str
    applied: bool
    """Whether it took effect."""
    status: int
    """0: no answer was written."""
    fault: str
    """Which of ``WIRE_FAULTS`` met it; mostly none."""
    cut: str
    """Why its answer may be unheard: a fault of ``WIRE_FAULTS``, ``hung up``, ``killed`` (before it was recorded)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation(Told):
    """A confirmation came for something that was not kept."""

    wall: float
    platform: str
    account: str
    what: str
    """``offset``, ``callback``, ``follow-up`` or ``answerCallbackQuery``."""
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Told):
    """How many answered, by group."""

    promoters: int
    passives: int
    detractors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekTruth(Told):
    """What a report of one week must say, by the ledger's own count; per channel and ``all``."""

    survey: str
    week: str
    named: dict[str, Count]
    open: dict[str, Count]
    asks: dict[str, int]
    """By channel: how often it asked, or how many invitations it sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life(Told):
    """From when to when an instance ran, by the calendar and the wall (``None``: it still does). A paused one
    runs."""

    instance: str
    since: float
    until: float | None
    since_wall: float = 0.0
    until_wall: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth(Told):
    """Everything that a judge needs."""

    at: float
    wall: float
    acts: tuple[Act, ...] = ()
    posts: tuple[PostSeen, ...] = ()
    requests: tuple[Request, ...] = ()
    violations: tuple[Violation, ...] = ()
    confirmations: int = 0
    """How many confirmations the hook has looked at: 0 means that it has seen nothing."""
    weeks: tuple[WeekTruth, ...] = ()
    doubled: tuple[int, ...] = ()
    """Posts that asked again in the same channel and week, or invited a person again in a week."""
    unwelcome: tuple[int, ...] = ()
    """Numbers of direct messages after a stop."""
    unmannerly: tuple[str, ...] = ()
    """Who was told the same again though they had done nothing new."""
    faults: tuple[str, ...] = ()
    """What people could not make sense of, taps in vain while nobody was up among it."""
    hits: tuple[Hit, ...] = ()
    refusals: dict[str, int] = field(default_factory=dict)
    """Answers with 4xx, but for injected ones: ``platform status what`` → how many."""
    counts: dict[str, int] = field(default_factory=dict)
    """All requests: ``platform method what`` → how many."""
    injected: dict[str, int] = field(default_factory=dict)
    """Faults that took place: ``platform fault`` → how many."""
    lives: tuple[Life, ...] = ()
