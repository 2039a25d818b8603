"""A poll whose answer was lost is known again when it first comes by; a named poll that we know costs nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bots.telegram import TelegramAccount
from bots.telegram.batch import Reader
from bots.telegram.places import GROUP_LIMITS
from bots.telegram.transport import RawBot
from core.account import Place, PlaceKind, Poll, Receipt
from core.clock import Clock
from core.errors import OutcomeUnknown
from core.events import Cursor, Event, PollSeen, Reply, Totals
from tests.bots.telegram.scripted import TOKEN, BotApi, Kept, begun, listening, said
from tests.bots.telegram.test_account import world as world
from tests.bots.telegram.world import SCORES, World, group, poll

FANS = Place(id="-1001000000001", kind=PlaceKind.GROUP, limits=GROUP_LIMITS)


def shown(id: str = "5", *, anonymous: bool = False, closed: bool = False, votes: int = 1) -> dict[str, Any]:
    """A poll as an update shows it."""
    options = [{"persistent_id": str(n), "text": text, "voter_count": votes * n} for n, text in enumerate(("a", "b"))]
    return {
        "id": id,
        "question": "How likely?",
        "options": options,
        "total_voter_count": votes,
        "is_closed": closed,
        "is_anonymous": anonymous,
        "type": "regular",
        "allows_multiple_answers": False,
        "allows_revoting": True,
        "members_only": False,
    }


async def test_a_poll_that_nobody_knows_is_told_of_once(api: BotApi, account: TelegramAccount, kept: Kept) -> None:
    seen = PollSeen(ref="poll:5", question="How likely?", options=("a", "b"))
    async with listening(account, kept):
        api.put({"update_id": 500, "poll": shown()}, {"update_id": 501, "poll": shown()})
        api.put(said(502))
        await kept.until(2)
    assert kept.events[0] == seen
    assert [type(event) for event in kept.events] == [PollSeen, Reply]


@pytest.mark.parametrize("anonymous", [False, True])
async def test_its_totals_come_with_it_and_when_it_ends(
    api: BotApi, account: TelegramAccount, kept: Kept, anonymous: bool
) -> None:
    async with listening(account, kept):
        api.put(
            {"update_id": 500, "poll": shown(anonymous=anonymous)},
            {"update_id": 501, "poll": shown(anonymous=anonymous, closed=True, votes=3)},
        )
        await kept.until(3 if anonymous else 2)
    assert isinstance(kept.events[0], PollSeen)
    last = kept.events[-1]
    assert isinstance(last, Totals)
    assert (last.ref, last.totals, last.final) == ("poll:5", (0, 3), True)


async def test_a_poll_of_ours_is_not_told_of(world: World) -> None:
    await world.account.poll(await group(world), poll(world), "k", begin=begun)
    assert await world.app.vote(world.person, world.posts[-1], 10)
    assert [type(event) for event in await world.caught_up()] == [Reply]


async def test_a_poll_whose_answer_was_lost_is_found_by_its_first_vote(world: World) -> None:
    """The votes may come first or after: whoever keeps them waits for the poll to be known."""
    place = await group(world)
    asked = poll(world)
    async with asyncio.timeout(10):
        lost = await _posted_by_somebody_who_died(world, place, asked)
    assert await world.app.vote(world.person, world.posts[-1], 10)
    events = await world.caught_up()
    seen = next(event for event in events if isinstance(event, PollSeen))
    vote = next(event for event in events if isinstance(event, Reply))
    assert (seen.question, seen.options) == (asked.question, SCORES)
    assert seen.ref == vote.ref == lost.refs[0]
    assert seen.closes_at == asked.closes_at.replace(microsecond=0)
    adopted = Receipt(place=place.id, message="", refs=(seen.ref,), sent_at=world.clock.now())
    assert await world.account.close(adopted) is None
    assert world.calls("stopPoll") == []
    world.sandbox.clocks.skip(9 * 86_400)
    (final,) = [event for event in await world.caught_up() if isinstance(event, Totals)]
    assert (final.ref, final.totals, final.final) == (seen.ref, (*[0] * 10, 1), True)


async def _posted_by_somebody_who_died(world: World, place: Place, asked: Poll) -> Receipt:
    """Another process with the same token posts the poll; this one never hears of the answer."""
    token = world.sandbox.credentials["tg"]["token"]
    url = f"{world.sandbox.url}/telegram"
    async with TelegramAccount("tg", token, base_url=url, clock=world.clock, forms=lambda _: None) as other:
        return await other.poll(place, asked, "k", begin=begun)


async def test_a_poll_that_came_by_while_it_was_being_posted_is_told_of_again(api: BotApi) -> None:
    """Core cannot take it up while the answer may still come; when that is lost, the next update must tell it."""
    async with RawBot(TOKEN, base_url=f"{api.url}/bot") as bot:
        at = 100.0
        reader = Reader("tg", bot, Clock(), {}, set(), now=lambda: at)

        def told(id: int) -> list[Event]:
            found = reader.read([{"update_id": id, "poll": shown()}], frozenset()).events
            return [event for event in found if not isinstance(event, Cursor)]

        assert [type(event) for event in told(1)] == [PollSeen]
        at += 29
        assert told(2) == []
        at += 2
        assert [type(event) for event in told(3)] == [PollSeen]


async def test_it_is_told_of_once_more_although_nobody_votes_again(api: BotApi) -> None:
    async with RawBot(TOKEN, base_url=f"{api.url}/bot") as bot:
        at, posted = 100.0, {"6"}
        reader = Reader("tg", bot, Clock(), {}, posted, now=lambda: at)
        both = [{"update_id": n, "poll": shown(id)} for n, id in enumerate(("5", "6", "7"), 1)]
        first = reader.read(both, frozenset()).events
        assert [event.ref for event in first if isinstance(event, PollSeen)] == ["poll:5", "poll:7"]
        posted.add("7")
        found: list[Event] = []
        for _ in range(10):
            at += 20
            found += reader.read([], frozenset()).events
        assert [event.ref for event in found if isinstance(event, PollSeen)] == ["poll:5"]


async def test_a_lost_answer_to_a_poll_is_unknown(api: BotApi, account: TelegramAccount) -> None:
    async def lost(fields: dict[str, str]) -> Any:
        raise asyncio.CancelledError

    api.scripts["sendPoll"] = lost
    week = Poll(question="?", options=("a",), closes_at=Clock().now() + timedelta(days=7))
    with pytest.raises(OutcomeUnknown):
        await account.poll(replace(FANS), week, "k", begin=begun)


@pytest.mark.parametrize("spoilt", [{"id": 5}, {"id": None}, {"question": 7}, {"options": [{}]}, {"options": None}])
async def test_a_poll_that_cannot_be_read_is_set_aside(
    api: BotApi, account: TelegramAccount, kept: Kept, spoilt: dict[str, Any]
) -> None:
    async with listening(account, kept):
        api.put({"update_id": 500, "poll": shown() | spoilt}, said(501))
        await kept.until(1)
    assert [type(event) for event in kept.events] == [Reply]
    assert account.set_aside == 1
