"""What time the platforms say it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime

TIME_S = 2.0
"""How long a platform may take to tell its time."""


async def times(urls: Iterable[str]) -> list[float]:
    """The time at each of these addresses that tells it, Unix seconds."""
    return [when for when in await asyncio.gather(*map(_time_at, urls)) if when is not None]


async def _time_at(url: str) -> float | None:
    """The time at a platform, Unix seconds, by the ``Date`` of whatever it answers; ``None`` when it does not.

    Source: https://www.rfc-editor.org/rfc/rfc9110#field.date
    """
    import aiohttp

    try:
        timeout = aiohttp.ClientTimeout(total=TIME_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            return _dated(response.headers)
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError):
        return None


def _dated(headers: Mapping[str, str]) -> float:
    """Raises ``KeyError``, ``ValueError``. The second is half over, on the average; and what comes out of somebody's
    cache says how long it lay there. Source: https://www.rfc-editor.org/rfc/rfc9111#field.age"""
    return parsedate_to_datetime(headers["Date"]).timestamp() + float(headers.get("Age", 0)) + 0.5
