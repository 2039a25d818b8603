"""What we say on X: a poll, a post, a direct message; and what X's refusals mean.

X has no idempotency key: after ``OutcomeUnknown`` the message may be there, and only a look at X tells.
"""

from __future__ import annotations

import base64
import logging
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from tweepy.asynchronous import AsyncClient  # type: ignore[import-untyped]

from bots.x import budget, read
from bots.x.render import DIRECT_CHARS, OPTION_CHARS, OPTIONS, POST_WEIGHT, harmless, render, weight
from bots.x.transport import Api, Problem
from core.account import Begin, Place, Poll, Receipt
from core.clock import Clock
from core.errors import (
    AccountError,
    AccountRefused,
    AccountUnavailable,
    ContentRefused,
    OutcomeUnknown,
    PersonUnreachable,
    TooLate,
)
from core.message import Message, Picture
from core.png import drawn

SHORTEST_MIN: Final = 5
LONGEST_MIN: Final = 10_080
"""Source: X OpenAPI 2.159, ``TweetCreateRequest.poll.duration_minutes``."""
PATIENCE_S: Final = 10.0
"""How long a message waits for the rate limit (wall) before its sender is told to come back."""
_TRAVEL_S: Final = 0.1
"""How long a request may travel (wall) while the poll's end comes nearer (calendar)."""
_SAID_BEFORE: Final = ("duplicate",)
"""Words in the refusal of a post that is there already."""
_ABOUT_CONTENT: Final = ("too long", "automated")
"""Words in a refusal that blame this one message."""
_ABOUT_PERSON: Final = ("participant", "to this user", "not following you")
"""Words in a refusal of a direct message that blame its receiver: blocked, closed, or never wrote to us."""
_ABOUT_ACCOUNT: Final = ("unsupported-authentication", "client-forbidden", "oauth1-permissions")
"""Ends of the types of refusals that no direct message would escape.
Source: https://docs.x.com/x-api/fundamentals/response-codes-and-errors"""
_SAY_ACCOUNT: Final = ("your account is suspended", "client app", "app permissions")
"""Words for the same, where the type says nothing."""


log = logging.getLogger(__name__)


class Duplicate(ContentRefused):
    """X has these words on the timeline already."""


class Sender:
    """Posts for one account."""

    def __init__(self, account: str, api: Api, clock: Clock) -> None:
        self._account = account
        self._api = api
        self._clock = clock
        self._plain: set[str] = set()
        """Texts that X did not take with a picture."""

    async def poll(self, place: Place, poll: Poll, begin: Begin) -> Receipt:
        """Post a poll that ends at its ``closes_at`` or up to a minute (and the request's journey) before it; after
        seven days if that is sooner."""
        if not 2 <= len(poll.options) <= OPTIONS or not all(1 <= len(o) <= OPTION_CHARS for o in poll.options):
            raise ContentRefused(self._account, f"X takes 2 to {OPTIONS} options of 1 to {OPTION_CHARS} characters")
        text = self._fitting(harmless(poll.question))

        async def leave() -> None:
            self._minutes(poll.closes_at)
            await begin()

        # The minutes are counted when the request leaves, after any wait for the budget.
        answer = await self._create(
            text,
            lambda: {"poll_options": list(poll.options), "poll_duration_minutes": self._minutes(poll.closes_at)},
            leave,
        )
        return self._posted(place.id, answer)

    async def post(self, place: Place, message: Message, begin: Begin, not_after: datetime | None = None) -> Receipt:
        """Post on the brand's timeline, with its picture where X takes it."""
        text = self._fitting(self._rendered(message))
        shown = message.picture if text not in self._plain else None
        pictures = await self._upload(shown) if shown is not None else []
        extra = {"media_ids": pictures} if pictures else {}
        try:
            return self._posted(place.id, await self._create(text, lambda: extra, self._in_time(begin, not_after)))
        except ContentRefused as refused:
            if not pictures or isinstance(refused, Duplicate):
                raise
            self._plain.add(text)
            raise AccountUnavailable(self._account, f"to be posted without its picture: {refused}", 0.0) from None

    async def _upload(self, picture: Picture) -> list[str]:
        """The picture's id on X; none where X does not take it: the words are worth posting alone.

        Source: https://docs.x.com/x-api/media/upload-media
        """
        image = await drawn(picture.svg)
        if image is None:
            return []
        file = {
            "media": base64.b64encode(image).decode("ascii"),
            "media_category": "tweet_image",
            "media_type": "image/png",
        }

        async def upload(x: AsyncClient) -> Any:
            answer = await x.request("POST", "/2/media/upload", params={}, json=file, user_auth=True)
            return await answer.json()

        try:
            answer = await self._api.call(budget.MEDIA, upload, patience_s=PATIENCE_S, begin=_at_once)
            return [self._id(answer, "id")]
        except (Problem, AccountUnavailable, AccountRefused, OutcomeUnknown) as error:
            log.warning("%s: posted without its picture: %s", self._account, error)
            return []

    async def direct(self, person: str, message: Message, begin: Begin, not_after: datetime | None = None) -> Receipt:
        """Write to one person, who must have written first.

        Source: https://docs.x.com/x-api/direct-messages/manage/introduction
        """
        text = self._rendered(message)
        if len(text) > DIRECT_CHARS:
            raise ContentRefused(self._account, f"{len(text)} characters; X takes {DIRECT_CHARS} in a direct message")
        try:
            answer = await self._api.call(
                budget.WRITE,
                lambda x: x.create_direct_message(participant_id=person, text=text),
                patience_s=PATIENCE_S,
                begin=self._in_time(begin, not_after),
            )
        except Problem as problem:
            raise self._direct_refused(problem) from None
        id = self._id(answer, "dm_event_id")
        return Receipt(place=person, message=id, refs=(read.direct_ref(id),), sent_at=self._clock.now())

    def _in_time(self, begin: Begin, not_after: datetime | None) -> Begin:
        async def leave() -> None:
            if self._clock.passed(not_after):
                raise TooLate(self._account, "its time passed while it waited for X's limits")
            await begin()

        return leave

    async def _create(self, text: str, extra: Callable[[], Mapping[str, Any]], begin: Begin) -> Mapping[str, Any]:
        try:
            return await self._api.call(
                budget.POST, lambda x: x.create_tweet(text=text, **extra()), patience_s=PATIENCE_S, begin=begin
            )
        except Problem as problem:
            raise self._post_refused(problem) from None

    def _minutes(self, closes_at: datetime) -> int:
        ahead_s = (closes_at - self._clock.now()).total_seconds() - _TRAVEL_S * self._clock.speed
        minutes = min(LONGEST_MIN, math.floor(ahead_s / 60))
        if minutes < SHORTEST_MIN:
            raise ContentRefused(
                self._account, f"the poll would close in {minutes} min; X's shortest is {SHORTEST_MIN}"
            )
        return minutes

    def _rendered(self, message: Message) -> str:
        if message.buttons:
            raise ContentRefused(self._account, "X has no buttons")
        return render(message)

    def _fitting(self, text: str) -> str:
        if weight(text) > POST_WEIGHT:
            raise ContentRefused(self._account, f"the post weighs {weight(text)}; X takes {POST_WEIGHT}")
        return text

    def _posted(self, place: str, answer: Mapping[str, Any]) -> Receipt:
        id = self._id(answer, "id")
        return Receipt(place=place, message=id, refs=(read.post_ref(id),), sent_at=self._clock.now())

    def _id(self, answer: Mapping[str, Any], field: str) -> str:
        data = answer.get("data")
        id = data.get(field) if isinstance(data, Mapping) else None
        if not isinstance(id, str) or not id:
            raise OutcomeUnknown(self._account, f"X's answer has no {field}; look on X whether it was posted")
        return id

    def _post_refused(self, problem: Problem) -> AccountError:
        if _says(problem, _SAID_BEFORE):
            return Duplicate(self._account, problem.detail)
        if problem.status == 400 or _says(problem, _ABOUT_CONTENT):
            return ContentRefused(self._account, problem.detail)
        return AccountRefused(self._account, f"X does not let this account post: {problem.detail}")

    def _direct_refused(self, problem: Problem) -> AccountError:
        """One refusal must not silence the account: it concerns this message, unless it clearly says otherwise."""
        if problem.kind.endswith(_ABOUT_ACCOUNT) or _says(problem, _SAY_ACCOUNT):
            return AccountRefused(self._account, f"X does not let this account write direct messages: {problem.detail}")
        if problem.status == 404 or _says(problem, _ABOUT_PERSON):
            return PersonUnreachable(self._account, problem.detail)
        return ContentRefused(self._account, problem.detail)


async def _at_once() -> None:
    """Nobody sees a picture that is uploaded, so nothing is to be kept before."""


def _says(problem: Problem, words: tuple[str, ...]) -> bool:
    told = problem.detail.lower()
    return any(word in told for word in words)
