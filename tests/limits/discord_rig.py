"""One stand-in of Discord on a socket with hikari in front of it, a wire clock that stands still, and two people."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import hikari
from aiohttp import web
from hikari.impl import config
from hikari.impl.special_endpoints import (
    MessageActionRowBuilder,
    ModalActionRowBuilder,
    PollBuilder,
)

from sandbox.clocks import Clocks
from sandbox.discord import DiscordStandIn
from sandbox.discord.model import Json
from sandbox.rules import Rules
from sandbox.seam import AccountPlan, PlacePlan, Post
from sandbox.server import OnExchange, _recorder

T = TypeVar("T")
ACCOUNT, OTHER = "acme-discord", "other-discord"
CHANNEL, NEWS, FOREIGN = 1_100_000_000_000_000_001, 1_100_000_000_000_000_002, 1_100_000_000_000_000_003
SOON_S = 5.0
"""How long a row waits for what must come."""
AGENT = {"User-Agent": "DiscordBot (https://example.org, 1)"}


@dataclass
class Wire:
    """Wall time that stands still until it is moved; from a whole second, so that sums are exact."""

    now: float = field(default_factory=lambda: float(int(time.time())))

    def __call__(self) -> float:
        return self.now


@dataclass
class Rig:
    stand_in: DiscordStandIn
    rules: Rules
    clocks: Clocks
    wire: Wire
    posts: list[Post]
    """What the watcher was told, in order."""
    base: str
    credentials: dict[str, str]
    rest: hikari.impl.RESTClientImpl
    http: aiohttp.ClientSession
    ann: str
    bob: str
    stack: AsyncExitStack

    @property
    def application(self) -> int:
        return int(self.credentials["application_id"])

    @property
    def guild(self) -> int:
        return self.stand_in.state.applications[ACCOUNT].guild.id

    async def refused(self, code: int, act: Awaitable[object], *, status: int = 0, at: str = "") -> None:
        """hikari must be refused with this code; a bad form must name the mistake ``at`` this path."""
        done: object = None
        error: hikari.HTTPResponseError | None = None
        try:
            done = await act
        except hikari.HTTPResponseError as caught:
            error = caught
        except (AssertionError, hikari.HTTPError) as caught:
            done = caught
        assert error is not None, f"not refused: {done}"
        body = json.loads(error.raw_body)
        assert body["code"] == code, body
        assert not status or error.status == status
        assert body["message"]
        assert code != 50035 or at in _paths(body["errors"]), body

    async def raw(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> tuple[int, dict[str, str], Any]:
        """A request that hikari cannot make: status, headers, and the JSON or text of the answer."""
        sent = {"Authorization": f"Bot {self.credentials['token']}", **AGENT, **(headers or {})}
        async with self.http.request(method, f"{self.base}/api/v10{path}", headers=sent, **more) as answer:
            shown = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, shown, await (answer.json() if "json" in answer.content_type else answer.text())

    async def say(self, text: str = "How likely?", channel: int = CHANNEL, **more: Any) -> hikari.Message:
        return await self.rest.create_message(channel, text, **more)

    async def ask(self, *answers: str, hours: int = 24, question: str = "How likely?") -> hikari.Message:
        return await self.rest.create_message(CHANNEL, poll=poll(*answers, hours=hours, question=question))

    async def bot(self, intents: int = int(hikari.Intents.ALL_UNPRIVILEGED)) -> Bot:
        """hikari's gateway client, connected."""
        bot = Bot(self, intents)
        await asyncio.wait_for(bot.start(), SOON_S)
        self.stack.push_async_callback(bot.close)
        return bot

    async def socket(self, query: str = "v=10&encoding=json") -> Socket:
        """A plain gateway connection, for payloads that hikari would not send."""
        socket = await self.http.ws_connect(f"{self.base}/gateway?{query}")
        self.stack.push_async_callback(socket.close)
        return Socket(self, socket)

    async def tapped(self, bot: Bot) -> tuple[asyncio.Task[bool], hikari.ComponentInteraction]:
        """Ann taps a button; what the bot is told of it."""
        await self.say(component=buttons("yes"))
        post = self.posts[-1]
        tap = asyncio.create_task(self.stand_in.tap(self.ann, post, post.buttons[0]))
        self.stack.callback(tap.cancel)
        event = await bot.next(hikari.InteractionCreateEvent)
        assert isinstance(event.interaction, hikari.ComponentInteraction)
        return tap, event.interaction


class Bot:
    """hikari's bot, with its events in a queue."""

    def __init__(self, rig: Rig, intents: int) -> None:
        self.app = hikari.GatewayBot(
            rig.credentials["token"],
            banner=None,
            logs=None,
            intents=hikari.Intents(intents),
            auto_chunk_members=False,
            rest_url=f"{rig.base}/api/v10",
            suppress_optimization_warning=True,
            http_settings=config.HTTPSettings(),
        )
        self.seen: asyncio.Queue[hikari.Event] = asyncio.Queue()
        self.app.event_manager.subscribe(hikari.Event, self._see)

    async def _see(self, event: hikari.Event) -> None:
        self.seen.put_nowait(event)

    async def start(self) -> None:
        await self.app.start(check_for_updates=False)

    async def close(self) -> None:
        if self.app.is_alive:
            await self.app.close()

    async def next(self, kind: type[T]) -> T:
        """The next event of this kind."""
        while True:
            event = await asyncio.wait_for(self.seen.get(), SOON_S)
            if isinstance(event, kind):
                return event


class Socket:
    """A plain gateway connection."""

    def __init__(self, rig: Rig, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.rig, self.socket = rig, socket

    async def send(self, op: int, data: object) -> None:
        await self.socket.send_str(json.dumps({"op": op, "d": data}))

    async def identify(self, intents: int = 0, **more: object) -> None:
        await self.send(2, {"token": self.rig.credentials["token"], "properties": {}, "intents": intents, **more})

    async def next(self, op: int, event: str | None = None) -> Json:
        """The next payload of this kind. Fails when the connection closes first."""
        while True:
            payload = await self.receive()
            if payload["op"] == op and payload["t"] == event:
                return payload

    async def receive(self) -> Json:
        message = await self.socket.receive(SOON_S)
        assert message.type is aiohttp.WSMsgType.TEXT, (message, self.socket.close_code)
        payload: Json = json.loads(message.data)
        return payload

    async def beat(self) -> None:
        """Heartbeat and wait for its acknowledgement: proof that the connection lives."""
        await self.send(1, None)
        await self.next(11)

    async def closed(self) -> int:
        """The code with which the server closes; 0 when it answers a heartbeat instead."""
        await self.socket.send_str('{"op":1,"d":null}')
        while True:
            message = await self.socket.receive(SOON_S)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return self.socket.close_code or 0
            if json.loads(message.data)["op"] == 11:
                return 0


def _paths(errors: Json, so_far: str = "") -> set[str]:
    """Where the nested ``errors`` of a bad form point."""
    if "_errors" in errors:
        assert all(each["code"] and each["message"] for each in errors["_errors"])
        return {so_far}
    return {path for step, inner in errors.items() for path in _paths(inner, f"{so_far}.{step}".lstrip("."))}


def buttons(*custom_ids: str, label: str = "Yes") -> MessageActionRowBuilder:
    row = MessageActionRowBuilder()
    for custom_id in custom_ids:
        row.add_interactive_button(hikari.ButtonStyle.PRIMARY, custom_id, label=label)
    return row


def menu(count: int = 2, *, label: str = "", value: str = "", placeholder: str = "") -> MessageActionRowBuilder:
    row = MessageActionRowBuilder()
    select = row.add_text_menu("menu", **({"placeholder": placeholder} if placeholder else {}))
    for number in range(count):
        select.add_option(label or f"option {number}", value or f"value {number}")
    return row


def form(*custom_ids: str, label: str = "Why?", **more: Any) -> list[ModalActionRowBuilder]:
    return [ModalActionRowBuilder().add_text_input(custom_id, label, **more) for custom_id in custom_ids or ("why",)]


def poll(*answers: str, hours: int = 24, question: str = "How likely?") -> PollBuilder:
    made = PollBuilder(question_text=question, duration=hours, allow_multiselect=False)
    for answer in answers or ("yes", "no"):
        made.add_answer(text=answer)
    return made


@asynccontextmanager
async def rig(rules: Rules | None = None, on_exchange: OnExchange | None = None) -> AsyncIterator[Rig]:
    wire, posts = Wire(), list[Post]()
    clocks = Clocks(wire=wire)
    rules = rules or Rules()
    stand_in = DiscordStandIn(clocks, rules, posts.append)
    credentials = stand_in.add_account(AccountPlan(ACCOUNT, "discord", "Acme"))
    stand_in.add_account(AccountPlan(OTHER, "discord", "Other"))
    stand_in.add_place(PlacePlan(ACCOUNT, str(CHANNEL), "group", "general"))
    stand_in.add_place(PlacePlan(ACCOUNT, str(NEWS), "broadcast", "news"))
    stand_in.add_place(PlacePlan(OTHER, str(FOREIGN), "group", "elsewhere"))
    part = stand_in.application()
    if on_exchange is not None:
        part.middlewares.append(_recorder("discord", on_exchange))
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.add_subapp("/discord", part)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}/discord"
    hikari_app = hikari.RESTApp(max_retries=0, url=f"{base}/api/v10")
    await hikari_app.start()
    ann, bob = stand_in.add_person(name="Ann"), stand_in.add_person(name="Bob")
    try:
        async with AsyncExitStack() as stack, aiohttp.ClientSession() as http:
            rest = await stack.enter_async_context(hikari_app.acquire(credentials["token"], hikari.TokenType.BOT))
            yield Rig(stand_in, rules, clocks, wire, posts, base, credentials, rest, http, ann, bob, stack)
    finally:
        await hikari_app.close()
        await runner.cleanup()


Row = Callable[[Rig], Awaitable[None]]


class Table:
    """Rows by the name of the rule that each one checks."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}

    def row(self, name: str) -> Callable[[Row], Row]:
        def add(check: Row) -> Row:
            assert name not in self.rows
            self.rows[name] = check
            return check

        return add
