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
    served: tuple[str, ...] = ()
    """Accounts that it had asked anything of shortly before."""
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
