"""What ``vouch ask``, ``score`` and ``report`` do. They work beside a running service: what they say goes through the
same outbox, so nothing is said twice."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connecting import Connections, calendar, connections
from core.change import FEWEST_TO_COMPARE
from core.clock import Clock
from core.errors import SettingsError, StoreError, VouchError
from core.nps import Tally, nps, score_range
from core.proposing import agenda
from core.publishing import SILENCE, hear, week_report
from core.report import FEWEST, Headline, WeekReport
from core.routes import Team
from core.settings import Settings
from core.store import home, outbox, published, tallies
from core.store.commands import is_paused
from core.store.database import Database, existing
from core.survey import Survey, Wave, previous_wave, wave_by_key, week_wave, zone_of
from core.threads import in_thread
from core.understood import settings_as_json, settings_text
from scheduler import Parts, assembled

_ASKS = "`vouch run` asks every week, `vouch ask` asks now"

SETTLE_S, LOOK_S = 30.0, 0.1
"""How long, in wall seconds, a command waits for what it planned to be said, and how often it looks."""


@dataclass(frozen=True, slots=True)
class Which:
    """Which week is meant: a key, the last full one, or the newest there is."""

    week: str | None = None
    full: bool = False


def survey_named(settings: Settings, name: str | None) -> Survey:
    """The survey of this name; without one, the only one there is. Raises ``VouchError``."""
    surveys = settings.routes().surveys
    if name is None and len(surveys) == 1:
        return next(iter(surveys.values()))
    if name in surveys:
        return surveys[name]
    wrong = "there are several surveys; name one of" if name is None else f"there is no survey {name!r}; there is"
    raise VouchError(f"{wrong}: {', '.join(surveys)}")


def week_named(survey: Survey, week: str | None, *, full: bool = False) -> Which:
    """The week of this name. Raises ``VouchError`` when no week is called so."""
    try:
        return Which(wave_by_key(survey, week).key if week is not None else None, full)
    except ValueError as error:
        raise VouchError(str(error)) from error


# -- what is said ------------------------------------------------------------------------------------------------------


async def ask_now(settings: Settings, survey: Survey) -> dict[str, str]:
    """Ask this week's question of a survey. Returns what became of each ask, by outbox key."""

    async def plan(parts: Parts) -> list[str]:
        if await in_thread(_is_paused, parts.database, survey):
            raise VouchError(f"{survey.name} is paused: write /resume in its team's channel, then ask again")
        return await parts.service.open(survey, week_wave(survey, parts.clock.now()))

    found = await connections(settings)
    _note(f"Asking in {len(survey.channels)} channels …")
    return await carry_out(settings, found, {settings.channels[name].account for name in survey.channels}, plan)


def _is_paused(database: Database, survey: Survey) -> bool:
    with database.reading() as connection:
        return is_paused(connection, survey.name)


async def post_now(settings: Settings, survey: Survey, which: Which) -> dict[str, str]:
    """Send the report of a week to the survey's teams. Returns what became of each message, by outbox key.

    Raises ``VouchError`` when the week is still open: a week has one report, and that would be too early for it.
    """

    async def plan(parts: Parts) -> list[str]:
        already = [key for name in survey.teams for key in _report_keys(parts, survey, wave, name)]
        teams = settings.team_list()
        post = parts.service.post
        absent = await in_thread(post.unread, survey, wave)
        keys = [key for name in survey.teams for key in await post.publish(survey, wave, teams[name], absent)]
        return [key for key in keys if key not in already]

    if not survey.teams:
        raise SettingsError(f"surveys.{survey.name}: no teams to post to; add teams = […]")
    found = await connections(settings)
    wave = await asyncio.to_thread(week_meant, opened(settings, survey), survey, which, found.clock.now())
    if not found.clock.passed(wave.closes_at):
        raise VouchError(f"{open_until(wave, survey)} and is posted once; `vouch score` shows how it stands")
    _note(f"Posting to {', '.join(survey.teams)} …")
    return await carry_out(settings, found, {settings.teams[name].account for name in survey.teams}, plan)


def _report_keys(parts: Parts, survey: Survey, wave: Wave, team: str) -> list[str]:
    with parts.database.reading() as connection:
        return outbox.keys_like(connection, f"report:{survey.name}:{wave.key}:{team}:")


async def carry_out(
    settings: Settings, found: Connections, accounts: Iterable[str], plan: Callable[[Parts], Awaitable[list[str]]]
) -> dict[str, str]:
    """Sign in on these accounts, plan, have it said, and see what became of it: until all is said, a while has passed,
    or a service waits for the database."""
    async with assembled(settings, found) as parts:
        async with parts.presence.visiting(accounts) as look:
            keys = await plan(parts)
            look()
            deadline = asyncio.get_running_loop().time() + SETTLE_S
            # A service says the rest: it must not be kept from what people answer meanwhile.
            while not parts.leases.awaited and asyncio.get_running_loop().time() < deadline:
                states = await in_thread(_states, parts.database, keys)
                if all(state not in outbox.MOVING for state, _ in states.values()):
                    break
                await asyncio.sleep(LOOK_S)
        states = await in_thread(_states, parts.database, keys)
    return {key: f"{state}: {error}" if error else str(state) for key, (state, error) in states.items()}


def _states(database: Database, keys: Sequence[str]) -> dict[str, tuple[outbox.State, str]]:
    with database.reading() as connection:
        return outbox.states(connection, keys)


def in_words(key: str, state: str) -> str:
    """What became of one ask or message of a report, for a person."""
    kind, target, part = key.split(":", 1)[0], *key.rsplit(":", 2)[1:]
    where = target if kind == "ask" else f"team {target}, message {int(part) + 1}"
    known, _, error = state.partition(": ")
    said = {
        outbox.State.SENT: "asked" if kind == "ask" else "posted",
        **dict.fromkeys(outbox.MOVING, "not sent yet; `vouch run` sends it"),
        outbox.State.UNKNOWN: "it may have arrived; `vouch status` says what to do",
        outbox.State.EXPIRED: "came too late, so it was not sent",
    }.get(outbox.State(known), known)
    return f"{where}: {said}" + (f": {error}" if error else "")


# -- what is shown -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """A week as it stands now."""

    report: WeekReport
    open: str
    """Until when it is still open, in words; empty when it is over."""
    full: bool
    """Whether any week that was asked is over, so that there is a report to print."""
    posted: dict[str, dict[str, Any]]
    """The counts behind what each team was told of it."""
    before: tuple[Headline, ...]
    """What the posts before it said to the team."""
    team: Team | None = None
    """As whose post it is shown: the one that was named, else the first."""

    def next(self, command: str) -> str:
        """What to do with the post; ``command`` sends it."""
        if self.open:
            return f"{self.open}; then send it with `{command}`."
        if self.team is not None and self.team.name in self.posted:
            return f"It was posted to {self.team.name}: once, and never again."
        return f"Send it with `{command}`."


def _team_named(settings: Settings, survey: Survey, name: str) -> Team:
    if name not in survey.teams:
        there = ", ".join(survey.teams) or "none"
        raise VouchError(f"{survey.name} does not report to a team {name!r}; there is: {there}")
    return settings.team_list()[name]


def look_at(
    settings: Settings, survey: Survey, which: Which, *, listening: bool = False, team: str | None = None
) -> Look:
    """The numbers of a week, and if ``listening`` also what was written; for a ``team`` that is named with its cases
    and its fix. Raises ``VouchError`` when there is no such team, ``StoreError`` when nothing was asked yet."""
    first = survey.teams[0] if survey.teams else None
    name = first if team is None else team
    whose = _team_named(settings, survey, name) if name is not None else None
    database = opened(settings, survey)
    now = asyncio.run(calendar(settings, database)).now()
    wave = week_meant(database, survey, which, now)
    heard = hear(database, survey, wave) if listening else SILENCE
    with database.reading() as connection:
        report = week_report(connection, survey, wave, heard)
        posted = published.proofs(connection, survey.name, wave.key)
        keys = tallies.asked_waves(connection, survey.name, str(survey.scale))
        before = published.trend(connection, survey.name, whose.name, wave.key) if whose is not None else []
        is_present = wave.key >= previous_wave(survey, week_wave(survey, now)).key
        if team and whose is not None and whose.inside and whose.quotes and is_present:
            report = replace(report, agenda=agenda(connection, survey, report, whose, now))
    full = any(wave_by_key(survey, key).closes_at <= now for key in keys)
    return Look(report, open_until(wave, survey) if wave.closes_at > now else "", full, posted, tuple(before), whose)


def open_until(wave: Wave, survey: Survey) -> str:
    """Until when a week is open, as a person in the survey's zone would say it."""
    last = wave.closes_at.astimezone(zone_of(survey.zone)) - timedelta(minutes=1)
    return f"{wave.key} is open until {last:%a %d %b %H:%M} ({survey.zone})"


def shown_settings(settings: Settings, path: Path, option: str, *, as_json: bool) -> str:
    """The settings, what Vouch will do by them, and what is missing; ``option`` names the file on the command line."""
    if as_json:
        return json.dumps(settings_as_json(settings))
    fault = home.refusal(settings.service.database, made_up=bool(settings.sandbox.url))
    return settings_text(settings, path, option, Clock().now(), fault)


def opened(settings: Settings, survey: Survey) -> Database:
    """The database, for reading. Raises ``StoreError`` when there is none yet."""
    return existing(settings.service.database, f"{survey.name}: nothing was asked yet (there is no {{file}}); {_ASKS}")


def show_score(report: WeekReport) -> None:
    """Show the score: a table in a terminal, plain lines in a pipe, a sentence when nobody has answered."""
    rows = [("named answers, all channels", report.week.total, FEWEST)]
    rows += [("open polls, all channels", report.open.total, FEWEST_TO_COMPARE)] if report.open is not None else []
    rows += [(f"{c.channel} ({'open' if c.open else 'named'})", c.tally, FEWEST_TO_COMPARE) for c in report.channels]
    title = f"{report.title}, week {report.wave.key}, scale {report.scale}"
    if not any(tally.n for _, tally, _ in rows):
        sys.stdout.write(f"{title}: nobody has answered yet.\n")
    elif sys.stdout.isatty():
        _table(title, report.scale.lowest, rows)
    else:
        lines = [title, *(f"{name}: {_plain(tally, fewest)}" for name, tally, fewest in rows)]
        sys.stdout.write("\n".join(lines) + "\n")


def _table(title: str, lowest: int, rows: Sequence[tuple[str, Tally, int]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    heads = ("NPS", "chance range", "n", "9–10", "7–8", f"{lowest}–6")
    cells = [(*_score(t, fewest), *map(str, (t.n, t.promoters, t.passives, t.detractors))) for _, t, fewest in rows]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    console = Console(markup=False)
    room = max(24, console.width - sum(widths) - 3 * len(widths) - 2)  # numbers are never cut, names where they must be
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("channel", max_width=room, no_wrap=True, overflow="ellipsis")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for (name, _, _), its in zip(rows, cells, strict=True):
        table.add_row(name, *its)
    console.print(table)


def _score(tally: Tally, fewest: int) -> tuple[str, str]:
    """NPS and its range as words; an en dash under the ``fewest`` answers, as in the weekly post: ten of all, thirty of
    a channel or of polls that name nobody."""
    found, span = nps(tally), score_range(tally)
    if found is None or span is None or tally.n < fewest:
        return "–", "–"
    return str(found), f"{span[0]:.0f} to {span[1]:.0f}"


def _plain(tally: Tally, fewest: int) -> str:
    score, span = _score(tally, fewest)
    chance = "" if span == "–" else f" (chance range {span})"
    return (
        f"NPS {score}{chance}, n {tally.n}: promoters {tally.promoters}, passives {tally.passives}, "
        f"detractors {tally.detractors}"
    )


def week_meant(database: Database, survey: Survey, which: Which, now: datetime) -> Wave:
    """The week that is meant. Raises ``StoreError`` when it, or any, was never asked."""
    with database.reading() as connection:
        keys = list(tallies.asked_waves(connection, survey.name, str(survey.scale)))
    if not keys:
        raise StoreError(f"{survey.name}: nothing was asked yet; {_ASKS}")
    if which.week is not None:
        if which.week not in keys:
            raise StoreError(f"{survey.name}: {which.week} was never asked; there is: {', '.join(keys[-5:])}")
        return wave_by_key(survey, which.week)
    waves = [wave_by_key(survey, key) for key in keys]
    chosen = [wave for wave in waves if wave.closes_at <= now] if which.full else waves
    if not chosen:
        until = open_until(waves[-1], survey)
        raise StoreError(f"{survey.name}: no full week yet: {until}; `vouch score` shows how it stands")
    return chosen[-1]


def _note(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"{text}\n")
