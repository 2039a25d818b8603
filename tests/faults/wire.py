"""Around every request to the sandbox: it is recorded, its confirmation looked at, its answer spoiled on demand.

A request is applied by the stand-in and only then is its answer lost: cut off, held back, cut in half, or replaced by
what a proxy between us and the platform would say. All of it happens on the real connection.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox.discord.limits import too_many
from sandbox.server import Sandbox
from tests.faults.confirms import Confirms
from tests.faults.contract import WireFault
from tests.faults.kills import Killer
from tests.faults.reading import MODAL, Handed, Reader, page, updates
from tests.faults.seen import Call, Seen, current
from tests.faults.services import Services
from tests.faults.streams import SECOND, Streams, bringing, is_updates_of

PLATFORMS = ("telegram", "discord", "x")
PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Wire:
    """The middleware, and the faults that wait."""

    def __init__(
        self, sandbox: Sandbox, seen: Seen, confirms: Confirms, killer: Killer, services: Services, streams: Streams
    ) -> None:
        self._sandbox = sandbox
        self._reader = Reader(sandbox)
        self._seen = seen
        self._confirms = confirms
        self._killer = killer
        self._services = services
        self._streams = streams
        self._faults: list[list[Any]] = []
        """Pairs of a fault and how often it still happens."""

    def spoil(self, fault: WireFault) -> None:
        """Spoil the answers to the next requests that match."""
        self._faults.append([fault, fault.n])

    def lift(self) -> None:
        """Spoil nothing any more."""
        self._faults.clear()

    def middleware(self) -> Any:
        """For ``Sandbox.middlewares``."""

        @web.middleware
        async def watch(request: web.Request, handler: Handle) -> web.StreamResponse:
            platform, _, path = request.path.removeprefix("/").partition("/")
            watched = platform in PLATFORMS and not path.startswith(("gateway", "attachments", "file/"))
            if not watched or SECOND in request.headers:
                return await handler(request)
            await request.read()
            what = await self._reader.read(platform, f"/{path}", request)
            instance = self._services.owner(request.transport)
            call = self._seen.call(platform, request.method, f"/{path}", what, instance)
            mark = current.set(call.number)
            try:
                return await self._serve(call, request, handler)
            except asyncio.CancelledError:
                call.cut = call.cut or ("" if call.answered_at else "hung up")
                raise
            finally:
                current.reset(mark)

        return watch

    async def _serve(self, call: Call, request: web.Request, handler: Handle) -> web.StreamResponse:
        confirmation = self._confirms.of(call.platform, call.what)
        if self._killer.arrives(call, confirmation):
            return _gone(request)
        fault = self._take(call)
        if fault is not None and (fault.fault == "429" or not fault.applied):
            return await self._spoiled(fault, call, request, _flood(fault, call, self._seen.clocks.now().timestamp()))
        if confirmation is not None:
            self._confirms.look(call.instance, confirmation)
        response = await handler(request)
        call.status = response.status
        if response.status < 400:
            if confirmation is not None:
                self._seen.confirmed(confirmation.arrivals)
            elif call.what.answer == MODAL:  # a tap that opens a form says nothing yet
                self._seen.confirmed(self._confirms.answered(call.what))
            if call.what.says:
                self._seen.was_applied(call)
                self._note_edit(call, response)
        else:
            what = call.path.partition("?")[0]
            self._seen.refusals[f"{call.platform} {response.status} {call.what.name or what}"] += 1
        if self._killer.applied(call):
            call.cut = "killed"
            return _gone(request)
        if fault is not None:
            return await self._spoiled(fault, call, request, response)
        return await self._answer(call, request, response)

    def _take(self, call: Call) -> WireFault | None:
        for waiting in self._faults:
            fault: WireFault = waiting[0]
            if _matches(fault, call):
                waiting[1] -= 1
                if not waiting[1]:
                    self._faults.remove(waiting)
                return fault
        return None

    async def _answer(self, call: Call, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """Write the answer whole, and know when that was."""
        response = self._streams.spoil_answer(call, response)
        handed = self._handed(call, response)
        try:
            await response.prepare(request)
            await response.write_eof()
        except ConnectionError:
            call.cut = "hung up"
            return response
        if request.transport is None or request.transport.is_closing():
            call.cut = "hung up"
            return response
        call.answered_at = time.time()
        if handed:
            arrivals = self._seen.handed_out(call.platform, call.what.account, handed, call.instance)
            self._killer.handed(call.instance, arrivals)
        self._killer.answered(call)
        return response

    def _handed(self, call: Call, response: web.StreamResponse) -> list[Handed]:
        """Replies that this answer brings."""
        body = bringing(call, response)
        if body is None:
            return []
        if is_updates_of(call):
            return list(updates(body["result"]))
        me = str(self._streams.x_id(call.what.account))
        return [one for one in page(call.path, body, me) if (call.what.account, one.event) not in self._seen.arrivals]

    def _note_edit(self, call: Call, response: web.StreamResponse) -> None:
        """What stands there now, as the answer shows it."""
        edits = call.what.name in ("editmessagetext", "editmessagecaption", "editmessagemedia") or (
            call.method == "PATCH" and "/messages/" in call.path
        )
        if not edits or not isinstance(response, web.Response):
            return
        body = json.loads(response.body or b"{}")  # type: ignore[arg-type]
        message = body.get("result", body)
        if isinstance(message, dict):
            text = message.get("text") or message.get("caption") or message.get("content") or ""
            where = call.what.to or call.what.place
            self._seen.edited(call.what.account, where, str(message.get("message_id") or message.get("id")), text)

    # faults

    async def _spoiled(
        self, fault: WireFault, call: Call, request: web.Request, response: web.StreamResponse
    ) -> web.StreamResponse:
        self._seen.spoiled(call, fault.fault)
        match fault.fault:
            case "reset":
                return _gone(request)
            case "hang":
                await asyncio.sleep(fault.retry_after_s)
                return _gone(request)
            case "truncated":
                return _cut_in_half(request, response)
            case "502":
                response = web.Response(status=502, text=PAGE.format("502 Bad Gateway"), content_type="text/html")
            case "html":
                response = web.Response(text=PAGE.format("Scheduled maintenance"), content_type="text/html")
            case "slow":
                await asyncio.sleep(fault.retry_after_s)
        return await self._answer(call, request, response)


def _matches(fault: WireFault, call: Call) -> bool:
    if fault.platform != call.platform or fault.account not in ("", call.what.account):
        return False
    if fault.method not in ("", call.method):
        return False
    if fault.match in ("sends", "reads"):
        return call.what.outbox == (fault.match == "sends")
    return fault.match.lower() in call.path.lower()


def _gone(request: web.Request) -> web.Response:
    """The connection is cut with nothing said; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _cut_in_half(request: web.Request, response: web.StreamResponse) -> web.Response:
    """Half of an answer, and the end of the connection."""
    body = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b"{}"
    kind = response.headers.get("Content-Type", "application/json")
    head = f"HTTP/1.1 {response.status} OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body) + 1}\r\n\r\n"
    if request.transport is not None:
        request.transport.write(head.encode() + body[: len(body) // 2])
        request.transport.close()
    return web.Response(status=500)


def _flood(fault: WireFault, call: Call, now: float) -> web.Response:
    """A 429 in the platform's own words. Not applied and not 429: there is nothing to answer with."""
    if fault.fault != "429":
        return web.Response(status=500)
    wait_s = max(1, round(fault.retry_after_s))
    if call.platform == "discord":
        return too_many(fault.retry_after_s, "shared", {})
    if call.platform == "telegram":
        said = f"Too Many Requests: retry after {wait_s}"
        told: dict[str, Any] = {"ok": False, "error_code": 429, "description": said}
        body = {**told, "parameters": {"retry_after": wait_s}}
        return web.json_response(body, status=429, headers={"Retry-After": str(wait_s)})
    problem = {"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank", "status": 429}
    headers = {"x-rate-limit-limit": "1", "x-rate-limit-remaining": "0", "x-rate-limit-reset": str(round(now) + wait_s)}
    return web.json_response(problem, status=429, headers=headers)
