"""Posting, editing and deleting messages: the bot's and people's."""

from __future__ import annotations

import re

from sandbox.discord.errors import Refusal, misfit
from sandbox.discord.forms import Body, Draft, File, read_draft, refuse_empty
from sandbox.discord.model import (
    ANNOUNCEMENT,
    ATTACH_FILES,
    DIRECT,
    EPHEMERAL,
    LOADING,
    SEND_POLLS,
    Application,
    Channel,
    Json,
    Message,
    Person,
)
from sandbox.discord.polls import Polls
from sandbox.discord.session import DIRECT_MESSAGES, GUILD_MESSAGES
from sandbox.discord.state import State

NONCE_S = 180.0
"""How long (wire) a nonce is remembered: "the past few minutes".
Source: https://discord.com/developers/docs/resources/message#create-message"""
REPLY = 19
_MENTIONED = re.compile(r"<@!?(\d+)>")
_SENDABLE_FLAGS = (1 << 2) | (1 << 12)


class Messages:
    """What happens to messages."""

    def __init__(self, state: State, polls: Polls) -> None:
        self.state, self.polls = state, polls
        self.files_url = ""
        """Where attachments can be fetched; known with the first request."""

    def create(self, application: Application, channel: Channel, body: Body) -> Message:
        """The bot posts. Raises: Refusal."""
        self._refuse_unreachable(application, channel)
        draft = read_draft(body, self.state.rules)
        raw = body.fields
        earlier = self._same_nonce(application, raw)
        if earlier is not None:
            return earlier
        self._refuse_denied(channel, draft)
        message = self._new(channel, application.bot, draft)
        reference = raw.get("message_reference")
        if reference is not None:
            self._refer(message, reference)
        if raw.get("nonce") is not None:
            message.nonce = raw["nonce"]
            application.nonces[str(raw["nonce"])] = (self.state.clocks.wire(), message)
        self.publish(message, raw)
        return message

    def compose(self, channel: Channel, body: Body, person: Person, metadata: Json) -> Message:
        """An answer to an interaction; not published yet. Raises: Refusal."""
        draft = read_draft(body, self.state.rules)
        message = self._new(channel, channel.application.bot, draft)
        message.metadata = metadata
        if draft.flags & EPHEMERAL:
            message.flags |= EPHEMERAL
            message.only_for = person
        return message

    def publish(self, message: Message, raw: object) -> None:
        """Put the message where it belongs, tell the sessions, show it to people."""
        channel = message.channel
        if message.only_for is not None:
            self.state.hidden[message.id] = message
        else:
            channel.messages[message.id] = message
            channel.last_message_id = message.id
            self.state.dispatch_message("MESSAGE_CREATE", message)
        if message.poll is not None:
            self.polls.watch(message)
        if not message.flags & LOADING:
            self.state.tell(message, raw)

    def write(self, person: Person, channel: Channel, text: str, reply_to: int | None) -> Message:
        """A person writes."""
        message = Message(self.state.snowflakes.next(), channel, person, text, self.state.clocks.now(), told=True)
        message.mentions = self._mentioned(channel, text)
        if reply_to is not None:
            message.type, message.reply_to = REPLY, reply_to
            original = channel.messages.get(reply_to)
            if original is not None and original.author not in message.mentions:
                message.mentions.append(original.author)
        self.publish(message, text)
        return message

    def rewrite(self, message: Message, text: str) -> None:
        """A person edits a message of their own."""
        message.content, message.edited_at = text, self.state.clocks.now()
        message.mentions = self._mentioned(message.channel, text)
        self.state.dispatch_message("MESSAGE_UPDATE", message)

    def edit(self, message: Message, body: Body) -> None:
        """Raises: Refusal; 520003 for a poll."""
        if message.poll is not None and self.state.rules.on("discord.poll.edit"):
            raise Refusal(520003)
        draft, raw = read_draft(body, self.state.rules), body.fields
        content = (draft.content or "") if "content" in raw else message.content
        embeds = (draft.embeds or []) if "embeds" in raw else message.embeds
        components = (draft.components or []) if "components" in raw else message.components
        attachments = message.attachments
        if "attachments" in raw or draft.files:
            keep = {str(kept.get("id")) for kept in raw.get("attachments") or ()}
            attachments = [kept for kept in attachments if kept["id"] in keep]
            attachments += [self._attach(message, file) for file in draft.files]
        refuse_empty(content, embeds, len(attachments), message.poll is not None, len(components), self.state.rules)
        message.content, message.embeds, message.components = content, embeds, components
        message.attachments = attachments
        self._mention(message, draft.allowed_mentions)
        if message.flags & LOADING:
            message.flags &= ~LOADING
        else:
            message.edited_at = self.state.clocks.now()
        if message.only_for is None:
            self.state.dispatch_message("MESSAGE_UPDATE", message)
        self.state.tell(message, raw)

    def delete(self, message: Message) -> None:
        channel, guild = message.channel, message.channel.guild
        if message.only_for is not None:
            self.state.hidden.pop(message.id, None)
            return
        channel.messages.pop(message.id, None)
        data: Json = {"id": str(message.id), "channel_id": str(channel.id)}
        if guild is not None:
            data["guild_id"] = str(guild.id)
        intent = GUILD_MESSAGES if guild is not None else DIRECT_MESSAGES
        number = None if guild is None else guild.id
        self.state.dispatch(channel.application, "MESSAGE_DELETE", lambda: data, intent=intent, guild=number)

    def _refuse_unreachable(self, application: Application, channel: Channel) -> None:
        person, on = channel.recipient, self.state.rules.on
        if person is None:
            return
        if person.id in application.guild.left and on("discord.direct.mutual"):
            raise Refusal(50278)
        if person.id in application.blocked_by and on("discord.direct.blocked"):
            raise Refusal(50007)

    def _refuse_denied(self, channel: Channel, draft: Draft) -> None:
        needs = (ATTACH_FILES if draft.files else 0) | (SEND_POLLS if draft.poll else 0)
        if channel.denied & needs and self.state.rules.on("discord.permissions"):
            raise Refusal(50013)
        if draft.poll and channel.type == ANNOUNCEMENT and self.state.rules.on("discord.poll.channel"):
            raise Refusal(520002)

    def _same_nonce(self, application: Application, raw: Json) -> Message | None:
        nonce, on = raw.get("nonce"), self.state.rules.on
        if nonce is None:
            return None
        if on("discord.nonce.length") and isinstance(nonce, str) and len(nonce) > 25:
            raise misfit(["nonce"], "NONCE_TYPE_TOO_LONG", "Must be 25 or fewer in length.")
        if not raw.get("enforce_nonce"):
            return None
        at, message = application.nonces.get(str(nonce), (0.0, None))
        if message is None or not on("discord.nonce.unique"):
            return None
        fresh = self.state.clocks.wire() - at < NONCE_S
        return message if fresh or not on("discord.nonce.forgotten") else None

    def _new(self, channel: Channel, author: Person, draft: Draft) -> Message:
        content, embeds, components = draft.content or "", draft.embeds or [], draft.components or []
        visible = len(draft.files)
        refuse_empty(content, embeds, visible, draft.poll is not None, len(components), self.state.rules)
        message = Message(self.state.snowflakes.next(), channel, author, content, self.state.clocks.now())
        message.embeds, message.components = embeds, components
        message.flags = draft.flags & _SENDABLE_FLAGS
        message.poll = None if draft.poll is None else self.polls.open(draft.poll)
        message.attachments = [self._attach(message, file) for file in draft.files]
        self._mention(message, draft.allowed_mentions)
        return message

    def _mention(self, message: Message, allowed: Json | None) -> None:
        """Whom the text pings. Source: https://discord.com/developers/docs/resources/message#allowed-mentions-object"""
        found = self._mentioned(message.channel, message.content)
        kinds = ["users", "everyone"] if allowed is None else allowed.get("parse") or []
        named = set() if allowed is None else {str(number) for number in allowed.get("users") or ()}
        message.mentions = [person for person in found if "users" in kinds or str(person.id) in named]
        message.mentions_everyone = "everyone" in kinds and (
            "@everyone" in message.content or "@here" in message.content
        )

    def _refer(self, message: Message, reference: Json) -> None:
        number = int(reference.get("message_id") or 0)
        if number not in message.channel.messages and reference.get("fail_if_not_exists") is not False:
            if self.state.rules.on("discord.reply.unknown"):
                raise misfit(["message_reference"], "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        elif number in message.channel.messages:
            message.type = REPLY
        message.reply_to = number or None

    def _mentioned(self, channel: Channel, text: str) -> list[Person]:
        numbers = dict.fromkeys(int(number) for number in _MENTIONED.findall(text))
        bot = channel.application.bot
        found = (bot if number == bot.id else self.state.people.get(number) for number in numbers)
        return [person for person in found if person is not None]

    def _attach(self, message: Message, file: File) -> Json:
        number = self.state.snowflakes.next()
        self.state.files[number] = (file.content_type, file.data)
        url = f"{self.files_url}/attachments/{message.channel.id}/{number}/{file.name}"
        return {
            "id": str(number),
            "filename": file.name,
            "size": len(file.data),
            "url": url,
            "proxy_url": url,
            "content_type": file.content_type,
        }


def allowed_to_see(message: Message, person: Person) -> bool:
    """Whether the person has the message before them."""
    if message.only_for is not None:
        return message.only_for is person
    channel = message.channel
    if channel.type == DIRECT:
        return channel.recipient is person
    return channel.guild is not None and person.id not in channel.guild.left
