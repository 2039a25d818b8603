"""Does one piece of work again and again, in a process of its own each time that kills itself at its n-th step:
``python -m tests.store.killed migrate|restore FOLDER``. Each time works on ``FOLDER/n``, a copy of ``FOLDER/start``.

A step is a call out of our own code for files, or a statement for the database. Prints how many steps there are.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

from core.store import copies
from core.store.database import Database
from core.store.migrations.migrate import STEPS

OURS = ("/core/store/files.py", "/core/store/copies.py", "/core/store/migrations/migrate.py")


MANY = int(os.environ.get("VOUCH_TEST_EXAMPLES", "6"))
LAST = 10
"""About so many steps are tried (``VOUCH_TEST_EXAMPLES=1000``: all), and so many at the end."""


def migrate(folder: Path) -> None:
    """Open an old database."""
    Database(f"sqlite:///{folder}/vouch.db").create()


def restore(folder: Path) -> None:
    """Restore a backup."""
    copies.restore(f"sqlite:///{folder}/vouch.db", folder / "backup", datetime(2026, 11, 9, tzinfo=UTC))


def killed_at(step: int, work: Callable[[], None]) -> int | None:
    """Do the work in a process that kills itself at this step. Returns how many steps there were if it came through."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _work_until(step, work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        steps = told.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    if status:
        raise SystemExit(f"step {step}: the work failed")
    return int(steps)


def _work_until(step: int, work: Callable[[], None], writing: int) -> NoReturn:
    done = 0

    def watch(frame: FrameType, event: str, _: object) -> None:
        nonlocal done
        code = frame.f_code
        if event == "c_call" and (code.co_name == "do_execute" or code.co_filename.endswith(OURS)):
            done += 1
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    try:
        work()
    except BaseException:
        logging.exception("the work")
        os._exit(1)
    sys.setprofile(None)
    os.write(writing, str(done).encode())
    os._exit(0)


def main(name: str, folder: Path) -> None:
    """Once to the end, then killed at many steps, and at each of those near it, where the files change places."""
    work = {"migrate": migrate, "restore": restore}[name]
    steps = _once(work, folder, 0)
    if steps is None:
        raise SystemExit("it was killed at no step at all")
    for step in (*range(1, steps - LAST, steps // MANY + 1), *range(steps - LAST, steps + 1)):
        if _once(work, folder, step) is not None:
            raise SystemExit(f"there is no step {step} this time")
    sys.stdout.write(f"{steps}\n")


def _once(work: Callable[[Path], None], folder: Path, step: int) -> int | None:
    mine = folder / str(step)
    shutil.copytree(folder / "start", mine)
    return killed_at(step, lambda: work(mine))


if __name__ == "__main__":
    assert STEPS, "loaded once, and not again by each process"
    logging.disable(logging.WARNING)
    main(sys.argv[1], Path(sys.argv[2]))
