"""What the service says that it said, against what people could see: twice, never, in doubt, and the weekly reports."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.faults.books import Books, Row
from tests.faults.contract import PostSeen, Request, Truth

WEEK = re.compile(r"\b(\d{4}-W\d{2})\b")
TALLY = re.compile(r": NPS (?:-?\d+|–).*, n \d+: ", re.MULTILINE)
CHANNEL = re.compile(r"^\S+ \((?:named|open)\): NPS ", re.MULTILINE)
PARTS = ("headline", "channels")

CANNOT_LOOK = ("telegram",)
"""Platforms that show a bot nothing of what it said itself."""

OWN_REASONS = ("no longer allowed", "already answered", "blocked", "cannot be written", "closed", "not allowed")
"""Why a refused message is the person's own wish, in the words of the books."""

SLACK_S = 5.0
"""So many wall seconds the clocks of the two processes may differ in what they call the time of a request."""


@dataclass(frozen=True, slots=True)
class Team:
    """A place where the score is posted."""

    name: str
    account: str
    place: str
    zone: str
    due: timedelta
    """How long after Monday 00:00 local time."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message whose outcome the service does not know."""

    key: str
    why: str
    """``cut``: the answer to its request was; ``unsent``: it died before the request; empty: nothing explains it."""


@dataclass
class Said:
    """The comparison. ``platforms`` gives each account's platform, ``teams`` each survey's."""

    truth: Truth
    books: Books
    platforms: Mapping[str, str]
    teams: Mapping[str, Sequence[Team]]
    zones: Mapping[str, str]
    speed: float
    doubts: list[Doubt] = field(init=False)

    def __post_init__(self) -> None:
        self.doubts = [self._doubt(row) for row in self.books.outbox if row["state"] == "unknown"]

    # -- in doubt --------------------------------------------------------------------------------------------------

    def _doubt(self, row: Row) -> Doubt:
        begun = (row["claimed_at"] or row["planned_at"]) - SLACK_S * self.speed
        settled = (row["settled_at"] or self.truth.at) + SLACK_S * self.speed
        mine = [r for r in self.truth.requests if self._of(r, row) and begun <= r.at <= settled]
        if any(request.cut for request in mine):
            return Doubt(row["key"], "cut")
        killed = any(row["key"] in hit.sending for hit in self.truth.hits)
        if killed and self.platforms[row["account"]] in CANNOT_LOOK:
            return Doubt(row["key"], "unsent")
        return Doubt(row["key"], "")

    def _of(self, request: Request, row: Row) -> bool:
        if request.account != row["account"]:
            return False
        if row["person_id"] is not None:
            return request.to == self.books.people[row["person_id"]]["platform_id"]
        return request.place == row["place"]

    # -- twice and never -------------------------------------------------------------------------------------------

    def twice(self) -> Iterator[str]:
        """Messages that a person saw more often than the books can mean: each row is said once at most. What is
        answered to a tap at once is in no row; of that there is not more than one for each tap."""
        posted, rows = self._seen_texts(), self._said_texts()
        done = Counter((act.account, act.person) for act in self.truth.acts)
        for name in sorted(posted):
            at_once = 0
            for said, n in sorted(posted[name].items()):
                states = rows[name].get(said)
                if states is None:
                    at_once += n
                elif n > states["sent"] + states["unknown"]:
                    yield f"{name[0]} {name[1]} saw {n} times {said!r}, the books have {dict(states)}"
            if at_once > done[name]:
                yield f"{name[0]} {name[1]} did {done[name]} things and was answered {at_once} times at once"

    def only_in_the_books(self) -> Iterator[str]:
        """Messages that the books call sent and nobody saw."""
        posted, rows = self._seen_texts(), self._said_texts()
        for name in sorted(rows):
            for said, states in sorted(rows[name].items()):
                if states["sent"] > posted[name][said]:
                    yield f"{name[0]} {name[1]} saw {posted[name][said]} times {said!r}, the books have {dict(states)}"

    def _seen_texts(self) -> dict[tuple[str, str], Counter[str]]:
        found: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for name, posts in self._direct_posts().items():
            found[name] = Counter(_squeezed(post.text) for post in posts)
        return found

    def _said_texts(self) -> dict[tuple[str, str], dict[str, Counter[str]]]:
        """By person and text: how many rows are in each state."""
        found: defaultdict[tuple[str, str], dict[str, Counter[str]]] = defaultdict(dict)
        for row in self.books.outbox:
            if row["person_id"] is not None:
                words = _squeezed("".join(part[1] for part in json.loads(row["body"])["parts"]))
                found[self.books.person_of(row)].setdefault(words, Counter())[row["state"]] += 1
        return found

    def _direct_posts(self) -> dict[tuple[str, str], list[PostSeen]]:
        found: defaultdict[tuple[str, str], list[PostSeen]] = defaultdict(list)
        for post in self.truth.posts:
            private_answer = post.platform == "discord" and not post.key
            if post.place == "direct" and post.to is not None and not private_answer:
                found[post.account, post.to].append(post)
        return found

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

    # -- reports ---------------------------------------------------------------------------------------------------

    def reports(self) -> tuple[list[str], list[str]]:
        """(missing, doubled) parts of weekly reports. A placeholder that was never edited is no report."""
        arrived: Counter[tuple[str, str, str, str]] = Counter()
        at = {(team.account, team.place): (survey, team.name) for survey, its in self.teams.items() for team in its}
        shown_last = {(post.account, post.place, post.id): post for post in self.truth.posts}
        for post in shown_last.values():  # an edited one is seen again, under the id that it had
            where, shown = at.get((post.account, post.place)), (post.edits[-1] if post.edits else post.text)
            week = WEEK.search(shown)
            if where is not None and week is not None and TALLY.search(shown):
                arrived[*where, week[1], "channels" if CHANNEL.search(shown) else "headline"] += 1
        wanted = [
            (survey, team.name, week, part)
            for survey, its in self.teams.items()
            for team in its
            for week in self._asked_weeks(survey)
            if _due(week, team) + SLACK_S * self.speed < self.truth.at
            for part in PARTS
        ]
        missing = [" ".join(name) for name in wanted if not arrived[name]]
        doubled = [f"{' '.join(name)}: {n} times" for name, n in sorted(arrived.items()) if n > 1]
        return missing, doubled

    def _asked_weeks(self, survey: str) -> list[str]:
        return [week.week for week in self.truth.weeks if week.survey == survey and any(week.asks.values())]

    # -- the share -------------------------------------------------------------------------------------------------

    def share(self) -> tuple[int, int, Counter[str]]:
        """(planned and still wanted, sent, what became of the others by kind, state and error)."""
        planned = sent = 0
        others: Counter[str] = Counter()
        here = {(post.account, post.to) for post in self.truth.posts if post.place == "direct"}
        for row in self.books.outbox:
            if not self._wanted(row):
                continue
            planned += 1
            if row["state"] == "sent" or (row["state"] == "unknown" and self._arrived(row, here)):
                sent += 1
            else:
                others[f"{row['account']} {row['kind']} {row['state']} {row['error'][:60]}".strip()] += 1
        return planned, sent, others

    def _wanted(self, row: Row) -> bool:
        if row["state"] == "refused":
            return not any(words in row["error"].lower() for words in OWN_REASONS)
        answers_only = self.platforms[row["account"]] == "x" and row["person_id"] is not None
        if answers_only and row["state"] in ("planned", "expired"):
            return False  # X lets us write once for each of theirs
        if row["state"] in ("planned", "expired") and row["person_id"] is not None:
            person = self.books.people[row["person_id"]]
            return not (person["stopped"] or person["blocked"])
        return True

    def _arrived(self, row: Row, here: set[tuple[str, str | None]]) -> bool:
        """Whether the request of a message in doubt took effect after all."""
        if row["person_id"] is not None and self.books.person_of(row) not in here:
            return False
        begun = (row["claimed_at"] or row["planned_at"]) - SLACK_S * self.speed
        return any(r.applied and r.cut and r.at >= begun for r in self.truth.requests if self._of(r, row))


def _due(week: str, team: Team) -> float:
    """When the report of a week is due, in Unix seconds."""
    year, number = week.split("-W")
    monday = datetime.fromisocalendar(int(year), int(number), 1) + timedelta(days=7) + team.due
    return monday.replace(tzinfo=ZoneInfo(team.zone)).timestamp()


def _squeezed(said: str) -> str:
    """A text without white space: where lines break is the platform's."""
    return "".join(said.split())
