"""From a guild to its JSON: for REST and for GUILD_CREATE.

Source: https://discord.com/developers/docs/resources/guild
"""

from __future__ import annotations

from collections.abc import Collection

from sandbox.discord.model import ADMINISTRATOR, MEMBER_PERMISSIONS, THREAD, Guild, Json, Person
from sandbox.discord.payload import channel_json, member_json


def role_json(role: int, name: str, permissions: int, position: int, bot: int | None = None) -> Json:
    """A role object."""
    body: Json = {
        "id": str(role),
        "name": name,
        "permissions": str(permissions),
        "position": position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": bot is not None,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }
    return body if bot is None else {**body, "tags": {"bot_id": str(bot)}}


def roles_json(guild: Guild) -> list[Json]:
    """The roles of a guild: everyone's and the team's."""
    return [
        role_json(guild.id, "@everyone", MEMBER_PERMISSIONS, 0),
        role_json(guild.role, "Team", MEMBER_PERMISSIONS | ADMINISTRATOR, 1),
    ]


def guild_json(guild: Guild) -> Json:
    """The guild without its channels and members: ``GET /guilds/{guild}``."""
    empty = (
        *("icon", "description", "home_header", "splash", "discovery_splash", "banner", "application_id"),
        *("afk_channel_id", "system_channel_id", "widget_channel_id", "max_presences", "vanity_url_code"),
        *("rules_channel_id", "safety_alerts_channel_id", "public_updates_channel_id", "incidents_data"),
    )
    zero = (
        *("system_channel_flags", "verification_level", "default_message_notifications", "mfa_level"),
        *("explicit_content_filter", "premium_tier", "premium_subscription_count", "nsfw_level"),
    )
    return {
        **dict.fromkeys(empty),
        **dict.fromkeys(zero, 0),
        "id": str(guild.id),
        "name": guild.name,
        "owner_id": str(guild.owner.id),
        "features": [],
        "region": "deprecated",
        "afk_timeout": 300,
        "widget_enabled": False,
        "max_members": 25_000_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "preferred_locale": "en-US",
        "premium_progress_bar_enabled": False,
        "nsfw": False,
        "roles": roles_json(guild),
        "emojis": [],
        "stickers": [],
    }


def guild_create_json(guild: Guild, members: Collection[Person], joined: str, count: int) -> Json:
    """GUILD_CREATE. Source: https://discord.com/developers/docs/events/gateway-events#guild-create"""
    channels = [channel_json(channel) for channel in guild.channels.values()]
    return {
        **guild_json(guild),
        "joined_at": joined,
        "large": count > 250,
        "unavailable": False,
        "member_count": count,
        "voice_states": [],
        "members": [member_json(guild, person) for person in members],
        "channels": [channel for channel in channels if channel["type"] != THREAD],
        "threads": [channel for channel in channels if channel["type"] == THREAD],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }
