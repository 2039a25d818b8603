"""What a row is: a promise, and a value beside its floor, both measured in the same run.

A shared or slow machine slows both, so the ratio says more than the value.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[1]
LOOK_S = 0.1
"""How often the memory of a process is looked at."""


class NotMeasured(Exception):
    """What was to be measured did not work; the text says why."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What came out, both in the row's unit."""

    value: float
    floor: float
    """The least that anybody would pay here, or the usual way of doing the same."""

    @property
    def ratio(self) -> float:
        """``value / floor``: below 1 is better than the floor where the unit is a cost (s, ms, MB), above 1 where it is
        a rate."""
        return self.value / self.floor


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is measured. ``measure`` takes whether to be quick, and raises ``NotMeasured``."""

    name: str
    """``room.thing``; the room's name alone chooses all of its rows."""
    promise: str
    unit: str
    measure: Callable[[bool], Figure]
    limit: float | None = None
    """What the promise comes to: the most, of a rate the least. ``None`` where the ratio says all."""
    at_least: bool = False
    """Whether the limit is the least; of a rate it always is."""
    details: Callable[[], str] | None = None
    """A table to print beside the figures."""

    def holds(self, figure: Figure) -> bool:
        """Whether the promise is kept."""
        if self.limit is None:
            return True
        more_is_better = self.at_least or self.unit.endswith("/s")
        return figure.value >= self.limit if more_is_better else figure.value <= self.limit


def in_a_process(call: str) -> dict[str, float]:
    """What a function of ours returns in a process of its own: ``bench.report:measured('x', 1)``. Raises
    ``NotMeasured`` with what went wrong there."""
    module, _, its = call.partition(":")
    code = f"import json, {module} as room; print(json.dumps(room.{its}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMeasured(done.stderr.strip().splitlines()[-1])
    found: dict[str, float] = json.loads(done.stdout)
    return found


def alternating(
    ours: Callable[[], float], floor: Callable[[], float], rounds: int, best: Callable[[list[float]], float]
) -> Figure:
    """Measure both ``rounds`` times, by turns; ``best`` picks one of several."""
    pairs = [(ours(), floor()) for _ in range(rounds)]
    return Figure(best([value for value, _ in pairs]), best([value for _, value in pairs]))


def vouch() -> list[str]:
    """The command as it is installed beside this Python, else its file."""
    script = Path(sys.executable).with_name("vouch")
    return [str(script)] if script.is_file() else [sys.executable, str(ROOT / "cli.py")]


@asynccontextmanager
async def running(*words: str, **own: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command with these variables of its own, its output a pipe; it is killed in the end, if it has not ended."""
    process = await asyncio.create_subprocess_exec(
        *words, cwd=ROOT, env=os.environ | own, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def peak_mb(pid: int) -> float:
    """The most memory (resident) of a process, looked at now and then until it ends."""
    peak = 0.0
    try:
        process = psutil.Process(pid)
        while process.status() != psutil.STATUS_ZOMBIE:
            peak = max(peak, process.memory_info().rss / 1e6)
            await asyncio.sleep(LOOK_S)
    except psutil.NoSuchProcess:
        pass
    return peak
