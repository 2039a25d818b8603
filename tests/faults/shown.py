"""What people and teams could read against what the books say was said to them: each message once, none of which the
books know nothing, and none in the books alone. Asks are judged by their channel and week, see ``said``.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.faults.books import Books, Row
from tests.faults.recorded import PostSeen, Truth

AT_ONCE = ("/interactions/", "/webhooks/", "/answerCallbackQuery")
"""Requests that answer a tap at once, and are in no row: only who tapped sees what they say."""

UNANSWERED = ("vote", "retract")
"""To these nothing is answered at once."""

_EVENT = re.compile(r"/([a-z][0-9]+)\b")
"""In the key of an answer: what it answers."""

Name = tuple[str, str]
"""Account, and the person or place."""


@dataclass
class Shown:
    """The comparison, by account and person or place."""

    truth: Truth
    books: Books
    _seen: dict[Name, Counter[str]] = field(init=False)
    _said: dict[Name, dict[str, Counter[str]]] = field(init=False)
    """By text: how many rows are in each state."""

    def __post_init__(self) -> None:
        answers = {request.number for request in self.truth.requests if any(part in request.path for part in AT_ONCE)}
        self._at_once = [post for post in self.truth.posts if post.request in answers]
        self._seen = _texts([post for post in self.truth.posts if post.request not in answers and not _asks(post)])
        self._said = self._rows()

    def twice(self) -> Iterator[str]:
        """Messages that were seen more often than the books can mean: each row is said once at most. Of a report on
        Telegram the sentence that announces it may stand there as well."""
        announced = self._announcements()
        for name, posted in sorted(self._seen.items()):
            for words, n in sorted(posted.items()):
                states = self._said[name].get(words, Counter())
                if n > states["sent"] + states["unknown"] and (states or words not in announced[name]):
                    yield f"{_told(name, words, n)}, the books have {dict(states) or 'nothing of it'}"
        yield from self._answered_twice()
        yield from self._thanked_twice()

    def only_in_the_books(self) -> Iterator[str]:
        """Messages that the books call sent and nobody saw."""
        for name, rows in sorted(self._said.items()):
            for words, states in sorted(rows.items()):
                if states["sent"] > self._seen[name][words]:
                    yield f"{_told(name, words, self._seen[name][words])}, the books have {dict(states)}"

    def times(self, row: Row) -> int:
        """How often people see there what a row says."""
        return self._seen[self._name(row)][_words(row["body"])]

    def _answered_twice(self) -> Iterator[str]:
        """What is answered to a tap at once: not more than one for each thing that somebody did."""
        did = Counter((act.account, act.person) for act in self.truth.acts if act.kind not in UNANSWERED)
        answered = Counter((post.account, post.to or "") for post in self._at_once)
        for name, n in sorted(answered.items()):
            if n > did[name]:
                yield f"{name[0]} {name[1]} did {did[name]} things and was answered {n} times at once"

    def _thanked_twice(self) -> Iterator[str]:
        """What is answered to a message: not more than one for each, by however many rows."""
        answered = Counter(
            (row["account"], event[1])
            for row in self.books.outbox
            if row["kind"] == "answer" and row["state"] in ("sent", "unknown") and (event := _EVENT.search(row["key"]))
        )
        for (account, event), n in sorted(answered.items()):
            if n > 1:
                yield f"{account}: {event} was answered {n} times"

    def _rows(self) -> dict[Name, dict[str, Counter[str]]]:
        found: defaultdict[Name, dict[str, Counter[str]]] = defaultdict(dict)
        for row in self.books.outbox:
            if row["kind"] != "ask":
                found[self._name(row)].setdefault(_words(row["body"]), Counter())[row["state"]] += 1
        return found

    def _announcements(self) -> dict[Name, set[str]]:
        """What is said before a report where nobody can look."""
        found: defaultdict[Name, set[str]] = defaultdict(set)
        for row in self.books.outbox:
            first = json.loads(row["body"]).get("placeholder")
            if first is not None:
                found[self._name(row)].add(_joined(first["parts"]))
        return found

    def _name(self, row: Row) -> Name:
        return (row["account"], row["place"]) if row["person_id"] is None else self.books.person_of(row)


def _asks(post: PostSeen) -> bool:
    """Whether it is a public post of the question."""
    return post.place != "direct" and bool(post.channel or post.options)


def _texts(posts: Sequence[PostSeen]) -> dict[Name, Counter[str]]:
    """As they stand there now: an edited one is seen again, under the id that it had."""
    last: dict[tuple[str, str, str], str] = {}
    for post in posts:
        where = (post.to or "") if post.place == "direct" else post.place
        last[post.account, where, post.id] = post.edits[-1] if post.edits else post.text
    found: defaultdict[Name, Counter[str]] = defaultdict(Counter)
    for (account, where, _), text in last.items():
        found[account, where][_squeezed(text)] += 1
    return found


def _words(body: str) -> str:
    """What a row says."""
    return _joined(json.loads(body).get("parts", ()))


def _joined(parts: Sequence[Sequence[str]]) -> str:
    return _squeezed("".join(part[1] for part in parts))


def _squeezed(said: str) -> str:
    """A text without white space: where lines break is the platform's."""
    return "".join(said.split())


def _told(name: Name, words: str, n: int) -> str:
    return f"{name[0]} {name[1]} saw {n} times {words!r}"
