"""The instances that may be killed: whose a connection is, where the database is, and signals to nobody else."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass, field

import psutil

from tests.faults.contract import Service
from tests.faults.kept import FAILURES, Kept

SIGNALS = {"KILL": signal.SIGKILL, "STOP": signal.SIGSTOP, "CONT": signal.SIGCONT}
_OVER = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
DEATH_S = 5.0


@dataclass(slots=True, eq=False)
class Instance:
    """One that is registered."""

    service: Service
    process: psutil.Process
    """Remembers when the process began: a signal never reaches another one that got the same pid."""
    since: float
    kept: Kept | None = None
    ports: set[int] = field(default_factory=set)
    """Its ends of connections to the sandbox."""


class Services:
    """All that are registered."""

    def __init__(self) -> None:
        self._known: dict[str, Instance] = {}

    def up(self, service: Service) -> str:
        """Register. Returns why not, or nothing."""
        self.gone(service.name)
        try:
            self._known[service.name] = Instance(service, psutil.Process(service.pid), time.time())
        except psutil.NoSuchProcess:
            return f"there is no process {service.pid}"
        return ""

    def gone(self, name: str) -> None:
        """Forget it."""
        self.let_go(name)
        self._known.pop(name, None)

    def let_go(self, name: str) -> None:
        """Close our connection to its database, so that after a death nobody has it open who still knows its state."""
        instance = self._known.get(name)
        if instance is not None and instance.kept is not None:
            instance.kept.close()
            instance.kept = None

    def service(self, name: str) -> Service:
        """As it was registered. Raises ``KeyError``."""
        return self._known[name].service

    def since(self, name: str) -> float:
        """When (wall) it was registered. Raises ``KeyError``."""
        return self._known[name].since

    def knows(self, name: str) -> bool:
        """Whether it is registered."""
        return name in self._known

    def kept(self, name: str) -> Kept | None:
        """Its database; ``None`` when it is not registered. Raises one of ``FAILURES``."""
        instance = self._known.get(name) or next(iter(self._known.values()), None)
        if instance is None:
            return None
        if instance.kept is not None:
            try:
                instance.kept.version()
                instance.kept.there("", ("",))
            except FAILURES:
                instance.kept.close()
                instance.kept = None
        if instance.kept is None:
            instance.kept = Kept(instance.service.database)
        return instance.kept

    def send(self, name: str, what: str) -> bool:
        """Send a signal to a registered instance. Returns whether it was there to get it."""
        instance = self._known.get(name)
        if instance is None:
            return False
        try:
            instance.process.send_signal(SIGNALS[what])
        except psutil.NoSuchProcess:
            return False
        return True

    async def felt(self, name: str, what: str) -> bool:
        """Wait until the signal has had its effect."""
        instance = self._known.get(name)
        until = time.monotonic() + DEATH_S
        while instance is not None and time.monotonic() < until:
            if self.is_over(name) if what == "KILL" else self._is_stopped(instance):
                return True
            await asyncio.sleep(0.002)
        return instance is None

    def is_over(self, name: str) -> bool:
        """Whether its process has ended."""
        instance = self._known.get(name)
        try:
            return instance is None or not instance.process.is_running() or instance.process.status() in _OVER
        except psutil.NoSuchProcess:
            return True

    @staticmethod
    def _is_stopped(instance: Instance) -> bool:
        try:
            return instance.process.status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return True

    def owner(self, transport: asyncio.BaseTransport | None) -> str:
        """Whose connection this is; empty when nobody's. Alone, it is the only one's."""
        if len(self._known) == 1:
            return next(iter(self._known))
        ours = transport.get_extra_info("sockname") if transport is not None else None
        peer = transport.get_extra_info("peername") if transport is not None else None
        if not ours or not peer:
            return ""
        for name, instance in self._known.items():
            if instance.service.url.endswith(f":{ours[1]}"):
                return name
        return self._asked(peer[1])

    def _asked(self, port: int) -> str:
        """The operating system knows whose end of a connection a port is."""
        unnamed = {name: instance for name, instance in self._known.items() if not instance.service.url}
        for name, instance in unnamed.items():
            if port in instance.ports:
                return name
        for name, instance in unnamed.items():
            try:
                connections = instance.process.net_connections("tcp")
            except psutil.Error:
                continue
            instance.ports = {one.laddr.port for one in connections if one.laddr}
            if port in instance.ports:
                return name
        return ""
