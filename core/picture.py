"""What stands in the picture of a weekly post, in the team's words: from its report and from what posts before it said.

Where no letters of ours can write a language (``core/png.py``), the picture speaks English.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date

from core.change import Verdict
from core.chart import Chart, Mark, Point, Share, draw
from core.message import Picture
from core.nps import nps, per_hundred
from core.report import FEWEST, Headline, WeekReport, headline
from core.saying import chance_range, groups, one_line, said
from core.words import Words, words_for

SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "ARABIC", "DEVANAGARI")
"""What the fonts have letters for."""

_UNWRITTEN = ("ja", "ko", "zh")


def picture(report: WeekReport, before: Iterable[Headline], language: str) -> Picture | None:
    """The picture of a post; ``before`` is what the posts before it said, the oldest first. ``None`` where there are
    too few answers for a score: then there is nothing to see."""
    tally = report.judged.total
    if tally.n < FEWEST:
        return None
    words = words_for("en" if language.partition("-")[0] in _UNWRITTEN else language)
    verdict = said(report.judged_change, words)
    lead = words("NPS {score}. {verdict}", score=nps(tally), verdict=verdict)
    now = headline(report)
    chart = Chart(
        title=" ".join(filter(None, [_writable(one_line(report.title)), "NPS"])),
        when=words("week of {day}", day=words.day(_monday(now.wave))),
        score=str(nps(tally)),
        beside=(words("chance range {range}", range=chance_range(tally, words)), _answers(report, words)),
        verdict=_writable(verdict),
        shares=tuple(map(Share, per_hundred(tally), groups(*per_hundred(tally), words))),
        points=_points([*(each for each in before if each.wave < now.wave), now], words),
        goal=Mark(words("Goal"), report.goal) if report.goal is not None else None,
        marks=tuple(Mark(_writable(one_line(mark.title)), mark.score) for mark in report.benchmarks),
        apart=words("not comparable"),
        footer=words("Followers who chose to answer, not all customers."),
    )
    return Picture(draw(chart), lead)


def _answers(report: WeekReport, words: Words) -> str:
    about = {"n": words.number(report.judged.total.n), "weeks": report.judged.weeks}
    if report.asks_openly_only:
        return words("{n} votes in open polls", **about)
    if report.judged.weeks == 1:
        return words("{n} answers, this week", **about)
    return words("{n} answers, last {weeks} weeks", **about)


def _points(said: list[Headline], words: Words) -> tuple[Point, ...]:
    """Posts in their order. Over several weeks one change makes a run of posts not comparable: the line breaks once."""
    apart = [each.verdict == Verdict.NOT_COMPARABLE for each in said]
    first = [its and not before for before, its in zip([False, *apart], apart, strict=False)]
    return tuple(
        Point(words.day(_monday(each.wave), short=True), each.score, each.low, each.high, breaks)
        for each, breaks in zip(said, first, strict=True)
    )


def _monday(week: str) -> date:
    year, number = week.split("-W")
    return date.fromisocalendar(int(year), int(number), 1)


def _writable(name: str) -> str:
    """A name of somebody's choice, without what the fonts cannot write; nothing where that leaves no letters of it."""
    kept = "".join(filter(_is_written, name))
    return " ".join(kept.split()) if any(map(str.isalnum, kept)) else ""


def _is_written(letter: str) -> bool:
    """Whether the fonts surely have it: letters of their scripts, and the punctuation that all scripts share."""
    if letter.isascii():
        return letter.isprintable()
    if unicodedata.category(letter)[0] in "LMN":
        return unicodedata.name(letter, "").startswith((*SCRIPTS, "COMBINING"))
    return unicodedata.category(letter)[0] in "PZ" and unicodedata.east_asian_width(letter) not in "WF"
