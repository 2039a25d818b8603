"""Runs the campaign on each mistake: it must end otherwise than clean, in a field in which the mistake shows."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.planted.bug import Bug, planted

LONGEST_S = 300.0
"""A hunt for one mistake takes no longer, in wall seconds."""

Verdict = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """What became of one mistake."""

    name: str
    caught: bool
    by: dict[str, Any]
    """The fields that showed it."""
    note: str = ""


def dirty(verdict: Verdict, shows: Sequence[str]) -> dict[str, Any]:
    """Those of the fields that are not clean: not 0, not empty, a share below 99.5 %."""
    found: dict[str, Any] = {}
    for name in shows:
        value = verdict[name]
        if name == "sent_share":
            if value < 0.995:
                found[name] = value
        elif value:
            found[name] = value[:3] if isinstance(value, list) else value
    return found


async def hunt(bugs: Sequence[Bug], *, seed: int, side_by_side: int, tell: Callable[[str], None]) -> list[Caught]:
    """Hunt for every mistake, a few side by side, each in a copy of the tree of its own."""
    free = asyncio.Semaphore(side_by_side)

    async def one(bug: Bug) -> Caught:
        async with free:
            found = await _hunt_for(bug, seed)
        tell(f"{'caught' if found.caught else 'MISSED'} {bug.name}: {found.by or found.note}")
        return found

    return list(await asyncio.gather(*(one(bug) for bug in bugs)))


async def _hunt_for(bug: Bug, seed: int) -> Caught:
    with tempfile.TemporaryDirectory(prefix="vouch-planted-", ignore_cleanup_errors=True) as folder:
        tree = Path(folder, "tree")
        planted(bug, tree)
        given = ["--seed", str(seed), "--kills", str(bug.kills), "--database", bug.database]
        given += ["--instances", str(bug.instances), "--json"]
        for scenario in bug.scenarios:
            given += ["--scenario", scenario]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults", *given),
            cwd=tree,
            env=os.environ | {"PYTHONPATH": str(tree), "TMPDIR": folder},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            said, complained = await asyncio.wait_for(process.communicate(), LONGEST_S)
        except TimeoutError:
            os.killpg(process.pid, 9)
            await process.communicate()
            return Caught(name=bug.name, caught=False, by={}, note=f"no verdict within {LONGEST_S:.0f} s")
    try:
        verdict: Verdict = json.loads(said)
    except ValueError:
        return Caught(name=bug.name, caught=False, by={}, note=complained.decode("utf-8", "replace")[-300:])
    by = dirty(verdict, bug.shows)
    return Caught(name=bug.name, caught=bool(by) and process.returncode != 0, by=by)
