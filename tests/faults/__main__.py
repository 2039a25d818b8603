"""Kill the real service many times, break everything around it, and prove that nothing is lost and nothing is twice.

uv run python -m tests.faults --seed 1 --kills 60 --json
uv run python -m tests.faults --planted --json          # whether it notices mistakes that are planted on purpose
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.campaign import Wanted, campaign
from tests.faults.contract import WINDOWS
from tests.faults.planted import every
from tests.faults.planted.bug import Bug
from tests.faults.planted.hunt import hunt, summed
from tests.faults.scenarios import NAMES, ONLY_ON
from tests.faults.totals import total

SHORT = 200
"""A campaign of so many kills is short: its weeks are, too, because it waits for the end of the last. A long one has
more followers: each kill may cost a message on Telegram, so a share of what is planned needs enough of it."""


@dataclass(frozen=True)
class Hunt:
    """Plant mistakes instead, and see which are noticed."""

    seed: int
    bugs: tuple[Bug, ...]


def arguments(words: Sequence[str] | None = None) -> Wanted | Hunt:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="tests.faults", description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--scenario", nargs="+", action="extend", choices=NAMES, help="all, if none is named")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--instances", type=int, choices=(1, 2), default=1)
    parser.add_argument("--worlds", type=int, choices=(1, 2, 3), default=2)
    parser.add_argument("--followers", type=int, help="per world; else 600, in a short campaign 240")
    parser.add_argument("--week-s", type=float, help="wall seconds of a week; else 60, in a short campaign 40")
    parser.add_argument("--window", choices=WINDOWS, default="", help="kill in this window only")
    parser.add_argument("--platform", choices=("x", "telegram", "discord"), default="", help="spoil and kill here only")
    parser.add_argument("--folder", type=Path, help="where to keep everything; else it is kept if something is wrong")
    parser.add_argument("--planted", action="store_true", help="hunt for planted mistakes")
    parser.add_argument("--only", nargs="+", choices=every.NAMES, help="only for these")
    parser.add_argument(
        "--hold-times", action="store_true", help="fail, too, when a start or a take-over took too long"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of words")
    found = parser.parse_args(words)
    if found.instances > 1 and found.database != "postgresql":
        parser.error("--instances 2 needs --database postgresql: a SQLite file is for one machine")
    for name, database in ONLY_ON.items():
        if name in (found.scenario or ()) and found.database != database:
            parser.error(f"--scenario {name} needs --database {database}")
    if found.planted:
        return Hunt(found.seed, tuple(bug for bug in every.BUGS if not found.only or bug.name in found.only))
    return Wanted(
        found.seed,
        found.kills,
        tuple(found.scenario or NAMES),
        found.database,
        found.instances,
        found.worlds,
        found.followers or (600 if found.kills > SHORT else 240),
        found.week_s or (60.0 if found.kills > SHORT else 40.0),
        found.folder or Path(tempfile.mkdtemp(prefix="vouch-faults-")),
        found.window,
        found.platform,
        found.hold_times,
        tuple(found.scenario or ()),
    )


def main() -> int:
    """Exit code 0 only when everything holds."""
    wanted = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # nothing that was started is left behind
    started = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - started:7.1f} s  {text}", file=sys.stderr, flush=True)

    if isinstance(wanted, Hunt):
        controls, found = asyncio.run(hunt(wanted.bugs, seed=wanted.seed, tell=tell))
        result = summed(wanted.bugs, controls, found) | {"elapsed_s": round(time.monotonic() - started, 1)}
        _say(result)
        return 0 if result["ok"] else 1
    return _campaign(wanted, tell, started)


def _campaign(wanted: Wanted, tell: Callable[[str], None], started: float) -> int:
    wanted.folder.mkdir(parents=True, exist_ok=True)
    progress, ended = asyncio.run(campaign(wanted, tell))
    result = total(wanted, progress, ended, time.monotonic() - started)
    _say(result)
    if result["ok"]:
        shutil.rmtree(wanted.folder, ignore_errors=True)
        return 0
    tell(f"something is wrong; everything is in {wanted.folder}")
    for text in (*result["findings"], *result["violations"], *result["too_late"]):
        print(text, file=sys.stderr)
    return 1


def _say(result: dict[str, Any]) -> None:
    if "--json" in sys.argv:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    sys.exit(main())
