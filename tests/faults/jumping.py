"""``vouch run`` with a wall clock that can be set wrong while it runs: for the clock-jump fault, and nothing else.

``python -m tests.faults.jumping FILE --settings FILE --json``: the first file holds by how many calendar seconds the
clock is wrong; on the sandbox's fast calendar the wall is wrong by as much less. It is the only difference to the plain
command.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from connecting import connections
from core import logs
from core.clock import Wall
from core.settings import load
from scheduler import run


async def serve(wrong: Path, settings: Path) -> None:
    """Run the service until it is told to stop."""
    started = time.perf_counter()
    found = load(settings)
    speed = _speed(found.sandbox.url)
    reached = await connections(found, Wall(lambda: time.time() + float(wrong.read_text("ascii") or 0) / speed))
    logs.set_up(reached.secrets, as_json=True)

    def ready() -> None:
        elapsed_s = round(time.perf_counter() - started, 2)
        sys.stdout.write(json.dumps({"event": "ready", "elapsed_s": elapsed_s}) + "\n")
        sys.stdout.flush()

    await run(found, reached, ready)


def _speed(url: str) -> float:
    with urlopen(f"{url}/sandbox", timeout=10) as answer:
        return float(json.load(answer)["clock"]["speed"])


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[sys.argv.index("--settings") + 1])))
