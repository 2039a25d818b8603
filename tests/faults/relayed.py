"""What teammates wrote to customers against what these got: each once, or it is known why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.faults.books import Books, Row
from tests.faults.counted import Finding
from tests.faults.recorded import Act, Truth

PASSED_ON = "answers case"
"""How the log says that an order was carried out and its words are to be said."""


@dataclass
class Relayed:
    """The comparison."""

    truth: Truth
    books: Books
    arrived: int = field(default=0, init=False)
    """How many notes customers got."""

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong."""
        orders = {(row["account"], row["event"]): row for row in self.books.command}
        relays = [row for row in self.books.outbox if row["kind"] == "relay"]
        for note in self.truth.acts:
            if note.kind != "note":
                continue
            got = sum(post.place == "direct" and note.text in post.text for post in self.truth.posts)
            self.arrived += got > 0
            if got > 1:
                yield Finding(
                    "doubled", f"a customer got {got} times what {note.account} {note.person} wrote: {note.text}"
                )
            order = next((orders[name] for event in note.events if (name := (note.account, event)) in orders), None)
            if got == 0 and order is not None and (wrong := _wrong(note, order, relays)):
                yield Finding("lost", f"no customer got what {note.account} {note.person} wrote: {note.text} {wrong}")


def _wrong(note: Act, order: Row, relays: list[Row]) -> str:
    """What is wrong if nobody got it, although the order for it was kept; empty where it may be so."""
    if order["state"] == "waiting":
        return "(the order still waits)"
    if order["state"] != "done" or not order["outcome"].startswith(PASSED_ON):
        return ""  # the team was told why
    mine = [row for row in relays if note.text in row["body"]]
    if not mine:
        return "(nothing was planned)"
    return f"(it is {mine[0]['state']})" if mine[0]["state"] in ("sent", "claimed", "sending") else ""
