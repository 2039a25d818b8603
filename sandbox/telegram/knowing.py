"""Methods that ask or set what is known: the bot itself, its commands and webhook, chats, members, files.

Source: https://core.telegram.org/bots/api#available-methods
"""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.telegram.errors import bad_request
from sandbox.telegram.fields import Fields
from sandbox.telegram.model import Bot, Chat, Wire, digest
from sandbox.telegram.state import State

_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
_CHANNEL_RIGHTS = ("can_post_messages", "can_edit_messages")
_GROUP_RIGHTS = ("can_pin_messages", "can_manage_topics")


def get_me(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#getme"""
    return {
        **bot.wire(),
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_guest_queries": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
        "allows_users_to_create_topics": False,
        "can_manage_bots": False,
        "supports_join_request_queries": False,
    }


def kinds_named(fields: Fields) -> list[str] | None:
    """``allowed_updates`` of a request, ``None`` when it names none."""
    given = fields.json("allowed_updates", "allowed_updates")
    return [str(kind) for kind in given] if isinstance(given, list) else None


def set_webhook(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#setwebhook: kept, so that getUpdates conflicts; nothing is sent there."""
    url = fields.text("url")
    if url and not url.startswith("https://") and state.rules.on("telegram.webhook.https"):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    secret = fields.text("secret_token")
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret) and state.rules.on("telegram.webhook.secret"):
        raise bad_request("secret token contains unallowed characters")
    bot.stream.allow(kinds_named(fields))
    if fields.boolean("drop_pending_updates"):
        bot.stream.drop()
    bot.stream.set_webhook(url)
    return True


def delete_webhook(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#deletewebhook"""
    if fields.boolean("drop_pending_updates"):
        bot.stream.drop()
    bot.stream.set_webhook("")
    return True


def get_webhook_info(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#getwebhookinfo"""
    return {
        "url": bot.stream.webhook,
        "has_custom_certificate": False,
        "pending_update_count": bot.stream.pending_count,
    }


def get_chat(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#getchat"""
    chat = state.chat_named(bot, fields)
    gifts = dict.fromkeys(
        ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), True
    )
    return {**chat.wire(), "accent_color_id": chat.id % 7, "max_reaction_count": 11, "accepted_gift_types": gifts}


def get_chat_member(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#getchatmember"""
    chat = state.chat_named(bot, fields)
    number = fields.integer("user_id")
    if number in chat.bots:
        return _bot_member(chat, chat.bots[number])
    person = state.people.get(number)
    if person is None:
        if state.rules.on("telegram.member.known"):
            raise bad_request("invalid user_id specified" if number <= 0 else "PARTICIPANT_ID_INVALID")
        return {"status": "left", "user": {"id": number, "is_bot": False, "first_name": ""}}
    if chat.kind != "private" and person.id in chat.administrators:
        return _administrator(chat, person.wire(), person.id == min(chat.administrators))
    if chat.kind == "private" and chat.person is not person:
        return {"status": "left", "user": person.wire()}
    return {"status": "member", "user": person.wire()}


def _bot_member(chat: Chat, bot: Bot) -> Wire:
    if bot.id in chat.kicked:
        return {"status": "kicked", "user": bot.wire(), "until_date": 0}
    return (
        _administrator(chat, bot.wire(), False) if chat.kind == "channel" else {"status": "member", "user": bot.wire()}
    )


def _administrator(chat: Chat, who: Wire, owner: bool) -> Wire:
    if owner:
        return {"status": "creator", "user": who, "is_anonymous": False}
    rights = _RIGHTS + (_CHANNEL_RIGHTS if chat.kind == "channel" else _GROUP_RIGHTS)
    return {"status": "administrator", "user": who, "can_be_edited": False, "is_anonymous": False} | dict.fromkeys(
        rights, True
    )


def get_chat_administrators(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#getchatadministrators"""
    chat = state.chat_named(bot, fields)
    if chat.kind == "private":
        if state.rules.on("telegram.member.private"):
            raise bad_request("there are no administrators in the private chat")
        return []
    owner = min(chat.administrators)
    people = [_administrator(chat, state.people[one].wire(), one == owner) for one in sorted(chat.administrators)]
    return people + ([_bot_member(chat, bot)] if chat.kind == "channel" else [])


def _scope(fields: Fields) -> tuple[str, str]:
    scope = fields.json("scope", "BotCommandScope") or {"type": "default"}
    return json.dumps(scope, sort_keys=True), fields.text("language_code")


def set_my_commands(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#setmycommands"""
    commands = fields.json("commands", "commands")
    if not isinstance(commands, list):
        raise bad_request("expected an Array of BotCommand")
    if len(commands) > 100 and state.rules.on("telegram.commands.count"):
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    kept = []
    for one in commands:
        if not isinstance(one, dict):
            raise bad_request("can't parse BotCommand: expected an Object")
        name, description = str(one.get("command", "")).removeprefix("/"), str(one.get("description", ""))
        if not re.fullmatch(r"[a-z0-9_]{1,32}", name) and state.rules.on("telegram.commands.name"):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(description) <= 256 and state.rules.on("telegram.commands.description"):
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        kept.append({"command": name, "description": description})
    bot.commands[_scope(fields)] = kept
    return True


def get_my_commands(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#getmycommands"""
    return bot.commands.get(_scope(fields), [])


def get_file(state: State, bot: Bot, fields: Fields) -> Any:
    """https://core.telegram.org/bots/api#getfile"""
    name = fields.text("file_id")
    if name not in bot.files:
        if state.rules.on("telegram.file.known"):
            raise bad_request("invalid file_id")
        return {"file_id": name, "file_unique_id": name}
    path, content = bot.files[name]
    unique = digest("unique", content.hex())[:16]
    return {"file_id": name, "file_unique_id": unique, "file_size": len(content), "file_path": path}
