"""The sandbox as one HTTP server on loopback: ``/x``, ``/telegram``, ``/discord``, and ``/sandbox`` for who runs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox.clocks import Clocks
from sandbox.rules import Rules
from sandbox.seam import AccountPlan, PlacePlan, Post, StandIn


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what the sandbox answered, for whoever checks them against the platform's specification."""

    platform: str
    method: str
    path: str
    """Below the platform's prefix, such as ``/bot123:abc/sendPoll`` or ``/2/tweets``."""
    query: Mapping[str, str]
    request_headers: Mapping[str, str]
    request_body: bytes
    status: int
    response_headers: Mapping[str, str]
    response_body: bytes


OnExchange = Callable[[Exchange], None]


@dataclass
class Sandbox:
    """All stand-ins behind one address. ``async with Sandbox(...) as sandbox: sandbox.url``."""

    accounts: Sequence[AccountPlan]
    places: Sequence[PlacePlan]
    clocks: Clocks = field(default_factory=Clocks)
    rules: Rules = field(default_factory=Rules)
    on_exchange: OnExchange | None = None
    middlewares: Sequence[Any] = ()
    """Middlewares of aiohttp around everything, for whoever breaks or watches the wire; the first is outermost."""
    host: str = "127.0.0.1"
    port: int = 0
    url: str = field(default="", init=False)
    stand_ins: dict[str, StandIn] = field(default_factory=dict, init=False)
    credentials: dict[str, dict[str, str]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.watchers: list[Callable[[Post], None]] = []
        self.stand_ins = dict(self._build())
        for account in self.accounts:
            self.credentials[account.name] = self.stand_ins[account.platform].add_account(account)
        by_name = {account.name: account for account in self.accounts}
        for place in self.places:
            self.stand_ins[by_name[place.account].platform].add_place(place)

    def _build(self) -> Iterable[tuple[str, StandIn]]:
        from sandbox.discord import DiscordStandIn
        from sandbox.telegram import TelegramStandIn
        from sandbox.x import XStandIn

        for kind in (TelegramStandIn, DiscordStandIn, XStandIn):
            stand_in = kind(self.clocks, self.rules, self._posted)
            yield stand_in.platform, stand_in

    def _posted(self, post: Post) -> None:
        for watcher in self.watchers:
            watcher(post)

    async def __aenter__(self) -> Sandbox:
        app = web.Application(client_max_size=50 * 2**20, middlewares=self.middlewares)
        for name, stand_in in self.stand_ins.items():
            sub = stand_in.application()
            if self.on_exchange is not None:
                sub.middlewares.append(_recorder(name, self.on_exchange))
            app.add_subapp(f"/{name}", sub)
        app.router.add_get("/sandbox", self._describe)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port, backlog=1024)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.url = f"http://{self.host}:{self.port}"
        return self

    async def also_at(self) -> str:
        """One more address of the same server, so that it can tell by the address who comes."""
        site = web.TCPSite(self._runner, self.host, 0, backlog=1024)
        await site.start()
        return f"http://{self.host}:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _describe(self, request: web.Request) -> web.Response:
        """The clock, and per account its credentials with full addresses: what ``[sandbox] url`` stands for."""
        base = f"{request.scheme}://{request.host}"
        return web.json_response(
            {
                "clock": {
                    "calendar": self.clocks.start.isoformat(),
                    "started": self.clocks.started,
                    "speed": self.clocks.speed,
                    "wire": self.clocks.wire(),
                },
                "accounts": {
                    account.name: {
                        "platform": account.platform,
                        **{
                            key: f"{base}/{account.platform}{value}" if value.startswith("/") else value
                            for key, value in self.credentials[account.name].items()
                        },
                    }
                    for account in self.accounts
                },
            }
        )


def _recorder(platform: str, on_exchange: OnExchange) -> Any:
    @web.middleware
    async def record(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        body = await request.read()
        response = await handler(request)
        if isinstance(response, web.Response):
            raw = response.body
            on_exchange(
                Exchange(
                    platform=platform,
                    method=request.method,
                    path=request.path.removeprefix(f"/{platform}"),
                    query=dict(request.query),
                    request_headers=dict(request.headers),
                    request_body=body,
                    status=response.status,
                    response_headers=dict(response.headers),
                    response_body=raw if isinstance(raw, bytes) else b"",
                )
            )
        return response

    return record
