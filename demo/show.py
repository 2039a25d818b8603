"""What a person sees of the demo and the sandbox: progress, the posts as they arrive, and the verdict."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from core.errors import SettingsError, VouchError
from core.settings import Settings
from demo.live import Demo, Outcome
from demo.plan import plan_of, world_of
from sandbox.clocks import Clocks
from sandbox.server import Sandbox


def run_demo(path: Path, followers: int, seed: int, weeks: int, *, headless: bool, as_json: bool) -> int:
    """Run the demo and print what came of it. Returns the exit code."""
    try:
        demo = Demo(path, followers=followers, seed=seed, weeks=weeks, show=_quiet if headless else _print)
        outcome = asyncio.run(_live(demo, followers, progress=not headless and sys.stderr.isatty()))
    except (VouchError, ValueError) as error:
        sys.stderr.write(f"vouch: {error}\n")
        return 2
    if not outcome.ok:
        sys.stderr.write(f"The log of vouch run ends:\n{demo.end_of_log}\n")
    if as_json:
        _print(json.dumps(outcome.as_json()))
    else:
        _print_verdict(outcome)
    return 0 if outcome.ok else 1


async def _live(demo: Demo, followers: int, *, progress: bool) -> Outcome:
    if not progress:
        return await demo.run()
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[acts]}"), TimeElapsedColumn())
    from rich.console import Console

    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("starting", total=1.0, acts="")
        living = asyncio.create_task(demo.run())
        while not living.done():
            await asyncio.wait({living}, timeout=0.25)
            ledger = demo.world.ledger
            said = f"{len(ledger.acts)} acts of {followers} followers, {len(ledger.posts)} posts"
            bars.update(bar, completed=demo.share(), description=f"{demo.clocks.now():%a %d %b}", acts=said)
        return living.result()


async def keep_sandbox(settings: Settings, *, port: int, followers: int, seed: int, speed: float) -> None:
    """Keep a sandbox for these settings running until interrupted. Raises ``SettingsError`` when the port is taken."""
    accounts, places, channels = plan_of(settings)
    stage = Sandbox(accounts, places, clocks=Clocks(speed=speed), port=port)
    world = world_of(stage, settings, channels, followers, seed)
    try:
        async with stage:
            _print(f"X, Telegram and Discord stand at {stage.url}, with {followers} followers. Stop with Ctrl-C.")
            _print("Now run `vouch run` in another terminal.")
            await world.run()
    except OSError as error:
        raise SettingsError(f"port {port} cannot be used ({error.strerror}); choose another with --port") from error


def _print_verdict(outcome: Outcome) -> None:
    _print("")
    if outcome.ok:
        _print(f"The posts say what the followers really did: {_answers(outcome)} answers, none lost, none doubled.")
    else:
        _print(f"Something is wrong: {outcome.lost} lost, {outcome.doubled} doubled. {'; '.join(outcome.faults)}")
    _print("Next: `vouch sandbox` and `vouch run` to look around, `vouch settings` for what is set, README to go live.")


def _answers(outcome: Outcome) -> int:
    surveys = outcome.truth.get("surveys", {"": outcome.truth})
    return sum(
        int(found[kind]["all"]["n"])
        for survey in surveys.values()
        for found in survey["weeks"].values()
        for kind in ("named", "open")
    )


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _quiet(text: str) -> None:
    del text
