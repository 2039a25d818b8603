"""A host that behaves as badly as a network can, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from bots.x.transport import Api
from core.clock import Clock

SECRETS = {
    "consumer_key": "canary-consumer-key",
    "consumer_secret": "canary-consumer-secret",
    "access_token": "15-canary-access-token",
    "access_token_secret": "canary-access-token-secret",
}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Host:
    """Answers each request with the next of ``answers``; the last one stays."""

    answers: list[Answer]
    url: str = ""
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)


@asynccontextmanager
async def host(*answers: Answer) -> AsyncIterator[Host]:
    """A host on loopback."""
    found = Host(list(answers))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()


@asynccontextmanager
async def api(url: str, clock: Clock | None = None, timeout_s: float = 5.0) -> AsyncIterator[Api]:
    """The way to that host."""
    way = Api("brand", **SECRETS, base_url=url, clock=clock or Clock(), timeout_s=timeout_s)
    await way.open()
    try:
        yield way
    finally:
        await way.close()


def says(status: int, body: object, headers: dict[str, str] | None = None) -> Answer:
    """Answers with JSON."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=headers)

    return answer


def page(status: int, headers: dict[str, str] | None = None) -> Answer:
    """Answers with HTML, as a proxy or a firewall in front of X does."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>busy</html>", content_type="text/html", status=status, headers=headers)

    return answer


def broken(status: int) -> Answer:
    """Answers with half a JSON document."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text='{"data": {', content_type="application/json", status=status)

    return answer


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """Reads the request, then cuts the line."""
    await request.read()
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hangs(request: web.Request) -> web.StreamResponse:
    """Never answers."""
    await asyncio.Event().wait()
    return web.Response()
