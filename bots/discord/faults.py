"""What Discord's refusals and the network's failures mean to us, and how long a call may take.

Codes: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp
import discord

from bots.discord.pace import Pace
from core.errors import (
    AccountError,
    AccountRefused,
    AccountUnavailable,
    ContentRefused,
    OutcomeUnknown,
    PersonUnreachable,
)

CALL_S = 30.0
"""Longest time that one call may take, discord.py's retries and waits for its rate limits included."""
OPENING_PAUSE_S = 600.0
"""How long no new direct messages are opened after Discord said that we open them too fast."""

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_INTERACTION = 10003, 10008, 10062
OPENING_TOO_FAST = 40003
POLL_EXPIRED = 520001

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
    50006: "the message is empty",
    50035: "the message does not have the form that Discord takes",
    200000: "the server's AutoMod blocked the message",
    240000: "the message contains an address that Discord blocks",
}


@dataclass(slots=True)
class _Doubt:
    """Whether a request has left us without an answer that says that nothing was done."""

    open: bool = False


_doubt: ContextVar[_Doubt | None] = ContextVar("doubt", default=None)


def trace() -> aiohttp.TraceConfig:
    """Stands beside each request of a client (discord.py's ``http_trace``): paces it, and tells a lost answer from a
    lost call."""
    pace = Pace()

    async def starts(_: aiohttp.ClientSession, __: SimpleNamespace, params: aiohttp.TraceRequestStartParams) -> None:
        await pace.wait(params.url)

    async def sent(_: aiohttp.ClientSession, __: SimpleNamespace, ___: aiohttp.TraceRequestHeadersSentParams) -> None:
        if doubt := _doubt.get():
            doubt.open = True

    async def answered(_: aiohttp.ClientSession, __: SimpleNamespace, params: aiohttp.TraceRequestEndParams) -> None:
        if doubt := _doubt.get():
            doubt.open = params.response.status < 300 or params.response.status >= 500

    config = aiohttp.TraceConfig()
    config.on_request_start.append(starts)
    config.on_request_headers_sent.append(sent)
    config.on_request_end.append(answered)
    return config


def in_doubt() -> bool:
    """Whether the last request inside ``Calls.bounded`` may have been carried out although no answer came."""
    return (doubt := _doubt.get()) is not None and doubt.open


@dataclass(frozen=True, slots=True)
class Calls:
    """How the calls of one account are made."""

    account: str
    longest_s: float = CALL_S

    @asynccontextmanager
    async def bounded(self, *, speaks: bool = False, direct: bool = False, share: float = 1.0) -> AsyncIterator[None]:
        """Bounds what is inside to this share of ``longest_s`` and turns every failure into an ``AccountError``.

        ``speaks``: something may have been said when the answer is lost, hence ``OutcomeUnknown``. ``direct``: it is
        about one person, so that a channel that is closed to us does not concern the account.
        """
        doubt = _Doubt()
        token = _doubt.set(doubt)
        try:
            async with asyncio.timeout(share * self.longest_s):
                yield
        except AccountError:
            raise
        except discord.RateLimited as exc:
            raise AccountUnavailable(self.account, "Discord asks us to wait", exc.retry_after) from exc
        except discord.LoginFailure as exc:
            raise AccountRefused(self.account, _UNKNOWN_BOT) from exc
        except discord.HTTPException as exc:
            raise refusal(self.account, exc, speaks=speaks, direct=direct) from exc
        except Exception as exc:  # the network's failures, a timeout, or an answer that discord.py could not read
            why = type(exc).__name__
            if speaks and doubt.open:
                raise OutcomeUnknown(self.account, f"the answer to a send was lost ({why})") from exc
            raise AccountUnavailable(self.account, f"no usable answer from Discord ({why})") from exc
        finally:
            _doubt.reset(token)


def refusal(account: str, exc: discord.HTTPException, *, speaks: bool, direct: bool) -> AccountError:
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
        return AccountUnavailable(account, "Discord asks us to wait", _retry_after_s(exc))
    if exc.status >= 500:
        error = OutcomeUnknown if speaks else AccountUnavailable
        return error(account, f"Discord is out of order ({exc.status})")
    if exc.status == 401:
        return AccountRefused(account, _UNKNOWN_BOT)
    if exc.status in (403, 404):
        return AccountRefused(account, f"Discord refuses ({exc.status}, code {code})")
    return ContentRefused(account, f"Discord refuses this message ({exc.status}, code {code})")


def _retry_after_s(exc: discord.HTTPException) -> float:
    try:
        return float(exc.response.headers.get("Retry-After", ""))
    except ValueError:
        return 60.0
