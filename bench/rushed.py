"""The floor of ``bench/burst.py``: the least that hears votes and answers taps on Discord.

``python -m bench.rushed TURN`` tells the process that started it how it fares.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime, timedelta

import aiohttp

from bench.burst import ACCOUNT, OPTIONS, PLACE, Turn
from bench.ingest import settings_of
from bots import open_account
from connecting import connections
from core.account import Account, Poll
from core.clock import Clock
from core.message import Button, text


class Told:
    """What the process that started us is told."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def up(self) -> None:
        """From now on it may begin."""
        await self._tell("up", {})

    async def done(self, counted: int, tapped: int) -> None:
        """All that came is there."""
        await self._tell("done", {"counted": counted, "tapped": tapped, "at": time.monotonic()})

    async def _tell(self, what: str, news: dict[str, float]) -> None:
        async with self._session.post(f"{self._url}/{what}", json=news) as answer:
            answer.raise_for_status()


async def _post_poll(account: Account) -> str:
    closes_at = datetime.now(UTC) + timedelta(days=1)
    poll = Poll(question="?", options=OPTIONS, closes_at=closes_at)
    return (await account.poll(await account.place(PLACE), poll, "poll", begin=_begin)).refs[0]


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
        await bare(turn, Told(session, turn.told_url))


if __name__ == "__main__":
    asyncio.run(measured(Turn(**json.loads(sys.argv[1]))))
