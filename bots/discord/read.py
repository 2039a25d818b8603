"""What Discord tells us, as events: pure functions from discord.py's objects to ``core.events``.

``ref`` is always ``msg:<message id>``: a poll, a message with buttons and a message that is answered are all messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import discord

from core.events import Reply, Via

_COMMAND, _COMPONENT, _SUBMIT = 2, 3, 5
"""Kinds of interactions.
Source: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object-interaction-type"""
_SLASH = 1
"""Source: https://docs.discord.com/developers/interactions/application-commands#application-command-object"""
_BUTTON, _TEXT_INPUT = 2, 4
"""Source: https://docs.discord.com/developers/components/reference#component-object-component-types"""


def ref(message: int | str) -> str:
    """The name under which replies refer to a message."""
    return f"msg:{message}"


def message_of(reply: Reply) -> str:
    """The id of the message that a reply refers to."""
    assert reply.ref is not None
    return reply.ref.removeprefix("msg:")


def vote(event: discord.RawPollVoteActionEvent, *, id: str, withdrawn: bool, at: datetime, order: int) -> Reply:
    """A vote given or taken back. Discord gives it neither an ``id`` nor a time.

    Answers are numbered from 1 in the order of the options.
    Source: https://docs.discord.com/developers/resources/poll#poll-answer-object
    """
    return Reply(
        id=id,
        person=str(event.user_id),
        via=Via.VOTE,
        at=at,
        order=order,
        place=str(event.channel_id),
        ref=ref(event.message_id),
        option=event.answer_id - 1,
        withdrawn=withdrawn,
    )


def message(message: discord.Message, *, me: int, order: int) -> Reply | None:
    """A direct message to us, or a message in a guild that mentions us or answers one of ours; else ``None``.

    Bots, ourselves among them, and Discord's own notices are not read.
    """
    if message.author.bot or message.type not in (discord.MessageType.default, discord.MessageType.reply):
        return None
    direct = _is_direct(message.channel)
    if not direct and not _is_for(message, me):
        return None
    answered = message.reference.message_id if message.type is discord.MessageType.reply and message.reference else None
    edited = message.edited_at
    return Reply(
        id=f"m{message.id}" if edited is None else f"m{message.id}:{round(edited.timestamp() * 1_000)}",
        person=str(message.author.id),
        via=Via.TEXT,
        at=edited or message.created_at,
        order=order,
        done=message.id if edited is None else discord.utils.time_snowflake(edited, high=True),
        place="" if direct else str(message.channel.id),
        ref=None if answered is None else ref(answered),
        text=_without_mention(message.content, me),
        message=ref(message.id),
        edited=edited is not None,
        written_at=None if edited is None else message.created_at,
        name="" if direct else message.author.display_name,
    )


def interaction(sent: Any, *, order: int) -> Reply | None:
    """A tap on a button, a form sent in or a slash command, as the gateway brings it; ``None`` for any other
    interaction (selects, commands in menus). Raises ``KeyError`` for what is none.

    Source: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object
    """
    data: Any = sent.get("data") or {}
    if sent["type"] == _COMMAND and data.get("type", _SLASH) == _SLASH:
        given = [str(option.get("value", "")) for option in data.get("options") or ()]
        via, words = Via.COMMAND, " ".join([f"/{data['name']}", *given])
    elif sent["type"] == _COMPONENT and data.get("component_type") == _BUTTON:
        via, words = Via.TAP, ""
    elif sent["type"] == _SUBMIT:
        via, words = Via.FORM, "\n".join(_typed(data.get("components", ())))
    else:
        return None
    member: Any = sent.get("member") or {}
    person: Any = (member or sent)["user"]
    shown = member and (member.get("nick") or person.get("global_name") or person.get("username"))
    return Reply(
        id=f"i{sent['id']}",
        person=str(person["id"]),
        via=via,
        at=discord.utils.snowflake_time(int(sent["id"])),
        order=order,
        done=int(sent["id"]),
        place="" if sent.get("guild_id") is None else str(sent.get("channel_id") or ""),
        ref=None if sent.get("message") is None else ref(sent["message"]["id"]),
        token=data.get("custom_id") if via is Via.COMMAND else data["custom_id"],
        text=words,
        language=str(sent.get("locale", "en-US")),
        name=str(shown or ""),
    )


def _is_direct(channel: object) -> bool:
    """Live messages come in a ``DMChannel``, those from the history in a channel that discord.py knows in part only."""
    return isinstance(channel, discord.DMChannel) or (
        isinstance(channel, discord.PartialMessageable) and channel.guild_id is None
    )


def _is_for(message: discord.Message, me: int) -> bool:
    if any(person.id == me for person in message.mentions):
        return True
    answered = message.reference.resolved if message.reference else None
    # Without the privileged intent the text of such an answer is empty when the ping was switched off: nothing to read.
    return isinstance(answered, discord.Message) and answered.author.id == me and bool(message.content)


def _without_mention(words: str, me: int) -> str:
    """Our own mention is an address, not what was said: its digits must not be read as a score."""
    for mention in (f"<@{me}>", f"<@!{me}>"):
        words = words.replace(mention, " ")
    return words.strip()


def _typed(components: Any) -> Iterator[str]:
    """What was typed into the text inputs, which sit in labels (``component``) or rows (``components``)."""
    for component in components:
        if component.get("type") == _TEXT_INPUT:
            yield component.get("value", "")
        elif inner := component.get("component"):
            yield from _typed((inner,))
        else:
            yield from _typed(component.get("components", ()))
