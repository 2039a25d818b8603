"""Looking for a message of ours on Discord whose answer was lost.

Discord tells a message's nonce only to those who see it being sent; the history does not have it. So a message is known
by what is in it and by when it was made, which its id tells.
Source: https://discordpy.readthedocs.io/en/stable/api.html#discord.Message.nonce
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import discord
from discord.http import HTTPClient

from bots.discord import faults, render
from core.account import Look, Poll
from core.clock import OFF_S
from core.errors import ContentRefused
from core.message import Message

_PAGE = 100
"""Most messages in one answer. Source: https://docs.discord.com/developers/resources/message#get-channel-messages"""
MARGIN = timedelta(seconds=OFF_S) + timedelta(minutes=1)
"""How far our clock may have been ahead of Discord's when it was said."""
ROUGH_S = 1.0
"""In a sandbox: how far its clock and ours may be apart by the wall. ``MARGIN`` does not run at its speed, for each of
its weeks asks with the same words."""
_REMEMBERED = 4096

Json = Mapping[str, Any]


class Said:
    """The last messages that we know to have said, by their ids: none of them is another one that was lost."""

    def __init__(self) -> None:
        self._nonces: OrderedDict[int, str] = OrderedDict()

    def add(self, message: int, nonce: str) -> None:
        """This message is known."""
        self._nonces[message] = nonce
        if len(self._nonces) > _REMEMBERED:
            self._nonces.popitem(last=False)

    def is_another(self, message: int, nonce: str) -> bool:
        """Whether this is known to be another one than the message of that nonce."""
        return self._nonces.get(message, nonce) != nonce


@dataclass(frozen=True, slots=True)
class Sought:
    """What to look for."""

    body: Message | Poll
    nonce: str
    me: int
    since: datetime
    speed: float
    """Calendar seconds in one second of the wall."""
    others: frozenset[str] = frozenset()
    """Messages that surely are another thing, by their ids: a process before us may have said them."""

    @property
    def after(self) -> int:
        """The id behind which it must be."""
        return discord.utils.time_snowflake(self.since - self._slack)

    @property
    def _slack(self) -> timedelta:
        return MARGIN + timedelta(seconds=ROUGH_S * self.speed)

    @property
    def _stands_alone(self) -> bool:
        """Whether no other message of the same weeks has the same in it: the tokens of buttons belong to one wave and
        person, and a wave asks once in a place. Mere words may come twice."""
        return isinstance(self.body, Poll) or bool(self.body.buttons)

    def may_be(self, message: Json) -> bool:
        """Whether this message looks like it."""
        ours = int(message["author"]["id"]) == self.me and message["id"] not in self.others
        its = ours and _shown(message) in _wanted(self.body)
        return its and (not isinstance(self.body, Poll) or self._ends_right(self.body, message["poll"]))

    def _ends_right(self, wanted: Poll, shown: Json) -> bool:
        """Whether a poll ends when it should: each week's has the same words. It was made to last whole hours, so it
        ends within an hour after that. Source: https://docs.discord.com/developers/resources/poll#poll-object"""
        if shown.get("expiry") is None:
            return True
        late = datetime.fromisoformat(shown["expiry"]) - wanted.closes_at
        return -self._slack <= late <= timedelta(hours=1) + self._slack

    def pick(self, found: list[Json]) -> Json | Look:
        """The one that it is, among those that look like it; all later than ``after``."""
        later = [each for each in found if _made_at(each) >= self.since]
        # One made before may be it only where our clock was ahead, and where no other has the same in it.
        sure = later or (found if self._stands_alone else [])
        if len(sure) == 1:
            return sure[0]
        return Look.CANNOT_TELL if found else Look.NOT_SAID


async def look(
    http: HTTPClient, calls: faults.Calls, channel: int, sought: Sought, said: Said, *, direct: bool
) -> Json | Look:
    """The message as Discord shows it, or what looking for it told. Raises ``AccountError``."""
    found: list[Json] = []
    after, seen = sought.after, False
    while True:
        async with calls.bounded(direct=direct):
            page: list[Json] = list(await http.logs_from(channel, _PAGE, after=after))
            found += (
                each for each in page if sought.may_be(each) and not said.is_another(int(each["id"]), sought.nonce)
            )
            after = max((int(each["id"]) for each in page), default=after)
        seen = seen or bool(page)
        if len(page) < _PAGE:
            break
    if not seen and not direct and not await _can_read(http, calls, channel):
        return Look.CANNOT_TELL
    return sought.pick(found)


async def _can_read(http: HTTPClient, calls: faults.Calls, channel: int) -> bool:
    """Whether an empty history is the truth: to a bot without Read Message History Discord shows an empty one, too.

    Source: https://docs.discord.com/developers/resources/message#get-channel-messages
    """
    async with calls.bounded():
        if await http.logs_from(channel, 1):
            return True
        about: Any = await http.get_channel(channel)
        return about.get("last_message_id") is None


def _wanted(body: Message | Poll) -> list[tuple[object, ...]]:
    """What there may be to see of it: its picture may have been left out. Discord cuts white space at both ends."""
    if isinstance(body, Poll):
        return [("poll", body.question.strip(), tuple(option.strip() for option in body.options))]
    tokens = tuple(button.token for row in render.rows(body.buttons) for button in row)
    words: list[tuple[object, ...]] = []
    with suppress(ContentRefused):  # with a picture there may be more of them than fit without
        words.append(("message", render.content(body, "discord").strip(), "", tokens))
    if body.picture is not None:
        lead = render.content(Message(body.parts[:1]), "discord").strip()
        words.append(("message", lead, (render.embed(body, "discord").description or "").strip(), tokens))
    return words


def _shown(message: Json) -> tuple[object, ...]:
    poll = message.get("poll")
    if poll:
        options = tuple(answer["poll_media"].get("text", "") for answer in poll["answers"])
        return ("poll", poll["question"].get("text", ""), options)
    ours = [embed for embed in message.get("embeds", []) if embed.get("type", "rich") == "rich"]  # others are of links
    below = "\n".join(embed.get("description", "") for embed in ours).strip()
    return ("message", message["content"].strip(), below, tuple(_tokens(message["components"])))


def _tokens(components: list[Json]) -> Iterator[str]:
    for component in components:
        if "custom_id" in component:
            yield component["custom_id"]
        yield from _tokens(component.get("components", []))


def _made_at(message: Json) -> datetime:
    made_at: Callable[[int], datetime] = discord.utils.snowflake_time
    return made_at(int(message["id"]))
