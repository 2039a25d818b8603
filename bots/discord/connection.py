"""The connection to Discord's gateway: kept up, taken up again where it broke, and begun anew as seldom as can be.

discord.py reads the stream; when to come back, with which session, and to whom, is decided here, because a session must
outlive our process. Source: https://docs.discord.com/developers/events/gateway#connections
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import aiohttp
import discord
import yarl
from discord.gateway import ReconnectWebSocket

from bots.discord import faults
from bots.discord.gateway import Gateway, identify_wait_s
from bots.discord.lanes import Spot
from bots.discord.session import Orders, Session, Socket
from core.clock import Clock
from core.errors import AccountRefused, AccountUnavailable
from core.events import Cursor

_log = logging.getLogger(__name__)

_DIAL_S = 30.0
_AGAIN_S = 0.5
_LONGEST_PAUSE_S, _QUOTA_PAUSE_S = 30.0, 600.0
_STEADY_S = 30.0
"""A connection that lasted so long was a good one: the next is made at once."""
_SESSION_OVER = (4007, 4009)
"""Close codes after which the session cannot be taken up again, though another may be begun.
Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes"""


def intents() -> discord.Intents:
    """What we ask to be told: guilds, messages and polls. Nothing privileged: the text of direct messages and of
    mentions comes without.

    Source: https://docs.discord.com/developers/events/gateway#message-content-intent
    """
    return discord.Intents(guilds=True, guild_messages=True, dm_messages=True, polls=True)


class Connection(discord.Client, ABC):
    """One bot's line to the gateway, and discord.py's HTTP client that belongs to it."""

    def __init__(self, calls: faults.Calls, clock: Clock, gateway: Gateway, identify_every_s: float) -> None:
        super().__init__(
            intents=intents(),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,  # a vote would cost a search of the cache
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=0.1,
            max_ratelimit_timeout=faults.CALL_S,
            http_trace=faults.trace(),
        )
        self._calls = calls
        self._account = calls.account
        self._clock = clock
        self._gateway = gateway
        self._identify_every_s = identify_every_s
        self.orders = Orders(clock)
        self.session: Session | None = None
        self._line: Socket | None = None
        """The connection, of those made since this session was taken up or begun."""
        self._number = 0
        """How many sessions we have had in this process."""
        self._sequence = 0
        """The last event of the session that came."""
        self._broke_at: int | None = None
        self._connection.parsers["INTERACTION_CREATE"] = self._interaction_came

    def _interaction_came(self, data: Any) -> None:
        """discord.py would make an object of the message that is tapped, its channel and each button, most of what a
        tap costs. We read what was sent."""
        self.dispatch("interaction", data)

    @property
    def spot(self) -> Spot:
        """Where the stream is."""
        if self.session is not None and self._line is not None and self._line.session_id == self.session.id:
            self._sequence = self._line.sequence or self._sequence
        return Spot(self._number, self._sequence)

    @abstractmethod
    def kept(self) -> Spot:
        """Up to where the stream is kept."""

    @abstractmethod
    async def room(self) -> None:
        """Wait while no more can be taken."""

    def take_up(self, session: Session | None) -> None:
        """Go on with a session that was kept, should Discord still have it."""
        self._number += 1
        self.session, self._sequence = None, 0
        self._line = None  # an earlier one of this process has seen what is not kept
        if session is None:
            return
        self.orders.reached(session.order_of(session.sequence + 1))
        if session.lives(self._clock.wall()) and self._gateway.may_dial(yarl.URL(session.gateway)):
            self.session, self._sequence = session, session.sequence
            if session.guild and not self.guilds:  # discord.py learns of servers from READY alone: this is how it does
                self._connection._add_guild_from_data({"id": str(session.guild), "unavailable": True})  # type: ignore[typeddict-item]

    def begun(self) -> Session:
        """A new session has begun."""
        if not self._gateway.may_dial(self.ws.gateway):
            _log.warning(
                "%s: not coming back to %s, which the settings do not name", self._account, self.ws.gateway.host
            )
            self.ws.gateway = self.ws.DEFAULT_GATEWAY
        self._number += 1
        guild = self.guilds[0].id if self.guilds else 0
        base, now = self.orders.base(), self._clock.wall()
        self.session = Session(str(self.ws.session_id), str(self.ws.gateway), base, guild=guild, seen_at=now)
        return self.session

    def mark(self, spot: Spot, *, owes: bool) -> Cursor | None:
        """The cursor that says that the session is kept up to there."""
        session = self.session
        if session is None or spot.session != self._number or not spot.sequence:
            return None
        session.guild = self.guilds[0].id if self.guilds else 0
        session.seen_at = self._clock.wall()
        return replace(session, sequence=spot.sequence, owes=owes).cursor

    async def keep_connected(self) -> None:
        """One connection after the other. Raises ``AccountRefused`` when a person must act, ``AccountUnavailable``."""
        in_vain = 0
        while True:
            if self.session is None or not self.session.lives(self._clock.wall()):
                self._let_go()
                await self._until_allowed()
            began = time.monotonic()
            came = await self._one_connection()
            in_vain = 0 if came or time.monotonic() - began > _STEADY_S else in_vain + 1
            if in_vain:
                await asyncio.sleep(min(_AGAIN_S * 2 ** (in_vain - 1), _LONGEST_PAUSE_S))

    async def _until_allowed(self) -> None:
        """Until we know where the gateway is and that it takes another session today. Raises ``AccountRefused``."""
        if (wait_s := identify_wait_s(self._gateway.identified, time.monotonic(), self._identify_every_s)) > 0:
            if wait_s > self._identify_every_s:
                _log.warning("%s: Discord ends our sessions again and again; waiting", self._account)
            await asyncio.sleep(wait_s)
        while True:
            try:
                quota = await self._gateway.ask(self._calls, self.http)
            except AccountUnavailable as exc:
                _log.warning("%s; asking again", exc)
                await asyncio.sleep(min(max(exc.retry_after_s, _AGAIN_S), _LONGEST_PAUSE_S))
                continue
            if quota is None or not quota.wait_s:
                return
            _log.error(
                "%s: %d sessions are left of today's; waiting %.0f s for new ones",
                self._account, quota.remaining, quota.wait_s,
            )  # fmt: skip
            await asyncio.sleep(min(quota.wait_s, _QUOTA_PAUSE_S))

    async def _one_connection(self) -> bool:
        """Until it breaks. Whether anything came."""
        before = self.spot
        try:
            await self._dial()
            while True:
                await self.room()
                await self.ws.poll_event()
                await asyncio.sleep(0)  # it does not wait while there is more: answers to what came would come too late
                if self.session is not None:
                    self.session.seen_at = self._clock.wall()
        except ReconnectWebSocket as exc:
            if not exc.resume or self.ws.socket.close_code in _SESSION_OVER:
                await self._over()
        except discord.ConnectionClosed as exc:  # only the codes after which Discord forbids to come back
            raise AccountRefused(self._account, f"Discord's gateway refuses the bot (close code {exc.code})") from exc
        except (aiohttp.ClientError, OSError) as exc:  # a timeout among them
            _log.warning("%s: the gateway cannot be reached (%s)", self._account, type(exc).__name__)
            if self.session is not None:  # its own address may be gone
                self.session.gateway = str(Socket.DEFAULT_GATEWAY)
        except Exception as exc:  # whatever a payload did to discord.py
            _log.warning("%s: the stream broke (%s), starting again", self._account, type(exc).__name__)
            if self._broke_at == self.spot.sequence:  # at the same place as before: go on without what is there
                self._let_go()
            self._broke_at = self.spot.sequence
        finally:
            await self._hang_up()
        return self.spot != before

    async def _dial(self) -> None:
        session = self.session
        async with asyncio.timeout(_DIAL_S):
            socket = await Socket.from_client(
                self,
                initial=True,
                gateway=yarl.URL(session.gateway) if session else None,
                session=session.id if session else None,
                sequence=self._sequence if session else None,
                resume=session is not None,
            )
        socket.kept, socket.came = self.kept, lambda: self.spot
        socket.before = session.sequence if session else 0
        self.ws = self._line = socket

    async def _over(self) -> None:
        """Discord has taken the session from us, and wants some seconds until the next one is asked for."""
        self._let_go()
        await asyncio.sleep(random.uniform(0.2, 1.0) * self._identify_every_s)

    def _let_go(self) -> None:
        """The session is over; its places in the order stay taken."""
        if self.session is not None:
            self.orders.reached(self.session.order_of(self.spot.sequence + 1))
            self.session = None

    async def _hang_up(self) -> None:
        """Let go of the line, not of the session: it is taken up again. (With 1000 Discord would end it.)"""
        if self.ws is None:
            return
        try:
            async with asyncio.timeout(2.0):
                await self.ws.close(code=4000)
        except (TimeoutError, OSError, RuntimeError):
            _log.debug("%s: the connection did not close in order", self._account)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Called by discord.py right before it asks for a new session."""
        self._gateway.identifies(time.monotonic())
