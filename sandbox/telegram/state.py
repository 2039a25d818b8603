"""Everything that exists on the stand-in, and the few acts that the bot's side and the people's side share."""

from __future__ import annotations

import asyncio
import heapq
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sandbox.clocks import Clocks
from sandbox.rules import Rules
from sandbox.seam import AccountPlan, PlacePlan, Post
from sandbox.telegram.errors import Refused, bad_request, forbidden
from sandbox.telegram.fields import Fields
from sandbox.telegram.keyboard import tappable
from sandbox.telegram.model import Bot, Chat, Draft, Message, Person, Wire
from sandbox.telegram.polls import Poll
from sandbox.telegram.rates import Rates
from sandbox.telegram.updates import Stream

FIRST_PERSON = 7_000_000_001
"""Ids of people do not fit 32 bits, as on Telegram."""


class State:
    """Bots, people, chats and open polls of one stand-in; every look-up is by key."""

    def __init__(self, clocks: Clocks, rules: Rules, watcher: Callable[[Post], None]) -> None:
        self.clocks = clocks
        self.rules = rules
        self.watcher = watcher
        self.bots: dict[str, Bot] = {}
        """By token."""
        self.accounts: dict[str, Bot] = {}
        """By the account's name."""
        self.people: dict[int, Person] = {}
        self.chats: dict[int, Chat] = {}
        """Groups and channels."""
        self.private: dict[tuple[int, int], Chat] = {}
        """By bot and person: who pressed Start."""
        self._ends: list[tuple[datetime, str, Message]] = []
        self._polls = 0
        self._timer: asyncio.TimerHandle | None = None

    def add_bot(self, plan: AccountPlan) -> Bot:
        """Create a bot."""
        stream = Stream(self.clocks, self.rules, f"updates:{plan.name}")
        bot = Bot(plan.name, plan.title, stream, Rates(self.clocks, self.rules))
        self.bots[bot.token] = self.accounts[plan.name] = bot
        return bot

    def add_chat(self, plan: PlacePlan) -> Chat:
        """Create a place, or let one more bot into it. A basic group is one whose id does not begin with -100."""
        bot = self.accounts[plan.account]
        chat = self.chats.get(int(plan.id))
        if chat is None:
            kind = "channel" if plan.kind == "broadcast" else "supergroup" if plan.id.startswith("-100") else "group"
            chat = self.chats[int(plan.id)] = Chat(int(plan.id), kind, plan.title)
            chat.administrators.add(self.add_person(f"Owner of {plan.title}", "en").id)
        chat.bots[bot.id] = bot
        return chat

    def add_person(self, name: str, language: str) -> Person:
        """Somebody joins."""
        person = Person(FIRST_PERSON + len(self.people), name, language, self.clocks.now())
        self.people[person.id] = person
        return person

    def upgrade(self, chat: Chat) -> Chat:
        """A basic group becomes a supergroup with an id of its own; its bots are told."""
        new = Chat(chat.id - 1_000_000_000_000, "supergroup", chat.title, dict(chat.bots))
        new.administrators |= chat.administrators
        self.chats[new.id] = new
        chat.upgraded_to = new.id
        date = int(self.clocks.now().timestamp())
        told: Wire = {"message_id": chat.next_id(), "date": date, "chat": chat.wire(), "migrate_to_chat_id": new.id}
        for bot in chat.bots.values():
            bot.stream.put("message", told)
        return new

    def chat_named(self, bot: Bot, fields: Fields, name: str = "chat_id") -> Chat:
        """The chat that a request means, whether or not the bot may write there.

        Raises:
            Refused: no such chat, or the bot may not enter it.
        """
        given = fields.text(name)
        if not given:
            raise bad_request("chat_id is empty")
        number = int(given) if re.fullmatch(r"-?[0-9]{1,16}", given) else 0
        chat = self.chats.get(number) or self.private.get((bot.id, number))
        if chat is not None and chat.kind == "private":
            return chat
        if chat is None:
            if number in self.people:
                return self._stranger(bot, self.people[number])
            if self.rules.on("telegram.chat.known"):
                raise bad_request("chat not found")
            return Chat(number, "supergroup", "Nowhere", {bot.id: bot})
        if bot.id in chat.kicked and self.rules.on("telegram.chat.kicked"):
            raise forbidden(f"bot was kicked from the {chat.kind} chat")
        if bot.id not in chat.bots and self.rules.on("telegram.chat.known"):
            raise bad_request("chat not found")
        if chat.upgraded_to is not None and self.rules.on("telegram.chat.upgraded"):
            raise Refused(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                {"migrate_to_chat_id": chat.upgraded_to},
            )
        return chat

    def _stranger(self, bot: Bot, person: Person) -> Chat:
        """A person who never pressed Start. A bot that never met them does not even know that they exist."""
        if self.rules.on("telegram.chat.started"):
            if person.id in bot.seen:
                raise forbidden("bot can't initiate conversation with a user")
            raise bad_request("chat not found")
        return self.open_private(bot, person)

    def open_private(self, bot: Bot, person: Person) -> Chat:
        """The private chat of a bot and a person, made when it is not there yet."""
        chat = self.private.get((bot.id, person.id))
        if chat is None:
            chat = Chat(person.id, "private", person.name, {bot.id: bot}, person)
            self.private[bot.id, person.id] = chat
        return chat

    def post(self, bot: Bot, fields: Fields, draft: Draft) -> Message:
        """Put a message of the bot into the chat that the request means, and show it to whoever watches.

        Raises:
            Refused: no such chat, blocked, not started, no message to reply to, or too fast.
        """
        chat = self.chat_named(bot, fields)
        if chat.blocked and self.rules.on("telegram.chat.blocked"):
            raise forbidden("bot was blocked by the user")
        reply_to = self._replied(chat, fields)
        bot.rates.spend(chat.id, group=chat.kind != "private")
        message_id, now = chat.next_id(), self.clocks.now()
        sender: Wire = {"sender_chat": chat.wire()} if chat.kind == "channel" else {"from": bot.wire()}
        wire: Wire = {"message_id": message_id, **sender, "chat": chat.wire(), "date": int(now.timestamp())}
        wire |= draft.content
        if reply_to is not None:
            wire["reply_to_message"] = reply_to.render(reply=False)
        if fields.boolean("protect_content"):
            wire["has_protected_content"] = True
        message = Message(chat, message_id, bot, wire, draft.text, draft.keyboard, draft.poll)
        chat.messages[message_id] = message
        chat.last_bot = bot
        if draft.poll is not None:
            self._open(draft.poll, message)
        message.shown = _shown(message, now, reply_to, fields)
        self.watcher(message.shown)
        return message

    def show_edited(self, message: Message, fields: Fields) -> None:
        """Show a message of the bot again, as it stands now."""
        if message.shown is not None:
            message.shown = replace(
                message.shown,
                text=message.text,
                buttons=tappable(message.keyboard),
                raw=dict(fields.values),
                pictures=_pictures(message),
                edited=True,
            )
            self.watcher(message.shown)

    def _replied(self, chat: Chat, fields: Fields) -> Message | None:
        given = fields.json("reply_parameters", "reply parameters")
        if not given:
            return None
        if not isinstance(given, dict) or not isinstance(given.get("message_id"), int):
            raise bad_request("object expected as reply parameters")
        found = chat.messages.get(given["message_id"])
        if found is None and not given.get("allow_sending_without_reply") and self.rules.on("telegram.reply.found"):
            raise bad_request("message to be replied not found")
        return found

    def next_poll_id(self) -> str:
        """Ids of polls do not fit 53 bits, as on Telegram."""
        self._polls += 1
        return str(5_100_000_000_000_000_000 + self._polls)

    def _open(self, poll: Poll, message: Message) -> None:
        if poll.closes_at is None or poll.closed or not self.rules.on("telegram.poll.closes"):
            return
        heapq.heappush(self._ends, (poll.closes_at, poll.id, message))
        self._wind()

    def close_due(self) -> None:
        """Close the polls whose end has come on the calendar, and tell their bots."""
        now = self.clocks.now()
        if not self._ends or self._ends[0][0] > now:
            return
        while self._ends and (self._ends[0][0] <= now or self._closed(self._ends[0][2])):
            message = heapq.heappop(self._ends)[2]
            if not self._closed(message):
                self.close(message)
        self._wind()

    @staticmethod
    def _closed(message: Message) -> bool:
        return message.poll is None or message.poll.closed

    def close(self, message: Message) -> None:
        """Close a poll and tell its bot."""
        if message.poll is not None and message.bot is not None:
            message.poll.closed = True
            self.tell_of_poll(message)

    def tell_of_poll(self, message: Message) -> None:
        """Tell the bot that sent a poll how it stands now. When Telegram tells is not published: here at every change.

        Source: https://core.telegram.org/bots/api#update (``poll``)
        """
        if message.poll is None or message.bot is None:
            return
        told = [message.bot] if self.rules.on("telegram.poll.sender") else message.chat.bots.values()
        for bot in told:
            if bot.stream.wants("poll"):
                bot.stream.put("poll", message.poll.wire())

    def _wind(self) -> None:
        """Set the timer to the next end, since the calendar may outrun whoever would look."""
        self.unwind()
        if self._ends:
            left_s = self.clocks.wire_seconds((self._ends[0][0] - self.clocks.now()).total_seconds())
            self._timer = asyncio.get_running_loop().call_later(max(left_s, 0.0) + 0.001, self.close_due)

    def unwind(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _shown(message: Message, at: datetime, reply_to: Message | None, fields: Fields) -> Post:
    chat, poll = message.chat, message.poll
    private = chat.kind == "private"
    return Post(
        platform="telegram",
        account=message.bot.name if message.bot else "",
        place="direct" if private else str(chat.id),
        to=str(chat.id) if private else None,
        id=str(message.id),
        text=message.text,
        at=at,
        options=poll.options if poll else (),
        names_voters=poll is not None and not poll.anonymous,
        closes_at=poll.closes_at if poll else None,
        buttons=tappable(message.keyboard),
        reply_to=str(reply_to.id) if reply_to else None,
        raw=dict(fields.values),
        pictures=_pictures(message),
    )


def _pictures(message: Message) -> tuple[bytes, ...]:
    shown = [size["file_id"] for size in message.wire.get("photo", ())]
    return tuple(message.bot.files[name][1] for name in shown if name in message.bot.files) if message.bot else ()
