"""From ``begin`` on a thing may have been said: nothing waits after it, and nothing leaves late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots.x.send import Sender
from core.account import Limits, Place, PlaceKind
from core.clock import Clock
from core.errors import AccountUnavailable, NotOurs, OutcomeUnknown
from core.message import text

from . import rude
from .place import begin

TIMELINE = Place(id="timeline", kind=PlaceKind.TIMELINE, limits=Limits(post_chars=280))
CREATED = rude.says(201, {"data": {"id": "900", "text": "hello"}})
START = datetime(2026, 11, 21, tzinfo=UTC)


async def test_begin_is_the_last_thing_before_the_request_leaves() -> None:
    """Nothing is begun while it waits for the budget, and nothing leaves that may not."""
    clock, begun = Clock(START, time.time(), 43_000.0), list[datetime]()

    async def now() -> None:
        begun.append(clock.now())

    async def never() -> None:
        raise NotOurs("brand", "another process serves it")

    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int((START + timedelta(hours=2)).timestamp()))}
    spent = rude.says(201, {"data": {"id": "900"}}, headers)
    async with rude.host(spent, CREATED) as host, rude.api(host.url, clock) as api:
        sender = Sender("brand", api, clock)
        with pytest.raises(NotOurs):
            await sender.post(TIMELINE, text("hello"), never)
        assert host.asked == []
        await sender.post(TIMELINE, text("hello"), now)
        await sender.post(TIMELINE, text("hello"), now)
    assert len(host.asked) == len(begun) == 2
    assert begun[0] < START + timedelta(hours=2) <= begun[1]


@pytest.mark.parametrize("ask", [Sender.post, Sender.direct])
async def test_what_was_held_up_after_it_was_begun_does_not_leave(ask: Callable[..., Any]) -> None:
    """A process that was stopped for a while: another one may serve the account now, and has looked already."""

    async def slowly() -> None:
        await asyncio.sleep(0.3)

    async with rude.host(CREATED) as host, rude.api(host.url, timeout_s=0.2) as api:
        with pytest.raises(AccountUnavailable, match="held up"):
            await ask(Sender("brand", api, Clock()), TIMELINE if ask is Sender.post else "5", text("hello"), slowly)
        assert host.asked == []


async def test_what_was_not_begun_takes_nothing_from_the_budget() -> None:
    async def never() -> None:
        raise NotOurs("brand", "another process serves it")

    async with rude.host(CREATED) as host, rude.api(host.url) as api:
        for _ in range(20):
            with pytest.raises(NotOurs):
                await Sender("brand", api, Clock()).direct("5", text("hello"), never)
        with pytest.raises(OutcomeUnknown):
            await Sender("brand", api, Clock()).direct("5", text("hello"), begin)
        assert len(host.asked) == 1
