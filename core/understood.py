"""The settings as Vouch understood them, for a person or a script. Secrets are ``***``, with where they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from core.settings import SECRETS, Settings, missing_secrets, secret_source
from core.survey import Survey, next_wave, previous_wave, report_due, week_wave, zone_of


def settings_as_json(settings: Settings) -> dict[str, Any]:
    """Every table and key; the secrets that are there as ``***``, those of the sandbox not at all."""
    found: dict[str, Any] = settings.model_dump(mode="json", exclude_none=True)
    found["service"]["database"] = re.sub(r"(://[^/@]*):[^/@]*@", r"\1:***@", settings.service.database)
    for name, account in found["accounts"].items():
        for key in SECRETS[account["platform"]]:
            if secret_source(settings, name, key):
                account[key] = "***"
    return found


def settings_text(settings: Settings, path: Path, option: str, now: datetime, refusal: str) -> str:
    """Where they were read and whom they speak to, a line for each value, what Vouch will do by them, what is missing,
    and the next step. ``refusal`` says why the database cannot be used; mostly empty.

    ``option`` is what names the file on the command line, such as `` --settings live.toml``; it may be empty.
    """
    sandbox = settings.sandbox.url
    speaks = f"to the sandbox at {sandbox}" if sandbox else "to the real platforms"
    lines = [f"Read from {path}. Vouch speaks {speaks}.", "", *_values("", settings_as_json(settings), settings), ""]
    lines += [*_plan(settings, None if sandbox else now), ""]
    missing = [] if sandbox else missing_secrets(settings)
    if refusal:
        lines += [f"The database cannot be used: {refusal}.", ""]
    if sandbox:
        lines.append("The sandbox brings its own secrets; to go live, remove [sandbox].")
        lines.append(f"Next: `vouch sandbox{option}` in one terminal, `vouch run{option}` in another.")
    elif missing:
        lines += [
            f"Missing secrets: {len(missing)}. Put them into the environment:",
            *(f"  {name}" for name in missing),
        ]
        lines.append(f"Next: set them, then `vouch settings{option}` again.")
    elif refusal:
        lines.append(f"No secret is missing. Next: mend the database, then `vouch settings{option}` again.")
    else:
        lines.append(f"No secret is missing. Next: `vouch run{option}`.")
    return "\n".join(lines)


_WHERE = {"direct": "in direct messages", "timeline": "on the timeline"}


def _plan(settings: Settings, now: datetime | None) -> Iterator[str]:
    """What is asked and posted, where, and when next; without ``now`` only on which day: the sandbox's calendar is its
    own."""
    for name, survey in settings.routes().surveys.items():
        yield f"{name} asks for {survey.brand}, {survey.scale}, {_when_asked(survey, now)}, in"
        for channel in survey.channels:
            its = settings.channels[channel]
            where = _WHERE.get(its.place, f"in {its.place}")
            yield f"  {channel}: {its.kind} {where} of {its.account}".replace("direct in direct", "in direct")
        for team_name in survey.teams:
            team = settings.teams[team_name]
            when = _when(team.report, team.timezone, _next(survey, team.report, team.timezone, now))
            yield f"Team {team_name} gets the post {when}, in {team.place} of {team.account}."


def _when_asked(survey: Survey, now: datetime | None) -> str:
    said = _when(survey.ask, survey.zone, _next(survey, survey.ask, survey.zone, now))
    if now is not None and report_due(previous_wave(survey, week_wave(survey, now)), survey.ask, survey.zone) <= now:
        return f"as soon as Vouch runs, then {said}"
    return said


def _next(survey: Survey, when: str, zone: str, now: datetime | None) -> datetime | None:
    """The next time that it is so late in the week."""
    if now is None:
        return None
    wave = week_wave(survey, now)
    due = (report_due(one, when, zone) for one in (previous_wave(survey, wave), wave, next_wave(survey, wave)))
    return min(moment for moment in due if moment > now)


def _when(when: str, zone: str, on: datetime | None) -> str:
    return f"on {when if on is None else f'{on.astimezone(zone_of(zone)):%a %d %b %H:%M}'} ({zone})"


def _values(prefix: str, value: Any, settings: Settings) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _values(f"{prefix}.{key}" if prefix else key, inner, settings)
    elif value == "***" and prefix.startswith("accounts."):
        account, key = prefix.removeprefix("accounts.").rsplit(".", 1)
        yield f"{prefix} = *** (from {secret_source(settings, account, key)})"
    elif value not in ("", [], None):
        yield f"{prefix} = {', '.join(map(str, value)) if isinstance(value, list) else value}"
