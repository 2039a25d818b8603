"""One gateway connection: HELLO, IDENTIFY, heartbeats, RESUME, and the session's events in order.

Source: https://discord.com/developers/docs/events/gateway
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any

from aiohttp import WSCloseCode, WSMsgType, web

from sandbox.discord.members import Members
from sandbox.discord.model import Application, Json
from sandbox.discord.payload import application_flags, encode, me_json
from sandbox.discord.payload_guild import guild_create_json
from sandbox.discord.session import GUILDS, PRIVILEGED, VALID_INTENTS, Session

if TYPE_CHECKING:
    from sandbox.discord.gateway import Gateway

IDENTIFIES_A_DAY, DAY_S = 1000, 86_400.0
MAX_CONCURRENCY, CONCURRENCY_S = 1, 5.0
SENDS, SENDS_S = 120, 60.0
PAYLOAD_BYTES = 4096


class Connection:
    """One client on the line."""

    def __init__(self, gateway: Gateway, socket: web.WebSocketResponse, address: str, stream: Any) -> None:
        self.gateway, self.state, self.socket = gateway, gateway.state, socket
        self.address, self.stream = address, stream
        self.application: Application | None = None
        self.session: Session | None = None
        self.squeeze = False
        """Whether each large payload is compressed by itself (IDENTIFY's ``compress``)."""
        self.beat_at = 0.0
        self.sent: list[float] = []
        self.lock = asyncio.Lock()
        self.transport: asyncio.Transport | None = None
        """The line itself, for whoever cuts it."""

    async def run(self) -> None:
        """From HELLO to the close."""
        self.beat_at = asyncio.get_running_loop().time()
        await self._send(encode({"t": None, "s": None, "op": 10, "d": self._hello()}).encode())
        tasks = [asyncio.create_task(self._pulse())]
        try:
            async for message in self.socket:
                if message.type is not WSMsgType.TEXT and message.type is not WSMsgType.BINARY:
                    break
                before = self.session
                if not await self._receive(message.data):
                    break
                if self.session is not None and self.session is not before:
                    tasks.append(asyncio.create_task(self._write(self.session)))
        finally:
            self._end_on_purpose()
            self._lose()  # at once: what waited for this line must not come before what the next one asks for
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _end_on_purpose(self) -> None:
        """A client that closes with 1000 or 1001 gives its session up.

        Source: https://discord.com/developers/docs/events/gateway#initiating-a-disconnect
        """
        gone = self.socket.close_code in (WSCloseCode.OK, WSCloseCode.GOING_AWAY)
        if self.session is None or self.application is None or not gone:
            return
        if self.state.rules.on("discord.gateway.closed"):
            self.application.sessions.pop(self.session.id, None)

    def _lose(self) -> None:
        """Let go of the session: from now on another connection may resume it."""
        if self.session is not None:
            self.session.lose(self.state.clocks.wire())
            self.session = None

    def _hello(self) -> Json:
        return {"heartbeat_interval": int(self.gateway.heartbeat_s * 1000), "_trace": ["sandbox"]}

    async def close(self, code: int, reason: str) -> None:
        self._lose()
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self.socket.close(code=code, message=reason.encode())

    async def _send(self, frame: bytes) -> None:
        async with self.lock:
            if self.stream is not None:
                await self.socket.send_bytes(self.stream.compress(frame) + self.stream.flush(zlib.Z_SYNC_FLUSH))
            elif self.squeeze and len(frame) > 1024:
                await self.socket.send_bytes(zlib.compress(frame))
            else:
                await self.socket.send_str(frame.decode())

    async def _write(self, session: Session) -> None:
        """Send what the session has, in order."""
        with contextlib.suppress(ConnectionError, RuntimeError):
            while self.session is session:
                session.wake.clear()
                while session.waiting and self.session is session:
                    frame = session.waiting.popleft()
                    await self._send(frame)
                    self.gateway.on_event(self, frame)
                if self.session is session:
                    await session.wake.wait()

    async def _pulse(self) -> None:
        """Close a client whose heartbeats have stopped."""
        loop, late_s = asyncio.get_running_loop(), self.gateway.heartbeat_s * 1.5
        while True:
            await asyncio.sleep(max(self.beat_at + late_s - loop.time(), 0.01))
            silent = loop.time() - self.beat_at >= late_s
            if silent and self.state.rules.on("discord.gateway.heartbeat"):
                if self.session is not None and self.application is not None:  # "reconnect and start a new one"
                    self.application.sessions.pop(self.session.id, None)
                await self.close(4009, "Session timed out")
                return

    async def _receive(self, data: str | bytes) -> bool:
        """One payload of the client; ``False`` once the connection is closed."""
        raw = data.encode() if isinstance(data, str) else data
        on = self.state.rules.on
        if len(raw) > PAYLOAD_BYTES and on("discord.gateway.payload"):
            return await self._refuse(4002, "Payload too large.")
        try:
            payload = json.loads(raw)
            op, body = payload["op"], payload.get("d")
        except (ValueError, TypeError, KeyError):
            return await self._refuse(4002, "Error while decoding payload.")
        if self._too_many():
            return await self._refuse(4008, "You are being rate limited.")
        if op in (2, 6) and not isinstance(body, dict):
            return await self._refuse(4002, "Error while decoding payload.")
        if op == 1:
            self.beat_at = asyncio.get_running_loop().time()
            if self.session is not None and isinstance(body, int) and on("discord.gateway.confirmed"):
                self.session.confirm(body)
            await self._send(b'{"t":null,"s":null,"op":11,"d":null}')
            return True
        if op == 2:
            return await self._identify(body)
        if op == 6:
            return await self._resume(body)
        if self.session is None or self.application is None:
            return await self._refuse(4003, "Not authenticated.")
        if op == 8:
            Members(self.gateway, self.application, self.session).ask(body)
        elif op not in (3, 4, 31, 36, 37):
            return await self._refuse(4001, "Unknown opcode.")
        return True

    def _too_many(self) -> bool:
        now = self.state.clocks.wire()
        self.sent = [at for at in self.sent if at > now - SENDS_S]
        self.sent.append(now)
        return len(self.sent) > SENDS and self.state.rules.on("discord.gateway.sends")

    async def _refuse(self, code: int, reason: str) -> bool:
        await self.close(code, reason)
        return False

    async def _identify(self, body: Any) -> bool:
        on = self.state.rules.on
        if self.session is not None:
            return await self._refuse(4005, "Already authenticated.")
        application = self.state.by_token.get(str(body.get("token", "")).removeprefix("Bot "))
        if application is None:
            return await self._refuse(4004, "Authentication failed.")
        shard = body.get("shard") or [0, 1]
        whole = isinstance(shard, list) and len(shard) == 2 and all(isinstance(each, int) for each in shard)
        if not whole or (on("discord.gateway.shard") and not 0 <= shard[0] < shard[1]):
            return await self._refuse(4010, "Invalid shard.")
        intents = body.get("intents")
        if not isinstance(intents, int) or (intents & ~VALID_INTENTS and on("discord.intents.valid")):
            return await self._refuse(4013, "Invalid intent(s).")
        if intents & PRIVILEGED & ~application.privileged and on("discord.intents.privileged"):
            return await self._refuse(4014, "Disallowed intent(s).")
        if not await self._within_quota(application):
            return False
        now = self.state.clocks.wire()
        recent = [at for at in application.identified if at > now - CONCURRENCY_S]
        application.identified.append(now)
        if len(recent) >= MAX_CONCURRENCY and on("discord.gateway.concurrency"):
            await self._send(b'{"t":null,"s":null,"op":9,"d":false}')
            return True
        self.squeeze = bool(body.get("compress"))
        self._ready(application, intents, (shard[0], shard[1]))
        return True

    async def _within_quota(self, application: Application) -> bool:
        """1,000 IDENTIFYs a day; the next one resets the token and ends every session."""
        now = self.state.clocks.wire()
        application.identified = [at for at in application.identified if at > now - DAY_S]
        if len(application.identified) < IDENTIFIES_A_DAY or not self.state.rules.on("discord.gateway.quota"):
            return True
        self.state.by_token.pop(application.token, None)
        application.sessions.clear()
        for other in tuple(self.gateway.connections):
            if other.application is application:
                await other.close(4004, "Authentication failed.")
        return await self._refuse(4004, "Authentication failed.")

    def _ready(self, application: Application, intents: int, shard: tuple[int, int]) -> None:
        number = self.state.snowflakes.next()
        name = hashlib.sha256(f"{application.token}:{number}".encode()).hexdigest()[:32]
        remembers = self.gateway.replay_limit if self.state.rules.on("discord.gateway.replay") else None
        session = Session(name, intents, shard, remembers=remembers)
        self.gateway.expire_sessions(application)
        application.sessions[session.id] = session
        self.application, self.session = application, session
        guild = application.guild
        ready: Json = {
            "v": 10,
            "user": me_json(application),
            "guilds": [{"id": str(guild.id), "unavailable": True}],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.address,
            "shard": list(shard),
            "application": {"id": str(application.id), "flags": application_flags(application)},
            "private_channels": [],
            "relationships": [],
            "user_settings": {},
            "presences": [],
            "guild_join_requests": [],
            "geo_ordered_rtc_regions": ["us-east"],
            "auth": {},
            "_trace": ["sandbox"],
        }
        session.dispatch("READY", encode(ready))
        if session.wants(GUILDS, guild.id):
            count = 2 + len(self.state.people) - len(guild.left)
            created = guild_create_json(guild, [application.bot], application.bot.joined_at, count)
            session.dispatch("GUILD_CREATE", encode(created))

    async def _resume(self, body: Any) -> bool:
        on = self.state.rules.on
        application = self.state.by_token.get(str(body.get("token", "")).removeprefix("Bot "))
        if application is None:
            return await self._refuse(4004, "Authentication failed.")
        self.gateway.expire_sessions(application)
        session, sequence = application.sessions.get(str(body.get("session_id"))), body.get("seq")
        if session is None and not on("discord.gateway.resume_session"):
            self._ready(application, 0, (0, 1))
            return True
        ahead = session is not None and isinstance(sequence, int) and sequence > session.sequence
        if ahead and on("discord.gateway.resume_seq"):
            application.sessions.pop(str(body.get("session_id")), None)  # "reconnect and start a new session"
            return await self._refuse(4007, "Invalid seq.")
        if session is not None and session.connected:
            for other in tuple(self.gateway.connections):
                if other.session is session:
                    await other.close(4000, "Resumed elsewhere.")
        if session is None or not isinstance(sequence, int) or not session.replay(sequence):
            await self._send(b'{"t":null,"s":null,"op":9,"d":false}')
            return True
        if not on("discord.gateway.resume_free"):
            application.identified.append(self.state.clocks.wire())
        self.application, self.session = application, session
        session.dispatch("RESUMED", '{"_trace":["sandbox"]}')
        return True
