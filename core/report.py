"""The weekly post: numbers in, words out. Pure; what is said here is said in the team's place.

The first message is understood in twenty seconds by somebody who never heard of NPS: the verdict, how much chance there
is in it, and what it means in a hundred people. ``core/details.py`` says what each number came from.

Numbers are plain digits with ``-`` as the minus sign, so that they survive a copy into a spreadsheet. Under ``FEWEST``
answers there are counts and no score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.agenda import Agenda, lines
from core.ballot import Scale
from core.change import CLEAR, FEWEST_TO_COMPARE, VERY_CLEAR, Comparison, Period, Verdict, Why, compare
from core.message import Line, Message, Part, Quote, Strong
from core.nps import Tally, nps, per_hundred, rounded, score_range
from core.quotes import Quoted
from core.reasons import Reason
from core.saying import chance_range, groups, one_line, reason_part, said
from core.survey import Benchmark, Wave
from core.words import Words, words_for

FEWEST = 10
"""Under so many answers only the counts are said."""

MOST_LINES = 12
"""Lines of the first message."""


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


@dataclass(frozen=True, slots=True)
class Movement:
    """The same people in two weeks."""

    both: int
    """How many answered in both."""
    up: int
    down: int
    """How many gave a higher or a lower score; of bands that overlap nobody can tell."""
    won: int
    """How many of them were unhappy and are glad now."""


@dataclass(frozen=True, slots=True)
class Headline:
    """What the first line of a post says, to be held against later ones. Score and range are ``None`` under ten
    answers."""

    wave: str
    score: int | None
    low: int | None
    high: int | None
    verdict: str
    width: int = 0
    """How many weeks it was to speak of, where that was asked for."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A score that was posted, and what it is now."""

    posted: int
    now: int
    change: Comparison | None = None
    """What may be made of its change now, where the score hardly moved and that is not what was posted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekReport:
    """The numbers of one wave, ready to be said. Named and open tallies are never added to one another."""

    survey: str
    """The survey's name in the settings."""
    title: str
    """What the team calls it."""
    scale: Scale
    wave: Wave
    width: int
    """How many weeks the headline is to speak of; where some of them were not asked, ``window`` has fewer."""
    window: Period
    """Named answers of the weeks that the headline speaks of, this wave's the last of them."""
    window_before: Period
    """The same of as many weeks before those."""
    week: Period
    """Named answers of this wave alone."""
    week_before: Period
    open: Period | None
    """Totals of this wave's polls that name nobody; ``None`` when the survey has no such channel."""
    open_before: Period | None
    channels: tuple[ChannelTally, ...]
    """This wave's, in the order of the settings; also those where nobody answered."""
    reasons: tuple[Reason, ...] = ()
    """What this wave's unhappy people name, the most named first."""
    quotes: tuple[Quoted, ...] = ()
    movement: Movement | None = None
    """How those moved who answered in this week and in the one before."""
    wrote: Mapping[str, int] = field(default_factory=dict[str, int])
    """By channel, how many people who answered also wrote."""
    invited: Mapping[str, int] = field(default_factory=dict[str, int])
    """By channel, how many people were invited by direct message."""
    agenda: Agenda | None = None
    """What is asked of the team; ``None`` where nobody could do it."""
    correction: Correction | None = None
    """What later answers made of the post of the week before, where it is worth saying."""
    goal: int | None = None
    """The score that the team wants to reach."""
    benchmarks: tuple[Benchmark, ...] = ()
    """Scores of others to compare with."""
    rescaled: bool = False
    """Whether the weeks before were asked on another scale: they are in none of these numbers."""
    was_due: str = ""
    """When it was due, where the team lives, if it is late."""
    absent: tuple[str, ...] = ()
    """Accounts that could not be read up to when it was due."""

    @property
    def asks_openly_only(self) -> bool:
        """Whether every channel is an open poll; what a person wrote in addition there does not change that."""
        with_polls = {channel.channel for channel in self.channels if channel.open}
        return self.open is not None and all(channel.channel in with_polls for channel in self.channels)

    @property
    def judged(self) -> Period:
        """The answers that the verdict speaks of: the window's, or the open polls' where there is nothing else."""
        return self.open if self.open is not None and self.asks_openly_only else self.window

    @property
    def judged_change(self) -> Comparison:
        """What may be made of their change."""
        return self.open_change if self.asks_openly_only else self.window_change

    @property
    def window_change(self) -> Comparison:
        """What may be made of the window's named answers against those of the weeks before."""
        return self._compared(self.window_before, self.window, CLEAR)

    @property
    def week_change(self) -> Comparison:
        """What may be made of this week's named answers against those of the week before."""
        return self._compared(self.week_before, self.week, CLEAR if self.window.weeks == 1 else VERY_CLEAR)

    @property
    def open_change(self) -> Comparison:
        """What may be made of this week's open polls against those of the week before."""
        return self._compared(self.open_before, self.open or _NOTHING, CLEAR if self.asks_openly_only else VERY_CLEAR)

    def _compared(self, before: Period | None, now: Period, confidence: float) -> Comparison:
        found = compare(before, now, confidence)
        if found.verdict is Verdict.NOTHING_BEFORE and self.rescaled:
            return Comparison(verdict=Verdict.NOT_COMPARABLE, why=Why.SCALE)
        return found


_NOTHING = Period(weeks=1, channels={})


def headline(report: WeekReport) -> Headline:
    """What a report says in its first line."""
    tally, verdict = report.judged.total, str(report.judged_change.verdict)
    bounds = score_range(tally)
    if bounds is None or tally.n < FEWEST:
        return Headline(report.wave.key, None, None, None, verdict)
    return Headline(report.wave.key, nps(tally), rounded(bounds[0]), rounded(bounds[1]), verdict)


def first_message(report: WeekReport, language: str, advice: Mapping[str, str] | None = None) -> Message:
    """The verdict first, then what it rests on; at most twelve short lines. A week in which hardly anybody answered has
    two. A survey that has only open polls is judged by these, and says so. ``advice`` is what the team wants to be told
    by ``level`` of its score."""
    words = words_for(language)
    parts: list[Part] = [Strong(_verdict_line(report, words)), *_warnings(report, words)]
    if _is_quiet(report):
        return Message((*parts, Line(words("A quiet week ({week}), new answers: {n}.", **_week(report)))))
    if report.asks_openly_only:
        parts.append(Line(words("This survey asks in open polls only, where one person may count twice.")))
    parts.extend(map(Line, _of_a_hundred(report.judged.total, words)))
    parts.extend(map(Line, _plainly(report.judged_change, words)))
    parts.extend(map(Line, _week_alone(report, words)))
    if report.open is not None and not report.asks_openly_only:
        parts.append(Line(_open_line(report.open.total, words)))
    parts.extend(reason_part(reason, words) for reason in report.reasons[:1])
    parts.extend(Quote(quoted.line) for quoted in report.quotes)
    own = (advice or {}).get(level(report), "")
    asked = lines(report.agenda, words) if report.agenda is not None else ()
    told = [*asked, *([Line(one_line(own))] if own else [])]
    del parts[MOST_LINES - 1 - len(told) :]  # where much is to be said, nobody is quoted
    parts += told
    parts.append(Line(words("Followers who chose to answer, not all customers.")))
    return Message(tuple(parts), report.agenda.buttons if report.agenda is not None else ())


LOW, HIGH = 0, 50
"""Under the one a score is low, from the other on it is high."""


def level(report: WeekReport) -> str:
    """``low``, ``middle`` or ``high``; empty where there is no score."""
    score, n = nps(report.judged.total), report.judged.total.n
    if score is None or n < FEWEST:
        return ""
    return "low" if score < LOW else "high" if score >= HIGH else "middle"


def placeholder(report: WeekReport, language: str, *, first: bool) -> Message:
    """What stands in the place of a message of the report until it is edited into it: the ``first`` one or a later one.

    It reads sensibly alone, and above the message that it promises: it may be said twice, and one of them stay."""
    words = words_for(language)
    about = {"title": one_line(report.title), "week": report.wave.key}
    if first:
        return Message((Line(words("{title}, week {week}: the score follows in the next message.", **about)),))
    return Message((Line(words("{title}, week {week}: the details follow in the next message.", **about)),))


def _verdict_line(report: WeekReport, words: Words) -> str:
    """What a phone shows of it: the score and what may be made of its change. Few answers give no score."""
    tally, weeks, title = report.judged.total, report.judged.weeks, one_line(report.title)
    about = {"title": title, "weeks": weeks, "n": tally.n, "score": nps(tally), "week": report.wave.key}
    if not tally.n:
        return words("{title}: no answers yet, week {week}", **about)
    if tally.n < FEWEST:
        return words("{title}: too few answers for a score, n {n}, week {week}", **about)
    about["verdict"] = said(report.judged_change, words)
    if report.asks_openly_only:
        return words("{title}: NPS {score} in open polls, week {week}. {verdict}", **about)
    if weeks == 1:
        return words("{title}: NPS {score}, week {week}. {verdict}", **about)
    return words("{title}: NPS {score}, last {weeks} weeks. {verdict}", **about)


def _warnings(report: WeekReport, words: Words) -> Iterable[Line]:
    if report.was_due:
        yield Line(words("Late: it was due on {when}.", when=report.was_due))
    if report.correction is not None:
        about = {"posted": report.correction.posted, "now": report.correction.now}
        changed = report.correction.change
        if changed is None:
            yield Line(words("Correction: last week {posted}, now {now}.", **about))
        else:
            yield Line(words("Correction to last week's post: {verdict}", verdict=said(changed, words)))
    if report.absent:
        names = ", ".join(map(one_line, report.absent))
        yield Line(words("Could not be read in time, so answers may be missing: {accounts}", accounts=names))


def _is_quiet(report: WeekReport) -> bool:
    """Whether hardly anybody answered this week, and less than half of the usual, though the weeks give a score."""
    votes = report.open.total.n if report.open is not None else 0
    few = max(report.week.total.n, votes) < FEWEST <= report.window.total.n
    unusual = 2 * report.week.total.n * report.window.weeks < report.window.total.n
    return few and unusual and report.window.weeks > 1 and not report.asks_openly_only


def _of_a_hundred(tally: Tally, words: Words) -> Iterable[str]:
    if not tally.n:
        return
    if tally.n < FEWEST:
        promoters, passives, detractors = tally.promoters, tally.passives, tally.detractors
        lead = words("Of {n}", n=tally.n)
    else:
        yield words("{n} answers, chance range {range}.", n=words.number(tally.n), range=chance_range(tally, words))
        promoters, passives, detractors = per_hundred(tally)
        lead = words("Of {n}", n=100)
    gladly, lukewarm, would_not = groups(promoters, passives, detractors, words)
    about = {"lead": lead, "gladly": gladly, "lukewarm": lukewarm, "would_not": would_not}
    yield words("{lead}: {gladly}, {lukewarm}, {would_not}.", **about)


def _plainly(found: Comparison, words: Words) -> Iterable[str]:
    """How the plain score moved, where that would be read otherwise."""
    apart = abs(found.delta - found.plain) > 2 or found.delta * found.plain < 0
    if found.measured and apart:
        about = {"plain": f"{found.plain:+d}"}
        yield words("The plain score moved by {plain}, because other channels were busy.", **about)


def _week_alone(report: WeekReport, words: Words) -> Iterable[str]:
    """This week's named answers, where the line above speaks of others."""
    tally = report.week.total
    if report.asks_openly_only and not tally.n:
        return
    if report.asks_openly_only:
        yield words("Named answers, kept apart: {n}.", n=words.number(tally.n))
    elif report.window.weeks > 1 and tally.n < FEWEST:
        yield words("This week alone ({week}), answers: {n}. Too few for a score.", **_week(report))
    elif report.window.weeks > 1:
        about = {**_week(report), "score": nps(tally), "verdict": said(report.week_change, words)}
        yield words("This week alone ({week}): {score} from {n} answers. {verdict}", **about)


def _open_line(tally: Tally, words: Words) -> str:
    """The polls that anybody may vote in; a score of theirs from ``FEWEST_TO_COMPARE`` votes on."""
    n = words.number(tally.n)
    if tally.n < FEWEST_TO_COMPARE:
        return words("Open polls, anyone can vote, kept apart. Votes: {n}, too few for a score.", n=n)
    return words("Open polls, anyone can vote, kept apart: {score} ({n} votes).", score=nps(tally), n=n)


def _week(report: WeekReport) -> dict[str, object]:
    return {"week": report.wave.key, "n": report.week.total.n}
