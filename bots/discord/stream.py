"""What comes from Discord's gateway: votes, taps, forms and messages, taken in its order.

Sessions live in Discord's memory for minutes only: with each new or resumed one the direct messages since our last
cursor are read from the history, and a stream that broke is started again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from itertools import count
from typing import Any

import aiohttp
import discord

from bots.discord import faults, read
from bots.discord.answer import Answers
from bots.discord.gateway import Gateway, identify_wait_s
from bots.discord.history import History
from bots.discord.intake import Intake
from core.account import Deliver, Forms
from core.clock import Clock
from core.errors import AccountRefused, AccountUnavailable
from core.events import Via

_log = logging.getLogger(__name__)

_AGAIN_S = 0.5
_LONGEST_PAUSE_S, _QUOTA_PAUSE_S = 30.0, 600.0
_BARRIER_S, _ASK_S, _KEPT_S = 30.0, 10.0, 30.0
_GAP_US = 1_000_000
"""Numbers kept free in the order before each session, for what its history tells us later."""


def intents() -> discord.Intents:
    """What we ask to be told: guilds, messages and polls. Nothing privileged: the text of direct messages and of
    mentions comes without.

    Source: https://docs.discord.com/developers/events/gateway#message-content-intent
    """
    return discord.Intents(guilds=True, guild_messages=True, dm_messages=True, polls=True)


class _TooSoonError(Exception):
    """An IDENTIFY now would be one too many."""


class Stream(discord.Client):
    """The gateway of one account, and discord.py's HTTP client that belongs to it."""

    def __init__(
        self, calls: faults.Calls, clock: Clock, forms: Forms, gateway: Gateway, identify_every_s: float
    ) -> None:
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
        self._account = account = calls.account
        self._gateway = gateway
        self._clock = clock
        self._forms = forms
        self._answers = Answers()
        self.intake = Intake(account, clock)
        self.history = History(calls, self)
        self.look_back_further: Callable[[], Awaitable[None]] = _nothing_more
        """What else is looked up with each new session."""
        self._identify_every_s = identify_every_s
        self._tell_ready: Callable[[], None] = lambda: None
        self._looking_back: asyncio.Task[None] | None = None
        self._takers: dict[str, Callable[..., None]] = {
            "raw_poll_vote_add": partial(self._vote, withdrawn=False),
            "raw_poll_vote_remove": partial(self._vote, withdrawn=True),
            "message": self._message,
            "interaction": self._interaction,
            "connect": self._begun,
            "resumed": self._new_session,
        }

    # The session

    async def run_until_cancelled(
        self, deliver: Deliver, cursors: Mapping[str, str], ready: Callable[[], None]
    ) -> None:
        """Keep a session up and deliver what it brings. Raises ``AccountRefused`` when a person must act."""
        self._tell_ready = ready
        self.history.begin(cursors)
        self.intake.open(deliver)
        try:
            while True:
                await asyncio.sleep(self._wait_s())
                await self._until_allowed()
                await self._one_connection()
                await asyncio.sleep(_AGAIN_S)
        finally:
            self.intake.close()
            if self._looking_back:
                self._looking_back.cancel()

    def _wait_s(self) -> float:
        return identify_wait_s(self._gateway.identified, time.monotonic(), self._identify_every_s)

    async def _until_allowed(self) -> None:
        """Until we know where the gateway is and that it takes another session today. Raises ``AccountRefused``."""
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

    async def _one_connection(self) -> None:
        """Until it breaks for a reason that discord.py does not mend itself, such as a malformed payload."""
        try:
            await self.connect()
            raise AccountUnavailable(self._account, "the connection to Discord was closed from our side")
        except discord.ConnectionClosed as exc:  # only the codes after which Discord forbids to come back
            raise AccountRefused(self._account, f"Discord's gateway refuses the bot (close code {exc.code})") from exc
        except (discord.PrivilegedIntentsRequired, discord.LoginFailure) as exc:
            raise AccountRefused(self._account, "Discord's gateway refuses the bot") from exc
        except AccountUnavailable:
            raise
        except _TooSoonError:
            _log.warning("%s: Discord ends our sessions again and again; waiting", self._account)
        except Exception as exc:  # whatever a payload did to discord.py: come back with a new session
            _log.warning("%s: the stream broke (%s), starting again", self._account, type(exc).__name__)
        finally:
            await self._hang_up()

    async def _hang_up(self) -> None:
        if self.ws is not None and self.ws.open:
            try:
                async with asyncio.timeout(2.0):
                    await self.ws.close(code=1000)
            except (TimeoutError, OSError, RuntimeError):
                _log.debug("%s: the connection did not close in order", self._account)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if not initial:  # the session was taken from us while discord.py was connected
            await asyncio.sleep(self._identify_every_s)
        if self._wait_s() > 0:
            raise _TooSoonError
        self._gateway.identifies(time.monotonic())

    async def on_ready(self) -> None:
        tell, self._tell_ready = self._tell_ready, lambda: None
        tell()

    def _begun(self) -> None:
        if not self._gateway.may_dial(self.ws.gateway):
            _log.warning(
                "%s: not coming back to %s, which the settings do not name", self._account, self.ws.gateway.host
            )
            self.ws.gateway = self.ws.DEFAULT_GATEWAY
        self._new_session()

    def _new_session(self) -> None:
        self.history.new_session()
        if self._looking_back:
            self._looking_back.cancel()
        self._looking_back = asyncio.create_task(self._look_back(count(self.intake.order(_GAP_US) - _GAP_US + 1)))

    async def _look_back(self, orders: Iterator[int]) -> None:
        await self.history.look_back(self.me, orders, self.intake.keep)
        await self.look_back_further()

    # What it brings

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """discord.py would start a task for each event. Ours are taken at once, so their order is the gateway's."""
        take = self._takers.get(event)
        if take is None:
            super().dispatch(event, *args, **kwargs)
        elif self.intake.is_open:
            try:
                take(*args)
            except Exception:
                _log.exception("%s: an event was not understood (%s)", self._account, event)

    def _vote(self, event: discord.RawPollVoteActionEvent, *, withdrawn: bool) -> None:
        self.intake.put((read.vote(event, withdrawn=withdrawn, at=self._clock.now(), order=self.intake.order()),))

    def _message(self, message: discord.Message) -> None:
        reply = read.message(message, me=self.me, order=self.intake.order())
        if reply is None:
            return
        if reply.place:
            self.intake.put((reply,))
            return
        self.history.met(reply.person, message.channel.id)
        moved = self.history.arrived(message.channel.id, message.id)
        self.intake.put((reply, moved) if moved else (reply,), lambda _: self.history.kept(moved))

    def _interaction(self, interaction: discord.Interaction) -> None:
        reply = read.interaction(interaction, order=self.intake.order())
        if reply is None:
            return
        if reply.via is Via.TAP and reply.token is not None and (form := self._forms(reply.token)):
            self._answers.open_form(interaction, form)
        else:
            self.intake.put((reply,), self._answers.owe(interaction))

    # What it brought while we were away

    @property
    def me(self) -> int:
        """Our own id; known once signed in."""
        assert self.user is not None
        return self.user.id

    async def wait_until_even(self) -> None:
        """Until all that had reached Discord is delivered: what was said while we were away, then the stream up to now,
        as told by an answer that the gateway sends in order behind it. Raises ``AccountUnavailable``."""
        try:
            async with asyncio.timeout(_BARRIER_S):
                await self.wait_until_ready()
                while not await self._come_round():
                    _log.info("%s: asking the gateway again", self._account)
            async with asyncio.timeout(_KEPT_S):
                while self._looking_back and not self._looking_back.done():
                    await asyncio.wait({self._looking_back})
                await self.intake.drained()
        except (TimeoutError, RuntimeError, discord.DiscordException) as exc:
            raise AccountUnavailable(self._account, "the stream from Discord is not up") from exc

    async def _come_round(self) -> bool:
        """Ask the gateway for ourselves; ``False`` when a new session has swallowed the question."""
        if not self.guilds:
            return True  # nothing but direct messages, and those are in the history
        try:
            found = await asyncio.wait_for(self.guilds[0].query_members(user_ids=[self.me], cache=False), _ASK_S)
        except (aiohttp.ClientError, OSError):  # hung up, or no answer in time
            found = []
        if not found:
            await asyncio.sleep(_AGAIN_S)
        return bool(found)

    def spoke_to(self, person: str, channel: int, message: int) -> None:
        """We wrote to somebody."""
        self.history.met(person, channel)
        if self.intake.is_open and (started := self.history.started(channel, message)):
            self.history.kept(started)
            self.intake.put((started,))


async def _nothing_more() -> None: ...
