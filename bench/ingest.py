"""How fast events get from the wire into the store, beside the bare library that throws them away.

The sandbox runs in this process, and whoever is measured in one of its own (``bench/listen.py``), so that the sandbox's
work is not ours. Each turn has an account, a poll and a process of its own, and the same people act.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from aiohttp import web

from bench.listen import BARE, OURS, Turn
from bench.row import ROOT, Figure, NotMeasured, Row
from bots import open_account
from connecting import connections
from core.account import Poll
from core.settings import Settings
from sandbox.seam import AccountPlan, PlacePlan, Post
from sandbox.server import Sandbox

EVENTS, EVENTS_QUICK = 10_000, 2_000
WARM_UP = 200
LONGEST_S = 180.0
OPTIONS = {"telegram": 11, "discord": 10}
"""Options of the poll; X is asked for mentions, because its polls name nobody."""
AT_ONCE = {"x": 790}
"""So many act before the account looks, because X keeps no more than 800 mentions within reach; elsewhere all at once,
as in a rush."""


@dataclass
class Stage:
    """A sandbox with an account for each turn, and an address at which the measured process lets people act."""

    platform: str
    turns: list[str]
    people: int
    sandbox: Sandbox = field(init=False)
    act_url: str = field(default="", init=False)
    refs: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        accounts = [AccountPlan(name, self.platform) for name in self.turns]
        places = [
            PlacePlan(name, self._place(number), "group")
            for number, name in enumerate(self.turns)
            if self.platform in OPTIONS
        ]
        self.sandbox = Sandbox(accounts, places)
        self._stand_in = self.sandbox.stand_ins[self.platform]
        self._people = [self._stand_in.add_person(name=f"P{number}") for number in range(self.people)]
        self._acted = dict.fromkeys(self.turns, 0)
        self._polls: dict[str, Post] = {}
        self.sandbox.watchers.append(self._posted)

    def _place(self, number: int) -> str:
        return (
            f"-100{1_000_000_001 + number}" if self.platform == "telegram" else str(1_100_000_000_000_000_001 + number)
        )

    def _posted(self, post: Post) -> None:
        self._polls[post.account] = post

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[Stage]:
        """Open, with a poll of each account where the platform's polls name their voters."""
        app = web.Application()
        app.router.add_post("/{account}/{count}", self._act)
        runner = web.AppRunner(app, access_log=None)
        async with self.sandbox:
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.act_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            try:
                if self.platform in OPTIONS:
                    await self._post_polls()
                yield self
            finally:
                await runner.cleanup()

    async def _post_polls(self) -> None:
        found = await connections(settings_of(self.platform, self.turns, self.sandbox.url))
        for number, name in enumerate(self.turns):
            async with open_account(self.platform, name, found.options[name], found.clock, lambda _: None) as account:
                options = tuple(str(option) for option in range(OPTIONS[self.platform]))
                closes_at = datetime.now(UTC) + timedelta(days=1)
                place = await account.place(self._place(number))
                poll = Poll(question="?", options=options, closes_at=closes_at)
                receipt = await account.poll(place, poll, name, begin=_begin)
                self.refs[name] = receipt.refs[0]

    async def _act(self, request: web.Request) -> web.Response:
        """So many people vote, or mention the brand. Nothing here waits, so all of it is there before any is sent."""
        account, count = request.match_info["account"], int(request.match_info["count"])
        start = self._acted[account]
        self._acted[account] += count
        for number, person in enumerate(self._people[start : start + count]):
            if account in self._polls:
                post = self._polls[account]
                done = await self._stand_in.vote(person, post, number % len(post.options))
            else:
                done = await self._stand_in.write(account, person, str(number % 11), place="timeline") is not None
            if not done:
                raise web.HTTPConflict(text=f"{self.platform} did not let person {number} act")
        return web.Response()


async def _begin() -> None:
    """Nobody else may say it."""


def settings_of(platform: str, accounts: list[str], sandbox_url: str) -> Settings:
    """Settings that know nothing but these accounts on that sandbox."""
    found = {name: {"platform": platform} for name in accounts}
    return Settings.model_validate({"sandbox": {"url": sandbox_url}, "accounts": found})


def events_s(platform: str, quick: bool) -> Figure:
    """Events in a second, from when they happened until the last is committed (SQLite, FULL), beside the bare library
    with a handler that does nothing: python-telegram-bot's Application with its Updater, discord.py's Client, tweepy's
    AsyncPaginator; best of several. Ratio: up."""
    return asyncio.run(_by_turns(platform, EVENTS_QUICK if quick else EVENTS, 2 if quick else 3))


async def _by_turns(platform: str, events: int, rounds: int) -> Figure:
    turns = [(f"{side}-{number}", side) for number in range(rounds) for side in (OURS, BARE)]
    stage = Stage(platform, [name for name, _ in turns], WARM_UP + events)
    found: dict[str, list[float]] = {OURS: [], BARE: []}
    async with stage.standing():
        for name, side in turns:
            turn = Turn(
                platform=platform,
                side=side,
                account=name,
                sandbox_url=stage.sandbox.url,
                act_url=stage.act_url,
                ref=stage.refs.get(name, ""),
                options=OPTIONS.get(platform, 11),
                warm_up=WARM_UP,
                events=events,
                at_once=AT_ONCE.get(platform, events),
            )
            found[side].append(await _apart(turn))
    return Figure(max(found[OURS]), max(found[BARE]))


async def _apart(turn: Turn) -> float:
    """Events in a second of one turn, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.listen", json.dumps(asdict(turn))), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), LONGEST_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NotMeasured(f"{turn.account} was not through after {LONGEST_S:.0f} s") from None
    if process.returncode:
        raise NotMeasured(f"{turn.account} ended with exit code {process.returncode}; its log is above")
    return float(said)


_TELEGRAM = "votes are kept at least as fast as python-telegram-bot alone takes them (ratio 1 or more)"
_DISCORD = "votes are kept as fast as discord.py brings them, on the order of the library alone"
_X = "mentions are kept on the order of the speed at which tweepy alone pages through them"

ROWS = (
    Row("ingest.telegram", _TELEGRAM, "events/s", partial(events_s, "telegram")),
    Row("ingest.discord", _DISCORD, "events/s", partial(events_s, "discord")),
    Row("ingest.x", _X, "events/s", partial(events_s, "x")),
)
