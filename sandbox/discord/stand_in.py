"""Discord's stand-in: its application for the server, and what people can do in the Discord app."""

from __future__ import annotations

from aiohttp import web

from sandbox.clocks import Clocks
from sandbox.discord.components import buttons_of, filled
from sandbox.discord.gateway import Gateway
from sandbox.discord.interactions import COMMAND, COMPONENT, SUBMIT, Interaction, Interactions
from sandbox.discord.messages import Messages, allowed_to_see
from sandbox.discord.model import ADMINISTRATOR, ANNOUNCEMENT, Channel, Json, Message, Person
from sandbox.discord.payload import permissions_of
from sandbox.discord.polls import Polls
from sandbox.discord.rest import API, Rest
from sandbox.discord.routes_applications import ApplicationRoutes
from sandbox.discord.routes_channels import ChannelRoutes
from sandbox.discord.routes_people import PeopleRoutes
from sandbox.discord.state import State
from sandbox.rules import Rules
from sandbox.seam import AccountPlan, PlacePlan, Post, PostButton, Watcher


class DiscordStandIn:
    """Keeps the ``StandIn`` protocol; what is Discord's alone stands behind it: commands, forms, rights, outages."""

    platform = "discord"

    def __init__(self, clocks: Clocks, rules: Rules, watcher: Watcher) -> None:
        self.state = State(clocks, rules, watcher)
        self.polls = Polls(self.state)
        self.messages = Messages(self.state, self.polls)
        self.interactions = Interactions(self.state, self.messages)
        self.gateway = Gateway(self.state)

    def application(self) -> web.Application:
        """REST below ``/api/v10``, the gateway at ``/gateway``, attachments at ``/attachments``."""
        rest = Rest(self.state, self.messages, self.polls, self.interactions, self.gateway)
        self.rest = rest
        rest.app.router.add_get("/gateway", self.gateway.serve)
        rest.app.router.add_get("/gateway/", self.gateway.serve)
        rest.app.router.add_get("/attachments/{channel}/{attachment}/{name}", self._attachment)
        for routes in (ChannelRoutes, PeopleRoutes, ApplicationRoutes):
            routes(rest)
        rest.add_rest()
        rest.app.on_shutdown.append(self._stop)
        return rest.app

    async def _stop(self, _: web.Application) -> None:
        self.state.stop()
        await self.gateway.stop()

    async def _attachment(self, request: web.Request) -> web.Response:
        text = request.match_info["attachment"]
        kind, data = self.state.files.get(int(text) if text.isdecimal() else 0, ("", b""))
        if not kind:
            return web.Response(status=404)
        return web.Response(body=data, headers={"Content-Type": kind})

    # The world's side

    def add_account(self, plan: AccountPlan) -> dict[str, str]:
        application = self.state.add_application(plan)
        return {
            "token": application.token,
            "base_url": API,
            "gateway_url": "/gateway",
            "application_id": str(application.id),
        }

    def add_place(self, plan: PlacePlan) -> None:
        self.state.add_place(plan)

    def add_person(self, *, name: str, language: str = "en") -> str:
        return str(self.state.add_person(name, language).id)

    async def open_direct(self, account: str, person: str, payload: str = "") -> bool:
        return True

    async def write(
        self, account: str, person: str, text: str, *, place: str = "direct", reply_to: Post | None = None
    ) -> str | None:
        application, author = self.state.applications[account], self.state.people[int(person)]
        if place == "direct":
            if author.id in application.blocked_by or author.id in application.guild.left:
                return None
            application.known.add(author.id)
            channel = self.state.direct(application, author)
        else:
            channel = self.state.channels[int(place)]
            guild = channel.guild
            if channel.type == ANNOUNCEMENT or guild is None or author.id in guild.left:
                return None
        if not len(text.strip()) >= 1 or len(text) > 2000:
            return None
        message = self.messages.write(author, channel, text, None if reply_to is None else int(reply_to.id))
        return str(message.id)

    async def rewrite(self, account: str, person: str, message: str, text: str, *, place: str = "direct") -> bool:
        """Edit a message of their own."""
        application, author = self.state.applications[account], self.state.people[int(person)]
        direct = place == "direct"
        channel = self.state.direct(application, author) if direct else self.state.channels[int(place)]
        found = channel.messages.get(int(message))
        if found is None or found.author is not author or not 1 <= len(text.strip()) <= len(text) <= 2000:
            return False
        self.messages.rewrite(found, text)
        return True

    async def vote(self, person: str, post: Post, option: int | None) -> bool:
        message, voter = self._message(post), self.state.people[int(person)]
        if message is None or not allowed_to_see(message, voter):
            return False
        return self.polls.vote(voter, message, None if option is None else option + 1)

    async def tap(self, person: str, post: Post, button: PostButton) -> bool:
        interaction = self._tapped(person, post, button)
        return interaction is not None and await self.interactions.outcome(interaction)

    async def fill(self, person: str, post: Post, button: PostButton, text: str) -> bool:
        interaction = self._tapped(person, post, button)
        if interaction is None or not await self.interactions.outcome(interaction) or interaction.modal is None:
            return False
        rows = filled(interaction.modal["components"], text)
        if rows is None:
            return False
        data: Json = {"custom_id": interaction.modal["custom_id"], "components": rows}
        submitted = self.interactions.begin(
            SUBMIT, interaction.person, interaction.channel, data, source=interaction.source, parent=interaction
        )
        return await self.interactions.outcome(submitted)

    async def block(self, account: str, person: str) -> None:
        self.state.applications[account].blocked_by.add(int(person))

    def visible_totals(self, post: Post) -> tuple[int, ...] | None:
        """Discord shows a running poll's result to everybody."""
        message = self._message(post)
        if message is None or message.poll is None:
            return None
        return tuple(len(voters) for voters in message.poll.voters.values())

    def _message(self, post: Post) -> Message | None:
        number = int(post.id)
        if number in self.state.hidden:
            return self.state.hidden[number]
        return self._channel(post).messages.get(number)

    def _channel(self, post: Post) -> Channel:
        if post.place != "direct":
            return self.state.channels[int(post.place)]
        assert post.to is not None
        return self.state.direct(self.state.applications[post.account], self.state.people[int(post.to)])

    def _tapped(self, person: str, post: Post, button: PostButton) -> Interaction | None:
        """The tap, put on the stream; ``None`` when there is no such button before the person."""
        message, tapper = self._message(post), self.state.people[int(person)]
        if message is None or not allowed_to_see(message, tapper):
            return None
        for shown, data in buttons_of(message.components):
            if shown.data == button.data:
                return self.interactions.begin(COMPONENT, tapper, message.channel, data, source=message)
        return None

    # Discord's own

    async def command(
        self, account: str, person: str, name: str, *, place: str = "direct", options: dict[str, str] | None = None
    ) -> bool:
        """Use a slash command. ``False`` when there is none of that name here, or this person may not use it."""
        application, author = self.state.applications[account], self.state.people[int(person)]
        channel = self.state.direct(application, author) if place == "direct" else self.state.channels[int(place)]
        for command in application.every_command():
            if command["name"] == name and self._may_use(command, channel, author):
                given = [{"type": 3, "name": key, "value": value} for key, value in (options or {}).items()]
                data = {"id": command["id"], "name": name, "type": command["type"], "options": given}
                if "guild_id" in command:
                    data["guild_id"] = command["guild_id"]
                interaction = self.interactions.begin(COMMAND, author, channel, data)
                return await self.interactions.outcome(interaction)
        return False

    async def use(self, account: str, person: str, line: str, *, place: str) -> bool:
        """Type a slash command with its slash; the words behind it go into the first field that it offers."""
        name, _, words = line.removeprefix("/").partition(" ")
        known = (command for command in self.state.applications[account].every_command() if command["name"] == name)
        fields = [field["name"] for command in known for field in command.get("options", ())]
        options = {fields[0]: words.strip()} if fields and words.strip() else None
        return await self.command(account, person, name, place=place, options=options)

    def _may_use(self, command: Json, channel: Channel, person: Person) -> bool:
        guild = channel.guild
        context = 1 if guild is None else 0
        if command.get("contexts") is not None and context not in command["contexts"]:
            return False
        if guild is None:
            return "guild_id" not in command
        if permissions_of(guild, person) & ADMINISTRATOR:
            return True
        needed = command["default_member_permissions"]
        return needed is None or (needed != "0" and permissions_of(guild, person) & int(needed) == int(needed))

    def promote(self, account: str, place: str, person: str) -> None:
        """Give a person the role of the team, which carries ADMINISTRATOR in the whole guild."""
        del place
        self.state.applications[account].guild.admins.add(int(person))

    def leave(self, account: str, person: str) -> None:
        """The person leaves the account's guild."""
        self.state.applications[account].guild.left.add(int(person))

    def allow_intents(self, account: str, intents: int) -> None:
        """Switch on privileged intents, as the application's owner does in the portal."""
        self.state.applications[account].privileged = intents

    def deny(self, place: str, permissions: int) -> None:
        """Take permissions away from the bot in a place."""
        self.state.channels[int(place)].denied = permissions

    async def drop_connections(self, account: str, code: int = 4000) -> None:
        """Cut the account's gateway connections; its sessions stay resumable."""
        await self.gateway.drop(self.state.applications[account], code)

    def ask_reconnect(self, account: str) -> None:
        """Op 7."""
        self.gateway.ask_reconnect(self.state.applications[account])

    def invalidate_sessions(self, account: str) -> None:
        """Op 9: the account's sessions cannot be resumed."""
        self.gateway.invalidate(self.state.applications[account])
