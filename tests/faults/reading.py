"""What a request to a stand-in means: whose it is, whether it says something and to whom, and what it confirms.

And what an answer or a gateway event hands out: the ids under which the service must keep it, in code of our own, so
that an adapter that leaves something out is noticed. ``tests/faults/test_reading.py`` holds it against ``bots``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from sandbox.discord import DiscordStandIn
from sandbox.discord.model import Channel
from sandbox.discord.reading import read_body
from sandbox.server import Sandbox
from sandbox.telegram.errors import Refused
from sandbox.telegram.fields import read_fields

Json = Mapping[str, Any]

DEFERRALS = frozenset({5, 6})
MODAL = 9
_SAYS = frozenset({"sendmessage", "sendphoto", "sendpoll"})
_ALSO_SAYS = frozenset({"editmessagetext", "editmessagecaption", "editmessagemedia", "answercallbackquery"})
_CALLBACK = re.compile(r"/api/v10/interactions/(\d+)/[^/]+/callback")
_HOOK = re.compile(r"/api/v10/webhooks/(\d+)/([^/]+)(?:/messages/.+)?")
_MESSAGES = re.compile(r"/api/v10/channels/(\d+)/messages(?:/(\d+))?")
_DIRECT = re.compile(r"/2/dm_conversations/with/(\d+)/messages")
_IDS = re.compile(r"/[A-Za-z0-9_-]{60,}|/[0-9]+(?=/|$)")
_TOKEN = re.compile(r'oauth_token="([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class What:
    """One request, understood."""

    account: str = ""
    name: str = ""
    """The method or route without ids, to count by."""
    says: bool = False
    """Whether people see something by it."""
    outbox: bool = False
    """Whether it is what an outbox row is sent by."""
    text: str = ""
    place: str = ""
    to: str = ""
    nonce: str = ""
    offset: int = 0
    """Of getUpdates: everything below is confirmed."""
    query: str = ""
    """Of answerCallbackQuery."""
    interaction: int = 0
    """Answered by it."""
    answer: int = 0
    """The type of that answer; 0 for a follow-up."""


class Reader:
    """Knows the accounts of a sandbox by their credentials."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._tokens = {
            token: name
            for name, given in sandbox.credentials.items()
            for key in ("token", "access_token", "bearer_token", "user_bearer_token")
            if (token := given.get(key))
        }
        discord = sandbox.stand_ins["discord"]
        assert isinstance(discord, DiscordStandIn)
        self._discord = discord

    async def read(self, platform: str, path: str, request: web.Request) -> What:
        """Understand one request; ``path`` is what stands below the platform."""
        if platform == "telegram":
            return await self._telegram(path, request)
        if platform == "discord":
            return await self._on_discord(path, request)
        return await self._x(path, request)

    async def _telegram(self, path: str, request: web.Request) -> What:
        token, _, method = path.removeprefix("/bot").partition("/")
        method, account = method.lower(), self._tokens.get(token, "")
        try:
            fields = await read_fields(request)
        except Refused:
            return What(account=account, name=method)
        chat, media = fields.text("chat_id"), fields.json("media", "media")
        caption = str(media.get("caption", "")) if isinstance(media, dict) else ""
        return What(
            account=account,
            name=method,
            says=method in _SAYS or method in _ALSO_SAYS,
            outbox=method in _SAYS,
            text=fields.text("text") or fields.text("caption") or fields.text("question") or caption,
            place="direct" if chat.isdecimal() else chat,
            to=chat if chat.isdecimal() else "",
            offset=max(0, fields.integer("offset")) if method == "getupdates" else 0,
            query=fields.text("callback_query_id") if method == "answercallbackquery" else "",
        )

    async def _on_discord(self, path: str, request: web.Request) -> What:
        name = f"{request.method} {_IDS.sub('/_', path.removeprefix('/api/v10'))}"
        account = self._tokens.get(request.headers.get("Authorization", "").removeprefix("Bot "), "")
        if request.method not in ("POST", "PATCH"):
            return What(account=account, name=name)
        body = (await read_body(request)).json
        body = body if isinstance(body, dict) else {}
        if found := _CALLBACK.fullmatch(path):
            return self._answer(name, int(found[1]), int(body.get("type") or 0), body.get("data") or {})
        if found := _HOOK.fullmatch(path):
            interaction = self._discord.interactions.by_token.get(found[2])
            return self._answer(name, interaction.id if interaction else 0, 0, body)
        found = _MESSAGES.fullmatch(path)
        if found is None:
            return What(account=account, name=name)
        channel = self._discord.state.channels.get(int(found[1]))
        person = channel.recipient if channel else None
        return What(
            account=account,
            name=name,
            says=True,
            outbox=found[2] is None,
            text=_said(body),
            place=_place(channel, found[1]) if person is None else "direct",
            to="" if person is None else str(person.id),
            nonce=str(body.get("nonce") or ""),
        )

    def _answer(self, name: str, number: int, kind: int, said: Json) -> What:
        interaction = self._discord.interactions.by_id.get(number)
        return What(
            account=interaction.application.name if interaction else "",
            name=name,
            says=kind not in (*DEFERRALS, MODAL),
            text=_said(said),
            place=str(interaction.channel.id) if interaction else "",
            to=str(interaction.person.id) if interaction else "",
            interaction=number,
            answer=kind,
        )

    async def _x(self, path: str, request: web.Request) -> What:
        header = request.headers.get("Authorization", "")
        found = _TOKEN.search(header)
        account = self._tokens.get(found[1] if found else header.removeprefix("Bearer "), "")
        name = f"{request.method} {_IDS.sub('/_', path)}"
        direct = _DIRECT.fullmatch(path)
        if request.method != "POST" or (path != "/2/tweets" and direct is None):
            return What(account=account, name=name)
        try:
            body = json.loads(await request.read())
        except ValueError:
            body = {}
        text = str(body.get("text", "")) if isinstance(body, dict) else ""
        to = direct[1] if direct else ""
        place = "direct" if direct else "timeline"
        return What(account=account, name=name, says=True, outbox=True, text=text, place=place, to=to)


def _said(body: Json) -> str:
    poll = body.get("poll")
    question = poll.get("question", {}).get("text", "") if isinstance(poll, dict) else ""
    below = [str(embed.get("description", "")) for embed in body.get("embeds") or () if isinstance(embed, dict)]
    return "\n".join([str(body.get("content") or question or ""), *below])


def _place(channel: Channel | None, id: str) -> str:
    """Where people see it: a thread stands in its channel."""
    return str(channel.parent.id) if channel is not None and channel.parent is not None else id


# -- what is handed out ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """One thing that a person did, as the platform hands it out."""

    event: str
    """The id under which it is kept."""
    person: str
    update: int = 0
    """Telegram: its number in the stream."""
    query: str = ""
    """Telegram: the id under which a tap is answered."""
    interaction: int = 0
    """Discord: the id under which a tap is answered."""


_MALFORMED = (KeyError, TypeError, ValueError, AttributeError)
"""What is not as documented may be set aside by the service: nobody expects it to be kept."""


def updates(raw: Any) -> Iterator[Handed]:
    """Telegram: what a person did, among the updates of an answer."""
    for update in raw if isinstance(raw, list) else ():
        try:
            found = _update(update)
        except _MALFORMED:
            continue
        if found is not None:
            yield found


def _update(update: Json) -> Handed | None:
    number = int(update["update_id"])
    if "message" in update or "edited_message" in update:
        message = update.get("message") or update["edited_message"]
        person, words = message.get("from") or {}, message.get("text") or message.get("caption")
        passed_on = any(name in message for name in ("sender_chat", "forward_origin", "via_bot"))
        if passed_on or not words or not person or person.get("is_bot"):
            return None
        edited = "" if "message" in update else f":{message.get('edit_date') or message['date']}"
        return Handed(event=f"u{number}{edited}", person=_id(person), update=number)
    if tap := update.get("callback_query"):
        person = tap["from"]
        if not isinstance(tap.get("data"), str) or person.get("is_bot"):
            return None
        return Handed(event=f"u{number}", person=_id(person), update=number, query=tap["id"])
    if vote := update.get("poll_answer"):
        person = vote.get("user")
        if person is None or "voter_chat" in vote or person.get("is_bot"):
            return None
        return Handed(event=f"u{number}", person=_id(person), update=number)
    change = update.get("my_chat_member")
    if change and change["chat"]["type"] == "private" and change["new_chat_member"]["status"] == "kicked":
        return Handed(event=f"u{number}", person=_id(change["chat"]), update=number)
    return None


def _id(person: Json) -> str:
    """Telegram's ids are numbers. Raises ``TypeError``."""
    if not isinstance(person["id"], int):
        raise TypeError("an id is a number")
    return str(person["id"])


def gateway_event(frame: bytes, bot: str, session: str) -> Handed | None:
    """Discord: what a person did, if this event tells it. ``bot`` is the bot's own id, ``session`` the session's: its
    place in that is the only name of a vote."""
    told = json.loads(frame)
    try:
        return _event(told.get("t"), told.get("d"), bot, vote_name(session, told["s"]))
    except _MALFORMED:
        return None


def vote_name(session: str, sequence: int) -> str:
    """Discord: the id under which the event of a vote is kept."""
    return f"v{hashlib.sha256(session.encode()).hexdigest()[:10]}:{sequence}"


def _event(kind: str, data: Json, bot: str, vote: str) -> Handed | None:
    if kind == "INTERACTION_CREATE" and _is_ours(data):
        person = (data.get("user") or data["member"]["user"])["id"]
        return Handed(event=f"i{data['id']}", person=person, interaction=int(data["id"]))
    if kind in ("MESSAGE_POLL_VOTE_ADD", "MESSAGE_POLL_VOTE_REMOVE"):
        int(data["message_id"]), int(data["answer_id"])
        return Handed(event=vote, person=data["user_id"])
    edited = data.get("edited_timestamp") if kind == "MESSAGE_UPDATE" else None
    if (kind != "MESSAGE_CREATE" and not edited) or data["type"] not in (0, 19) or data["author"].get("bot"):
        return None
    for_us = "guild_id" not in data or _is_for(data, bot)
    again = f":{round(datetime.fromisoformat(edited).timestamp() * 1_000)}" if edited else ""
    return Handed(event=f"m{data['id']}{again}", person=data["author"]["id"]) if for_us else None


def _is_ours(interaction: Json) -> bool:
    """A button or a form, and no menu."""
    kind, data = interaction.get("type"), interaction.get("data") or {}
    return kind == 5 or (kind == 3 and data.get("component_type") == 2)


def _is_for(message: Json, bot: str) -> bool:
    answered = message.get("referenced_message") or {}
    ours = answered.get("author", {}).get("id") == bot
    return any(person["id"] == bot for person in message.get("mentions", ())) or (ours and bool(message["content"]))


def page(path: str, body: Json, me: str) -> Iterator[Handed]:
    """X: what persons did, among the items of an answer. ``me`` is the account's own id."""
    items = body.get("data")
    for item in items if isinstance(items, list) else ():
        try:
            if path.endswith("/mentions"):
                author, mine = item["author_id"], "p"
                ours = "retweeted" not in {one["type"] for one in item.get("referenced_tweets", ())}
            else:
                author, mine = item["sender_id"], "d"
                ours = item["event_type"] == "MessageCreate" and "-" in item["dm_conversation_id"]
            if ours and author != me and item["created_at"]:
                yield Handed(event=f"{mine}{int(item['id'])}", person=author)
        except _MALFORMED:
            continue
