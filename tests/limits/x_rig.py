"""One stand-in of X on a socket with xdk in front of it, a stopped clock, and a brand with two followers."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import requests
import xdk
from aiohttp import web
from oauthlib.oauth1 import Client as Signer

from sandbox.clocks import Clocks
from sandbox.rules import Rules
from sandbox.seam import AccountPlan, Post
from sandbox.server import OnExchange, _recorder
from sandbox.x import XStandIn

T = TypeVar("T")
ACCOUNT = "acme-x"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@dataclass
class Wire:
    """Wall time that stands still until it is moved; from a whole second, so that sums are exact."""

    now: float = field(default_factory=lambda: float(int(time.time())))

    def __call__(self) -> float:
        return self.now


@dataclass
class Rig:
    x: XStandIn
    rules: Rules
    clocks: Clocks
    wire: Wire
    posts: list[Post]
    """What the watcher was told, in order."""
    base: str
    credentials: dict[str, str]
    sdk: xdk.Client
    http: aiohttp.ClientSession
    ann: str
    bob: str

    @property
    def brand(self) -> str:
        return self.credentials["access_token"].partition("-")[0]

    async def call(self, act: Callable[[xdk.Client], T]) -> T:
        """Let xdk do something, off the loop that serves it."""
        return await asyncio.to_thread(act, self.sdk)

    async def refused(self, status: int, act: Callable[[xdk.Client], object], detail: str = "") -> dict[str, Any]:
        """xdk must be refused with this status, in words that contain ``detail``. Returns the problem."""
        done: object = None
        answer: requests.Response | None = None
        try:
            done = await self.call(act)
        except requests.HTTPError as error:
            answer = error.response
        assert answer is not None, f"not refused: {done}"
        assert answer.status_code == status, answer.text
        assert detail in answer.text
        problem: dict[str, Any] = answer.json()
        assert problem["title"]
        assert problem["type"]
        return problem

    async def post(self, text: str, **more: Any) -> str:
        """Post through xdk. Returns the id."""
        created = await self.call(lambda sdk: sdk.posts.create({"text": text, **more}))
        return str(created.model_dump()["data"]["id"])

    async def message(self, person: str, text: str, **more: Any) -> str:
        body = {"text": text, **more}
        sent = await self.call(lambda sdk: sdk.direct_messages.create_by_participant_id(person, body))
        return str(sent.model_dump()["data"]["dm_event_id"])

    async def upload(self, content: bytes = PNG, category: str = "tweet_image", kind: str = "image/png") -> str:
        """A finished upload in one call. Returns its id."""
        body = {"media": base64.b64encode(content).decode(), "media_category": category, "media_type": kind}
        done = await self.call(lambda sdk: sdk.media.upload(body))
        return str(done.model_dump()["data"]["id"])

    async def upload_in_segments(self, content: bytes, category: str, kind: str) -> str:
        """A finished upload in three calls. Returns its id."""
        body = {"media_type": kind, "media_category": category, "total_bytes": len(content)}
        begun = await self.call(lambda sdk: sdk.media.initialize_upload(body))
        media = str(begun.model_dump()["data"]["id"])
        segment = {"media": base64.b64encode(content).decode(), "segment_index": 0}
        await self.call(lambda sdk: sdk.media.append_upload(media, segment))
        await self.call(lambda sdk: sdk.media.finalize_upload(media))
        return media

    async def raw(
        self,
        method: str,
        path: str,
        *,
        bearer: str = "user_bearer_token",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> tuple[int, dict[str, str], Any]:
        """A request that xdk cannot make: status, headers, and the JSON or text of the answer."""
        sent = {"Authorization": f"Bearer {self.credentials[bearer]}"} if headers is None else headers
        async with self.http.request(method, self.base + path, headers=sent, **more) as answer:
            is_json = "json" in answer.content_type
            shown = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, shown, await (answer.json() if is_json else answer.text())

    def signed(self, method: str, url: str, *, host: str = "https://api.twitter.com", **more: Any) -> dict[str, str]:
        """The headers of a request signed with OAuth 1.0a, as the clients do it."""
        names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        more.setdefault("timestamp", str(int(self.wire.now)))
        key, secret, token, token_secret = (self.credentials[name] for name in names)
        _, headers, _ = Signer(key, secret, token, token_secret, **more).sign(host + url, method)
        return {str(name): str(value) for name, value in headers.items()}

    async def times(self, count: int, method: str, path: str, **more: Any) -> list[int]:
        """The same plain request many times, twenty at once. Returns the statuses."""
        gate = asyncio.Semaphore(20)

        async def one() -> int:
            async with gate:
                return (await self.raw(method, path, **more))[0]

        return await asyncio.gather(*(one() for _ in range(count)))


@asynccontextmanager
async def rig(rules: Rules | None = None, on_exchange: OnExchange | None = None) -> AsyncIterator[Rig]:
    wire, posts = Wire(), list[Post]()
    clocks = Clocks(wire=wire)
    rules = rules or Rules()
    x = XStandIn(clocks, rules, posts.append)
    credentials = x.add_account(AccountPlan(ACCOUNT, "x", "Acme"))
    part = x.application()
    if on_exchange is not None:
        part.middlewares.append(_recorder("x", on_exchange))
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.add_subapp("/x", part)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}/x"
    sdk = xdk.Client(base_url=base, access_token=credentials["user_bearer_token"])
    ann, bob = x.add_person(name="Ann"), x.add_person(name="Bob")
    try:
        async with aiohttp.ClientSession() as http:
            yield Rig(x, rules, clocks, wire, posts, base, credentials, sdk, http, ann, bob)
    finally:
        sdk.session.close()
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
