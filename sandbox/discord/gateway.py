"""The gateway: all connections, and what an outage looks like.

Source: https://discord.com/developers/docs/events/gateway
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from aiohttp import WSCloseCode, web

from sandbox.discord.connection import Connection
from sandbox.discord.model import Application
from sandbox.discord.session import REPLAY_LIMIT, RESUMABLE_S
from sandbox.discord.state import State

HEARTBEAT_S = 41.25


class Gateway:
    """All connections."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.heartbeat_s = HEARTBEAT_S
        self.replay_limit = REPLAY_LIMIT
        self.connections: set[Connection] = set()
        self.asked_all: dict[tuple[int, int], float] = {}
        """When (wire) an application last asked for everybody in a guild."""
        self.on_event: Callable[[Connection, bytes], None] = lambda connection, frame: None
        """Told of each payload of a session once it is on the wire."""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One WebSocket."""
        encoding, compress = request.query.get("encoding", "json"), request.query.get("compress")
        if encoding != "json" or compress not in (None, "zlib-stream"):
            return web.Response(status=400, text="unsupported encoding or compression")
        socket = web.WebSocketResponse(autoping=True, compress=False, max_msg_size=1 << 20, timeout=0.5)
        await socket.prepare(request)
        address = f"{request.scheme.replace('http', 'ws')}://{request.host}{request.path}"
        connection = Connection(self, socket, address, zlib.compressobj() if compress else None)
        connection.transport = request.transport
        self.connections.add(connection)
        try:
            if request.query.get("v") != "10" and self.state.rules.on("discord.gateway.version"):
                await connection.close(4012, "Invalid API version")
            else:
                await connection.run()
        finally:
            self.connections.discard(connection)
        return socket

    async def stop(self) -> None:
        """Close every connection, as a restarting host does."""
        for connection in tuple(self.connections):
            await connection.close(WSCloseCode.SERVICE_RESTART, "restart")

    async def drop(self, application: Application, code: int) -> None:
        """Close an application's connections with ``code``; its sessions stay resumable."""
        for connection in tuple(self.connections):
            if connection.application is application:
                await connection.close(code, "closed by the sandbox")

    def ask_reconnect(self, application: Application) -> None:
        """Op 7: ask the application's clients to come again and resume."""
        for connection in self.connections:
            if connection.application is application and connection.session is not None:
                connection.session.send(b'{"t":null,"s":null,"op":7,"d":null}')

    def invalidate(self, application: Application) -> None:
        """Op 9: the application's sessions are void."""
        for connection in self.connections:
            if connection.application is application and connection.session is not None:
                connection.session.send(b'{"t":null,"s":null,"op":9,"d":false}')
                application.sessions.pop(connection.session.id, None)

    def expire_sessions(self, application: Application) -> None:
        """Forget the sessions that nobody resumed in time."""
        now = self.state.clocks.wire()
        for session in tuple(application.sessions.values()):
            gone = not session.connected and now - session.lost_at > RESUMABLE_S
            if gone and self.state.rules.on("discord.gateway.resume_window"):
                del application.sessions[session.id]
