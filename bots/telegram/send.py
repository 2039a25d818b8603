"""How we speak: within the pace, and with every failure told by what is known about its outcome."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

import telegram
from telegram import LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, TelegramError

from bots.telegram.faults import fault
from bots.telegram.pace import CrowdedError, Pace
from bots.telegram.read import message_ref, poll_ref, totals
from bots.telegram.render import length, render
from bots.telegram.transport import Flooded, RawBot
from core.account import Address, Direct, Limits, Poll, Receipt
from core.clock import Clock
from core.errors import AccountRefused, AccountUnavailable, ContentRefused, OutcomeUnknown, PersonUnreachable, TooLate
from core.events import Totals
from core.message import Message

TRIES: Final = 4
POLL_GRACE: Final = timedelta(days=1)
"""A poll ends by itself this long after its close: for the one whose message id was lost."""
CLOCK_SKEW: Final = timedelta(minutes=1)

T = TypeVar("T")
log = logging.getLogger(__name__)


class Sender:
    """What one bot says. ``moved`` says which groups have got a new id, old to new; sending learns of it."""

    def __init__(self, name: str, bot: RawBot, clock: Clock, moved: dict[int, int]) -> None:
        self._name = name
        self._bot = bot
        self._clock = clock
        self._moved = moved
        self._pace = Pace()

    async def say(self, to: Address, message: Message, not_after: datetime | None = None) -> Receipt:
        """Post a message. Telegram knows no key: what is lost stays ``OutcomeUnknown``.

        Source: https://core.telegram.org/bots/api#sendmessage
        """
        shown = render(self._name, message)
        previews = LinkPreviewOptions(is_disabled=True)

        async def send(chat: int) -> telegram.Message:
            if self._clock.passed(not_after):
                raise TooLate(self._name, "its time passed while it waited for Telegram's limits")
            return await self._bot.send_message(
                chat, shown.text, ParseMode.HTML, link_preview_options=previews, reply_markup=shown.keyboard
            )

        return _receipt(to, await self._in_turn(self._chat(to), send, private=isinstance(to, Direct)))

    async def poll(self, to: Address, poll: Poll, limits: Limits) -> Receipt:
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

        message = await self._in_turn(self._chat(to), send, private=isinstance(to, Direct))
        if message.poll is None:
            raise OutcomeUnknown(self._name, "a poll was posted, but the answer does not show it")
        return _receipt(to, message, poll_ref(message.poll.id))

    async def close(self, poll: Receipt) -> Totals | None:
        """Stop a poll. ``None`` when it is already stopped or gone: Telegram does not tell its totals again.

        Source: https://core.telegram.org/bots/api#stoppoll
        """
        chat = next((int(ref.split(":")[1]) for ref in poll.refs if ref.startswith("msg:")), None)
        if chat is None:
            raise ContentRefused(self._name, "this receipt names no message of ours")
        try:
            await self._pace.slot(self._pace.patience())
            stopped = await self._bot.stop_poll(chat, int(poll.message))
        except CrowdedError as crowded:
            raise self._crowded(crowded) from None
        except Flooded as flooded:
            self._pace.pause(flooded.retry_after_s)
            raise fault(self._name, flooded) from flooded
        except ChatMigrated as gone:
            self._moved[chat] = gone.new_chat_id
            log.warning("%s: poll %s stayed behind in a group that has moved", self._name, poll.message)
            return None
        except BadRequest as error:
            if "poll" not in error.message.lower():
                raise fault(self._name, error) from error
            log.info("%s: poll %s cannot be stopped: %s", self._name, poll.message, error.message)
            return None
        except TelegramError as error:
            raise fault(self._name, error) from error
        return totals(stopped, self._clock.now())

    async def _in_turn(self, chat: int, send: Callable[[int], Awaitable[T]], *, private: bool) -> T:
        """Send when it is our turn, again after a 429 (which means: not said) and after a group has moved."""
        until = self._pace.patience()
        for _ in range(TRIES):
            target = self._moved.get(chat, chat)
            try:
                async with self._pace.turn(target, group=not private, until=until):
                    return await send(target)
            except CrowdedError as crowded:
                raise self._crowded(crowded) from None
            except Flooded as flooded:
                self._pace.pause(flooded.retry_after_s)
            except ChatMigrated as gone:
                self._moved[chat] = gone.new_chat_id
            except TelegramError as error:
                raise fault(self._name, error, private=private, sending=True) from error
            except (TypeError, KeyError, ValueError, AttributeError) as error:
                raise OutcomeUnknown(self._name, "sent, but the answer cannot be read") from error
        raise AccountUnavailable(self._name, "Telegram asks again and again to slow down", self._pace.paused_s)

    def _crowded(self, crowded: CrowdedError) -> AccountUnavailable:
        return AccountUnavailable(self._name, str(crowded), crowded.wait_s)

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
