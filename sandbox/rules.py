"""Which limits are enforced. Every limit, expiry and error of a platform is one named rule, and each can be switched
off, so that a test can see that the check of that rule fails when nobody enforces it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field


@dataclass
class Rules:
    """The rules in force: all but those in ``off``. Names look like ``telegram.poll.options``."""

    off: Collection[str] = field(default_factory=frozenset)

    def on(self, name: str) -> bool:
        """Whether the rule is enforced."""
        return name not in self.off
