"""How often an application may ask: per route, over all routes, and how often it may be wrong. All on the wire clock.

Source: https://discord.com/developers/docs/topics/rate-limits
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from sandbox.discord.payload import encode
from sandbox.rules import Rules

GLOBAL_PER_S = 50
INVALID_LIMIT, INVALID_WINDOW_S = 10_000, 600.0
BAN_S = 3600.0
"""How long an address stays banned: about an hour, by third-party reports."""
VIA = {"Via": "1.1 google"}
BANNED_PAGE = (
    "<!doctype html><html><head><title>Access denied | discord.com used Cloudflare to restrict access</title></head>"
    "<body><h1>Error 1015</h1><p>You are being rate limited</p></body></html>"
)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``limit`` requests in ``window_s`` seconds."""

    limit: int
    window_s: float


@dataclass(slots=True)
class Bucket:
    """A fixed window that opens with its first request."""

    rate: Rate
    name: str
    used: int = 0
    resets_at: float = 0.0

    def take(self, now: float, *, enforced: bool) -> bool:
        if now >= self.resets_at:
            self.used, self.resets_at = 0, now + self.rate.window_s
        if self.used >= self.rate.limit and enforced:
            return False
        self.used += 1
        return True

    def headers(self, now: float) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.rate.limit),
            "X-RateLimit-Remaining": str(max(self.rate.limit - self.used, 0)),
            "X-RateLimit-Reset": f"{self.resets_at:.3f}",
            "X-RateLimit-Reset-After": f"{max(self.resets_at - now, 0.0):.3f}",
            "X-RateLimit-Bucket": self.name,
        }


@dataclass
class Limits:
    """All buckets of the platform."""

    wire: Callable[[], float]
    rules: Rules
    buckets: dict[tuple[str, str, str], Bucket] = field(default_factory=dict)
    totals: dict[str, Bucket] = field(default_factory=dict)
    invalid: dict[str, deque[float]] = field(default_factory=dict)
    banned_until: dict[str, float] = field(default_factory=dict)

    def ban(self, address: str) -> web.Response | None:
        """What a banned address is shown: a page of the proxy, no JSON and no ``Via``."""
        left_s = self.banned_until.get(address, 0.0) - self.wire()
        if left_s <= 0:
            return None
        headers = {"Retry-After": str(math.ceil(left_s))}
        return web.Response(status=429, text=BANNED_PAGE, content_type="text/html", headers=headers)

    def count_invalid(self, address: str) -> None:
        """A 401, 403 or 429 was answered; too many of them ban the address."""
        now = self.wire()
        times = self.invalid.setdefault(address, deque())
        times.append(now)
        while times[0] <= now - INVALID_WINDOW_S:
            times.popleft()
        if self.rules.on("discord.rate.invalid") and len(times) >= INVALID_LIMIT:
            self.banned_until[address] = now + BAN_S
            times.clear()

    def take_global(self, application: str) -> web.Response | None:
        """Count a request against all routes together; what to answer when it is one too many."""
        now = self.wire()
        bucket = self.totals.setdefault(application, Bucket(Rate(GLOBAL_PER_S, 1.0), "global"))
        if bucket.take(now, enforced=self.rules.on("discord.rate.global")):
            return None
        return too_many(bucket.resets_at - now, "global", {"X-RateLimit-Global": "true"})

    def take(self, application: str, route: str, major: str, rate: Rate) -> tuple[Bucket, web.Response | None]:
        """Count a request against its route's bucket; what to answer when it is one too many."""
        now = self.wire()
        key = (application, route, major)
        bucket = self.buckets.get(key)
        if bucket is None:
            name = hashlib.sha256(route.encode()).hexdigest()[:32]
            bucket = self.buckets[key] = Bucket(rate, name)
        if bucket.take(now, enforced=self.rules.on("discord.rate.route")):
            return bucket, None
        return bucket, too_many(bucket.resets_at - now, "user", bucket.headers(now))


def answer_json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON as Discord sends it: its content type names no charset, and clients compare it as a whole."""
    return answer_encoded(encode(body), status, headers)


def answer_encoded(body: str, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """The same for what is JSON already."""
    own = {"Content-Type": "application/json", **(headers or {})}
    return web.Response(body=body.encode(), status=status, headers=own)


def too_many(retry_after_s: float, scope: str, headers: dict[str, str]) -> web.Response:
    """A 429 as Discord itself words it."""
    retry_after_s = max(math.ceil(retry_after_s * 1000) / 1000, 0.001)
    body = {
        "message": "You are being rate limited.",
        "retry_after": retry_after_s,
        "global": scope == "global",
        "code": 0,
    }
    own = {"Retry-After": str(math.ceil(retry_after_s)), "X-RateLimit-Scope": scope}
    return answer_json(body, 429, VIA | headers | own)
