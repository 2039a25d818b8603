"""The ordinary ``vouch run`` as a process of its own, pointed at a sandbox, with a database and a log for this once."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import VouchError

START_S = 30.0
"""How long, in wall seconds, the service may take to be up."""

STOP_S = 5.0
"""How long it may take to stop when it is told to."""


@dataclass(frozen=True, slots=True)
class Running:
    """A service that is up."""

    process: asyncio.subprocess.Process
    log: Path
    ready_s: float
    """How long, in wall seconds, it took to be up."""

    def end_of_log(self, lines: int = 20) -> str:
        """The last lines that it logged."""
        return _end(self.log, lines)


@asynccontextmanager
async def running(settings: Path, sandbox_url: str, folder: Path) -> AsyncIterator[Running]:
    """Start the service, give it once its streams are up, and stop it. Raises ``VouchError`` when it does not start."""
    environment = os.environ | {
        "VOUCH_SANDBOX__URL": sandbox_url,
        "VOUCH_SERVICE__DATABASE": f"sqlite:///{folder / 'vouch.db'}",
    }
    main = Path(__file__).parents[1] / "cli.py"
    log = folder / "vouch.log"
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(main), "run", "--settings", str(settings), "--json"),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=file,
        )
        try:
            yield Running(process, log, await _ready(process, log))
        finally:
            await _stop(process)


def look_after(service: Running, dead: asyncio.Task[int], living: asyncio.Task[None]) -> None:
    """Raises ``VouchError`` when the service has stopped, and whatever ended the world."""
    if dead.done():
        last_line = service.end_of_log(1)
        raise VouchError(f"vouch run stopped with exit code {dead.result()}; its log ends: {last_line}")
    if living.done():
        living.result()


async def _ready(process: asyncio.subprocess.Process, log: Path) -> float:
    if process.stdout is None:
        raise VouchError("vouch run has no standard output")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_S)
    except TimeoutError:
        raise VouchError(f"vouch run was not up within {START_S:.0f} s; its log ends: {_end(log, 1)}") from None
    if not line:
        raise VouchError(f"vouch run did not start; its log ends: {_end(log, 1)}")
    return float(json.loads(line)["elapsed_s"])


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _end(log: Path, lines: int) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])
