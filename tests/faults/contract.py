"""What passes between the platform's process, which is never killed, and who drives the campaign: plain JSON.

The process prints one ``Up`` line and then serves ``Up.control``. Every call is a ``POST`` with one of these as its
body and one of these as its answer (``tests/faults/remote.py`` is the client):

====================  ==================  ==============================================================================
path                  body → answer       meaning
====================  ==================  ==============================================================================
``/service``          Service → Done      an instance is up under this pid: from now on it may be killed
``/gone``             Gone → Done         it is not ours any more: nothing is sent to its pid from now on
``/arm``              Arm → Hit           kill it once, in a window; answers when that is over (long poll)
``/go-on``            Gone → Done         ``SIGCONT`` to a stopped instance
``/wire``             WireFault → Done    spoil the answers to requests that match
``/stream``           StreamFault → Done  spoil a stream: gateway, updates, pages
``/lift``             {} → Done           forget what is still to be spoiled
``/world``            World → WorldState  hold, let go, or wait for the followers
``/truth``            {} → Truth          everything that a judge needs
====================  ==================  ==============================================================================

Times named ``at`` are the calendar's, times named ``wall`` the wall's; both are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.faults.told import Told

RECEIVED, COMMITTED, CLAIMED, SENT = "received-committed", "committed-confirmed", "claimed-sent", "sent-recorded"
WINDOWS = (RECEIVED, COMMITTED, CLAIMED, SENT)
"""The windows in which a kill may fall; ``random`` in ``Arm.window`` asks for none of them."""

WIRE_FAULTS = ("reset", "hang", "truncated", "502", "html", "429", "slow")
STREAM_FAULTS = ("reconnect", "invalidate", "close", "duplicate", "reorder", "malformed", "second-poller")


@dataclass(frozen=True, slots=True, kw_only=True)
class Up(Told):
    """The one line that the process prints once it serves."""

    url: str
    """The sandbox: ``VOUCH_SANDBOX__URL``."""
    urls: tuple[str, ...] = ()
    """The same sandbox, as often as there may be instances: by its address it is known at once whose a request is."""
    control: str
    pid: int
    strace: bool
    """Whether kills at chosen system calls are possible here; without, ``how="syscall"`` answers with ``note``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Told):
    """An instance that may be killed, and where its database is."""

    name: str
    pid: int
    database: str
    """As in ``service.database``: ``sqlite:////path`` or ``postgresql://…``. It is only ever read."""
    url: str = ""
    """One of ``Up.urls``, if it is the only one there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone(Told):
    """An instance that is no longer."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Told):
    """It was done, or why not."""

    ok: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm(Told):
    """One kill to come."""

    instance: str
    window: str = "random"
    """One of ``WINDOWS``, or ``random``: at a random moment, half of them shortly after an accept."""
    within_s: float = 10.0
    """So long is waited for the window; after that nothing is killed."""
    signal: str = "KILL"
    """``KILL``, or ``STOP`` for a pause, to be ended by ``/go-on``."""
    how: str = "any"
    """At the ``wire``, at a commit to the ``database``, at a ``syscall``; or ``any`` that leads there."""
    platform: str = ""
    """Only at this platform's requests and events; empty: any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit(Told):
    """What a kill hit, as examined after the death from the database and the wire, not as it was meant."""

    happened: bool
    """Whether a signal was sent. ``False``: the time was over, or ``note``."""
    instance: str = ""
    pid: int = 0
    signal: str = ""
    asked: str = ""
    """The window that was meant."""
    window: str = ""
    """The window in which it fell: ``asked`` if that was open, else another that was, else empty."""
    open: dict[str, int] = field(default_factory=dict)
    """Every window that was open, and how many replies or messages were in it."""
    how: str = ""
    platform: str = ""
    what: str = ""
    """The reply's event id or the message's outbox key that was in ``window``."""
    after_accept_ms: float | None = None
    """How long before the kill a platform last accepted something that a follower did or the instance sent."""
    sending: tuple[str, ...] = ()
    """Keys of outbox rows that were ``sending`` when it died: their answers were cut by the kill."""
    wall: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireFault(Told):
    """What happens to the answers of the next ``n`` requests that match."""

    platform: str
    fault: str
    """One of ``WIRE_FAULTS``."""
    match: str = ""
    """Part of the path below the platform, such as ``sendMessage`` or ``/2/tweets``; ``sends``: all that say something;
    ``reads``: all others. Empty: any."""
    method: str = ""
    """``GET``, ``POST``…; empty: any."""
    account: str = ""
    n: int = 1
    applied: bool = True
    """Whether the request takes effect before its answer is spoiled. A ``429`` is never applied."""
    retry_after_s: float = 1.0
    """Of a ``429``; and of ``slow`` and ``hang``, which then cuts the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFault(Told):
    """What happens to a stream."""

    account: str
    fault: str
    """Discord: ``reconnect`` (op 7), ``invalidate`` (op 9), ``close`` with ``code`` (1006: the connection is cut
    without a word). Any: ``duplicate``, ``reorder`` and ``malformed`` spoil the next ``n`` answers or events that carry
    replies. Telegram: ``second-poller`` asks for updates, too, for ``for_s`` (409 for both)."""
    code: int = 4000
    n: int = 1
    for_s: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World(Told):
    """What the followers shall do."""

    do: str
    """``hold``: nobody acts (what becomes due waits); ``go``: they act again; ``look``: nothing but tell the state;
    ``quiet``: tell it once no act is in flight or due, at most after ``within_s``."""
    within_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldState(Told):
    """How the world stands."""

    quiet: bool
    held: bool
    at: float
    acts: int
    posts: int
    unread: dict[str, int]
    """By account: events put on a live stream and not confirmed yet (X: pages are asked for, always 0)."""
    injected: int = 0
    """How many faults have met a request or a stream so far."""


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
    """``vote retract tap text`` count; ``comment stop block start greeting ask_me`` do not."""
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
