"""Work beside the loop: who is cancelled waits for its end, and what fails then is nobody's complaint."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from core.errors import StoreAway
from core.threads import in_thread


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("times", [1, 2])
async def test_who_is_cancelled_waits_for_its_end_and_nobody_complains(fails: bool, times: int) -> None:
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))
    began, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        may_end.wait(10)
        ended.set()
        if fails:
            raise StoreAway("the database server is away: start it", "gone")

    waiting = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(began.wait)
    for _ in range(times):
        waiting.cancel()
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    may_end.set()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert ended.is_set()
    del waiting
    gc.collect()  # asyncio complains of what failed unheard once it is gone
    assert complaints == []


async def test_what_fails_is_raised() -> None:
    def work() -> None:
        raise StoreAway("the database server is away: start it", "gone")

    with pytest.raises(StoreAway):
        await in_thread(work)
