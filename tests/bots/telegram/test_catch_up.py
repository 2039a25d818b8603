"""Catching up: all that was queued when asked has been kept, and there is never a second poller."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from bots.telegram import TelegramAccount
from core.errors import AccountUnavailable
from core.events import Reply
from tests.bots.telegram.scripted import BotApi, Kept, listening, refusal, said


async def test_catching_up_while_listening_never_polls_twice_at_once(
    api: BotApi, account: TelegramAccount, kept: Kept
) -> None:
    async with listening(account, kept):
        await api.until(lambda: len(api.asked("getUpdates")) == 2)
        # The answer to the long poll is lost on the way: the queue fills, the poll goes on.
        api.queue.extend(said(n, str(n)) for n in range(500, 750))
        await asyncio.wait_for(account.catch_up([], kept), 10)
        assert kept.words == [str(n) for n in range(500, 750)]
    assert api.most_polling == 1


@pytest.mark.parametrize("listens", [True, False])
async def test_what_comes_again_because_its_confirmation_was_lost_counts_once(
    api: BotApi, account: TelegramAccount, kept: Kept, listens: bool
) -> None:
    confirmed = False

    async def again(fields: dict[str, str]) -> Any:
        """The first two again and again, until the third time that something is confirmed."""
        nonlocal confirmed
        answers = [len(asked) for asked in (api.asked("getUpdates"),)]
        confirmed = confirmed or answers[0] > 6
        return await api.updates(fields) if confirmed else [said(500, "one"), said(501, "two")]

    async with listening(account, kept) if listens else contextlib.nullcontext():
        if listens:
            await api.until(lambda: len(api.asked("getUpdates")) == 2)
        api.scripts["getUpdates"] = again
        api.queue.extend([said(500, "one"), said(501, "two"), said(502, "three"), said(503, "four")])
        await asyncio.wait_for(account.catch_up([], kept), 10)
        assert kept.words == ["one", "two", "three", "four"]


async def test_catching_up_without_a_listener(api: BotApi, account: TelegramAccount, kept: Kept) -> None:
    api.put(*(said(n, str(n)) for n in range(500, 730)))
    await asyncio.wait_for(account.catch_up([], kept), 10)
    assert kept.words == [str(n) for n in range(500, 730)]
    await asyncio.wait_for(account.catch_up([], kept), 10)
    assert kept.words == [str(n) for n in range(500, 730)]


async def test_catching_up_waits_for_the_batch_that_is_just_being_kept(
    api: BotApi, account: TelegramAccount, kept: Kept
) -> None:
    kept.gate.clear()
    async with listening(account, kept):
        api.put(said(500, "one"))
        await asyncio.wait_for(kept.entered.wait(), 10)
        catching_up = asyncio.create_task(account.catch_up([], kept))
        await api.until(lambda: len(api.asked("getWebhookInfo")) == 1)
        api.put(said(501, "two"))
        assert not catching_up.done()
        kept.gate.set()
        await asyncio.wait_for(catching_up, 10)
        assert kept.words[0] == "one"


async def test_catching_up_ends_although_updates_never_stop(api: BotApi, account: TelegramAccount, kept: Kept) -> None:
    api.put(*(said(n) for n in range(500, 550)))
    newest = 550

    async def busy(fields: dict[str, str]) -> Any:
        nonlocal newest
        api.put(said(newest))
        newest += 1
        return await api.updates(fields)

    api.scripts["getUpdates"] = busy
    async with listening(account, kept):
        await asyncio.wait_for(account.catch_up([], kept), 10)
        assert {event.id for event in kept.events if isinstance(event, Reply)} >= {f"u{n}" for n in range(500, 550)}


async def test_catching_up_tells_when_telegram_is_away(api: BotApi, account: TelegramAccount, kept: Kept) -> None:
    async def away(fields: dict[str, str]) -> Any:
        return refusal(503, "Service Unavailable")

    api.put(said(500))
    api.scripts["getUpdates"] = away
    with pytest.raises(AccountUnavailable):
        await asyncio.wait_for(account.catch_up([], kept), 20)
    api.scripts["getWebhookInfo"] = away
    with pytest.raises(AccountUnavailable):
        await asyncio.wait_for(account.catch_up([], kept), 10)


async def test_who_catches_up_is_told_when_listening_stops(api: BotApi, account: TelegramAccount, kept: Kept) -> None:
    async def hung(fields: dict[str, str]) -> Any:
        await asyncio.Event().wait()

    async with listening(account, kept):
        await api.until(lambda: len(api.asked("getUpdates")) == 2)
        api.scripts["getUpdates"] = hung
        api.queue.append(said(500))
        catching_up = asyncio.create_task(account.catch_up([], kept))
        await api.until(lambda: len(api.asked("getUpdates")) == 3)
    with pytest.raises(AccountUnavailable):
        await asyncio.wait_for(catching_up, 10)


@pytest.mark.parametrize("trouble", [404, 405, 500, 501])
@pytest.mark.parametrize("listens", [True, False])
async def test_catching_up_where_nobody_says_how_many_updates_are_queued(
    api: BotApi, account: TelegramAccount, kept: Kept, trouble: int, listens: bool
) -> None:
    async def unknown(fields: dict[str, str]) -> Any:
        return refusal(trouble, "Not Found: method not found")

    api.scripts["getWebhookInfo"] = unknown
    api.queue.extend(said(n, str(n)) for n in range(500, 730))
    async with listening(account, kept) if listens else contextlib.nullcontext():
        await asyncio.wait_for(account.catch_up([], kept), 10)
        assert kept.words == [str(n) for n in range(500, 730)]
        await asyncio.wait_for(account.catch_up([], kept), 10)
        assert len(kept.words) == 230
