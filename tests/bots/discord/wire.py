"""A Discord that says what a test tells it to: a gateway and REST routes over real sockets, strict about nothing.

It is for what the documentation says word for word (golden payloads) and for what a well-behaved stand-in does not do:
answers that are lost, malformed payloads, sessions that are taken away.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

ME = {"id": "1100000000000000001", "username": "vouch", "discriminator": "0", "avatar": None, "bot": True}
GUILD = "197038439483310086"
CHANNEL = "345626669114982402"
VOTE = {"user_id": "5", "channel_id": CHANNEL, "message_id": "77", "answer_id": 3}
Route = Callable[["Request"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Request:
    """What discord.py sent."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    raw: web.Request


class Wire:
    """``async with Wire() as wire``: a server on loopback."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.identified = 0
        self.resumed = 0
        self.replayed: list[str] = []
        """Frames that a session which is taken up again brings first."""
        self.before_chunk: list[tuple[str, Any]] = []
        """Events that come before the answer about members."""
        self.heartbeat_ms = 45_000
        self.beats: list[Any] = []
        """What the heartbeats said."""
        self._routes: dict[tuple[str, str], Route] = {}
        self._sockets: list[web.WebSocketResponse] = []
        self._sequence = 0
        self._news = asyncio.Condition()
        self.on("GET", "/users/@me", ME)
        self.on("GET", "/oauth2/applications/@me", APPLICATION)
        self.sessions_left, self.new_day_after_ms = 1000, 14_400_000
        self.gateway_url = ""
        self.route("GET", "/gateway/bot", self._gateway_bot)
        self.resume_url = ""
        self.greeting: list[tuple[str, dict[str, Any]]] = [("GUILD_CREATE", guild())]

    def on(self, method: str, path: str, answer: Any, status: int = 200, **headers: str) -> None:
        """Answer this request with JSON."""

        async def reply(_: Request) -> web.StreamResponse:
            return as_json(answer, status, headers)

        self._routes[method, path] = reply

    def route(self, method: str, path: str, act: Route) -> None:
        """Answer this request in a way of the test's own."""
        self._routes[method, path] = act

    async def asked(self, method: str, path: str, times: int = 1) -> Request:
        """Wait until a request has come ``times`` times, and return the last of them."""

        def found() -> list[Request]:
            return [r for r in self.requests if (r.method, r.path) == (method, path)]

        async with asyncio.timeout(8), self._news:
            await self._news.wait_for(lambda: len(found()) >= times)
        return found()[times - 1]

    async def dispatch(self, event: str, data: Any) -> None:
        """Send an event down the newest socket."""
        self._sequence += 1
        await self._sockets[-1].send_json({"op": 0, "t": event, "s": self._sequence, "d": data})

    async def send_raw(self, text: str) -> None:
        """Send a frame as it is."""
        await self._sockets[-1].send_str(text)

    async def hang_up(self, code: int) -> None:
        """Close the newest socket."""
        await self._sockets[-1].close(code=code)

    def cut(self) -> None:
        """Reset the newest socket."""
        transport = self._sockets[-1]._req.transport if self._sockets[-1]._req else None
        assert transport is not None
        transport.abort()

    async def __aenter__(self) -> Wire:
        app = web.Application()
        app.router.add_get("/gateway", self._gateway)
        app.router.add_route("*", "/api/v10/{path:.*}", self._rest)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _rest(self, raw: web.Request) -> web.StreamResponse:
        body = await raw.read()
        path = f"/{raw.match_info['path']}"
        request = Request(raw.method, path, dict(raw.query), json.loads(body) if body else None, raw)
        self.requests.append(request)
        async with self._news:
            self._news.notify_all()
        act = self._routes.get((raw.method, path))
        if act is None:
            return as_json({"code": 0, "message": f"404: {raw.method} {path}"}, 404)
        return await act(request)

    async def _gateway_bot(self, _: Request) -> web.StreamResponse:
        limit = {
            "total": 1000,
            "remaining": self.sessions_left,
            "reset_after": self.new_day_after_ms,
            "max_concurrency": 1,
        }
        url = self.gateway_url or self.url.replace("http", "ws") + "/gateway"
        return as_json({"url": url, "shards": 1, "session_start_limit": limit})

    async def _gateway(self, raw: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(raw)
        self._sockets.append(socket)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": self.heartbeat_ms}})
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                await self._heard(json.loads(frame.data))
        return socket

    async def _heard(self, frame: dict[str, Any]) -> None:
        match frame["op"]:
            case 1:
                self.beats.append(frame["d"])
                await self.send_raw('{"op": 11}')
            case 2:
                self.identified += 1
                await self.dispatch("READY", self._ready())
                for event, data in self.greeting:
                    await self.dispatch(event, data)
            case 6:
                self.resumed += 1
                for frame_again in self.replayed:
                    await self.send_raw(frame_again)
                await self.dispatch("RESUMED", {})
            case 8:
                for event, data in self.before_chunk:
                    await self.dispatch(event, data)
                await self.dispatch("GUILD_MEMBERS_CHUNK", chunk(frame["d"]))
        async with self._news:
            self._news.notify_all()

    async def sessions(self, number: int) -> None:
        """Wait until there have been so many sessions, new or resumed."""
        async with asyncio.timeout(8), self._news:
            await self._news.wait_for(lambda: self.identified + self.resumed >= number)

    async def beats_until(self, enough: Callable[[Any], bool]) -> None:
        """Wait for a heartbeat that says this."""
        async with asyncio.timeout(8), self._news:
            await self._news.wait_for(lambda: bool(self.beats) and enough(self.beats[-1]))

    def _ready(self) -> dict[str, Any]:
        return {
            "v": 10,
            "user": ME,
            "guilds": [{"id": GUILD, "unavailable": True}],
            "session_id": "s",
            "resume_gateway_url": self.resume_url or self.url.replace("http", "ws") + "/gateway",
            "application": {"id": APPLICATION["id"], "flags": 0},
        }


def as_json(answer: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON as Discord sends it: discord.py takes no other content type, not even with a charset."""
    body = json.dumps(answer).encode()
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


APPLICATION: dict[str, Any] = {
    "id": "845027738276462632",
    "name": "Vouch",
    "icon": None,
    "description": "",
    "bot_public": False,
    "bot_require_code_grant": False,
    "verify_key": "0" * 64,
    "owner": {"id": "80351110224678912", "username": "nelly", "discriminator": "0", "avatar": None},
    "flags": 0,
}


def guild() -> dict[str, Any]:
    """A guild with one text channel."""
    return {
        "id": GUILD,
        "name": "Guild",
        "icon": None,
        "owner_id": "80351110224678912",
        "roles": [role("0")],
        "emojis": [],
        "features": [],
        "channels": [channel()],
        "members": [],
        "threads": [],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
        "member_count": 2,
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "nsfw_level": 0,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "splash": None,
        "discovery_splash": None,
        "application_id": None,
        "stickers": [],
    }


def role(permissions: str) -> dict[str, Any]:
    """The role of everyone."""
    return {
        "id": GUILD,
        "name": "@everyone",
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 0,
        "permissions": permissions,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


def channel() -> dict[str, Any]:
    """The text channel."""
    return {
        "id": CHANNEL,
        "guild_id": GUILD,
        "type": 0,
        "name": "survey",
        "position": 0,
        "permission_overwrites": [],
        "nsfw": False,
        "parent_id": None,
        "topic": None,
        "rate_limit_per_user": 0,
        "last_message_id": None,
    }


def member(person: dict[str, Any]) -> dict[str, Any]:
    """A member of the guild without roles."""
    return {
        "user": person,
        "roles": [],
        "joined_at": "2017-03-13T19:19:14.040000+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


def chunk(asked: dict[str, Any]) -> dict[str, Any]:
    """The answer to Request Guild Members."""
    return {
        "guild_id": str(asked["guild_id"]),
        "members": [member(ME)],
        "chunk_index": 0,
        "chunk_count": 1,
        "nonce": asked.get("nonce"),
    }
