"""One poll: its options, its votes, its end, and what of it is shown.

Source: https://core.telegram.org/bots/api#poll
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True, eq=False)
class Poll:
    """A poll and its votes. A person has at most one choice here; polls with several answers take one all the same."""

    id: str
    question: str
    options: tuple[str, ...]
    anonymous: bool = True
    kind: str = "regular"
    multiple: bool = False
    revoting: bool = True
    members_only: bool = False
    hide_results: bool = False
    """Until it closes."""
    opened_at: datetime | None = None
    closes_at: datetime | None = None
    """Calendar time."""
    open_period_s: int = 0
    closed: bool = False
    extras: dict[str, Any] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)
    """The fields of ``Poll`` that stand only inside a ``Message``."""
    votes: dict[int, int] = field(default_factory=dict)
    """Person → option."""
    counts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = [0] * len(self.options)

    def persistent_id(self, option: int) -> str:
        """Of an option: the same as long as it lives, and no index."""
        return f"{int(self.id) % 4093 + 4099 * (option + 1):x}"

    def choose(self, person: int, option: int | None) -> bool:
        """Put, move or take back one vote. Returns whether that changed anything."""
        before = self.votes.get(person)
        if before == option:
            return False
        if before is not None:
            self.counts[before] -= 1
            del self.votes[person]
        if option is not None:
            self.counts[option] += 1
            self.votes[person] = option
        return True

    @property
    def results_hidden(self) -> bool:
        """Whether the numbers are kept back until the end."""
        return self.hide_results and not self.closed

    def wire(self) -> dict[str, Any]:
        """As a ``Poll``, as it stands now."""
        hidden = self.results_hidden
        poll: dict[str, Any] = {
            "id": self.id,
            "question": self.question,
            "options": [
                {"persistent_id": self.persistent_id(i), "text": text, "voter_count": 0 if hidden else self.counts[i]}
                for i, text in enumerate(self.options)
            ],
            "total_voter_count": len(self.votes),
            "is_closed": self.closed,
            "is_anonymous": self.anonymous,
            "type": self.kind,
            "allows_multiple_answers": self.multiple,
            "allows_revoting": self.revoting,
            "members_only": self.members_only,
            **self.extras,
        }
        if self.closes_at is not None and not self.closed:
            poll["close_date"] = int(self.closes_at.timestamp())
            if self.open_period_s:
                poll["open_period"] = self.open_period_s
        return poll
