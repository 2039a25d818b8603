"""The weekly post: from the store's numbers to its messages, planned once per survey, wave and team."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from core.change import Period
from core.details import details
from core.message import Message
from core.nps import Tally
from core.periods import quarter_begins, width_of
from core.report import ChannelTally, WeekReport, first_message, placeholder, split
from core.routes import Team
from core.store import outbox, tallies
from core.store.database import Connection
from core.store.gaps import nameless_votes
from core.store.outbox import Kind, Planned
from core.survey import Survey, Wave, previous_wave, report_due, wave_by_key, zone_of


def week_report(connection: Connection, survey: Survey, wave: Wave) -> WeekReport:
    """The numbers of one wave, from one consistent picture of the store."""
    weeks = survey.window_weeks or window_weeks(connection, survey, wave)
    keys = _weeks_until(survey, wave, max(2 * weeks, 2))
    ids = tallies.asked_waves(connection, survey.name, str(survey.scale), keys)
    open_only = tallies.open_channels(connection, survey.name)

    def named(of: Sequence[str]) -> Period:
        its = [ids[key] for key in of if key in ids]
        asked = next((n for n, key in enumerate(of) if key in ids), len(of) - 1)
        return Period(
            weeks=len(of) - asked,  # a young survey has fewer
            channels=tallies.window(connection, its),
            ballots=tallies.ballots(connection, its, named=True),
        )

    def opened(key: str) -> Period:
        its = [ids[key]] if key in ids else []
        channels = tallies.open_totals(connection, its[0]) if its else {}
        return Period(weeks=1, channels=channels, ballots=tallies.ballots(connection, its, named=False))

    week, open_polls = named(keys[-1:]), opened(keys[-1]) if open_only else None
    nameless = nameless_votes(connection, ids[wave.key]) if wave.key in ids else {}
    return WeekReport(
        survey=survey.name,
        title=survey.brand,
        scale=survey.scale,
        wave=wave,
        window=named(keys[-weeks:]),
        window_before=named(keys[-2 * weeks : -weeks]),
        week=week,
        week_before=named(keys[-2:-1]),
        open=open_polls,
        open_before=opened(keys[-2]) if open_only else None,
        channels=tuple(_lines(survey, week, open_polls, open_only, nameless)),
        rescaled=tallies.asked_otherwise(connection, survey.name, str(survey.scale), keys),
    )


def window_weeks(connection: Connection, survey: Survey, wave: Wave) -> int:
    """Over how many weeks the headline of a wave speaks: see ``core/periods.py``. It is settled by the weeks before the
    quarter; for a survey that is younger, by as many weeks as bring as much as its first."""
    begins = quarter_begins(wave.key)
    ids = tallies.asked_waves(connection, survey.name, str(survey.scale))

    def answers(keys: Iterable[str]) -> int:
        return tallies.total(tallies.window(connection, [ids[key] for key in keys if key in ids]).values()).n

    if any(key < begins for key in ids):
        last = previous_wave(survey, wave_by_key(survey, begins))
        return width_of(lambda weeks: answers(_weeks_until(survey, last, weeks)))
    first = answers(list(ids)[:1])
    return width_of(lambda weeks: weeks * first)


def _weeks_until(survey: Survey, wave: Wave, weeks: int) -> list[str]:
    """Keys of so many weeks in a row, oldest first; ``wave`` is the last."""
    keys = [wave.key]
    for _ in range(weeks - 1):
        wave = previous_wave(survey, wave)
        keys.append(wave.key)
    return keys[::-1]


def report_key(survey: str, wave: str, team: str, part: int) -> str:
    """The outbox key of one message of a report."""
    return f"report:{survey}:{wave}:{team}:{part}"


def messages(report: WeekReport, language: str, post_chars: int | None = None) -> tuple[Message, ...]:
    """The messages of a report, in order, each at most ``post_chars`` long (``None``: of any length)."""
    said = (first_message(report, language), details(report, language))
    return said if post_chars is None else tuple(part for whole in said for part in split(whole, post_chars))


def plan_report(
    connection: Connection,
    survey: Survey,
    wave: Wave,
    team: Team,
    post_chars: int,
    now: datetime,
    *,
    late_since: datetime | None = None,
    absent: Iterable[str] = (),
) -> list[str]:
    """Plan the messages of a report to one team, once for ever. Returns the keys of those that were planned now.

    ``late_since`` is when it was due, if it is late; ``absent`` are accounts that could not be read in time.
    """
    if outbox.states(connection, [report_key(survey.name, wave.key, team.name, 0)]):
        return []
    was_due = f"{late_since.astimezone(zone_of(team.zone)):%Y-%m-%d %H:%M}" if late_since is not None else ""
    report = replace(week_report(connection, survey, wave), was_due=was_due, absent=tuple(sorted(absent)))
    things = [
        Planned(
            key=report_key(survey.name, wave.key, team.name, part),
            account=team.account,
            kind=Kind.REPORT,
            body=body,
            placeholder=split(placeholder(report, team.language, first=part == 0), post_chars)[0],
            place=team.place,
            not_before=report_due(wave, team.report, team.zone),
        )
        for part, body in enumerate(messages(report, team.language, post_chars))
    ]
    outbox.plan(connection, things, now)
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
