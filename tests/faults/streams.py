"""What can go wrong with a stream: gateways that go away, a second poller, things twice, out of order, or malformed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from random import Random
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.discord import DiscordStandIn
from sandbox.discord.connection import Connection
from sandbox.server import Sandbox
from sandbox.telegram import TelegramStandIn
from tests.faults.contract import StreamFault
from tests.faults.reading import gateway_event
from tests.faults.seen import Call, Seen

SECOND = "X-Second-Poller"
"""Marks the requests of the second poller, which is ours."""
MALFORMED_UPDATES: tuple[tuple[str, Any], ...] = (
    ("message", {"message_id": "seven", "date": "today", "chat": None, "text": ["5"]}),
    ("callback_query", {"id": 5, "from": {"id": "x"}, "data": {"a": 1}}),
    ("poll_answer", {"poll_id": None, "user": 17, "option_ids": "0"}),
    ("poll", {"id": "1", "options": {}, "is_closed": "perhaps"}),
)
MALFORMED_EVENTS: tuple[tuple[str, Any], ...] = (
    ("MESSAGE_POLL_VOTE_ADD", {"user_id": "x", "message_id": None}),
    ("INTERACTION_CREATE", {"id": "1", "type": 3, "data": {"component_type": 2}}),
    ("MESSAGE_CREATE", {"id": "1", "channel_id": "2", "author": {}}),
)
MALFORMED_ITEMS: tuple[Any, ...] = ({"id": "x7"}, {"text": "5"}, {"id": "1", "author_id": 7, "sender_id": {}})


class Streams:
    """All streams of a sandbox."""

    def __init__(self, sandbox: Sandbox, seen: Seen, seed: int) -> None:
        self._sandbox = sandbox
        self._seen = seen
        self._rng = Random(f"{seed}:streams")
        self._due: Counter[tuple[str, str]] = Counter()
        self._pollers: set[asyncio.Task[None]] = set()
        discord, telegram = sandbox.stand_ins["discord"], sandbox.stand_ins["telegram"]
        assert isinstance(discord, DiscordStandIn)
        assert isinstance(telegram, TelegramStandIn)
        self._discord, self._telegram = discord, telegram
        self._platforms = {account.name: account.platform for account in sandbox.accounts}

    def x_id(self, account: str) -> str:
        """The account's own id on X, which stands before the dash of its token."""
        return self._sandbox.credentials[account]["access_token"].partition("-")[0]

    def bot_id(self, account: str) -> str:
        """The bot's own id on Discord."""
        return str(self._discord.state.applications[account].bot.id)

    async def spoil(self, fault: StreamFault) -> str:
        """Do it, or note that it is due. Returns why it cannot be, or nothing."""
        platform = self._platforms.get(fault.account, "")
        match platform, fault.fault:
            case "discord", "reconnect":
                self._discord.ask_reconnect(fault.account)
            case "discord", "invalidate":
                self._discord.invalidate_sessions(fault.account)
            case "discord", "close":
                await self._close(fault)
            case "discord", "reorder":
                self._discord.polls.added_first = True
            case "telegram", "second-poller":
                poller = asyncio.create_task(self._poll_too(fault))
                self._pollers.add(poller)
                poller.add_done_callback(self._pollers.discard)
            case (("discord" | "telegram"), "malformed"):
                self._put_malformed(platform, fault)
            case ("telegram", "duplicate" | "reorder") | ("x", "duplicate" | "reorder" | "malformed"):
                self._due[fault.account, fault.fault] += fault.n
                return ""
            case "discord", "duplicate":
                self._duplicate(fault)
            case _:
                return f"{platform or fault.account} knows no {fault.fault}"
        self._seen.injected[f"{platform} {fault.fault}"] += 1
        return ""

    def lift(self) -> None:
        """Spoil nothing any more but what has begun."""
        self._due.clear()
        self._discord.polls.added_first = False

    async def stop(self) -> None:
        """End what is still going on."""
        for poller in self._pollers:
            poller.cancel()
        await asyncio.gather(*self._pollers, return_exceptions=True)

    async def _close(self, fault: StreamFault) -> None:
        if fault.code != 1006:
            await self._discord.drop_connections(fault.account, fault.code)
            return
        for connection in tuple(self._discord.gateway.connections):
            if connection.application is not None and connection.application.name == fault.account:
                transport = connection.transport
                if transport is not None:
                    transport.abort()

    def _duplicate(self, fault: StreamFault) -> None:
        """The last events again, under new numbers, as after a failover on Discord's side."""
        for session in self._discord.state.applications[fault.account].sessions.values():
            for _, frame in list(session.kept)[-fault.n :]:
                told = json.loads(frame)
                if gateway_event(frame, self.bot_id(fault.account), session.id) and "VOTE" not in told["t"]:
                    session.dispatch(told["t"], json.dumps(told["d"]))

    def _put_malformed(self, platform: str, fault: StreamFault) -> None:
        for _ in range(fault.n):
            if platform == "telegram":
                self._telegram.stream(fault.account).put(*self._rng.choice(MALFORMED_UPDATES))
                continue
            kind, data = self._rng.choice(MALFORMED_EVENTS)
            for session in self._discord.state.applications[fault.account].sessions.values():
                session.dispatch(kind, json.dumps(data))

    async def _poll_too(self, fault: StreamFault) -> None:
        """Somebody else runs with our token. They confirm nothing."""
        token = self._sandbox.credentials[fault.account]["token"]
        url = f"{self._sandbox.url}/telegram/bot{token}/getUpdates"
        with contextlib.suppress(TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(fault.for_s), aiohttp.ClientSession(headers={SECOND: "yes"}) as session:
                while True:
                    async with session.post(url, json={"timeout": 5, "limit": 1}) as answer:
                        await answer.read()
                    await asyncio.sleep(0.2)

    # answers that carry replies

    def spoil_answer(self, call: Call, response: web.StreamResponse) -> web.StreamResponse:
        """Things twice, in another order, or malformed among them, where that is due."""
        account, is_updates = call.what.account, is_updates_of(call)
        due = [fault for fault in ("duplicate", "reorder", "malformed") if self._due[account, fault]]
        body = bringing(call, response) if due else None
        name = "result" if is_updates else "data"
        items = (body or {}).get(name)
        if body is None or not items:
            return response
        for fault in due:
            spoiled = self._spoiled(fault, items, is_updates=is_updates)
            if spoiled != items:
                self._due[account, fault] -= 1
                self._seen.injected[f"{call.platform} {fault}"] += 1
                body[name] = items = spoiled
        return web.json_response(body, headers={k: v for k, v in response.headers.items() if k.startswith("x-")})

    def _spoiled(self, fault: str, items: list[Any], *, is_updates: bool) -> list[Any]:
        at = self._rng.randrange(len(items))
        if fault == "duplicate":
            return [*items[: at + 1], items[at], *items[at + 1 :]]
        if fault == "malformed":
            return [*items[:at], self._rng.choice(MALFORMED_ITEMS), *items[at:]]
        if not is_updates:
            return self._rng.sample(items, len(items))
        for one in range(len(items) - 1):
            if _whose(items[one]) != _whose(items[one + 1]):  # of one person the order is a promise
                return [*items[:one], items[one + 1], items[one], *items[one + 2 :]]
        return items


def is_updates_of(call: Call) -> bool:
    """Telegram: whether a request asks for updates."""
    return call.what.name == "getupdates"


def bringing(call: Call, response: web.StreamResponse) -> dict[str, Any] | None:
    """The body of an answer that brings replies; ``None`` for any other, somebody else's page among them."""
    asks = is_updates_of(call) or call.path.endswith("/mentions") or call.path == "/2/dm_events"
    if not asks or not isinstance(response, web.Response) or response.status != 200:
        return None
    if response.content_type != "application/json":
        return None
    body: dict[str, Any] = json.loads(response.body or b"{}")  # type: ignore[arg-type]
    return body


def _whose(update: dict[str, Any]) -> object:
    told = next((value for name, value in update.items() if name != "update_id"), None)
    person = (told.get("from") or told.get("user")) if isinstance(told, dict) else None
    return person.get("id") if isinstance(person, dict) else None


def account_of(connection: Connection) -> str:
    """Whose connection to the gateway this is."""
    return connection.application.name if connection.application is not None else ""
