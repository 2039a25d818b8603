"""What a report's numbers came from: every count behind it, and a fingerprint by which two know they see the same."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from core.change import Period
from core.nps import Tally, nps, score_range
from core.report import WeekReport

DIGITS = 12
"""Of the fingerprint, hexadecimal."""

Counts = dict[str, Any]


def counts(report: WeekReport) -> Counts:
    """All counts that a report is made of, ready for JSON: promoters, passives, detractors of each channel."""
    return {
        "survey": report.survey,
        "week": report.wave.key,
        "scale": report.scale.value,
        "width": report.width,
        "window": _period(report.window),
        "window_before": _period(report.window_before),
        "week_alone": _period(report.week),
        "week_before": _period(report.week_before),
        "open": _period(report.open),
        "open_before": _period(report.open_before),
        "rescaled": report.rescaled,
        "reasons": [[reason.title(""), reason.named, reason.of] for reason in report.reasons],
        "nameless": {channel.channel: channel.nameless for channel in report.channels if channel.nameless},
    }


def fingerprint(report: WeekReport) -> str:
    """The first ``DIGITS`` of the SHA-256 of the counts, as JSON with sorted keys and no blanks."""
    canonical = json.dumps(counts(report), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:DIGITS]


def numbers(tally: Tally) -> Counts:
    """One tally for JSON: its counts, ``nps`` -100 to 100, and ``range`` in points; both ``None`` when n is 0."""
    span = score_range(tally)
    return {
        "n": tally.n,
        "promoters": tally.promoters,
        "passives": tally.passives,
        "detractors": tally.detractors,
        "nps": nps(tally),
        "range": [round(span[0], 1), round(span[1], 1)] if span is not None else None,
    }


def _period(period: Period | None) -> Counts | None:
    if period is None:
        return None
    channels = {name: _groups(tally) for name, tally in sorted(period.channels.items()) if tally.n}
    ballots = {name: sorted(shown) for name, shown in sorted(period.ballots.items())}
    return {"weeks": period.weeks, "channels": channels, "ballots": ballots, "asked": sorted(period.asked)}


def _groups(tally: Tally) -> list[int]:
    return [tally.promoters, tally.passives, tally.detractors]
