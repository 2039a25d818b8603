"""Runs the campaign on each mistake: it must end otherwise than clean, in a field in which the mistake shows. Before
that on the code as it is, for each mix of scenarios: this must end clean, else nothing was proved.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.faults.planted.bug import Bug, DoesNotApply, planted
from tests.faults.planted.every import FEWEST

LONGEST_S = 720.0
"""A hunt for one mistake takes no longer, in wall seconds."""

LEAST_SHARE = 0.95
"""Little is planned in so short a time: one death of the code as it is costs a larger share than in a long campaign."""

SYMPTOMS = ("was not up within", "in the end:", "no kill came about", "did not stop within")
"""What a busy machine may show of any code: no proof of a mistake."""

SIDE_BY_SIDE = 2
END_S = 20.0

Verdict = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """What became of one mistake."""

    name: str
    caught: bool
    """Of a control: whether it was not clean."""
    by: dict[str, Any] = field(default_factory=dict)
    """The fields that showed it."""
    note: str = ""
    """Why there is no verdict."""
    busy: tuple[str, ...] = ()
    """What shows that the machine was too busy to judge by."""
    seed: int = 0
    """With which seed it was hunted last."""

    @property
    def is_in_doubt(self) -> bool:
        """Whether it is to be tried once more: a busy machine is no proof, neither that code is clean nor that it is
        not."""
        return bool(self.note or self.busy)


def dirty(verdict: Verdict, shows: Sequence[str]) -> dict[str, Any]:
    """Those of the fields that are not clean: not 0, not empty, a share below ``LEAST_SHARE``."""
    found: dict[str, Any] = {}
    for name in shows:
        value: Any = _refused(verdict) if name == "refused" else verdict[name]
        if name == "violations":
            value = [said for said in value if not any(words in said for words in SYMPTOMS)]
        if name == "sent_share":
            if value < LEAST_SHARE:
                found[name] = value
        elif value:
            found[name] = _one_of_each(value)[:3] if isinstance(value, list) else value
    return found


def _one_of_each(said: Sequence[str]) -> list[str]:
    """The first of those that begin alike."""
    return list({text[:12]: text for text in reversed(said)}.values())[::-1]


def _refused(verdict: Verdict) -> list[str]:
    """What was dropped as refused although no person refused it."""
    return [said for said in verdict["not_sent"] if " refused " in said and "this person" not in said]


def controls_of(bugs: Sequence[Bug]) -> list[Bug]:
    """No mistake at all: once for each mix of scenarios, with as many kills as any mistake that it is a control of, and
    clean wherever one of them must not be."""
    found: dict[str, Bug] = {}
    for bug in bugs:
        parts = (*bug.scenarios, bug.database, str(bug.instances), f"{bug.week_s:.0f} s", bug.window, bug.platform)
        name = " ".join(("control", *filter(None, parts)))
        kills = max(bug.kills, found[name].kills if name in found else 0)
        shows = {*bug.shows, *(found[name].shows if name in found else ())}
        story = "The code as it is."
        found[name] = Bug(
            name=name,
            story=story,
            changes=(),
            scenarios=bug.scenarios,
            shows=tuple(sorted(shows)),
            kills=kills,
            week_s=bug.week_s,
            followers=max(bug.followers, found[name].followers if name in found else 0),
            database=bug.database,
            instances=bug.instances,
            window=bug.window,
            platform=bug.platform,
        )
    return list(found.values())


async def hunt(bugs: Sequence[Bug], *, seed: int, tell: Callable[[str], None]) -> tuple[list[Caught], list[Caught]]:
    """Run the controls, then hunt for every mistake, a few side by side, each in a copy of the tree of its own.

    Returns (controls, mistakes).
    """
    free = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(bug: Bug) -> Caught:
        async with free:
            found = await _hunt_for(bug, seed, tell)
        said = "caught" if found.caught else "NO VERDICT" if found.note else "MISSED" if bug.changes else "clean"
        tell(f"{said} {bug.name}: {found.by or found.note} {' '.join(found.busy)}".strip())
        return found

    everything = [*controls_of(bugs), *bugs]
    found = await asyncio.gather(*(one(bug) for bug in everything))
    return found[: -len(bugs)], found[-len(bugs) :]


def summed(bugs: Sequence[Bug], controls: Sequence[Caught], found: Sequence[Caught]) -> dict[str, Any]:
    """The one JSON object. A mistake counts as caught only where its control was clean."""
    clean = {one.name for one in controls if not one.caught and not one.note}
    by_name = {one.name: one for one in found}
    told: list[dict[str, Any]] = []
    for bug in bugs:
        one, (control,) = by_name.get(bug.name, Caught(name=bug.name, caught=False)), controls_of([bug])
        caught = one.caught and control.name in clean
        its = {"name": bug.name, "caught": caught, "seed": one.seed, "by": one.by}
        told.append(its | ({"note": one.note} if one.note else {}))
    n = sum(one["caught"] for one in told)
    return {
        "planted": len(bugs),
        "caught": n,
        "bugs": told,
        "controls": [
            {"name": one.name, "clean": one.name in clean, "by": one.by, "note": one.note, "busy": one.busy}
            for one in controls
        ],
        "ok": len(clean) == len(controls) and n == len(bugs) >= FEWEST,
    }


async def _hunt_for(bug: Bug, seed: int, tell: Callable[[str], None]) -> Caught:
    """Hunt at most twice. Where the kills fall is chance: what the first hunt missed is hunted with another seed, with
    which the code as it is must be clean, too. Code without a mistake gets a second run only where the machine was too
    busy."""
    found = await _hunt_once(bug, seed)
    settled = found.caught if bug.changes else not found.is_in_doubt or not found.caught
    if settled and not found.note:
        return found
    tell(f"once more {bug.name}: {found.note or found.busy or 'missed'}")
    if not bug.changes:
        return await _hunt_once(bug, seed)
    again = await _hunt_once(bug, seed + 1)
    if again.caught and (control := await _hunt_once(controls_of([bug])[0], seed + 1)).caught:
        return replace(again, caught=False, note=f"its control is not clean either: {control.by}")
    return again


async def _hunt_once(bug: Bug, seed: int) -> Caught:
    with tempfile.TemporaryDirectory(prefix="vouch-planted-", ignore_cleanup_errors=True) as folder:
        tree = Path(folder, "tree")
        try:
            planted(bug, tree)
        except DoesNotApply as error:
            return Caught(name=bug.name, caught=False, note=str(error))
        given = ["--seed", str(seed), "--kills", str(bug.kills), "--database", bug.database]
        given += ["--instances", str(bug.instances), "--worlds", "1", "--json"]
        given += ["--week-s", str(bug.week_s), "--followers", str(bug.followers)]
        given += ["--window", bug.window] if bug.window else []
        given += ["--platform", bug.platform] if bug.platform else []
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
            return Caught(name=bug.name, caught=False, note=f"no verdict within {LONGEST_S:.0f} s")
        finally:
            await _end(process)
    try:
        verdict: Verdict = json.loads(said)
    except ValueError:
        return Caught(name=bug.name, caught=False, note=complained.decode("utf-8", "replace")[-600:])
    by = dirty(verdict, bug.shows)
    busy = tuple(said for said in verdict["violations"] if any(words in said for words in SYMPTOMS))
    told = any(bug.says in said for said in (*verdict["findings"], *verdict["violations"]))
    caught = bool(by) and (process.returncode != 0 or "refused" in by) and (told or not bug.says)
    return Caught(name=bug.name, caught=caught, by=by, busy=busy, seed=seed)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave nothing behind: a campaign that is told to stop stops all that it has started."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_S)
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
