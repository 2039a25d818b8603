"""What we do on Discord: post, ask, edit, look for what was posted, close, and read the voters of a poll."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import time
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import aiohttp
import discord
from discord.http import MultipartParameters, handle_message_parameters

from bots.discord import faults, read, render
from bots.discord.look import Said, Sought, look
from bots.discord.stream import Stream
from core.account import Address, Begin, Direct, Look, Place, Poll, Receipt
from core.clock import Clock
from core.errors import AccountRefused, AccountUnavailable, ContentRefused, PersonUnreachable, TooLate
from core.message import Message
from core.png import drawn

_PAGE = 100
"""Most voters in one answer. Source: https://docs.discord.com/developers/resources/poll#get-answer-voters"""
_FINAL_S = 5.0
"""How long we wait for Discord to finish its own count after a poll has ended; later it is asked again."""
_LOOK_S = 0.2
_ARCHIVED_AFTER_MIN: Final = 10_080
"""A week. Source: https://docs.discord.com/developers/resources/channel#thread-metadata-object"""

log = logging.getLogger(__name__)


def nonce(key: str) -> str:
    """25 characters that name a message for ever. With ``enforce_nonce`` Discord answers a second try within a few
    minutes with the first message. Source: https://docs.discord.com/developers/resources/message#create-message"""
    return hashlib.sha256(key.encode()).hexdigest()[:25]


class Sender:
    """Speaks for one account through the HTTP client of discord.py, which keeps Discord's rate limits."""

    def __init__(self, calls: faults.Calls, stream: Stream, clock: Clock) -> None:
        self._calls = calls
        self._account = calls.account
        self._stream = stream
        self._clock = clock
        self._said = Said()
        self._plain: set[str] = set()
        """Keys of what Discord took neither with a picture nor in a thread."""
        self.threadless: set[str] = set()
        """Channels where we may not make threads, or not write in them."""
        self._opening = asyncio.Lock()
        self._closed_until = 0.0

    async def say(
        self,
        to: Address,
        message: Message,
        key: str,
        begin: Begin,
        not_after: datetime | None = None,
        under: Receipt | None = None,
    ) -> Receipt:
        """Post a message, with its picture; in the thread of the message ``under`` which it belongs. What Discord does
        not take with a picture, or not in a thread, is said the next time without."""
        plain = key in self._plain
        fields = await self._fields(message if not plain else replace(message, picture=None))
        if under is not None and not plain:
            channel = await self._thread(under, message)
        else:
            channel = await self._direct(to.person) if isinstance(to, Direct) else int(to.id)
        try:
            with self._parameters(message, nonce=nonce(key), **fields) as params:
                data = await self._post(to, channel, params, begin, not_after)
        except (AccountRefused, ContentRefused) as refused:
            if plain or (message.picture is None and under is None):
                raise
            self._plain.add(key)
            raise AccountUnavailable(self._account, f"to be said plainly: {refused}", 0.0) from None
        return self._known(to, channel, data, key)

    async def _fields(self, message: Message) -> dict[str, Any]:
        """What discord.py is to send. A picture stands in an embed below the first line."""
        fields: dict[str, Any] = {}
        if message.buttons:
            fields["view"] = render.view(message.buttons, self._account)
        if message.picture is None:
            return {"content": render.content(message, self._account), **fields}
        picture = await drawn(message.picture.svg)
        if picture is None:
            return {"content": render.content(message, self._account), **fields}
        fields["file"] = discord.File(io.BytesIO(picture), render.PICTURE, description=message.picture.words[:1024])
        fields["embed"] = render.embed(message, self._account)
        return {"content": render.content(Message(message.parts[:1]), self._account), **fields}

    async def _thread(self, under: Receipt, message: Message) -> int:
        """The thread of a message of ours: made, or the one that is there; the channel itself where there may be none.

        Source: https://docs.discord.com/developers/resources/channel#start-thread-from-message (its id is that of the
        message)
        """
        channel, its = int(under.place), int(under.message)
        if under.place in self.threadless:
            return channel
        try:
            async with self._calls.bounded():
                try:
                    await self._stream.http.start_thread_with_message(
                        channel, its, name=render.thread_name(message), auto_archive_duration=_ARCHIVED_AFTER_MIN
                    )
                except discord.HTTPException as exc:
                    if exc.code != faults.HAS_A_THREAD:
                        raise
        except (AccountRefused, ContentRefused, PersonUnreachable) as refused:
            log.warning("%s: no thread can be made in %s: %s", self._account, channel, refused)
            return channel
        return its

    async def poll(self, place: Place, poll: Poll, key: str, begin: Begin) -> Receipt:
        """Post a poll."""
        rendered = render.poll(poll, self._clock.now(), self._account)
        with self._parameters(nonce=nonce(key), poll=rendered) as params:
            assert params.payload is not None
            params.payload["poll"]["duration"] = int(params.payload["poll"]["duration"])  # discord.py makes it 24.0
            data = await self._post(place, int(place.id), params, begin)
        return self._known(place, int(place.id), data, key)

    def _parameters(self, message: Message | None = None, **fields: Any) -> MultipartParameters:
        told = render.mentioned(message) if message is not None else discord.AllowedMentions.none()
        return handle_message_parameters(allowed_mentions=told, **fields)

    async def _post(
        self,
        to: Address,
        channel: int,
        params: MultipartParameters,
        begin: Begin,
        not_after: datetime | None = None,
    ) -> Any:
        direct = isinstance(to, Direct)

        async def begin_in_time() -> None:
            if self._clock.passed(not_after):
                raise TooLate(self._account, "its time passed while it waited for Discord's limits")
            await begin()

        async with self._calls.bounded(begin=begin_in_time, direct=direct, share=2 / 3 if direct else 1.0):
            try:
                return _whole(await self._stream.http.send_message(channel, params=params))
            except aiohttp.ClientConnectionError:
                if not faults.in_doubt():
                    raise
                # The connection was lost after the request: by its nonce Discord knows whether it has it already.
                for file in params.files or ():
                    file.reset()
                return _whole(await self._stream.http.send_message(channel, params=params))

    def _known(self, to: Address, channel: int, data: Any, key: str) -> Receipt:
        """The receipt of a message that Discord shows us."""
        self._said.add(int(data["id"]), nonce(key))
        if isinstance(to, Direct):
            self._stream.spoke_to(to.person, channel, int(data["id"]))
        return Receipt(
            place=to.person if isinstance(to, Direct) else to.id,
            message=str(data["id"]),
            refs=(read.ref(data["id"]),),
            sent_at=datetime.fromisoformat(data["timestamp"]),
        )

    async def look(
        self,
        to: Address,
        body: Message | Poll,
        key: str,
        since: datetime,
        under: Receipt | None = None,
        others: Collection[str] = (),
    ) -> Receipt | Look:
        """Look for what ``say`` or ``poll`` may have left there."""
        direct = isinstance(to, Direct)
        sought = Sought(body, nonce(key), self._stream.me, since, self._clock.speed, frozenset(others))
        try:
            if under is not None:
                found = await self._look_in_thread(sought, int(under.message))
                if found is not Look.NOT_SAID:
                    return found if isinstance(found, Look) else self._known(to, int(under.message), found, key)
            channel = await self._direct(to.person) if isinstance(to, Direct) else int(to.id)
            found = await look(self._stream.http, self._calls, channel, sought, self._said, direct=direct)
        except (PersonUnreachable, AccountRefused, ContentRefused):
            return Look.CANNOT_TELL  # closed to us by now
        return found if isinstance(found, Look) else self._known(to, channel, found, key)

    async def _look_in_thread(self, sought: Sought, thread: int) -> Any:
        """The message or what looking for it told; where there is no such thread, it was not said there."""
        async with self._calls.bounded():
            try:
                await self._stream.http.get_channel(thread)
            except discord.NotFound:
                return Look.NOT_SAID
        return await look(self._stream.http, self._calls, thread, sought, self._said, direct=False)

    async def edit(self, said: Receipt, message: Message, *, direct: bool) -> None:
        """Put another message in the place of one of ours."""
        view = render.view(message.buttons, self._account) if message.buttons else None
        content = render.content(message, self._account)
        channel = await self._direct(said.place) if direct else int(said.place)
        with self._parameters(content=content, view=view) as params:
            async with self._calls.bounded(direct=direct):
                await self._stream.http.edit_message(channel, int(said.message), params=params)

    async def _direct(self, person: str) -> int:
        """The channel of a person's direct messages. Opened one after the other, and not at all for a while after
        Discord has said that it is too fast: whoever opens many is quarantined."""
        if person in self._stream.history.channels:
            return self._stream.history.channels[person]
        channel, last = await self._open(person)
        await self._stream.opened(person, channel, last)
        return channel

    async def _open(self, person: str) -> tuple[int, int]:
        """The channel, and the last message in it: where there is none yet, all are later than the channel."""
        async with self._calls.bounded(direct=True, share=1 / 3), self._opening:
            if (wait_s := self._closed_until - time.monotonic()) > 0:
                raise AccountUnavailable(self._account, "we opened direct messages too fast", wait_s)
            try:
                opened: Any = await self._stream.http.start_private_message(person)
                return int(opened["id"]), int(opened.get("last_message_id") or opened["id"])
            except discord.HTTPException as exc:
                if exc.code == faults.OPENING_TOO_FAST:
                    self._closed_until = time.monotonic() + faults.OPENING_PAUSE_S
                raise

    async def end_poll(self, poll: Receipt) -> bool:
        """End a poll and wait until Discord has counted it. ``False`` when its message is gone.

        Raises ``AccountUnavailable`` when the count takes longer than ``_FINAL_S``.
        """
        async with self._calls.bounded():
            try:
                data: Any = await self._stream.http.end_poll(int(poll.place), int(poll.message))
            except discord.HTTPException as exc:
                if exc.code not in (faults.POLL_EXPIRED, faults.UNKNOWN_MESSAGE):
                    raise
                data = await self._message(poll)
            pause_s, until = _LOOK_S, time.monotonic() + _FINAL_S
            while data is not None and not _is_final(data):
                if time.monotonic() > until:
                    raise AccountUnavailable(self._account, "Discord is still counting the poll", 30.0)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, 2.0)
                data = await self._message(poll)
            return data is not None

    async def voters(self, poll: Receipt) -> tuple[tuple[str, int], ...] | None:
        """Everybody who voted, as (person, option index); ``None`` when the message is gone. Who moves while we page is
        kept where seen last; the move itself comes over the gateway as well."""
        async with self._calls.bounded():  # an answer that is no message is as good as none
            data = await self._message(poll)
            answers = [int(answer["answer_id"]) for answer in data["poll"]["answers"]] if data is not None else None
        if answers is None:
            return None
        chosen: dict[str, int] = {}
        for answer in answers:
            after: int | None = None
            while True:
                async with self._calls.bounded():
                    page = await self._stream.http.get_poll_answer_voters(
                        int(poll.place), int(poll.message), answer, after, _PAGE
                    )
                    people = [int(person["id"]) for person in page["users"]]
                chosen.update((str(person), answer - 1) for person in people)
                if len(people) < _PAGE:
                    break
                after = max(people)
        return tuple(chosen.items())

    async def _message(self, poll: Receipt) -> Any:
        try:
            return await self._stream.http.get_message(int(poll.place), int(poll.message))
        except discord.NotFound as exc:
            if exc.code == faults.UNKNOWN_MESSAGE:
                return None
            raise


def _whole(data: Any) -> Any:
    """The message, should the answer be one; else the outcome is as unknown as without an answer."""
    if not str(data["id"]).isdecimal() or datetime.fromisoformat(data["timestamp"]).tzinfo is None:
        raise ValueError("no message")
    return data


def _is_final(message: Any) -> bool:
    return bool((message["poll"].get("results") or {}).get("is_finalized"))
