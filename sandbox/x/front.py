"""The front door: routes, who may enter, rates, faults, and the shape of answers and refusals."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from sandbox.x import rates
from sandbox.x.direct import Direct
from sandbox.x.media import Library
from sandbox.x.oauth import Gate, Signed
from sandbox.x.posting import Posting
from sandbox.x.problems import Refusal, app_only, not_found, out_of_credits
from sandbox.x.query import Answer, Call
from sandbox.x.rates import Limit, Rates
from sandbox.x.reading import Reading
from sandbox.x.site import Site

_LARGEST_BODY = 24 * 1024 * 1024
_OUTAGE = "<!DOCTYPE html><html><head><title>X / Over capacity</title></head><body>Over capacity</body></html>"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call: who answers it, how often it may come, and who may make it."""

    method: str
    path: str
    answer: Callable[[Call], Answer]
    limit: Limit
    app_only: bool = False
    """Whether an app-only bearer token will do."""


class Front:
    """All calls, and what each must pass before it is answered."""

    def __init__(self, site: Site, gate: Gate) -> None:
        self._site = site
        self._gate = gate
        self._rates = Rates(site.clocks, site.rules)
        library = Library(site)
        reading, posting, direct = Reading(site), Posting(site, library), Direct(site, library)
        self._endpoints = (
            Endpoint("GET", "/2/users/me", reading.me, rates.ME),
            Endpoint("GET", "/2/users/by/username/{username}", reading.user_by_name, rates.USERS, app_only=True),
            Endpoint("GET", "/2/users/{id}", reading.user_by_id, rates.USERS, app_only=True),
            Endpoint("GET", "/2/users/{id}/mentions", reading.mentions, rates.MENTIONS, app_only=True),
            Endpoint("GET", "/2/users/{id}/tweets", reading.timeline, rates.TIMELINE, app_only=True),
            Endpoint("GET", "/2/tweets", reading.tweets, rates.LOOKUP, app_only=True),
            Endpoint("GET", "/2/tweets/{id}", reading.tweet, rates.LOOKUP, app_only=True),
            Endpoint("POST", "/2/tweets", posting.create, rates.POSTS),
            Endpoint("DELETE", "/2/tweets/{id}", posting.delete, rates.DELETE),
            Endpoint("POST", "/2/dm_conversations/with/{participant_id}/messages", direct.send, rates.DMS),
            Endpoint(
                "GET", "/2/dm_conversations/with/{participant_id}/dm_events", direct.events_with, rates.DM_EVENTS_WITH
            ),
            Endpoint("GET", "/2/dm_events", direct.events, rates.DM_EVENTS),
            Endpoint("POST", "/2/media/upload", library.one_shot, rates.MEDIA),
            Endpoint("GET", "/2/media/upload", library.status, rates.MEDIA),
            Endpoint("POST", "/2/media/upload/initialize", library.initialize, rates.MEDIA),
            Endpoint("POST", "/2/media/upload/{id}/append", library.append, rates.MEDIA),
            Endpoint("POST", "/2/media/upload/{id}/finalize", library.finalize, rates.MEDIA),
        )

    def application(self) -> web.Application:
        app = web.Application(client_max_size=_LARGEST_BODY)
        for endpoint in self._endpoints:
            app.router.add_route(endpoint.method, endpoint.path, self._serving(endpoint))
        app.router.add_route("*", "/{rest:.*}", self._nothing_here)
        return app

    async def _nothing_here(self, request: web.Request) -> web.Response:
        refusal = not_found()
        return _response(refusal.status, refusal.body, {}, problem=True)

    def _serving(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(request: web.Request) -> web.Response:
            if self._site.faults.outage and self._site.rules.on("x.outage"):
                return web.Response(status=503, text=_OUTAGE, content_type="text/html")
            body = await request.read()
            headers: dict[str, str] = {}
            try:
                answer = self._answer(endpoint, request, body, headers)
            except Refusal as refusal:
                return _response(refusal.status, refusal.body, headers, problem=True)
            if request.method != "GET" and self._site.faults.lose_answers > 0 and request.transport is not None:
                self._site.faults.lose_answers -= 1
                request.transport.abort()
            return _response(answer.status, answer.body, headers)

        return serve

    def _answer(self, endpoint: Endpoint, request: web.Request, body: bytes, headers: dict[str, str]) -> Answer:
        """Admit, count, answer. Fills in the headers of the rate window."""
        is_form = request.content_type == "application/x-www-form-urlencoded"
        signed = Signed(
            method=request.method,
            path=_below_mount(request.rel_url.raw_path),
            query=request.rel_url.raw_query_string,
            form=body.decode(errors="replace") if is_form else "",
        )
        caller = self._gate.admit(request.headers.get("Authorization"), signed)
        rules = self._site.rules
        if not caller.as_brand and not endpoint.app_only and rules.on("x.auth.user_context"):
            raise app_only()
        counted, refusal = self._rates.spend(caller.app.account, caller.as_brand, endpoint.limit)
        headers.update(counted)
        if refusal is not None:
            raise refusal
        if self._site.faults.out_of_credits and rules.on("x.credits"):
            raise out_of_credits(str(caller.app.member.id))
        return endpoint.answer(
            Call(
                caller=caller,
                query=dict(request.query),
                path=dict(request.match_info),
                content_type=request.content_type,
                body=body,
            )
        )


def _below_mount(raw_path: str) -> str:
    """The path as X has it, whatever the application is mounted under."""
    at = raw_path.find("/2/")
    if at < 0:
        raise not_found()
    return raw_path[at:]


def _response(status: int, body: object, headers: dict[str, str], *, problem: bool = False) -> web.Response:
    content_type = "application/problem+json" if problem else "application/json"
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return web.Response(status=status, text=text, content_type=content_type, headers=headers)
