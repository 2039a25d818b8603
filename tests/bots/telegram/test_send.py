"""What is known about a message after a failure, and that no failure shows the token."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from telegram import InputFile
from telegram.error import NetworkError, TimedOut
from telegram.request import RequestData
from telegram.request._requestparameter import RequestParameter

from bots.telegram import TelegramAccount
from bots.telegram.places import BROADCAST_LIMITS, GROUP_LIMITS
from bots.telegram.transport import LONGEST_CALL_S, Flooded, NotSent, Transport
from core.account import Address, Direct, Place, PlaceKind, Poll, Receipt
from core.clock import Clock
from core.errors import (
    AccountError,
    AccountRefused,
    AccountUnavailable,
    ContentRefused,
    NotOurs,
    OutcomeUnknown,
    PersonUnreachable,
    SettingsError,
    TooLate,
)
from core.message import text
from tests.bots.telegram.scripted import TOKEN, BotApi, begun, refusal, said

ANN = Direct("1111111")
FANS = Place(id="-1001000000001", kind=PlaceKind.GROUP, limits=GROUP_LIMITS)
RECEIPT = Receipt(place=FANS.id, message="77", refs=("poll:5", f"msg:{FANS.id}:77"), sent_at=Clock().now())


def answering(api: BotApi, method: str, *answers: Any) -> None:
    """Let ``method`` give these answers in turn, the last one for ever. An exception breaks the connection."""
    left = list(answers)

    async def script(fields: dict[str, str]) -> Any:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, type):
            raise asyncio.CancelledError
        # A response can be sent only once.
        return web.Response(body=answer.body, status=answer.status) if isinstance(answer, web.Response) else answer

    api.scripts[method] = script


SENT = said(1)["message"] | {"message_id": 42}
BAD = "Bad Request: "


@pytest.mark.parametrize(
    ("to", "answer", "expected"),
    [
        (ANN, refusal(403, "Forbidden: bot was blocked by the user"), PersonUnreachable),
        (ANN, refusal(403, "Forbidden: bot can't initiate conversation with a user"), PersonUnreachable),
        (ANN, refusal(403, "Forbidden: user is deactivated"), PersonUnreachable),
        (ANN, refusal(400, BAD + "chat not found"), PersonUnreachable),
        (FANS, refusal(403, "Forbidden: bot was kicked from the supergroup chat"), AccountRefused),
        (FANS, refusal(400, BAD + "chat not found"), AccountRefused),
        (FANS, refusal(400, BAD + "not enough rights to send text messages to the chat"), AccountRefused),
        (FANS, refusal(400, BAD + "CHAT_WRITE_FORBIDDEN"), AccountRefused),
        (FANS, refusal(400, BAD + "message is too long"), ContentRefused),
        (FANS, refusal(400, BAD + "can't parse entities: x"), ContentRefused),
        (FANS, refusal(401, "Unauthorized"), AccountRefused),
        (FANS, refusal(404, "Not Found"), AccountRefused),
        (FANS, refusal(500, "Internal Server Error"), OutcomeUnknown),
        (FANS, refusal(502, "Bad Gateway"), OutcomeUnknown),
        (FANS, refusal(302, "Found"), OutcomeUnknown),
        (FANS, web.Response(body=b"<html>"), OutcomeUnknown),
        (FANS, web.Response(body=b'{"ok":true}'), OutcomeUnknown),
        (FANS, {}, OutcomeUnknown),
        (FANS, {"message_id": 1}, OutcomeUnknown),
        (FANS, asyncio.CancelledError, OutcomeUnknown),
        (Place(id="direct", kind=PlaceKind.DIRECT, limits=GROUP_LIMITS), SENT, AccountRefused),
        (Direct("nobody"), SENT, PersonUnreachable),
    ],
)
async def test_a_failure_says_what_is_known(
    api: BotApi, account: TelegramAccount, to: Address, answer: Any, expected: type[AccountError]
) -> None:
    answering(api, "sendMessage", answer)
    with pytest.raises(expected) as told:
        await account.say(to, text("hello"), "k", begin=begun)
    assert type(told.value) is expected
    assert told.value.account == "tg"
    assert "\n" not in str(told.value)
    assert TOKEN not in "".join(traceback.format_exception(told.value))
    assert len(api.asked("sendMessage")) <= 1


async def test_what_is_too_late_is_not_said(api: BotApi, account: TelegramAccount) -> None:
    with pytest.raises(TooLate):
        await account.say(ANN, text("Hello"), "k", not_after=Clock().now() - timedelta(seconds=1), begin=begun)
    assert api.asked("sendMessage") == []


async def test_nothing_was_said_where_no_connection_could_be_had(api: BotApi, account: TelegramAccount) -> None:
    away = TelegramAccount("tg", TOKEN, base_url="http://127.0.0.1:9", clock=Clock(), forms=lambda token: None)
    with pytest.raises(AccountUnavailable) as told:
        await away.say(ANN, text("hello"), "k", begin=begun)
    assert TOKEN not in "".join(traceback.format_exception(told.value))


async def test_after_a_429_it_comes_back_through_the_outbox_and_the_whole_account_waits(
    api: BotApi, account: TelegramAccount
) -> None:
    began: list[float] = []

    async def begin() -> None:
        began.append(time.monotonic())

    answering(api, "sendMessage", refusal(429, "Too Many Requests: retry after 1", retry_after=1), SENT)
    with pytest.raises(AccountUnavailable) as told:
        await account.say(ANN, text("one"), "k1", begin=begin)
    assert told.value.retry_after_s == 1
    first = account.say(ANN, text("one"), "k1", begin=begin)
    second = account.say(FANS, text("two"), "k2", begin=begin)
    assert {said.message for said in await asyncio.gather(first, second)} == {"42"}
    assert [fields["text"] for fields in api.asked("sendMessage")].count("one") == 2
    # What waits for the pause has not begun: a crash then leaves it surely unsaid.
    assert len(began) == 3
    assert min(began[1:]) - began[0] >= 1.0


async def test_a_long_429_is_handed_back_at_once(api: BotApi, account: TelegramAccount) -> None:
    answering(api, "sendMessage", refusal(429, "Too Many Requests: retry after 300", retry_after=300))
    for to in (ANN, FANS):
        with pytest.raises(AccountUnavailable) as told:
            await account.say(to, text("one"), "k1", begin=begun)
        assert 290 < told.value.retry_after_s < 302
    assert len(api.asked("sendMessage")) == 1


@pytest.mark.parametrize("poll", [False, True])
async def test_nothing_leaves_before_begin_and_nothing_at_all_when_it_is_refused(
    api: BotApi, account: TelegramAccount, poll: bool
) -> None:
    asked: list[int] = []

    async def not_ours() -> None:
        asked.append(len(api.calls))
        raise NotOurs("tg", "another process serves this account")

    said_before = len(api.calls)
    week = Poll(question="?", options=("a",), closes_at=Clock().now() + timedelta(days=7))
    call = account.poll(FANS, week, "k", begin=not_ours) if poll else account.say(ANN, text("1"), "k", begin=not_ours)
    with pytest.raises(NotOurs):
        await call
    assert asked == [said_before]
    assert len(api.calls) == said_before


async def test_begin_comes_after_the_turn(api: BotApi, account: TelegramAccount) -> None:
    began: list[float] = []

    async def begin() -> None:
        began.append(time.monotonic())

    answering(api, "sendMessage", SENT)
    await asyncio.gather(*(account.say(ANN, text("one"), f"k{n}", begin=begin) for n in range(2)))
    assert began[1] - began[0] >= 1.0


async def test_what_cannot_be_shown_or_is_too_late_never_begins(api: BotApi, account: TelegramAccount) -> None:
    async def begin() -> None:
        raise AssertionError("nothing may begin")

    with pytest.raises(ContentRefused):
        await account.say(ANN, text("x" * 4097), "k", begin=begin)
    with pytest.raises(TooLate):
        await account.say(ANN, text("x"), "k", not_after=Clock().now() - timedelta(seconds=1), begin=begin)


async def test_a_poll_whose_answer_cannot_be_read_may_have_been_posted(api: BotApi, account: TelegramAccount) -> None:
    answering(api, "sendPoll", SENT)
    place = replace(FANS, limits=BROADCAST_LIMITS)
    with pytest.raises(OutcomeUnknown):
        await account.poll(place, Poll(question="?", options=("a",), closes_at=Clock().now()), "k", begin=begun)
    (sent,) = api.asked("sendPoll")
    assert (sent["is_anonymous"], sent["hide_results_until_closes"], sent["allows_revoting"]) == ("true",) * 3
    assert "close_date" in sent


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refusal(400, BAD + "poll has already been closed"), None),
        (refusal(400, BAD + "message with poll to stop not found"), None),
        (refusal(400, BAD + "group chat was upgraded", migrate_to_chat_id=-1009), None),
        (refusal(400, BAD + "chat not found"), AccountRefused),
        (refusal(403, "Forbidden: bot was kicked from the supergroup chat"), AccountRefused),
        (refusal(429, "Too Many Requests", retry_after=3), AccountUnavailable),
        (refusal(502, "Bad Gateway"), AccountUnavailable),
        (asyncio.CancelledError, AccountUnavailable),
    ],
)
async def test_closing_can_be_tried_again(
    api: BotApi, account: TelegramAccount, answer: Any, expected: type[AccountError] | None
) -> None:
    answering(api, "stopPoll", answer)
    if expected is None:
        assert await account.close(RECEIPT) is None
    else:
        with pytest.raises(expected):
            await account.close(RECEIPT)
    assert api.asked("stopPoll") == [{"chat_id": FANS.id, "message_id": "77"}]


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with Transport(2) as opened:
        yield opened


def address(api: BotApi, method: str) -> str:
    return f"{api.url}/bot{TOKEN}/{method}"


async def test_a_silent_platform_is_let_go(api: BotApi, transport: Transport) -> None:
    async def silent(fields: dict[str, str]) -> Any:
        await asyncio.Event().wait()

    api.scripts["getMe"] = silent
    with pytest.raises(TimedOut):
        await transport.do_request(address(api, "getMe"), "POST", read_timeout=0.1)
    assert transport.read_timeout <= LONGEST_CALL_S <= 30


async def test_the_pool_is_bounded_and_waiting_for_it_in_vain_is_not_sent(api: BotApi, transport: Transport) -> None:
    async def silent(fields: dict[str, str]) -> Any:
        await asyncio.Event().wait()

    api.scripts["getMe"] = silent
    calls = [asyncio.create_task(transport.do_request(address(api, "getMe"), "POST", read_timeout=5)) for _ in range(2)]
    await api.until(lambda: len(api.calls) == 2)
    with pytest.raises(NotSent):
        await transport.do_request(address(api, "getMe"), "POST", read_timeout=5, connect_timeout=0.1)
    assert len(api.calls) == 2
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/bot", "http://nobody.invalid/bot", "nonsense/bot", "http:///bot"])
async def test_no_transport_error_shows_the_address(transport: Transport, url: str) -> None:
    with pytest.raises(NetworkError) as told:
        await transport.do_request(url + TOKEN + "/getMe", "POST", read_timeout=5)
    assert TOKEN not in "".join(traceback.format_exception(told.value))
    assert isinstance(told.value, NotSent)


async def test_a_429_that_does_not_say_how_long_is_a_minute(api: BotApi, transport: Transport) -> None:
    answering(api, "getMe", web.Response(status=429, body=b"slow down"))
    with pytest.raises(Flooded) as told:
        await transport.do_request(address(api, "getMe"), "POST")
    assert told.value.retry_after_s == 60


async def test_files_are_uploaded(api: BotApi, transport: Transport) -> None:
    photo = InputFile(b"\x89PNG", filename="score.png")
    form = RequestData([RequestParameter("chat_id", 7, None), RequestParameter("photo", None, [photo])])
    assert form.contains_files
    answering(api, "sendPhoto", True)
    status, _ = await transport.do_request(address(api, "sendPhoto"), "POST", form)
    assert status == 200
    assert api.asked("sendPhoto")[0]["chat_id"] == "7"
    assert "score.png" in api.asked("sendPhoto")[0]["photo"]


async def test_a_closed_transport_sends_nothing() -> None:
    with pytest.raises(NotSent):
        await Transport(1).do_request("http://127.0.0.1:9/", "POST")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.telegram.org",
        "http://10.0.0.7:8081",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1@evil.example",
        "https://api.telegram.org@evil.example",
        "https://evil.example/?x=",
        "https://evil.example/#",
        "https://evil.example/{token}",
        "ftp://127.0.0.1",
        "file:///etc",
        "//127.0.0.1",
        "http://[::1",
        "",
    ],
)
def test_the_token_is_never_sent_to_a_strange_address(url: str) -> None:
    with pytest.raises(SettingsError, match="base_url") as told:
        TelegramAccount("tg", TOKEN, base_url=url, clock=Clock(), forms=lambda token: None)
    assert TOKEN not in str(told.value)


@pytest.mark.parametrize(
    "url", ["https://api.telegram.org", "https://bots.brand.example:8443/x/", "http://localhost:1/"]
)
def test_https_and_this_machine_are_fine(url: str) -> None:
    assert TelegramAccount("tg", TOKEN, base_url=url, clock=Clock(), forms=lambda token: None).name == "tg"
