"""Surveys and their waves: which question is asked, and when a wave opens, closes, freezes and is reported.

A wave is one ISO week in the survey's zone, from Monday 00:00 to the next Monday 00:00, local time. Weeks in which
the clocks change have 167 or 169 hours. Everything here goes in and comes out as aware UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from core.ballot import Scale
from core.reasons import Theme
from core.words import words_for

FREEZE = timedelta(hours=24)
"""How long after the close of its wave a response may still change."""

TEXTS = (
    *("thanks_promoter", "thanks_passive", "thanks_detractor"),
    *("reason_promoter", "reason_passive", "reason_detractor", "reward", "referral"),
    *("help", "stop", "privacy"),
)
"""What a brand may say in words of its own."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_KEY = re.compile(r"([0-9]{4})-W([0-9]{2})")
_MOMENT = re.compile(rf"({'|'.join(_DAYS)}) ([01][0-9]|2[0-3]):([0-5][0-9])")
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Somebody else's score, to compare with: a competitor's, the sector's."""

    title: str
    score: int
    """-100 to 100."""
    source: str = ""
    """Who says so."""
    on: date | None = None
    """When."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A question, its scale, and where it is asked and reported, as settled in the settings."""

    name: str
    """Its name in the settings: part of every key, never shown to followers."""
    brand: str
    """The brand's name as followers know it."""
    scale: Scale = Scale.ZERO_TO_TEN
    zone: str = "UTC"
    """IANA name of the zone whose weeks are the waves. Raises ``ValueError`` when there is no such zone."""
    languages: tuple[str, ...] = ("en",)
    """Languages the brand speaks, as BCP 47 tags, the first one where nothing better is known."""
    questions: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The question by language, where the brand has words of its own."""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    """The brand's own words by what they say (``TEXTS``) and language."""
    ask: str = "Mon 10:00"
    """Day and local time of the week at which the question is asked, in the survey's zone. Raises ``ValueError`` unless
    spelled as ``report_due`` wants it."""
    channels: tuple[str, ...] = ()
    """Names of the channels where it is asked."""
    teams: tuple[str, ...] = ()
    """Names of the teams that get the report."""
    themes: tuple[Theme, ...] = ()
    """What people write about, as the team names it."""
    window_weeks: int | None = None
    """Over how many weeks the headline's score is taken; ``None``: as ``core/periods.py`` chooses."""

    goal: int | None = None
    """The score that the team wants to reach, -100 to 100."""
    benchmarks: tuple[Benchmark, ...] = ()
    """Scores of others to compare with."""

    def __post_init__(self) -> None:
        if not self.languages:
            raise ValueError("a survey needs at least one language")
        zone_of(self.zone)
        _day_and_time(self.ask)

    def speaks(self, language: str | None) -> str:
        """The survey's language for somebody whose platform tells ``language``: that, its parent, else the first."""
        spoken = {tag.casefold(): tag for tag in reversed(self.languages)}
        tag = (language or "").casefold()
        while tag and tag not in spoken:
            tag = tag.rpartition("-")[0]
        return spoken.get(tag, self.languages[0])

    def own(self, what: str, language: str) -> str | None:
        """The brand's own words, one of ``TEXTS``, in a language that it speaks."""
        said = self.texts.get(what, {}).get(language)
        return said.replace("{brand}", self.brand) if said is not None else None

    def question(self, language: str | None = None) -> str:
        """The recommend question in the language that fits best, in the brand's words or else in ours."""
        spoken = self.speaks(language)
        words = words_for(spoken)
        return self.questions.get(spoken) or words(
            "How likely are you to recommend {brand} to a friend or colleague? "
            "{lowest} = not at all likely, 10 = extremely likely",
            brand=self.brand,
            lowest=self.scale.lowest,
        )


@dataclass(frozen=True, slots=True)
class Wave:
    """One period of asking, ``[opens_at, closes_at)``; both aware and UTC."""

    survey: str
    """The survey's name."""
    key: str
    """Its ISO week, such as ``2026-W47``."""
    opens_at: datetime
    closes_at: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.opens_at <= moment < self.closes_at


def zone_of(name: str) -> ZoneInfo:
    """The time zone with this IANA name. Raises ``ValueError`` when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}: write an IANA name such as 'Europe/Paris'") from None


def week_wave(survey: Survey, moment: datetime) -> Wave:
    """The wave that ``moment`` (aware) lies in."""
    local = moment.astimezone(zone_of(survey.zone)).date()
    monday = local - timedelta(days=local.weekday())
    # Clocks set back over midnight can bring Sunday back after Monday began: the week's first midnight counts.
    if _midnight(survey.zone, monday + _WEEK) <= moment:
        monday += _WEEK
    elif moment < _midnight(survey.zone, monday):
        monday -= _WEEK
    return _wave(survey, monday)


def wave_by_key(survey: Survey, key: str) -> Wave:
    """The wave with this key. Raises ``ValueError`` when no ISO week is called so."""
    found = _KEY.fullmatch(key)
    try:
        if found is None:
            raise ValueError(key)
        return _wave(survey, date.fromisocalendar(int(found[1]), int(found[2]), 1))
    except (ValueError, OverflowError):
        raise ValueError(f"{key!r} is no week: write year and ISO week such as '2026-W47'") from None


def next_wave(survey: Survey, wave: Wave) -> Wave:
    """The wave that opens when this one closes."""
    return week_wave(survey, wave.closes_at)


def previous_wave(survey: Survey, wave: Wave) -> Wave:
    """The wave that closed when this one opened."""
    return week_wave(survey, wave.opens_at - timedelta(microseconds=1))


def freezes_at(wave: Wave) -> datetime:
    """When the responses of a wave stop changing: 24 hours after its close."""
    return wave.closes_at + FREEZE


def report_due(wave: Wave, when: str, zone: str) -> datetime:
    """The first local moment ``when`` (``Mon 09:00``, 24 hours) in ``zone`` at or after the close of the wave, in UTC.

    A time that the clocks jump over is due at the jump; one that comes twice is due the first time that it can be.
    Raises ``ValueError`` for any other spelling: a day is a name, because numbers start at Sunday for some.
    """
    there = zone_of(zone)
    weekday, clock = _day_and_time(when)
    start = wave.closes_at.astimezone(there).date()
    start += timedelta(days=(weekday - start.weekday()) % 7)
    days = (start + week * _WEEK for week in (-1, 0, 1))
    moments = (m for day in days for m in _moments(datetime.combine(day, clock), there))
    return min(moment for moment in moments if moment >= wave.closes_at)


def _day_and_time(when: str) -> tuple[int, time]:
    found = _MOMENT.fullmatch(when)
    if found is None:
        raise ValueError(f"{when!r} is no moment of the week: write a day and a 24-hour time such as 'Mon 09:00'")
    return _DAYS.index(found[1]), time(int(found[2]), int(found[3]))


def _wave(survey: Survey, monday: date) -> Wave:
    year, week, _ = monday.isocalendar()
    opens_at, closes_at = _midnight(survey.zone, monday), _midnight(survey.zone, monday + _WEEK)
    return Wave(survey.name, f"{year:04}-W{week:02}", opens_at, closes_at)


@lru_cache(maxsize=1024)
def _midnight(zone: str, day: date) -> datetime:
    return _moments(datetime.combine(day, time()), zone_of(zone))[0]


def _moments(local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When clocks in ``zone`` show ``local`` (naive): first and last time, mostly the same; in a gap twice its end."""
    first, last = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= last:
        return first, last
    # The clocks jump over it (PEP 495: then fold=1 lies before the jump, fold=0 after it): find the jump.
    before, after = last, first
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).replace(tzinfo=None) >= local:
            after = middle
        else:
            before = middle
    return after, after
