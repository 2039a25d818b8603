"""Telegram's stand-in: the Bot API over HTTP on one side, people with the app on the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import PurePosixPath
from typing import Any

from aiohttp import web

from sandbox.clocks import Clocks
from sandbox.rules import Rules
from sandbox.seam import AccountPlan, PlacePlan, Post, PostButton
from sandbox.telegram import editing, knowing, polling, sending
from sandbox.telegram.errors import Refused
from sandbox.telegram.fields import Fields, read_fields
from sandbox.telegram.model import Bot, Person
from sandbox.telegram.people import People
from sandbox.telegram.state import State
from sandbox.telegram.updates import Stream, encoded

Method = Callable[[State, Bot, Fields], Any]

METHODS: dict[str, Method] = {
    "getme": knowing.get_me,
    "setwebhook": knowing.set_webhook,
    "deletewebhook": knowing.delete_webhook,
    "getwebhookinfo": knowing.get_webhook_info,
    "getchat": knowing.get_chat,
    "getchatmember": knowing.get_chat_member,
    "getchatadministrators": knowing.get_chat_administrators,
    "setmycommands": knowing.set_my_commands,
    "getmycommands": knowing.get_my_commands,
    "getfile": knowing.get_file,
    "sendmessage": sending.send_message,
    "sendphoto": sending.send_photo,
    "sendchataction": sending.send_chat_action,
    "answercallbackquery": sending.answer_callback_query,
    "sendpoll": polling.send_poll,
    "stoppoll": polling.stop_poll,
    "editmessagetext": editing.edit_message_text,
    "editmessagecaption": editing.edit_message_caption,
    "editmessagemedia": editing.edit_message_media,
    "editmessagereplymarkup": editing.edit_message_reply_markup,
    "deletemessage": editing.delete_message,
}
"""Names are not case-sensitive. getUpdates waits and is therefore not here."""


class TelegramStandIn:
    """Keeps the ``StandIn`` protocol; ``promote``, ``kick``, ``upgrade`` and ``rewrite`` are Telegram's own acts."""

    platform = "telegram"

    def __init__(self, clocks: Clocks, rules: Rules, watcher: Callable[[Post], None]) -> None:
        self._state = self.state = State(clocks, rules, watcher)
        self._rules = rules
        self._people = People(self._state)

    # the Bot API

    def application(self) -> web.Application:
        """The Bot API, to be mounted under ``/telegram``."""
        app = web.Application(client_max_size=50 * 2**20)
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        app.router.add_route("*", "/{anything:.*}", self._nothing)
        app.cleanup_ctx.append(self._timers)
        return app

    async def _timers(self, _: web.Application) -> AsyncIterator[None]:
        yield
        self._state.unwind()

    async def _call(self, request: web.Request) -> web.Response:
        try:
            return _answer(await self._result(request))
        except Refused as refused:
            return _refusal(refused)

    async def _nothing(self, _: web.Request) -> web.Response:
        return _refusal(Refused(404, "Not Found"))

    async def _result(self, request: web.Request) -> bytes:
        bot = self._state.bots.get(request.match_info["token"])
        if bot is None:
            if self._rules.on("telegram.auth.token") or not self._state.bots:
                raise Refused(401, "Unauthorized")
            bot = next(iter(self._state.bots.values()))
        name = request.match_info["method"].lower()
        if name == "getupdates":
            return await self._updates(bot, await read_fields(request))
        method = METHODS.get(name)
        if method is None:
            if self._rules.on("telegram.method.known"):
                raise Refused(404, "Not Found: method not found")
            return b"true"
        return encoded(method(self._state, bot, await read_fields(request)))

    async def _updates(self, bot: Bot, fields: Fields) -> bytes:
        bot.stream.allow(knowing.kinds_named(fields))
        self._state.close_due()
        batch = await bot.stream.take(fields.integer("offset"), fields.integer("limit", 100), fields.integer("timeout"))
        return b"[" + b",".join(batch) + b"]"

    async def _download(self, request: web.Request) -> web.Response:
        bot = self._state.bots.get(request.match_info["token"])
        if bot is None:
            return _refusal(Refused(401, "Unauthorized"))
        path, content = bot.files.get(PurePosixPath(request.match_info["path"]).stem, ("", b""))
        if path == request.match_info["path"]:
            return web.Response(body=content, content_type="application/octet-stream")
        return _refusal(Refused(404, "Not Found"))

    # who exists

    def add_account(self, plan: AccountPlan) -> dict[str, str]:
        """Create the bot. Returns its ``token`` and the ``base_url`` of the Bot API."""
        return {"token": self._state.add_bot(plan).token, "base_url": "/"}

    def add_place(self, plan: PlacePlan) -> None:
        """Create a group or a channel with the bot in it: a plain member of groups, in privacy mode; an administrator
        of channels."""
        self._state.add_chat(plan)

    def add_person(self, *, name: str, language: str = "en") -> str:
        """Somebody joins Telegram and every group and channel."""
        return str(self._state.add_person(name, language).id)

    def _who(self, account: str, person: str) -> tuple[Bot, Person]:
        return self._state.accounts[account], self._state.people[int(person)]

    def stream(self, account: str) -> Stream:
        """The updates of an account, for who watches or breaks them."""
        return self._state.accounts[account].stream

    # what people do

    async def open_direct(self, account: str, person: str, payload: str = "") -> bool:
        """Press Start. ``False`` when the payload is not one that a deep link can carry."""
        return self._people.start(*self._who(account, person), payload)

    async def write(
        self, account: str, person: str, text: str, *, place: str = "direct", reply_to: Post | None = None
    ) -> str | None:
        """Write to the bot, or in a group. ``None`` where there is only a Start or Unblock button, and in channels."""
        bot, who = self._who(account, person)
        chat = self._people.chat_of(bot, who, place)
        if chat is None:
            return None
        replied = self._people.message_of(reply_to) if reply_to is not None else None
        return str(self._people.say(chat, who, text, replied).id)

    async def use(self, account: str, person: str, line: str, *, place: str) -> bool:
        """Choose a command from the list that opens with the slash: the app adds the bot's name."""
        name, blank, words = line.partition(" ")
        command = f"{name}@{self.state.accounts[account].username}{blank}{words}"
        return await self.write(account, person, command, place=place) is not None

    async def rewrite(self, account: str, person: str, message: str, text: str, *, place: str = "direct") -> bool:
        """Edit a message of their own."""
        bot, who = self._who(account, person)
        chat = self._people.chat_of(bot, who, place)
        found = chat.messages.get(int(message)) if chat is not None else None
        return chat is not None and found is not None and self._people.rewrite(chat, who, found, text)

    async def vote(self, person: str, post: Post, option: int | None) -> bool:
        """Vote for an option, or take the vote back. ``False`` when the app would not let them."""
        message = self._people.message_of(post)
        return message is not None and self._people.vote(self._state.people[int(person)], message, option)

    async def tap(self, person: str, post: Post, button: PostButton) -> bool:
        """Tap a button. ``False`` when it is gone."""
        message = self._people.message_of(post)
        return message is not None and self._people.tap(self._state.people[int(person)], message, button)

    async def fill(self, person: str, post: Post, button: PostButton, text: str) -> bool:
        """Telegram's buttons open no forms."""
        return False

    async def block(self, account: str, person: str) -> None:
        """Block the bot."""
        self._people.block(*self._who(account, person))

    def visible_totals(self, post: Post) -> tuple[int, ...] | None:
        """What somebody who voted sees; ``None`` while results are hidden until the end."""
        message = self._people.message_of(post)
        if message is None or message.poll is None:
            return None
        self._state.close_due()
        return None if message.poll.results_hidden else tuple(message.poll.counts)

    def poll_id(self, post: Post) -> str:
        """A poll's own id, under which it comes by; empty where there is none."""
        message = self._people.message_of(post)
        return message.poll.id if message is not None and message.poll is not None else ""

    # what owners of places do

    def promote(self, account: str, place: str, person: str) -> None:
        """Make somebody an administrator of a group or channel."""
        del account
        self._state.chats[int(place)].administrators.add(int(person))

    def kick(self, account: str, place: str) -> None:
        """Remove the bot from a group or channel."""
        self._people.kick(self._state.accounts[account], self._state.chats[int(place)])

    def upgrade(self, place: str) -> str:
        """Turn a basic group into a supergroup. Returns its new id."""
        return str(self._state.upgrade(self._state.chats[int(place)]).id)


def _answer(result: bytes) -> web.Response:
    return web.Response(body=b'{"ok":true,"result":' + result + b"}", content_type="application/json")


def _refusal(refused: Refused) -> web.Response:
    body: dict[str, Any] = {"ok": False, "error_code": refused.code, "description": refused.description}
    headers = {}
    if refused.parameters:
        body["parameters"] = refused.parameters
    if "retry_after" in refused.parameters:
        headers["Retry-After"] = str(refused.parameters["retry_after"])
    return web.Response(body=encoded(body), status=refused.code, content_type="application/json", headers=headers)
