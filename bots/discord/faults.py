"""What Discord's refusals and the network's failures mean to us, and how long a call may take.

Codes: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from types import SimpleNamespace

import aiohttp
import discord

from bots.discord.pace import Pace
from core.account import Begin
from core.errors import (
    AccountError,
    AccountRefused,
    AccountUnavailable,
    ContentRefused,
    OutcomeUnknown,
    PersonUnreachable,
    VouchError,
)

CALL_S = 30.0
"""Longest time that one call may take, discord.py's retries and waits for its rate limits included."""
SEND_S = 7.0
"""Longest time from ``begin`` to the end of a send, its repetitions included: shorter than the lease on the account, so
that nothing of ours leaves when another process may serve it."""
OPENING_PAUSE_S = 600.0
"""How long no new direct messages are opened after Discord said that we open them too fast."""
_NO_WORD_S = 60.0
"""How long we wait when we are not told."""

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_INTERACTION = 10003, 10008, 10062
OPENING_TOO_FAST = 40003
POLL_EXPIRED = 520001
HAS_A_THREAD = 160004

_UNKNOWN_BOT = "Discord does not know this token; issue a new one and store it"
_PERSON = {
    10013: "is not known to Discord",
    50007: "does not take direct messages from us",
    50033: "cannot be written to",
    50278: "shares no server with us",
}
_RIGHTS = {
    UNKNOWN_CHANNEL: "this channel does not exist; check its id in settings.toml",
    50001: "no access; give the bot's role View Channel here",
    50013: "missing rights; give the bot's role View Channel, Send Messages, Create Polls and Read Message History",
}
_CONTENT = {
    UNKNOWN_MESSAGE: "the message is gone",
    50006: "the message is empty",
    50035: "the message does not have the form that Discord takes",
    200000: "the server's AutoMod blocked the message",
    240000: "the message contains an address that Discord blocks",
}


@dataclass(slots=True)
class _Call:
    """What is known of a call while it is under way. discord.py may make several requests for it."""

    limit: asyncio.Timeout
    begin: Begin | None
    """To be called before the first request leaves."""
    doubt: bool = False
    """Whether a request has left us without an answer that says that nothing was done."""
    lost: bool = False
    """The same of an earlier request of this call: what a later one is refused says nothing about that one."""

    async def leaves(self) -> None:
        """A request is about to leave; the waiting is over."""
        if self.begin is not None:
            begin, self.begin = self.begin, None
            await begin()
            self.limit.reschedule(min(self.limit.when() or inf, asyncio.get_running_loop().time() + SEND_S))

    def waits(self, pause_s: float) -> bool:
        """Whether there is time for such a pause."""
        return asyncio.get_running_loop().time() + pause_s < (self.limit.when() or inf)


_call: ContextVar[_Call | None] = ContextVar("call", default=None)


def trace() -> aiohttp.TraceConfig:
    """Stands beside each request of a client (discord.py's ``http_trace``): paces it, begins what is to be said, tells
    a lost answer from a lost call, and ends a call that Discord asks to wait for longer than it may last."""
    pace = Pace()

    async def starts(_: aiohttp.ClientSession, __: SimpleNamespace, params: aiohttp.TraceRequestStartParams) -> None:
        await pace.wait(params.url)
        if call := _call.get():
            await call.leaves()

    async def sent(_: aiohttp.ClientSession, __: SimpleNamespace, ___: aiohttp.TraceRequestHeadersSentParams) -> None:
        if call := _call.get():
            call.lost, call.doubt = call.doubt, True

    async def answered(_: aiohttp.ClientSession, __: SimpleNamespace, params: aiohttp.TraceRequestEndParams) -> None:
        response = params.response
        if call := _call.get():
            call.doubt = response.status < 300 or response.status >= 500 or call.lost
            # discord.py would sleep, be cancelled in it, and after a global pause never make a request again.
            if response.status == 429 and not call.waits(wait_s := await pause_s(response)):
                response.close()
                raise discord.RateLimited(wait_s)

    config = aiohttp.TraceConfig()
    config.on_request_start.append(starts)
    config.on_request_headers_sent.append(sent)
    config.on_request_end.append(answered)
    return config


def in_doubt() -> bool:
    """Whether the last request inside ``Calls.bounded`` may have been carried out although no answer came."""
    return (call := _call.get()) is not None and call.doubt


@dataclass(frozen=True, slots=True)
class Calls:
    """How the calls of one account are made."""

    account: str
    longest_s: float = CALL_S

    @asynccontextmanager
    async def bounded(
        self, *, begin: Begin | None = None, direct: bool = False, share: float = 1.0
    ) -> AsyncIterator[None]:
        """Bounds what is inside to this share of ``longest_s`` and turns every failure into an ``AccountError``.

        ``begin``: something is said, once this has been called; when the answer is lost it is ``OutcomeUnknown``.
        ``direct``: it is about one person, so that a channel that is closed to us does not concern the account.
        """
        token = None
        call: _Call | None = None
        try:
            async with asyncio.timeout(share * self.longest_s) as limit:
                call = _Call(limit, begin)
                token = _call.set(call)
                yield
        except VouchError:
            raise
        except Exception as exc:
            if begin is not None and call is not None and call.doubt:
                why = f"{exc.status}" if isinstance(exc, discord.HTTPException) else type(exc).__name__
                raise OutcomeUnknown(self.account, f"the answer to a send was lost ({why})") from exc
            raise _failure(self.account, exc, direct=direct) from exc
        finally:
            if token is not None:
                _call.reset(token)


def _failure(account: str, exc: Exception, *, direct: bool) -> AccountError:
    if isinstance(exc, discord.RateLimited):
        return AccountUnavailable(account, "Discord asks us to wait", exc.retry_after)
    if isinstance(exc, discord.LoginFailure):
        return AccountRefused(account, _UNKNOWN_BOT)
    if isinstance(exc, discord.HTTPException):
        return refusal(account, exc, direct=direct)
    # The network's failures, a timeout, or an answer that discord.py could not read.
    return AccountUnavailable(account, f"no usable answer from Discord ({type(exc).__name__})")


def refusal(account: str, exc: discord.HTTPException, *, direct: bool) -> AccountError:
    """What an answer of Discord's that is not a success means, by its code before its status."""
    code = exc.code
    if code in _PERSON:
        return PersonUnreachable(account, f"this person {_PERSON[code]}")
    if code in _CONTENT or 520000 <= code <= 520006:
        return ContentRefused(account, _CONTENT.get(code, f"Discord refuses the poll ({code})"))
    if code == OPENING_TOO_FAST:
        return AccountUnavailable(account, "we open direct messages too fast", OPENING_PAUSE_S)
    if code in _RIGHTS and direct:
        return PersonUnreachable(account, "the direct messages with this person are closed to us")
    if code in _RIGHTS:
        return AccountRefused(account, _RIGHTS[code])
    if exc.status == 429:
        return AccountUnavailable(account, "Discord asks us to wait", _NO_WORD_S)
    if exc.status >= 500:
        return AccountUnavailable(account, f"Discord is out of order ({exc.status})")
    if exc.status == 401:
        return AccountRefused(account, _UNKNOWN_BOT)
    if exc.status in (403, 404):
        return AccountRefused(account, f"Discord refuses ({exc.status}, code {code})")
    return ContentRefused(account, f"Discord refuses this message ({exc.status}, code {code})")


async def pause_s(response: aiohttp.ClientResponse) -> float:
    """How long a 429 asks us to wait: to the millisecond in Discord's own words, in whole seconds in the proxy's.

    Source: https://docs.discord.com/developers/topics/rate-limits#exceeding-a-rate-limit
    """
    try:
        return float(json.loads(await response.read())["retry_after"])
    except (ValueError, KeyError, TypeError):
        pass
    try:
        return float(response.headers["Retry-After"])
    except (ValueError, KeyError):
        return _NO_WORD_S
