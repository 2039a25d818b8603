"""What a chat can show, and whether we may speak there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, TypeVar

from telegram import (
    BotCommand,
    BotCommandScopeChat,
    ChatFullInfo,
    ChatMember,
    ChatMemberAdministrator,
    ChatMemberRestricted,
)
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError

from bots.telegram.faults import UNREADABLE, fault
from bots.telegram.render import BUTTONS, CAPTION_CHARS, POST_CHARS
from bots.telegram.stream import TOAST_CHARS
from bots.telegram.transport import RawBot, UnknownMethod
from core.account import Limits, Place, PlaceKind, Standing
from core.errors import AccountRefused, AccountUnavailable

T = TypeVar("T")

DIRECT: Final = "direct"

GROUP_LIMITS: Final = Limits(
    post_chars=POST_CHARS,
    poll_options=12,
    option_chars=100,
    question_chars=300,
    poll_longest=timedelta(seconds=2_628_000),
    poll_shortest=timedelta(seconds=5),
    poll_names_voters=True,
    buttons=BUTTONS,
    private_answers=False,
    toast_chars=TOAST_CHARS,
    caption_chars=CAPTION_CHARS,
    edits=True,
)
"""Source: https://core.telegram.org/bots/api#sendpoll, #sendmessage, #answercallbackquery, #editmessagetext, #sendphoto
"""

BROADCAST_LIMITS: Final = replace(GROUP_LIMITS, poll_names_voters=False)
"""Polls that name their voters cannot be sent to channels.

Source: https://core.telegram.org/bots/api#poll (``is_anonymous``), refused with "non-anonymous polls can't be sent to
channel chats": https://github.com/tdlib/td, ``MessagesManager``
"""

DIRECT_LIMITS: Final = GROUP_LIMITS


async def find(name: str, bot: RawBot, id: str, moved: dict[int, int]) -> Place:
    """Ask Telegram about a chat. Raises ``AccountRefused`` with the mend, ``AccountUnavailable``.

    Source: https://core.telegram.org/bots/api#getchat, #getchatmember
    """
    if id == DIRECT:
        return Place(id=id, kind=PlaceKind.DIRECT, limits=DIRECT_LIMITS, title=bot.username)
    if not id.lstrip("-").isdecimal():
        raise AccountRefused(name, f"{id!r} is no chat number: write the number of the chat, such as -1001234567890")
    try:
        chat, mine = await _ask(name, bot, int(id), moved)
    except (BadRequest, Forbidden) as error:
        mend = f"add @{bot.username} to it, in a channel as an administrator, or mend the number in the settings"
        raise AccountRefused(name, f"chat {id}: {error.message}; {mend}") from error
    except TelegramError as error:
        raise fault(name, error) from error
    if chat.type not in (ChatType.GROUP, ChatType.SUPERGROUP, ChatType.CHANNEL):
        raise AccountRefused(name, f"chat {id} is one person's: use the place {DIRECT!r} to write to people")
    channel = chat.type == ChatType.CHANNEL
    missing = _missing_right(chat, mine) if mine else None
    if missing:
        raise AccountRefused(name, f"in {chat.title!r} ({id}) {missing.format(bot='@' + bot.username)}")
    return Place(
        id=id,
        kind=PlaceKind.BROADCAST if channel else PlaceKind.GROUP,
        limits=BROADCAST_LIMITS if channel else GROUP_LIMITS,
        title=chat.title or "",
    )


async def _ask(name: str, bot: RawBot, chat_id: int, moved: dict[int, int]) -> tuple[ChatFullInfo, ChatMember | None]:
    """The chat, and what we are there; ``None`` where the server cannot say, as sending will show."""
    target = moved.get(chat_id, chat_id)
    try:
        chat = await bot.get_chat(target)
        try:
            return chat, await bot.get_chat_member(target, bot.id)
        except UnknownMethod:
            return chat, None
    except ChatMigrated as gone:
        if gone.new_chat_id in (target, chat_id):
            raise AccountUnavailable(name, f"chat {chat_id} is just being moved") from None
        moved[chat_id] = gone.new_chat_id
        return await _ask(name, bot, chat_id, moved)


async def offer(
    name: str, bot: RawBot, place: Place, commands: Sequence[tuple[str, str]], moved: dict[int, int]
) -> None:
    """Show commands in one chat. Raises ``AccountError``.

    Source: https://core.telegram.org/bots/api#setmycommands, #botcommandscopechat
    """
    shown = [BotCommand(command, about) for command, about in commands]
    try:
        await _in_chat(place, moved, lambda chat: bot.set_my_commands(shown, scope=BotCommandScopeChat(chat)))
    except UNREADABLE as error:
        raise AccountUnavailable(name, "the answer cannot be read") from error
    except TelegramError as error:
        raise fault(name, error) from error


async def standing(name: str, bot: RawBot, place: Place, person: str, moved: dict[int, int]) -> Standing:
    """What a person is in a chat, by the list of its administrators: that one a plain member may ask for, too. Raises
    ``AccountUnavailable``, ``AccountRefused``.

    Source: https://core.telegram.org/bots/api#getchatadministrators, #getchatmember ("only guaranteed to work for other
    users if the bot is an administrator")
    """
    try:
        members = await _in_chat(place, moved, lambda chat: bot.get_chat_administrators(chat))
        ids = {str(member.user.id) for member in members if member.status in _ADMINISTERS and not member.user.is_bot}
    except UNREADABLE as error:
        raise AccountUnavailable(name, "the answer cannot be read") from error
    except TelegramError as error:
        raise fault(name, error) from error
    return Standing(admin=person in ids)


_ADMINISTERS: Final = (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)


async def _in_chat(place: Place, moved: dict[int, int], ask: Callable[[int], Awaitable[T]]) -> T:
    """Ask about a chat, under its new id where it has moved."""
    chat = int(place.id)
    try:
        return await ask(moved.get(chat, chat))
    except ChatMigrated as gone:
        moved[chat] = gone.new_chat_id
        return await ask(gone.new_chat_id)


def _missing_right(chat: ChatFullInfo, mine: ChatMember) -> str | None:
    """What must be done before we can post there; ``{bot}`` stands for the bot's name."""
    if mine.status in (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED):
        return "{bot} is no member: add it, in a channel as an administrator"
    if mine.status == ChatMemberStatus.OWNER:
        return None
    if chat.type == ChatType.CHANNEL:
        may = isinstance(mine, ChatMemberAdministrator) and mine.can_post_messages
        return None if may else "{bot} may not post: make {bot} an administrator of the channel who may post messages"
    if isinstance(mine, ChatMemberAdministrator):
        return None
    rights = mine if isinstance(mine, ChatMemberRestricted) else chat.permissions
    if rights is not None and not (rights.can_send_messages and rights.can_send_polls):
        return "{bot} may not send messages and polls: make {bot} an administrator of the group"
    return None
