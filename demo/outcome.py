"""What came of a demo: what is true, what was posted, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Outcome:
    """What a demo found. ``ok`` when what was posted is what is true, but for what was misread and is listed."""

    truth: dict[str, Any]
    posted: dict[str, Any]
    modes: dict[str, Any]
    lost: int
    """Answers that the posts lack, net per channel and group."""
    doubled: int
    """Answers that the posts have too many, net per channel and group, and messages that came twice or unwelcome."""
    elapsed_s: float
    expected: dict[str, Any] | None = None
    """What the posts must say, given what was misread; ``None``: the truth."""
    typed: int = 0
    """How many messages followers wrote in their own words."""
    misread_messages: int = 0
    """How many of these were misread, also those that were put right within the week."""
    misread: list[dict[str, Any]] = field(default_factory=list)
    """The answers that were read otherwise than they were meant: ``truth`` minus ``posted`` is just these."""
    faults: list[str] = field(default_factory=list)
    """What is wrong, one sentence each; the first numbers that differ are named here."""
    refusals: dict[str, dict[str, int]] = field(default_factory=dict)
    """By platform and status: what the stand-ins refused, but for messages to people who cannot be written to."""

    @property
    def ok(self) -> bool:
        """Whether nothing was lost, doubled or missing, and next to nothing misread."""
        expected = self.truth if self.expected is None else self.expected
        return expected == self.posted and not self.lost and not self.doubled and not self.faults

    def as_json(self) -> dict[str, Any]:
        """One object for ``--json``. ``lost`` and ``doubled`` are net per channel and group: see ``differences``."""
        return {
            "truth": self.truth,
            "posted": self.posted,
            "modes": self.modes,
            "lost": self.lost,
            "doubled": self.doubled,
            "typed": self.typed,
            "misread_messages": self.misread_messages,
            "misread": self.misread,
            "faults": self.faults,
            "refusals": self.refusals,
            "elapsed_s": round(self.elapsed_s, 1),
        }
