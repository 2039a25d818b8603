"""Interactions: a person's tap, form or command, the bot's answer within 3 s, and what follows within 15 min (wire).

Source: https://discord.com/developers/docs/interactions/receiving-and-responding
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.discord.errors import Refusal, misfit
from sandbox.discord.forms import Body, read_modal
from sandbox.discord.messages import Messages
from sandbox.discord.model import DIRECT, EPHEMERAL, LOADING, Application, Channel, Json, Message, Person
from sandbox.discord.payload import (
    channel_json,
    encode,
    member_json,
    message_json,
    permissions_of,
    person_json,
)
from sandbox.discord.state import State

COMMAND, COMPONENT, SUBMIT = 2, 3, 5
MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, MODAL = 4, 5, 6, 7, 9
ANSWER_S, TOKEN_S = 3.0, 900.0
LOCALES = {"en": "en-US", "es": "es-ES", "pt": "pt-BR", "sv": "sv-SE", "zh": "zh-CN"}
"""Languages that Discord knows only with a country. Source: https://discord.com/developers/docs/reference#locales"""
KEPT = 50_000
"""Interactions that are remembered at all."""


@dataclass(eq=False)
class Interaction:
    """A tap, a form or a command that waits for its answer."""

    id: int
    token: str
    type: int
    person: Person
    channel: Channel
    data: Json
    source: Message | None
    """The message with the component."""
    asked_at: float
    """Wire time."""
    parent: Interaction | None = None
    """Of a submitted form: what opened it."""
    answered: bool = False
    original: Message | None = None
    """The first answer, where it is a message."""
    modal: Json | None = None
    outcome: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def application(self) -> Application:
        return self.channel.application

    @property
    def failed(self) -> bool:
        """Whether the app has told the person that the interaction failed."""
        return self.outcome.done() and not self.outcome.result()

    def settle(self, answered: bool) -> None:
        """Decide the outcome, once."""
        if not self.outcome.done():
            self.outcome.set_result(answered)


class Interactions:
    """What happens to interactions."""

    def __init__(self, state: State, messages: Messages) -> None:
        self.state, self.messages = state, messages
        self.by_id: dict[int, Interaction] = {}
        self.by_token: dict[str, Interaction] = {}
        self.order: deque[Interaction] = deque()
        self.on_begin: Callable[[Interaction], None] = lambda interaction: None
        """Told of each interaction that is put on the stream."""

    def begin(
        self,
        kind: int,
        person: Person,
        channel: Channel,
        data: Json,
        *,
        source: Message | None = None,
        parent: Interaction | None = None,
    ) -> Interaction:
        """A person acts; the bot is told at once."""
        number = self.state.snowflakes.next()
        token = hashlib.sha512(f"{channel.application.token}:{number}".encode()).hexdigest()
        interaction = Interaction(
            number, token, kind, person, channel, data, source, self.state.clocks.wire(), parent=parent
        )
        self.by_id[number] = self.by_token[token] = interaction
        self.order.append(interaction)
        while len(self.order) > KEPT:
            gone = self.order.popleft()
            del self.by_id[gone.id], self.by_token[gone.token]
        channel.application.known.add(person.id)
        self.on_begin(interaction)
        guild = channel.guild
        encoded = encode(self._payload(interaction))
        for session in channel.application.sessions.values():
            if session.wants(0, None if guild is None else guild.id):
                session.dispatch("INTERACTION_CREATE", encoded)
        return interaction

    async def outcome(self, interaction: Interaction) -> bool:
        """Whether the app showed an answer. Waits for it, at most as long as the app does."""
        await asyncio.wait({interaction.outcome}, timeout=ANSWER_S)
        interaction.settle(False)
        return interaction.outcome.result()

    def _payload(self, interaction: Interaction) -> Json:
        channel, person = interaction.channel, interaction.person
        guild, application = channel.guild, channel.application
        body: Json = {
            "version": 1,
            "id": str(interaction.id),
            "token": interaction.token,
            "type": interaction.type,
            "application_id": str(application.id),
            "channel_id": str(channel.id),
            "channel": channel_json(channel),
            "locale": LOCALES.get(person.language, person.language),
            "entitlements": [],
            "entitlement_sku_ids": [],
            "attachment_size_limit": 10 * 1024 * 1024,
            "context": 1 if guild is None else 0,
            "authorizing_integration_owners": _owners(channel),
            "app_permissions": str(permissions_of(application.guild, application.bot) & ~channel.denied),
            "data": interaction.data,
        }
        if guild is None:
            body["user"] = person_json(person)
        else:
            member = {**member_json(guild, person), "permissions": str(permissions_of(guild, person))}
            body |= {
                "member": member,
                "guild_id": str(guild.id),
                "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
                "guild_locale": "en-US",
            }
        if interaction.source is not None:
            body["message"] = message_json(interaction.source)
        return body

    def answer(self, number: int, token: str, body: Body) -> Interaction:
        """The bot's first answer. Raises: Refusal 10062 when late, 40060 when there was one, 50035."""
        interaction, on = self.by_id.get(number), self.state.rules.on
        if interaction is None or interaction.token != token:
            raise Refusal(10062)
        if interaction.answered and on("discord.interaction.once"):
            raise Refusal(40060)
        late = self.state.clocks.wire() - interaction.asked_at > ANSWER_S or interaction.failed
        if late and not interaction.answered and on("discord.interaction.deadline"):
            interaction.settle(False)
            raise Refusal(10062)
        raw = body.fields
        kind = raw.get("type")
        self._refuse_kind(interaction, kind)
        inner = Body(raw.get("data") or {}, body.files)
        try:
            self._act(interaction, kind, inner)
        except Refusal as refusal:
            if refusal.errors is not None and "data" not in refusal.errors:
                refusal.errors = {"data": refusal.errors}
            raise
        interaction.answered = True
        interaction.settle(True)
        return interaction

    def _refuse_kind(self, interaction: Interaction, kind: object) -> None:
        allowed = [MESSAGE, DEFERRED_MESSAGE]
        if interaction.source is not None:
            allowed += [DEFERRED_UPDATE, UPDATE]
        if interaction.type != SUBMIT:
            allowed.append(MODAL)
        if kind not in allowed and (self.state.rules.on("discord.interaction.type") or kind not in range(4, 10)):
            choices = ", ".join(map(str, allowed))
            raise misfit(["type"], "BASE_TYPE_CHOICES", f"Value must be one of ({choices}).")

    def _act(self, interaction: Interaction, kind: object, body: Body) -> None:
        if kind == MESSAGE:
            message = self.messages.compose(interaction.channel, body, interaction.person, _metadata(interaction))
            self._publish(interaction, message, body)
        elif kind == DEFERRED_MESSAGE:
            self._defer(interaction, int(body.fields.get("flags") or 0))
        elif kind == UPDATE:
            interaction.original = interaction.source
            if interaction.source is not None:
                self.messages.edit(interaction.source, body)
        elif kind == DEFERRED_UPDATE:
            interaction.original = interaction.source
        else:
            interaction.modal = read_modal(body.json, self.state.rules)

    def _publish(self, interaction: Interaction, message: Message, body: Body) -> None:
        interaction.original = message
        self.messages.publish(message, body.fields)

    def _defer(self, interaction: Interaction, flags: int) -> None:
        """ "The bot is thinking": the message is shown with its first edit."""
        state, channel = self.state, interaction.channel
        message = Message(state.snowflakes.next(), channel, channel.application.bot, "", state.clocks.now())
        message.metadata = _metadata(interaction)
        message.flags = LOADING | flags & EPHEMERAL
        message.only_for = interaction.person if flags & EPHEMERAL else None
        interaction.original = message
        self.messages.publish(message, {})

    def webhook(self, application_id: int, token: str) -> Interaction:
        """The interaction whose token this is. Raises: Refusal 10015, 50027 when its time is over."""
        interaction, on = self.by_token.get(token), self.state.rules.on
        if interaction is None or interaction.application.id != application_id:
            raise Refusal(50027)
        if self.state.clocks.wire() - interaction.asked_at > TOKEN_S and on("discord.interaction.token"):
            raise Refusal(50027)
        if not interaction.answered and on("discord.webhook.unanswered"):
            raise Refusal(10015)
        return interaction

    def follow_up(self, interaction: Interaction, body: Body) -> Message:
        """A further message; the first one after a deferral takes its place."""
        original = interaction.original
        if original is not None and original.flags & LOADING:
            self.messages.edit(original, body)
            return original
        message = self.messages.compose(interaction.channel, body, interaction.person, _metadata(interaction))
        self.messages.publish(message, body.fields)
        return message

    def message_of(self, interaction: Interaction, number: str) -> Message:
        """``@original`` or a follow-up. Raises: Refusal 10008."""
        if number == "@original":
            message = interaction.original
        else:
            found = int(number) if number.isdecimal() else 0
            message = self.state.hidden.get(found) or interaction.channel.messages.get(found)
        known = message is not None and (message.id in self.state.hidden or message.id in message.channel.messages)
        if message is None or not known:
            raise Refusal(10008)
        return message


def _owners(channel: Channel) -> Json:
    """Source: https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object"""
    return {"0": "0" if channel.type == DIRECT or channel.guild is None else str(channel.guild.id)}


def _metadata(interaction: Interaction) -> Json:
    body: Json = {
        "id": str(interaction.id),
        "type": interaction.type,
        "user": person_json(interaction.person),
        "authorizing_integration_owners": _owners(interaction.channel),
    }
    if interaction.type == COMPONENT and interaction.source is not None:
        body["interacted_message_id"] = str(interaction.source.id)
    if interaction.parent is not None:
        body["triggering_interaction_metadata"] = _metadata(interaction.parent)
    return body


def callback_json(interaction: Interaction, kind: int) -> Json:
    """What ``with_response`` brings back."""
    original = interaction.original
    shown: Json = {"id": str(interaction.id), "type": interaction.type}
    body: Json = {"interaction": shown}
    if original is not None and kind in (MESSAGE, DEFERRED_MESSAGE, UPDATE, DEFERRED_UPDATE):
        shown["response_message_id"] = str(original.id)
        shown["response_message_loading"] = bool(original.flags & LOADING)
        shown["response_message_ephemeral"] = bool(original.flags & EPHEMERAL)
        if kind in (MESSAGE, UPDATE):
            body["resource"] = {"type": kind, "message": message_json(original)}
    return body
