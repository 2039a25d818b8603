"""How soon Vouch is there again after ``kill -9``, and how soon it has what happened meanwhile. Smaller is better."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from bench.row import ROOT, Figure, NotMeasured, Row, running, vouch
from core.settings import load
from demo.plan import plan_of
from sandbox.clocks import Clocks
from sandbox.seam import Post
from sandbox.server import Sandbox

SETTINGS = ROOT / "settings.toml"
MIDWEEK = datetime(2026, 11, 18, 12, tzinfo=UTC)
SHARES = {"telegram": 0.5, "discord": 0.42, "x": 0.08}
"""X keeps 800 mentions within reach: no more of 10,000 replies can have waited there."""
REPLIES, REPLIES_QUICK = 10_000, 1_000
LONGEST_S = 60.0
LOOK_S = 0.02
_ASKING = "SELECT count(*) FROM outbox WHERE kind = 'ask' AND state IN ('planned', 'claimed', 'sending')"
_KEPT = "SELECT (SELECT count(*) FROM response WHERE low IS NOT NULL)"


@dataclass
class Stage:
    """A sandbox with a crowd, and a service that is started and killed."""

    folder: Path
    people: int
    sandbox: Sandbox = field(init=False)
    polls: dict[str, Post] = field(default_factory=dict)

    def __post_init__(self) -> None:
        accounts, places, _ = plan_of(load(SETTINGS))
        self.sandbox = Sandbox(accounts, places, clocks=Clocks(start=MIDWEEK))
        self.sandbox.watchers.append(self._posted)
        self._crowds = {
            platform: [
                self.sandbox.stand_ins[platform].add_person(name=f"P{n}") for n in range(int(self.people * share))
            ]
            for platform, share in SHARES.items()
        }

    @property
    def database(self) -> Path:
        """The service's SQLite file."""
        return self.folder / "vouch.db"

    @property
    def replies(self) -> int:
        """How many people act in ``everybody_acts``."""
        return sum(map(len, self._crowds.values()))

    def _posted(self, post: Post) -> None:
        if post.options and post.names_voters:
            self.polls[post.platform] = post

    async def everybody_acts(self) -> None:
        """A vote of each person on Telegram and Discord, a mention with a number of each on X."""
        for platform, crowd in self._crowds.items():
            stand_in = self.sandbox.stand_ins[platform]
            for number, person in enumerate(crowd):
                if platform == "x":
                    done = await stand_in.write("acme-x", person, str(number % 11), place="timeline") is not None
                else:
                    done = await stand_in.vote(person, self.polls[platform], number % len(self.polls[platform].options))
                if not done:
                    raise NotMeasured(f"{platform} did not let person {number} act")

    @asynccontextmanager
    async def service(self) -> AsyncIterator[float]:
        """``vouch run``; gives the wall seconds until it was ready, and kills it in the end."""
        own = {"VOUCH_SANDBOX__URL": self.sandbox.url, "VOUCH_SERVICE__DATABASE": f"sqlite:///{self.database}"}
        started = time.perf_counter()
        async with running(*vouch(), "run", "--settings", str(SETTINGS), "--json", **own) as process:
            assert process.stdout is not None
            try:
                line = await asyncio.wait_for(process.stdout.readline(), LONGEST_S)
            except TimeoutError:
                raise NotMeasured(f"vouch run was not ready within {LONGEST_S:.0f} s; its log is above") from None
            if b"ready" not in line:
                raise NotMeasured("vouch run did not get ready; its log is above")
            yield time.perf_counter() - started

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for something. Raises ``NotMeasured``."""
        try:
            async with asyncio.timeout(LONGEST_S):
                while not holds():  # noqa: ASYNC110 - another process does it, and cannot tell us
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise NotMeasured(f"{what} within {LONGEST_S:.0f} s") from None

    def asked(self) -> bool:
        """Whether the polls stand, and the service knows it: of one that it does not know it would first find out."""
        if not {"telegram", "discord"} <= set(self.polls):
            return False
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            return int(connection.execute(_ASKING).fetchone()[0]) == 0

    def kept(self) -> int:
        """How many people's answers are committed."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            return int(connection.execute(_KEPT).fetchone()[0])


@cache
def _measured(quick: bool) -> tuple[Sequence[float], Sequence[float], Sequence[float]]:
    """Seconds of first starts, of starts after a kill, and from these starts to the last of the backlog."""
    return asyncio.run(_by_turns(REPLIES_QUICK if quick else REPLIES, 1 if quick else 3))


async def _by_turns(people: int, rounds: int) -> tuple[Sequence[float], Sequence[float], Sequence[float]]:
    found: list[tuple[float, float, float]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="vouch-bench-") as folder:
            found.append(await _once(Stage(Path(folder), people)))
    first, again, drained = zip(*found, strict=True)
    return first, again, drained


async def _once(stage: Stage) -> tuple[float, float, float]:
    async with stage.sandbox:
        async with stage.service() as first_s:
            await stage.until(stage.asked, "the question was not asked")
        await stage.everybody_acts()
        started = time.perf_counter()
        async with stage.service() as again_s:
            await stage.until(lambda: stage.kept() >= stage.replies, "not all replies were kept")
            return first_s, again_s, time.perf_counter() - started


def ready_again_s(quick: bool) -> Figure:
    """Seconds from the start after ``kill -9`` until all streams are up, beside a first start. Ratio: down."""
    first, again, _ = _measured(quick)
    return Figure(max(again), max(first))


def drained_s(quick: bool) -> Figure:
    """Seconds from the start after ``kill -9`` until all replies given meanwhile are committed, beside the start alone.
    ``quick`` brings a tenth of them. Ratio: down."""
    _, again, drained = _measured(quick)
    return Figure(max(drained), max(again))


_BACKLOG = "10,000 replies given while it was down are kept within 20 s of the start"

ROWS = (
    Row("recover.ready", "after `kill -9` all streams are up again within 5 s", "s", ready_again_s, 5.0),
    Row(
        "recover.backlog",
        "10,000 replies given while it was down are kept within 20 s of the start",
        "s",
        drained_s,
        20.0,
    ),
)
