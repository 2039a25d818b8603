"""What a person sees of the demo and the sandbox: progress, the posts as they arrive, and the verdict."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import SettingsError, VouchError
from core.settings import Settings, load
from demo.files import with_more_teams
from demo.live import Demo
from demo.outcome import Outcome
from demo.plan import plan_of, world_of
from demo.seat import HELP, Seat, listen, places_of
from sandbox.clocks import Clocks
from sandbox.server import Sandbox
from sandbox.world import World

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 3
"""So many misread messages are shown."""

LOOK_S = 0.25
"""How often, in wall seconds, what is shown is brought up to date."""

_NAMES = {"x": "X", "telegram": "Telegram", "discord": "Discord"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    path: Path
    """The settings."""
    followers: int
    seed: int
    given: str
    """How the settings were named there, such as `` --settings live.toml``; empty when they were not."""
    out: Path | None = None
    """Where what the teams got is written."""


def run_demo(wanted: Wanted, weeks: int, *, headless: bool, as_json: bool) -> int:
    """Run the demo and print what came of it. Returns the exit code. Raises ``VouchError`` when it cannot run."""
    if wanted.out is None:
        return _run(wanted, weeks, headless=headless, as_json=as_json)
    try:
        wanted.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VouchError(f"{wanted.out} cannot be made: {error.strerror}; name another folder with --out") from error
    with tempfile.TemporaryDirectory(prefix="vouch-demo-") as folder:
        path = with_more_teams(wanted.path, load(wanted.path), Path(folder, "settings.toml"))
        return _run(replace(wanted, path=path), weeks, headless=headless, as_json=as_json)


def _run(wanted: Wanted, weeks: int, *, headless: bool, as_json: bool) -> int:
    screen = None if headless else _screen()
    show = _quiet if headless else _on(screen)
    try:
        demo = Demo(wanted.path, followers=wanted.followers, seed=wanted.seed, weeks=weeks, show=show)
    except ValueError as error:  # what the sandbox cannot hold
        raise VouchError(str(error)) from error
    show(_foreword(demo, weeks, wanted.followers))
    if headless:
        outcome = asyncio.run(demo.run())
    else:
        outcome = asyncio.run(_in_a_pipe(demo) if screen is None else _in_a_terminal(demo, screen))
    if not outcome.ok:
        sys.stderr.write(f"The log of vouch run ends:\n{demo.end_of_log}\n")
    if wanted.out is not None:
        files, wrong = demo.write(wanted.out)
        outcome.faults += wrong
        show(f"What the teams got is in {wanted.out}: {', '.join(files)}.")
    if as_json:
        _print(json.dumps(outcome.as_json()))
    else:
        _print_verdict(outcome, wanted)
    return 0 if outcome.ok else 1


def _foreword(demo: Demo, weeks: int, followers: int) -> str:
    brands = " and ".join(sorted({survey.brand for survey in demo.surveys.values()}))
    week_s = 7 * 86_400 / demo.clocks.speed
    return (
        f"{weeks} {'week' if weeks == 1 else 'weeks'} of {brands} with {followers:,} followers, on stand-ins of "
        f"{_platforms(demo.settings)}.\n"
        f"A week takes {week_s:.3g} s here, a second is {168 / week_s:.2g} hours: "
        f"a post due on Monday at 09:00 comes a day or three later.\n"
        "Léa, made up like the followers, works in the team's channel. A case is an unhappy person who can be answered."
    )


async def _in_a_terminal(demo: Demo, console: Console) -> Outcome:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[acts]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task(f"starting {_platforms(demo.settings)} …", total=1.0, acts="")
        living = asyncio.create_task(demo.run())
        while not living.done():
            await asyncio.wait({living}, timeout=LOOK_S)
            bars.update(bar, completed=demo.share())
            if demo.up:
                bars.update(bar, description=f"{demo.clocks.now():%a %d %b}", acts=_lived(demo.world))
        return living.result()


async def _in_a_pipe(demo: Demo) -> Outcome:
    """A line for each quarter of the time."""
    living = asyncio.create_task(demo.run())
    quarter = 1
    while not living.done():
        await asyncio.wait({living}, timeout=LOOK_S)
        while quarter < 4 and demo.share() >= quarter / 4:
            _print(f"{25 * quarter} %, {demo.clocks.now():%a %d %b}: {_lived(demo.world)}")
            quarter += 1
    return living.result()


async def keep_sandbox(wanted: Wanted, *, port: int, speed: float, as_json: bool) -> None:
    """Keep a sandbox for these settings running until interrupted. Raises ``SettingsError`` when the port is taken."""
    settings = load(wanted.path)
    accounts, places, channels = plan_of(settings)
    now = datetime.now(UTC)
    start = now if speed == 1 else _monday(now)
    stage = Sandbox(accounts, places, clocks=Clocks(start=start, speed=speed), port=port)
    world = world_of(stage, settings, channels, wanted.followers, wanted.seed)
    try:
        async with stage:
            if as_json:
                _print(json.dumps({"event": "ready", "url": stage.url}))
            else:
                _print(
                    f"{_platforms(settings)} stand at {stage.url}, with {wanted.followers} followers; "
                    f"it is {start:%a %d %b}, a week takes {_lasting(7 * 86_400 / speed)}. Stop with Ctrl-C."
                )
                there = "" if stage.url == settings.sandbox.url else f"VOUCH_SANDBOX__URL={shlex.quote(stage.url)} "
                _print(f"Now run `{there}vouch run{wanted.given}` in another terminal.")
            if not as_json and sys.stdin.isatty() and (desks := places_of(settings, stage)):
                seat = Seat(desks, _print)
                stage.watchers.append(seat.see)
                _print(HELP)
                listen(seat.do)
                return await world.run()
            await _watched(world, stage.clocks)
    except OSError as error:
        raise SettingsError(f"port {port} cannot be used ({error.strerror}); choose another with --port") from error


def _monday(now: datetime) -> datetime:
    """The morning on which this week is asked: a calendar that runs fast begins there, so that whole weeks are seen."""
    return (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


async def _watched(world: World, clocks: Clocks) -> None:
    """Let the followers live, with a line that says how they do on a terminal, and nothing in a pipe."""
    if not sys.stderr.isatty():
        return await world.run()
    from rich.console import Console

    living = asyncio.create_task(world.run())
    with Console(stderr=True).status("") as line:
        while not living.done():
            line.update(f"{clocks.now():%a %d %b %Y}: {_lived(world)}")
            await asyncio.wait({living}, timeout=LOOK_S)
    return living.result()


def _lived(world: World) -> str:
    """What happened so far."""
    acts, posts = len(world.ledger.acts), len(world.ledger.posts)
    return f"{acts:,} votes, taps and messages of followers, {posts:,} of Vouch"


def _platforms(settings: Settings) -> str:
    """The settings' platforms as a sentence has them."""
    *others, last = dict.fromkeys(_NAMES[account.platform] for account in settings.accounts.values())
    return f"{', '.join(others)} and {last}" if others else last


def _lasting(seconds: float) -> str:
    """A duration in the largest unit that it fills."""
    for unit, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.3g} seconds"


def _print_verdict(outcome: Outcome, wanted: Wanted) -> None:
    given = wanted.given
    _print("")
    if outcome.ok:
        given_n, posted_n = _answers(outcome.truth), _answers(outcome.posted)
        lead = f"Followers gave {given_n:,} answers; the posts count {posted_n:,}, and none twice."
        _print(lead if given_n == posted_n else f"{lead} What differs was misread, as below.")
        _print(_reading(outcome))
    else:
        _print(f"Something is wrong: {outcome.lost} lost, {outcome.doubled} doubled. {'; '.join(outcome.faults)}")
    _print(
        f"Next: {_files(wanted)}; `vouch sandbox{given}` and `vouch run{given}` in two terminals to look around, "
        f"`vouch settings{given}` for what is set, README to go live."
    )


def _files(wanted: Wanted) -> str:
    if wanted.out is None:
        return f"`vouch demo{wanted.given} --out got` for what the teams got, with its picture"
    return f"open {wanted.out / 'telegram.html'} in a browser for what a team got, with its picture"


def _reading(outcome: Outcome) -> str:
    """What became of all that was typed; the first few that were misread."""
    wrongly = outcome.misread
    said = f"Followers typed {outcome.typed:,} messages in their own words, in 16 languages"
    if not outcome.misread_messages:
        return f"{said}; every one was read as it was meant."
    said += f"; {outcome.misread_messages} of them were misread"
    if not wrongly:
        return f"{said}, and put right by what they wrote next."
    answers = "1 answer is" if len(wrongly) == 1 else f"{len(wrongly)} answers are"
    lines = [f"{said}, so {answers} counted otherwise than meant, and no others:"]
    for one in wrongly[:SHOWN]:
        meant, read = ("no score" if score is None else str(score) for score in (one["meant"], one["read"]))
        elsewhere = f" (in {one['read_channel']}, before)" if meant == read else ""
        lines.append(f"  {one['text']!r}: meant {meant}, counted {read}{elsewhere}")
    return "\n".join(lines if len(wrongly) <= SHOWN else [*lines, f"  and {len(wrongly) - SHOWN} more (--json)"])


def _answers(counts: Mapping[str, Any]) -> int:
    surveys = counts.get("surveys", {"": counts})
    return sum(
        int(found[kind]["all"]["n"])
        for survey in surveys.values()
        for found in survey["weeks"].values()
        for kind in ("named", "open")
    )


def _screen() -> Console | None:
    """The terminal; ``None`` in a pipe."""
    if not sys.stdout.isatty():
        return None
    from rich.console import Console

    return Console()


def _on(screen: Console | None) -> Callable[[str], None]:
    """How to print whole lines, above the progress where there is a terminal. A text stays as it is."""
    if screen is None:
        return _print
    return lambda text: screen.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _quiet(text: str) -> None:
    del text
