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

from core.store import copies
from core.store.database import Database
from core.store.migrations.migrate import STEPS

OURS = ("/core/store/files.py", "/core/store/copies.py", "/core/store/migrations/migrate.py")
WATCHED = (*OURS, "/sqlalchemy/engine/default.py")


def migrate(folder: Path) -> None:
    """Open an old database."""
    Database(f"sqlite:///{folder}/vouch.db").create()


def restore(folder: Path) -> None:
    """Restore a backup."""
    copies.restore(f"sqlite:///{folder}/vouch.db", folder / "backup", datetime(2026, 11, 9, tzinfo=UTC))


def killed_at(step: int, work: Callable[[], None]) -> bool:
    """Do the work in a process that kills itself at this step. Returns whether there was such a step."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            return True
        if status:
            raise SystemExit(f"step {step}: the work failed")
        return False
    done = 0

    def watch(frame: FrameType, event: str, _: object) -> None:
        nonlocal done
        if event == "c_call" and frame.f_code.co_filename.endswith(WATCHED):
            done += 1
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    try:
        work()
    except BaseException:
        logging.exception("the work")
        os._exit(1)
    os._exit(0)


def main(name: str, folder: Path) -> None:
    """Until the work is done before it is killed."""
    work = {"migrate": migrate, "restore": restore}[name]
    step = 1
    while True:
        mine = folder / str(step)
        shutil.copytree(folder / "start", mine)
        if not killed_at(step, lambda mine=mine: work(mine)):  # type: ignore[misc]
            break
        step += 1 if step < 40 else 2
    sys.stdout.write(f"{step}\n")


if __name__ == "__main__":
    assert STEPS, "loaded once, and not again by each process"
    logging.disable(logging.WARNING)
    main(sys.argv[1], Path(sys.argv[2]))
