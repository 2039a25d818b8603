"""The process that ``bench/burst.py`` measures: our account and its store, or the least that answers a tap.

``python -m bench.rushed TURN`` tells the process that started it how it fares.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import psutil  # type: ignore[import-untyped]

from bench.burst import ACCOUNT, OPTIONS, PLACE, Turn
from bench.ingest import settings_of
from bench.kept import SURVEY, WAVE, posted
from bots import open_account
from connecting import connections
from core.account import Account, Poll
from core.buttons import Purpose
from core.clock import Clock
from core.message import Button, text
from core.routes import Channel, ChannelKind

LOOK_S, COUNT_S = 0.1, 0.5


class Told:
    """What the process that started us is told, and what it costs us to be here."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url
        self._process = psutil.Process()
        self._idle_mb = self._peak_mb = 0.0

    async def up(self) -> None:
        """From now on it may begin."""
        self._idle_mb = self._peak_mb = self._now_mb()
        await self._tell("up", {})

    def look(self) -> None:
        """Keep the peak."""
        self._peak_mb = max(self._peak_mb, self._now_mb())

    async def done(self, counted: int, tapped: int) -> None:
        """All that came is there."""
        self.look()
        found = {"idle_mb": self._idle_mb, "peak_mb": self._peak_mb, "counted": counted, "tapped": tapped}
        await self._tell("done", found | {"at": time.monotonic()})

    async def _tell(self, what: str, news: dict[str, float]) -> None:
        async with self._session.post(f"{self._url}/{what}", json=news) as answer:
            answer.raise_for_status()

    def _now_mb(self) -> float:
        return float(self._process.memory_info().rss) / 1e6


async def ours(turn: Turn, told: Told) -> None:
    """Our account and its inbox, until all is counted."""
    found = await connections(settings_of("discord", [ACCOUNT], turn.sandbox_url))
    with tempfile.TemporaryDirectory(prefix="vouch-bench-") as folder:
        async with open_account("discord", ACCOUNT, found.options[ACCOUNT], Clock(), lambda _: None) as account:
            ref = await _post_poll(account)
            async with _inbox(Path(folder), ref) as (inbox, held, buttons):
                await account.say(await account.place(PLACE), buttons, "buttons", begin=_begin)
                up = asyncio.Event()
                listening = asyncio.create_task(account.listen(inbox.deliver(ACCOUNT, held), {}, up.set))
                await up.wait()
                await told.up()
                counted_at, counted, tapped = 0.0, 0, 0
                while counted < turn.voters or tapped < turn.taps + turn.at_once:
                    await asyncio.sleep(LOOK_S)
                    told.look()
                    if time.monotonic() > counted_at + COUNT_S:
                        counted, tapped = await asyncio.to_thread(_counted, inbox)
                        counted_at = time.monotonic()
                await told.done(counted, tapped)
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)


async def _post_poll(account: Account) -> str:
    closes_at = datetime.now(UTC) + timedelta(days=1)
    poll = Poll(question="?", options=OPTIONS, closes_at=closes_at)
    return (await account.poll(await account.place(PLACE), poll, "poll", begin=_begin)).refs[0]


@asynccontextmanager
async def _inbox(folder: Path, ref: str) -> AsyncIterator[Any]:
    """An inbox on a new SQLite file where that poll was asked, and a message with buttons of the same wave."""
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


async def bare(turn: Turn, told: Told) -> None:
    """The gateway by aiohttp alone: nothing is read of a vote, and each tap is told at once that we are at it."""
    found = await connections(settings_of("discord", [ACCOUNT], turn.sandbox_url))
    options = found.options[ACCOUNT]
    async with open_account("discord", ACCOUNT, options, Clock(), lambda _: None) as account:
        await _post_poll(account)
        await account.say(await account.place(PLACE), text("?", *_BUTTONS), "buttons", begin=_begin)
    counted = tapped = 0
    answering: set[asyncio.Task[None]] = set()
    intents = 1 << 0 | 1 << 9 | 1 << 12 | 1 << 24 | 1 << 25
    asks = {"token": options["token"], "intents": intents, "properties": {"os": "", "browser": "", "device": ""}}
    url = options["gateway_url"].replace("http", "ws", 1) + "?v=10&encoding=json"
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=32)) as session,
        session.ws_connect(url, max_msg_size=0) as socket,
    ):
        await socket.send_json({"op": 2, "d": asks})
        async for frame in socket:
            came = json.loads(frame.data)
            if came.get("t") == "GUILD_CREATE":
                await told.up()
            elif came.get("t") == "MESSAGE_POLL_VOTE_ADD":
                counted += 1
            elif came.get("t") == "INTERACTION_CREATE":
                tapped += 1
                d = came["d"]
                where = f"{options['base_url']}/interactions/{d['id']}/{d['token']}/callback"
                answering.add(asyncio.create_task(_defer(session, where)))
                await asyncio.sleep(0)  # it does not wait while there is more
            if counted == turn.votes and tapped == turn.taps + turn.at_once:
                break
        await asyncio.gather(*answering)
        await told.done(turn.voters if counted == turn.votes else counted, tapped)


_BUTTONS = tuple(Button(str(n), f"score-{n}") for n in range(11))


async def _defer(session: aiohttp.ClientSession, where: str) -> None:
    async with session.post(where, data=b'{"type":6}', headers={"Content-Type": "application/json"}):
        pass


async def measured(turn: Turn) -> None:
    """What the turn says."""
    async with aiohttp.ClientSession() as session:
        await (bare if turn.bare else ours)(turn, Told(session, turn.told_url))


if __name__ == "__main__":
    asyncio.run(measured(Turn(**json.loads(sys.argv[1]))))
