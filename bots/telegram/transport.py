"""How python-telegram-bot reaches the network here: one bounded aiohttp pool, every call with a deadline.

aiohttp because it carries ten times the requests of the library's own httpx transport per core. What fails is said
with the one distinction that a sender needs: ``NotSent`` when the request cannot have reached Telegram, else
``TimedOut`` or ``NetworkError``, after which the message may have been said. No address and so no token is ever part
of an error's text.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final

import aiohttp
from telegram import Bot
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

LONGEST_CALL_S: Final = 30.0
"""No call outlives this, whatever it asks for."""
CALL_S: Final = 7.0
"""The deadline of an ordinary call, the wait for a connection included: shorter than a lease, so that whoever takes an
account over never meets a message of its last owner that is still on its way."""
CONNECT_S: Final = 4.0
"""How long to wait for a free connection and for the handshake. Less than ``CALL_S``: what ends here was not sent."""
IDLE_CONNECTION_S: Final = 20.0
"""Shorter than any server's patience, so that we do not write into a connection that is just being closed."""

_UNKNOWN_METHOD: Final = (404, 405, 501)

FETCH_LIMIT: Final = 100
"""Most updates of one getUpdates. Source: https://core.telegram.org/bots/api#getupdates"""


class NotSent(NetworkError):
    """No connection could be had: the request never left, so nothing was said."""


class Flooded(TelegramError):
    """Too many requests (429): nothing was said, and nothing may be said for ``retry_after_s`` seconds.

    Source: https://core.telegram.org/bots/api#responseparameters
    """

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"too many requests, retry in {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class UnknownMethod(TelegramError):
    """The server does not know this method: nothing was done. The library would call it a wrong token; that shows at
    getMe, which every server knows."""


class Beginning:
    """Within it, the requests of this task begin so: once there is a connection, right before the request leaves on it.
    (To make one takes round trips: what is begun before is for that long in doubt, should we die.) What ``begin``
    raises keeps the request from leaving (``NotSent``), and stands in ``error``: the library wraps what it does not
    know."""

    def __init__(self, begin: Callable[[], Awaitable[None]]) -> None:
        self._begin = begin
        self.error: Exception | None = None

    def __enter__(self) -> None:
        self._token = _BEGINNING.set(self)

    def __exit__(self, *_: object) -> None:
        _BEGINNING.reset(self._token)

    async def now(self) -> None:
        """Begin. Raises ``NotSent``."""
        try:
            await self._begin()
        except Exception as error:
            self.error = error
            raise NotSent("it was not begun") from None


_BEGINNING: ContextVar[Beginning | None] = ContextVar("beginning", default=None)


def _when_connected() -> aiohttp.TraceConfig:
    """Source: https://docs.aiohttp.org/en/stable/tracing_reference.html"""

    async def begin(*_: object) -> None:
        if (its := _BEGINNING.get()) is not None:
            await its.now()

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(begin)
    trace.on_connection_reuseconn.append(begin)
    return trace


class Transport(BaseRequest):
    """A pool of at most ``connections`` connections."""

    __slots__ = ("_connections", "_session")

    def __init__(self, connections: int) -> None:
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """The default deadline of a call, seconds."""
        return CALL_S

    async def initialize(self) -> None:
        """Open the pool."""
        if self._session is None:
            pool = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=IDLE_CONNECTION_S)
            self._session = aiohttp.ClientSession(
                connector=pool, cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[_when_connected()]
            )

    async def shutdown(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Make one request. Raises ``NotSent``, ``Flooded``, ``UnknownMethod``, ``TimedOut`` or ``NetworkError``."""
        if self._session is None:
            raise NotSent("the transport is closed")
        whole_s = float(read_timeout) if isinstance(read_timeout, int | float) else CALL_S
        connect_s = float(connect_timeout) if isinstance(connect_timeout, int | float) else CONNECT_S
        # Without the threshold aiohttp rounds up to whole seconds, and a lease is short.
        timeout = aiohttp.ClientTimeout(
            total=min(whole_s, LONGEST_CALL_S), connect=connect_s, ceil_threshold=LONGEST_CALL_S
        )
        try:
            async with self._session.request(
                method,
                url,
                data=_body(request_data),
                headers={"User-Agent": self.USER_AGENT},
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                status, payload = response.status, await response.read()
        except NotSent:
            raise
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError, aiohttp.InvalidURL) as error:
            raise NotSent(f"no connection ({type(error).__name__})") from None
        except TimeoutError:
            raise TimedOut from None
        except Exception as error:
            # The library would wrap it with its text, and that may hold the address with the token.
            raise NetworkError(type(error).__name__) from None
        if status == 429:
            # Here, because the library's RetryAfter warns of its own deprecation whenever it is made.
            raise Flooded(_retry_after_s(payload))
        if status in _UNKNOWN_METHOD and not url.endswith("/getMe"):
            raise UnknownMethod(f"the server does not know {url.rpartition('/')[2]} ({status})")
        if status >= 300 and not _is_telegrams(payload):
            # A page of whatever stands between: it says nothing about the token, the chat or the message.
            raise NetworkError(f"status {status} without a word of Telegram's")
        return status, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer's object. Raises ``NetworkError``; unlike the library, never logs what could not be read."""
        try:
            answer = json.loads(payload)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise NetworkError("the answer is no JSON object")
        if answer.get("ok") is True and "result" not in answer:
            raise NetworkError("the answer lacks its result")
        return answer


class RawBot(Bot):
    """The library's ``Bot`` with updates as they came, so that one malformed update can be told from the others."""

    __slots__ = ()

    async def raw_updates(self, *, offset: int | None, timeout_s: int, kinds: list[str]) -> list[Any]:
        """One getUpdates call. Raises ``TelegramError``.

        Source: https://core.telegram.org/bots/api#getupdates
        """
        asked = {"offset": offset, "timeout": timeout_s, "limit": FETCH_LIMIT, "allowed_updates": kinds}
        answer = await self._post("getUpdates", asked, read_timeout=timeout_s + 9)
        if not isinstance(answer, list):
            raise NetworkError("getUpdates did not answer with a list")
        return answer

    def __repr__(self) -> str:
        """Without the token, which the library's own would show."""
        return "RawBot[...]"


def _body(request_data: RequestData | None) -> aiohttp.FormData | None:
    """Form fields, and multipart when there are files to upload."""
    if request_data is None:
        return None
    form = aiohttp.FormData()
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    if request_data.contains_files:
        for name, (filename, content, mime) in request_data.multipart_data.items():
            form.add_field(name, content, filename=filename, content_type=mime)
    return form


def _is_telegrams(payload: bytes) -> bool:
    """Whether a refusal is the Bot API's own: an object that says why.

    Source: https://core.telegram.org/bots/api#making-requests
    """
    try:
        said = json.loads(payload)
    except ValueError:
        return False
    return isinstance(said, dict) and "description" in said


def _retry_after_s(payload: bytes) -> float:
    """The pause that a 429 asks for; a minute when it does not say."""
    try:
        return float(json.loads(payload)["parameters"]["retry_after"])
    except (ValueError, KeyError, TypeError):
        return 60.0
