"""What a person can do in Telegram's app: press Start, write, vote, tap, block. The bots' streams carry each act."""

from __future__ import annotations

import re
from typing import Any

from sandbox.seam import Post, PostButton
from sandbox.telegram.markup import found_entities
from sandbox.telegram.model import Bot, Chat, Message, Person, Tapped, Wire, digest
from sandbox.telegram.state import State

JOINED_S = 86_400
"""How long somebody must have been a member to vote in a members-only poll."""


class People:
    """The app in everybody's hands. Nothing here waits: an act is on the stream when the call returns."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._rules = state.rules

    def start(self, bot: Bot, person: Person, payload: str) -> bool:
        """Press Start, perhaps from a deep link. Also brings a blocked bot back.

        Source: https://core.telegram.org/bots/features#deep-linking
        """
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,64}", payload) and self._rules.on("telegram.start.payload"):
            return False
        chat = self._state.open_private(bot, person)
        if chat.blocked:
            chat.blocked = False
            self._member_changed(bot, chat, person, "kicked", "member")
        self.say(chat, person, f"/start {payload}".strip(), None, only=bot)
        return True

    def block(self, bot: Bot, person: Person) -> None:
        """Block the bot. Nobody blocks a bot that they never started."""
        chat = self._state.private.get((bot.id, person.id))
        if chat is not None and not chat.blocked:
            chat.blocked = True
            self._member_changed(bot, chat, person, "member", "kicked")

    def kick(self, bot: Bot, chat: Chat) -> None:
        """The owner of a group or channel removes the bot."""
        chat.kicked.add(bot.id)
        owner = self._state.people[min(chat.administrators)]
        self._member_changed(bot, chat, owner, "member", "kicked")

    def _member_changed(self, bot: Bot, chat: Chat, person: Person, before: str, after: str) -> None:
        def member(status: str) -> Wire:
            return {"status": status, "user": bot.wire(), **({"until_date": 0} if status == "kicked" else {})}

        date = int(self._state.clocks.now().timestamp())
        changed = {"chat": chat.wire(), "from": person.wire(), "date": date}
        bot.stream.put(
            "my_chat_member", changed | {"old_chat_member": member(before), "new_chat_member": member(after)}
        )

    def chat_of(self, bot: Bot, person: Person, place: str) -> Chat | None:
        """Where a person can write: a group, or their private chat when they started it and did not block the bot."""
        if place == "direct":
            chat = self._state.private.get((bot.id, person.id))
            if chat is None and not self._rules.on("telegram.direct.started"):
                chat = self._state.open_private(bot, person)
            return None if chat is None or (chat.blocked and self._rules.on("telegram.direct.blocked")) else chat
        chat = self._state.chats.get(int(place))
        if chat is not None and chat.upgraded_to is not None:
            chat = self._state.chats[chat.upgraded_to]
        if chat is None or (chat.kind == "channel" and self._rules.on("telegram.channel.readers")):
            return None
        return chat

    def say(self, chat: Chat, person: Person, text: str, reply_to: Message | None, only: Bot | None = None) -> Message:
        """Write a message. In a group only the bots that it is meant for get to see it."""
        message_id = chat.next_id()
        date = int(self._state.clocks.now().timestamp())
        wire: Wire = {"message_id": message_id, "from": person.wire(), "chat": chat.wire(), "date": date, "text": text}
        entities = found_entities(text)
        if entities:
            wire["entities"] = entities
        if reply_to is not None:
            wire["reply_to_message"] = reply_to.render(reply=False)
        message = chat.messages[message_id] = Message(chat, message_id, None, wire, text)
        for bot in chat.bots.values():
            if (only is None or bot is only) and self._meant_for(bot, chat, message):
                bot.seen.add(person.id)
                bot.stream.put("message", message.render())
        return message

    def _meant_for(self, bot: Bot, chat: Chat, message: Message) -> bool:
        """Privacy mode. Source: https://core.telegram.org/bots/features#privacy-mode"""
        if bot.id in chat.kicked:
            return False
        if chat.kind == "private" or not self._rules.on("telegram.group.privacy"):
            return True
        replied = message.wire.get("reply_to_message")
        if replied is not None and replied.get("from", {}).get("id") == bot.id:
            return True
        text = message.text.lower()
        if re.search(rf"@{bot.username}\b", text):
            return True
        command = re.match(r"/\w+(@\w+)?", text)
        return bool(command) and command is not None and command[1] is None and chat.last_bot is bot

    def rewrite(self, chat: Chat, person: Person, message: Message, text: str) -> bool:
        """Edit a message of their own."""
        if message.wire.get("from", {}).get("id") != person.id:
            return False
        message.text = text
        message.wire |= {"text": text, "edit_date": int(self._state.clocks.now().timestamp())}
        message.wire.pop("entities", None)
        entities = found_entities(text)
        if entities:
            message.wire["entities"] = entities
        for bot in chat.bots.values():
            if self._meant_for(bot, chat, message):
                bot.stream.put("edited_message", message.render())
        return True

    def message_of(self, post: Post) -> Message | None:
        """The message that a post became, while it stands."""
        bot = self._state.accounts[post.account]
        chat = (
            self._state.private.get((bot.id, int(post.to or 0)))
            if post.place == "direct"
            else self._state.chats.get(int(post.place))
        )
        return chat.messages.get(int(post.id)) if chat is not None and post.id.isdigit() else None

    def vote(self, person: Person, message: Message, option: int | None) -> bool:
        """Vote, move the vote, or take it back. The bot hears who voted only where the poll names voters."""
        poll, bot = message.poll, message.bot
        if poll is None or bot is None:
            return False
        self._state.close_due()
        if poll.closed or not self._may_vote(person, message, option):
            return False
        if not poll.choose(person.id, option):
            return True
        if not poll.anonymous or not self._rules.on("telegram.poll.anonymous"):
            bot.seen.add(person.id)
            chosen = [] if option is None else [option]
            answer: dict[str, Any] = {"poll_id": poll.id, "user": person.wire(), "option_ids": chosen}
            bot.stream.put(
                "poll_answer", answer | {"option_persistent_ids": [poll.persistent_id(one) for one in chosen]}
            )
        self._state.tell_of_poll(message)
        return True

    def _may_vote(self, person: Person, message: Message, option: int | None) -> bool:
        poll = message.poll
        if poll is None or (option is not None and not 0 <= option < len(poll.options)):
            return False
        if option is None and person.id not in poll.votes:
            return False
        if person.id in poll.votes and not poll.revoting and self._rules.on("telegram.vote.revoting"):
            return False
        if poll.members_only and self._rules.on("telegram.vote.members_only"):
            return (self._state.clocks.now() - person.joined).total_seconds() > JOINED_S
        return True

    def tap(self, person: Person, message: Message, button: PostButton) -> bool:
        """Tap a button that stands under a message."""
        bot, chat = message.bot, message.chat
        there = any(one.get("callback_data") == button.data for row in message.keyboard for one in row)
        if bot is None or (not there and self._rules.on("telegram.tap.keyboard")):
            return False
        if chat.kind == "private" and chat.blocked:
            return False
        bot.seen.add(person.id)
        bot.tap_count += 1
        query_id = str(4_000_000_000_000_000_000 + bot.tap_count)
        bot.taps[query_id] = Tapped(person, chat, self._state.clocks.wire())
        self._forget_taps(bot)
        query = {
            "id": query_id,
            "from": person.wire(),
            "message": message.render(reply=False),
            "chat_instance": str(-int(digest("instance", bot.id, chat.id)[:15], 16)),
            "data": button.data,
        }
        bot.stream.put("callback_query", query)
        return True

    def _forget_taps(self, bot: Bot) -> None:
        """Taps die in the order in which they came. A day of them is kept: their life is judged when answered."""
        day_ago = self._state.clocks.wire() - 86_400
        while bot.taps:
            oldest = next(iter(bot.taps))
            if bot.taps[oldest].at >= day_ago:
                break
            del bot.taps[oldest]
