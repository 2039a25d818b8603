"""The real ``vouch run`` as a process that can be killed, paused, starved of room and started again, many times."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import resource
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.architecture import ROOT
from tests.faults.peace import Span

START_S = 60.0
"""So long a start is waited for; what is promised is much less and is judged apart."""

STOP_S = 15.0
"""How long it may take to stop when it is told to."""

COMMAND_S = 60.0
"""How long a command beside it may take."""

CRASH = "Traceback (most recent call last)"
LOCKED = ("database is locked",)
"""What SQLite, and then Vouch, say to who waited for another's write too long, or read before it wrote: never seen."""


@dataclass
class Service:
    """One instance. Killed and started again it stays the same ``Service``, with one log."""

    name: str
    settings: Path
    sandbox_url: str
    database_url: str
    log: Path
    wall: Path | None = None
    """A file with the seconds by which its wall clock is wrong; without it the plain command is run."""
    ready_s: list[float] = field(default_factory=list)
    """Wall seconds of each start until all streams were up."""
    crashes: list[str] = field(default_factory=list)
    """What it logged with a traceback, and how it ended when nobody had killed it."""
    posted: list[Span] = field(default_factory=list)
    """When somebody posted reports by hand, wall."""
    starts: list[Span] = field(default_factory=list)
    """From when it was started until it was up, wall; or until the next start."""
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _reading: asyncio.Task[None] | None = field(default=None, init=False)
    _started: float = field(default=0.0, init=False)
    _waited: bool = field(default=True, init=False)
    _crashing: bool = field(default=False, init=False)

    @property
    def pid(self) -> int:
        """The process that runs now. Raises ``RuntimeError`` when none does."""
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether a process is there."""
        return self._process is not None and self._process.returncode is None

    @property
    def starting(self) -> bool:
        """Whether it was started and nobody has waited for it yet."""
        return self._waited is False

    async def launch(self) -> int:
        """Start it. Returns the process's id at once."""
        program = [str(ROOT / "cli.py"), "run"] if self.wall is None else ["-m", "tests.faults.jumping", str(self.wall)]
        self._started, self._waited = time.monotonic(), False
        if self.starts and self.starts[-1][1] == math.inf:
            self.starts[-1] = (self.starts[-1][0], time.time())
        self.starts.append((time.time(), math.inf))
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, *program, "--settings", str(self.settings), "--json"),
            env=self._environment(),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self._process.stderr is not None
        self._reading = asyncio.create_task(self._read(self._process.stderr))
        return self._process.pid

    def _environment(self) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("VOUCH_")}
        return clean | {"VOUCH_SANDBOX__URL": self.sandbox_url, "VOUCH_SERVICE__DATABASE": self.database_url}

    async def command(self, *words: str) -> str:
        """Run another command of Vouch beside it. Its complaints go to the log; returns what it printed."""
        began = time.time()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "cli.py"), *words, "--settings", str(self.settings)),
            env=self._environment(),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            said, complained = await asyncio.wait_for(process.communicate(), COMMAND_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            self.crashes.append(f"vouch {' '.join(words)} took longer than {COMMAND_S:.0f} s")
            return ""
        if "--post" in words:
            self.posted.append((began, time.time()))
        with self.log.open("ab") as log:
            log.write(f"$ vouch {' '.join(words)}\n".encode() + complained)
        for line in complained.decode("utf-8", "replace").splitlines():
            self._note(line)
        return said.decode("utf-8", "replace")

    async def ready(self) -> bool:
        """Wait until all its streams are up, or until it has ended, which is ``False``."""
        process = self._process
        if process is None or process.stdout is None:
            return False
        self._waited = True
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START_S)
        except TimeoutError:
            self.crashes.append(f"{self.name} was not up within {START_S:.0f} s")
            return False
        if not line:
            return False
        assert json.loads(line)["event"] == "ready"
        self.ready_s.append(time.monotonic() - self._started)
        self.starts[-1] = (self.starts[-1][0], time.time())
        return True

    async def ended(self) -> int:
        """Wait until the process is gone. Returns its exit code, negative for a signal."""
        if self._process is None:
            return 0
        code = await self._process.wait()
        if self._reading is not None:
            await self._reading
        self._process = None
        return code

    def signal(self, number: int) -> None:
        """Kill, pause or go on: SIGKILL, SIGSTOP, SIGCONT."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def stop(self) -> None:
        """Tell it to stop, as a machine does that is shut down."""
        if not self.running:
            await self.ended()
            return
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.ended(), STOP_S)
        except TimeoutError:
            self.crashes.append(f"{self.name} did not stop within {STOP_S:.0f} s")
            self.signal(signal.SIGKILL)
            await self.ended()

    def starve(self, bytes_left: int | None) -> None:
        """Let it write no file beyond this size; ``None``: as large as it likes. Its log is a pipe and goes on."""
        soft = resource.RLIM_INFINITY if bytes_left is None else bytes_left
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        """Keep what it logs, and note what looks like a crash."""
        with self.log.open("ab") as log:
            while True:
                try:
                    line = await stream.readline()
                except ValueError:  # a line longer than the buffer: the rest of it is dropped
                    continue
                if not line:
                    return
                log.write(line)
                log.flush()
                self._note(line.decode("utf-8", "replace").rstrip())

    def _note(self, line: str) -> None:
        """Take up a locked database, and a traceback: in a line of the log, or printed by a process that ends by it."""
        if any(words in line for words in LOCKED):
            self.crashes.append(line[:600])
        if line.startswith("{"):
            if CRASH in line:
                said = json.loads(line)
                self.crashes.append(f"{said['text']}: {said['traceback'].splitlines()[-1]}"[:600])
        elif CRASH in line:
            self._crashing = True
        elif self._crashing and line.lstrip(" |") == line:
            self._crashing = False
            self.crashes.append(line[:600])
