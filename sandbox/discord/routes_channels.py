"""``/channels``: the channel, its messages, its polls, its threads.

Source: https://discord.com/developers/docs/resources/channel, …/message, …/poll
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from aiohttp import web

from sandbox.discord.errors import Form, Refusal
from sandbox.discord.limits import Rate, answer_encoded, answer_json
from sandbox.discord.model import CREATE_THREADS, DIRECT, READ_HISTORY, SEND_MESSAGES, THREAD, Channel, Json, Message
from sandbox.discord.payload import channel_json
from sandbox.discord.reading import path_id, query_id, query_number, read_body
from sandbox.discord.rest import LIST, WRITE, Call, Rest, answer_nothing

MESSAGE = "/channels/{channel_id}/messages/{message_id}"


class ChannelRoutes:
    """What can be asked of a channel."""

    def __init__(self, rest: Rest) -> None:
        self.rest, self.state = rest, rest.state
        by_channel = "channel_id"
        rest.add("GET", "/channels/{channel_id}", self.get, major=by_channel)
        rest.add("POST", "/channels/{channel_id}/typing", self.typing, WRITE, by_channel)
        rest.add("POST", "/channels/{channel_id}/messages", self.create, WRITE, by_channel)
        rest.add("GET", "/channels/{channel_id}/messages", self.history, LIST, by_channel)
        rest.add("GET", MESSAGE, self.message, LIST, by_channel)
        rest.add("PATCH", MESSAGE, self.edit, WRITE, by_channel)
        rest.add("DELETE", MESSAGE, self.delete, Rate(5, 1.0), by_channel)
        polls = "/channels/{channel_id}/polls/{message_id}"
        rest.add("GET", polls + "/answers/{answer_id}", self.voters, LIST, by_channel)
        rest.add("PUT", polls + "/answers/@me", self.vote, WRITE, by_channel)
        rest.add("POST", polls + "/expire", self.expire, WRITE, by_channel)
        rest.add("POST", MESSAGE + "/threads", self.thread, WRITE, by_channel)
        rest.add("POST", "/channels/{channel_id}/threads", self.thread, WRITE, by_channel)

    def _channel(self, call: Call, needs: int = 0) -> Channel:
        return self.state.channel(call.application, path_id(call.request, "channel_id"), needs)

    def _message(self, call: Call) -> Message:
        return self.state.message(self._channel(call), path_id(call.request, "message_id"))

    async def get(self, call: Call) -> web.Response:
        return answer_json(channel_json(self._channel(call)))

    async def typing(self, call: Call) -> web.Response:
        self._channel(call, SEND_MESSAGES)
        return answer_nothing()

    async def create(self, call: Call) -> web.Response:
        body = await read_body(call.request)
        channel = self._channel(call, SEND_MESSAGES)
        return answer_json(self.state.shown(self.rest.messages.create(call.application, channel, body)))

    async def history(self, call: Call) -> web.Response:
        """Newest first, whatever is asked; ``after`` takes the oldest ones behind it."""
        channel, request = self._channel(call), call.request
        enforced = self.state.rules.on("discord.history.limit")
        limit = query_number(request, "limit", 50, 1, 100, enforced=enforced)
        before, after, around = (query_id(request, name) for name in ("before", "after", "around"))
        if channel.denied & READ_HISTORY and self.state.rules.on("discord.history.permission"):
            return answer_json([])
        ids = list(channel.messages)
        if around is not None:
            middle = bisect_left(ids, around)
            start = max(middle - limit // 2, 0)
            page = ids[start : start + limit]
        elif after is not None:
            start = bisect_right(ids, after)
            page = ids[start : start + limit]
        else:
            end = len(ids) if before is None else bisect_left(ids, before)
            page = ids[max(end - limit, 0) : end]
        found = [channel.messages[number] for number in reversed(page)]
        for message in found:
            self.rest.polls.settle(message)
        return answer_json([self.state.found(message) for message in found])

    async def message(self, call: Call) -> web.Response:
        message = self._message(call)
        self.rest.polls.settle(message)
        return answer_json(self.state.found(message))

    def _own(self, call: Call) -> Message:
        message = self._message(call)
        if message.author is not call.application.bot and self.state.rules.on("discord.message.author"):
            raise Refusal(50005)
        return message

    async def edit(self, call: Call) -> web.Response:
        body = await read_body(call.request)
        message = self._own(call)
        self.rest.messages.edit(message, body)
        return answer_json(self.state.shown(message))

    async def delete(self, call: Call) -> web.Response:
        message = self._message(call)
        own = message.author is call.application.bot
        if not own and self.state.rules.on("discord.permissions"):
            raise Refusal(50013)
        self.rest.messages.delete(message)
        return answer_nothing()

    async def voters(self, call: Call) -> web.Response:
        message, request = self._message(call), call.request
        enforced = self.state.rules.on("discord.poll.voters.limit")
        limit = query_number(request, "limit", 25, 1, 100, enforced=enforced)
        answer = path_id(request, "answer_id")
        if message.poll is None or answer not in message.poll.voters:
            raise Refusal(10008)
        page = self.rest.polls.voters_page(message.poll, answer, query_id(request, "after") or 0, limit)
        return answer_encoded(page)

    async def vote(self, call: Call) -> web.Response:
        """Bots cannot vote. Source: https://discord.com/developers/docs/resources/poll"""
        self._message(call)
        raise Refusal(20001)

    async def expire(self, call: Call) -> web.Response:
        message = self._message(call)
        self.rest.polls.expire(call.application, message)
        return answer_json(self.state.shown(message))

    async def thread(self, call: Call) -> web.Response:
        raw = (await read_body(call.request)).fields
        parent = self._channel(call, CREATE_THREADS)
        origin = None
        if "message_id" in call.request.match_info:
            origin = self.state.message(parent, path_id(call.request, "message_id"))
        name = str(raw.get("name") or "")
        form = Form()
        if self.state.rules.on("discord.thread.name") and not 1 <= len(name) <= 100:
            form.bad_length(["name"], 1, 100)
        form.done()
        if parent.type in (DIRECT, THREAD):
            raise Refusal(50024, message="Cannot execute action on this channel type")
        if origin is not None and origin.thread is not None and self.state.rules.on("discord.thread.once"):
            raise Refusal(160004)
        number = self.state.snowflakes.next() if origin is None else origin.id
        thread = Channel(number, THREAD, call.application, name, parent.guild, parent=parent)
        self.state.channels[number] = thread
        assert parent.guild is not None
        parent.guild.channels[number] = thread
        if origin is not None:
            origin.thread = thread
        body: Json = channel_json(thread)
        self.state.dispatch_channel("THREAD_CREATE", thread, {**body, "newly_created": True})
        return answer_json(body, 201)
