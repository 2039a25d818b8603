"""Kill the real service many times, break everything around it, and prove that nothing is lost and nothing is twice.

uv run python -m tests.faults --seed 1 --kills 60 --json
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
from collections.abc import Sequence
from pathlib import Path

from tests.faults.campaign import Wanted, campaign, summed
from tests.faults.scenarios import NAMES


def arguments(words: Sequence[str] | None = None) -> Wanted:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="tests.faults", description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--scenario", nargs="+", action="extend", choices=NAMES, help="all, if none is named")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--instances", type=int, choices=(1, 2), default=1)
    parser.add_argument("--worlds", type=int, choices=(1, 2), default=2)
    parser.add_argument("--followers", type=int, default=240, help="per world")
    parser.add_argument("--week-s", type=float, default=60.0, help="wall seconds of a week")
    parser.add_argument("--folder", type=Path, help="where to keep everything; else it is kept if something is wrong")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of words")
    found = parser.parse_args(words)
    if found.instances > 1 and found.database != "postgresql":
        parser.error("--instances 2 needs --database postgresql: a SQLite file is for one machine")
    return Wanted(
        found.seed,
        found.kills,
        tuple(found.scenario or NAMES),
        found.database,
        found.instances,
        found.worlds,
        found.followers,
        found.week_s,
        found.folder or Path(tempfile.mkdtemp(prefix="vouch-faults-")),
    )


def main() -> int:
    """Exit code 0 only when everything holds."""
    wanted = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # nothing that was started is left behind
    wanted.folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - started:7.1f} s  {text}", file=sys.stderr, flush=True)

    progress, ended = asyncio.run(campaign(wanted, tell))
    result = summed(wanted, progress, ended, time.monotonic() - started)
    if "--json" in sys.argv:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name}: {value}")
    if result["ok"]:
        shutil.rmtree(wanted.folder, ignore_errors=True)
        return 0
    tell(f"something is wrong; everything is in {wanted.folder}")
    for text in (*result["findings"], *result["violations"]):
        print(text, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
