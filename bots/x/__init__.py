"""X: polls and posts on the brand's timeline, mentions, direct messages. One account is one set of OAuth 1.0a tokens.

``read`` JSON to events · ``render`` messages to text · ``stream`` what comes in · ``send`` what goes out ·
``look`` whether it was said after all · ``transport`` the way there, over tweepy · ``budget`` how often.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final

from bots.x import budget, read
from bots.x.look import Looker
from bots.x.render import DIRECT_CHARS, OPTION_CHARS, OPTIONS, POST_WEIGHT
from bots.x.send import LONGEST_MIN, SHORTEST_MIN, Duplicate, Sender
from bots.x.stream import Stream
from bots.x.transport import Api, Problem
from core.account import Address, Begin, Deliver, Direct, Forms, Limits, Look, Place, PlaceKind, Poll, Receipt, Standing
from core.clock import Clock
from core.errors import AccountRefused, AccountUnavailable, ContentRefused, OutcomeUnknown
from core.events import Totals
from core.message import Message

__all__ = ["XAccount"]

TIMELINE: Final = Limits(
    post_chars=POST_WEIGHT,
    poll_options=OPTIONS,
    option_chars=OPTION_CHARS,
    question_chars=POST_WEIGHT,
    poll_longest=timedelta(minutes=LONGEST_MIN),
    poll_shortest=timedelta(minutes=SHORTEST_MIN),
    caption_chars=POST_WEIGHT,
    looks=True,
)
"""A poll on X names nobody, and a post has no buttons. Source: https://docs.x.com/x-api/posts/create-post"""
DIRECT: Final = Limits(post_chars=DIRECT_CHARS, answers_only=True, looks=True)


AGAIN = timedelta(hours=1)
"""How long until the same words are posted again that X refused as a duplicate. It does not publish for how long it
refuses them."""


class XAccount:
    """One account on X, as ``core.account.Account`` has it.

    ``base_url`` other than X's own sends the same signed requests there, such as to the sandbox. ``forms`` is not
    asked: X has no forms.
    """

    def __init__(
        self,
        name: str,
        *,
        consumer_key: str,
        consumer_secret: str,
        access_token: str,
        access_token_secret: str,
        base_url: str = "https://api.x.com",
        clock: Clock,
        forms: Forms,
    ) -> None:
        self._name = name
        self._clock = clock
        self._handle = ""
        self._stream: Stream | None = None
        self._places: set[str] = set()
        self._api = Api(
            name,
            consumer_key=consumer_key,
            consumer_secret=consumer_secret,
            access_token=access_token,
            access_token_secret=access_token_secret,
            base_url=base_url,
            clock=clock,
        )
        self._sender = Sender(name, self._api, clock)
        self._looker = Looker(name, self._api, clock)

    async def __aenter__(self) -> XAccount:
        await self._api.open()
        try:
            me = read.profile(await self._api.call(budget.ME, lambda x: x.get_me()))
        except (Problem, read.Malformed) as error:
            await self._api.close()
            raise AccountRefused(self._name, f"X does not say who this account is: {error}") from None
        except BaseException:
            await self._api.close()
            raise
        self._handle = me.handle
        self._stream = Stream(self._name, self._api, self._clock, me.id)
        self._looker.me = me.id
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._api.close()

    @property
    def name(self) -> str:
        """The account's name in ``settings.toml``."""
        return self._name

    @property
    def _incoming(self) -> Stream:
        if self._stream is None:
            raise AccountUnavailable(self._name, "not signed in yet")
        return self._stream

    async def place(self, id: str) -> Place:
        """The timeline or the direct messages: every account has both. Raises ``AccountRefused`` for another id."""
        match id:
            case "timeline":
                self._places.add(id)
                return Place(id=id, kind=PlaceKind.TIMELINE, limits=TIMELINE, title=f"@{self._handle}")
            case "direct":
                self._places.add(id)
                return Place(id=id, kind=PlaceKind.DIRECT, limits=DIRECT, title=f"direct messages of @{self._handle}")
            case _:
                raise AccountRefused(self._name, f"X has no place {id!r}; write timeline or direct")

    async def listen(self, deliver: Deliver, cursors: Mapping[str, str], ready: Callable[[], None]) -> None:
        """Bring mentions, direct messages and the totals of open polls until cancelled. Raises ``AccountRefused``.

        Where only one of the two places was asked for, the other is not read: each item read costs.
        """
        incoming = self._incoming
        sources = {"timeline": incoming.mentions, "direct": incoming.directs}
        incoming.wanted = tuple(sources[id] for id in sources if not self._places or id in self._places)
        await self._incoming.listen(deliver, cursors, ready)

    async def poll(self, place: Place, poll: Poll, key: str, *, begin: Begin) -> Receipt:
        """Post a poll. X takes no key: after ``OutcomeUnknown`` only a look at X tells whether it is there."""
        said = self._sender.poll(place, poll, begin)
        receipt = await self._once(place, poll, key, said)
        self._incoming.polls.open.add(receipt.message)
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
        """Post on the timeline, or write to one person. X takes no key, as in ``poll``. Nothing of ours is a reply."""
        if isinstance(to, Direct):
            return self._looker.said(await self._sender.direct(to.person, message, begin, not_after), key)
        if to.kind is not PlaceKind.TIMELINE:
            raise AccountRefused(self._name, "a direct message on X needs a person")
        return await self._once(to, message, key, self._sender.post(to, message, begin, not_after))

    async def _once(self, to: Place, body: Message | Poll, key: str, said: Awaitable[Receipt]) -> Receipt:
        """What was said, or what was said before: X refuses the same words again, so those that were looked for in vain
        have come after all. Else they are those of last week's question, asked late: X takes them again in a while."""
        try:
            return self._looker.said(await said, key)
        except Duplicate as error:
            since = self._looker.missed(key)
            if since is None:
                wait_s = AGAIN.total_seconds() / self._clock.speed
                raise AccountUnavailable(self._name, f"X has these words already: {error}", wait_s) from None
        found = await self._looker.look(to, body, key, since)
        if isinstance(found, Look):
            raise OutcomeUnknown(self._name, "X has these words already, but does not show them yet")
        return found

    async def edit(self, said: Receipt, message: Message) -> None:
        """X has no edit for us. Raises ``ContentRefused``."""
        raise ContentRefused(self._name, "X lets nobody edit by its API")

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
        """Whether it is among what we posted, or wrote to this person, since then. Raises ``AccountUnavailable``."""
        found = await self._looker.look(to, body, key, since, others)
        if isinstance(body, Poll) and isinstance(found, Receipt):
            self._incoming.polls.open.add(found.message)
        return found

    async def offer(self, place: Place, commands: Sequence[tuple[str, str]], *, to_all: bool) -> None:
        """X has no commands."""

    async def standing(self, place: Place, person: str) -> Standing:
        """A timeline is no team's own place: there nobody is anything."""
        return Standing()

    async def close(self, poll: Receipt) -> Totals | None:
        """X cannot end a poll early: this gives the present totals, ``final`` once the poll's own time is over, and
        ``None`` when X no longer has the post."""
        try:
            totals = await self._incoming.polls.look([poll.message])
        except (Problem, read.Malformed) as error:
            raise AccountUnavailable(self._name, f"X does not show the poll: {error}") from None
        if totals and totals[0].final:
            self._incoming.polls.open.discard(poll.message)
        return totals[0] if totals else None

    async def catch_up(self, polls: Sequence[Receipt], deliver: Deliver) -> None:
        """Deliver what X has until now: all mentions and direct messages not kept yet, and the totals of ``polls``."""
        await self._incoming.catch_up(polls, deliver)
