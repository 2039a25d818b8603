"""The weekly post: from the store's numbers to its messages, planned once per survey, wave and team."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from core.message import Message
from core.nps import Tally
from core.report import ChannelTally, WeekReport, channel_lines, headline, placeholder, split
from core.routes import Team
from core.store import outbox, tallies
from core.store.database import Connection
from core.store.gaps import nameless_votes
from core.store.outbox import Kind, Planned
from core.survey import Survey, Wave, previous_wave, report_due, zone_of

WINDOW_WEEKS = 4
"""How many weeks the window of the report counts back."""


def week_report(connection: Connection, survey: Survey, wave: Wave) -> WeekReport:
    """The numbers of one wave, from one consistent picture of the store."""
    keys = [wave.key]
    before = wave
    for _ in range(WINDOW_WEEKS - 1):
        before = previous_wave(survey, before)
        keys.insert(0, before.key)
    ids = tallies.asked_waves(connection, survey.name, str(survey.scale), keys)
    now_id, before_id = ids.get(keys[-1]), ids.get(keys[-2])
    named = tallies.named(connection, now_id) if now_id is not None else {}
    opened = tallies.open_totals(connection, now_id) if now_id is not None else {}
    nameless = nameless_votes(connection, now_id) if now_id is not None else {}
    open_only = tallies.open_channels(connection, survey.name)
    window = tallies.window(connection, [ids[key] for key in keys if key in ids])
    return WeekReport(
        survey=survey.name,
        title=survey.brand,
        scale=survey.scale,
        wave=wave,
        named=tallies.total(named.values()),
        named_before=tallies.total(tallies.named(connection, before_id).values()) if before_id is not None else None,
        open=tallies.total(opened.values()) if open_only else None,
        open_before=(
            tallies.total(tallies.open_totals(connection, before_id).values())
            if open_only and before_id is not None
            else None
        ),
        channels=tuple(_lines(survey, named, opened, open_only, nameless)),
        weeks=WINDOW_WEEKS,
        window=tallies.total(window.values()),
    )


def report_key(survey: str, wave: str, team: str, part: int) -> str:
    """The outbox key of one message of a report."""
    return f"report:{survey}:{wave}:{team}:{part}"


def messages(report: WeekReport, language: str, post_chars: int | None = None) -> tuple[Message, ...]:
    """The messages of a report, in order, each at most ``post_chars`` long (``None``: of any length)."""
    said = (headline(report, language), channel_lines(report, language))
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
    survey: Survey,
    named: dict[str, Tally],
    opened: dict[str, Tally],
    open_only: set[str],
    nameless: dict[str, int],
) -> Iterable[ChannelTally]:
    for channel in survey.channels:
        if channel in open_only:
            yield ChannelTally(channel=channel, open=True, tally=opened.get(channel, Tally()))
        if channel not in open_only or channel in named:
            its, missing = named.get(channel, Tally()), nameless.get(channel, 0)
            yield ChannelTally(channel=channel, open=False, tally=its, nameless=missing)
