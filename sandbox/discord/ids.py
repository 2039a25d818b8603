"""Snowflakes: ids that carry the calendar time of their making and never repeat."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

from sandbox.clocks import Clocks

EPOCH_MS = 1_420_070_400_000
"""First millisecond of 2015. Source: https://discord.com/developers/docs/reference#snowflakes"""


class Snowflakes:
    """Makes ids from the calendar clock, strictly increasing."""

    def __init__(self, clocks: Clocks) -> None:
        self.clocks = clocks
        self.last = 0

    def next(self) -> int:
        stamp = int(self.clocks.now().timestamp() * 1000) - EPOCH_MS
        self.last = max(stamp << 22, self.last + 1)
        return self.last


def derived(name: str) -> int:
    """An id of the year 2023 that depends on the name alone."""
    year_2023_ms = 1_672_531_200_000 - EPOCH_MS
    within_ms = int.from_bytes(hashlib.sha256(f"discord:{name}".encode()).digest()[:5], "big") % 31_000_000_000
    low = int.from_bytes(hashlib.sha256(f"discord:{name}:low".encode()).digest()[:2], "big")
    return ((year_2023_ms + within_ms) << 22) | low


def made_at(snowflake: int) -> datetime:
    """When an id was made (aware, UTC)."""
    return datetime.fromtimestamp(((snowflake >> 22) + EPOCH_MS) / 1000, UTC)


def derived_token(name: str, bot: int) -> str:
    """A bot's token, shaped like Discord's: the bot's id in Base64, a stamp, a secret; it depends on the name alone."""
    head = base64.urlsafe_b64encode(str(bot).encode()).decode().rstrip("=")
    secret = hashlib.sha256(f"discord:{name}:token".encode()).hexdigest()
    return f"{head}.{secret[:6]}.{secret[6:44]}"
