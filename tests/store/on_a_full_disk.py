"""A service's database in a process of its own, whose files may not grow at will:
``python -m tests.store.on_a_full_disk URL BYTES [from-the-start]``.

Writes replies without end; prints a JSON line for each that was kept or refused. ``room`` on standard input lifts the
limit, ``stop`` ends it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import sys
import threading
from typing import Any

from core.errors import StoreAway
from core.store.database import Database
from tests.store.stage import ACCOUNT, Stage


def tell(**what: Any) -> None:
    """One line."""
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


class Said(logging.Handler):
    """What the log says, as lines of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        tell(log=record.getMessage())


async def main(url: str, most: int, from_the_start: bool) -> None:
    """Until told to stop."""
    logging.getLogger().addHandler(Said())
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def listen() -> None:
        for line in sys.stdin:
            if line.strip() == "room":
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
            else:
                loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=listen, daemon=True).start()
    if from_the_start:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    async with Database(url, patient=True) as database:
        stage, order = Stage(database), 0
        if most and not from_the_start:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
        while not stopped.is_set():
            order += 1
            events = [stage.typed(order * 100 + n, f"p{order * 100 + n}", f"{'ha ' * 200} 7") for n in range(20)]
            while not stopped.is_set():
                try:
                    await stage.inbox.deliver(ACCOUNT)(events)
                    tell(kept=[event.id for event in events])
                    break
                except StoreAway as fault:
                    tell(refused=str(fault), at_s=loop.time())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), "from-the-start" in sys.argv))
