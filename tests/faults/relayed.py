"""What teammates wrote to customers against what these got: each once, or it is known why not."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from tests.faults.books import Books, Row
from tests.faults.counted import Finding
from tests.faults.recorded import Act, Truth

PASSED_ON = "answers case"
"""How the log says that an order was carried out and its words are to be said."""

_CASE = re.compile(r"\b(?:Case|Dossier) (\d+)")
_UNDELIVERED = re.compile(r"Case (\d+): (?:what you wrote did not reach|nobody can tell whether what you wrote)")


@dataclass
class Relayed:
    """The comparison. ``waits``: accounts on which a customer must write first, so that a note may wait for them."""

    truth: Truth
    books: Books
    waits: Collection[str] = ()
    arrived: int = field(default=0, init=False)
    """How many notes customers got."""

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong."""
        orders = {(row["account"], row["event"]): row for row in self.books.command}
        for note in self.truth.acts:
            if note.kind != "note":
                continue
            case = self._case_of(note)
            got = [post for post in self.truth.posts if post.place == "direct" and note.text in post.text]
            self.arrived += bool(got)
            said = f"what {note.account} {note.person} wrote about case {case}: {note.text}"
            if len(got) > 1:
                yield Finding("doubled", f"a customer got {len(got)} times {said}")
            if got and (got[0].account, got[0].to) != self._customer_of(case):
                yield Finding("lost", f"{got[0].account} {got[0].to} got, who is not the customer, {said}")
            order = next((orders[name] for event in note.events if (name := (note.account, event)) in orders), None)
            if not got and order is not None and (wrong := self._wrong(note, case, order)):
                yield Finding("lost", f"no customer got {said} {wrong}")

    def _case_of(self, note: Act) -> int:
        """The case that the message speaks of which was answered."""
        posts = (post for post in self.truth.posts if (post.account, post.id) == (note.account, note.post))
        named = (found for post in posts for text in (post.text, *post.edits) if (found := _CASE.search(text)))
        return next((int(found[1]) for found in named), 0)

    def _customer_of(self, case: int) -> tuple[str, str] | None:
        return next((self.books.person_of(row) for row in self.books.cases if row["id"] == case), None)

    def _wrong(self, note: Act, case: int, order: Row) -> str:
        """What is wrong if nobody got it, although the order for it was kept; empty where it may be so."""
        if order["state"] == "waiting":
            return "(the order still waits)"
        if order["state"] != "done" or not order["outcome"].startswith(PASSED_ON):
            return ""  # the team was told why
        relay = next((row for row in self.books.outbox if row["kind"] == "relay" and note.text in row["body"]), None)
        if relay is None:
            return "(nothing was planned)"
        if relay["state"] == "planned" and relay["account"] in self.waits:
            return ""
        is_told = any((found := _UNDELIVERED.search(post.text)) and int(found[1]) == case for post in self.truth.posts)
        settled = relay["state"] in ("refused", "expired", "unknown")
        return (
            "" if settled and is_told else f"(it is {relay['state']}, and the team was {'' if is_told else 'not '}told)"
        )
