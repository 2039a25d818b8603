"""What ``vouch ask``, ``score``, ``report`` and ``settings`` do. They work beside a running service: what they say goes
through the same outbox, so nothing is said twice."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from core.clock import Clock
from core.errors import SettingsError, StoreError
from core.message import Message
from core.nps import Tally, nps, score_range
from core.publishing import messages, week_report
from core.report import FEWEST, WeekReport
from core.settings import SECRETS, Settings
from core.store import outbox, tallies
from core.store.database import Database
from core.survey import Survey, Wave, wave_by_key, week_wave
from scheduler import Parts, assembled, connections

SETTLE_S = 30.0
"""How long, in wall seconds, a command waits for what it planned to be said."""


@dataclass(frozen=True, slots=True)
class Which:
    """Which week is meant: a key, the last full one, or the newest there is."""

    week: str | None = None
    full: bool = False


# -- what is said ------------------------------------------------------------------------------------------------------


async def ask_now(settings: Settings, survey: Survey) -> dict[str, str]:
    """Open this week's wave of a survey. Returns what became of each ask, by outbox key."""

    async def plan(parts: Parts) -> list[str]:
        return await parts.service.open(survey, week_wave(survey, parts.clock.now()))

    _note(f"Asking in {len(survey.channels)} channels …")
    return await _say(settings, plan)


async def post_now(settings: Settings, survey: Survey, which: Which) -> dict[str, str]:
    """Send the report of a week to the survey's teams. Returns what became of each message, by outbox key."""

    async def plan(parts: Parts) -> list[str]:
        wave = await asyncio.to_thread(_which, parts.database, survey, which, parts.clock)
        already = [key for name in survey.teams for key in _report_keys(parts, survey, wave, name)]
        teams = settings.team_list()
        keys = [key for name in survey.teams for key in await parts.service.publish(survey, wave, teams[name])]
        return [key for key in keys if key not in already]

    if not survey.teams:
        raise SettingsError(f"surveys.{survey.name}: no teams to post to; add teams = […]")
    _note(f"Posting to {', '.join(survey.teams)} …")
    return await _say(settings, plan)


def _report_keys(parts: Parts, survey: Survey, wave: Wave, team: str) -> list[str]:
    with parts.database.reading() as connection:
        return outbox.keys_like(connection, f"report:{survey.name}:{wave.key}:{team}:")


async def _say(settings: Settings, plan: Callable[[Parts], Awaitable[list[str]]]) -> dict[str, str]:
    """Sign in, plan, say what is due, and see what became of it."""
    found = await connections(settings)
    async with assembled(settings, found) as parts, parts.presence.visiting() as drain:
        keys = await plan(parts)
        await drain()
        deadline = asyncio.get_running_loop().time() + SETTLE_S
        while True:
            states = await asyncio.to_thread(_states, parts.database, keys)
            moving = [s for s, _ in states.values() if s in (outbox.State.SENDING, outbox.State.PLANNED)]
            if not moving or asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.2)
            await drain()
    return {key: f"{state}: {error}" if error else str(state) for key, (state, error) in states.items()}


def _states(database: Database, keys: Sequence[str]) -> dict[str, tuple[outbox.State, str]]:
    with database.reading() as connection:
        return outbox.states(connection, keys)


# -- what is shown -----------------------------------------------------------------------------------------------------


def report_of(settings: Settings, survey: Survey, which: Which) -> WeekReport:
    """The numbers of a week. Raises ``StoreError`` when nothing was asked yet."""
    database = Database(settings.service.database)
    database.create()
    clock = asyncio.run(_calendar(settings))
    wave = _which(database, survey, which, clock)
    with database.reading() as connection:
        return week_report(connection, survey, wave)


def report_text(report: WeekReport, settings: Settings, survey: Survey) -> str:
    """The post as plain text, in the first team's language."""
    language = settings.teams[survey.teams[0]].language if survey.teams else survey.languages[0]
    said: Sequence[Message] = messages(report, language)
    return "\n\n".join(message.plain for message in said)


def report_as_json(report: WeekReport) -> dict[str, Any]:
    """The numbers of a week for a script."""
    return {
        "survey": report.survey,
        "week": report.wave.key,
        "scale": str(report.scale),
        "opens_at": report.wave.opens_at.isoformat(),
        "closes_at": report.wave.closes_at.isoformat(),
        "named": _numbers(report.named),
        "open": _numbers(report.open) if report.open is not None else None,
        "channels": {f"{c.channel}:{'open' if c.open else 'named'}": _numbers(c.tally) for c in report.channels},
        "window": {"weeks": report.weeks, **_numbers(report.window)},
    }


def score_table(report: WeekReport) -> None:
    """Show the score: a table in a terminal, plain lines in a pipe."""
    rows = [("named answers, all channels", report.named)]
    rows += [("open polls, all channels", report.open)] if report.open is not None else []
    rows += [(f"{c.channel} ({'open' if c.open else 'named'})", c.tally) for c in report.channels]
    title = f"{report.title}, week {report.wave.key}, scale {report.scale}"
    if not sys.stdout.isatty():
        lines = [title, *(f"{name}: {_plain(tally)}" for name, tally in rows)]
        sys.stdout.write("\n".join(lines) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title)
    for column in ("", "NPS", "chance range", "n", "promoters", "passives", "detractors"):
        table.add_column(column, justify="right" if column else "left")
    for name, tally in rows:
        counts = (tally.n, tally.promoters, tally.passives, tally.detractors)
        table.add_row(name, *_score(tally), *map(str, counts))
    Console().print(table)


def _score(tally: Tally) -> tuple[str, str]:
    """NPS and its range as words; an en dash under ten answers, as in the weekly post."""
    found, span = nps(tally), score_range(tally)
    if found is None or span is None or tally.n < FEWEST:
        return "–", "–"
    return str(found), f"{span[0]:.0f} to {span[1]:.0f}"


def _plain(tally: Tally) -> str:
    score, span = _score(tally)
    chance = "" if span == "–" else f" (chance range {span})"
    return (
        f"NPS {score}{chance}, n {tally.n}: promoters {tally.promoters}, passives {tally.passives}, "
        f"detractors {tally.detractors}"
    )


def settings_as_json(settings: Settings) -> dict[str, Any]:
    """The settings as understood, secrets as ``***``."""
    found: dict[str, Any] = settings.model_dump(mode="json", exclude_none=True)
    found["service"]["database"] = re.sub(r"(://[^/@]*):[^/@]*@", r"\1:***@", settings.service.database)
    for name, account in found["accounts"].items():
        for key in SECRETS[account["platform"]]:
            if key in account:
                found["accounts"][name][key] = "***"
    return found


def settings_text(settings: Settings) -> str:
    """The settings as understood, a line each."""
    lines: list[str] = []

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else key, inner)
        elif value not in ("", [], None):
            lines.append(f"{prefix} = {', '.join(map(str, value)) if isinstance(value, list) else value}")

    walk("", settings_as_json(settings))
    return "\n".join(lines)


async def _calendar(settings: Settings) -> Clock:
    """The calendar of the sandbox while it runs, else real time."""
    if not settings.sandbox.url:
        return Clock()
    try:
        return (await connections(settings)).clock
    except SettingsError:
        return Clock()


def _which(database: Database, survey: Survey, which: Which, clock: Clock) -> Wave:
    with database.reading() as connection:
        keys = list(tallies.asked_waves(connection, survey.name, str(survey.scale)))
    if which.week is not None:
        if which.week not in keys:
            known = f"there is: {', '.join(keys[-5:])}" if keys else "nothing was asked yet"
            raise StoreError(f"{survey.name}: {which.week} was never asked; {known}")
        return wave_by_key(survey, which.week)
    waves = [wave_by_key(survey, key) for key in keys]
    now = clock.now().astimezone(UTC)
    chosen = [wave for wave in waves if wave.closes_at <= now] if which.full else waves
    if not chosen:
        what = "no full week yet: `vouch score` shows the present one" if waves else "nothing was asked yet"
        raise StoreError(f"{survey.name}: {what}; `vouch run` asks every week, `vouch ask` asks now")
    return chosen[-1]


def _numbers(tally: Tally) -> dict[str, Any]:
    span = score_range(tally)
    return {
        "n": tally.n,
        "promoters": tally.promoters,
        "passives": tally.passives,
        "detractors": tally.detractors,
        "nps": nps(tally),
        "range": [round(span[0], 1), round(span[1], 1)] if span is not None else None,
    }


def _note(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"{text}\n")
