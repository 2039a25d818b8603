"""Polls: votes, the end, and the final count. A change of vote is a removal and an addition, as on the wire.

Source: https://discord.com/developers/docs/resources/poll
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from datetime import timedelta

from sandbox.discord.errors import Refusal
from sandbox.discord.model import Application, Json, Message, Person, Poll
from sandbox.discord.payload import encoded_person
from sandbox.discord.session import DIRECT_POLLS, GUILD_POLLS
from sandbox.discord.state import State

FINAL_AFTER_S = 0.2
"""Wire seconds between the end of a poll and its final count; the platform may take longer."""
POLL_RESULT = 46
"""Kind of the message that tells a result."""


class Polls:
    """What happens to polls."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.added_first = False
        """Tell a change of vote as an addition and then a removal: the platform promises neither order."""

    def open(self, read: Json) -> Poll:
        """A new poll out of checked fields."""
        expiry = self.state.clocks.now() + timedelta(hours=read["hours"])
        voters: dict[int, list[int]] = {answer["answer_id"]: [] for answer in read["answers"]}
        return Poll(read["question"], read["answers"], expiry, read["multiselect"], voters)

    def watch(self, message: Message) -> None:
        """End the poll when its time has come."""
        assert message.poll is not None
        left_s = (message.poll.expiry - self.state.clocks.now()).total_seconds()
        self.state.later(self.state.clocks.wire_seconds(left_s), lambda: self.settle(message))

    def settle(self, message: Message) -> None:
        """End and count the poll if that is due by now."""
        poll, clocks = message.poll, self.state.clocks
        if poll is None or poll.finalized:
            return
        if not poll.ended and clocks.now() >= poll.expiry:
            self._end(message, poll)
        if poll.ended and clocks.wire() >= poll.final_from:
            self._finalize(message, poll)

    def expire(self, application: Application, message: Message) -> None:
        """End it now. Raises: Refusal 520006, 520001, 50005."""
        self.settle(message)
        poll, on = message.poll, self.state.rules.on
        if poll is None:
            raise Refusal(520006)
        if message.author is not application.bot and on("discord.message.author"):
            raise Refusal(50005)
        if poll.ended:
            if on("discord.poll.expired"):
                raise Refusal(520001)
            return
        poll.expiry = self.state.clocks.now()
        self._end(message, poll)

    def _end(self, message: Message, poll: Poll) -> None:
        poll.ended = True
        poll.final_from = self.state.clocks.wire() + FINAL_AFTER_S
        self.state.dispatch_message("MESSAGE_UPDATE", message)
        self.state.later(FINAL_AFTER_S, lambda: self._finalize(message, poll))

    def _finalize(self, message: Message, poll: Poll) -> None:
        if poll.finalized or message.id not in message.channel.messages:
            return
        poll.finalized = True
        self.state.dispatch_message("MESSAGE_UPDATE", message)
        result = Message(
            self.state.snowflakes.next(),
            message.channel,
            message.author,
            "",
            self.state.clocks.now(),
            type=POLL_RESULT,
            embeds=[_result_embed(poll)],
            resulting=message.id,
            told=True,
        )
        message.channel.messages[result.id] = result
        message.channel.last_message_id = result.id
        self.state.dispatch_message("MESSAGE_CREATE", result)

    def vote(self, person: Person, message: Message, answer: int | None) -> bool:
        """Choose one answer instead of all earlier ones; ``None`` takes them back. ``False`` once it has ended."""
        self.settle(message)
        poll = message.poll
        if poll is None or poll.ended or (answer is not None and answer not in poll.voters):
            return False
        before = poll.choices.get(person.id, set())
        wanted = set() if answer is None else {answer}
        told: list[tuple[str, int]] = []
        for gone in sorted(before - wanted):
            voters = poll.voters[gone]
            del voters[bisect_left(voters, person.id)]
            told.append(("MESSAGE_POLL_VOTE_REMOVE", gone))
        for new in wanted - before:
            insort(poll.voters[new], person.id)
            told.append(("MESSAGE_POLL_VOTE_ADD", new))
        for event, number in reversed(told) if self.added_first else told:
            self._tell(message, person, number, event)
        poll.choices[person.id] = wanted
        return True

    def _tell(self, message: Message, person: Person, answer: int, event: str) -> None:
        guild = message.channel.guild
        data: Json = {
            "user_id": str(person.id),
            "channel_id": str(message.channel.id),
            "message_id": str(message.id),
            "answer_id": answer,
        }
        if guild is not None:
            data["guild_id"] = str(guild.id)
        intent = GUILD_POLLS if guild is not None else DIRECT_POLLS
        number = None if guild is None else guild.id
        self.state.dispatch(message.channel.application, event, lambda: data, intent=intent, guild=number)

    def voters_page(self, poll: Poll, answer: int, after: int, limit: int) -> str:
        """The JSON of up to ``limit`` people who chose the answer, by ascending id. Raises: Refusal 10008."""
        voters = poll.voters.get(answer, [])
        start = bisect_right(voters, after)
        page = (self.state.people[person] for person in voters[start : start + limit])
        return '{"users":[' + ",".join(encoded_person(person) for person in page) + "]}"


def _result_embed(poll: Poll) -> Json:
    """Source: https://discord.com/developers/docs/resources/message#embed-fields-by-embed-type-poll-result"""
    votes = {number: len(voters) for number, voters in poll.voters.items()}
    most = max(votes.values())
    winners = [number for number, count in votes.items() if count == most]
    fields = {
        "poll_question_text": poll.question,
        "victor_answer_votes": str(most),
        "total_votes": str(sum(votes.values())),
    }
    if most and len(winners) == 1:
        fields["victor_answer_id"] = str(winners[0])
        fields["victor_answer_text"] = poll.answers[winners[0] - 1]["poll_media"]["text"]
    shown = [{"name": name, "value": value, "inline": False} for name, value in fields.items()]
    return {"type": "poll_result", "fields": shown}
