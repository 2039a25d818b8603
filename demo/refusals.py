"""What the stand-ins refused: requests that a platform would have answered with an error."""

from __future__ import annotations

from collections import Counter

from sandbox.server import Exchange

MOST = 0.01
"""A larger share of a platform's requests is a fault."""

FEW = 10
"""So many refusals are none, however few requests there were: a poll that has just ended by itself, a burst."""


class Refusals:
    """Counts exchanges. A person who blocked the account or closed their messages (403) is nobody's fault."""

    def __init__(self) -> None:
        self._requests: Counter[str] = Counter()
        self._refused: Counter[tuple[str, int]] = Counter()

    def see(self, exchange: Exchange) -> None:
        """Count one exchange."""
        self._requests[exchange.platform] += 1
        if 400 <= exchange.status < 500 and exchange.status != 403:
            self._refused[exchange.platform, exchange.status] += 1

    def by_platform(self) -> dict[str, dict[str, int]]:
        """How many by platform and status, such as ``{"telegram": {"429": 3}}``."""
        found: dict[str, dict[str, int]] = {}
        for (platform, status), n in sorted(self._refused.items()):
            found.setdefault(platform, {})[str(status)] = n
        return found

    def faults(self) -> list[str]:
        """Platforms that refused too much."""
        sums = {platform: sum(statuses.values()) for platform, statuses in self.by_platform().items()}
        return [
            f"{platform} refused {n} of {self._requests[platform]} requests: {self.by_platform()[platform]}"
            for platform, n in sums.items()
            if n > max(FEW, MOST * self._requests[platform])
        ]
