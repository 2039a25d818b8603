"""How much of what was planned, and still wanted, has been said. That it was not wanted is for the person to say, by
what they did, and for the platform; never for the service by a word of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sandbox.ledger import OPENING
from tests.faults.books import Books, Row
from tests.faults.counted import ANSWERS
from tests.faults.recorded import Act, Truth
from tests.faults.reported import up_s
from tests.faults.said import SLACK_S

UNWELCOME = "no longer allowed, or already answered"
"""What the service writes when it finds itself that something is not wanted any more."""

LEAVING = ("stop", "block")

AWAY = 0.9
"""What was to be said while the service was away for so much of its life may expire."""

_Name = tuple[str, str]


@dataclass
class Shares:
    """The count. ``platforms`` gives each account's platform."""

    truth: Truth
    books: Books
    platforms: Mapping[str, str]
    speed: float
    _acts: defaultdict[_Name, list[Act]] = field(default_factory=lambda: defaultdict(list), init=False)
    _posts: Counter[_Name] = field(default_factory=Counter, init=False)
    """Direct messages that a person got, or may have got."""

    _kept: set[_Name] = field(default_factory=set, init=False)
    """Accounts and events of replies."""

    def __post_init__(self) -> None:
        self._kept.update((row["account"], row["event"]) for row in self.books.reply)
        for act in self.truth.acts:
            self._acts[act.account, act.person].append(act)
        self._posts.update((post.account, post.to) for post in self.truth.posts if post.place == "direct" and post.to)
        doubts = (row for row in self.books.outbox if row["state"] == "unknown" and row["person_id"] is not None)
        self._posts.update(map(self.books.person_of, doubts))

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
        if row["state"] == "expired" and self._was_away(row):
            return False
        if row["person_id"] is None or row["state"] not in ("refused", "planned", "expired"):
            return True
        name = self.books.person_of(row)
        if row["state"] == "refused":
            # Whatever a refusal says in the platform's name: who was refused has left, or something of ours is wrong.
            return not (self._has_reason(name, row) if row["error"] == UNWELCOME else self._had_left(name, row))
        if self.platforms[row["account"]] == "x" and self._nothing_is_owed(name):
            return False
        return not self._has_left(name)

    def _has_reason(self, name: _Name, row: Row) -> bool:
        """Whether somebody said stop, or answered in that week, before it was settled that they want nothing. A tap
        that failed before their eyes may have been kept all the same."""
        until = (row["settled_at"] or self.truth.at) + SLACK_S * self.speed
        its = self.books.wave_of(row) if row["wave_id"] is not None else None
        return any(
            act.kind in LEAVING or (act.kind in ANSWERS and (act.survey, act.week) == its)
            for act in self._acts[name]
            if act.at <= until and (act.accepted is not False or self._is_kept(act))
        )

    def _is_kept(self, act: Act) -> bool:
        return any((act.account, event) in self._kept for event in act.events)

    def _had_left(self, name: _Name, row: Row) -> bool:
        """Whether the last thing that somebody did about being written to, before it was refused, was to end it."""
        until = (row["settled_at"] or self.truth.at) + SLACK_S * self.speed
        return _last_wish(act for act in self._acts[name] if act.at <= until and act.accepted is not False) in LEAVING

    def _nothing_is_owed(self, name: _Name) -> bool:
        """X lets us write once for each of theirs that we have read."""
        theirs = sum(act.direct and act.accepted is True and act.wired is not None for act in self._acts[name])
        return self._posts[name] >= theirs

    def _has_left(self, name: _Name) -> bool:
        """Whether the last thing that somebody did about being written to was to end it."""
        return _last_wish(self._acts[name]) in LEAVING

    def _was_away(self, row: Row) -> bool:
        """Whether it expired because nobody was there to say it for nearly all of its life."""
        since, until = row["planned_at"], row.get("not_after")
        if until is None or until <= since or not self.truth.lives:
            return False
        return up_s(self.truth, since, until) < (1 - AWAY) * float(until - since)

    def _arrived(self, row: Row, here: set[tuple[str, str | None]]) -> bool:
        """Whether the request of a message in doubt took effect after all."""
        if row["person_id"] is not None and self.books.person_of(row) not in here:
            return False
        begun = (row["claimed_at"] or row["planned_at"]) - SLACK_S * self.speed
        settled = (row["settled_at"] or self.truth.at) + SLACK_S * self.speed
        mine = (r for r in self.truth.requests if self.books.is_of(r, row))
        return any(r.applied and r.cut and begun <= r.at <= settled for r in mine)


def _last_wish(acts: Iterable[Act]) -> str:
    """The last kind of act that is about being written to."""
    return next((act.kind for act in reversed([*acts]) if act.kind in (*LEAVING, *OPENING)), "")
