"""From what exists to the JSON of REST answers and gateway events.

Source of the shapes: https://github.com/discord/discord-api-spec, https://discord.com/developers/docs/resources/message
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from sandbox.discord.ids import made_at
from sandbox.discord.model import (
    ADMINISTRATOR,
    DIRECT,
    MEMBER_PERMISSIONS,
    THREAD,
    Application,
    Channel,
    Guild,
    Json,
    Message,
    Person,
    Poll,
)


def encode(data: object) -> str:
    """JSON without spaces."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def stamp(at: datetime) -> str:
    """ISO 8601 with microseconds and offset, as Discord writes times."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def person_json(person: Person) -> Json:
    """A user object."""
    body: Json = {
        "id": str(person.id),
        "username": person.name if person.bot else f"{person.name.lower().replace(' ', '_')}",
        "avatar": None,
        "discriminator": f"{person.id % 9999 + 1:04d}" if person.bot else "0",
        "public_flags": 0,
        "flags": 0,
        "global_name": None if person.bot else person.name,
        "primary_guild": None,
        "banner": None,
        "accent_color": None,
        "avatar_decoration_data": None,
        "collectibles": None,
    }
    if person.bot:
        body["bot"] = True
    return body


def encoded_person(person: Person) -> str:
    """The person's JSON, made once."""
    if not person.encoded:
        person.encoded = encode(person_json(person))
    return person.encoded


def me_json(application: Application) -> Json:
    """The bot as itself: ``GET /users/@me``."""
    own = {"mfa_enabled": True, "locale": "en-US", "premium_type": 0, "email": None, "verified": True}
    return {**person_json(application.bot), **own}


def member_json(guild: Guild, person: Person, *, with_user: bool = True) -> Json:
    """A guild member object."""
    body: Json = {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "flags": 0,
        "joined_at": person.joined_at,
        "nick": None,
        "pending": False,
        "premium_since": None,
        "roles": [str(guild.role)] if person.id in guild.admins else [],
        "mute": False,
        "deaf": False,
    }
    if with_user:
        body["user"] = person_json(person)
    return body


def permissions_of(guild: Guild, person: Person) -> int:
    """What a member may do in the guild."""
    admin = person.id in guild.admins or person.id == guild.owner.id
    return MEMBER_PERMISSIONS | (ADMINISTRATOR if admin else 0)


def channel_json(channel: Channel) -> Json:
    """A channel object of the channel's type."""
    body: Json = {
        "id": str(channel.id),
        "type": channel.type,
        "flags": 0,
        "last_message_id": None if channel.last_message_id is None else str(channel.last_message_id),
    }
    if channel.type == DIRECT:
        assert channel.recipient is not None
        return {**body, "recipients": [person_json(channel.recipient)]}
    assert channel.guild is not None
    body |= {"guild_id": str(channel.guild.id), "name": channel.name, "rate_limit_per_user": 0}
    if channel.type == THREAD:
        assert channel.parent is not None
        return body | _thread_fields(channel, channel.parent)
    return body | {
        "parent_id": None,
        "position": 0,
        "topic": None,
        "nsfw": False,
        "permission_overwrites": [
            {"id": str(channel.application.bot.id), "type": 1, "allow": "0", "deny": str(channel.denied)}
        ]
        if channel.denied
        else [],
    }


def _thread_fields(channel: Channel, parent: Channel) -> Json:
    made = stamp(made_at(channel.id))
    return {
        "parent_id": str(parent.id),
        "owner_id": str(channel.application.bot.id),
        "message_count": len(channel.messages),
        "member_count": 1,
        "total_message_sent": len(channel.messages),
        "thread_metadata": {
            "archived": False,
            "archive_timestamp": made,
            "auto_archive_duration": 1440,
            "locked": False,
            "create_timestamp": made,
        },
    }


def poll_json(poll: Poll) -> Json:
    """A poll object, with its results."""
    return {
        "question": {"text": poll.question},
        "answers": poll.answers,
        "expiry": stamp(poll.expiry),
        "allow_multiselect": poll.multiselect,
        "layout_type": 1,
        "results": {
            "is_finalized": poll.finalized,
            "answer_counts": [
                {"id": number, "count": len(voters), "me_voted": False}
                for number, voters in poll.voters.items()
                if voters
            ],
        },
    }


def is_guarded(message: Message) -> bool:
    """Whether the bot may read the message only with the MESSAGE_CONTENT intent: not its own, nor to it, nor direct.

    Source: https://discord.com/developers/docs/events/gateway#message-content-intent
    """
    bot = message.channel.application.bot
    return message.channel.guild is not None and message.author is not bot and bot not in message.mentions


def message_json(message: Message, *, reads_all: bool = False, depth: int = 1) -> Json:
    """The message as the bot may read it; ``depth`` 0 leaves out what it replies to."""
    blank = not reads_all and is_guarded(message)
    body: Json = {
        "id": str(message.id),
        "type": message.type,
        "channel_id": str(message.channel.id),
        "author": person_json(message.author),
        "content": "" if blank else message.content,
        "timestamp": stamp(message.at),
        "edited_timestamp": None if message.edited_at is None else stamp(message.edited_at),
        "flags": message.flags,
        "embeds": [] if blank else message.embeds,
        "components": [] if blank else message.components,
        "attachments": [] if blank else message.attachments,
        "mentions": [person_json(person) for person in message.mentions],
        "mention_roles": [],
        "mention_everyone": message.mentions_everyone,
        "pinned": False,
        "tts": False,
    }
    if message.poll is not None and not blank:
        body["poll"] = poll_json(message.poll)
    if message.nonce is not None:
        body["nonce"] = message.nonce
    if message.metadata is not None:
        owner = message.channel.application
        body |= {"interaction_metadata": message.metadata, "webhook_id": str(owner.id), "application_id": str(owner.id)}
    if message.thread is not None:
        body["thread"] = channel_json(message.thread)
    referred = message.reply_to or message.resulting
    if referred is not None:
        body["message_reference"] = _reference(message, referred)
        original = message.channel.messages.get(referred)
        if depth and message.reply_to is not None:
            shown = None if original is None else message_json(original, reads_all=reads_all, depth=0)
            body["referenced_message"] = shown
    return body


def _reference(message: Message, referred: int) -> Json:
    guild = message.channel.guild
    reference: Json = {"type": 0, "channel_id": str(message.channel.id), "message_id": str(referred)}
    return reference if guild is None else {**reference, "guild_id": str(guild.id)}


def application_json(application: Application) -> Json:
    """``GET /applications/@me``. Source: https://discord.com/developers/docs/resources/application"""
    guild = application.guild
    return {
        "id": str(application.id),
        "name": application.title,
        "icon": None,
        "description": "",
        "type": None,
        "verify_key": f"{application.id:064x}",
        "flags": application_flags(application),
        "flags_new": str(application_flags(application)),
        "bot": person_json(application.bot),
        "bot_public": False,
        "bot_require_code_grant": False,
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": person_json(guild.owner),
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": [],
    }


def application_flags(application: Application) -> int:
    """Which privileged intents the application may use. Source:
    https://discord.com/developers/docs/resources/application#application-object-application-flags"""
    limited = {1 << 8: 1 << 13, 1 << 1: 1 << 15, 1 << 15: 1 << 19}
    return sum(flag for intent, flag in limited.items() if application.privileged & intent)
