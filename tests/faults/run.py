"""One world of a campaign: its platform, its database, its service, and what a scenario may do to them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from core.settings import Settings
from tests.faults import contract
from tests.faults.contract import CLAIMED, WINDOWS, Arm, Hit, StreamFault, WireFault
from tests.faults.databases import Store
from tests.faults.peace import Span
from tests.faults.remote import Remote
from tests.faults.service import Service
from tests.faults.takeover import LEASE_S, Served, Takeovers

READY_S = 5.0
"""So soon after a kill everything is up again: what is promised."""

SOON_MS = 50.0

WITHIN_S = 2.5
"""So long a window is waited for; after that the kill comes at a random moment, soon."""

PATIENT_S = 8.0
"""So long one is waited for in which a process is to stand still: what it was about to say, it must not say later."""

AT_ONCE_S = 0.5

BREATH_S = 4.0
"""So long, at most, an instance that has come up lives before its next kill is prepared. Who dies every three seconds
gets too little said of a week that lasts a minute."""

IN_THE_START = 0.1
"""This share of the starts is not waited for: the next kill may fall into them. More would let no work be done."""

IDENTIFY_S = 5.0
"""Discord lets a bot identify once in so long. Source: https://discord.com/developers/docs/events/gateway#rate-limiting"""


STREAM_S = 10.0
"""So long after a stream was disturbed it has surely come up again: Discord makes a new session wait."""


@dataclass
class Progress:
    """How far a campaign is, all its worlds together."""

    wanted: int
    least: int
    """So many kills are wanted in each window."""
    window: str = ""
    """The only one that is meant, if one was asked for."""
    platform: str = ""
    """The only one at whose requests and events it is killed, if one was asked for."""
    kills: int = 0
    pauses: int = 0
    windows: Counter[str] = field(default_factory=Counter)
    soon: int = 0
    """Kills at most ``SOON_MS`` after a platform had taken something."""
    scenarios: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    """By window: how often it did not open in time."""
    spent_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """By what it was waited for, all worlds together."""

    @property
    def lacking(self) -> list[str]:
        """The windows that have too few kills, those that have the fewest first."""
        return sorted((w for w in WINDOWS if self.windows[w] < self.least), key=lambda w: self.windows[w])

    @property
    def done(self) -> bool:
        """Whether there were enough kills."""
        return self.kills >= self.wanted and not self.lacking

    def see(self, hit: Hit) -> None:
        """Count a kill."""
        self.kills += 1
        self.windows.update([hit.window] if hit.window in WINDOWS else [])
        self.soon += hit.after_accept_ms is not None and hit.after_accept_ms <= SOON_MS

    @contextmanager
    def spending(self, on: str) -> Iterator[None]:
        """Note how long this took."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.spent_s[on] += time.monotonic() - begun


@dataclass
class Start:
    """A start under way: how many faults had taken place when it began, and whether anything was broken then."""

    injected: int
    broken: bool


@dataclass
class Run:
    """A world and its service. All randomness comes from ``rng``."""

    rng: Random
    settings: Settings
    store: Store
    remote: Remote
    services: list[Service]
    progress: Progress
    wall: Path | None = None
    traces: bool = False
    """Whether it can be killed at chosen system calls."""
    takeovers: Takeovers | None = None
    """With two instances: how soon one follows the other."""
    ready_s: list[float] = field(default_factory=list)
    """Starts while nothing was broken."""
    slow_s: list[float] = field(default_factory=list)
    """Starts while a fault of ours was active."""
    too_late: list[str] = field(default_factory=list)
    """Starts that took longer than is promised, and when (UTC) they were complete."""
    troubles: list[Span] = field(default_factory=list)
    """When something was broken by us, wall."""
    _starts: dict[str, Start] = field(default_factory=dict)
    _broken: int = 0
    _identified_by: float = 0.0
    """Until then Discord may make a new session wait: the old one was ended by us."""
    _turn: int = 0
    _up_at: float = 0.0
    """When the last start was complete."""

    # -- what scenarios choose from --------------------------------------------------------------------------------

    def service(self) -> Service:
        """The instance that is meant: with two, by turns."""
        self._turn += 1
        return self.services[self._turn % len(self.services)]

    def platform(self) -> str:
        """One of the platforms."""
        names = sorted({account.platform for account in self.settings.accounts.values()})
        return self.progress.platform or self.rng.choice(names)

    def account(self, platform: str = "") -> str:
        """One of the accounts, of one platform or any."""
        platform = platform or self.progress.platform
        names = [name for name, a in self.settings.accounts.items() if platform in ("", a.platform)]
        return self.rng.choice(names)

    # -- what scenarios do -----------------------------------------------------------------------------------------

    async def spoil(self, fault: WireFault | StreamFault) -> None:
        """Break something on the wire or a stream."""
        await self.remote.spoil(fault)
        if isinstance(fault, StreamFault):
            self.troubles.append((time.time(), time.time() + STREAM_S + fault.for_s))

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Starts while this is entered, and those under way, are not held to what is promised of a start."""
        self._broken += 1
        since = time.time()
        for start in self._starts.values():
            start.broken = True
        try:
            yield
        finally:
            self._broken -= 1
            self.troubles.append((since, time.time()))

    def session_ended(self) -> None:
        """Discord's session was ended by us: another one may have to wait."""
        self._identified_by = time.monotonic() + IDENTIFY_S

    async def maybe_kill(self, chance: float, *, window: str | None = None, wait: bool = True) -> None:
        """Kill, or let some time pass."""
        if self.rng.random() < chance:
            await self.kill(window, wait=wait)
        else:
            with self.progress.spending("between"):
                await asyncio.sleep(self.rng.uniform(0.1, 0.8))

    async def kill(self, window: str | None = None, *, wait: bool = True) -> None:
        """Kill an instance in a window (one that lacks kills, if none is given) and start it again. Without ``wait``
        something is broken so that nobody can come up."""
        service = self.service()
        if wait:
            await self.all_up()
        if self.rng.random() < 0.4:
            with self.progress.spending("breath"):
                await asyncio.sleep(max(0.0, self._up_at + self.rng.uniform(0, BREATH_S) - time.monotonic()))
        served = await self._served_by(service)
        with self.progress.spending("window"):
            hit = await self._hit(service, window or self._window())
        if hit.happened and served:
            self._follow(served, hit.wall)
        if hit.happened or not service.running:
            await self.come_back(service, killed=hit.happened, wait=wait)

    def _window(self) -> str:
        if self.progress.window:
            return self.progress.window
        lacking = self.progress.lacking[:2]
        return "random" if not lacking or self.rng.random() < 0.15 else self.rng.choice(lacking)

    async def _hit(self, service: Service, window: str) -> Hit:
        """One kill in the window, or else at once."""
        within_s = WITHIN_S if window in WINDOWS else 2 * AT_ONCE_S
        for asked, how_long in ((window, within_s), ("random", AT_ONCE_S)):
            platform = self.progress.platform if asked in WINDOWS else ""
            hit = await self.remote.arm(Arm(instance=service.name, window=asked, within_s=how_long, platform=platform))
            if hit.happened:
                self.progress.see(hit)
                return hit
            self.progress.missed[f"{asked} {hit.note}".strip()] += 1
            if not service.running:
                break
        return hit

    async def pause(self, for_s: float) -> None:
        """Let an instance stand still for so long."""
        service = self.service()
        await self.all_up()
        served = await self._served_by(service)
        window = self.progress.window or self.rng.choice(
            (CLAIMED, "random")
        )  # it goes on with what it was about to say
        hit = await self.remote.arm(Arm(instance=service.name, window=window, within_s=PATIENT_S, signal="STOP"))
        if not hit.happened:
            return
        self.progress.pauses += 1
        with self.broken(), self.progress.spending("paused"):
            if served and for_s > LEASE_S:
                self._follow(served, hit.wall)
                await self._followed()
            await asyncio.sleep(max(0.0, hit.wall + for_s - time.time()))
            await self.remote.go_on(service.name)

    async def come_back(self, service: Service, *, killed: bool = True, wait: bool = True) -> None:
        """Start an instance again that was killed, told to stop, or has ended by itself, which it must not."""
        code = await service.ended()
        await self.remote.gone(service.name)
        if not killed:
            service.crashes.append(f"{service.name} ended by itself with exit code {code}")
        if wait and self.takeovers is not None and self.rng.random() < 0.5:
            # Else it may be back before the other has followed.
            await self._followed()
        await self.launch(service)
        if wait and self.rng.random() > IN_THE_START:
            await self.wait_ready()

    async def injected(self) -> int:
        """How many faults have met the service so far."""
        return (await self.remote.world("look")).injected

    async def launch(self, service: Service) -> None:
        """Start an instance and let it be killed."""
        troubled = self._broken > 0 or time.monotonic() < self._identified_by
        self._starts[service.name] = Start(await self.injected(), troubled)
        pid = await service.launch()
        await self.remote.up(contract.Service(name=service.name, pid=pid, database=service.database_url))

    async def wait_ready(self) -> None:
        """Wait until every instance is up."""
        for service in self.services:
            if not service.starting:
                continue
            with self.progress.spending("start"):
                is_up = await service.ready()
            start = self._starts.pop(service.name)
            if is_up:
                met_a_fault = await self.injected() > start.injected
                took_s, in_trouble = service.ready_s[-1], start.broken or met_a_fault
                (self.slow_s if in_trouble else self.ready_s).append(took_s)
                if took_s > READY_S and not in_trouble:
                    at = datetime.now(UTC)
                    self.too_late.append(f"{service.name}: ready after {took_s:.1f} s, at {at:%H:%M:%S}")
                self._up_at = time.monotonic()
            elif not service.running:
                await self.come_back(service, killed=False)

    # -- two instances ---------------------------------------------------------------------------------------------

    async def all_up(self) -> None:
        """With two instances: both are up, and serve, before one of them goes."""
        if self.takeovers is not None:
            await self._followed()
            if any(service.starting for service in self.services):
                await self.wait_ready()

    async def _served_by(self, service: Service) -> Served | None:
        return None if self.takeovers is None else await asyncio.to_thread(self.takeovers.served_by, service.name)

    def _follow(self, served: Served, since: float) -> None:
        """Measure from now on how soon others serve what this one served."""
        assert self.takeovers is not None
        self.takeovers.follow(served, since)

    async def _followed(self) -> None:
        """Wait until what is being measured is over."""
        if self.takeovers is not None:
            with self.progress.spending("take-over"):
                await self.takeovers.followed()
