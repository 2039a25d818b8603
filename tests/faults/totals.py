"""All worlds of a campaign together: the one JSON object that it prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.faults.campaign import LONG, Ended, Wanted
from tests.faults.judge import Verdict
from tests.faults.run import Progress
from tests.faults.scenarios import ONLY_ON

MANY, PEACEFUL = 60, 10
"""After so many kills so much was heard in peace; else a campaign has not looked at what has no excuse."""

LONGEST_S = 3_600.0
"""A long campaign must be over by then, in wall seconds: nobody runs one that takes a day."""


SHORT_S = 300.0
"""With times held, so long may two worlds take for each ``MANY`` kills of a campaign that is not long."""


def total(wanted: Wanted, progress: Progress, ended: list[Ended], elapsed_s: float) -> dict[str, Any]:
    """The one JSON object."""
    whole = Verdict()
    for one in ended:
        for name in vars(whole):
            mine, its = getattr(whole, name), getattr(one.verdict, name)
            if isinstance(mine, dict):
                mine = {key: mine.get(key, 0) + its.get(key, 0) for key in {*mine, *its}}
            else:
                mine = mine + its
            setattr(whole, name, mine)
    ready = [s for one in ended for s in one.ready_s]
    short = list(_short_of(wanted, progress, ended, whole, elapsed_s))
    return {
        "kills": progress.kills,
        "windows": dict(progress.windows),
        "within_50_ms": progress.soon,
        **whole.as_json(),
        "too_late": [text for one in ended for text in one.too_late],
        "ready_s": quantiles(ready),
        "ready_in_trouble_s": quantiles([s for one in ended for s in one.slow_s]),
        "takeover_s": quantiles([s for one in ended for s in one.took_s]),
        "takeover_in_trouble_s": quantiles([s for one in ended for s in one.slow_took_s]),
        "spent_s": {on: round(s, 1) for on, s in progress.spent_s.items()},
        "pauses": progress.pauses,
        "scenarios": dict(progress.scenarios),
        "not_played": _not_played(wanted, progress),
        "system_calls": all(one.traced for one in ended),
        "small_disk": all(one.small_disk for one in ended),
        "missed": dict(progress.missed),
        "injected": _added([one.injected for one in ended]),
        "refusals": _by_status([one.refusals for one in ended]),
        "confirmations": sum(one.confirmations for one in ended),
        "weeks": sum(one.weeks for one in ended),
        "database": wanted.database,
        "instances": wanted.instances,
        "worlds": wanted.worlds,
        "seed": wanted.seed,
        "elapsed_s": round(elapsed_s, 1),
        "least_share": wanted.least_share,
        "short_of": short,
        "ok": whole.clean and not short,
    }


def _short_of(
    wanted: Wanted, progress: Progress, ended: list[Ended], whole: Verdict, elapsed_s: float
) -> Iterator[str]:
    """What the campaign has not looked at, or did not hold, though nothing may be wrong in what it has seen."""
    kills = progress.kills
    if whole.share < wanted.least_share:
        yield f"sent: {whole.share:.4f} of what was planned, {wanted.least_share} is asked"
    yield from (f"kills in {window}: {progress.windows[window]}" for window in progress.lacking)
    for name in _not_played(wanted, progress):
        if ONLY_ON.get(name, wanted.database) == wanted.database:
            yield f"not played: {name}"
    if "disk-full" in wanted.named and not all(one.small_disk for one in ended):
        yield "disk-full: no disk that can be filled may be mounted here, only files be limited"
    if kills >= LONG and not all(one.traced for one in ended):
        yield "kills at system calls: none, strace is not here or may not attach"
    if kills >= MANY and whole.heard_in_peace < PEACEFUL:
        yield f"heard in peace: {whole.heard_in_peace}, {PEACEFUL} is asked"
    if kills >= MANY and progress.scenarios["desk"] and not whole.relayed:
        yield "relayed: nothing"
    if kills >= LONG and 2 * progress.soon < kills:
        yield f"kills within 50 ms of an accept: {progress.soon} of {kills}, half are asked"
    if kills >= LONG and elapsed_s > LONGEST_S:
        yield f"time: it took {elapsed_s:.0f} s, {LONGEST_S:.0f} s are given"
    given_s = SHORT_S * max(1.0, wanted.kills / MANY)
    if wanted.hold_times and wanted.kills < LONG and wanted.worlds > 1 and elapsed_s > given_s:
        yield f"time: it took {elapsed_s:.0f} s, {given_s:.0f} s are given"
    if wanted.hold_times:
        yield from (text for one in ended for text in one.too_late)


def _not_played(wanted: Wanted, progress: Progress) -> list[str]:
    """Scenarios that were to be played and were not, in any world."""
    return sorted(set(wanted.scenarios) - set(progress.scenarios))


def quantiles(found: list[float]) -> dict[str, float]:
    """How many there were, and how they are spread."""
    if not found:
        return {}
    found = sorted(found)
    at = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    shares = {name: round(found[min(len(found) - 1, int(share * len(found)))], 2) for name, share in at.items()}
    return {"n": len(found), **shares}


def _added(found: list[dict[str, int]]) -> dict[str, int]:
    return {key: sum(one.get(key, 0) for one in found) for key in sorted({key for one in found for key in one})}


def _by_status(found: list[dict[str, int]]) -> dict[str, int]:
    """By platform and status; what was asked for is in the truth."""
    summed: Counter[str] = Counter()
    for one in found:
        for key, n in one.items():
            summed[" ".join(key.split()[:2])] += n
    return dict(sorted(summed.items()))
