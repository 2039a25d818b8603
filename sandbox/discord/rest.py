"""The door of the REST API: who asks, how often, and how refusals look. The routes themselves live in ``routes_*``.

Source: https://discord.com/developers/docs/reference
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from sandbox.discord.errors import Refusal
from sandbox.discord.gateway import Gateway
from sandbox.discord.interactions import Interactions
from sandbox.discord.limits import VIA, Limits, Rate, answer_json
from sandbox.discord.messages import Messages
from sandbox.discord.model import Application
from sandbox.discord.polls import Polls
from sandbox.discord.state import State

API = "/api/v10"
READ, LIST, WRITE = Rate(20, 1.0), Rate(10, 1.0), Rate(5, 5.0)
"""Routes whose true rates Discord does not publish get these; posting and editing are known to be 5 in 5 s."""


@dataclass(slots=True)
class Call:
    """A request that was let in."""

    request: web.Request
    application: Application


Route = Callable[[Call], Awaitable[web.Response]]
"""Answers a request with a bot's token."""


class Rest:
    """What the routes work with, and the checks that all of them share."""

    def __init__(
        self, state: State, messages: Messages, polls: Polls, interactions: Interactions, gateway: Gateway
    ) -> None:
        self.state, self.messages, self.polls = state, messages, polls
        self.interactions, self.gateway = interactions, gateway
        self.limits = Limits(state.clocks.wire, state.rules)
        self.app = web.Application(client_max_size=64 * 1024 * 1024)

    def add(self, method: str, path: str, route: Route, rate: Rate = READ, major: str = "") -> None:
        """A route for bots; ``major`` is the path parameter by which its rate is counted."""

        async def answer(request: web.Request) -> web.Response:
            return await self._guarded(request, lambda: self._as_bot(request, route, f"{method} {path}", rate, major))

        self.app.router.add_route(method, API + path, answer)

    def add_open(self, method: str, path: str, route: Callable[[web.Request], Awaitable[web.Response]]) -> None:
        """A route that needs no bot's token, at most an interaction's; it counts against no global rate."""

        async def answer(request: web.Request) -> web.Response:
            return await self._guarded(request, lambda: route(request))

        self.app.router.add_route(method, API + path, answer)

    def add_rest(self) -> None:
        """Everything else: 405 for a known path, 404 for an unknown one."""

        async def answer(request: web.Request) -> web.Response:
            return await self._guarded(request, lambda: self._unknown(request))

        self.app.router.add_route("*", "/{anything:.*}", answer)

    async def _unknown(self, request: web.Request) -> web.Response:
        known = False
        for resource in self.app.router.resources():
            if resource.canonical.endswith("{anything}"):
                continue
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                found, _ = await resource.resolve(request.clone(method=method))
                known = known or found is not None
        if known:
            raise Refusal(0, status=405, message="405: Method Not Allowed")
        raise Refusal(0, status=404, message="404: Not Found")

    async def _guarded(self, request: web.Request, answer: Callable[[], Awaitable[web.Response]]) -> web.Response:
        address = request.remote or ""
        banned = self.limits.ban(address)
        if banned is not None:
            return banned
        self.messages.files_url = f"{request.scheme}://{request.host}{request.path.partition(API)[0]}"
        try:
            response = await answer()
        except Refusal as refusal:
            response = self.refused(refusal)
        except web.HTTPRequestEntityTooLarge:
            response = self.refused(Refusal(40005))
        if response.status in (401, 403, 429) and response.headers.get("X-RateLimit-Scope") != "shared":
            self.limits.count_invalid(address)
        return response

    def refused(self, refusal: Refusal) -> web.Response:
        """The refusal as an answer; where its rule is off, the request passes as if done."""
        name = f"discord.code.{refusal.code}" if refusal.code else f"discord.status.{refusal.status}"
        if not self.state.rules.on(name):
            return web.Response(status=204, headers=VIA)
        return answer_json(refusal.body(), refusal.status, VIA)

    async def _as_bot(self, request: web.Request, route: Route, name: str, rate: Rate, major: str) -> web.Response:
        agent = request.headers.get("User-Agent", "")
        if self.state.rules.on("discord.user_agent") and not agent.startswith("DiscordBot ("):
            raise Refusal(40333)
        application = self.authorized(request)
        limited = self.limits.take_global(application.name)
        if limited is not None:
            return limited
        bucket, limited = self.limits.take(application.name, name, request.match_info.get(major, ""), rate)
        if limited is not None:
            return limited
        try:
            response = await route(Call(request, application))
        except Refusal as refusal:
            response = self.refused(refusal)
        response.headers.update(bucket.headers(self.state.clocks.wire()) | VIA)
        return response

    def authorized(self, request: web.Request) -> Application:
        """Whose token the request carries. Raises: Refusal, 401."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        application = self.state.by_token.get(token) if kind == "Bot" else None
        if application is not None:
            return application
        if self.state.rules.on("discord.token") or not self.state.applications:
            raise Refusal(0, status=401, message="401: Unauthorized")
        return next(iter(self.state.applications.values()))


def answer_nothing() -> web.Response:
    """204: done, and nothing to say."""
    return web.Response(status=204)
