"""A Bot API that answers as a test says, over a real socket: for what a well-behaved platform never does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bots.telegram import TelegramAccount
from core.account import NOTHING, Answer
from core.errors import AccountRefused, StoreError
from core.events import Cursor, Event, Reply
from core.message import Form

TOKEN = "123456:" + "ABC-DEF1234ghIkl-zyx57W2v1u123ew11".ljust(35, "x")
ME = {"id": 123456, "is_bot": True, "first_name": "Brand", "username": "brand_bot"}
Script = Callable[[dict[str, str]], Awaitable[Any]]


async def begun() -> None:
    """The thing is ours to say."""


def refusal(code: int, description: str, **parameters: int) -> web.Response:
    """An error as the Bot API says it."""
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    return web.json_response(body, status=code)


@dataclass
class BotApi:
    """One bot's API. ``scripts`` maps a method to what answers it: a JSON value, or a whole response."""

    url: str = ""
    scripts: dict[str, Script] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    queue: list[dict[str, Any]] = field(default_factory=list)
    """Updates for the usual getUpdates."""
    polling: int = 0
    most_polling: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    called: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.scripts = {"getMe": self._me, "getUpdates": self.updates, "getWebhookInfo": self._webhook}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        fields = {name: str(value) for name, value in (await request.post()).items()}
        self.calls.append((method, fields))
        async with self.called:
            self.called.notify_all()
        result = await self.scripts[method](fields)
        return result if isinstance(result, web.StreamResponse) else web.json_response({"ok": True, "result": result})

    async def until(self, what: Callable[[], bool]) -> None:
        """Wait until the calls so far satisfy ``what``."""
        async with asyncio.timeout(10), self.called:
            await self.called.wait_for(what)

    def asked(self, method: str) -> list[dict[str, str]]:
        """The fields of every call of one method."""
        return [fields for name, fields in self.calls if name == method]

    def put(self, *updates: dict[str, Any]) -> None:
        """Queue updates and wake a long poll."""
        self.queue.extend(updates)
        self.arrived.set()

    async def updates(self, fields: dict[str, str]) -> Any:
        """getUpdates, as it should be."""
        offset = int(fields.get("offset", "0"))
        self.queue[:] = [one for one in self.queue if one.get("update_id", offset) >= offset]
        self.polling += 1
        self.most_polling = max(self.polling, self.most_polling)
        try:
            if not self.queue and int(fields.get("timeout", "0")):
                self.arrived.clear()
                await asyncio.wait_for(self.arrived.wait(), int(fields["timeout"]))
        except TimeoutError:
            return []
        finally:
            self.polling -= 1
        return self.queue[:100]

    async def _me(self, _: dict[str, str]) -> Any:
        return ME

    async def _webhook(self, _: dict[str, str]) -> Any:
        return {"url": "", "has_custom_certificate": False, "pending_update_count": len(self.queue)}


@asynccontextmanager
async def serving() -> AsyncIterator[BotApi]:
    """A Bot API on a socket of its own."""
    scripted = BotApi()
    app = web.Application()
    app.router.add_post(f"/bot{TOKEN}/{{method}}", scripted.answer)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    scripted.url = "http://{}:{}".format(*runner.addresses[0][:2])
    yield scripted
    await runner.cleanup()


def forms(token: str) -> Form | None:
    """A form behind the token ``why``."""
    return Form("Tell us why", "What is the reason?", token) if token == "why" else None


def said(update_id: int, words: str = "10") -> dict[str, Any]:
    """An update: a person wrote to the bot."""
    person = {"id": 1111111, "is_bot": False, "first_name": "Ann"}
    chat = {"id": 1111111, "type": "private", "first_name": "Ann"}
    message = {"message_id": update_id, "date": 1441645532, "chat": chat, "from": person, "text": words}
    return {"update_id": update_id, "message": message}


def tapped(update_id: int, token: str = "v1.9.sig") -> dict[str, Any]:
    """An update: a person tapped a button."""
    person = {"id": 1111111, "is_bot": False, "first_name": "Ann"}
    message = said(update_id)["message"] | {"from": ME}
    query = {"id": f"q{update_id}", "from": person, "chat_instance": "1", "data": token, "message": message}
    return {"update_id": update_id, "callback_query": query}


def as_json(value: str) -> Any:
    """A field that carries JSON."""
    return json.loads(value)


class Kept:
    """A ``deliver`` that keeps what comes, or fails as told."""

    def __init__(self, api: BotApi) -> None:
        self.api = api
        self.events: list[Event] = []
        self.cursors: dict[str, str] = {}
        self.batches: list[Sequence[Event]] = []
        self.failures = 0
        self.note: str | None = None
        self.offsets: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()
        self.changed = asyncio.Condition()

    async def __call__(self, events: Sequence[Event]) -> Sequence[Answer]:
        if all(isinstance(event, Cursor) for event in events):
            self.cursors |= {event.name: event.value for event in events if isinstance(event, Cursor)}
            return [NOTHING for _ in events]
        self.batches.append(events)
        self.offsets.append(len(self.api.asked("getUpdates")))
        self.entered.set()
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise StoreError("the disk is full")
        self.events.extend(event for event in events if not isinstance(event, Cursor))
        self.cursors |= {event.name: event.value for event in events if isinstance(event, Cursor)}
        async with self.changed:
            self.changed.notify_all()
        return [Answer(toast=self.note) if self.note else NOTHING for _ in events]

    async def until(self, n: int) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: len(self.events) >= n)

    @property
    def words(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Reply)]


@asynccontextmanager
async def listening(account: TelegramAccount, kept: Kept) -> AsyncIterator[asyncio.Task[None]]:
    """The account listens, and its stream is up."""
    ready = asyncio.Event()
    task = asyncio.create_task(account.listen(kept, {}, ready.set))
    first = asyncio.create_task(ready.wait())
    await asyncio.wait({task, first}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    first.cancel()
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, AccountRefused):
            await task
