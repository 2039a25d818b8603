"""What the weekly post asks of its team: who waits for an answer, what became of the last fix, who owns the next. Pure.

One fix, one owner, one date. The fix is what most unhappy people name; a theme of the team's, or their own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.cases import Teammate, waited
from core.message import Button, Line, Part, Quote
from core.saying import one_line
from core.words import Words

DECIDE = timedelta(hours=24)
"""So long a team has to choose who owns a fix, and then until noon."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The fix of one week."""

    survey: str
    wave: str
    team: str
    title: str
    """What is to be fixed. In quotation marks where these are people's own words."""
    proposed_at: datetime
    owner: str = ""
    """The platform's id; empty while nobody owns it."""
    owner_name: str = ""
    done_at: datetime | None = None

    @property
    def owner_shown(self) -> str:
        """The owner as they are named in a message."""
        return Teammate("", self.owner, self.owner_name).shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """What a post asks of its team."""

    waiting: int = 0
    """How many people wait for an answer."""
    oldest: timedelta = timedelta(0)
    """How long the first of them has waited."""
    last: Decision | None = None
    """The fix of the week before."""
    fix: str = ""
    """What this week's is about."""
    by: date | None = None
    """By the noon of which day somebody is to own it."""
    zone: str = "UTC"
    buttons: tuple[Button, ...] = ()


def decide_by(proposed_at: datetime, zone: str) -> datetime:
    """The first noon, where the team lives, once ``DECIDE`` is over."""
    over = (proposed_at + DECIDE).astimezone(ZoneInfo(zone))
    noon = datetime.combine(over.date(), time(12), over.tzinfo)
    return noon if over <= noon else datetime.combine(over.date() + timedelta(days=1), time(12), over.tzinfo)


def lines(agenda: Agenda, words: Words) -> tuple[Part, ...]:
    """As they stand in the post: none, up to three."""
    found: list[Part] = []
    if agenda.waiting:
        since = waited(agenda.oldest, words)
        line = words("People who wait for our answer: {n}; the first for {waited}.", n=agenda.waiting, waited=since)
        found.append(Line(line))
    if agenda.last is not None:
        found.append(part(_became(agenda.last, agenda.zone, words), agenda.last.title))
    if agenda.fix and agenda.by is not None:
        line = words(
            "This week: who owns {title}? Choose by {day} noon.", title=agenda.fix, day=words.weekday(agenda.by)
        )
        found.append(part(line, agenda.fix))
    return tuple(found)


def part(line: str, title: str) -> Part:
    """A line about a fix: where people's own words are in it, it is a quotation."""
    return Quote(line) if title.startswith("“") else Line(line)


def _became(last: Decision, zone: str, words: Words) -> str:
    about = {"title": one_line(last.title), "owner": last.owner_shown}
    if not last.owner:
        return words("Last week: nobody took {title}.", title=about["title"])
    if last.done_at is None:
        return words("Last week: {owner}, {title}, not done yet.", **about)
    day = words.weekday(last.done_at.astimezone(ZoneInfo(zone)).date())
    return words("Last week: {owner}, {title}, done on {day}.", **about, day=day)
