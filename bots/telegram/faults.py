"""From the library's exceptions to ours: the type decides what is done about it."""

from __future__ import annotations

from typing import Final

from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, TelegramError

from bots.telegram.transport import Flooded, NotSent, UnknownMethod
from core.errors import (
    AccountError,
    AccountRefused,
    AccountUnavailable,
    ContentRefused,
    MessageGone,
    OutcomeUnknown,
    PersonUnreachable,
)

UNREADABLE: Final = (TypeError, KeyError, ValueError, AttributeError)
"""What the library raises over an answer that is none."""

_RIGHTS: Final = ("not enough rights", "administrator rights", "have no rights", "write_forbidden", "chat_restricted")
_GONE: Final = ("message to edit not found", "message can't be edited", "message_id_invalid")
"""How an edit is refused. The Bot API server remembers messages for a while, so of one that was just deleted Telegram
itself says the last. Source: https://github.com/tdlib/telegram-bot-api/issues/101"""
_NOBODY: Final = ("chat not found", "user not found", "peer_id_invalid", "user_is_bot", "input_user_deactivated")


def refused_token(account: str) -> AccountRefused:
    """What a 401 means."""
    return AccountRefused(account, "Telegram rejected the token: ask @BotFather for a new one and put it in")


def fault(account: str, error: TelegramError, *, private: bool = False, sending: bool = False) -> AccountError:
    """What ``error`` means. ``private``: it was about one person's chat. ``sending``: it may have said something, so
    that a lost answer leaves the outcome unknown.

    Source: https://core.telegram.org/bots/api#making-requests
    """
    if isinstance(error, Flooded):
        return AccountUnavailable(account, error.message, error.retry_after_s)
    if isinstance(error, InvalidToken):
        return refused_token(account)
    if isinstance(error, UnknownMethod):
        return AccountRefused(account, f"{error.message}: mend base_url in the settings")
    if isinstance(error, NotSent | Conflict):
        return AccountUnavailable(account, f"Telegram cannot be reached: {error.message}")
    if isinstance(error, Forbidden):
        return _forbidden(account, error.message, private)
    if isinstance(error, BadRequest):
        return _bad_request(account, error.message, private)
    if sending:
        return OutcomeUnknown(account, f"the answer was lost ({error.message})")
    return AccountUnavailable(account, f"Telegram did not answer ({error.message})")


def _forbidden(account: str, text: str, private: bool) -> AccountError:
    if private:
        return PersonUnreachable(account, text)
    return AccountRefused(account, f"{text}: add the bot to this chat again, in a channel as an administrator")


def _bad_request(account: str, text: str, private: bool) -> AccountError:
    said = text.lower()
    if any(words in said for words in _NOBODY):
        if private:
            return PersonUnreachable(account, text)
        return AccountRefused(account, f"{text}: add the bot to this chat, or mend its number in the settings")
    if any(words in said for words in _RIGHTS):
        return AccountRefused(account, f"{text}: make the bot an administrator of this chat")
    if any(words in said for words in _GONE):
        return MessageGone(account, text)
    return ContentRefused(account, text)
