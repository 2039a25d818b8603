"""The client of the platform's process: every call of ``tests/faults/contract.py``."""

from __future__ import annotations

from types import TracebackType
from typing import Self, TypeVar

import aiohttp

from tests.faults.contract import Arm, Done, Gone, Hit, Service, StreamFault, WireFault, World, WorldState
from tests.faults.recorded import Truth
from tests.faults.told import Told

T = TypeVar("T", bound=Told)

LONGEST_S = 120.0
"""No call takes longer beyond what it asks for itself."""


class Remote:
    """``async with Remote(up.control) as platform``. Calls raise ``aiohttp.ClientError`` and ``TimeoutError``."""

    def __init__(self, control: str) -> None:
        self._control = control
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def up(self, service: Service) -> Done:
        """From now on this instance may be killed."""
        return await self._call("service", service, Done)

    async def gone(self, name: str) -> Done:
        """Nothing is sent to its pid any more."""
        return await self._call("gone", Gone(name=name), Done)

    async def go_on(self, name: str) -> Done:
        """Let a stopped instance run on."""
        return await self._call("go-on", Gone(name=name), Done)

    async def arm(self, arm: Arm) -> Hit:
        """Kill once; returns when it is over."""
        return await self._call("arm", arm, Hit, arm.within_s)

    async def spoil(self, fault: WireFault | StreamFault) -> Done:
        """Break something."""
        return await self._call("wire" if isinstance(fault, WireFault) else "stream", fault, Done)

    async def lift(self) -> Done:
        """Forget the faults that nothing has met yet: in the end the service must be let alone."""
        return await self._call("lift", None, Done)

    async def world(self, do: str, within_s: float = 10.0) -> WorldState:
        """``hold``, ``go``, ``look`` or ``quiet``."""
        return await self._call("world", World(do=do, within_s=within_s), WorldState, within_s)

    async def truth(self) -> Truth:
        """Everything that a judge needs."""
        return await self._call("truth", None, Truth)

    async def _call(self, name: str, body: Told | None, answer: type[T], more_s: float = 0.0) -> T:
        if self._session is None:
            raise RuntimeError("not entered")
        timeout = aiohttp.ClientTimeout(total=LONGEST_S + more_s)
        told = {} if body is None else body.as_json()
        async with self._session.post(f"{self._control}/{name}", json=told, timeout=timeout) as response:
            response.raise_for_status()
            return answer.of(await response.json())
