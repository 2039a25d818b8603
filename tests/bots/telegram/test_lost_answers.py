"""Answers lost after they were applied, pages of whatever stands between, a second poller, a mixed-up stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from telegram.error import NetworkError

from bots.telegram import TelegramAccount
from bots.telegram.transport import CALL_S, CONNECT_S, NotSent, Transport
from core.account import Poll, Receipt
from core.clock import Clock
from core.errors import AccountUnavailable, OutcomeUnknown
from core.events import Reply
from core.message import text
from tests.bots.telegram.scripted import TOKEN, BotApi, Kept, begun, listening, refusal, said, tapped
from tests.bots.telegram.test_send import ANN, FANS, RECEIPT, answering

LEASE_S = 10.0
PAGE = b"<html><title>502 Bad Gateway</title></html>"
WEEK = Poll(question="?", options=("a",), closes_at=Clock().now() + timedelta(days=7))


@pytest.mark.parametrize("status", [200, 400, 401, 403, 409, 500, 502, 503])
async def test_a_page_of_whatever_stands_between_says_nothing_about_what_was_sent(
    api: BotApi, account: TelegramAccount, status: int
) -> None:
    page = web.Response(body=PAGE, status=status, content_type="text/html")
    for method in ("sendMessage", "sendPoll", "editMessageText", "stopPoll"):
        answering(api, method, page)
    with pytest.raises(OutcomeUnknown):
        await account.say(ANN, text("hello"), "k", begin=begun)
    with pytest.raises(OutcomeUnknown):
        await account.poll(FANS, WEEK, "k", begin=begun)
    with pytest.raises(AccountUnavailable):
        await account.edit(Receipt(place="5", message="6", refs=("msg:5:6",), sent_at=Clock().now()), text("x"))
    with pytest.raises(AccountUnavailable):
        await account.close(RECEIPT)


@pytest.mark.parametrize("status", [401, 403])
async def test_such_a_page_does_not_stop_the_stream(
    api: BotApi, account: TelegramAccount, kept: Kept, status: int
) -> None:
    async def once(fields: dict[str, str]) -> Any:
        api.scripts["getUpdates"] = api.updates
        return web.Response(body=PAGE, status=status)

    api.scripts["getUpdates"] = once
    api.put(said(500, "one"))
    async with listening(account, kept) as task:
        await kept.until(1)
        assert not task.done()


async def test_whatever_hangs_is_over_before_a_lease_is(api: BotApi, account: TelegramAccount) -> None:
    async def hung(fields: dict[str, str]) -> Any:
        await asyncio.Event().wait()

    for method in ("sendMessage", "sendPoll", "editMessageText", "stopPoll"):
        api.scripts[method] = hung
    edited = Receipt(place="5", message="6", refs=("msg:5:6",), sent_at=Clock().now())
    began = time.monotonic()
    said, posted, changed, closed = await asyncio.gather(
        account.say(ANN, text("hello"), "k", begin=begun),
        account.poll(FANS, WEEK, "k", begin=begun),
        account.edit(edited, text("x")),
        account.close(RECEIPT),
        return_exceptions=True,
    )
    assert time.monotonic() - began < 8 < LEASE_S
    assert [type(one) for one in (said, posted)] == [OutcomeUnknown] * 2
    assert [type(one) for one in (changed, closed)] == [AccountUnavailable] * 2
    assert CONNECT_S < CALL_S < 8


@asynccontextmanager
async def cutting(head: bytes) -> AsyncIterator[str]:
    """A server that reads a request, answers with so many bytes and hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{port}/bot{TOKEN}/sendMessage"
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"ok":true,"res',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"ok"',
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    ],
)
async def test_an_answer_that_is_cut_anywhere_was_sent_for_all_we_know(head: bytes) -> None:
    async with cutting(head) as url, Transport(1) as transport:
        with pytest.raises(NetworkError) as told:
            await transport.do_request(url, "POST")
    assert not isinstance(told.value, NotSent)


async def test_a_poll_that_was_stopped_unheard_is_closed(api: BotApi, account: TelegramAccount) -> None:
    answering(api, "stopPoll", asyncio.CancelledError, refusal(400, "Bad Request: poll has already been closed"))
    with pytest.raises(AccountUnavailable):
        await account.close(RECEIPT)
    assert await account.close(RECEIPT) is None


async def test_a_lost_note_is_not_repeated_and_harms_nobody(api: BotApi, account: TelegramAccount, kept: Kept) -> None:
    for answer in (asyncio.CancelledError, web.Response(body=b'{"ok":true}'), web.Response(body=PAGE, status=502)):
        answering(api, "answerCallbackQuery", answer)
        before = len(api.asked("answerCallbackQuery"))
        async with listening(account, kept):
            api.put(tapped(500 + before))
            await api.until(lambda before=before: len(api.asked("answerCallbackQuery")) > before)  # type: ignore[misc]
    assert len(api.asked("answerCallbackQuery")) == 3


@pytest.mark.parametrize(
    ("why", "mend"),
    [
        ("terminated by other getUpdates request; make sure that only one bot instance is running", "stop it"),
        ("can't use getUpdates method while webhook is active; use deleteWebhook first", "deleteWebhook"),
    ],
)
async def test_who_else_takes_the_updates_is_told_once_with_the_mend(
    api: BotApi, account: TelegramAccount, kept: Kept, why: str, mend: str, caplog: pytest.LogCaptureFixture
) -> None:
    conflicts = 2

    async def beside(fields: dict[str, str]) -> Any:
        nonlocal conflicts
        if conflicts:
            conflicts -= 1
            return refusal(409, f"Conflict: {why}")
        return await api.updates(fields)

    api.scripts["getUpdates"] = beside
    api.put(said(500, "one"))
    async with listening(account, kept):
        await kept.until(1)
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 1
    assert mend in told[0]
    assert kept.words == ["one"]


async def test_what_comes_twice_or_in_another_order_is_read_once_in_the_order_of_its_ids(
    api: BotApi, account: TelegramAccount, kept: Kept
) -> None:
    one, two, three = (said(500 + n, str(n)) for n in range(3))

    async def mixed(fields: dict[str, str]) -> Any:
        api.scripts["getUpdates"] = api.updates
        return [three, one, three, two, one]

    api.scripts["getUpdates"] = mixed
    async with listening(account, kept):
        await kept.until(3)
        await api.until(lambda: len(api.asked("getUpdates")) == 2)
    assert kept.words == ["0", "1", "2"]
    assert api.asked("getUpdates")[1]["offset"] == "503"


@pytest.mark.parametrize("id", [2**31, 10**12, 0, -5, True, 500.5])
async def test_an_id_that_cannot_be_confirms_nothing(
    api: BotApi, account: TelegramAccount, kept: Kept, id: object
) -> None:
    async def once(fields: dict[str, str]) -> Any:
        api.scripts["getUpdates"] = api.updates
        return [said(500, "one"), said(501, "spoilt") | {"update_id": id}]

    api.scripts["getUpdates"] = once
    async with listening(account, kept):
        await kept.until(1)
        await api.until(lambda: len(api.asked("getUpdates")) == 2)
    assert kept.words == ["one"]
    assert api.asked("getUpdates")[1]["offset"] == "501"


async def test_orders_stay_above_all_that_were_given_before(api: BotApi, account: TelegramAccount, kept: Kept) -> None:
    """Whatever the wall clock says now: it may have been set back, or be another machine's."""
    ahead = time.time_ns() // 1000 + 400 * 86_400 * 10**6
    task = asyncio.create_task(account.listen(kept, {"order": str(ahead)}, lambda: None))
    api.put(said(500), said(501))
    await kept.until(2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    orders = [event.order for event in kept.events if isinstance(event, Reply)]
    assert ahead < orders[0] < orders[1] < int(kept.cursors["order"])


async def test_a_second_listener_does_not_send_an_offset_of_long_ago(
    api: BotApi, account: TelegramAccount, kept: Kept
) -> None:
    """Another machine may have read on since, and ids may have started over: an old offset would confirm the new."""
    async with listening(account, kept):
        api.put(said(900_000_000, "old"))
        await kept.until(1)
    api.queue[:] = [said(5, "new")]
    async with listening(account, kept):
        await kept.until(2)
    assert kept.words == ["old", "new"]
