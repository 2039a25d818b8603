"""What goes wrong besides the kills: one small act of destruction per scenario, drawn by seed, and how it is undone.

A scenario breaks something, has the service killed meanwhile (or not), and leaves everything whole behind it. Whatever
it breaks, the promises stand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.faults.contract import StreamFault, WireFault
from tests.faults.takeover import LEASE_S

if TYPE_CHECKING:
    from tests.faults.run import Run

CLOSE_CODES = (1000, 1001, 1006, 4000, 4001, 4003, 4007, 4008, 4009)
"""After these Discord lets a client come back. Source: https://discord.com/developers/docs/topics/opcodes-and-status-codes"""

NEW_SESSION = (1000, 1001, 4003, 4007, 4009)
"""After these not by the same session."""

COMMANDS = (("ask",), ("ask",), ("status", "--json"), ("report", "--post"), ("backup",))

JUMP_S = 400 * 86_400.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of fault. ``weight``: how often it is drawn in the mix."""

    name: str
    weight: int
    play: Callable[[Run], Awaitable[None]]
    fits: Callable[[Run], bool] = lambda run: True


APPLIED = 0.9
"""So many of the answers that are lost are those of requests that took effect; on Telegram all are: what is lost there
together with its request can never be said."""


async def kills(run: Run) -> None:
    """A kill in the window that lacks most, or at random."""
    await run.kill()


async def lost_answers(run: Run) -> None:
    """Something takes effect, and its answer does not come."""
    for _ in range(run.rng.randint(1, 2)):
        fault = run.rng.choice(("reset", "hang", "truncated", "502", "html"))
        platform = run.platform()
        applied = platform == "telegram" or run.rng.random() < APPLIED
        match = run.rng.choice(("sends", "sends", "reads"))
        more = WireFault(platform=platform, fault=fault, match=match, n=run.rng.randint(1, 3), applied=applied)
        await run.spoil(more)
    await run.maybe_kill(0.7)


async def slowed(run: Run) -> None:
    """The platform says 429 and to wait long, or answers slowly."""
    wait_s = run.rng.choice((0.5, 2.0, 6.0, 10.0))
    fault = run.rng.choice(("429", "429", "slow"))
    match = run.rng.choice(("sends", "sends", ""))
    wait_s = min(wait_s, 3.0) if fault == "slow" else wait_s
    n = run.rng.randint(1, 5)
    await run.spoil(WireFault(platform=run.platform(), fault=fault, match=match, n=n, retry_after_s=wait_s))
    await run.maybe_kill(0.7)


async def spoiled_stream(run: Run) -> None:
    """Updates come twice, in another order, or as rubbish."""
    fault = run.rng.choice(("duplicate", "reorder", "malformed"))
    await run.spoil(StreamFault(account=run.account(), fault=fault, n=run.rng.randint(1, 6)))
    await run.maybe_kill(0.7)


async def gateway(run: Run) -> None:
    """Discord's gateway asks to reconnect, forgets the session, or closes."""
    fault = run.rng.choice(("reconnect", "invalidate", "close", "close"))
    code = run.rng.choice(CLOSE_CODES)
    await run.spoil(StreamFault(account=run.account("discord"), fault=fault, code=code))
    if fault == "invalidate" or (fault == "close" and code in NEW_SESSION):
        run.session_ended()
    await run.maybe_kill(0.6)


async def second_poller(run: Run) -> None:
    """Somebody else asks Telegram for our updates."""
    await run.spoil(StreamFault(account=run.account("telegram"), fault="second-poller", for_s=run.rng.uniform(0.5, 3)))
    await run.maybe_kill(0.6)


async def disk_full(run: Run) -> None:
    """There is no room to write for a while; sometimes the service is killed in that state."""
    disk = run.store.disk
    with run.broken():
        if disk is not None and run.rng.random() < 0.5:
            await asyncio.to_thread(disk.fill)
        else:
            run.service().starve(1)
        try:
            await asyncio.sleep(run.rng.uniform(0.3, 1.5))
            await run.maybe_kill(0.3, window="random", wait=False)
        finally:
            if disk is not None:
                await asyncio.to_thread(disk.free)
            run.service().starve(None)
        await run.wait_ready()
    await run.maybe_kill(0.7)


async def clock(run: Run) -> None:
    """The clock of the service's machine jumps by 400 days, either way, and back."""
    assert run.wall is not None
    run.wall.write_text(str(run.rng.choice((-JUMP_S, JUMP_S))), "ascii")
    try:
        await asyncio.sleep(run.rng.uniform(0.3, 1.5))
        await run.maybe_kill(0.4, window="random")
    finally:
        run.wall.write_text("0", "ascii")
    await run.maybe_kill(0.7)


async def database_killed(run: Run) -> None:
    """The database server dies, and is started again; sometimes the service dies meanwhile."""
    assert run.store.server is not None
    await run.all_up()
    with run.broken():
        await run.store.server.kill()
        await asyncio.sleep(run.rng.uniform(0.0, 1.5))
        await run.maybe_kill(0.2, window="random", wait=False)
        await run.store.server.start()
        await run.wait_ready()
    await run.maybe_kill(0.6)


async def paused(run: Run) -> None:
    """A process stands still, for longer than its lease or not, and goes on as if nothing had been."""
    long = run.takeovers is not None and run.rng.random() < 0.6
    await run.pause(run.rng.uniform(LEASE_S + 3, LEASE_S + 5) if long else run.rng.uniform(0.3, 2.0))
    await run.maybe_kill(0.5)


async def commands(run: Run) -> None:
    """Somebody asks, looks, posts and copies by hand beside the service, which is killed meanwhile or not."""
    service, folder = run.service(), run.store.folder
    chosen = run.rng.sample(COMMANDS, run.rng.randint(1, 2))
    async with asyncio.TaskGroup() as group:
        by_hand: set[asyncio.Task[str]] = set()
        for words in chosen:
            more = [str(folder / f"{run.rng.random()}.copy")] if words == ("backup",) else []
            by_hand.add(group.create_task(service.command(*words, *more)))
        with run.broken():  # on SQLite a start waits for a command that has the file
            while not all(task.done() for task in by_hand):
                await run.maybe_kill(0.7)
    for copy in folder.glob("*.copy"):
        copy.unlink()


async def told_to_stop(run: Run) -> None:
    """An ordinary stop and start, as for an upgrade."""
    await run.wait_ready()  # of several, one is always alive
    service = run.service()
    await run.remote.gone(service.name)
    await service.stop()
    with run.broken():  # it says goodbye to Discord, so the next start is a new session, which may have to wait
        await run.come_back(service)
        await run.wait_ready()


async def desk(run: Run) -> None:
    """A kill while somebody works in each team's place, as they do all the time where this is among what is played:
    they take cases, write to customers, close them, own fixes and do them."""
    await run.kill("random" if run.rng.random() < 0.5 else None)


async def peace(run: Run) -> None:
    """Nothing at all goes wrong for a while: what is heard then has no excuse."""
    await run.wait_ready()
    await asyncio.sleep(run.rng.uniform(3.0, 6.0))


SCENARIOS = (
    Scenario("kills", 40, kills),
    Scenario("lost-answers", 14, lost_answers),
    Scenario("429", 8, slowed),
    Scenario("stream", 8, spoiled_stream),
    Scenario("gateway", 8, gateway),
    Scenario("second-poller", 4, second_poller),
    Scenario("disk-full", 5, disk_full, lambda run: run.store.kind == "sqlite"),
    Scenario("clock", 4, clock, lambda run: run.wall is not None),
    Scenario("database", 5, database_killed, lambda run: run.store.server is not None),
    Scenario("paused", 4, paused),
    Scenario("commands", 3, commands),
    Scenario("stop", 2, told_to_stop),
    Scenario("peace", 2, peace),
    Scenario("desk", 6, desk),
)
NAMES = tuple(scenario.name for scenario in SCENARIOS)

ONLY_ON = {"database": "postgresql", "disk-full": "sqlite"}
"""What can only be broken there."""
