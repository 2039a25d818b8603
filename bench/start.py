"""How soon Vouch is there, and how much memory it then takes. Smaller is better in every row."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from bench.row import ROOT, Figure, NotMeasured, Row, alternating, vouch

LONGEST_S = 60.0
"""How long a process may take to say that it is ready."""
ONLY_IMPORTS = "import tweepy.asynchronous, telegram, discord, sqlmodel; print('ready', flush=True); input()"


def help_s(quick: bool) -> Figure:
    """Wall seconds of ``vouch --help`` beside those of a Python that does nothing; best of several. Ratio: down."""
    ours = partial(_run_s, [*vouch(), "--help"])
    return alternating(ours, partial(_run_s, [sys.executable, "-c", "pass"]), 3 if quick else 12, min)


def _run_s(command: Sequence[str]) -> float:
    started = time.perf_counter()
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    elapsed_s = time.perf_counter() - started
    if ended.returncode:
        raise NotMeasured(f"{command[0]} ended with exit code {ended.returncode}")
    return elapsed_s


def ready_s(quick: bool) -> Figure:
    """Seconds from the start of ``vouch run`` until all streams are up, on a sandbox with three platforms, beside a
    process that only imports the same libraries; best of several. Ratio: down."""
    ours, bare = _starts(quick)
    return Figure(min(s for s, _ in ours), min(s for s, _ in bare))


def memory_mb(quick: bool) -> Figure:
    """Resident memory of these two processes at that moment, in MB (10⁶ bytes); smallest of several. Ratio: down."""
    ours, bare = _starts(quick)
    return Figure(min(mb for _, mb in ours), min(mb for _, mb in bare))


@cache
def _starts(quick: bool) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """(seconds, MB) of starts of ours and of the bare imports. One measurement for both rows."""
    return asyncio.run(_start_by_turns(2 if quick else 5))


async def _start_by_turns(rounds: int) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    from core.settings import load
    from demo.plan import plan_of
    from sandbox.server import Sandbox

    path = ROOT / "settings.toml"
    accounts, places, _ = plan_of(load(path))
    ours: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    for _ in range(rounds):
        # A sandbox each time: Discord lets a bot sign in once in five seconds.
        with tempfile.TemporaryDirectory(prefix="vouch-bench-") as folder:
            async with Sandbox(accounts, places) as sandbox:
                environment = os.environ | {
                    "VOUCH_SANDBOX__URL": sandbox.url,
                    "VOUCH_SERVICE__DATABASE": f"sqlite:///{Path(folder, 'vouch.db')}",
                }
                ours.append(await _until_ready([*vouch(), "run", "--settings", str(path), "--json"], environment))
        bare.append(await _until_ready([sys.executable, "-c", ONLY_IMPORTS], os.environ))
    return ours, bare


async def _until_ready(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    pipe = asyncio.subprocess.PIPE
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=environment)
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), LONGEST_S)
        elapsed_s = time.perf_counter() - started
        if b"ready" not in line:
            raise NotMeasured(f"{command[0]} did not get ready; its log is above")
        return elapsed_s, _resident_mb(process.pid)
    except TimeoutError:
        raise NotMeasured(f"{command[0]} was not ready within {LONGEST_S:.0f} s; its log is above") from None
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    if status.is_file():
        found = next(line for line in status.read_text("utf-8").splitlines() if line.startswith("VmRSS:"))
        return int(found.split()[1]) * 1024 / 1e6
    import psutil  # type: ignore[import-untyped]

    return float(psutil.Process(pid).memory_info().rss / 1e6)


ROWS = (
    Row("start.help", "`vouch --help` within 0.25 s on a quiet machine", "s", help_s, 0.25),
    Row("start.ready", "`vouch run` has all three streams up within 2.5 s", "s", ready_s, 2.5),
    Row("start.memory", "`vouch run` takes at most 150 MB when it is up", "MB", memory_mb, 150.0),
)
