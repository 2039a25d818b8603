"""Reading back what the teams' places got, as a person would: numbers out of the posts' own lines.

It judges ``core``, so nothing of ``core`` is in it: what it computes is ``sandbox/arithmetic.py``'s.
"""

from __future__ import annotations

import re
from typing import Any

from demo.headlines import is_headline
from sandbox.arithmetic import ENOUGH, FEWEST, FEWEST_TO_COMPARE, is_range, quarter, score

Counts = dict[str, Any]
"""n, promoters, passives, detractors, nps; and a ``range`` where a post says one that these do not give."""

WEEK = re.compile(r"\b(\d{4}-W\d{2})\b")

_TALLY = re.compile(
    r"^(?P<label>.+?)\s?: NPS (?P<nps>-?\d+|–)(?: \(\D+?(?P<low>-?\d+)\D+?(?P<high>-?\d+)\))?, n (?P<n>\d+)\s?: "
    r"\w+ (?P<promoters>\d+), \w+ (?P<passives>\d+), \w+ (?P<detractors>\d+)$"
)
_WINDOW = re.compile(r"^(?:Last (?P<weeks>\d+) weeks, each|Les (?P<semaines>\d+) dernières)")
_CHANNEL = re.compile(r"^(?P<name>\S+) \((?P<kind>named|open|nominatif|ouvert)\)$")


def counts_of(promoters: int, passives: int, detractors: int) -> Counts:
    """Counts with their NPS."""
    groups = {"promoters": promoters, "passives": passives, "detractors": detractors}
    return {"n": sum(groups.values()), **groups, "nps": score(*groups.values())}


NOBODY = counts_of(0, 0, 0)
"""Counts where nobody answered."""


def arranged(weeks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The last week at the top, all weeks below it. Channels where nobody answered are left out. A window of one week
    is that week's named answers."""
    for found in weeks.values():
        found.setdefault("window", {"weeks": 1, **found["named"]["all"]})
        for kind in ("named", "open"):
            found[kind] = {name: counts for name, counts in sorted(found[kind].items()) if counts["n"] or name == "all"}
    last = weeks[max(weeks)]
    return {"named": last["named"], "open": last["open"], "weeks": weeks}


def flat(surveys: dict[str, Any]) -> dict[str, Any]:
    """One survey stands for itself; of several each stands under its name: scales are never pooled."""
    return next(iter(surveys.values())) if len(surveys) == 1 else {"surveys": surveys}


def tells(text: str) -> bool:
    """Whether a message holds a verdict or a tally: one that only promises what follows does not."""
    return is_headline(text) or any(_TALLY.match(line) for line in text.splitlines())


def read_line(line: str, into: dict[str, Any]) -> None:
    """Take the tally of one line of a report's details, if it has one."""
    found = _TALLY.match(line)
    if found is None:
        return
    counts = counts_of(int(found["promoters"]), int(found["passives"]), int(found["detractors"]))
    shown = None if found["nps"] == "–" else int(found["nps"])
    channel, openly = _CHANNEL.match(found["label"]), found["label"] in ("Open polls", "Sondages ouverts")
    fewest = FEWEST_TO_COMPARE if channel or openly else FEWEST
    if int(found["n"]) != counts["n"] or shown != (counts["nps"] if counts["n"] >= fewest else None):
        counts = {**counts, "n": int(found["n"]), "nps": shown}  # the post contradicts itself: let it show
    if _wrong_range(found):
        counts = {**counts, "range": [found["low"], found["high"]]}
    window = _WINDOW.match(found["label"])
    if channel is not None:
        kind = "open" if channel["kind"] in ("open", "ouvert") else "named"
        into[kind][channel["name"]] = counts
    elif found["label"] in ("Named answers", "Réponses nominatives"):
        into["named"]["all"] = counts
    elif openly:
        into["open"]["all"] = counts
    elif window is not None:
        into["window"] = {"weeks": int(window["weeks"] or window["semaines"]), **counts}


def _wrong_range(found: re.Match[str]) -> bool:
    """Whether a tally's range is not that of its counts, or missing beside a score."""
    if found["low"] is None:
        return found["nps"] != "–"
    groups = int(found["promoters"]), int(found["passives"]), int(found["detractors"])
    return not any(groups) or not is_range(int(found["low"]), int(found["high"]), *groups)


def differences(truth: dict[str, Any], posted: dict[str, Any]) -> tuple[int, int]:
    """How many answers the posts lack, and how many they have too many, over all weeks.

    Both are net per channel and group: an answer lost and another one doubled among the same channel's promoters cancel
    out, and an answer told under another channel or group is one lost and one too many.
    """
    lost = more = 0
    for survey, found in truth.items():
        for week, tallies in found["weeks"].items():
            for kind in ("named", "open"):
                said = posted[survey]["weeks"][week][kind]
                names = {*tallies[kind], *said} - {"all"}
                for group in ("promoters", "passives", "detractors"):
                    for name in names:
                        gap = tallies[kind].get(name, {}).get(group, 0) - said.get(name, {}).get(group, 0)
                        lost, more = lost + max(gap, 0), more + max(-gap, 0)
    return lost, more


def first_differences(truth: dict[str, Any], posted: dict[str, Any], most: int = 5) -> list[str]:
    """The first keys that differ, such as ``2026-W43 open x-poll: truth 12 (5/4/3), posted 10 (4/4/2)``: the number of
    answers, then promoters, passives and detractors."""
    found: list[str] = []
    for survey, surveyed in truth.items():
        for week, tallies in surveyed["weeks"].items():
            said = posted[survey]["weeks"][week]
            where = week if len(truth) == 1 else f"{survey} {week}"
            pairs = [("window", tallies["window"], said["window"])]
            for kind in ("named", "open"):
                for name in sorted({*tallies[kind], *said[kind]}):
                    pairs.append((f"{kind} {name}", tallies[kind].get(name, NOBODY), said[kind].get(name, NOBODY)))
            found += [f"{where} {name}: truth {_brief(a)}, posted {_brief(b)}" for name, a, b in pairs if a != b]
    return found if len(found) <= most else [*found[:most], f"and {len(found) - most} more numbers that differ"]


def wrong_widths(truth: dict[str, Any], posted: dict[str, Any]) -> list[str]:
    """Headlines that speak of other weeks than the rule says (docs/counting.md): in a survey's first quarter its first
    week settles it, give or take the few answers that came after its post."""
    found: list[str] = []
    for survey, its in truth.items():
        weeks = sorted(its["weeks"])
        first = its["weeks"][weeks[0]]["named"]["all"]["n"]
        in_first_quarter = [week for week in weeks if quarter(week) == quarter(weeks[0])]
        for n, week in enumerate(in_first_quarter, 1):
            allowed = {min(n, _width(share * first)) for share in (0.95, 1.0)}
            said = posted[survey]["weeks"][week]["window"]["weeks"]
            if said not in allowed:
                found.append(f"{survey} {week} speaks of {said} weeks, the rule of {sorted(allowed)}")
    return found


def _width(a_week: float) -> int:
    return next((weeks for weeks in (1, 4) if weeks * a_week >= ENOUGH), 13)


def _brief(counts: Counts) -> str:
    shown = f"{counts['n']} ({counts['promoters']}/{counts['passives']}/{counts['detractors']})"
    expected = counts_of(counts["promoters"], counts["passives"], counts["detractors"])
    if counts == expected:
        return shown
    return f"{shown} NPS {counts['nps']}" + (f" range {' to '.join(counts['range'])}" if "range" in counts else "")
