"""``/users``, ``/guilds``: the bot itself, people, direct channels, guilds and their members.

Source: https://discord.com/developers/docs/resources/user, https://discord.com/developers/docs/resources/guild
"""

from __future__ import annotations

from itertools import islice

from aiohttp import web

from sandbox.discord.errors import Refusal, misfit
from sandbox.discord.limits import Rate, answer_json
from sandbox.discord.model import Application, Channel, Guild, Json, Person
from sandbox.discord.payload import channel_json, me_json, member_json, permissions_of, person_json
from sandbox.discord.payload_guild import guild_json, roles_json
from sandbox.discord.reading import path_id, query_flag, query_id, query_number, read_body, to_snowflake
from sandbox.discord.rest import LIST, Call, Rest
from sandbox.discord.session import GUILD_MEMBERS

STRANGERS, STRANGERS_S = 10, 600.0
"""How many direct channels to people who never used the bot may be opened in how long (wire). Discord publishes no
number; bots are reported to be stopped after "a few dozen", so this is the harsher guess."""


class PeopleRoutes:
    """What can be asked about people and guilds."""

    def __init__(self, rest: Rest) -> None:
        self.rest, self.state = rest, rest.state
        rest.add("GET", "/users/@me", self.me)
        rest.add("GET", "/users/@me/guilds", self.my_guilds)
        rest.add("POST", "/users/@me/channels", self.open_direct, Rate(10, 1.0))
        rest.add("GET", "/users/{user_id}", self.person)
        by_guild = "guild_id"
        rest.add("GET", "/guilds/{guild_id}", self.guild, major=by_guild)
        rest.add("GET", "/guilds/{guild_id}/channels", self.channels, major=by_guild)
        rest.add("GET", "/guilds/{guild_id}/roles", self.roles, major=by_guild)
        rest.add("GET", "/guilds/{guild_id}/members", self.members, LIST, by_guild)
        rest.add("GET", "/guilds/{guild_id}/members/search", self.search, LIST, by_guild)
        rest.add("GET", "/guilds/{guild_id}/members/{user_id}", self.member, LIST, by_guild)

    async def me(self, call: Call) -> web.Response:
        return answer_json(me_json(call.application))

    async def my_guilds(self, call: Call) -> web.Response:
        guild = call.application.guild
        own: Json = {
            "id": str(guild.id),
            "name": guild.name,
            "icon": None,
            "banner": None,
            "owner": False,
            "permissions": str(permissions_of(guild, call.application.bot)),
            "features": [],
        }
        return answer_json([own])

    async def person(self, call: Call) -> web.Response:
        number = path_id(call.request, "user_id")
        person = self.state.people.get(number) or self.state.member(call.application.guild, number)
        if person is None:
            raise Refusal(10013)
        return answer_json(person_json(person))

    async def open_direct(self, call: Call) -> web.Response:
        raw = (await read_body(call.request)).fields
        number = to_snowflake(raw.get("recipient_id"), "recipient_id")
        person = self.state.people.get(number)
        if person is None:
            raise Refusal(50033)
        return answer_json(channel_json(self._open(call.application, person)))

    def _open(self, application: Application, person: Person) -> Channel:
        if person.id not in application.directs and person.id not in application.known:
            now = self.state.clocks.wire()
            application.opened = [at for at in application.opened if at > now - STRANGERS_S]
            if len(application.opened) >= STRANGERS and self.state.rules.on("discord.direct.pace"):
                raise Refusal(40003)
            application.opened.append(now)
        return self.state.direct(application, person)

    def _guild(self, call: Call) -> Guild:
        return self.state.guild(call.application, path_id(call.request, "guild_id"))

    async def guild(self, call: Call) -> web.Response:
        guild = self._guild(call)
        body = guild_json(guild)
        if query_flag(call.request, "with_counts"):
            count = 2 + len(self.state.people) - len(guild.left)
            body |= {"approximate_member_count": count, "approximate_presence_count": 1}
        return answer_json(body)

    async def channels(self, call: Call) -> web.Response:
        guild = self._guild(call)
        return answer_json([channel_json(channel) for channel in guild.channels.values() if channel.parent is None])

    async def roles(self, call: Call) -> web.Response:
        return answer_json(roles_json(self._guild(call)))

    async def member(self, call: Call) -> web.Response:
        guild, number = self._guild(call), path_id(call.request, "user_id")
        person = self.state.member(guild, number)
        if person is None:
            raise Refusal(10007 if number in self.state.people else 10013)
        return answer_json(member_json(guild, person))

    async def members(self, call: Call) -> web.Response:
        """Needs the privileged GUILD_MEMBERS intent."""
        guild, on = self._guild(call), self.state.rules.on
        if not call.application.privileged & GUILD_MEMBERS and on("discord.members.intent"):
            raise Refusal(50001)
        limit = query_number(call.request, "limit", 1, 1, 1000, enforced=on("discord.members.limit"))
        after = query_id(call.request, "after") or 0
        everybody = sorted(self._everybody(guild), key=lambda person: person.id)
        page = islice((person for person in everybody if person.id > after), limit)
        return answer_json([member_json(guild, person) for person in page])

    async def search(self, call: Call) -> web.Response:
        guild, query = self._guild(call), call.request.query.get("query", "")
        enforced = self.state.rules.on("discord.members.limit")
        limit = query_number(call.request, "limit", 1, 1, 1000, enforced=enforced)
        if enforced and not 1 <= len(query) <= 100:
            raise misfit(["query"], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        wanted = query.lower()
        found = (person for person in self._everybody(guild) if person.name.lower().startswith(wanted))
        return answer_json([member_json(guild, person) for person in islice(found, limit)])

    def _everybody(self, guild: Guild) -> list[Person]:
        rest = (person for person in self.state.people.values() if person.id not in guild.left)
        return [guild.application.bot, guild.owner, *rest]
