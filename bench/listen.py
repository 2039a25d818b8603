"""The process that ``bench/ingest.py`` measures: one account, listened to by our adapter into the store, or by the bare
library into nothing. ``python -m bench.listen TURN`` prints events a second."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

OURS, BARE = "ours", "bare"
LONGEST_S = 150.0

Pull = Callable[[], Awaitable[object]]
"""Fetch what is there, where the platform does not bring it by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What to measure."""

    platform: str
    side: str
    account: str
    sandbox_url: str
    act_url: str
    ref: str
    """Of the poll that is voted on."""
    options: int
    warm_up: int
    events: int
    at_once: int
    """How many of the events happen before the account looks."""


@dataclass
class Seen:
    """Counts what has gone all the way."""

    left: int = 0
    all: asyncio.Event = field(default_factory=asyncio.Event)

    def expect(self, count: int) -> None:
        """From now on so many are waited for."""
        self.left = count
        self.all.clear()

    def add(self, count: int) -> None:
        """So many more are through."""
        self.left -= count
        if self.left <= 0:
            self.all.set()


Reading = Callable[[Turn, Mapping[str, str], Seen], AbstractAsyncContextManager[Pull]]


async def measured(turn: Turn) -> float:
    """Events in a second, after a warm-up. Time begins when all of them have happened."""
    from bench.ingest import settings_of
    from connecting import connections

    found = await connections(settings_of(turn.platform, [turn.account], turn.sandbox_url))
    seen = Seen()
    reading: Reading = ours if turn.side == OURS else BARE_LIBRARIES[turn.platform]
    starts = range(0, turn.events, turn.at_once)
    rushes = [turn.warm_up, *(min(turn.at_once, turn.events - start) for start in starts)]
    took_s: list[float] = []
    async with (
        asyncio.timeout(LONGEST_S),
        aiohttp.ClientSession() as session,
        reading(turn, found.options[turn.account], seen) as pull,
    ):
        for count in rushes:
            seen.expect(count)
            async with session.post(f"{turn.act_url}/{turn.account}/{count}") as response:
                response.raise_for_status()
                started = time.perf_counter()
            await pull()
            await seen.all.wait()
            took_s.append(time.perf_counter() - started)
    return turn.events / sum(took_s[1:])


@asynccontextmanager
async def ours(turn: Turn, options: Mapping[str, str], seen: Seen) -> AsyncIterator[Pull]:
    """Our adapter, and the inbox on a new database."""
    from bench.kept import posted
    from bots import open_account
    from core.account import Answer
    from core.clock import Clock
    from core.events import Event, Reply

    with tempfile.TemporaryDirectory(prefix="vouch-bench-") as folder:
        async with (
            posted(Path(folder), turn.account, turn.ref, turn.options) as (inbox, held),
            open_account(turn.platform, turn.account, options, Clock(), lambda _: None) as account,
        ):
            keep = inbox.deliver(turn.account, held)

            async def deliver(events: Sequence[Event]) -> Sequence[Answer]:
                answers = await keep(events)
                seen.add(sum(isinstance(event, Reply) for event in events))
                return answers

            if turn.platform == "x":  # it would ask once a minute
                yield lambda: account.catch_up([], deliver)
                return
            up = asyncio.Event()
            async with _meanwhile(account.listen(deliver, {}, up.set)):
                await up.wait()
                yield _nothing


@asynccontextmanager
async def bare_telegram(turn: Turn, options: Mapping[str, str], seen: Seen) -> AsyncIterator[Pull]:
    """python-telegram-bot's Application with its Updater and its queue."""
    from telegram import Update
    from telegram.ext import Application, PollAnswerHandler

    from bots.telegram.read import KINDS

    async def nothing(update: Update, context: Any) -> None:
        seen.add(1)

    address = options["base_url"].rstrip("/")
    app = Application.builder().token(options["token"]).base_url(f"{address}/bot").build()
    app.add_handler(PollAnswerHandler(nothing))
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling(allowed_updates=KINDS)
        yield _nothing
        await app.updater.stop()
        await app.stop()


@asynccontextmanager
async def bare_discord(turn: Turn, options: Mapping[str, str], seen: Seen) -> AsyncIterator[Pull]:
    """discord.py's Client."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import discord
        from discord.gateway import DiscordWebSocket
        from discord.http import Route

    Route.BASE = options["base_url"]
    DiscordWebSocket.DEFAULT_GATEWAY = URL(options["gateway_url"].replace("http", "ws", 1))
    up = asyncio.Event()

    class Bare(discord.Client):
        async def on_ready(self) -> None:
            up.set()

        async def on_raw_poll_vote_add(self, event: discord.RawPollVoteActionEvent) -> None:
            seen.add(1)

    intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, polls=True)
    async with Bare(intents=intents) as client, _meanwhile(client.start(options["token"])):
        await up.wait()
        yield _nothing


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """What tweepy takes for its session: the same requests, to another address."""

    session: aiohttp.ClientSession
    address: str

    def request(self, method: str, url: URL | str, **given: Any) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        there = str(url).replace("https://api.twitter.com", self.address, 1)
        return self.session.request(method, URL(there, encoded=True), **given)


@asynccontextmanager
async def bare_x(turn: Turn, options: Mapping[str, str], seen: Seen) -> AsyncIterator[Pull]:
    """tweepy's AsyncClient and AsyncPaginator. Its host is a literal, so the session is told where."""
    from tweepy.asynchronous import AsyncClient, AsyncPaginator  # type: ignore[import-untyped]

    from bots.x.read import POST_FIELDS

    keys: dict[str, Any] = {name: value for name, value in options.items() if name != "base_url"}
    client: Any = AsyncClient(**keys)
    newest: str | None = None

    async def pull() -> None:
        nonlocal newest
        asked: dict[str, Any] = {"max_results": 100, "tweet_fields": POST_FIELDS, "user_auth": True}
        pages: Any = AsyncPaginator(client.get_users_mentions, me, since_id=newest, **asked)
        first = None
        async for page in pages:
            first = first or page.meta.get("newest_id")
            seen.add(page.meta["result_count"])
        newest = first or newest

    async with aiohttp.ClientSession() as session:
        client.session = _Elsewhere(session, options["base_url"].rstrip("/"))
        me = (await client.get_me()).data.id
        yield pull


BARE_LIBRARIES: Mapping[str, Reading] = {"telegram": bare_telegram, "discord": bare_discord, "x": bare_x}


async def _nothing() -> None: ...


@asynccontextmanager
async def _meanwhile(work: Awaitable[None]) -> AsyncIterator[None]:
    """Let it run as long as the block does; should it end before, so does the block, with its error."""
    inside = asyncio.current_task()
    assert inside is not None
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda ended: ended.cancelled() or inside.cancel())
    try:
        yield
    finally:
        ended = task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if ended and not task.cancelled():
            task.result()


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(measured(Turn(**json.loads(sys.argv[1]))))}\n")
