"""Rate windows on the calendar, and what the calls would have cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sandbox.clocks import Clocks
from sandbox.rules import Rules
from sandbox.x.problems import Refusal, too_many

WINDOW_S = 15 * 60
DAY_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls per window. Source: https://docs.x.com/x-api/fundamentals/rate-limits"""

    name: str
    per_brand: int
    per_app: int = 0
    """With an app-only token; 0 where such a token is refused anyway."""
    per_brand_day: int = 0


ME = Limit("me", 75)
USERS = Limit("users", 900, 300)
POSTS = Limit("posts", 100)
DELETE = Limit("delete", 50)
LOOKUP = Limit("lookup", 900, 3500)
MENTIONS = Limit("mentions", 300, 450)
TIMELINE = Limit("timeline", 900, 10_000)
DMS = Limit("dms", 15, per_brand_day=1440)
DM_EVENTS = Limit("dm_events", 15)
DM_EVENTS_WITH = Limit("dm_events_with", 15)
MEDIA = Limit("media", 500)


@dataclass(slots=True)
class _Window:
    resets_at: float = 0.0
    used: int = 0

    def spend(self, now: float, lasts_s: int, limit: int) -> bool:
        """Count a call; False when the window is used up."""
        if now >= self.resets_at:
            self.resets_at, self.used = float(int(now) + lasts_s), 0
        if self.used >= limit:
            return False
        self.used += 1
        return True


class Rates:
    """All windows: per account, kind of token and limit."""

    def __init__(self, clocks: Clocks, rules: Rules) -> None:
        self._clocks = clocks
        self._rules = rules
        self._windows: dict[tuple[str, bool, str], _Window] = {}

    def spend(self, account: str, as_brand: bool, limit: Limit) -> tuple[dict[str, str], Refusal | None]:
        """Count a call. Returns the headers of the answer, and the 429 if it is one."""
        now = self._clocks.now().timestamp()
        most = limit.per_brand if as_brand else limit.per_app
        window = self._windows.setdefault((account, as_brand, limit.name), _Window())
        allowed = window.spend(now, WINDOW_S, most) or not self._rules.on(f"x.rate.{limit.name}")
        headers = _headers("x-rate-limit-{}", window, most)
        if limit.per_brand_day:
            day = self._windows.setdefault((account, as_brand, f"{limit.name}_day"), _Window())
            if allowed:
                in_day = day.spend(now, DAY_S, limit.per_brand_day)
                allowed = in_day or not self._rules.on(f"x.rate.{limit.name}_day")
            headers |= _headers("x-user-limit-24hour-{}", day, limit.per_brand_day)
        return headers, None if allowed else too_many()


def _headers(name: str, window: _Window, limit: int) -> dict[str, str]:
    return {
        name.format("limit"): str(limit),
        name.format("remaining"): str(max(0, limit - window.used)),
        name.format("reset"): str(int(window.resets_at)),
    }


PRICES = {
    "post.read": Decimal("0.005"),
    "post.read.own": Decimal("0.001"),
    "user.read": Decimal("0.010"),
    "dm.read": Decimal("0.010"),
    "post.create": Decimal("0.015"),
    "post.create.link": Decimal("0.200"),
    "post.create.summoned": Decimal("0.010"),
    "dm.create": Decimal("0.015"),
}
"""USD per item. Source: https://docs.x.com/x-api/getting-started/pricing"""


@dataclass
class Bill:
    """What an account would have paid. The same item read twice on a UTC day is billed once."""

    items: dict[str, int] = field(default_factory=dict)
    """How many of each price."""
    _day: date = date.min
    _read: set[tuple[str, int]] = field(default_factory=set)

    @property
    def usd(self) -> Decimal:
        return sum((PRICES[name] * count for name, count in self.items.items()), Decimal(0))

    def write(self, price: str) -> None:
        self.items[price] = self.items.get(price, 0) + 1

    def read(self, today: date, price: str, ids: Iterable[int]) -> None:
        if today != self._day:
            self._day, self._read = today, set()
        fresh = {(price, item) for item in ids} - self._read
        if fresh:
            self._read |= fresh
            self.items[price] = self.items.get(price, 0) + len(fresh)
