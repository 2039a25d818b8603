"""One world of a campaign: its platform, its database, its service, and what a scenario may do to them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from core.settings import Settings
from tests.faults import contract
from tests.faults.contract import WINDOWS, Arm, Hit, StreamFault, WireFault
from tests.faults.databases import Store
from tests.faults.remote import Remote
from tests.faults.service import Service

WITHIN_S = 5.0
"""So long a window is waited for."""

IDENTIFY_S = 5.0
"""Discord lets a bot identify once in so long. Source: https://discord.com/developers/docs/events/gateway#rate-limiting"""

BREATH_S = 3.0
"""So long after it is up an instance mostly lives, so that the next one need not wait to identify."""

CALM_S = 15.0
"""A start so soon after something was spoiled is not held to what is promised of a start."""


@dataclass
class Progress:
    """How far a campaign is, all its worlds together."""

    wanted: int
    least: int
    """So many kills are wanted in each window."""
    kills: int = 0
    pauses: int = 0
    under_way: int = 0
    windows: Counter[str] = field(default_factory=Counter)
    scenarios: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    """By window: how often it did not open in time."""

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
    ready_s: list[float] = field(default_factory=list)
    """Starts after a kill while nothing else was wrong."""
    slow_s: list[float] = field(default_factory=list)
    """Starts while something else was wrong."""
    calm_at: float = 0.0
    up_at: float = 0.0
    """When the last start was complete."""

    # -- what scenarios choose from --------------------------------------------------------------------------------

    def service(self) -> Service:
        """The instance that is meant: with two, either."""
        return self.rng.choice([one for one in self.services if one.running] or self.services)

    def platform(self) -> str:
        """One of the platforms."""
        return self.rng.choice(sorted({account.platform for account in self.settings.accounts.values()}))

    def account(self, platform: str = "") -> str:
        """One of the accounts, of one platform or any."""
        names = [name for name, a in self.settings.accounts.items() if platform in ("", a.platform)]
        return self.rng.choice(names)

    # -- what scenarios do -----------------------------------------------------------------------------------------

    async def spoil(self, fault: WireFault | StreamFault) -> None:
        """Break something on the wire or a stream."""
        more_s = fault.retry_after_s if isinstance(fault, WireFault) else fault.for_s
        self.trouble(more_s)
        await self.remote.spoil(fault)

    def trouble(self, for_s: float = 0.0) -> None:
        """Starts are slow from now on, for a while, and may be."""
        self.calm_at = max(self.calm_at, time.monotonic() + for_s + CALM_S)

    async def maybe_kill(self, chance: float, *, window: str | None = None, wait: bool = True) -> None:
        """Kill, or let some time pass."""
        if self.rng.random() < chance:
            await self.kill(window, wait=wait)
        else:
            await asyncio.sleep(self.rng.uniform(0.2, 1.5))

    async def kill(self, window: str | None = None, *, wait: bool = True) -> None:
        """Kill an instance in a window (the one that lacks most, if none is given) and start it again."""
        if window is None:
            lacking = self.progress.lacking
            meant = lacking or [*WINDOWS, "random", "random"]
            window = self.rng.choice(meant) if self.rng.random() < 0.8 else "random"
        service = self.service()
        if self.rng.random() < 0.85:
            await asyncio.sleep(max(0.0, self.up_at + BREATH_S - time.monotonic()))
        hit = await self.remote.arm(Arm(instance=service.name, window=window, within_s=WITHIN_S))
        if hit.happened:
            self.progress.see(hit)
        else:
            self.progress.missed[f"{window} {hit.note}".strip()] += 1
        if hit.happened or not service.running:
            await self.come_back(service, killed=hit.happened, wait=wait)

    async def pause(self, for_s: float) -> None:
        """Let an instance stand still for so long."""
        service = self.service()
        within_s = min(WITHIN_S, 3.0)
        hit = await self.remote.arm(Arm(instance=service.name, within_s=within_s, signal="STOP"))
        if not hit.happened:
            return
        self.progress.pauses += 1
        self.trouble(for_s)
        await asyncio.sleep(for_s)
        await self.remote.go_on(service.name)

    async def come_back(self, service: Service, *, killed: bool = True, wait: bool = True) -> None:
        """Start an instance again that was killed, told to stop, or has ended by itself, which it must not."""
        code = await service.ended()
        await self.remote.gone(service.name)
        if not killed:
            service.crashes.append(f"{service.name} ended by itself with exit code {code}")
        await self.launch(service)
        if wait and self.rng.random() < 0.93:  # now and then the next kill falls into the start itself
            await self.wait_ready()

    async def launch(self, service: Service) -> None:
        """Start an instance and let it be killed."""
        pid = await service.launch()
        await self.remote.up(contract.Service(name=service.name, pid=pid, database=service.database_url))

    async def wait_ready(self) -> None:
        """Wait until every instance is up."""
        for service in self.services:
            if not service.starting:
                continue
            begun = time.monotonic()
            calm = begun > max(self.calm_at, self.up_at + IDENTIFY_S)
            if await service.ready():
                (self.ready_s if calm else self.slow_s).append(service.ready_s[-1])
                self.up_at = time.monotonic()
            elif not service.running:
                await self.come_back(service, killed=False)
