"""What each team was told, held against the ledger: one team's wrong number is not made good by another's right one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from demo.headlines import contradictions, weeks_of
from demo.readback import (
    arranged,
    counts_of,
    differences,
    first_differences,
    flat,
    read_line,
    tells,
    wrong_widths,
)
from demo.reports import ReportPart
from sandbox.ledger import Count, Ledger

Tallies = dict[str, dict[str, Any]]
"""By whose post (its survey and team), its tallies as ``readback.arranged`` has them."""


class Judge:
    """``teams`` by survey, each with whether it is told the details; ``lived`` the weeks of each survey. Expected is
    what had to be posted given what was misread: ``understood`` is the ledger as it was read."""

    def __init__(
        self,
        found: Iterable[ReportPart],
        teams: Mapping[str, Mapping[str, bool]],
        lived: Mapping[str, Sequence[str]],
        ledger: Ledger,
        understood: Ledger,
    ) -> None:
        self._found = list(found)
        self._first: dict[str, str] = {}
        self.posted: Tallies = {}
        self.truth: Tallies = {}
        self.expected: Tallies = {}
        for survey, weeks in lived.items():
            its = sorted(teams[survey], key=lambda team: not teams[survey][team]) or [""]
            self._first[survey] = _name(survey, its[0])
            widths: dict[str, int] = {}
            for team in its:
                name, posted = _name(survey, team), self._posted(survey, team, weeks)
                if told := teams[survey].get(team, True):
                    widths = {week: tallies["window"]["weeks"] for week, tallies in posted["weeks"].items()}
                else:
                    widths = widths | self._widths(survey, team)
                self.truth[name] = _truth(ledger, survey, weeks, widths)
                self.expected[name] = _truth(understood, survey, weeks, widths)
                self.posted[name] = posted if told else self.expected[name]
        self.lost, self.doubled = differences(self.expected, self.posted)

    def first(self, tallies: Tallies) -> dict[str, Any]:
        """Those of one team for each survey, the first that is told the details; a single survey's stand alone."""
        return flat({survey: tallies[name] for survey, name in self._first.items()})

    def faults(self) -> list[str]:
        """What is wrong with the numbers, one sentence each."""
        return [
            *first_differences(self.expected, self.posted),
            *self._headlines(),
            *wrong_widths(self.truth, self.posted),
        ]

    def _posted(self, survey: str, team: str, weeks: Iterable[str]) -> dict[str, Any]:
        """What a team's details say."""
        tallies: dict[str, dict[str, Any]] = {
            week: {"named": {"all": counts_of(0, 0, 0)}, "open": {"all": counts_of(0, 0, 0)}} for week in weeks
        }
        for part in self._of(survey, team, "details"):
            if part.week in tallies:
                for line in part.text.splitlines():
                    read_line(line, tallies[part.week])
        return arranged(tallies)

    def _headlines(self) -> list[str]:
        """First messages that say something else than is true, given what was misread."""
        return [
            f"{name} {part.week}: the first message is wrong: {wrong}"
            for part in self._found
            if part.part == "headline" and part.begins and tells(part.text)
            for name in [_name(part.survey, part.team)]
            if part.week in self.expected[name]["weeks"]
            for wrong in contradictions(part.text, self.expected[name]["weeks"][part.week])
        ]

    def _widths(self, survey: str, team: str) -> dict[str, int]:
        """By week, of how many weeks a team's first message speaks."""
        firsts = self._of(survey, team, "headline")
        return {part.week: weeks for part in firsts if (weeks := weeks_of(part.text)) is not None}

    def _of(self, survey: str, team: str, part: str) -> list[ReportPart]:
        return [its for its in self._found if (its.survey, its.team, its.part) == (survey, team, part)]


def _name(survey: str, team: str) -> str:
    return f"{survey} {team}"


def _truth(ledger: Ledger, survey: str, weeks: Sequence[str], widths: Mapping[str, int]) -> dict[str, Any]:
    """What is true, over as many weeks as each post speaks of: that is its own choice."""
    tallies: dict[str, dict[str, Any]] = {}
    for index, week in enumerate(weeks):
        found, width = ledger.truth(survey, week), widths.get(week, 1)
        window = ledger.window(survey, weeks[max(0, index + 1 - width) : index + 1])
        tallies[week] = {
            "named": {name: _counts(count) for name, count in found.named.items()},
            "open": {name: _counts(count) for name, count in found.open.items()},
            "window": {"weeks": width, **_counts(window)},
        }
    return arranged(tallies)


def _counts(count: Count) -> dict[str, Any]:
    return counts_of(count.promoters, count.passives, count.detractors)
