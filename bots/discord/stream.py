"""What comes from Discord's gateway: votes, taps, forms and messages, taken in its order.

A session that is taken up again brings what came while we were away. With each new one the direct messages since our
last cursor are read from the history, and the voters of open polls.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import aiohttp
import discord

from bots.discord import faults, read
from bots.discord.answer import Answers, Asked
from bots.discord.connection import Connection
from bots.discord.gateway import Gateway
from bots.discord.history import History
from bots.discord.intake import MOST_URGENT, Intake
from bots.discord.lanes import Spot
from bots.discord.session import Session, session_of
from core.account import Deliver, Forms
from core.clock import Clock
from core.errors import AccountError, AccountUnavailable
from core.events import Cursor, Reply, Via, Votes

_log = logging.getLogger(__name__)

_AGAIN_S, _LONGEST_PAUSE_S = 0.5, 30.0
_NOT_UP = "the stream from Discord is not up"
_BARRIER_S, _ASK_S, _KEPT_S = 30.0, 10.0, 30.0
_MARK_EVERY_S = 20.0
"""How often it is kept where the stream is, when nothing that comes concerns us."""


class Stream(Connection):
    """What the gateway of one account brings."""

    def __init__(
        self,
        calls: faults.Calls,
        clock: Clock,
        forms: Forms,
        gateway: Gateway,
        identify_every_s: float,
        most_urgent: int = MOST_URGENT,
    ) -> None:
        super().__init__(calls, clock, gateway, identify_every_s)
        self._forms = forms
        self.intake = Intake(calls.account, self._mark, most_urgent=most_urgent)
        self._answers = Answers(self.http, lambda: self.intake.is_away)
        self.history = History(calls, self)
        self.look_back_further: Callable[[], Awaitable[None]] = _nothing_more
        """What else is looked up with each session."""
        self.page_voters: Callable[[Reply], Awaitable[Votes | None]] = _nobody
        """Reads all voters of the poll that this is a vote on."""
        self._up = asyncio.Event()
        self._tell_ready: Callable[[], None] = lambda: None
        self._looking_back: asyncio.Task[None] | None = None
        self._takers: dict[str, Callable[..., None]] = {
            "raw_poll_vote_add": partial(self._vote, withdrawn=False),
            "raw_poll_vote_remove": partial(self._vote, withdrawn=True),
            "message": self._message,
            "raw_message_edit": self._edit,
            "interaction": self._interaction,
            "connect": self._new_session,
            "resumed": self._same_session,
        }

    # The session

    async def run_until_cancelled(
        self, deliver: Deliver, cursors: Mapping[str, str], ready: Callable[[], None]
    ) -> None:
        """Keep a session up and deliver what it brings. Raises ``AccountRefused`` when a person must act."""
        self._tell_ready = ready
        self.history.begin(cursors)
        self.intake.open(deliver)
        self.take_up(session_of(cursors))
        if self.session is not None and self.session.owes:
            self.history.new_session()
        beside = [asyncio.create_task(work()) for work in (self._mark_now_and_then, self._pay)]
        try:
            await self.keep_connected()
        finally:
            self.intake.close()
            for task in (*beside, *((self._looking_back,) if self._looking_back else ())):
                task.cancel()

    def kept(self) -> Spot:
        """Up to where the stream is kept."""
        return self.intake.kept

    async def room(self) -> None:
        """Wait while as much waits to be kept as may."""
        await self.intake.room()

    def _mark(self, spot: Spot) -> Cursor | None:
        return self.mark(spot, owes=self.history.owes)

    async def _mark_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_MARK_EVERY_S)
            self._put_mark()

    def _put_mark(self) -> None:
        self.intake.newest = self.spot
        self.intake.put(())

    async def _pay(self) -> None:
        """Read the voters of polls of which votes were dropped."""
        while True:
            await self.intake.owes.wait()
            try:
                await self.intake.pay(self.page_voters)
            except AccountError as exc:
                _log.warning("%s; reading its voters again", exc)
                await asyncio.sleep(_LONGEST_PAUSE_S / 10)

    async def on_ready(self) -> None:
        self._is_up()

    def _is_up(self) -> None:
        self._up.set()
        tell, self._tell_ready = self._tell_ready, lambda: None
        tell()

    def _new_session(self) -> None:
        session = self.begun()
        self.intake.newest = self.intake.begun = self.spot
        self.history.new_session()
        self._begin_to_look_back(session)
        self._put_mark()

    def _same_session(self) -> None:
        """All that came since is here."""
        assert self.session is not None
        if self._looking_back is None or self._looking_back.done():
            self._begin_to_look_back(self.session)
        self._is_up()

    def _begin_to_look_back(self, session: Session) -> None:
        if self._looking_back:
            self._looking_back.cancel()
        self._looking_back = asyncio.create_task(self._look_back(session))

    async def _look_back(self, session: Session) -> None:
        if self.history.owes:
            await self.history.look_back(self.me, session, self.intake.keep)
            self._put_mark()
        while True:
            try:
                await self.look_back_further()
                return
            except AccountUnavailable as exc:
                await asyncio.sleep(min(max(exc.retry_after_s, _AGAIN_S), _LONGEST_PAUSE_S))
            except AccountError as exc:
                _log.warning("%s", exc)
                return

    # What it brings

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """discord.py would start a task for each event. Ours are taken at once, so their order is the gateway's."""
        take = self._takers.get(event)
        if take is None:
            super().dispatch(event, *args, **kwargs)
        elif self.intake.is_open:
            self.intake.newest = self.spot
            try:
                take(*args)
            except Exception as exc:  # a payload that is not what Discord documents: it alone is set aside
                _log.warning("%s: set aside a malformed %s: %s", self._account, event, type(exc).__name__)

    def _came(self, id: int) -> None:
        assert self.session is not None
        self.session.came(id)

    def _order(self) -> int:
        """The place of what has just come."""
        assert self.session is not None
        return self.session.order_of(self.intake.newest.sequence)

    def order(self, *, final: bool = False) -> int:
        """A place in the order behind all that has come. Raises ``AccountUnavailable`` until the session is kept: it
        would hide what the one before still brings, should another process take that up again. Of a poll that is over
        (``final``) none brings any more: its voters can be read at any time, also when Discord gives us no session."""
        if self.session is None:
            if final:
                return self.orders.last()
            raise AccountUnavailable(self._account, _NOT_UP)
        if self.intake.kept < self.intake.begun and not final:
            raise AccountUnavailable(self._account, "the new session with Discord is not kept yet")
        return self.orders.now(self.session, self.spot.sequence)

    def _vote(self, event: discord.RawPollVoteActionEvent, *, withdrawn: bool) -> None:
        assert self.session is not None
        name = self.session.name_of(self.intake.newest.sequence)
        self.intake.vote(read.vote(event, id=name, withdrawn=withdrawn, at=self._clock.now(), order=self._order()))

    def _message(self, message: discord.Message) -> None:
        self._came(message.id)
        reply = read.message(message, me=self.me, order=self._order())
        if reply is None:
            return
        if reply.place:
            self.intake.put((reply,))
            return
        self.history.met(reply.person, message.channel.id)
        moved = self.history.arrived(message.channel.id, message.id)
        self.intake.put((reply, moved) if moved else (reply,), lambda _: self.history.kept(moved))

    def _edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """A message with other words. The preview of a link, or of what our own post holds, is an update as well."""
        if event.message.edited_at is None:
            return
        reply = read.message(event.message, me=self.me, order=self._order())
        if reply is not None:
            self.intake.put((reply,))

    def _interaction(self, data: Any) -> None:
        self._came(int(data["id"]))
        reply = read.interaction(data, order=self._order())
        if reply is None:
            return
        asked = Asked.of(data)
        if reply.via is Via.TAP and reply.token is not None and (form := self._forms(reply.token)):
            self._answers.open_form(asked, form)
        else:
            self.intake.put((reply,), self._answers.owe(asked))

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
                await self._up.wait()
                while not await self._come_round():
                    _log.debug("%s: asking the gateway again", self._account)
            async with asyncio.timeout(_KEPT_S):
                while self._looking_back and not self._looking_back.done():
                    await asyncio.wait({self._looking_back})
                await self.intake.drained()
        except (TimeoutError, RuntimeError, discord.DiscordException) as exc:
            raise AccountUnavailable(self._account, _NOT_UP) from exc

    async def _come_round(self) -> bool:
        """Ask the gateway for ourselves; ``False`` when a new session has swallowed the question."""
        if not self.guilds:
            return True  # nothing but direct messages, and those are in the history
        try:
            async with asyncio.timeout(_ASK_S):
                found = await self.guilds[0].query_members(user_ids=[self.me], cache=False)
                _heed_cancelling()
        except (aiohttp.ClientError, OSError):  # hung up, or no answer in time
            found = []
        if not found:
            await asyncio.sleep(_AGAIN_S)
        return bool(found)

    async def opened(self, person: str, channel: int, last: int) -> None:
        """Somebody is about to be written to. That their channel is to be read is kept before: they may answer at once,
        when we are no more and no session is. ``last`` is the last message in it. Raises ``AccountUnavailable``."""
        if self.intake.is_open and (started := self.history.started(channel, last)):
            try:
                async with asyncio.timeout(_KEPT_S):
                    await self.intake.keep((started,))
            except TimeoutError as exc:
                raise AccountUnavailable(self._account, "nothing can be kept now, so nobody new is written to") from exc
            self.history.kept(started)
        self.history.met(person, channel)

    def spoke_to(self, person: str, channel: int, message: int) -> None:
        """We wrote to somebody."""
        self.history.met(person, channel)
        if self.intake.is_open and (started := self.history.started(channel, message)):
            self.history.kept(started)
            self.intake.put((started,))


def _heed_cancelling() -> None:
    """discord.py waits with ``asyncio.wait_for``, which before Python 3.12 forgets that we were cancelled where the
    answer came just then. Source: https://github.com/python/cpython/issues/86296"""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _nothing_more() -> None: ...


async def _nobody(_: Reply) -> Votes | None:
    return None
