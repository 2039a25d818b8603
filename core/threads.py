"""Work that waits for the database, beside the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[..., T], *arguments: object) -> T:
    """``work`` in a thread. Unlike ``asyncio.to_thread``, who is cancelled meanwhile waits for its end: a connection
    must not be in use when the database is closed."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        while not working.done():
            with suppress(asyncio.CancelledError):  # also who is cancelled again waits
                await asyncio.wait([working])
        if not working.cancelled():
            working.exception()  # nobody waits for it any more: asyncio need not complain that nobody asked
        raise
