"""Work beside the loop: who is cancelled waits for its end, and what fails then is nobody's complaint."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest

from core.errors import StoreAway
from core.threads import in_thread


@pytest.mark.parametrize("fails", [False, True])
async def test_who_is_cancelled_waits_for_its_end_and_nobody_complains(fails: bool) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    began, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        may_end.wait(10)
        ended.set()
        if fails:
            raise StoreAway("the database server is away: start it", "gone")

    waiting = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(began.wait)
    waiting.cancel()
    await asyncio.sleep(0)
    assert not waiting.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()
    del waiting
    gc.collect()
    assert complaints == []


async def test_what_fails_is_raised() -> None:
    def work() -> None:
        raise StoreAway("the database server is away: start it", "gone")

    with pytest.raises(StoreAway):
        await in_thread(work)
