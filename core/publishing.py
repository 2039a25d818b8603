"""The weekly post: from the store's numbers to its messages, planned once per survey, wave and team."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import median

from core.account import Limits
from core.buttons import Seal
from core.change import Period
from core.details import details
from core.fitting import shortened, split
from core.message import Message
from core.nps import Band, Tally
from core.periods import WIDTHS, quarter_begins, width_of
from core.picture import picture
from core.proposing import agenda, propose
from core.quotes import Quoted, quotes
from core.reasons import Reason, Voice, reasons, voices
from core.report import (
    ChannelTally,
    Correction,
    Headline,
    Movement,
    WeekReport,
    first_message,
    headline,
    placeholder,
)
from core.routes import Team
from core.store import behind, outbox, published, quoted, tallies
from core.store.comments import Written, written_in
from core.store.database import Connection, Database
from core.store.gaps import nameless_votes
from core.store.outbox import Kind, Planned
from core.survey import Survey, Wave, previous_wave, report_due, wave_by_key, zone_of


@dataclass(frozen=True, slots=True)
class Heard:
    """What people wrote and did in a wave, as far as the post tells it."""

    reasons: tuple[Reason, ...] = ()
    quotes: tuple[Quoted, ...] = ()
    movement: Movement | None = None
    wrote: Mapping[str, int] = field(default_factory=dict[str, int])
    invited: Mapping[str, int] = field(default_factory=dict[str, int])


def hear(database: Database, survey: Survey, wave: Wave) -> Heard:
    """Read what people wrote, then make out what they say by it. The second takes its time where there are many: not to
    be done while others wait to write, nor in a transaction, for a server hangs up on who stands still in one."""
    before = previous_wave(survey, wave).key
    with database.reading() as connection:
        ids = tallies.asked_waves(connection, survey.name, str(survey.scale), [before, wave.key])
        if wave.key not in ids:
            return SILENCE
        now = ids[wave.key]
        movement = behind.movement(connection, ids[before], now) if before in ids else None
        wrote, invited = behind.wrote(connection, now), behind.invited(connection, now)
        found = written_in(connection, now)
    heard = voices(written(found))
    return Heard(reasons(heard, survey.themes), quotes(heard, (survey.brand,)), movement, wrote, invited)


SILENCE = Heard()
"""Nothing was written, or nobody asks."""


def for_team(heard: Heard, team: Team) -> Heard:
    """What a team may be told of it: outsiders nothing, the whole company no words that people wrote themselves."""
    if not team.inside:
        return SILENCE
    if team.quotes:
        return heard
    return replace(heard, quotes=(), reasons=tuple(reason for reason in heard.reasons if reason.theme is not None))


def week_report(
    connection: Connection, survey: Survey, wave: Wave, heard: Heard = SILENCE, weeks: int | None = None
) -> WeekReport:
    """The numbers of one wave, from one consistent picture of the store. ``heard`` is what was written, ``weeks`` how
    many the headline speaks of, where that was settled before."""
    weeks = weeks or survey.window_weeks or window_weeks(connection, survey, wave)
    keys = _weeks_until(survey, wave, max(2 * weeks, 2))
    ids = tallies.asked_waves(connection, survey.name, str(survey.scale), keys)
    open_only = tallies.open_channels(connection, survey.name)
    asking = tallies.asked_channels(connection, ids.values())

    def named(of: Sequence[str]) -> Period:
        its = [ids[key] for key in of if key in ids]
        asked = next((n for n, key in enumerate(of) if key in ids), len(of) - 1)
        return Period(
            weeks=len(of) - asked,  # a young survey has fewer
            channels=tallies.window(connection, its),
            ballots=tallies.ballots(connection, its, named=True),
            asked=frozenset[str]().union(*(asking[id] for id in its)),
        )

    def opened(key: str) -> Period:
        its = [ids[key]] if key in ids else []
        channels = tallies.open_totals(connection, its[0]) if its else {}
        shown = tallies.ballots(connection, its, named=False)
        return Period(weeks=1, channels=channels, ballots=shown, asked=frozenset(shown))

    week, open_polls = named(keys[-1:]), opened(keys[-1]) if open_only else None
    nameless = nameless_votes(connection, ids[wave.key]) if wave.key in ids else {}
    return WeekReport(
        survey=survey.name,
        title=survey.brand,
        scale=survey.scale,
        wave=wave,
        width=weeks,
        window=named(keys[-weeks:]),
        window_before=named(keys[-2 * weeks : -weeks]),
        week=week,
        week_before=named(keys[-2:-1]),
        open=open_polls,
        open_before=opened(keys[-2]) if open_only else None,
        channels=tuple(_lines(survey, week, open_polls, open_only, nameless)),
        reasons=heard.reasons,
        quotes=heard.quotes,
        movement=heard.movement,
        wrote=heard.wrote,
        invited=heard.invited,
        goal=survey.goal,
        benchmarks=survey.benchmarks,
        rescaled=tallies.asked_otherwise(connection, survey.name, str(survey.scale), keys[:-1]),
    )


def window_weeks(connection: Connection, survey: Survey, wave: Wave) -> int:
    """Over how many weeks the headline of a wave speaks: see ``core/periods.py``. The weeks before the quarter settle
    it, a few of them for all; where there are none, the quarter's first."""
    begins = quarter_begins(wave.key)
    ids = tallies.asked_waves(connection, survey.name, str(survey.scale))
    last = previous_wave(survey, wave_by_key(survey, begins))

    def answers(keys: Iterable[str]) -> int:
        return tallies.total(tallies.window(connection, [ids[key] for key in keys]).values()).n

    def a_window(weeks: int) -> float:
        asked = [key for key in _weeks_until(survey, last, max(weeks, _SOME)) if key in ids]
        if weeks == 1:
            return median(answers([key]) for key in asked) if asked else 0
        return answers(asked[-weeks:]) * weeks / len(asked[-weeks:]) if asked else 0

    if any(key in ids for key in _weeks_until(survey, last, WIDTHS[-1])):
        return width_of(a_window)
    first = answers([key for key in ids if key >= begins][:1])
    return width_of(lambda weeks: weeks * first)


_SOME = 4
"""A single week that swings must not settle a quarter: the usual one of these does."""


def written(found: Iterable[Written]) -> Iterable[Voice]:
    """What people wrote beside a score."""
    for one in found:
        if one.low is not None and one.high is not None:
            band = Band(one.low, one.high)
            yield Voice(person=one.person_id, text=one.text, band=band, at=one.at, quotable=one.quotable)


def _weeks_until(survey: Survey, wave: Wave, weeks: int) -> list[str]:
    """Keys of so many weeks in a row, oldest first; ``wave`` is the last."""
    keys = [wave.key]
    for _ in range(weeks - 1):
        wave = previous_wave(survey, wave)
        keys.append(wave.key)
    return keys[::-1]


WORTH_SAYING = 3
"""Points by which later answers must have moved a score that was posted, for the next post to correct it."""


def correction(connection: Connection, survey: Survey, wave: Wave, team: str) -> Correction | None:
    """What later answers made of the post of the week before this wave; ``None`` where it need not be said. Posts are
    never changed, and answers freeze a day after their week: no post is corrected twice."""
    before = previous_wave(survey, wave)
    was = published.posted(connection, survey.name, before.key, team)
    if was is None or was.score is None:
        return None
    report = week_report(connection, survey, before, weeks=was.width)
    now = headline(report)
    if now.score is None:
        return None
    if abs(now.score - was.score) >= WORTH_SAYING:
        return Correction(was.score, now.score)
    return Correction(was.score, now.score, report.judged_change) if now.verdict != was.verdict else None


def report_key(survey: str, wave: str, team: str, part: int) -> str:
    """The outbox key of one message of a report."""
    return f"report:{survey}:{wave}:{team}:{part}"


def messages(
    report: WeekReport,
    language: str,
    limits: Limits | None = None,
    *,
    before: Iterable[Headline] = (),
    advice: Mapping[str, str] | None = None,
    outside: bool = False,
) -> tuple[Message, ...]:
    """The messages of a report, in order, as a place of these ``limits`` shows them (``None``: any length). ``before``
    is what the posts before it said, ``advice`` what the team wants to be told. Outsiders get one message, without."""
    first = replace(
        first_message(report, language, None if outside else advice), picture=picture(report, before, language)
    )
    if outside:
        chars = limits.post_chars if limits is not None else None
        said: tuple[Message, ...] = (first if chars is None else shortened(first, chars),)
    else:
        said = (first, details(report, language))
    if limits is None:
        return said
    return tuple(part for whole in said for part in split(whole, limits.post_chars, limits.caption_chars))


def plan_report(
    connection: Connection,
    survey: Survey,
    wave: Wave,
    team: Team,
    limits: Limits,
    now: datetime,
    *,
    heard: Heard = SILENCE,
    late_since: datetime | None = None,
    absent: Iterable[str] = (),
    seal: Seal | None = None,
) -> list[str]:
    """Plan the messages of a report to one team, once for ever. Returns the keys of those that were planned now.

    ``heard`` is what was written; ``late_since`` is when it was due, if it is late; ``absent`` are accounts that could
    not be read in time; with a ``seal`` the post has buttons. Outsiders get the first message alone, without anybody's
    words.
    """
    if outbox.states(connection, [report_key(survey.name, wave.key, team.name, 0)]):
        return []
    was_due = f"{late_since.astimezone(zone_of(team.zone)):%Y-%m-%d %H:%M}" if late_since is not None else ""
    report = week_report(connection, survey, wave, for_team(heard, team))
    published.keep(connection, report, team.name, now)
    before = published.trend(connection, survey.name, team.name)
    corrected = correction(connection, survey, wave, team.name)
    missing = tuple(sorted(absent)) if team.inside else ()
    report = replace(report, was_due=was_due, absent=missing, correction=corrected)
    if team.inside and team.quotes:
        report = replace(report, agenda=agenda(connection, survey, report, team, now, seal))
        propose(connection, survey, report, team, now)
    said = messages(report, team.language, limits, before=before, advice=team.advice, outside=not team.inside)
    things = [
        Planned(
            key=report_key(survey.name, wave.key, team.name, part),
            account=team.account,
            kind=Kind.REPORT,
            body=body,
            placeholder=split(placeholder(report, team.language, first=part == 0), limits.post_chars)[0],
            place=team.place,
            not_before=report_due(wave, team.report, team.zone),
        )
        for part, body in enumerate(said)
    ]
    outbox.plan(connection, things, now)
    quoted.keep(connection, [(thing.key, thing.body) for thing in things], report.quotes)
    return [thing.key for thing in things]


def _lines(
    survey: Survey, week: Period, open_polls: Period | None, open_only: set[str], nameless: dict[str, int]
) -> Iterable[ChannelTally]:
    named, opened = week.channels, open_polls.channels if open_polls is not None else {}
    for channel in survey.channels:
        if channel in open_only:
            yield ChannelTally(channel=channel, open=True, tally=opened.get(channel, Tally()))
        if channel not in open_only or channel in named:
            its, missing = named.get(channel, Tally()), nameless.get(channel, 0)
            yield ChannelTally(channel=channel, open=False, tally=its, nameless=missing)
