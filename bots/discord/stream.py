"""What comes from Discord's gateway, in its order: votes, taps, forms and messages, delivered and then answered.

discord.py starts a task per event in the order of the gateway, so that each of our handlers calls ``deliver`` before it
waits for anything else. Sessions live in Discord's memory for minutes only: with each new or resumed one the direct
messages since our last cursor are read from the history.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import aiohttp
import discord

from bots.discord import answer, faults, read
from bots.discord.history import History
from core.account import NOTHING, Answer, Deliver, Forms
from core.clock import Clock
from core.errors import AccountRefused, AccountUnavailable, StoreError
from core.events import Event, Via

_log = logging.getLogger(__name__)

_AGAIN_S = 0.5
_BARRIER_S, _ASK_S, _KEPT_S = 30.0, 10.0, 30.0
_GAP_US = 1_000_000
"""Numbers kept free in the order before each session, for what its history tells us later."""


def intents() -> discord.Intents:
    """What we ask to be told: guilds, messages and polls. Nothing privileged: the text of direct messages and of
    mentions comes without.

    Source: https://docs.discord.com/developers/events/gateway#message-content-intent
    """
    return discord.Intents(guilds=True, guild_messages=True, dm_messages=True, polls=True)


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


class _TooSoonError(Exception):
    """An IDENTIFY now would be one too many."""


class Stream(discord.Client):
    """The gateway of one account, and discord.py's HTTP client that belongs to it."""

    def __init__(self, account: str, clock: Clock, forms: Forms, identify_every_s: float) -> None:
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
        self._account = account
        self._clock = clock
        self._forms = forms
        self.history = History(account, self)
        self.look_back_further: Callable[[], Awaitable[None]] = _nothing_more
        """What else is looked up with each new session."""
        self._identify_every_s = identify_every_s
        self._identified: list[float] = []
        self._deliver: Deliver | None = None
        self._tell_ready: Callable[[], None] = lambda: None
        self._last_order = 0
        self._in_flight: set[asyncio.Future[None]] = set()
        self._looking_back: asyncio.Task[None] | None = None

    # The session

    async def run_until_cancelled(
        self, deliver: Deliver, cursors: Mapping[str, str], ready: Callable[[], None]
    ) -> None:
        """Keep a session up and deliver what it brings. Raises ``AccountRefused`` when a person must act."""
        self._deliver, self._tell_ready = deliver, ready
        self.history.begin(cursors)
        try:
            while True:
                await asyncio.sleep(identify_wait_s(self._identified, time.monotonic(), self._identify_every_s))
                await self._one_connection()
                await asyncio.sleep(_AGAIN_S)
        finally:
            self._deliver = None
            if self._looking_back:
                self._looking_back.cancel()

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
        now = time.monotonic()
        if identify_wait_s(self._identified, now, self._identify_every_s) > 0:
            raise _TooSoonError
        self._identified = [*self._identified[-99:], now]

    async def on_connect(self) -> None:
        self._new_session()

    async def on_resumed(self) -> None:
        self._new_session()

    async def on_ready(self) -> None:
        tell, self._tell_ready = self._tell_ready, lambda: None
        tell()

    def _new_session(self) -> None:
        self.history.new_session()
        if self._looking_back:
            self._looking_back.cancel()
        self._looking_back = asyncio.create_task(self._look_back(count(self._order_after(_GAP_US) - _GAP_US)))

    async def _look_back(self, orders: Iterator[int]) -> None:
        await self.history.look_back(self.me, orders, self.keep)
        await self.look_back_further()

    # What it brings

    async def on_raw_poll_vote_add(self, event: discord.RawPollVoteActionEvent) -> None:
        await self.keep((read.vote(event, withdrawn=False, at=self._clock.now(), order=self.order()),))

    async def on_raw_poll_vote_remove(self, event: discord.RawPollVoteActionEvent) -> None:
        await self.keep((read.vote(event, withdrawn=True, at=self._clock.now(), order=self.order()),))

    async def on_message(self, message: discord.Message) -> None:
        reply = read.message(message, me=self.me, order=self.order())
        if reply is None:
            return
        if reply.place:
            await self.keep((reply,))
            return
        self.history.met(reply.person, message.channel.id)
        moved = self.history.arrived(message.channel.id, message.id)
        await self.keep((reply, moved) if moved else (reply,))
        self.history.kept(moved)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        reply = read.interaction(interaction, order=self.order())
        if reply is None:
            return
        if reply.via is Via.TAP and reply.token is not None and (form := self._forms(reply.token)):
            await answer.open_form(interaction, form)
            return
        async with answer.in_time(interaction) as respond:
            answers = await self.keep((reply,))
            await respond(answers[0])

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        _log.exception("%s: an event was not understood (%s)", self._account, event_method)

    async def keep(self, events: Sequence[Event]) -> Sequence[Answer]:
        """Deliver, again and again while the store is out of order: Discord cannot be told to wait."""
        kept = self.loop.create_future()
        self._in_flight.add(kept)
        pause_s = 0.5
        try:
            while self._deliver is not None:
                try:
                    return await self._deliver(events)
                except StoreError as exc:
                    _log.warning("%s: not kept, trying again in %.0f s: %s", self._account, pause_s, exc)
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, 30.0)
            return [NOTHING] * len(events)
        finally:
            self._in_flight.discard(kept)
            kept.set_result(None)

    def order(self) -> int:
        """The next number in the order of arrival: µs of wall time, always larger than the last."""
        return self._order_after(1)

    def _order_after(self, numbers: int) -> int:
        self._last_order = max(self._last_order + numbers, int(self._clock.wall() * 1e6))
        return self._last_order

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
                if self._in_flight:
                    await asyncio.wait(set(self._in_flight))
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

    async def spoke_to(self, person: str, channel: int, message: int) -> None:
        """We wrote to somebody."""
        self.history.met(person, channel)
        if self._deliver is not None and (started := self.history.started(channel, message)):
            self.history.kept(started)
            await self.keep((started,))


async def _nothing_more() -> None: ...
