"""What the service says that it said: in doubt, to whom and when it must not be, and to whom never."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from sandbox.ledger import OPENING
from tests.faults.books import Books, Row
from tests.faults.contract import Hit
from tests.faults.kept import UNREAD
from tests.faults.recorded import Act, Truth
from tests.faults.reported import up_s
from tests.faults.shown import Shown

CANNOT_LOOK = ("telegram",)
"""Platforms that show a bot nothing of what it said itself."""

MOSTLY = 0.5
"""Who is up for so much of a week asks in it."""

SOME = 5
"""So many people say something of a channel."""

CLOCKS_S = 1.0
"""So many wall seconds the clocks of the two processes may differ."""

SLACK_S = 5.0
"""So many wall seconds the clocks of the two processes may differ in what they call the time of a request."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message whose outcome the service does not know."""

    key: str
    why: str
    """``cut``: the answer to its request was; ``unsent``: it died before the request (both only where nobody can look);
    ``alike``: another in doubt reads the same, and both stand there; empty: nothing explains it."""


@dataclass
class Said:
    """The comparison. ``platforms`` gives each account's platform, ``zones`` each survey's time zone."""

    truth: Truth
    books: Books
    shown: Shown
    platforms: Mapping[str, str]
    zones: Mapping[str, str]
    speed: float
    doubts: list[Doubt] = field(init=False)

    def __post_init__(self) -> None:
        self.doubts = [self._doubt(row) for row in self.books.outbox if row["state"] == "unknown"]

    # -- in doubt --------------------------------------------------------------------------------------------------

    def _doubt(self, row: Row) -> Doubt:
        if self.platforms[row["account"]] not in CANNOT_LOOK:  # however it came to be in doubt, it can be found out
            return Doubt(row["key"], "alike" if self._has_a_twin(row) else "")
        begun = (row["claimed_at"] or row["planned_at"]) - SLACK_S * self.speed
        settled = (row["settled_at"] or self.truth.at) + SLACK_S * self.speed
        mine = [r for r in self.truth.requests if self.books.is_of(r, row) and begun <= r.at <= settled]
        if any(request.cut for request in mine):
            return Doubt(row["key"], "cut")
        killed = any(
            row["key"] in hit.sending or self._unread(hit, begun, settled) or self._followed(hit, row)
            for hit in self.truth.hits
        )
        return Doubt(row["key"], "unsent" if killed else "")

    def _has_a_twin(self, row: Row) -> bool:
        """Whether another one in doubt says the same to the same person or place, and people see more than one."""
        mine = (row["account"], row["person_id"], row["place"], row["body"])
        alike = sum(
            (other["account"], other["person_id"], other["place"], other["body"]) == mine
            for other in self.books.outbox
            if other["state"] == "unknown"
        )
        return alike > 1 and self.shown.times(row) > 1

    def _unread(self, hit: Hit, begun: float, settled: float) -> bool:
        """Whether somebody died just then of whom nobody could see what it was saying: its database was away."""
        at = self.truth.at - (self.truth.wall - hit.wall) * self.speed
        return hit.signal == "KILL" and hit.note.startswith(UNREAD) and begun <= at <= settled

    def _followed(self, hit: Hit, row: Row) -> bool:
        """Whether somebody who served its account died between its claim and when it was found to be in doubt, while
        another instance was up that took over at once: before the death could be looked into."""
        if hit.signal != "KILL" or row["account"] not in hit.served or not row["claimed_at"] or not row["settled_at"]:
            return False
        at = self.truth.at - (self.truth.wall - hit.wall) * self.speed
        others = (life for life in self.truth.lives if life.instance != hit.instance)
        up = any(life.since <= at and (life.until is None or life.until > at) for life in others)
        slack = CLOCKS_S * self.speed
        return up and row["claimed_at"] - slack <= at <= row["settled_at"] + slack

    # -- in time, and to whom -----------------------------------------------------------------------------------------

    def left_behind(self) -> Iterator[str]:
        """Messages that are claimed, or being said, under a lease that somebody has followed since: whoever followed
        had to see to them at once."""
        fences = {row["account"]: row["fence"] for row in self.books.lease}
        for row in self.books.outbox:
            now = fences.get(row["account"], 0)
            if row["state"] in ("claimed", "sending") and row["fence"] < now:
                yield f"{row['key']} is {row['state']} under lease {row['fence']}, now it is {now}"

    def asked_twice(self) -> Iterator[str]:
        """Asks and invitations that came again in a week: by the ledger, and counted again here."""
        told = set()
        for number in self.truth.doubled:
            told.add(number)
            post = next(post for post in self.truth.posts if post.number == number)
            yield f"{post.account} {post.to or post.place} was asked again in a week: {post.text!r}"
        seen: set[tuple[str, str]] = set()
        for post in self.truth.posts:
            if not post.channel or post.place == "direct":
                continue
            zone = next(iter(self.zones.values()))
            week = datetime.fromtimestamp(post.at, ZoneInfo(zone)).isocalendar()[:2]
            name = (post.channel, f"{week}")
            if name in seen and post.number not in told:
                yield f"{post.channel} asked again in {week}: {post.text!r}"
            seen.add(name)

    def never_asked(self, channels: Mapping[str, Sequence[str]]) -> Iterator[str]:
        """Channels in which a week that is over was not asked, although somebody was up for most of it: but for asks of
        which nobody can know. ``channels``: those that ask in public, by survey."""
        asked = {(week.survey, week.week, name) for week in self.truth.weeks for name, n in week.asks.items() if n}
        asked |= {
            (*self.books.wave_of(row), row["channel"])
            for row in self.books.outbox
            if row["kind"] == "ask" and row["state"] == "unknown"
        }
        for survey, names in channels.items():
            for week, opens, closes in self._weeks_over(self.zones[survey]):
                if up_s(self.truth, opens, closes) > MOSTLY * (closes - opens):
                    yield from (f"{name} in {week}" for name in names if (survey, week, name) not in asked)

    def never_invited(self, channels: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[str]:
        """Channels of direct messages in which, in a week that is over and for most of which somebody was up, nothing
        was planned for most of those who had opened them before it, and neither left nor answered. ``channels``: those
        that invite whom they like, with their accounts, by survey."""
        invited = {
            (*self.books.person_of(row), *self.books.wave_of(row))
            for row in self.books.outbox
            if row["kind"] == "invitation" and row["wave_id"] is not None
        }
        done: defaultdict[tuple[str, str], list[Act]] = defaultdict(list)
        for act in self.truth.acts:
            done[act.account, act.person].append(act)
        for survey, its in channels.items():
            for week, opens, closes in self._weeks_over(self.zones[survey]):
                if up_s(self.truth, opens, closes) <= MOSTLY * (closes - opens):
                    continue
                for channel, account in its:
                    here = ((name, acts) for name, acts in done.items() if name[0] == account)
                    people = [name for name, acts in here if _expects(acts, survey, week, opens)]
                    n = sum((*name, survey, week) in invited for name in people)
                    if len(people) >= SOME and n < MOSTLY * len(people):
                        yield f"{n} of {len(people)} who had opened {channel} in {week}"

    def _weeks_over(self, zone: str) -> Iterator[tuple[str, float, float]]:
        """The weeks that were lived from their begin to their end."""
        if not self.truth.lives:
            return
        day = datetime.fromtimestamp(min(life.since for life in self.truth.lives), ZoneInfo(zone)).date()
        while True:
            year, number, weekday = day.isocalendar()
            opens, closes = (
                datetime.combine(day + timedelta(days=days - weekday), time(), ZoneInfo(zone)).timestamp()
                for days in (1, 8)
            )
            if closes > self.truth.at:
                return
            yield f"{year}-W{number:02}", opens, closes
            day += timedelta(days=7)

    def _kept_at(self, act: Act) -> float | None:
        """By when an act was surely kept: its platform had been told so, or, where none is told (X, and Discord of what
        is written), its answer was planned, which is done in the transaction that keeps it. Of a vote on Discord
        nothing tells. What a service planned whose clock was wrong tells nothing either."""
        if act.confirmed is not None:
            return act.at + (act.confirmed - act.wall) * self.speed
        found = [at for event in act.events if (at := self._answered.get(f"{act.account}/{event}")) is not None]
        return next((at for at in found if at >= act.at - CLOCKS_S * self.speed), None)

    @cached_property
    def _answered(self) -> dict[str, float]:
        """By account and event: when its answer was planned."""
        keys = ((row, row["key"].split(":", 3)) for row in self.books.outbox if row["kind"] == "answer")
        return {parts[3].rpartition(":")[0]: row["planned_at"] for row, parts in keys if len(parts) == 4}

    def invited_after_answers(self) -> Iterator[str]:
        """Invitations that were begun although the answer of that week had been kept, and never taken back."""
        known: dict[tuple[str, str, str, str], float] = {}
        back = {(a.account, a.person, a.survey, a.week) for a in self.truth.acts if a.kind == "retract"}
        for act in self.truth.acts:
            name = (act.account, act.person, act.survey, act.week)
            counts = act.low is not None and not act.open and not act.frozen and act.accepted
            kept_at = self._kept_at(act)
            if counts and kept_at is not None and name not in back:
                known.setdefault(name, kept_at)
        for row in self.books.outbox:
            if row["kind"] == "invitation" and row["state"] in ("sent", "unknown") and row["claimed_at"]:
                at = known.get((*self.books.person_of(row), *self.books.wave_of(row)))
                if at is not None and row["claimed_at"] > at + CLOCKS_S * self.speed:
                    yield row["key"]

    def written_after_stops(self) -> Iterator[str]:
        """What was begun to people whose stop had been kept, and who asked for nothing since; but for the answer to the
        stop."""
        known: dict[tuple[str, str], float] = {}
        goodbyes: dict[tuple[str, str], list[str]] = defaultdict(list)
        for act in self.truth.acts:
            name = (act.account, act.person)
            if act.kind in OPENING:
                known.pop(name, None)
            elif act.kind == "stop" and act.accepted:
                goodbyes[name] += (f"{act.account}/{event}:" for event in act.events)
                if (kept_at := self._kept_at(act)) is not None:
                    known.setdefault(name, kept_at)
        for row in self.books.outbox:
            if row["person_id"] is None or row["state"] not in ("sent", "unknown") or not row["claimed_at"]:
                continue
            name = self.books.person_of(row)
            late = name in known and row["claimed_at"] > known[name] + CLOCKS_S * self.speed
            if late and not any(event in row["key"] for event in goodbyes[name]):
                yield row["key"]


def _expects(acts: Sequence[Act], survey: str, week: str, opens: float) -> bool:
    """Whether a person had opened direct messages before a week, and has neither left nor answered in it."""
    opened = any(act.kind in OPENING and act.accepted and not act.lost and act.at < opens for act in acts)
    left = any(act.kind in ("stop", "block") for act in acts)
    return opened and not left and not any((act.survey, act.week) == (survey, week) for act in acts)
