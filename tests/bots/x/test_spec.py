"""Every request of the adapter, against X's own OpenAPI description."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.account import Direct, Poll
from core.message import Line, Link, Message, Quote
from tests.specs.x import SPEC_PRESENT, SPECS, check

from .place import Kept, begin, listening, standing

ROUTES = {"me", "mentions", "dm_events", "tweets", "messages"}


@pytest.mark.skipif(not SPEC_PRESENT, reason=f"X's descriptions are not in {SPECS}")
async def test_all_that_goes_over_the_wire_is_as_described() -> None:
    message = Message((Line("Hello @you"), Quote("see evil.com"), Link("More", "https://brand.example/a")))
    kept = Kept()
    async with standing() as x, x.account() as account:
        ann, timeline, direct = x.person(), await account.place("timeline"), await account.place("direct")
        assert direct.id == "direct"
        poll = Poll(question="How likely?", options=("9-10", "0-8"), closes_at=x.clock.now() + timedelta(days=9))
        receipt = await account.poll(timeline, poll, "a", begin=begin)
        await account.say(timeline, message, "b", begin=begin)
        for number in range(120):
            await x.mention(ann, f"{number}", x.posts[0])
            await x.direct(ann, f"{number}")
        await account.say(Direct(ann), message, "c", begin=begin)
        async with listening(account, kept):
            await x.mention(ann, "once more")
            await account.catch_up([receipt], kept.deliver)
        exchanges = x.exchanges
    assert [violation for exchange in exchanges for violation in check(exchange)] == []
    assert {exchange.path.rsplit("/", 1)[1] for exchange in exchanges} == ROUTES
    queries = {name for exchange in exchanges for name in exchange.query}
    assert {"since_id", "pagination_token", "event_types", "ids", "poll.fields", "dm_event.fields"} <= queries
