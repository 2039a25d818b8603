"""The weekly reports as the teams read them: missing, doubled, too early, and each number against what people did.

A report can know what the service had heard when it was made. Who answered before it was due must be in it, unless it
says itself that the account could not be read; who answered after, and before it was posted, may be. Of the last one
nothing is left open: it was made when nothing went wrong any more, and says what the books hold.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from demo.headlines import contradictions
from demo.readback import NOBODY, Counts, arranged, read_line, tells
from sandbox.reading import Scores
from tests.faults.allowed import Weight, allowed
from tests.faults.books import Books
from tests.faults.counted import ANSWERS, Counted
from tests.faults.peace import Peace, Span
from tests.faults.recorded import Act, PostSeen, Truth

WEEK = re.compile(r"\b(\d{4}-W\d{2})\b")
TALLY = re.compile(r": NPS (?:-?\d+|–).*, n \d+: ", re.MULTILINE)
ABSENT = re.compile(r"^Could not be read in time, so answers may be missing: (.+)$", re.MULTILINE)
HEADLINE, DETAILS = PARTS = ("headline", "details")

CLOCKS_S = 0.5
"""So many wall seconds the two processes may differ in the time: platforms tell it in whole seconds."""

CALM_S = 5.0
"""An account that was well for so many wall seconds before a report is due can be read then."""

DUE_S = 5.0
"""So many wall seconds after it was due a report is waited for."""

GROUPS = {1: "promoters", 0: "passives", -1: "detractors"}

Cell = tuple[str, str]
"""Channel (or ``all``) and group."""


@dataclass(frozen=True, slots=True)
class Team:
    """A place where the score is posted."""

    name: str
    account: str
    place: str
    zone: str
    due: timedelta
    """How long after Monday 00:00 local time."""

    def due_at(self, week: str) -> float:
        """When the report of a week is due, in Unix seconds."""
        year, number = week.split("-W")
        monday = datetime.fromisocalendar(int(year), int(number), 1) + timedelta(days=7) + self.due
        return monday.replace(tzinfo=ZoneInfo(self.zone)).timestamp()


@dataclass(frozen=True, slots=True)
class Part:
    """One message of a report, as it stands there now."""

    survey: str
    team: Team
    week: str
    part: str
    post: PostSeen
    text: str

    @property
    def name(self) -> str:
        """For findings."""
        return f"{self.survey} {self.team.name} {self.week} {self.part}"

    @property
    def said(self) -> dict[str, dict[str, Counts]]:
        """Its numbers: ``named`` and ``open``, by channel and ``all``."""
        return {kind: self.read[kind] for kind in ("named", "open")}

    @property
    def read(self) -> dict[str, Any]:
        """The same, and the ``window``, if it tells one."""
        found: dict[str, Any] = {"named": {}, "open": {}}
        for line in self.text.splitlines():
            read_line(line.strip(), found)
        return found


@dataclass
class Bounds:
    """How many there must be at least and may be at most, by cell."""

    least: Counter[Cell] = field(default_factory=Counter)
    most: Counter[Cell] = field(default_factory=Counter)

    def add(self, cells: Iterable[Cell | None]) -> None:
        """Somebody is in one of these; ``None``: or in none."""
        possible = set(cells)
        self.most.update(cell for cell in possible if cell is not None)
        if len(possible) == 1:
            self.least.update(cell for cell in possible if cell is not None)

    def wrong(self, cell: Cell, n: int) -> str:
        """What is wrong about a number, or nothing."""
        least, most = self.least[cell], self.most[cell]
        return "" if least <= n <= most else f"says {n}, at least {least} and at most {most} had answered so"


@dataclass
class Reported:
    """The comparison. ``teams`` gives each survey's."""

    truth: Truth
    books: Books
    counted: Counted
    platforms: Mapping[str, str]
    teams: Mapping[str, Sequence[Team]]
    posted: Sequence[Span]
    """When somebody posted reports by hand."""
    peace: Peace

    def __post_init__(self) -> None:
        self.parts = list(self._parts())
        self._absent: dict[tuple[str, str, str], set[str]] = {}
        for part in self.parts:
            found = ABSENT.search(part.text)
            if found is not None:
                self._absent[part.survey, part.team.name, part.week] = set(found[1].split(", "))

    def _parts(self) -> Iterator[Part]:
        """A placeholder that was never edited is no report."""
        at = {(team.account, team.place): (survey, team) for survey, its in self.teams.items() for team in its}
        shown_last = {(post.account, post.place, post.id): post for post in self.truth.posts}
        for post in shown_last.values():  # an edited one is seen again, under the id that it had
            where, shown = at.get((post.account, post.place)), (post.edits[-1] if post.edits else post.text)
            week = WEEK.search(shown)
            if where is not None and week is not None and tells(shown):
                yield Part(*where, week[1], DETAILS if TALLY.search(shown) else HEADLINE, post, shown)

    # -- which -----------------------------------------------------------------------------------------------------

    def missing(self) -> list[str]:
        """Parts of reports that were due and never came."""
        arrived = {part.name for part in self.parts}
        wanted = (
            f"{survey} {team.name} {week} {part}"
            for survey, its in self.teams.items()
            for team in its
            for week in self._asked_weeks(survey)
            if team.due_at(week) + DUE_S * self.counted.speed < self.truth.at and not self._nobody_was_up(team, week)
            for part in PARTS
        )
        return [name for name in wanted if name not in arrived]

    def doubled(self) -> list[str]:
        """Parts of reports that came more than once."""
        arrived = Counter(part.name for part in self.parts)
        return [f"{name}: {n} times" for name, n in sorted(arrived.items()) if n > 1]

    def _asked_weeks(self, survey: str) -> list[str]:
        return [week.week for week in self.truth.weeks if week.survey == survey and any(week.asks.values())]

    def _nobody_was_up(self, team: Team, week: str) -> bool:
        """Whether no instance ran from when it was due until the next one was: then that one is the late report."""
        due = team.due_at(week)
        year, number, _ = (datetime.fromtimestamp(due, ZoneInfo(team.zone))).isocalendar()
        return bool(self.truth.lives) and not up_s(self.truth, due, team.due_at(f"{year}-W{number:02}"))

    # -- what they say ---------------------------------------------------------------------------------------------

    def wrong(self) -> Iterator[str]:
        """What is wrong about reports that came."""
        last = max((part.week for part in self.parts), default="")
        for part in self.parts:
            made_at = self._made_at(part)
            early_s = part.team.due_at(part.week) - made_at
            if early_s > CLOCKS_S * self.counted.speed and not self._by_hand(made_at):
                yield f"report {part.name} came {early_s / 3600:.1f} h before it was due"
            absent = ABSENT.search(part.text)
            if absent and not self._by_hand(made_at) and self._could_be_read(part, made_at):
                told = set(absent[1].split(", ")) - self._with_a_poll_in_doubt(part, made_at)
                if told:
                    yield f"report {part.name} calls {', '.join(sorted(told))} unreadable, and nothing was wrong"
            if part.week == last:
                yield from self._against_the_books(part)
            yield from self._against_the_acts(part)
        yield from self._against_the_details()

    def _against_the_details(self) -> Iterator[str]:
        """What the first message says of the numbers that the details of the same report bear out."""
        details = {(part.survey, part.team, part.week): part for part in self.parts if part.part == DETAILS}
        for part in self.parts:
            its = details.get((part.survey, part.team, part.week))
            if part.part == HEADLINE and its is not None:
                found = its.read
                for kind in ("named", "open"):
                    found[kind].setdefault("all", NOBODY)
                arranged({part.week: found})
                for wrong in contradictions(part.text, found):
                    yield f"report {part.name} contradicts its details: {wrong}"

    def _could_be_read(self, part: Part, made_at: float) -> bool:
        """Whether all was well from before it was due until it was made."""
        due, made = self._wall(part.team.due_at(part.week)), self._wall(made_at)
        return self.peace.all_of(due - CALM_S, made)

    def _with_a_poll_in_doubt(self, part: Part, made_at: float) -> set[str]:
        """Accounts of which nobody knew then whether they had asked: so nobody knew what their polls counted."""
        return {
            row["account"]
            for row in self.books.outbox
            if row["kind"] == "ask"
            and self.books.wave_of(row) == (part.survey, part.week)
            and (row["state"] == "unknown" or (row["settled_at"] or 0) > made_at)
        }

    def _wall(self, at: float) -> float:
        return float(self.truth.wall - (self.truth.at - at) / self.counted.speed)

    def _by_hand(self, made_at: float) -> bool:
        wall = self._wall(made_at)
        return any(began - CLOCKS_S <= wall <= ended + CLOCKS_S for began, ended in self.posted)

    def _made_at(self, part: Part) -> float:
        """When its numbers were read, as the books have it, which is before anybody saw it."""
        name = f"report:{part.survey}:{part.week}:{part.team.name}:"
        return min([part.post.at, *(r["planned_at"] for r in self.books.outbox if r["key"].startswith(name))])

    def _against_the_acts(self, part: Part) -> Iterator[str]:
        named, unnamed = self._named(part), self._open(part)
        for kind, bounds in (("named", named), ("open", unnamed)):
            for channel, counts in part.said[kind].items():
                for group in GROUPS.values():
                    wrong = bounds.wrong((channel, group), counts[group])
                    if wrong:
                        yield f"report {part.name}: {kind} {channel} {group} {wrong}"

    def _named(self, part: Part) -> Bounds:
        done: defaultdict[tuple[str, str], list[Act]] = defaultdict(list)
        for act in self.truth.acts:
            mine = (act.survey, act.week) == (part.survey, part.week) and act.kind in ANSWERS and not act.open
            if mine and act.at <= part.post.at + CLOCKS_S * self.counted.speed:
                done[act.account, act.person].append(act)
        found = Bounds()
        for acts in done.values():
            weighed = [(act, self._weight(act, part)) for act in acts]
            given = allowed(weighed)
            if any(weight is not Weight.SURE for _, weight in weighed):  # what came later may have been heard sooner
                given |= allowed((act, Weight.MAYBE if w is Weight.HIDDEN else w) for act, w in weighed)
            found.add(None if one is None else (one.channel, _group(one.low, one.high)) for one in given)
            found.add(None if one is None else ("all", _group(one.low, one.high)) for one in given)
        return found

    def _weight(self, act: Act, part: Part) -> Weight:
        """As far as could be known when the report was made."""
        weight, absent = self.counted.weight(act), self._absent.get((part.survey, part.team.name, part.week), set())
        in_time = act.at < part.team.due_at(part.week) - CLOCKS_S * self.counted.speed
        if self._by_hand(self._made_at(part)):  # whoever posts by hand does not wait for what has still to be read
            in_time = False
        if weight in (Weight.SURE, Weight.HIDDEN) and (act.account in absent or not in_time):
            return Weight.MAYBE
        return weight

    def _open(self, part: Part) -> Bounds:
        """Votes as they stood when the polls ended, which is before any report is due."""
        absent = self._absent.get((part.survey, part.team.name, part.week), set())
        standing: dict[tuple[str, str, str, str], Act] = {}
        for act in self.truth.acts:
            if act.open and act.accepted and not act.frozen and (act.survey, act.week) == (part.survey, part.week):
                name = (act.account, act.place, act.post, act.person)
                standing.pop(name, None)
                if act.kind == "vote":
                    standing[name] = act
        found = Bounds()
        for act in standing.values():
            assert act.low is not None
            assert act.high is not None
            unread: set[Cell | None] = {None} if act.account in absent else set()
            for channel in (act.channel, "all"):
                found.add({(channel, _group(act.low, act.high)), *unread})
        return found

    def _against_the_books(self, part: Part) -> Iterator[str]:
        """The last report, made when all was well: it says neither less nor more than was kept."""
        kept: Counter[Cell] = Counter()
        for row in self.books.response:
            if row["low"] is not None and self.books.wave_of(row) == (part.survey, part.week):
                group = _group(row["low"], row["high"])
                kept.update([(row["channel"], group), ("all", group)])
        for channel, counts in part.said["named"].items():
            for group in GROUPS.values():
                if counts[group] != kept[channel, group]:
                    n = kept[channel, group]
                    yield f"report {part.name}: named {channel} {group} says {counts[group]}, the books have {n}"


def up_s(truth: Truth, since: float, until: float) -> float:
    """How many seconds of a span some instance ran, by the calendar."""
    reached, found = since, 0.0
    for life in sorted(truth.lives, key=lambda life: life.since):
        begin, end = max(reached, life.since), min(until, truth.at if life.until is None else life.until)
        if end > begin:
            found, reached = found + end - begin, end
    return found


def _group(low: int, high: int) -> str:
    return GROUPS[Scores(low, high).group]
