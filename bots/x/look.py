"""Whether something of ours was said after all: X is asked for what we said since then, and the words are compared.

X takes no key, so a message is known again by its words alone. What may as well be another message is not taken for it:
a message serves one key, an earlier one serves none, and where several fit, X cannot tell.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from tweepy.asynchronous import AsyncClient  # type: ignore[import-untyped]

from bots.x import budget, read
from bots.x.read import Own
from bots.x.render import harmless, render
from bots.x.send import LONGEST_MIN
from bots.x.transport import SEND_S, Api, Problem
from core.account import Address, Direct, Look, Poll, Receipt
from core.clock import Clock
from core.errors import AccountUnavailable
from core.message import Message

PATIENCE_S: Final = 10.0
"""How long (wall) a look waits for the rate limit."""
_PAGE: Final = 100
_TIMELINE_BACK: Final = 3200
"""Source: https://docs.x.com/x-api/posts/timelines/introduction"""
_HISTORY: Final = timedelta(days=30)
"""Source: https://docs.x.com/x-api/direct-messages/lookup/introduction"""
_DISAGREE: Final = timedelta(minutes=5)
"""How far X's clock may be from ours: beyond it X refuses our signatures. The same words, said so shortly before, may
be the ones that are looked for.
Source: https://docs.x.com/fundamentals/authentication/oauth-1-0a/authorizing-a-request"""
_REMEMBERED: Final = 10_000

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufe0e\ufe0f\ufeff]")
_ADDRESS = re.compile(r"https?://\S+")
_SHORT = re.compile(r"https?://t\.co/\w+")

_log = logging.getLogger(__name__)


def reads(text: str) -> str:
    """What a reader sees of a text: X may trim it, and nobody knows what it does to invisible characters."""
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", text)).split())


def same_words(said: str, shown: Own) -> bool | None:
    """Whether X shows what was said, of which it shortens each link; ``None`` when only the links may differ."""
    if reads(said) == reads(shown.text):
        return True
    if [reads(part) for part in _ADDRESS.split(said)] != [reads(part) for part in _SHORT.split(shown.text)]:
        return False
    behind = [shown.links.get(short, "") for short in _SHORT.findall(shown.text)]
    return behind == _ADDRESS.findall(said) or None


def same_poll(poll: Poll, slack: timedelta, shown: Own) -> bool | None:
    """Whether X shows this poll; ``None`` when only its end is another.

    ``slack`` is how long the request may have been on its way, on clocks that disagree.
    """
    if [reads(option) for option in poll.options] != [reads(option) for option in shown.options]:
        return False
    early = poll.closes_at - shown.at - timedelta(minutes=shown.minutes)
    ends_right = -slack <= early and (early <= slack + timedelta(minutes=1) or shown.minutes == LONGEST_MIN)
    same = same_words(harmless(poll.question), shown)
    return same if ends_right or not same else None


class Looker:
    """Looks for what one account said."""

    def __init__(self, account: str, api: Api, clock: Clock) -> None:
        self._account = account
        self._api = api
        self._clock = clock
        self.me = ""
        """Our id on X, known once we are signed in."""
        self._serves: dict[str, str] = {}
        """Which key a message of ours serves, by its id: as far as this process knows."""
        self._missed: dict[str, datetime] = {}
        """Keys that were looked for in vain, and since when: X may show a message late."""

    def said(self, receipt: Receipt, key: str) -> Receipt:
        """Remember what was said under ``key``: it is not taken for anything else."""
        _remember(self._serves, receipt.message, key)
        self._missed.pop(key, None)
        return receipt

    def missed(self, key: str) -> datetime | None:
        """Since when this key was looked for in vain."""
        return self._missed.get(key)

    async def look(
        self, to: Address, body: Message | Poll, key: str, since: datetime, others: Collection[str] = ()
    ) -> Receipt | Look:
        """As ``core.account.Account.look``. Raises ``AccountUnavailable``, ``AccountRefused``."""
        since = _shown_as(min(since, self._missed.get(key, since)))
        search = self._directs(to.person, since) if isinstance(to, Direct) else self._posts(since)
        try:
            found, all_seen = await search
        except Problem as error:
            _log.warning("%s: X does not show what was said: %s", self._account, error)
            return Look.CANNOT_TELL
        fits: list[tuple[Own, bool]] = []
        for own in found:
            same = self._same(body, own)
            if same is not False and own.id not in others and self._serves.get(own.id, key) == key:
                fits.append((own, same is True and own.at >= since))
        sure = [own for own, is_sure in fits if is_sure]
        if len(sure) == 1:
            return self.said(_receipt(to, sure[0]), key)
        if fits or not all_seen:
            return Look.CANNOT_TELL
        _remember(self._missed, key, since)
        return Look.NOT_SAID

    def _same(self, body: Message | Poll, own: Own) -> bool | None:
        if isinstance(body, Poll):
            return same_poll(body, _DISAGREE + timedelta(seconds=2 * SEND_S * self._clock.speed), own)
        if own.options:
            return False
        return same_words(render(body), own if body.picture is None else _without_picture(own))

    async def _posts(self, since: datetime) -> tuple[list[Own], bool]:
        """Our posts since then and a little before, and whether that is all of them."""

        def ask(token: str | None, x: AsyncClient) -> Awaitable[Any]:
            asked: Awaitable[Any] = x.get_users_tweets(
                self.me,
                start_time=since - _DISAGREE,
                pagination_token=token,
                max_results=_PAGE,
                expansions=read.POLL_EXPANSION,
                tweet_fields=read.OWN_POST_FIELDS,
                poll_fields=read.OWN_POLL_FIELDS,
                user_auth=True,
            )
            return asked

        return await self._pages(budget.POSTED, ask, since - _DISAGREE, read.own_post, most=_TIMELINE_BACK)

    async def _directs(self, person: str, since: datetime) -> tuple[list[Own], bool]:
        """Our direct messages to one person since then and a little before, and whether that is all of them."""

        def ask(token: str | None, x: AsyncClient) -> Awaitable[Any]:
            asked: Awaitable[Any] = x.get_direct_message_events(
                participant_id=person,
                event_types=read.DIRECT_TYPES,
                pagination_token=token,
                max_results=_PAGE,
                dm_event_fields=read.OWN_DIRECT_FIELDS,
            )
            return asked

        found, all_seen = await self._pages(
            budget.CONVERSATION, ask, since - _DISAGREE, lambda item, page: read.own_direct(item, self.me)
        )
        return found, all_seen and self._clock.now() - since + _DISAGREE < _HISTORY

    async def _pages(
        self,
        route: str,
        ask: Callable[[str | None, AsyncClient], Awaitable[Any]],
        after: datetime,
        of: Callable[[read.Json, read.Json], Own | None],
        most: int | None = None,
    ) -> tuple[list[Own], bool]:
        """All pages, newest first, down to ``after``. An item that is not understood may be the one."""
        found: list[Own] = []
        token, count, understood = None, 0, True
        while True:
            page = await self._api.call(route, partial(ask, token), patience_s=PATIENCE_S)
            try:
                items = read.items(page, "data")
            except read.Malformed as error:
                raise AccountUnavailable(self._account, f"X's answer is not usable: {error}") from None
            count += len(items)
            for item in items:
                try:
                    own = of(item, page)
                except read.Malformed as error:
                    _log.warning("%s: set aside %s: %s", self._account, read.number(item), error)
                    understood = False
                    continue
                if own is not None:
                    found.append(own)
            token = read.next_token(page)
            if token is None or any(_older(item, after) for item in items):
                return [own for own in found if own.at >= after], understood and (most is None or count < most)


def _without_picture(own: Own) -> Own:
    """A post without the link that X puts behind its words for a picture.

    Source: https://docs.x.com/x-api/fundamentals/data-dictionary#tweet (``entities.urls`` of a post with media)
    """
    words, _, last = own.text.rpartition(" ") if " " in own.text else ("", "", own.text)
    is_picture = _SHORT.fullmatch(last) is not None and "/photo/" in own.links.get(last, "/photo/")
    return replace(own, text=words) if is_picture else own


def _older(item: read.Json, after: datetime) -> bool:
    try:
        return read.at(item) < after
    except read.Malformed:
        return False


def _shown_as(moment: datetime) -> datetime:
    """A moment as X shows it, in whole seconds. Source: the examples at https://docs.x.com/x-api/posts/get-post-by-id"""
    return moment.replace(microsecond=0)


def _receipt(to: Address, own: Own) -> Receipt:
    if isinstance(to, Direct):
        return Receipt(place=to.person, message=own.id, refs=(read.direct_ref(own.id),), sent_at=own.at)
    return Receipt(place=to.id, message=own.id, refs=(read.post_ref(own.id),), sent_at=own.at)


def _remember(known: dict[str, Any], name: str, value: Any) -> None:
    known[name] = value
    if len(known) > _REMEMBERED:
        del known[next(iter(known))]
