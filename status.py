"""What ``vouch status`` does: how things stand beside a running service, and a person's word on what is unknown."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from core.errors import VouchError
from core.publishing import report_key
from core.settings import Settings
from core.store import doubts, outbox, tallies
from core.store.commands import is_paused
from core.store.database import Database, existing
from core.store.outbox import Kind, State
from core.store.standing import InDoubt, Standing, how_it_stands
from core.survey import previous_wave, report_due, week_wave

MOST_LINES = 20
"""So many unknown things are told in words; ``--json`` has them all."""

NAMES = {"x": "X", "telegram": "Telegram", "discord": "Discord"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A report that is due and has not arrived."""

    survey: str
    team: str
    week: str
    due: datetime
    state: str
    """Its first message's: ``not planned``, or as in the outbox."""


@dataclass(frozen=True, slots=True)
class Status:
    """How things stand, and which reports are late."""

    standing: Standing
    late: tuple[Late, ...]
    paused: tuple[str, ...] = ()
    """Surveys that ask nobody now, because a team said so."""


def status_of(settings: Settings) -> Status:
    """How things stand now. Raises ``StoreError`` when there is no database yet."""
    database = _opened(settings)
    try:
        now = _now(settings, database)
        late, paused = tuple(_late(settings, database, now)), tuple(_paused(settings, database))
        return Status(how_it_stands(database, settings.accounts, now), late, paused)
    finally:
        database.engine.dispose()


def settle_by_hand(settings: Settings, key: str, *, said: bool) -> str:
    """Settle something unknown by the word of a person who has looked. Returns what to say; raises ``VouchError``."""
    database = _opened(settings)
    try:
        now = _now(settings, database)
        with database.engine.begin() as connection:
            settled = doubts.by_hand(connection, key, now, said=said)
            known = outbox.states(connection, [key])
    finally:
        database.engine.dispose()
    if settled and said:
        return f"{key}: it was said, and is not said again."
    if settled:
        return f"{key}: `vouch run` says it now, unless its time is over."
    if key not in known:
        raise VouchError(f"there is nothing under the key {key!r}; `vouch status` lists what is unknown")
    raise VouchError(f"{key} is not unknown, it is {known[key][0]}; `vouch status` lists what is unknown")


def _opened(settings: Settings) -> Database:
    return existing(settings.service.database, "there is no {file} yet; `vouch run` makes it")


def _now(settings: Settings, database: Database) -> datetime:
    from connecting import calendar

    return asyncio.run(calendar(settings, database)).now()


def _late(settings: Settings, database: Database, now: datetime) -> Iterator[Late]:
    teams = settings.team_list()
    with database.reading() as connection:
        for survey in settings.routes().surveys.values():
            wave = previous_wave(survey, week_wave(survey, now))
            if not tallies.asked_waves(connection, survey.name, str(survey.scale), [wave.key]):
                continue
            for name in survey.teams:
                due = report_due(wave, teams[name].report, teams[name].zone)
                keys = outbox.keys_like(connection, report_key(survey.name, wave.key, name, 0)[:-1])
                open_still = [s for s, _ in outbox.states(connection, keys).values() if s is not State.SENT]
                if now >= due and (open_still or not keys):
                    state = str(open_still[0]) if open_still else "not planned"
                    yield Late(survey=survey.name, team=name, week=wave.key, due=due, state=state)


def _paused(settings: Settings, database: Database) -> Iterator[str]:
    with database.reading() as connection:
        yield from (name for name in settings.surveys if is_paused(connection, name))


# -- shown -------------------------------------------------------------------------------------------------------------


def status_as_json(status: Status) -> dict[str, Any]:
    """The same for a script."""
    found = asdict(status.standing)
    accounts = {
        name: {"served": served, "waiting": found["waiting"].get(name, {})}
        for name, served in sorted(status.standing.served.items())
    }
    return {
        "accounts": accounts,
        "unknown": [{**each, "since": _iso(each["since"])} for each in found["unknown"]],
        "late_reports": [{**asdict(late), "due": late.due.isoformat()} for late in status.late],
        "paused": list(status.paused),
        "waiting_replies": found["waiting_replies"],
        "gaps": list(found["gaps"]),
        "database": {"bytes": found["bytes"], "schema": found["schema"]},
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def show_status(status: Status, settings: Settings, given: str) -> None:
    """Show it: a table of accounts in a terminal, lines in a pipe, then in words what a person should see to."""
    rows = [
        (name, "served" if served else "nobody serves it", _waits(status.standing.waiting.get(name, {})))
        for name, served in sorted(status.standing.served.items())
    ]
    if sys.stdout.isatty():
        _table(rows)
    else:
        sys.stdout.writelines(f"{name}: {served}; to be said: {waits}\n" for name, served, waits in rows)
    sys.stdout.writelines(f"{line}\n" for line in _lines(status, settings, given))


def _waits(waiting: dict[str, int]) -> str:
    return ", ".join(f"{n} × {kind}" for kind, n in sorted(waiting.items())) or "nothing"


def _table(rows: list[tuple[str, str, str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("account", "service", "to be said"):
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(markup=False).print(table)


def _lines(status: Status, settings: Settings, given: str) -> Iterator[str]:
    standing = status.standing
    for late in status.late:
        what = f"the report of {late.survey}, {late.week}, to team {late.team}"
        yield f"Late: {what}, due {late.due:%d %b %H:%M} UTC: {late.state}."
    for survey in status.paused:
        yield f"Paused: {survey} asks nobody, until somebody writes /resume in its team's channel."
    unknown = [doubt for doubt in standing.unknown if not doubt.over]
    for doubt in unknown[:MOST_LINES]:
        yield from _doubt_lines(doubt, settings, given)
    if len(unknown) > MOST_LINES:
        yield f"… and {len(unknown) - MOST_LINES} more; --json lists them all."
    if any(doubt.kind != Kind.REPORT and not doubt.looking for doubt in unknown):
        yield "What is left like this is not said again: nobody hears it twice, and it may not have been heard at all."
    if over := len(standing.unknown) - len(unknown):
        yield f"{over} more never came to light, and their time is over: nothing is to be done; --json lists them."
    if standing.waiting_replies:
        yield f"{standing.waiting_replies} replies wait for their post to be known."
    for gap in standing.gaps:
        yield f"{gap.channel}, {gap.week}: the poll says {list(gap.totals)}, we know {list(gap.known)}."
    if not (status.late or unknown or standing.gaps):
        yield "Nothing is unknown, and no report is late."
    yield f"The database has {standing.bytes / 1e6:.1f} MB, schema {standing.schema}."


def _doubt_lines(doubt: InDoubt, settings: Settings, given: str) -> Iterator[str]:
    since = f"{doubt.since:%d %b %H:%M} UTC" if doubt.since is not None else "an unknown time"
    yield f"Unknown since {since}: {doubt.key} ({doubt.error})"
    if doubt.looking:
        yield "  Vouch is finding out by itself, while `vouch run` serves this account."
        return
    account = settings.accounts.get(doubt.account)
    if account is not None and account.platform == "telegram" and doubt.to.startswith("person"):
        yield f"  Telegram shows nobody what a bot has written to {doubt.to}: leave it, or ask them."
        return
    where = NAMES.get(account.platform, account.platform) if account is not None else doubt.account
    yield (
        f"  Look in {where}, {doubt.to}, whether it is there; then `vouch status{given} --said {doubt.key}` "
        f"or `vouch status{given} --not-said {doubt.key}`."
    )
