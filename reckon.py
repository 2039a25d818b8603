"""What ``vouch nps`` does: score and range of three counts, without a database."""

from __future__ import annotations

import json
from typing import Any

from core.change import Comparison, Period, compare
from core.errors import VouchError
from core.nps import Tally, nps, rounded, score_range
from core.proof import numbers
from core.report import FEWEST
from core.saying import said
from core.words import words_for

Counts = tuple[int, int, int]
"""Promoters, passives, detractors."""


def reckoned(now: Counts, before: Counts | None, *, in_json: bool) -> str:
    """What the command prints. Raises ``VouchError`` for a count below 0."""
    if min(*now, *(before or now)) < 0:
        raise VouchError("a count below 0: write how many answers there are of each group")
    tally, then = Tally(*now), Tally(*before) if before is not None else None
    return json.dumps(as_json(tally, then)) if in_json else in_words(tally, then)


def as_json(tally: Tally, before: Tally | None) -> dict[str, Any]:
    """For a script: see ``numbers``; with ``before`` also the change, its range and what may be made of it."""
    found = numbers(tally)
    if before is not None:
        change = _compared(before, tally)
        found["before"] = numbers(before)
        found["change"] = {"delta": change.delta, "range": [change.low, change.high]} if change.measured else None
        found["verdict"] = str(change.verdict)
    return found


def in_words(tally: Tally, before: Tally | None) -> str:
    """For a person: score, range and what may be made of the change."""
    bounds = score_range(tally)
    if bounds is None:
        return "Nobody answered: there is no score."
    low, high = map(rounded, bounds)
    lines = [
        f"NPS {nps(tally)}, chance range {low} to {high}.",
        f"{tally.n:,} answers: {tally.promoters:,} promoters (9–10), {tally.passives:,} passives (7–8), "
        f"{tally.detractors:,} detractors (0–6).",
    ]
    if tally.n < FEWEST:
        lines.append(f"Under {FEWEST} answers the weekly post says no score: so few say next to nothing.")
    if before is not None:
        change = _compared(before, tally)
        verdict = said(change, words_for("en"))
        span = f" The change lies between {change.low:+d} and {change.high:+d}." if change.measured else ""
        against = f"Against NPS {nps(before)} of {before.n:,}: " if before.n else ""
        lines.append(f"{against}{verdict}{span}")
    return "\n".join(lines)


def _compared(before: Tally, now: Tally) -> Comparison:
    return compare(Period(weeks=1, channels={"": before}), Period(weeks=1, channels={"": now}))
