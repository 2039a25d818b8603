"""How we speak: within the pace, and with every failure told by what is known about its outcome."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final, TypeVar

import telegram
from telegram import InputMediaPhoto, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, TelegramError

from bots.telegram.faults import UNREADABLE, fault
from bots.telegram.pace import CrowdedError, Pace
from bots.telegram.read import POLL_GRACE, message_ref, poll_ref, totals
from bots.telegram.render import Rendered, length, render
from bots.telegram.transport import Beginning, Flooded, RawBot, UnknownMethod
from core.account import Address, Begin, Direct, Limits, Poll, Receipt
from core.clock import Clock
from core.errors import (
    AccountError,
    AccountRefused,
    AccountUnavailable,
    ContentRefused,
    MessageGone,
    OutcomeUnknown,
    PersonUnreachable,
    TooLate,
)
from core.events import Totals
from core.message import Message
from core.png import drawn

CLOCK_SKEW: Final = timedelta(minutes=1)
STILL_MOVING_S: Final = 60.0
NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)
PICTURE: Final = "nps.png"
_NO_TEXT: Final = "no text in the message"
_NOT_MODIFIED: Final = "message is not modified"

T = TypeVar("T")
log = logging.getLogger(__name__)


class Sender:
    """What one bot says. ``moved`` says which groups have got a new id, old to new; sending learns of it. ``posted``
    gets the ids of the polls."""

    def __init__(self, name: str, bot: RawBot, clock: Clock, moved: dict[int, int], posted: set[str]) -> None:
        self._name = name
        self._bot = bot
        self._clock = clock
        self._moved = moved
        self._posted = posted
        self._pace = Pace()

    async def say(
        self, to: Address, message: Message, not_after: datetime | None, begin: Begin, under: Receipt | None = None
    ) -> Receipt:
        """Post a message, with its picture. Telegram knows no key: what is lost stays ``OutcomeUnknown``.

        Source: https://core.telegram.org/bots/api#sendmessage, #sendphoto, #replyparameters
        """
        shown = render(self._name, message)
        picture = await drawn(message.picture.svg) if message.picture is not None else None
        reply = ReplyParameters(int(under.message), allow_sending_without_reply=True) if under is not None else None

        async def prepare() -> None:
            if self._clock.passed(not_after):
                raise TooLate(self._name, "its time passed while it waited for Telegram's limits")
            await begin()

        async def send(chat: int) -> telegram.Message:
            if picture is not None:
                return await self._bot.send_photo(
                    chat,
                    picture,
                    shown.text,
                    parse_mode=ParseMode.HTML,
                    reply_markup=shown.keyboard,
                    reply_parameters=reply,
                    filename=PICTURE,
                )
            return await self._bot.send_message(
                chat,
                shown.text,
                ParseMode.HTML,
                link_preview_options=NO_PREVIEW,
                reply_markup=shown.keyboard,
                reply_parameters=reply,
            )

        return _receipt(to, await self._post(to, prepare, send))

    async def poll(self, to: Address, poll: Poll, limits: Limits, begin: Begin) -> Receipt:
        """Post a poll that shows its results when it closes.

        Source: https://core.telegram.org/bots/api#sendpoll
        """
        self._check(poll, limits)
        now = self._clock.now()
        ends = min(poll.closes_at + POLL_GRACE, now + limits.poll_longest - CLOCK_SKEW)
        if ends < now + limits.poll_shortest:
            raise ContentRefused(self._name, "this poll would have closed before it is posted")

        async def send(chat: int) -> telegram.Message:
            return await self._bot.send_poll(
                chat,
                poll.question,
                poll.options,
                is_anonymous=not limits.poll_names_voters,
                allows_multiple_answers=False,
                allows_revoting=True,
                hide_results_until_closes=True,
                close_date=ends,
            )

        message = await self._post(to, begin, send)
        if message.poll is None:
            raise OutcomeUnknown(self._name, "a poll was posted, but the answer does not show it")
        self._posted.add(message.poll.id)
        return _receipt(to, message, poll_ref(message.poll.id))

    async def edit(self, said: Receipt, message: Message) -> None:
        """Put another text, and a picture, in the place of one of ours. A lost answer is no harm: the same edit again
        changes nothing. Where no pictures may be sent, the words stand alone.

        Source: https://core.telegram.org/bots/api#editmessagetext, #editmessagemedia
        """
        shown = render(self._name, message)
        chat = self._said_in(said)
        picture = await drawn(message.picture.svg) if message.picture is not None else None
        try:
            async with self._turn(chat, group=chat < 0):
                if picture is not None:
                    await self._edit_in(chat, int(said.message), shown, picture)
                else:
                    await self._edit_text(chat, int(said.message), shown)
        except ChatMigrated as gone:
            self._moved[chat] = gone.new_chat_id
            raise MessageGone(self._name, "the message stayed behind in a group that has moved") from gone
        except TelegramError as error:
            if not (isinstance(error, BadRequest) and _NOT_MODIFIED in error.message.lower()):
                raise self._fault(error, private=chat > 0) from error
        except UNREADABLE:
            log.info("%s: an edit was answered by something that cannot be read", self._name)

    async def _edit_in(self, chat: int, message: int, shown: Rendered, picture: bytes) -> None:
        """Put a picture with its caption in the place of a text."""
        media = InputMediaPhoto(picture, shown.text, ParseMode.HTML, filename=PICTURE)
        try:
            await self._bot.edit_message_media(media, chat, message, reply_markup=shown.keyboard)
        except (BadRequest, UnknownMethod) as error:
            if _NOT_MODIFIED in error.message.lower() or "not found" in error.message.lower():
                raise
            log.warning("%s: no picture can be shown there: %s", self._name, error.message)
            await self._edit_text(chat, message, shown)

    async def _edit_text(self, chat: int, message: int, shown: Rendered) -> None:
        """Put the words there; below its picture, where it has one by now."""
        try:
            await self._bot.edit_message_text(
                shown.text,
                chat,
                message,
                parse_mode=ParseMode.HTML,
                link_preview_options=NO_PREVIEW,
                reply_markup=shown.keyboard,
            )
        except BadRequest as error:
            if _NO_TEXT not in error.message.lower():
                raise
            await self._bot.edit_message_caption(
                chat, message, caption=shown.text, parse_mode=ParseMode.HTML, reply_markup=shown.keyboard
            )

    async def close(self, poll: Receipt) -> Totals | None:
        """Stop a poll. ``None`` when it is already stopped or gone: Telegram does not tell its totals again. ``None``
        also when only its id is known (the answer to posting it was lost): it ends at its ``close_date``.

        Source: https://core.telegram.org/bots/api#stoppoll
        """
        if not poll.message:
            return None
        chat = self._said_in(poll)
        try:
            async with self._pace.slot(self._pace.patience()):
                stopped = await self._bot.stop_poll(chat, int(poll.message))
        except CrowdedError as crowded:
            raise self._crowded(crowded) from None
        except ChatMigrated as gone:
            self._moved[chat] = gone.new_chat_id
            log.warning("%s: poll %s stayed behind in a group that has moved", self._name, poll.message)
            return None
        except BadRequest as error:
            if "poll" not in error.message.lower():
                raise self._fault(error) from error
            log.info("%s: poll %s cannot be stopped: %s", self._name, poll.message, error.message)
            return None
        except TelegramError as error:
            raise self._fault(error) from error
        except UNREADABLE as error:
            raise AccountUnavailable(self._name, "the answer cannot be read") from error
        return totals(stopped, self._clock.now())

    async def _post(self, to: Address, begin: Begin, send: Callable[[int], Awaitable[T]]) -> T:
        """Send once, when it is our turn. From ``begin`` on it may have been said, so nothing is tried again here: a
        429 and a group that has moved mean that it was not, and it comes back through the outbox."""
        chat, private = self._chat(to), isinstance(to, Direct)
        target = self._moved.get(chat, chat)
        async with self._turn(target, group=not private):
            beginning = Beginning(begin)
            try:
                with beginning:
                    return await send(target)
            except ChatMigrated as gone:
                self._moved[chat] = gone.new_chat_id
                wait_s = 0.0 if gone.new_chat_id != target else STILL_MOVING_S
                raise AccountUnavailable(self._name, "the group has moved: not said yet", wait_s) from gone
            except TelegramError as error:
                if beginning.error is not None:
                    raise beginning.error from None
                raise self._fault(error, private=private, sending=True) from error
            except UNREADABLE as error:
                raise OutcomeUnknown(self._name, "sent, but the answer cannot be read") from error

    @asynccontextmanager
    async def _turn(self, chat: int, *, group: bool) -> AsyncIterator[None]:
        """A turn of the pace. Raises ``AccountUnavailable`` when it is too far away to wait for it."""
        try:
            async with self._pace.turn(chat, group=group, until=self._pace.patience()):
                yield
        except CrowdedError as crowded:
            raise self._crowded(crowded) from None

    def _fault(self, error: TelegramError, *, private: bool = False, sending: bool = False) -> AccountError:
        """What ``error`` means; after a 429 the whole account is silent for as long as Telegram says."""
        if isinstance(error, Flooded):
            self._pace.pause(error.retry_after_s)
        return fault(self._name, error, private=private, sending=sending)

    def _crowded(self, crowded: CrowdedError) -> AccountUnavailable:
        return AccountUnavailable(self._name, str(crowded), crowded.wait_s)

    def _said_in(self, said: Receipt) -> int:
        """The chat where a message of ours stands."""
        chat = next((int(ref.split(":")[1]) for ref in said.refs if ref.startswith("msg:")), None)
        if chat is None:
            raise ContentRefused(self._name, "this receipt names no message of ours")
        return chat

    def _check(self, poll: Poll, limits: Limits) -> None:
        """Raises ``ContentRefused`` where Telegram would refuse the poll."""
        if not 1 <= len(poll.options) <= limits.poll_options:
            raise ContentRefused(self._name, f"a poll has 1 to {limits.poll_options} options, not {len(poll.options)}")
        if not 1 <= length(poll.question) <= limits.question_chars or not poll.question.strip():
            raise ContentRefused(self._name, f"a question has 1 to {limits.question_chars} characters")
        if not all(option.strip() and length(option) <= limits.option_chars for option in poll.options):
            raise ContentRefused(self._name, f"an option has 1 to {limits.option_chars} characters")

    def _chat(self, to: Address) -> int:
        try:
            return int(to.person if isinstance(to, Direct) else to.id)
        except ValueError:
            if isinstance(to, Direct):
                raise PersonUnreachable(self._name, f"{to.person!r} is no Telegram id") from None
            raise AccountRefused(self._name, f"nothing can be posted in {to.id!r}: name a chat by its number") from None


def _receipt(to: Address, message: telegram.Message, *refs: str) -> Receipt:
    return Receipt(
        place=to.person if isinstance(to, Direct) else to.id,
        message=str(message.message_id),
        refs=(*refs, message_ref(message.chat.id, message.message_id)),
        sent_at=message.date,
    )
