"""A rush on Discord: 100,000 votes in a minute, every tenth a repetition, and taps that want an answer within 3 s.

The sandbox is in this process; what is measured is ``vouch run`` on the shipped settings, with all that it does beside:
cases of unhappy people, the other platforms, the team's place. ``python -m bench.burst [TURN]`` prints all that came of
one rush; ``{"bare": true}`` is its floor (``bench/rushed.py``).
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import cast

import psutil  # type: ignore[import-untyped]
from aiohttp import web

from bench.row import ROOT, Figure, NotMeasured, Row, peak_mb, running, vouch
from core.settings import load
from demo.plan import plan_of
from sandbox.clocks import Clocks
from sandbox.discord import DiscordStandIn
from sandbox.seam import AccountPlan, PlacePlan, Post
from sandbox.server import Sandbox

ACCOUNT, PLACE = "rush", "1100000000000000001"
OPTIONS = tuple(str(score) for score in range(10))
SETTINGS = ROOT / "settings.toml"
MIDWEEK = datetime(2026, 11, 18, 12, tzinfo=UTC)
STEP_S = 0.05
COUNT_S = 0.5
CALM_S = 3.0
"""What is idle has caught up with its start by then."""
FEW = 3
"""The question has more buttons than anything else that is said."""
LATE = 1.1
"""By so much of its time, at most, a rush may take longer: people do not wait for a busy machine."""
LONGEST_S = 180.0
"""Beyond the turn's own time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What happens."""

    voters: int = 90_000
    votes: int = 100_000
    """``voters`` of them are new."""
    seconds: float = 60.0
    taps: int = 3_000
    """Spread over that time."""
    at_once: int = 0
    """More taps, all in its middle."""
    bare: bool = False
    """By aiohttp alone, which keeps nothing."""
    sandbox_url: str = ""
    told_url: str = ""


@dataclass
class Outcome:
    """What came out."""

    counted: int = 0
    tapped: int = 0
    taps_in_vain: int = 0
    ack_s: list[float] = field(default_factory=list)
    idle_mb: float = 0.0
    peak_mb: float = 0.0
    drained_s: float = 0.0
    """From the last vote until all is kept."""

    @property
    def over_idle_mb(self) -> float:
        """What the rush took."""
        return self.peak_mb - self.idle_mb

    def ack(self, share: float) -> float:
        """Seconds within which so many of the taps were answered."""
        return sorted(self.ack_s)[min(int(len(self.ack_s) * share), len(self.ack_s) - 1)]

    def shown(self) -> dict[str, float]:
        """For people and for JSON."""
        acks = {f"ack_p{share * 100:g}_s": round(self.ack(share), 3) for share in (0.5, 0.99, 0.999, 1.0)}
        return {
            "counted": self.counted,
            "tapped": self.tapped,
            "taps_in_vain": self.taps_in_vain,
            "idle_mb": round(self.idle_mb, 1),
            "over_idle_mb": round(self.over_idle_mb, 1),
            "drained_s": round(self.drained_s, 2),
            **acks,
        }


class Rush:
    """The people, and what the measured process tells of itself."""

    def __init__(self, turn: Turn) -> None:
        self.turn, self.outcome = turn, Outcome()
        accounts, places = [AccountPlan(ACCOUNT, "discord")], [PlacePlan(ACCOUNT, PLACE, "group")]
        if not turn.bare:
            accounts, places, _ = plan_of(load(SETTINGS))
        self.sandbox = Sandbox(accounts, places, clocks=Clocks(start=MIDWEEK))
        self._discord = cast(DiscordStandIn, self.sandbox.stand_ins["discord"])
        self._people = [self._discord.add_person(name=f"P{number}") for number in range(turn.voters)]
        self._tappers = [self._discord.add_person(name=f"T{number}") for number in range(turn.taps + turn.at_once)]
        self._posts: list[Post] = []
        self._asked = asyncio.Event()
        """The poll stands, and the post with buttons."""
        self.sandbox.watchers.append(self._see)
        self._told: dict[str, asyncio.Future[dict[str, float]]] = {}

    def _see(self, post: Post) -> None:
        if post.platform == "discord" and (post.options or len(post.buttons) > FEW):
            self._posts.append(post)
            if {bool(one.options) for one in self._posts} == {True, False}:
                self._asked.set()

    async def run(self) -> Outcome:
        """The whole rush. Raises ``NotMeasured``."""
        app = web.Application()
        app.router.add_post("/{what}", self._hear)
        runner = web.AppRunner(app, access_log=None)
        async with self.sandbox:
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            told_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            try:
                async with asyncio.timeout(self.turn.seconds + LONGEST_S), asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._rush())
                    tasks.create_task(self._bare(told_url) if self.turn.bare else self._serve())
            except* TimeoutError:
                raise NotMeasured(f"all was not kept {LONGEST_S:.0f} s after the rush") from None
            except* NotMeasured as ended:
                raise ended.exceptions[0] from None
            finally:
                await runner.cleanup()
        return self.outcome

    async def _bare(self, told_url: str) -> None:
        """The floor, until it ends. Raises ``NotMeasured`` if it ends too soon."""
        given = asdict(self.turn) | {"sandbox_url": self.sandbox.url, "told_url": told_url}
        async with running(sys.executable, "-m", "bench.rushed", json.dumps(given)) as process:
            await process.wait()
        if not self._future("done").done():
            raise NotMeasured(f"the measured process ended with exit code {process.returncode}; its log is above")

    async def _serve(self) -> None:
        """``vouch run``, until all is counted. Raises ``NotMeasured`` if it ends too soon."""
        with tempfile.TemporaryDirectory(prefix="vouch-bench-") as folder:
            database = Path(folder, "vouch.db")
            own = {"VOUCH_SANDBOX__URL": self.sandbox.url, "VOUCH_SERVICE__DATABASE": f"sqlite:///{database}"}
            async with running(*vouch(), "run", "--settings", str(SETTINGS), "--json", **own) as process:
                await self._asked.wait()
                await asyncio.sleep(CALM_S)
                idle_mb = float(psutil.Process(process.pid).memory_info().rss) / 1e6
                peak = asyncio.create_task(peak_mb(process.pid))
                self._future("up").set_result({})
                counted, tapped = 0, 0
                while counted < self.turn.voters or tapped < len(self._tappers):
                    await asyncio.sleep(COUNT_S)
                    if process.returncode is not None:
                        raise NotMeasured(f"vouch run ended with exit code {process.returncode}")
                    counted, tapped = await asyncio.to_thread(_counted, database)
                at = time.monotonic()
            found = {"idle_mb": idle_mb, "peak_mb": await peak, "counted": counted, "tapped": tapped, "at": at}
            self._future("done").set_result(found)

    def _future(self, what: str) -> asyncio.Future[dict[str, float]]:
        return self._told.setdefault(what, asyncio.get_running_loop().create_future())

    async def _hear(self, request: web.Request) -> web.Response:
        self._future(request.match_info["what"]).set_result(await request.json())
        return web.Response()

    async def _rush(self) -> None:
        await self._future("up")
        poll, buttons = (next(p for p in self._posts if bool(p.options) is polls) for polls in (True, False))
        loop, taps = asyncio.get_running_loop(), list[asyncio.Task[None]]()
        start, voted, steps = loop.time(), 0, round(self.turn.seconds / STEP_S)
        for step in range(1, steps + 1):
            until = self.turn.votes * step // steps
            for number in range(voted, until):
                await self._vote(poll, number)
            voted = until
            more = self.turn.taps * step // steps - self.turn.taps * (step - 1) // steps
            more += self.turn.at_once if step == steps // 2 else 0
            taps += [asyncio.create_task(self._tap(buttons, n)) for n in range(len(taps), len(taps) + more)]
            await asyncio.sleep(max(start + step * STEP_S - loop.time(), 0))
        if (took_s := loop.time() - start) > LATE * self.turn.seconds:
            raise NotMeasured(f"the rush took {took_s:.0f} s in place of {self.turn.seconds:.0f} s: that is no rush")
        ended = time.monotonic()
        await asyncio.gather(*taps)
        done = await self._future("done")
        self.outcome.drained_s = done["at"] - ended
        self.outcome.idle_mb, self.outcome.peak_mb = done.get("idle_mb", 0.0), done.get("peak_mb", 0.0)
        self.outcome.counted = int(done["counted"])
        self.outcome.tapped = int(done["tapped"])

    async def _vote(self, poll: Post, number: int) -> None:
        """A vote of somebody new, or every so often the last one told once more."""
        news = number * self.turn.voters // self.turn.votes
        person, option = self._people[news], news % len(OPTIONS)
        if number and (number - 1) * self.turn.voters // self.turn.votes == news:
            message = self._discord._message(poll)
            assert message is not None
            self._discord.polls._tell(
                message, self._discord.state.people[int(person)], option + 1, "MESSAGE_POLL_VOTE_ADD"
            )
        else:
            await self._discord.vote(person, poll, option)

    async def _tap(self, post: Post, number: int) -> None:
        """Somebody taps who does not vote, so that taps are counted apart."""
        began = time.perf_counter()
        answered = await self._discord.tap(self._tappers[number], post, post.buttons[number % 11])
        self.outcome.ack_s.append(time.perf_counter() - began)
        self.outcome.taps_in_vain += not answered


def _counted(database: Path) -> tuple[int, int]:
    """Responses by vote, and by tap."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT via, count(*) FROM response WHERE low IS NOT NULL GROUP BY via")
        by_via: dict[str, int] = dict(rows.fetchall())
    return by_via.get("vote", 0), by_via.get("tap", 0)


def rush(turn: Turn) -> Outcome:
    """One rush. Raises ``NotMeasured`` when not every vote and every tap was counted."""
    outcome = asyncio.run(Rush(turn).run())
    if (outcome.counted, outcome.tapped) != (turn.voters, turn.taps + turn.at_once):
        raise NotMeasured(f"{outcome.counted} of {turn.voters} votes and {outcome.tapped} taps were counted")
    return outcome


@cache
def _usual(quick: bool, votes: bool = True, bare: bool = False) -> Outcome:
    """A rush of the rows; without votes, the same taps at the same pace."""
    taps, seconds = (1_000, 6.0) if quick else (3_000, 60.0)
    voters = (9_000 if quick else 90_000) * votes
    return rush(Turn(voters=voters, votes=voters * 10 // 9, seconds=seconds, taps=taps, bare=bare))


def ack_ms(quick: bool) -> Figure:
    """Milliseconds within which 999 of 1,000 taps were answered during the rush, beside the same taps without it."""
    with_votes, without = _usual(quick), _usual(quick, votes=False)
    for outcome in (with_votes, without):
        if outcome.taps_in_vain > 0.001 * len(outcome.ack_s):
            raise NotMeasured(f"{outcome.taps_in_vain} taps were not answered within 3 s")
    return Figure(1e3 * with_votes.ack(0.999), 1e3 * without.ack(0.999))


def memory_mb(quick: bool) -> Figure:
    """The most MB over idle that the rush took, beside those of the same taps without it."""
    return Figure(_usual(quick).over_idle_mb, max(_usual(quick, votes=False).over_idle_mb, 0.1))


def main(arguments: Sequence[str]) -> None:
    """Measure one rush and print what came out."""
    turn = Turn(**(json.loads(arguments[0]) if arguments else {}))
    sys.stdout.write(f"{json.dumps(rush(turn).shown())}\n")


_ACK = "in 100,000 votes within a minute, 999 of 1,000 taps are answered within 3,000 ms, as long as Discord waits"
_MEMORY = "that rush takes at most 250 MB (resident) over idle"

ROWS = (
    Row("burst.ack", _ACK, "ms", ack_ms, 3_000.0),
    Row("burst.memory", _MEMORY, "MB", memory_mb, 250.0),
)

if __name__ == "__main__":
    main(sys.argv[1:])
