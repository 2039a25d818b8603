"""What people did against what the service has counted: what is lost, and what is there without an act."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sandbox.reading import scores_of
from tests.faults.allowed import Given, Weight, allowed
from tests.faults.books import Books, Row
from tests.faults.peace import Peace
from tests.faults.recorded import Act, Truth

ANSWERS = ("vote", "retract", "tap", "text")
HAS_HISTORY = ("vote", "retract")
"""What Discord gives in the list of voters as well, which does not say when."""

LATEST_S = 5.0
"""So long after it was heard, wall, something may be kept of which no confirmation tells when."""

LETTERS = "abcdefghijklmnopqrstuvwxyz"
"""A letter before the platform's id tells kinds of events apart: who writes first has written and has consented."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, told in full."""

    kind: str
    """``lost`` or ``doubled``."""
    text: str


def freezes_at(week: str, zone: str) -> float:
    """When nothing changes a week's answers any more, in Unix seconds: a day after its end."""
    year, number = week.split("-W")
    after = datetime.fromisocalendar(int(year), int(number), 1) + timedelta(days=8)
    return datetime.combine(after.date(), time(), ZoneInfo(zone)).timestamp()


class Counted:
    """The comparison. ``zones`` gives each survey's time zone."""

    def __init__(self, truth: Truth, books: Books, zones: dict[str, str], peace: Peace) -> None:
        self._truth = truth
        self._peace = peace
        self._books = books
        self._zones = zones
        self.speed = _speed(truth.acts)
        self._reached = self._session_ends()

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong."""
        yield from self._events()
        yield from self._answers()
        yield from self._consents()
        yield from self._open_polls()
        yield from self._rollup()

    # -- each act has left its event -------------------------------------------------------------------------------

    def kept(self, act: Act) -> bool:
        """Whether the event of an act is in the books. A vote on Discord is told to each session that lives, the one
        that was left behind among them, and a change of it in two events: all that one session was told."""
        there = self._books.events[act.account]
        if not _in_list(act):
            return any(event in there for event in act.events)
        told: defaultdict[str, list[bool]] = defaultdict(list)
        for event in act.events:
            told[_place_in_session(event)[0]].append(event in there)
        return any(all(events) for events in told.values())

    def _session_ends(self) -> dict[tuple[str, str], int]:
        """By account and session on Discord: the last of its votes that is in the books."""
        found: dict[tuple[str, str], int] = {}
        for row in self._books.reply:
            session, number = _place_in_session(row["event"])
            if number:
                name = (row["account"], session)
                found[name] = max(number, found.get(name, 0))
        return found

    def _must_be_kept(self, act: Act) -> bool:
        """Whether the platform has given it. A vote on Discord whose session ended before is known from the list of
        voters alone; what a session went on after, it has told, and what it told in peace."""
        if not _in_list(act) or self._peace.heard(act):
            return True
        places = map(_place_in_session, act.events)
        return any(0 < number < self._reached.get((act.account, session), 0) for session, number in places)

    def _events(self) -> Iterator[Finding]:
        known = {(act.account, event) for act in self._truth.acts for event in act.events}
        numbers = {(account, event.lstrip(LETTERS)) for account, event in known}
        for act in self._truth.acts:
            given = act.accepted and not act.lost and act.events and not act.open
            if given and not self.kept(act) and self._must_be_kept(act):
                yield Finding("lost", f"{_told(act)}: nothing was kept of it")
            given_up = act.lost == "expired" or (act.lost == "deferred" and not self.kept(act))
            if given_up and self._peace.could_be_answered(act):
                yield Finding("lost", f"{_told(act)}: heard in peace, and not answered in time or not kept")
            if self._peace.unheard(act):
                yield Finding("lost", f"{_told(act)}: never heard, though nothing was wrong")
        rows = [(row, False) for row in (*self._books.reply, *self._books.command)]
        rows += [(row, True) for row in self._books.consent]
        for row, consent in rows:
            name = (row["account"], row["event"])
            implied = consent and (name[0], name[1].lstrip(LETTERS)) in numbers
            if name not in known and not implied:
                yield Finding("doubled", f"{row['account']} keeps {row['event']!r}, which nobody did: {row}")

    def _consents(self) -> Iterator[Finding]:
        people = {(row["account"], row["platform_id"]): row for row in self._books.person}
        last = {(a.account, a.person): a for a in self._truth.acts if a.kind in ("stop", "start", "ask_me", "greeting")}
        for name, act in last.items():
            row = people.get(name)
            if not act.accepted or act.lost:
                continue
            if row is None or (act.kind == "stop") != bool(row["stopped"]):
                yield Finding("lost", f"{_told(act)}: stopped is {row and row['stopped']}")

    # -- the answers -----------------------------------------------------------------------------------------------

    def _answers(self) -> Iterator[Finding]:
        done: defaultdict[tuple[str, str, str, str], list[Act]] = defaultdict(list)
        for act in self._truth.acts:
            if act.kind in ANSWERS and not act.open:
                done[act.account, act.person, act.survey, act.week].append(act)
        stored = {
            (*self._books.person_of(row), *self._books.wave_of(row)): Given(row["low"], row["high"], row["channel"])
            for row in self._books.response
            if row["low"] is not None
        }
        for name in sorted({*done, *stored}):
            acts = done.get(name, [])
            right, is_there = allowed((act, self.weight(act)) for act in acts), stored.get(name)
            if is_there in right:
                continue
            given = {(act.low, act.high, act.channel) for act in acts}
            lost = is_there is None or (is_there.low, is_there.high, is_there.channel) in given
            story = "; ".join(f"{_told(act)} [{self.weight(act).value}]" for act in acts)
            yield Finding(
                "lost" if lost and right != {None} else "doubled",
                f"{' '.join(name)}: stored {_answer(is_there)}, allowed {', '.join(map(_answer, right))}; did: {story}",
            )

    def weight(self, act: Act) -> Weight:
        """Whether an act must, may or cannot count."""
        if act.frozen:
            return Weight.NEVER
        if act.accepted is None:
            return Weight.MAYBE
        given_up = bool(act.lost) and not _in_list(act)
        if not act.accepted or (given_up and not self.kept(act)):
            return Weight.NEVER if act.wired is None else Weight.MAYBE
        heard = act.wired if _in_list(act) or given_up else act.confirmed
        heard = heard + LATEST_S if heard is not None and given_up else heard
        if heard is not None and not self._in_time(act, heard):
            return Weight.MAYBE
        return Weight.HIDDEN if _in_list(act) and not self.kept(act) else Weight.SURE

    def _in_time(self, act: Act, wall: float) -> bool:
        """Whether it came before its week was frozen: the time of arrival decides where there is no other."""
        return act.at + (wall - act.wall) * self.speed < freezes_at(act.week, self._zones[act.survey])

    # -- totals ----------------------------------------------------------------------------------------------------

    def _open_polls(self) -> Iterator[Finding]:
        polls = [p for p in self._truth.posts if p.options and not p.names_voters]
        standing: dict[tuple[str, str, str, str], Act] = {}
        for act in self._truth.acts:
            if act.open and act.accepted and not act.frozen:
                name = (act.account, act.place, act.post, act.person)
                standing.pop(name, None)
                if act.kind == "vote":
                    standing[name] = act
        voted = Counter((*name[:3], act.low, act.high) for name, act in standing.items())
        counts = {(row["account"], row["ref"]): json.loads(row["totals"]) for row in self._books.count}
        refs: defaultdict[int, list[Row]] = defaultdict(list)
        for ref in self._books.ref:
            if ref["ask_id"] is not None:
                refs[ref["ask_id"]].append(ref)
        asked = {(ask["account"], ask["place"], ask["message"]): ask for ask in self._books.ask}
        named = {(ref["account"], ref["ref"]): ref["ask_id"] for ref in self._books.ref}
        for poll in polls:
            where = (poll.account, poll.place, poll.id)
            bands = [scores_of(label) for label in poll.options]
            true = [voted[*where, band.low, band.high] if band else 0 for band in bands]
            ask = asked.get(where)
            # A poll whose posting was in doubt was known again by its own id: nothing tells the message's.
            number = ask["id"] if ask is not None else named.get((poll.account, f"poll:{poll.poll}"))
            mine = refs[number] if number is not None else []
            kept = next((counts[at] for r in mine if (at := (r["account"], r["ref"])) in counts), [0] * len(true))
            if kept != true:
                kind = "lost" if sum(kept) <= sum(true) else "doubled"
                yield Finding(
                    kind, f"{poll.account} open poll {poll.place} {poll.id}: people voted {true}, kept {kept}"
                )

    def _rollup(self) -> Iterator[Finding]:
        chains: defaultdict[tuple[int, str], list[Row]] = defaultdict(list)
        for row in self._books.response:
            if row["low"] is not None:
                chains[row["person_id"], self._books.wave_of(row)[0]].append(row)
        cells: Counter[tuple[str, int, int, int, int]] = Counter()
        for chain in chains.values():
            chain.sort(key=lambda row: self._books.waves[row["wave_id"]]["opens_at"])
            for row, later in zip(chain, [*chain[1:], None], strict=True):
                cells[row["channel"], row["wave_id"], later["wave_id"] if later else 0, row["low"], row["high"]] += 1
        kept = Counter(
            {(r["channel"], r["wave_id"], r["later_id"], r["low"], r["high"]): r["n"] for r in self._books.rollup}
        )
        for cell in sorted({*cells, *kept}):
            if cells[cell] != kept[cell]:
                kind = "doubled" if kept[cell] > cells[cell] else "lost"
                yield Finding(kind, f"roll-up {cell}: says {kept[cell]}, the responses give {cells[cell]}")


def _place_in_session(event: str) -> tuple[str, int]:
    """Discord: session and number of a vote's event; number 0 for any other."""
    session, _, number = event.partition(":")
    return (session, int(number)) if session.startswith("v") and number.isdecimal() else ("", 0)


def _in_list(act: Act) -> bool:
    return act.platform == "discord" and act.kind in HAS_HISTORY


def _speed(acts: Sequence[Act]) -> float:
    """Calendar seconds per second of the wall."""
    if len(acts) < 2 or acts[-1].wall == acts[0].wall:
        return 1.0
    return (acts[-1].at - acts[0].at) / (acts[-1].wall - acts[0].wall)


def _told(act: Act) -> str:
    what = f" {act.low}–{act.high}" if act.low is not None else f" {act.text!r}" if act.text else ""
    more = f", lost: {act.lost}" if act.lost else ""
    return (
        f"#{act.seq} {act.account} {act.person} {act.kind}{what} in {act.channel} {act.week} at wall {act.wall:.2f} "
        f"(accepted {act.accepted}, wired {act.wired}, confirmed {act.confirmed}{more}, events {', '.join(act.events)})"
    )


def _answer(given: Given | None) -> str:
    return "nothing" if given is None else f"{given.low}–{given.high} in {given.channel}"
