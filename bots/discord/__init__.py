"""Discord: one bot account over discord.py's ``Client``, as ``core.account.Account``.

``gateway`` says where to connect, ``connection`` keeps a ``session`` there, ``stream`` takes what it brings, ``intake``
and its ``lanes`` are the way from there to ``deliver``, ``history`` has the direct messages that came while we were
away; ``read`` turns all of it into events. ``render`` turns
what we say into Discord's terms, ``answer`` answers taps and forms, ``send`` makes the REST calls, ``look`` finds what
was said although no answer came, ``pace`` spaces the calls, ``faults`` says what their failures mean.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

with warnings.catch_warnings():  # discord.py imports audioop, which Python 3.11 and 3.12 call deprecated
    warnings.simplefilter("ignore", DeprecationWarning)
    import discord

from bots.discord import faults, read, render
from bots.discord.gateway import Gateway
from bots.discord.intake import MOST_URGENT
from bots.discord.send import Sender
from bots.discord.stream import Stream
from core.account import Address, Begin, Deliver, Forms, Limits, Look, Place, PlaceKind, Poll, Receipt, Standing
from core.clock import Clock
from core.errors import AccountError, AccountRefused
from core.events import Reply, Votes
from core.message import Message

__all__ = ["DiscordAccount"]

_GROUP = Limits(
    post_chars=render.POST_CHARS,
    poll_options=render.POLL_OPTIONS,
    option_chars=render.OPTION_CHARS,
    question_chars=render.QUESTION_CHARS,
    poll_shortest=timedelta(hours=1),
    poll_longest=timedelta(hours=render.LONGEST_POLL_H),
    poll_names_voters=True,
    buttons=render.BUTTONS,
    private_answers=True,
    tap_opens_direct=True,
    toast_chars=200,
    looks=True,
    edits=True,
    caption_chars=render.POST_CHARS,
)
_DIRECT = Limits(
    post_chars=render.POST_CHARS,
    buttons=render.BUTTONS,
    private_answers=True,
    toast_chars=200,
    looks=True,
    edits=True,
)
_NEWS = replace(_DIRECT, caption_chars=render.POST_CHARS)
"""An announcement channel takes no polls (520002, invalid channel type for a poll)."""


class DiscordAccount:
    """One bot account on Discord. ``base_url`` and ``gateway_url`` hold for the whole process, as discord.py keeps them
    in its classes: a second account with others is refused."""

    def __init__(
        self,
        name: str,
        token: str,
        *,
        base_url: str = "https://discord.com/api/v10",
        gateway_url: str = "",
        clock: Clock,
        forms: Forms,
        identify_every_s: float = 5.0,
        call_s: float = faults.CALL_S,
        most_urgent: int = MOST_URGENT,
    ) -> None:
        """``gateway_url``: without it, the host at ``base_url`` is asked. ``identify_every_s``: Discord's own pace for
        new sessions. ``call_s``: the longest that a call may take. ``most_urgent``: so many taps and messages may wait
        to be kept."""
        logger = logging.getLogger("discord")
        logger.setLevel(max(logger.level, logging.WARNING))
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # we never speak
        self._name = name
        self._token = token
        self._clock = clock
        self._calls = faults.Calls(name, call_s)
        self._gateway = Gateway(name, token, base_url, gateway_url)
        self._stream = Stream(self._calls, clock, forms, self._gateway, identify_every_s, most_urgent)
        self._stream.look_back_further = self._look_back_at_polls
        self._stream.page_voters = self._voters_of
        self._sender = Sender(self._calls, self._stream, clock)
        self._open_polls: dict[str, Receipt] = {}
        self._channels: set[str] = set()

    @property
    def name(self) -> str:
        """The account's name in ``settings.toml``."""
        return self._name

    async def __aenter__(self) -> DiscordAccount:
        """Sign in. Raises ``AccountRefused`` for a wrong token, ``AccountUnavailable``."""
        self._gateway.sign_in()
        try:
            async with self._calls.bounded():
                await self._stream.login(self._token)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._stream.close()
        finally:
            self._gateway.sign_out()

    async def place(self, id: str) -> Place:
        """``direct``, or a text or announcement channel by its id.

        Raises ``AccountRefused`` with the mend when we cannot post there, ``AccountUnavailable``.
        """
        if id == "direct":
            return Place(id=id, kind=PlaceKind.DIRECT, limits=_DIRECT)
        if not id.isdecimal():
            raise AccountRefused(self._name, f"{id!r} is no channel id; copy it with Discord's developer mode")
        async with self._calls.bounded():
            channel = await self._stream.fetch_channel(int(id))
            if not isinstance(channel, discord.TextChannel):
                raise AccountRefused(self._name, f"channel {id} is no text channel; name one in settings.toml")
        self._channels.add(id)
        allowed = await self._rights(channel)
        if missing := [
            name
            for name, given in (("View Channel", allowed.view_channel), ("Send Messages", allowed.send_messages))
            if not given
        ]:
            raise AccountRefused(self._name, f"channel {id}: give the bot's role {', '.join(missing)} there")
        if not (allowed.create_public_threads and allowed.send_messages_in_threads):
            self._sender.threadless.add(id)
        else:
            self._sender.threadless.discard(id)
        kind, limits = (PlaceKind.BROADCAST, _NEWS) if channel.is_news() else (PlaceKind.GROUP, _GROUP)
        if not allowed.send_polls:
            limits = replace(limits, poll_options=0)
        if not (allowed.attach_files and allowed.embed_links):
            limits = replace(limits, caption_chars=0)
        return Place(id=id, kind=kind, limits=limits, title=channel.name)

    async def _rights(self, channel: discord.TextChannel) -> discord.Permissions:
        """What we may do in a channel; everything where Discord does not tell, as sending will show."""
        try:
            async with self._calls.bounded():
                guild = await self._stream.fetch_guild(channel.guild.id, with_counts=False)
                me = await guild.fetch_member(self._stream.me)
                return (await guild.fetch_channel(channel.id)).permissions_for(me)
        except AccountError:
            return discord.Permissions.all()

    async def offer(self, place: Place, commands: Sequence[tuple[str, str]], *, to_all: bool) -> None:
        """See ``Account.offer``. Discord shows them in the whole guild; where they are used, and by whom, is seen
        to when they are.

        Source: https://docs.discord.com/developers/interactions/application-commands#bulk-overwrite-guild-application-commands
        """
        payload = [
            {
                "type": 1,
                "name": command,
                "description": about,
                "default_member_permissions": None if to_all else discord.Permissions(manage_guild=True).value,
                "contexts": [0],
                "options": [{"type": 3, "name": "what", "description": about, "required": False}],
            }
            for command, about in commands
        ]
        async with self._calls.bounded():
            channel = await self._stream.fetch_channel(int(place.id))
            if isinstance(channel, discord.TextChannel) and self._stream.application_id is not None:
                guild, application = channel.guild.id, self._stream.application_id
                await self._stream.http.bulk_upsert_guild_commands(application, guild, payload)

    async def standing(self, place: Place, person: str) -> Standing:
        """What a person is in a channel's guild now. Who has left it is nothing. Raises ``AccountUnavailable``."""
        if not person.isdecimal():
            return Standing()
        async with self._calls.bounded():
            try:
                channel = await self._stream.fetch_channel(int(place.id))
                if not isinstance(channel, discord.TextChannel):
                    return Standing()
                guild = await self._stream.fetch_guild(channel.guild.id, with_counts=False)
                member = await guild.fetch_member(int(person))
            except discord.NotFound:
                return Standing()
        rights = member.guild_permissions
        roles = frozenset(str(role.id) for role in member.roles)
        return Standing(admin=rights.administrator or rights.manage_guild, roles=roles)

    async def listen(self, deliver: Deliver, cursors: Mapping[str, str], ready: Callable[[], None]) -> None:
        """Bring votes, taps, forms and messages until cancelled; see ``core.account.Account``."""
        await self._stream.run_until_cancelled(deliver, cursors, ready)

    async def poll(self, place: Place, poll: Poll, key: str, *, begin: Begin) -> Receipt:
        """Post a poll that names its voters."""
        receipt = await self._sender.poll(place, poll, key, begin)
        self._open_polls[receipt.message] = receipt
        return receipt

    async def say(
        self,
        to: Address,
        message: Message,
        key: str,
        *,
        under: Receipt | None = None,
        not_after: datetime | None = None,
        begin: Begin,
    ) -> Receipt:
        """Post a message, in a channel, in the thread of a message there (``under``) or to one person."""
        return await self._sender.say(to, message, key, begin, not_after, under)

    async def edit(self, said: Receipt, message: Message) -> None:
        """Put another message in the place of one of ours."""
        await self._sender.edit(said, message, direct=said.place not in self._channels)

    async def look(
        self,
        to: Address,
        body: Message | Poll,
        key: str,
        since: datetime,
        *,
        under: Receipt | None = None,
        others: Collection[str] = (),
    ) -> Receipt | Look:
        """Whether this was said after all; see ``core.account.Account``."""
        found = await self._sender.look(to, body, key, since, under, others)
        if isinstance(found, Receipt) and isinstance(body, Poll):
            self._open_polls[found.message] = found
        return found

    async def close(self, poll: Receipt) -> Votes | None:
        """End a poll and return all its voters; ``None`` when its message is gone."""
        votes = await self._votes(poll, final=True) if await self._sender.end_poll(poll) else None
        self._open_polls.pop(poll.message, None)
        return votes

    async def catch_up(self, polls: Sequence[Receipt], deliver: Deliver) -> None:
        """Deliver all that has reached Discord up to now, then the voters of ``polls``."""
        self._open_polls.update((poll.message, poll) for poll in polls)
        await self._stream.wait_until_even()
        for poll in polls:
            if votes := await self._votes(poll):
                await deliver((votes,))

    async def _look_back_at_polls(self) -> None:
        for poll in list(self._open_polls.values()):
            if votes := await self._votes(poll):
                await self._stream.intake.keep((votes,))

    async def _voters_of(self, vote: Reply) -> Votes | None:
        message = read.message_of(vote)
        known = Receipt(place=vote.place, message=message, refs=(read.ref(message),), sent_at=vote.at)
        return await self._votes(known)

    async def _votes(self, poll: Receipt, *, final: bool = False) -> Votes | None:
        # The place in the order is taken before the first page: whatever the stream brings from now on is later.
        order, as_of = self._stream.order(final=final), self._clock.now()
        voters = await self._sender.voters(poll)
        if voters is None:
            self._open_polls.pop(poll.message, None)
            return None
        return Votes(ref=poll.refs[0], votes=voters, as_of=as_of, order=order, final=final)
