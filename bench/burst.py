"""A rush on Discord: 100,000 votes in a minute, every tenth a repetition, and taps that want an answer within 3 s.

The sandbox is in this process; the account and its store are in one of their own, whose memory is measured:
``python -m bench.burst TURN``. ``python -m bench.burst`` alone prints all that came out.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import aiohttp
from aiohttp import web

from bench.ingest import settings_of
from bench.row import ROOT, Figure, NotMeasured
from sandbox.discord import DiscordStandIn
from sandbox.seam import AccountPlan, PlacePlan, Post
from sandbox.server import Sandbox

ACCOUNT, PLACE = "rush", "1100000000000000001"
OPTIONS = tuple(str(score) for score in range(10))
STEP_S = 0.05
LONGEST_S = 300.0


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
    most_votes: int = 20_000
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
            "over_idle_mb": round(self.peak_mb - self.idle_mb, 1),
            "drained_s": round(self.drained_s, 2),
            **acks,
        }


class Rush:
    """The people, and what the measured process tells of itself."""

    def __init__(self, turn: Turn) -> None:
        self.turn, self.outcome = turn, Outcome()
        self.sandbox = Sandbox([AccountPlan(ACCOUNT, "discord")], [PlacePlan(ACCOUNT, PLACE, "group")])
        self._discord = cast(DiscordStandIn, self.sandbox.stand_ins["discord"])
        self._people = [self._discord.add_person(name=f"P{number}") for number in range(turn.voters)]
        self._tappers = [self._discord.add_person(name=f"T{number}") for number in range(turn.taps + turn.at_once)]
        self._posts: list[Post] = []
        self.sandbox.watchers.append(self._posts.append)
        self._told: dict[str, asyncio.Future[dict[str, float]]] = {}

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
            given = asdict(self.turn) | {"sandbox_url": self.sandbox.url, "told_url": told_url}
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bench.burst", json.dumps(given)), cwd=ROOT
            )
            try:
                async with asyncio.timeout(LONGEST_S):
                    await self._rush()
                    await process.wait()
            except TimeoutError:
                raise NotMeasured(f"the rush was not through after {LONGEST_S:.0f} s") from None
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
                await runner.cleanup()
        return self.outcome

    def _future(self, what: str) -> asyncio.Future[dict[str, float]]:
        return self._told.setdefault(what, asyncio.get_running_loop().create_future())

    async def _hear(self, request: web.Request) -> web.Response:
        self._future(request.match_info["what"]).set_result(await request.json())
        return web.Response()

    async def _rush(self) -> None:
        self.outcome.idle_mb = (await self._future("up"))["rss_mb"]
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
        ended = time.monotonic()
        await asyncio.gather(*taps)
        done = await self._future("done")
        self.outcome.drained_s = done["at"] - ended
        self.outcome.peak_mb, self.outcome.counted = done["peak_mb"], int(done["counted"])
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


# In the process that is measured


async def measured(turn: Turn) -> None:
    """Our account and its inbox, until all is counted."""
    import psutil  # type: ignore[import-untyped]

    from bots import open_account
    from core.account import Poll
    from core.clock import Clock
    from scheduler import connections

    process = psutil.Process()
    found = await connections(settings_of("discord", [ACCOUNT], turn.sandbox_url))
    with tempfile.TemporaryDirectory(prefix="vouch-bench-") as folder:
        async with (
            aiohttp.ClientSession() as session,
            open_account("discord", ACCOUNT, found.options[ACCOUNT], Clock(), lambda _: None) as account,
        ):
            place = await account.place(PLACE)
            closes_at = datetime.now(UTC) + timedelta(days=1)
            poll = await account.poll(
                place, Poll(question="?", options=OPTIONS, closes_at=closes_at), "poll", begin=_begin
            )
            async with _inbox(Path(folder), poll.refs[0]) as (inbox, held, buttons):
                await account.say(place, buttons, "buttons", begin=_begin)
                up = asyncio.Event()
                listening = asyncio.create_task(account.listen(inbox.deliver(ACCOUNT, held), {}, up.set))
                await up.wait()
                idle_mb = process.memory_info().rss / 1e6
                await session.post(f"{turn.told_url}/up", json={"rss_mb": idle_mb})
                peak_mb = idle_mb
                counted, tapped = 0, 0
                while (counted, tapped) != (turn.voters, turn.taps + turn.at_once):
                    await asyncio.sleep(0.1)
                    peak_mb = max(peak_mb, process.memory_info().rss / 1e6)
                    counted, tapped = await asyncio.to_thread(_counted, inbox)
                done: dict[str, Any] = {"at": time.monotonic(), "peak_mb": peak_mb}
                await session.post(f"{turn.told_url}/done", json=done | {"counted": counted, "tapped": tapped})
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)


@asynccontextmanager
async def _inbox(folder: Path, ref: str) -> AsyncIterator[Any]:
    """An inbox on a new SQLite file where that poll was asked, and a message with buttons of the same wave."""
    from bench.kept import SURVEY, WAVE, posted
    from core.buttons import Purpose
    from core.message import Button, text
    from core.routes import Channel, ChannelKind

    async with posted(folder, ACCOUNT, ref, len(OPTIONS)) as (inbox, held):
        inbox.routes.channels["buttons"] = Channel(
            name="buttons", account=ACCOUNT, place=PLACE, kind=ChannelKind.BUTTONS
        )
        with inbox.database.reading() as connection:
            code = inbox.directory.wave(connection, SURVEY, WAVE).code
        scores = (Button(str(n), inbox.seal.token(Purpose.SCORE, code, n)) for n in range(11))
        yield inbox, held, text("How likely?", *scores)


def _counted(inbox: Any) -> tuple[int, int]:
    """Responses by vote, and by tap."""
    from sqlalchemy import text

    with inbox.database.reading() as connection:
        rows = connection.execute(text("SELECT via, count(*) FROM response WHERE low IS NOT NULL GROUP BY via"))
        by_via: dict[str, int] = dict(rows.all())
    return by_via.get("vote", 0), by_via.get("tap", 0)


async def _begin() -> None: ...


def rush(turn: Turn) -> Outcome:
    """One rush."""
    return asyncio.run(Rush(turn).run())


def ack_s(quick: bool) -> Figure:
    """Seconds within which 999 of 1,000 taps were answered during the rush, beside the 3 s that Discord waits."""
    outcome = rush(Turn(voters=9_000, votes=10_000, seconds=6.0, taps=1_000) if quick else Turn())
    if outcome.taps_in_vain > 0.001 * len(outcome.ack_s):
        raise NotMeasured(f"{outcome.taps_in_vain} taps were not answered")
    return Figure(outcome.ack(0.999), 3.0)


def main(arguments: Sequence[str]) -> None:
    """Measure one rush and print what came out, or be what is measured."""
    given: dict[str, Any] = json.loads(arguments[0]) if arguments else {}
    turn = Turn(**given)
    if turn.told_url:
        asyncio.run(measured(turn))
    else:
        sys.stdout.write(f"{json.dumps(rush(turn).shown())}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
