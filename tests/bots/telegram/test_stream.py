"""The loop that brings updates: kept before confirmed, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from aiohttp import web

from bots.telegram import TelegramAccount
from bots.telegram.read import KINDS
from core.clock import Clock
from core.errors import AccountRefused
from core.events import Reply
from tests.bots.telegram.scripted import TOKEN, BotApi, Kept, as_json, forms, listening, refusal, said, tapped


async def test_a_batch_is_confirmed_only_after_it_was_kept(api: BotApi, account: TelegramAccount, kept: Kept) -> None:
    api.put(said(500, "one"), said(501, "two"))
    kept.gate.clear()
    task = asyncio.create_task(account.listen(kept, {}, lambda: None))
    await asyncio.wait_for(kept.entered.wait(), 10)
    assert [fields.get("offset", "0") for fields in api.asked("getUpdates")] in (["0"], ["1"])
    kept.gate.set()
    await api.until(lambda: len(api.asked("getUpdates")) == 2)
    assert api.asked("getUpdates")[1]["offset"] == "502"
    assert kept.words == ["one", "two"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_second_listener_gets_what_the_first_did_not_keep(api: BotApi, kept: Kept) -> None:
    api.put(said(500, "one"))
    kept.gate.clear()
    async with TelegramAccount("tg", TOKEN, base_url=api.url, clock=Clock(), forms=forms) as first:
        task = asyncio.create_task(first.listen(kept, {}, lambda: None))
        await asyncio.wait_for(kept.entered.wait(), 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert kept.events == []
    kept.gate.set()
    second = TelegramAccount("tg", TOKEN, base_url=api.url, clock=Clock(), forms=forms)
    async with second, listening(second, kept):
        await kept.until(1)
    assert [event.id for event in kept.events if isinstance(event, Reply)] == ["u500"]


async def test_the_kinds_of_updates_are_named_and_the_long_poll_is_shorter_than_30_s(
    api: BotApi, account: TelegramAccount, kept: Kept
) -> None:
    async with listening(account, kept):
        await api.until(lambda: len(api.asked("getUpdates")) == 2)
    first, second = api.asked("getUpdates")
    assert set(as_json(first["allowed_updates"])) == set(KINDS)
    assert int(first["timeout"]) == 0 < int(second["timeout"]) < 30
    assert first["offset"] != second["offset"]


@pytest.mark.parametrize(
    "broken",
    [
        {"update_id": 501, "message": {"text": "no date"}},
        {"update_id": 501, "poll_answer": {"poll_id": "1", "option_ids": "x", "user": said(1)["message"]["from"]}},
        {"update_id": 501, "message": 7},
        {"update_id": "x"},
        {},
        [],
        None,
        "nonsense",
    ],
    ids=repr,
)
async def test_a_malformed_update_is_set_aside_alone(
    api: BotApi, account: TelegramAccount, kept: Kept, broken: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def once(fields: dict[str, str]) -> Any:
        api.scripts["getUpdates"] = api.updates
        return [said(500, "before"), broken, said(502, "after")]

    api.scripts["getUpdates"] = once
    async with listening(account, kept):
        await kept.until(2)
        await api.until(lambda: len(api.asked("getUpdates")) == 2)
    assert kept.words == ["before", "after"]
    assert account.set_aside == 1
    assert api.asked("getUpdates")[1]["offset"] == "503"
    assert "set aside" in caplog.text


async def test_orders_increase_strictly_and_survive_ids_that_start_over(
    api: BotApi, account: TelegramAccount, kept: Kept
) -> None:
    async with listening(account, kept):
        api.put(said(900_000_000, "one"), said(900_000_001, "two"))
        await kept.until(2)
        await api.until(lambda: not api.queue)
        api.put(said(5, "three"))
        await kept.until(3)
    orders = [event.order for event in kept.events if isinstance(event, Reply)]
    assert kept.words == ["one", "two", "three"]
    assert orders == sorted(set(orders))


async def test_what_the_store_refused_is_not_confirmed_and_delivered_again(
    api: BotApi, account: TelegramAccount, kept: Kept
) -> None:
    kept.failures = 2
    async with listening(account, kept):
        api.put(said(500, "one"))
        await kept.until(1)
    assert len(kept.batches) == 3
    assert kept.batches[0] == kept.batches[1] == kept.batches[2]
    assert kept.offsets[0] == kept.offsets[2]


@pytest.mark.parametrize(
    "trouble",
    [
        refusal(502, "Bad Gateway"),
        refusal(500, "Internal Server Error"),
        refusal(409, "Conflict: terminated by other getUpdates request"),
        refusal(429, "Too Many Requests: retry after 1", retry_after=1),
        refusal(400, "Bad Request: something"),
    ],
    ids=lambda response: str(response.status),
)
async def test_trouble_is_waited_out(api: BotApi, account: TelegramAccount, kept: Kept, trouble: web.Response) -> None:
    async def once(fields: dict[str, str]) -> Any:
        api.scripts["getUpdates"] = api.updates
        return trouble

    api.scripts["getUpdates"] = once
    api.put(said(500, "one"))
    async with listening(account, kept) as task:
        await kept.until(1)
        assert not task.done()


@pytest.mark.parametrize("body", [b"<html>Bad Gateway</html>", b"[]", b'{"ok":true}', b'{"ok":true,"result":{}}'])
async def test_an_answer_that_is_no_answer_is_waited_out(
    api: BotApi, account: TelegramAccount, kept: Kept, body: bytes
) -> None:
    async def once(fields: dict[str, str]) -> Any:
        api.scripts["getUpdates"] = api.updates
        return web.Response(body=body)

    api.scripts["getUpdates"] = once
    api.put(said(500, "one"))
    async with listening(account, kept):
        await kept.until(1)


async def test_a_dropped_connection_is_waited_out(api: BotApi, account: TelegramAccount, kept: Kept) -> None:
    async def dropped(fields: dict[str, str]) -> Any:
        api.scripts["getUpdates"] = api.updates
        raise asyncio.CancelledError

    api.scripts["getUpdates"] = dropped
    api.put(said(500, "one"))
    async with listening(account, kept):
        await kept.until(1)


async def test_a_rejected_token_needs_a_person(api: BotApi, account: TelegramAccount, kept: Kept) -> None:
    async def unauthorized(fields: dict[str, str]) -> Any:
        return refusal(401, "Unauthorized")

    api.scripts["getUpdates"] = unauthorized
    with pytest.raises(AccountRefused, match="@BotFather"):
        await asyncio.wait_for(account.listen(kept, {}, lambda: None), 10)


async def test_taps_are_answered_after_they_were_kept(api: BotApi, account: TelegramAccount, kept: Kept) -> None:
    async def true(fields: dict[str, str]) -> Any:
        return True

    api.scripts["answerCallbackQuery"] = true
    kept.note = "Thank you!"
    kept.gate.clear()
    async with listening(account, kept):
        api.put(tapped(500), said(501), tapped(502, "why"))
        await asyncio.wait_for(kept.entered.wait(), 10)
        assert api.asked("answerCallbackQuery") == []
        kept.gate.set()
        await api.until(lambda: len(api.asked("answerCallbackQuery")) == 2)
    notes = {fields["callback_query_id"]: fields["text"] for fields in api.asked("answerCallbackQuery")}
    assert notes == {"q500": "Thank you!", "q502": "Thank you!"}


async def test_where_nothing_is_to_be_said_a_tap_is_answered_all_the_same(
    api: BotApi, account: TelegramAccount, kept: Kept
) -> None:
    async def too_old(fields: dict[str, str]) -> Any:
        return refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")

    api.scripts["answerCallbackQuery"] = too_old
    async with listening(account, kept) as task:
        api.put(tapped(500), tapped(501, "why"))
        await api.until(lambda: len(api.asked("answerCallbackQuery")) == 2)
        api.put(said(502))
        await kept.until(3)
        assert not task.done()
    notes = {fields["callback_query_id"]: fields.get("text") for fields in api.asked("answerCallbackQuery")}
    assert notes == {"q500": None, "q501": "What is the reason?"}


async def test_slow_notes_do_not_hold_up_the_stream(api: BotApi, account: TelegramAccount, kept: Kept) -> None:
    async def never(fields: dict[str, str]) -> Any:
        await asyncio.Event().wait()

    api.scripts["answerCallbackQuery"] = never
    async with listening(account, kept):
        for start in range(500, 1100, 100):
            api.put(*(tapped(n) for n in range(start, start + 100)))
        await kept.until(600)
        await api.until(lambda: len(api.asked("answerCallbackQuery")) == 16)
    assert len(api.asked("answerCallbackQuery")) == 16


async def test_nothing_that_goes_wrong_shows_the_token(
    api: BotApi, account: TelegramAccount, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def broken(fields: dict[str, str]) -> Any:
        api.scripts["getUpdates"] = api.updates
        raise asyncio.CancelledError

    api.scripts["getUpdates"] = broken
    api.put(said(500))
    async with listening(account, kept):
        await kept.until(1)
    assert caplog.records
    assert TOKEN not in caplog.text + repr(account) + str(vars(account))
