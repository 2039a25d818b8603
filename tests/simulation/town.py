"""A platform without a wire: what people did and read there outlives every service, and is the truth.

Two accounts: on ``open`` a message of ours can be looked for, on ``shut`` it cannot, but edited. Each has a poll that
names its voters and direct messages, and hands out its stream in order, again from what was last confirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from core.account import Address, Begin, Deliver, Direct, Limits, Look, Place, PlaceKind, Poll, Receipt, Standing
from core.errors import AccountUnavailable, OutcomeUnknown
from core.events import Consent, ConsentKind, Event, PollSeen, Reply, Via, Votes
from core.message import Message

POLLED, DIRECT, OFFICE = "square", "direct", "office"
"""Ids of the places of each account."""


class Killed(BaseException):
    """The process died here: nothing after this line happens."""


class Fate(StrEnum):
    """What befalls the next thing that is said on an account."""

    WELL = "well"
    DIES_BEFORE = "dies before it begins"
    DIES_BEGUN = "dies once it has begun"
    DIES_TAKEN = "dies once the platform took it"
    LOST_BEFORE = "cut before the platform took it"
    LOST_AFTER = "cut after the platform took it"
    BUSY = "asked to wait"


@dataclass(slots=True)
class Said:
    """A message or poll of ours, as people read it now."""

    to: Address
    body: Message | Poll
    key: str
    """For the test, and for ``look``: which of two equal messages it is, is the adapters' to find out."""
    at: datetime
    number: int
    ended: bool = False

    @property
    def person(self) -> str | None:
        """Who reads it in their direct messages."""
        return self.to.person if isinstance(self.to, Direct) else None


@dataclass(slots=True)
class Act:
    """One answer that somebody gave, and the platform took."""

    order: int
    person: str
    wave: str
    score: int | None
    """``None``: took their vote back."""
    poll: int | None = None
    """The number of the poll that was voted in."""


@dataclass
class Account:
    """One account, at our own seam."""

    name: str
    looks: bool
    now: Callable[[], datetime]
    said: list[Said] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    stream: list[Event] = field(default_factory=list)
    confirmed: int = 0
    fate: Fate = Fate.WELL
    cut: set[str] = field(default_factory=set)
    """Keys whose answer was lost, or whose speaker died before it heard one."""
    underway: set[str] = field(default_factory=set)
    """Keys that have begun in this step of the service."""
    told: set[int] = field(default_factory=set)
    """Polls that the stream has told of."""
    begun: list[tuple[str, str | None, int]] = field(default_factory=list)
    """Key, person, and how far the stream was confirmed when something was about to leave."""
    _votes: dict[int, dict[str, int]] = field(default_factory=dict)

    # -- what we do there ----------------------------------------------------------------------------------------------

    def places(self) -> dict[str, Place]:
        """All places by id."""
        seen = {"looks": self.looks, "edits": not self.looks}
        polls = {"poll_options": 11, "option_chars": 100, "question_chars": 300, "poll_names_voters": True}
        long = {"poll_longest": timedelta(days=30), "poll_shortest": timedelta(0)}
        group = Limits(post_chars=4_000, buttons=25, **seen, **polls, **long)  # type: ignore[arg-type]
        direct = Limits(post_chars=4_000, buttons=25, private_answers=True, **seen)
        return {
            POLLED: Place(id=POLLED, kind=PlaceKind.GROUP, limits=group),
            OFFICE: Place(id=OFFICE, kind=PlaceKind.GROUP, limits=group),
            DIRECT: Place(id=DIRECT, kind=PlaceKind.DIRECT, limits=direct),
        }

    async def poll(self, place: Place, poll: Poll, key: str, *, begin: Begin) -> Receipt:
        return await self._speak(place, poll, key, begin)

    async def say(
        self,
        to: Address,
        message: Message,
        key: str,
        *,
        under: Receipt | None = None,
        not_after: datetime | None = None,
        begin: Begin,
    ) -> Receipt:
        return await self._speak(to, message, key, begin)

    async def edit(self, said: Receipt, message: Message) -> None:
        fate, self.fate = self.fate, Fate.WELL
        if fate in (Fate.DIES_BEFORE, Fate.DIES_BEGUN):
            raise Killed
        if fate in (Fate.LOST_BEFORE, Fate.BUSY):
            raise AccountUnavailable(self.name, "busy", 0.0)
        self.said[int(said.message)].body = message
        if fate is Fate.DIES_TAKEN:
            raise Killed
        if fate is Fate.LOST_AFTER:
            raise AccountUnavailable(self.name, "lost", 0.0)

    async def look(
        self,
        to: Address,
        body: Message | Poll,
        key: str,
        since: datetime,
        *,
        under: Receipt | None = None,
        others: Collection[str] = (),
    ) -> Receipt | Look:
        if not self.looks:
            return Look.CANNOT_TELL
        there = [one for one in self.said if one.key == key and one.at >= since]
        return self._receipt(there[0]) if there else Look.NOT_SAID

    async def offer(self, place: Place, commands: Sequence[tuple[str, str]], *, to_all: bool) -> None:
        return None

    async def standing(self, place: Place, person: str) -> Standing:
        return Standing()

    async def close(self, poll: Receipt) -> Votes | None:
        if not poll.message:
            return None
        self.said[int(poll.message)].ended = True
        return self._snapshot(int(poll.message), final=True) if self.looks else None

    async def catch_up(self, polls: Sequence[Receipt], deliver: Deliver) -> None:
        while await self.bring(deliver, 50):
            pass
        for poll in polls:
            if self.looks and poll.message:
                await deliver([self._snapshot(int(poll.message))])

    async def bring(self, deliver: Deliver, most: int, *, dies: str = "") -> int:
        """Hand out up to ``most`` events from what was last confirmed; ``dies`` before they are kept, or before they
        are confirmed. Returns how many."""
        events = self.stream[self.confirmed : self.confirmed + most]
        if dies == "unkept":
            raise Killed
        if events:
            await deliver(events)
        if dies == "unconfirmed":
            raise Killed
        self.confirmed += len(events)
        return len(events)

    async def _speak(self, to: Address, body: Message | Poll, key: str, begin: Begin) -> Receipt:
        fate, self.fate = self.fate, Fate.WELL
        if fate is Fate.DIES_BEFORE:
            raise Killed
        await begin()
        self.begun.append((key, to.person if isinstance(to, Direct) else None, self.confirmed))
        self.underway.add(key)
        if fate in (Fate.DIES_BEGUN, Fate.LOST_BEFORE):
            self.cut.add(key)
            raise Killed if fate is Fate.DIES_BEGUN else OutcomeUnknown(self.name, "cut")
        if fate is Fate.BUSY:
            raise AccountUnavailable(self.name, "busy", 0.0)
        one = Said(to, body, key, self.now(), len(self.said))
        self.said.append(one)
        if fate in (Fate.DIES_TAKEN, Fate.LOST_AFTER):
            self.cut.add(key)
            raise Killed if fate is Fate.DIES_TAKEN else OutcomeUnknown(self.name, "cut")
        return self._receipt(one)

    def _receipt(self, one: Said) -> Receipt:
        where = one.to.person if isinstance(one.to, Direct) else one.to.id
        kind = "poll" if isinstance(one.body, Poll) else "msg"
        return Receipt(place=where, message=str(one.number), refs=(f"{kind}:{self.name}:{one.number}",), sent_at=one.at)

    def _snapshot(self, number: int, *, final: bool = False) -> Votes:
        votes = tuple(self._votes.get(number, {}).items())
        ref = f"poll:{self.name}:{number}"
        return Votes(ref=ref, votes=votes, as_of=self.now(), order=len(self.stream), final=final)

    # -- what people do there ------------------------------------------------------------------------------------------

    def joins(self, person: str) -> None:
        """Somebody allows direct messages."""
        order = len(self.stream)
        consent = Consent(
            id=f"c{order}",
            person=person,
            kind=ConsentKind.GRANTED,
            at=self.now(),
            order=order,
            evidence="pressed Start",
        )
        self.stream.append(consent)

    def polls(self) -> list[Said]:
        """Polls that take votes."""
        now = self.now()
        return [one for one in self.said if isinstance(one.body, Poll) and not one.ended and now < one.body.closes_at]

    def votes(self, person: str, poll: Said, option: int | None) -> None:
        """Somebody votes, or takes it back."""
        assert isinstance(poll.body, Poll)
        votes = self._votes.setdefault(poll.number, {})
        if option is None and person not in votes:
            return
        taken = votes.pop(person, None)
        if option is not None:
            votes[person] = option
        ref, order = f"poll:{self.name}:{poll.number}", len(self.stream)
        if not self.looks and poll.number not in self.told:
            self.told.add(poll.number)
            self.stream.append(PollSeen(ref=ref, question=poll.body.question, options=poll.body.options))
            order += 1
        reply = Reply(
            id=f"v{order}", person=person, via=Via.VOTE, at=self.now(), order=order, place=POLLED, ref=ref,
            option=taken if option is None else option, withdrawn=option is None,
        )  # fmt: skip
        self.stream.append(reply)
        score = None if option is None else int(poll.body.options[option].split()[0])
        self.acts.append(Act(order, person, poll.key.split(":")[2], score, poll.number))

    def writes(self, person: str, words: str, wave: str, score: int | None) -> None:
        """Somebody writes to us directly."""
        order = len(self.stream)
        self.stream.append(Reply(id=f"w{order}", person=person, via=Via.TEXT, at=self.now(), order=order, text=words))
        if score is not None:
            self.acts.append(Act(order, person, wave, score))

    def truth(self) -> Mapping[tuple[str, str], int]:
        """The answer of each (person, wave): the last one; taking a vote back takes back that vote alone."""
        present: dict[tuple[str, str], Act] = {}
        for act in self.acts:
            name = (act.person, act.wave)
            if act.score is not None:
                present[name] = act
            elif name in present and present[name].poll == act.poll:
                del present[name]
        return {name: act.score for name, act in present.items() if act.score is not None}
