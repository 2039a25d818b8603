"""All platforms' specifications behind one question: what is wrong with what went over the wire?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from sandbox.server import Exchange
from tests.specs import discord, telegram, x

SPECS_PRESENT = telegram.SPEC_PRESENT and discord.SPEC_PRESENT and x.SPEC_PRESENT

_CHECKS: Mapping[str, Callable[[Exchange], list[str]]] = {
    "telegram": telegram.check,
    "discord": discord.check,
    "x": x.check,
}


def violations(exchanges: Iterable[Exchange]) -> list[str]:
    """What is wrong, each once. Nothing where the specifications are not at hand."""
    found = (wrong for exchange in exchanges if SPECS_PRESENT for wrong in _CHECKS[exchange.platform](exchange))
    return list(dict.fromkeys(found))


def endpoint(exchange: Exchange) -> str:
    """What was called, without ids and tokens: ``sendPoll``, ``GET /2/users/{}/mentions``."""
    if exchange.platform == "telegram":
        return exchange.path.rsplit("/", 1)[-1]
    path = exchange.path.removeprefix("/api/v10")
    path = re.sub(r"/(interactions|webhooks)/\d+/[^/]+", r"/\1/{}/{}", path)
    return f"{exchange.method} " + re.sub(r"(?<=.)/[0-9]+(?=/|$)", "/{}", path)
