"""Kills at chosen system calls of the service's own, by ``strace`` where it is."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import Callable
from pathlib import Path

from tests.faults.contract import CLAIMED, COMMITTED, RECEIVED, SENT

CALLS = {
    RECEIVED: ("fdatasync", "pwrite64"),
    COMMITTED: ("fdatasync", "sendto"),
    CLAIMED: ("sendto", "connect"),
    SENT: ("recvfrom", "fdatasync"),
    "random": ("fdatasync", "pwrite64", "sendto", "write", "recvfrom"),
}
"""System calls on whose entry the process is killed; afterwards it is examined which window that was."""
DETACH_S = 2.0
LOOK_S = 0.005


def can_trace() -> bool:
    """Whether ``strace`` is here and may attach to a process that is not its child."""
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    return shutil.which("strace") is not None and (not scope.exists() or scope.read_text().strip() == "0")


async def killed_at(call: str, which: int, pid: int, is_over: Callable[[], bool], within_s: float) -> str:
    """Kill a process as it enters a system call, for the ``which``-th time in one of its threads. Returns why that did
    not come about, or nothing."""
    tracer = await create_subprocess_exec(
        *("strace", "-f", "-qq", "-o", "/dev/null", "-p", str(pid)),
        *("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={which}"),
        stderr=PIPE,
    )
    ended = asyncio.create_task(tracer.communicate())
    until = time.monotonic() + within_s
    while not is_over():
        if ended.done() or time.monotonic() > until:
            break
        await asyncio.sleep(LOOK_S)
    over = is_over()
    said = await _let_go(tracer, ended, at_once=over)
    if over or is_over():
        return ""
    return said.decode(errors="replace").strip()[:200] or "the system call did not come"


async def _let_go(tracer: Process, ended: asyncio.Task[tuple[bytes, bytes]], *, at_once: bool) -> bytes:
    """End the tracer; what it said. It lets go of a living process when asked to, and of a dead one not always."""
    if not at_once and not ended.done():
        tracer.terminate()
        await asyncio.wait({ended}, timeout=DETACH_S)
    if not ended.done():
        with contextlib.suppress(ProcessLookupError):  # it has ended, and what it said is still on its way to us
            tracer.kill()
    return (await ended)[1]
