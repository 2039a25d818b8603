"""The way to X: tweepy signs and builds each request, ``Wire`` carries it, ``Api`` keeps the budgets and the errors.

Three things can become of a request: an answer; ``Unsent``, it surely was not applied; ``Lost``, it may have been. The
difference decides whether a message may be sent again.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Final

import aiohttp
from tweepy.asynchronous import AsyncClient  # type: ignore[import-untyped]
from yarl import URL

from bots.x import budget
from core.account import Begin
from core.clock import Clock, steady
from core.errors import AccountRefused, AccountUnavailable, OutcomeUnknown

_SIGNED_HOST: Final = "https://api.twitter.com"
"""The literal in tweepy's ``request()``, which the OAuth 1.0a signature covers."""
_PLATFORM: Final = frozenset({"https://api.x.com", _SIGNED_HOST})
"""X answers under both names. A signed request goes to the name that it was signed for, so these are not swapped."""
SEND_S: Final = 5.0
"""How long (wall) a write may take in all, from its ``begin`` on. It must be over before another process may take this
account over."""
READ_S: Final = 20.0
_OVER_BY: ContextVar[float] = ContextVar("over_by")
"""When (``steady``) the write under way must be over."""
_CHATTY: Final = ("tweepy", "oauthlib")
"""They log the Authorization header and the tokens at DEBUG."""


class Unsent(Exception):
    """The request did not leave this machine."""


class Lost(Exception):
    """The request left, and no answer of X came back: it may have been applied."""


class Problem(Exception):
    """X refused the request, and it was not applied. Source: RFC 7807, as in X OpenAPI 2.159, ``Problem``."""

    def __init__(self, status: int, kind: str, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{status} {detail}")
        self.status = status
        self.kind = kind
        self.detail = detail
        self.retry_after_s = retry_after_s
        """Seconds of the wall, where X or a proxy before it named them. Source: RFC 9110, 10.2.3."""


def address(url: str, base_url: str) -> str:
    """Where a request that tweepy signed for ``url`` goes: below ``base_url``, or unchanged when that is X itself."""
    base_url = base_url.rstrip("/")
    return url if base_url in _PLATFORM else base_url + url.removeprefix(_SIGNED_HOST)


class Wire:
    """What tweepy takes for its aiohttp session: the same call, to our address, with a time limit and typed ends."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        read_s: float,
        answered: Callable[[str, str, Mapping[str, str]], None],
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._read_s = read_s
        self._answered = answered

    @asynccontextmanager
    async def request(self, method: str, url: str | URL, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send, read, and judge one answer. Raises ``Unsent``, ``Lost``, ``Problem``."""
        path = URL(str(url)).path
        target = address(str(url), self._base_url)
        total_s = self._read_s if method == "GET" else _OVER_BY.get() - steady()
        if total_s <= 0.0:
            raise Unsent("it was held up")
        if self._session.closed:  # whoever still asks, such as a report, finds the account left
            raise Unsent("the account was left")
        # Whoever gets no connection in half of the time has surely sent nothing.
        timeout = aiohttp.ClientTimeout(total=total_s, connect=total_s / 2)
        try:
            async with self._session.request(
                method, URL(target, encoded=True), timeout=timeout, allow_redirects=False, **options
            ) as response:
                await response.read()
                self._answered(method, path, response.headers)
                if not 200 <= response.status < 300:
                    raise await _problem(response)
                yield response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unsent(type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Lost(type(error).__name__) from None


class Api:
    """One account's calls to X: signed, in budget, and with Vouch's errors only (and ``Problem``, which says what X
    found wrong with this one request)."""

    def __init__(
        self,
        account: str,
        *,
        consumer_key: str,
        consumer_secret: str,
        access_token: str,
        access_token_secret: str,
        base_url: str,
        clock: Clock,
        timeout_s: float = READ_S,
    ) -> None:
        self._account = account
        self._base_url = base_url
        self._clock = clock
        self._timeout_s = timeout_s
        self._client: Any = AsyncClient(
            consumer_key=consumer_key,
            consumer_secret=consumer_secret,
            access_token=access_token,
            access_token_secret=access_token_secret,
            return_type=dict,  # pyright: ignore[reportArgumentType]
        )
        self._budgets = budget.budgets()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Open the connections."""
        for name in _CHATTY:
            logger = logging.getLogger(name)
            logger.setLevel(max(logger.level, logging.WARNING))
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._client.session = Wire(self._session, self._base_url, self._timeout_s, self._learn)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def call(
        self,
        route: str,
        ask: Callable[[AsyncClient], Awaitable[Any]],
        *,
        patience_s: float = math.inf,
        begin: Begin | None = None,
    ) -> Mapping[str, Any]:
        """Ask X, once the budget allows it. A question is asked again after a 429. What is said has a ``begin``, which
        is called when all waiting is over; after that a 429, which X promises not to have applied, is handed back.

        Raises whatever ``begin`` raises, ``AccountRefused`` for what a person must mend, ``AccountUnavailable`` when
        nothing was done (also when the budget is spent for more than ``patience_s`` seconds of the wall),
        ``OutcomeUnknown`` for a write that may have been done, and ``Problem``.
        """
        bucket = self._budgets[route]
        async with self.in_turn(bucket.turn, route, patience_s):
            while True:
                await self._afford(bucket, patience_s)
                if begin is not None:
                    _OVER_BY.set(steady() + min(self._timeout_s, SEND_S))
                    await begin()
                bucket.spend(self._now())
                try:
                    answer = await ask(self._client)
                except Problem as problem:
                    if problem.status != 429 or problem.kind.endswith("usage-capped"):
                        raise self._verdict(problem) from None
                    after_s = problem.retry_after_s
                    bucket.exhaust(self._now(), None if after_s is None else after_s * self._clock.speed)
                    if begin is None:
                        continue
                    raise self._used_up(bucket.wait_s(self._now()) / self._clock.speed) from None
                except Unsent as error:
                    raise AccountUnavailable(self._account, f"X cannot be reached ({error})") from None
                except (Lost, aiohttp.ClientError, ValueError) as error:
                    raise self._lost(route, error) from None
                if not isinstance(answer, Mapping):
                    raise self._lost(route, Lost("no object"))
                return answer

    @asynccontextmanager
    async def in_turn(self, turn: asyncio.Lock, route: str, patience_s: float = math.inf) -> AsyncIterator[None]:
        """Hold ``turn``. Raises ``AccountUnavailable`` when those before wait longer than ``patience_s`` seconds of the
        wall, as they do for the budget of ``route``."""
        try:
            async with asyncio.timeout(None if patience_s == math.inf else patience_s):
                await turn.acquire()
        except TimeoutError:
            wall_s = self._budgets[route].wait_s(self._now()) / self._clock.speed
            raise self._used_up(max(wall_s, 1.0)) from None
        try:
            yield
        finally:
            turn.release()

    def wait_s(self, route: str) -> float:
        """Seconds of the calendar until the budget allows a call."""
        return self._budgets[route].wait_s(self._now())

    def _used_up(self, wall_s: float) -> AccountUnavailable:
        return AccountUnavailable(self._account, "X's rate limit is used up for now", retry_after_s=wall_s)

    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def _afford(self, bucket: budget.Budget, patience_s: float) -> None:
        while wait_s := bucket.wait_s(self._now()):
            wall_s = wait_s / self._clock.speed
            if wall_s > patience_s:
                raise self._used_up(wall_s)
            await self._clock.sleep(wait_s, at_least_wall_s=0.001)

    def _learn(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        self._budgets[budget.route(method, path)].learn(headers, self._now())

    def _lost(self, route: str, error: Exception) -> AccountUnavailable | OutcomeUnknown:
        what = str(error) if isinstance(error, Lost) else type(error).__name__
        if route.startswith("POST"):
            return OutcomeUnknown(self._account, f"X's answer was lost ({what}); look on X whether it was posted")
        return AccountUnavailable(self._account, f"X gave no usable answer ({what})")

    def _verdict(self, problem: Problem) -> Exception:
        match problem.status:
            case 401:
                mend = "make a new access token with read, write and direct message rights at https://console.x.com"
                return AccountRefused(self._account, f"X refuses the tokens; {mend}")
            case 402:
                mend = "buy credits or raise the spending limit at https://console.x.com"
                return AccountRefused(self._account, f"the X credits are used up; {mend}")
            case 429:
                return AccountRefused(self._account, "X's usage cap is reached; raise it at https://console.x.com")
            case _:
                return problem


async def _problem(response: aiohttp.ClientResponse) -> Problem | Lost:
    """What a refusal says. A server's own trouble, a redirect, and a page that is not X's JSON prove nothing: lost.

    The two exceptions carry their proof in the status: 402 and 429 are given before anything is done.
    """
    try:
        body = await response.json()
    except (aiohttp.ClientError, ValueError):
        body = None
    if not isinstance(body, Mapping):
        body = {} if response.status in (402, 429) else None
    if body is None or response.status >= 500 or response.status < 400:
        return Lost(f"HTTP {response.status}")
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], Mapping) else {}
    told = (body.get("detail"), first.get("message"), first.get("detail"), body.get("title"), response.reason)
    detail = next((text for text in told if isinstance(text, str) and text), "")
    kind = body.get("type")
    return Problem(
        response.status,
        kind if isinstance(kind, str) else "",
        " ".join(detail.split())[:200],
        _retry_after_s(response.headers),
    )


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The pause that is asked for, at least a second; ``None`` where none is, or not in seconds."""
    told = headers.get("Retry-After", "")
    return max(float(told), 1.0) if re.fullmatch(r"[0-9]{1,9}", told) else None
