"""Where Discord's gateway is, how many sessions it still allows today, and which addresses our token may go to.

Source: https://docs.discord.com/developers/events/gateway#get-gateway-bot
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, Route

from bots.discord import faults
from core.errors import AccountError, AccountRefused, AccountUnavailable

RESERVE = 50
"""Sessions a day that we leave to a person who has to restart us by hand; at 0 Discord resets the token.
Source: https://docs.discord.com/developers/events/gateway#session-start-limit-object"""
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_DISCORD = ("discord.com", "discord.gg")

_signed_in: list[tuple[str, yarl.URL]] = []
_identified: dict[str, list[float]] = {}
"""When each token was used for an IDENTIFY, so that an account which is started again remembers."""


def identify_wait_s(past: Sequence[float], now: float, every_s: float) -> float:
    """Seconds to wait before the next IDENTIFY. ``past``: when we sent the earlier ones.

    One each ``every_s`` seconds, then twice as long each time within an hour, up to 24 times. With Discord's 5 s that
    stays below 900 a day; after 1,000 Discord resets the token.
    Source: https://docs.discord.com/developers/events/gateway#identifying
    """
    recent = [at for at in past if now - at < 3600]
    if not recent:
        return 0.0
    gap_s = every_s * min(1 << (len(recent) - 1), 24)
    return max(recent[-1] + gap_s - now, 0.0)


def is_family(host: str | None, others: yarl.URL) -> bool:
    """Whether ``host`` belongs to those who gave us ``others``: the same host or one below it; Discord's own two
    domains are one."""
    if not host or not others.host:
        return False
    if host == others.host or {host, others.host} <= _HERE or host.endswith(f".{others.host}"):
        return True
    return all(any(name == own or name.endswith(f".{own}") for own in _DISCORD) for name in (host, others.host))


@dataclass(frozen=True, slots=True)
class Quota:
    """What Discord says about new sessions."""

    remaining: int
    reset_after_s: float

    @property
    def wait_s(self) -> float:
        """How long no session may be begun."""
        return self.reset_after_s if self.remaining <= RESERVE else 0.0


class Gateway:
    """The gateway of one account, and its memory of past sessions."""

    def __init__(self, account: str, token: str, base_url: str, gateway_url: str) -> None:
        """``gateway_url``: what the settings say; without it Discord is asked."""
        self._account = account
        self._base = yarl.URL(base_url)
        self._given = yarl.URL(_web_socket(gateway_url)) if gateway_url else None
        # Twice a token at one host is one bot; the token itself is kept nowhere.
        self._key = hashlib.sha256(f"{self._base.authority} {token}".encode()).hexdigest()

    @property
    def identified(self) -> list[float]:
        """When this token was used for a session, as ``time.monotonic``; the last hundred."""
        return _identified.setdefault(self._key, [])

    def identifies(self, now: float) -> None:
        """Remember a session."""
        _identified[self._key] = [*self.identified[-99:], now]

    def sign_in(self) -> None:
        """Lead discord.py to this account's addresses. It keeps them in its classes, so all accounts of a process must
        have the same. Raises ``AccountRefused``."""
        mine = (str(self._base).rstrip("/"), self._given or yarl.URL())
        if any(other != mine for other in _signed_in):
            raise AccountRefused(
                self._account,
                "another Discord account of this process has another base_url or gateway_url: run them in two",
            )
        _signed_in.append(mine)
        Route.BASE = mine[0]

    def sign_out(self) -> None:
        """The addresses may change again."""
        mine = (str(self._base).rstrip("/"), self._given or yarl.URL())
        if mine in _signed_in:
            _signed_in.remove(mine)

    async def ask(self, calls: faults.Calls, http: HTTPClient) -> Quota | None:
        """Ask where the gateway is, which is where discord.py will connect to, and how many sessions are left; ``None``
        where we need not know the first and are not told the second. Raises ``AccountRefused``,
        ``AccountUnavailable``."""
        if self._given:
            DiscordWebSocket.DEFAULT_GATEWAY = self._given
        try:
            async with calls.bounded():
                answer: dict[str, Any] = await http.request(Route("GET", "/gateway/bot"))
                address, quota = yarl.URL(str(answer["url"])), _quota(answer.get("session_start_limit"))
        except AccountError as exc:
            if self._given:
                return None  # whoever refuses the token says so to the IDENTIFY as well
            if isinstance(exc, AccountUnavailable):
                raise
            raise AccountRefused(self._account, "this host does not say where its gateway is; set gateway_url") from exc
        if not self._given:
            if not self.may_dial(address):
                raise AccountRefused(
                    self._account, f"its gateway is at {address.host}; if you trust it set gateway_url"
                )
            DiscordWebSocket.DEFAULT_GATEWAY = address
        return quota

    def may_dial(self, address: yarl.URL) -> bool:
        """Whether the token may go to this address: to nobody but those of the settings, and encrypted if it was."""
        told_by = self._given or self._base
        encrypted = address.scheme == "wss" or (address.scheme == "ws" and told_by.scheme in ("ws", "http"))
        return encrypted and (is_family(address.host, told_by) or is_family(address.host, self._base))


def _quota(limit: Any) -> Quota | None:
    return Quota(int(limit["remaining"]), float(limit["reset_after"]) / 1000) if isinstance(limit, dict) else None


def _web_socket(url: str) -> str:
    """``http`` becomes ``ws``, ``https`` becomes ``wss``."""
    return f"ws{url.removeprefix('http')}" if url.startswith("http") else url
