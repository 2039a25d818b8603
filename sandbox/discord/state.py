"""All that exists on the stand-in's Discord, where to find it, and how its events reach the gateway sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sandbox.clocks import Clocks
from sandbox.discord.errors import Refusal
from sandbox.discord.ids import Snowflakes, derived, derived_token
from sandbox.discord.model import (
    ANNOUNCEMENT,
    DIRECT,
    GUILD_TEXT,
    READ_HISTORY,
    SEND_IN_THREADS,
    SEND_MESSAGES,
    THREAD,
    VIEW_CHANNEL,
    Application,
    Channel,
    Guild,
    Json,
    Message,
    Person,
)
from sandbox.discord.payload import encode, member_json, message_json, stamp
from sandbox.discord.session import DIRECT_MESSAGES, GUILD_MEMBERS, GUILD_MESSAGES, GUILDS, MESSAGE_CONTENT
from sandbox.discord.shown import post_of
from sandbox.rules import Rules
from sandbox.seam import AccountPlan, PlacePlan, Watcher


class State:
    """The records. Everything in it is done at once: no method waits."""

    def __init__(self, clocks: Clocks, rules: Rules, watcher: Watcher) -> None:
        self.clocks, self.rules, self.watcher = clocks, rules, watcher
        self.snowflakes = Snowflakes(clocks)
        self.applications: dict[str, Application] = {}
        self.by_token: dict[str, Application] = {}
        self.people: dict[int, Person] = {}
        self.channels: dict[int, Channel] = {}
        self.guilds: dict[int, Guild] = {}
        self.hidden: dict[int, Message] = {}
        """Ephemeral messages."""
        self.files: dict[int, tuple[str, bytes]] = {}
        self.timers: set[asyncio.TimerHandle] = set()

    def add_application(self, plan: AccountPlan) -> Application:
        """A bot with a guild of its own, all ids derived from its name."""
        bot_id = derived(plan.name)
        token = derived_token(plan.name, bot_id)
        joined = stamp(self.clocks.now())
        bot = Person(bot_id, plan.title, bot=True, joined_at=joined)
        application = Application(bot_id, plan.name, plan.title, token, bot)
        owner = Person(derived(f"{plan.name}:owner"), f"{plan.title} owner", joined_at=joined)
        guild_id = derived(f"{plan.name}:guild")
        guild = Guild(guild_id, plan.title, application, owner, derived(f"{plan.name}:role"))
        guild.admins.add(owner.id)
        application.guild = self.guilds[guild_id] = guild
        self.applications[plan.name] = self.by_token[token] = application
        return application

    def add_place(self, plan: PlacePlan) -> Channel:
        application = self.applications[plan.account]
        kind = GUILD_TEXT if plan.kind == "group" else ANNOUNCEMENT
        channel = Channel(int(plan.id), kind, application, plan.title, application.guild)
        self.channels[channel.id] = application.guild.channels[channel.id] = channel
        return channel

    def add_person(self, name: str, language: str) -> Person:
        """They join every guild at once."""
        person = Person(self.snowflakes.next(), name, language, joined_at=stamp(self.clocks.now()))
        self.people[person.id] = person
        for application in self.applications.values():
            guild = application.guild

            def joined(guild: Guild = guild) -> Json:
                return {**member_json(guild, person), "guild_id": str(guild.id)}

            self.dispatch(application, "GUILD_MEMBER_ADD", joined, intent=GUILD_MEMBERS, guild=guild.id)
        return person

    def direct(self, application: Application, person: Person) -> Channel:
        """The direct channel of the bot and a person; made on first use, as Discord does."""
        channel = application.directs.get(person.id)
        if channel is None:
            channel = Channel(self.snowflakes.next(), DIRECT, application, recipient=person)
            application.directs[person.id] = self.channels[channel.id] = channel
        return channel

    def channel(self, application: Application, number: int, needs: int = 0) -> Channel:
        """A channel that the bot can see and use. Raises: Refusal 10003, 50001, 50013."""
        channel = self.channels.get(number)
        if channel is None:
            raise Refusal(10003)
        denied = channel.denied if channel.parent is None else channel.parent.denied
        if channel.type == THREAD and needs & SEND_MESSAGES:
            needs = needs & ~SEND_MESSAGES | SEND_IN_THREADS
        if channel.application is not application or denied & VIEW_CHANNEL:
            if self.rules.on("discord.access"):
                raise Refusal(50001)
        elif denied & needs & ~READ_HISTORY and self.rules.on("discord.permissions"):
            raise Refusal(50013)
        return channel

    def message(self, channel: Channel, number: int) -> Message:
        """Raises: Refusal 10008."""
        message = channel.messages.get(number)
        if message is None:
            raise Refusal(10008)
        return message

    def guild(self, application: Application, number: int) -> Guild:
        """Raises: Refusal 10004 for none, 50001 for one that the bot is not in."""
        guild = self.guilds.get(number)
        if guild is None:
            raise Refusal(10004)
        if guild.application is not application and self.rules.on("discord.access"):
            raise Refusal(50001)
        return guild

    def member(self, guild: Guild, number: int) -> Person | None:
        """A person of the guild, its owner and its bot included."""
        for own in (guild.owner, guild.application.bot):
            if own.id == number:
                return own
        return None if number in guild.left else self.people.get(number)

    # Events

    def dispatch(
        self, application: Application, event: str, data: Callable[[], Json], *, intent: int, guild: int | None
    ) -> None:
        """Put an event on the stream of every session that listens; encoded once, and only when one does."""
        encoded = ""
        for session in application.sessions.values():
            if session.wants(intent, guild):
                encoded = encoded or encode(data())
                session.dispatch(event, encoded)

    def dispatch_message(self, event: str, message: Message) -> None:
        """MESSAGE_CREATE or MESSAGE_UPDATE, its content emptied for who may not read it."""
        channel, application = message.channel, message.channel.application
        guild = channel.guild
        extra: Json = {}
        if guild is not None:
            extra["guild_id"] = str(guild.id)
            if not message.metadata:
                extra["member"] = member_json(guild, message.author, with_user=False)
        everything = not self.rules.on("discord.intents.content")
        intent = GUILD_MESSAGES if guild is not None else DIRECT_MESSAGES
        encoded: dict[bool, str] = {}
        for session in application.sessions.values():
            if not session.wants(intent, None if guild is None else guild.id):
                continue
            reads_all = everything or bool(session.intents & MESSAGE_CONTENT)
            if reads_all not in encoded:
                encoded[reads_all] = encode({**message_json(message, reads_all=reads_all), **extra})
            session.dispatch(event, encoded[reads_all])

    def shown(self, message: Message) -> Json:
        """A message as REST answers with it: the intent that its owner has granted counts there too."""
        granted = message.channel.application.privileged & MESSAGE_CONTENT
        everything = bool(granted) or not self.rules.on("discord.intents.content_rest")
        return message_json(message, reads_all=everything)

    def found(self, message: Message) -> Json:
        """The same for a message that was posted before: its nonce is not stored with it."""
        body = self.shown(message)
        if self.rules.on("discord.nonce.ephemeral"):
            body.pop("nonce", None)
        return body

    def dispatch_channel(self, event: str, channel: Channel, data: Json) -> None:
        guild = channel.guild
        if guild is not None:
            self.dispatch(channel.application, event, lambda: data, intent=GUILDS, guild=guild.id)

    def tell(self, message: Message, raw: object) -> None:
        """Show people what the bot posted, once it can be seen."""
        if not message.told:
            message.told = True
            pictures = tuple(self.files[int(file["id"])][1] for file in message.attachments)
            self.watcher(post_of(message, raw, pictures))

    # Time

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after ``seconds`` of the wire, where a loop is running."""

        def due() -> None:
            self.timers.discard(handle)
            act()

        handle = asyncio.get_running_loop().call_later(max(seconds, 0.0), due)
        self.timers.add(handle)

    def stop(self) -> None:
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()
