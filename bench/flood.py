"""A rush on Telegram: 100,000 doings are queued at once, most of them votes, every tenth by somebody who voted before,
every hundredth somebody who starts a chat and says stop. How long it takes until all of it is kept, and in what memory.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import cast

import psutil  # type: ignore[import-untyped]
from aiohttp import web

from bench.ingest import OPTIONS, WARM_UP, Stage
from bench.listen import BARE, OURS, Turn
from bench.row import ROOT, Figure, NotMeasured, Row, peak_mb
from sandbox.telegram import TelegramStandIn

DOINGS, DOINGS_QUICK = 100_000, 5_000
AGAIN_EVERY, STOP_EVERY = 10, 100
MOST_MB = 250.0


@dataclass
class Flood(Stage):
    """The same stage, whose people also change their minds and say stop; before the bare library, which only hears
    votes, they vote instead."""

    said: dict[str, int] = field(default_factory=dict)
    listener: psutil.Process | None = None
    idle_mb: float = 0.0
    """Memory (resident) of whoever listens, just before the rush."""

    async def _act(self, request: web.Request) -> web.Response:
        account, count = request.match_info["account"], int(request.match_info["count"])
        stand_in, post = cast(TelegramStandIn, self._stand_in), self._polls[account]
        first = self.said.get(account, 0)
        if first and self.listener is not None:
            self.idle_mb = self.listener.memory_info().rss / 1e6
        self.said[account] = first + count
        for number in range(first, first + count):
            if account.startswith(OURS) and number % STOP_EVERY == STOP_EVERY - 1:
                person = self._people[number]
                opened = await stand_in.open_direct(account, person)
                done = opened and await stand_in.write(account, person, "/stop") is not None
            else:
                again = bool(number % AGAIN_EVERY == AGAIN_EVERY // 2)
                done = await stand_in.vote(self._people[number - again], post, (number + again) % len(post.options))
            if not done:
                raise web.HTTPConflict(text=f"person {number} could not act")
        return web.Response()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out."""

    kept_s: float
    idle_mb: float
    peak_mb: float

    @property
    def over_idle_mb(self) -> float:
        """What the rush took."""
        return self.peak_mb - self.idle_mb


async def _turn(side: str, doings: int) -> Outcome:
    stage = Flood("telegram", [side], WARM_UP + doings)
    async with stage.standing():
        turn = Turn(
            platform="telegram",
            side=side,
            account=side,
            sandbox_url=stage.sandbox.url,
            act_url=stage.act_url,
            ref=stage.refs[side],
            options=OPTIONS["telegram"],
            warm_up=WARM_UP,
            events=doings,
            at_once=doings,
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.listen", json.dumps(asdict(turn))), stdout=asyncio.subprocess.PIPE, cwd=ROOT
        )
        stage.listener = psutil.Process(process.pid)
        peak = asyncio.create_task(peak_mb(process.pid))
        said, _ = await process.communicate()
        if process.returncode:
            raise NotMeasured(f"the measured process ended with exit code {process.returncode}; its log is above")
        return Outcome(doings / float(said), stage.idle_mb, await peak)


@cache
def flood(side: str, quick: bool) -> Outcome:
    """One rush. Raises ``NotMeasured``."""
    return asyncio.run(_turn(side, DOINGS_QUICK if quick else DOINGS))


def kept_s(quick: bool) -> Figure:
    """Seconds until all is committed, beside those in which the bare library takes as many votes."""
    ours, bare = flood(OURS, quick), flood(BARE, quick)
    if ours.over_idle_mb > MOST_MB:
        raise NotMeasured(f"it took {ours.over_idle_mb:.0f} MB over idle, the bare library {bare.over_idle_mb:.0f} MB")
    return Figure(ours.kept_s, bare.kept_s)


_KEPT = "100,000 queued votes and opt-outs are committed within 60 s, in at most 250 MB over idle"

ROWS = (Row("burst.telegram", _KEPT, "s", kept_s, 60.0),)
