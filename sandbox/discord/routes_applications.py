"""``/gateway``, ``/applications`` and ``/interactions``: where to connect, the commands, the answers to taps.

Source: https://discord.com/developers/docs/interactions/application-commands, …/receiving-and-responding
"""

from __future__ import annotations

import re

from aiohttp import web

from sandbox.discord.connection import DAY_S, IDENTIFIES_A_DAY, MAX_CONCURRENCY
from sandbox.discord.errors import Form, Refusal
from sandbox.discord.interactions import Interaction, callback_json
from sandbox.discord.limits import VIA, Rate, answer_json
from sandbox.discord.model import Json
from sandbox.discord.payload import application_json, message_json
from sandbox.discord.reading import path_id, query_flag, read_body
from sandbox.discord.rest import API, WRITE, Call, Rest, answer_nothing

COMMAND_NAME = re.compile(r"[-_'\w]{1,32}")
FOLLOW_UPS = Rate(5, 2.0)
HOOK = "/webhooks/{application_id}/{token}"


class ApplicationRoutes:
    """What can be asked about the application, and what it answers to people."""

    def __init__(self, rest: Rest) -> None:
        self.rest, self.state = rest, rest.state
        rest.add_open("GET", "/gateway", self.gateway)
        rest.add("GET", "/gateway/bot", self.gateway_bot)
        rest.add("GET", "/oauth2/applications/@me", self.application)
        rest.add("GET", "/applications/@me", self.application)
        for path in ("/applications/{application_id}", "/applications/{application_id}/guilds/{guild_id}"):
            rest.add("GET", path + "/commands", self.commands)
            rest.add("PUT", path + "/commands", self.replace_commands, WRITE)
            rest.add("POST", path + "/commands", self.create_command, WRITE)
            rest.add("DELETE", path + "/commands/{command_id}", self.delete_command, WRITE)
        rest.add_open("POST", "/interactions/{interaction_id}/{token}/callback", self.callback)
        rest.add_open("POST", HOOK, self.follow_up)
        rest.add_open("GET", HOOK + "/messages/{message_id}", self.get_answer)
        rest.add_open("PATCH", HOOK + "/messages/{message_id}", self.edit_answer)
        rest.add_open("DELETE", HOOK + "/messages/{message_id}", self.delete_answer)

    def _address(self, request: web.Request) -> str:
        return f"{request.scheme.replace('http', 'ws')}://{request.host}{request.path.partition(API)[0]}/gateway"

    async def gateway(self, request: web.Request) -> web.Response:
        return answer_json({"url": self._address(request)})

    async def gateway_bot(self, call: Call) -> web.Response:
        now, started = self.state.clocks.wire(), call.application.identified
        today = [at for at in started if at > now - DAY_S]
        limit = {
            "total": IDENTIFIES_A_DAY,
            "remaining": IDENTIFIES_A_DAY - len(today),
            "reset_after": int((min(today) + DAY_S - now) * 1000) if today else 0,
            "max_concurrency": MAX_CONCURRENCY,
        }
        return answer_json({"url": self._address(call.request), "shards": 1, "session_start_limit": limit})

    async def application(self, call: Call) -> web.Response:
        return answer_json(application_json(call.application))

    def _scope(self, call: Call) -> dict[int, Json]:
        """The commands of the guild in the path, or those known everywhere. Raises: Refusal."""
        if path_id(call.request, "application_id") != call.application.id and self.state.rules.on("discord.access"):
            raise Refusal(50001)
        guild = 0
        if "guild_id" in call.request.match_info:
            guild = self.state.guild(call.application, path_id(call.request, "guild_id")).id
        return call.application.commands.setdefault(guild, {})

    async def commands(self, call: Call) -> web.Response:
        return answer_json(list(self._scope(call).values()))

    async def replace_commands(self, call: Call) -> web.Response:
        raw, scope = (await read_body(call.request)).json, self._scope(call)
        form = Form()
        if not isinstance(raw, list) or not all(isinstance(each, dict) for each in raw):
            form.wrong([], "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        form.done()
        if self.state.rules.on("discord.commands.count") and len(raw) > 100:
            form.wrong([], "BASE_TYPE_MAX_LENGTH", "Must be 100 or fewer in length.")
        made = [self._command(call, each, form, [at]) for at, each in enumerate(raw)]
        form.done()
        earlier = {command["name"]: command["id"] for command in scope.values()}
        scope.clear()
        for command in made:
            command["id"] = earlier.get(command["name"], command["id"])
            scope[int(command["id"])] = command
        return answer_json(made)

    async def create_command(self, call: Call) -> web.Response:
        raw, scope = (await read_body(call.request)).fields, self._scope(call)
        form = Form()
        command = self._command(call, raw, form, [])
        form.done()
        same = next((each for each in scope.values() if each["name"] == command["name"]), None)
        if same is not None:
            command["id"] = same["id"]
        scope[int(command["id"])] = command
        return answer_json(command, 201 if same is None else 200)

    async def delete_command(self, call: Call) -> web.Response:
        if self._scope(call).pop(path_id(call.request, "command_id"), None) is None:
            raise Refusal(10063)
        return answer_nothing()

    def _command(self, call: Call, raw: Json, form: Form, path: list[str | int]) -> Json:
        name, kind = str(raw.get("name") or ""), raw.get("type") or 1
        description = str(raw.get("description") or "")
        on = self.state.rules.on
        if on("discord.commands.name") and (
            not 1 <= len(name) <= 32 or (kind == 1 and (name != name.lower() or not COMMAND_NAME.fullmatch(name)))
        ):
            form.wrong([*path, "name"], "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
        if on("discord.commands.description") and kind == 1 and not 1 <= len(description) <= 100:
            form.bad_length([*path, "description"], 1, 100)
        number = str(self.state.snowflakes.next())
        permissions = raw.get("default_member_permissions")
        command: Json = {
            "id": number,
            "version": number,
            "application_id": str(call.application.id),
            "type": kind,
            "name": name,
            "description": description,
            "default_member_permissions": None if permissions is None else str(permissions),
            "nsfw": bool(raw.get("nsfw")),
            "integration_types": raw.get("integration_types") or [0],
            "contexts": raw.get("contexts"),
        }
        if raw.get("options"):
            command["options"] = raw["options"]
        if "guild_id" in call.request.match_info:
            command["guild_id"] = call.request.match_info["guild_id"]
        return command

    async def callback(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        number = path_id(request, "interaction_id")
        interaction = self.rest.interactions.answer(number, request.match_info["token"], body)
        if query_flag(request, "with_response"):
            response = answer_json(callback_json(interaction, body.fields["type"]))
        else:
            response = answer_nothing()
        response.headers.update(VIA)
        return response

    def _webhook(self, request: web.Request) -> Interaction:
        return self.rest.interactions.webhook(path_id(request, "application_id"), request.match_info["token"])

    async def follow_up(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        interaction = self._webhook(request)
        bucket, limited = self.rest.limits.take(interaction.token, "POST " + HOOK, "", FOLLOW_UPS)
        if limited is not None:
            return limited
        message = self.rest.interactions.follow_up(interaction, body)
        response = answer_json(message_json(message))
        response.headers.update(bucket.headers(self.state.clocks.wire()) | VIA)
        return response

    async def get_answer(self, request: web.Request) -> web.Response:
        interaction = self._webhook(request)
        message = self.rest.interactions.message_of(interaction, request.match_info["message_id"])
        return answer_json(message_json(message))

    async def edit_answer(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        interaction = self._webhook(request)
        message = self.rest.interactions.message_of(interaction, request.match_info["message_id"])
        self.rest.messages.edit(message, body)
        return answer_json(message_json(message))

    async def delete_answer(self, request: web.Request) -> web.Response:
        interaction = self._webhook(request)
        message = self.rest.interactions.message_of(interaction, request.match_info["message_id"])
        self.rest.messages.delete(message)
        return answer_nothing()
