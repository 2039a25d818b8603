"""The answer to a tap or a form. Discord waits 3 s for it, and shows "interaction failed" when none comes.

When thousands tap at once, each answer must cost little: it is one small request over the connections of discord.py's
HTTP client, without that library's way to it. Whoever is answered has acted already, so none of it is said twice or
awaited; all are best effort: what must arrive goes through the outbox.
Source: https://docs.discord.com/developers/interactions/receiving-and-responding#responding-to-an-interaction
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import yarl
from discord.http import HTTPClient, Route

from bots.discord import faults, render
from core.account import Answer
from core.errors import ContentRefused
from core.message import Form

_log = logging.getLogger(__name__)

_DEFER_S = 1.0
"""When nothing is kept by then, we say that we are at it: the rest of the 3 s is for the way there, which is long when
many want an answer."""
MANY = 200
"""When so many wait for their first answer, the next are told at once that we are at it."""
_FIRST_S = 3.0
"""A first answer that takes longer is for nobody."""
_LATER_S, _LATER_EACH_S = 840.0, 10.0
"""What follows has 15 minutes; each try has less."""
_AGAIN_S = 0.25
_FIRST_AT_A_TIME, _LATER_AT_A_TIME = 32, 8
_MESSAGE, _DEFERRED_MESSAGE, _DEFERRED, _FORM = 4, 5, 6, 9
"""Source: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object"""
_EPHEMERAL = 1 << 6
_COMMAND = 2
"""Kind of an interaction."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An interaction, as far as it must be known to be answered. The token is the right to answer: keep it secret."""

    id: str
    token: str
    application: str
    command: bool = False
    """Whether it is a command: it has no message that we could leave as it is."""

    @staticmethod
    def of(data: Any) -> Asked:
        """From what the gateway brought. Raises ``KeyError``."""
        return Asked(str(data["id"]), str(data["token"]), str(data["application_id"]), data["type"] == _COMMAND)

    @property
    def at_it(self) -> dict[str, Any]:
        """What tells Discord that we are at it."""
        return {"type": _DEFERRED_MESSAGE, "data": {"flags": _EPHEMERAL}} if self.command else {"type": _DEFERRED}

    @property
    def first(self) -> str:
        """Where the first answer goes."""
        return f"/interactions/{quote(self.id, safe='')}/{quote(self.token, safe='')}/callback"

    @property
    def later(self) -> str:
        """Where all others go."""
        return f"/webhooks/{quote(self.application, safe='')}/{quote(self.token, safe='')}"


class Answers:
    """Gives the answers of one account, so many at a time: beyond that more connections make each answer later. What
    has 15 minutes' time lets pass what has 3 s."""

    def __init__(self, http: HTTPClient, is_away: Callable[[], bool]) -> None:
        """``is_away``: whether nothing can be kept now. Then nobody is told that we are at it: a tap fails, and can be
        tried again."""
        self._http = http
        self._is_away = is_away
        self._session: aiohttp.ClientSession | None = None
        self._first = asyncio.Semaphore(_FIRST_AT_A_TIME)
        self._later = asyncio.Semaphore(_LATER_AT_A_TIME)
        self._urgent = 0
        """How many wait for their first answer."""
        self._calm = asyncio.Event()
        """Set while none of these waits for its turn."""
        self._calm.set()
        self._running: set[asyncio.Task[None]] = set()

    def open_form(self, asked: Asked, form: Form) -> None:
        """Open a form, which must be the first answer to a tap."""
        self._waits()
        self._start(self._answer(asked, {"type": _FORM, "data": render.modal(form).to_dict()}))

    def owe(self, asked: Asked) -> Callable[[Sequence[Answer]], None]:
        """Gives the way to answer once the reply is kept. Should that take longer than ``_DEFER_S``, or too many wait
        already, Discord is told that we are at it."""
        deferral: asyncio.Task[None] | None = None

        def defer() -> None:
            nonlocal deferral
            if deferral is None:
                silent = self._is_away()
                deferral = self._start(self._fail() if silent else self._answer(asked, asked.at_it))

        def give(answers: Sequence[Answer]) -> None:
            timer.cancel()
            shown = _shown(answers[0])
            if deferral is None and shown:
                self._start(self._answer(asked, {"type": _MESSAGE, "data": shown}))
            elif deferral is None:
                defer()
            elif shown:
                self._start(self._follow_up(asked, shown, deferral))

        self._waits()
        timer = asyncio.get_running_loop().call_later(_DEFER_S, defer)
        if self._urgent > MANY:
            timer.cancel()
            defer()
        return give

    def _waits(self) -> None:
        self._urgent += 1
        if self._urgent >= _FIRST_AT_A_TIME:
            self._calm.clear()

    async def _answer(self, asked: Asked, body: Any) -> None:
        try:
            await self._best_effort(asked.first, body, _FIRST_S, self._first)
        finally:
            self._waits_no_more()

    async def _fail(self) -> None:
        """Give no answer in time."""
        self._waits_no_more()

    def _waits_no_more(self) -> None:
        self._urgent -= 1
        if self._urgent < _FIRST_AT_A_TIME:
            self._calm.set()

    async def _follow_up(self, asked: Asked, body: Any, deferral: asyncio.Task[None]) -> None:
        await deferral
        await self._calm.wait()
        await self._best_effort(asked.later, body, _LATER_S, self._later)

    async def _best_effort(self, path: str, body: Any, within_s: float, turn: asyncio.Semaphore) -> None:
        try:
            async with asyncio.timeout(within_s), turn:
                await self._post(path, json.dumps(body, separators=(",", ":")).encode())
        # Too late, or (RuntimeError of aiohttp's) signed out meanwhile.
        except (aiohttp.ClientError, OSError, RuntimeError) as exc:
            _log.info("an answer did not arrive: %s", type(exc).__name__)

    async def _post(self, path: str, body: bytes) -> None:
        """Until Discord takes it or refuses it. Of what it may have taken already it refuses a second one."""
        pause_s = _AGAIN_S
        url = yarl.URL(Route.BASE + path, encoded=True)
        headers = {"Content-Type": "application/json", "User-Agent": self._http.user_agent}
        limit = aiohttp.ClientTimeout(total=_LATER_EACH_S)
        while True:
            wait_s = pause_s
            try:
                async with self._connections().post(
                    url, data=body, headers=headers, timeout=limit, allow_redirects=False
                ) as answer:
                    if answer.status == 429:
                        wait_s = await faults.pause_s(answer)
                    elif answer.status < 500:
                        if answer.status >= 300:
                            _log.debug("an answer came too late, or twice (%d)", answer.status)
                        return
            except aiohttp.ClientConnectionError as exc:
                _log.debug("an answer is tried again: %s", type(exc).__name__)
            await asyncio.sleep(wait_s)
            pause_s *= 2

    def _connections(self) -> aiohttp.ClientSession:
        """discord.py's connections, without what stands beside each of its requests."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=self._http.connector, connector_owner=False, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    def _start(self, response: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(response)
        self._running.add(task)  # the loop alone would let it be collected
        task.add_done_callback(self._running.discard)
        return task


def _shown(answer: Answer) -> dict[str, Any]:
    """What is shown to this person alone; empty when there is nothing to show."""
    shown: dict[str, Any] = {"flags": _EPHEMERAL, "allowed_mentions": {"parse": []}}
    if answer.message is not None:
        try:
            shown["content"] = render.content(answer.message, "discord")
            if answer.message.buttons:
                shown["components"] = render.view(answer.message.buttons, "discord").to_components()
        except ContentRefused as exc:
            _log.error("an answer was not shown: %s", exc)
            return {}
    elif answer.toast:
        shown["content"] = render.harmless(answer.toast)
    else:
        return {}
    return shown
