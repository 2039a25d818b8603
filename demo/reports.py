"""Which report a message in a team's place belongs to, told by its first line alone, as a person tells it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.routes import Team
from core.survey import Survey, previous_wave, week_wave
from demo.readback import WEEK, tells
from sandbox.ledger import put
from sandbox.seam import Post

_PlaceName = tuple[str, str]
"""Account and place."""


@dataclass(frozen=True, slots=True)
class ReportPart:
    """A message of a report. A part that was split for its length arrives as a beginning and its continuations."""

    survey: str
    team: str
    week: str
    part: str
    """``headline`` or ``details``."""
    text: str
    begins: bool = True

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What arrives once: (survey, team, week, part)."""
        return (self.survey, self.team, self.week, self.part)


class Reports:
    """The reports that teams may get."""

    def __init__(self, surveys: Mapping[str, Survey], teams: Mapping[str, Team]) -> None:
        self._surveys = surveys
        self._titles: defaultdict[_PlaceName, dict[str, list[tuple[str, str]]]] = defaultdict(dict)
        for survey in surveys.values():
            for name in survey.teams:
                place = (teams[name].account, teams[name].place)
                self._titles[place].setdefault(survey.brand, []).append((survey.name, name))

    def ambiguous(self) -> list[str]:
        """Reports that nobody could tell apart, because they go to one place under one title."""
        return [
            f"{account} {place}: the reports of {' and '.join(f'{s} to {t}' for s, t in owners)} cannot be told apart"
            for (account, place), titles in self._titles.items()
            for owners in titles.values()
            if len(owners) > 1
        ]

    def read(self, posts: Iterable[Post]) -> Iterator[ReportPart]:
        """The parts of reports, in the order in which they arrived. Ambiguous ones are left out. Of a post that was
        edited only the last words are read, in its first place."""
        last: dict[_PlaceName, ReportPart] = {}
        standing: list[Post] = []
        for post in posts:
            put(standing, post)
        for post in standing:
            place = (post.account, post.place)
            if post.to is not None or post.options or place not in self._titles:
                continue
            part = self._beginning(self._titles[place], post)
            if part is None and place in last and WEEK.search(post.text) is None:
                before = last[place]
                part = ReportPart(before.survey, before.team, before.week, before.part, post.text, begins=False)
            if part is not None:
                last[place] = part
                yield part

    def _beginning(self, titles: Mapping[str, list[tuple[str, str]]], post: Post) -> ReportPart | None:
        text = post.text
        first, told = text.split("\n", 1)[0], WEEK.search(text)
        fitting = [title for title in titles if _follows(first, title)]
        if not fitting or len(titles[max(fitting, key=len)]) != 1:
            return None
        if told is None and not tells(text):
            return None
        title = max(fitting, key=len)
        ((survey, team),) = titles[title]
        part = "headline" if re.match(rf"{re.escape(title)}\s?:", first) else "details"
        week = told[1] if told is not None else self._last_week(survey, post)
        return ReportPart(survey, team, week, part, text)

    def _last_week(self, survey: str, post: Post) -> str:
        """The week before a post's own: of which it is, where it does not say."""
        its = self._surveys[survey]
        return previous_wave(its, week_wave(its, post.at)).key


def wrong_arrivals(found: Iterable[ReportPart], lived: Mapping[str, Iterable[str]]) -> list[str]:
    """Messages that arrived more than once, and reports of weeks that were not lived to their end."""
    parts = list(found)
    begun = Counter(part.key for part in parts if part.begins)
    more = Counter((*part.key, part.text) for part in parts if not part.begins)
    return [
        *(f"report {' '.join(key)} arrived {n} times" for key, n in begun.items() if n != 1),
        *(f"report {' '.join(key[:4])}: a continuation arrived {n} times" for key, n in more.items() if n != 1),
        *(f"report {' '.join(key)} was not due" for key in begun if key[2] not in lived[key[0]]),
    ]


def _follows(line: str, title: str) -> bool:
    """Whether the line begins with this very title: French puts a space before its colon."""
    return re.match(rf"{re.escape(' '.join(title.split()))}\s?[:,]", line) is not None
