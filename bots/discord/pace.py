"""How fast we ask. Discord counts requests over all routes, and bans an address that runs into the limit too often."""

from __future__ import annotations

import asyncio

import yarl

REQUESTS_S, BURST = 44.0, 5
"""44 + 5 requests stay below 50 in any second.
Source: https://docs.discord.com/developers/topics/rate-limits#global-rate-limit"""
_UNCOUNTED = ("/interactions/", "/webhooks/")
"""Answers to interactions are not bound to the global limit (same source)."""


class Pace:
    """Spaces the requests of one bot evenly, after a small burst. discord.py keeps the limits of each route itself."""

    def __init__(self) -> None:
        self._next_s = 0.0

    async def wait(self, url: yarl.URL) -> None:
        """Until this request may be sent."""
        if any(part in url.path for part in _UNCOUNTED) or url.scheme in ("ws", "wss"):
            return
        now_s = asyncio.get_running_loop().time()
        at_s = max(self._next_s, now_s - BURST / REQUESTS_S)
        self._next_s = at_s + 1 / REQUESTS_S
        if at_s > now_s:
            await asyncio.sleep(at_s - now_s)
