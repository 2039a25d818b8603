"""The weekly post: numbers in, words out. Pure; what is said here is said in the team's place.

Two messages. ``headline``: the verdict first, then one line per tally. ``channel_lines``: one line per channel. Both
are for people, and a tally is always one whole line of one shape, so that the numbers can be read back::

    Named answers: NPS 28 (chance range 21 to 34), n 412: promoters 210, passives 107, detractors 95

Numbers are plain digits with ``-`` as the minus sign, so that they survive a copy into a spreadsheet. Under
``FEWEST`` answers NPS is ``–`` (en dash): the counts are there, and ``nps`` of them is the score for who wants it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.ballot import Scale
from core.message import Line, Message, Part, Strong
from core.nps import Change, Tally, change, nps, rounded, score_range
from core.survey import Wave
from core.words import Words, words_for

FEWEST = 10
"""Under so many answers only the counts are said."""

FEWEST_TO_COMPARE = 30
"""Under so many answers in either week no change is read out of them: it would have to exceed 50 points to show."""

STEADY_POINTS = 5
NARROW_POINTS = 10
"""A change of at most ``STEADY_POINTS`` is steady when chance allows no more than ``NARROW_POINTS`` either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTally:
    """What one channel brought in one wave. A channel that brought both named and open answers has two of these."""

    channel: str
    """The channel's name in the settings."""
    open: bool
    """Whether these are totals of polls that name nobody."""
    tally: Tally
    nameless: int = 0
    """Votes that a poll counts and that we know nobody for, though it names its voters. They are in no tally."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekReport:
    """The numbers of one wave, ready to be said. Named and open tallies are never added to one another."""

    survey: str
    """The survey's name in the settings."""
    title: str
    """What the team calls it."""
    scale: Scale
    wave: Wave
    named: Tally
    """One answer per person, all channels."""
    named_before: Tally | None
    """The same of the wave before; ``None`` when there was none, or on another scale."""
    open: Tally | None
    """Totals of the polls that name nobody; ``None`` when the survey has no such channel."""
    open_before: Tally | None
    channels: tuple[ChannelTally, ...]
    weeks: int
    """How many waves the window counts back, this one included."""
    window: Tally
    """Named answers of the last ``weeks`` waves, each person once, with their latest."""
    was_due: str = ""
    """When it was due, where the team lives, if it is late."""
    absent: tuple[str, ...] = ()
    """Accounts that could not be read up to when it was due."""


def headline(report: WeekReport, language: str) -> Message:
    """The verdict, then the tallies it rests on: named answers, open polls apart from them, the last weeks together.

    At most 11 lines, each short. A survey that has only open polls is judged by these, and says so.
    """
    words = words_for(language)
    only_open = _asks_openly_only(report)
    parts: list[Part] = [
        Strong(_verdict(report, words)),
        Line(words("Week {week}, scale {scale}", week=report.wave.key, scale=report.scale.value)),
    ]
    if report.was_due:
        parts.append(Line(words("Late: it was due on {when}.", when=report.was_due)))
    if report.absent:
        names = ", ".join(map(_one_line, report.absent))
        parts.append(Line(words("Could not be read in time, so answers may be missing: {accounts}", accounts=names)))
    if only_open:
        parts.append(Line(words("This survey asks in open polls only, where one person may count twice.")))
    if report.named.n or not only_open:
        parts.append(Line(_score_line(words("Named answers"), report.named, words)))
        parts.extend(_change_line(words("Named answers"), report.named_before, report.named, words))
    if report.open is not None:
        parts.append(Line(_score_line(words("Open polls"), report.open, words)))
        parts.extend(_change_line(words("Open polls"), report.open_before, report.open, words))
    if report.weeks > 1 and (report.window.n or not only_open):
        label = words("Last {weeks} weeks, each person once", weeks=report.weeks)
        parts.append(Line(_score_line(label, report.window, words)))
    parts.append(Line(words("Followers who chose to answer, not all customers.")))
    return Message(tuple(parts))


def channel_lines(report: WeekReport, language: str) -> Message:
    """One line per channel and kind of answer, in the order of the report. Of any length: see ``split``."""
    words = words_for(language)
    parts: list[Part] = [
        Strong(words("{title}, week {week}, by channel", title=_one_line(report.title), week=report.wave.key))
    ]
    for channel in report.channels:
        kind = words("open") if channel.open else words("named")
        name = f"{_one_line(channel.channel)} ({kind})"
        parts.append(Line(_score_line(name, channel.tally, words)))
        if channel.nameless:
            parts.append(Line(words("{channel}, votes without a name: {n}", channel=name, n=channel.nameless)))
    return Message(tuple(parts))


def placeholder(report: WeekReport, language: str, *, first: bool) -> Message:
    """What stands in the place of a message of the report until it is edited into it: the ``first`` one or a later one.

    It reads sensibly alone, and above the message that it promises: it may be said twice, and one of them stay."""
    words = words_for(language)
    about = {"title": _one_line(report.title), "week": report.wave.key}
    if first:
        return Message((Line(words("{title}, week {week}: the score follows in the next message.", **about)),))
    return Message((Line(words("{title}, week {week}: the channels follow in the next message.", **about)),))


def split(message: Message, post_chars: int) -> tuple[Message, ...]:
    """The message in as many as it takes for each to be at most ``post_chars`` long; breaks between lines only.

    A single line that is longer still is cut and ends in "…". Buttons stay with the last message.
    """
    messages: list[Message] = []
    held: list[Part] = []
    for part in message.parts:
        if len(part.text) > post_chars:
            part = replace(part, text=part.text[: post_chars - 1] + "…")
        if held and len(Message((*held, part)).plain) > post_chars:
            messages.append(Message(tuple(held)))
            held = []
        held.append(part)
    return (*messages, Message(tuple(held), message.buttons))


def _score_line(label: str, tally: Tally, words: Words) -> str:
    """One tally on one line. The only place that says how."""
    counts = {
        "label": label,
        "n": tally.n,
        "promoters": tally.promoters,
        "passives": tally.passives,
        "detractors": tally.detractors,
    }
    score, bounds = nps(tally), score_range(tally)
    if score is None or bounds is None or tally.n < FEWEST:
        return words(
            "{label}: NPS –, n {n}: promoters {promoters}, passives {passives}, detractors {detractors}", **counts
        )
    return words(
        "{label}: NPS {score} (chance range {low} to {high}), "
        "n {n}: promoters {promoters}, passives {passives}, detractors {detractors}",
        score=score,
        low=rounded(bounds[0]),
        high=rounded(bounds[1]),
        **counts,
    )


def _change_line(label: str, before: Tally | None, now: Tally, words: Words) -> Iterable[Line]:
    """The change in points with its range, where both weeks have enough answers to speak of one."""
    seen = _seen(before, now)
    if seen is not None:
        yield Line(
            words(
                "{label}, change on the week before: {delta} (chance range {low} to {high})",
                label=label,
                delta=f"{seen.delta:+d}",
                low=f"{seen.low:+d}",
                high=f"{seen.high:+d}",
            )
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    """A change as it is said, in whole points, so that words and numbers agree."""

    delta: int
    """Difference of the two scores as posted: who looks up last week's post finds the same."""
    low: int
    high: int

    @property
    def clear(self) -> bool:
        """Whether chance alone rarely does this."""
        return self.delta != 0 and (self.low > 0 or self.high < 0)

    @property
    def steady(self) -> bool:
        return abs(self.delta) <= STEADY_POINTS and max(-self.low, self.high) <= NARROW_POINTS


def _seen(before: Tally | None, now: Tally) -> _Seen | None:
    """The change to speak of; ``None`` without two weeks of enough answers."""
    if before is None or min(before.n, now.n) < FEWEST_TO_COMPARE:
        return None
    found: Change | None = change(before, now)
    old, new = nps(before), nps(now)
    if found is None or old is None or new is None:
        return None
    return _Seen(new - old, rounded(found.low), rounded(found.high))


def _asks_openly_only(report: WeekReport) -> bool:
    """Whether every channel is an open poll; what a person wrote in addition there does not change that."""
    with_polls = {channel.channel for channel in report.channels if channel.open}
    return report.open is not None and all(channel.channel in with_polls for channel in report.channels)


def _verdict(report: WeekReport, words: Words) -> str:
    """One line: the score and what may be made of its change. Few answers give no score here."""
    title = _one_line(report.title)
    only_open = _asks_openly_only(report)
    now, before = (report.open, report.open_before) if only_open else (report.named, report.named_before)
    score = nps(now) if now is not None else None
    if now is None or score is None:
        return words("{title}: no answers yet", title=title)
    if now.n < FEWEST:
        return words("{title}: too few answers for a score, n {n}", title=title, n=now.n)
    verdict = _compared(before, now, words)
    if only_open:
        return words("{title}, open polls: NPS {score}. {verdict}", title=title, score=score, verdict=verdict)
    return words("{title}: NPS {score}. {verdict}", title=title, score=score, verdict=verdict)


def _compared(before: Tally | None, now: Tally, words: Words) -> str:
    """What may be made of the change, in a sentence."""
    if before is None or not before.n:
        return words("No week before to compare with.")
    seen = _seen(before, now)
    if seen is None:
        return words("Too few to compare with the week before.")
    points = abs(seen.delta)
    if seen.clear and seen.delta > 0:
        return words("Up {points} on the week before: chance alone rarely does this.", points=points)
    if seen.clear:
        return words("Down {points} on the week before: chance alone rarely does this.", points=points)
    if seen.steady:
        return words("Steady against the week before.")
    if seen.delta == 0:
        return words("The same as the week before. Could be chance.")
    if seen.delta > 0:
        return words("Up {points} on the week before. Could be chance.", points=points)
    return words("Down {points} on the week before. Could be chance.", points=points)


def _one_line(name: str) -> str:
    """A name from the settings as one line: it must not look like a line of ours."""
    return " ".join(name.split())
