"""What becomes of a request when the network or X behaves badly: applied, not applied, or nobody knows."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots.x import XAccount, budget
from bots.x.look import Looker
from bots.x.send import Duplicate, Sender
from bots.x.stream import Stream
from bots.x.transport import Api, Problem, address
from core.account import Direct, Limits, Place, PlaceKind
from core.clock import Clock
from core.errors import (
    AccountError,
    AccountRefused,
    AccountUnavailable,
    ContentRefused,
    OutcomeUnknown,
    PersonUnreachable,
)
from core.message import text

from . import rude
from .place import Kept, begin

TIMELINE = Place(id="timeline", kind=PlaceKind.TIMELINE, limits=Limits(post_chars=280))
CREATED = rude.says(201, {"data": {"id": "900", "text": "hello"}})
PROFILE = rude.says(200, {"data": {"id": "15", "username": "brand"}})
START = datetime(2026, 11, 21, tzinfo=UTC)


async def _ask(api: Api) -> Any:
    return await api.call(budget.ME, lambda x: x.get_me())


async def _post(api: Api) -> Any:
    return await Sender("brand", api, Clock()).post(TIMELINE, text("hello"), begin)


async def _write(api: Api) -> Any:
    return await Sender("brand", api, Clock()).direct("5", text("hello"), begin)


def _problem(status: int, detail: str, kind: str = "about:blank") -> rude.Answer:
    return rude.says(status, {"title": "No", "detail": detail, "type": kind, "status": status})


@pytest.mark.parametrize(
    ("base_url", "goes_to"),
    [
        ("https://api.x.com", "https://api.twitter.com/2/tweets?ids=1%2C2"),
        ("https://api.x.com/", "https://api.twitter.com/2/tweets?ids=1%2C2"),
        ("https://api.twitter.com", "https://api.twitter.com/2/tweets?ids=1%2C2"),
        ("http://127.0.0.1:8000/x/", "http://127.0.0.1:8000/x/2/tweets?ids=1%2C2"),
    ],
)
def test_a_request_goes_to_x_under_the_name_it_was_signed_for(base_url: str, goes_to: str) -> None:
    assert address("https://api.twitter.com/2/tweets?ids=1%2C2", base_url) == goes_to


@pytest.mark.parametrize(
    "answer",
    [
        rude.page(503),
        rude.page(200),
        rude.page(302),
        rude.page(403),
        rude.broken(200),
        rude.broken(403),
        rude.says(200, ["no object"]),
        rude.says(403, ["no object"]),
        rude.says(500, {"title": "Internal Server Error", "type": "about:blank", "status": 500}),
        rude.hangs_up,
        rude.hangs,
    ],
)
async def test_a_lost_answer_is_unknown_for_a_post_and_asked_again_for_a_question(answer: rude.Answer) -> None:
    async with rude.host(answer) as host, rude.api(host.url, timeout_s=0.3) as api:
        with pytest.raises(OutcomeUnknown):
            await _post(api)
        with pytest.raises(OutcomeUnknown):
            await _write(api)
        with pytest.raises(AccountUnavailable):
            await _ask(api)


async def test_an_answer_without_an_id_is_unknown() -> None:
    async with rude.host(rude.says(201, {"data": {"text": "hello"}})) as host, rude.api(host.url) as api:
        with pytest.raises(OutcomeUnknown):
            await _post(api)


async def test_nobody_listening_means_nothing_was_said() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    async with rude.api(url) as api:
        for ask in (_post, _write, _ask):
            with pytest.raises(AccountUnavailable):
                await ask(api)
        looker, stream = Looker("brand", api, Clock()), Stream("brand", api, Clock(), "15")
        for to in (TIMELINE, Direct("5")):
            with pytest.raises(AccountUnavailable):
                await looker.look(to, text("hello"), "key", START)
        with pytest.raises(AccountUnavailable):
            await stream.catch_up([], Kept().deliver)


async def test_an_account_that_was_left_meanwhile_cannot_be_reached() -> None:
    """A report that still reads must find that, and not a fault of the library's."""
    async with rude.host(PROFILE) as host, rude.api(host.url) as api:
        await api.close()
        for ask in (_post, _write, _ask):
            with pytest.raises(AccountUnavailable, match="was left"):
                await ask(api)
        assert host.asked == []


async def test_no_redirect_is_followed() -> None:
    async with rude.host(CREATED) as elsewhere:
        moved = rude.page(307, {"Location": f"{elsewhere.url}/2/tweets"})
        async with rude.host(moved) as host, rude.api(host.url) as api:
            with pytest.raises(OutcomeUnknown):
                await _post(api)
            with pytest.raises(AccountUnavailable):
                await _ask(api)
        assert elsewhere.asked == []


async def test_a_hung_call_is_released_in_time() -> None:
    async with rude.host(rude.hangs) as host, rude.api(host.url, timeout_s=0.2) as api:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            await _post(api)
        assert time.monotonic() - began < 2.0


@pytest.mark.parametrize(
    ("answer", "ask", "error"),
    [
        (_problem(401, "Unauthorized"), _post, AccountRefused),
        (_problem(401, "Unauthorized"), _ask, AccountRefused),
        (_problem(402, "credits"), _write, AccountRefused),
        (rude.page(402), _post, AccountRefused),
        (_problem(429, "cap", "https://api.twitter.com/2/problems/usage-capped"), _post, AccountRefused),
        (_problem(403, "You are not allowed to create a Tweet with duplicate content."), _post, Duplicate),
        (_problem(403, "Your Tweet text is too long."), _post, ContentRefused),
        (_problem(403, "You are not permitted to perform this action."), _post, AccountRefused),
        (rude.says(400, {"errors": [{"message": "$.text: bad"}], "title": "Invalid Request"}), _post, ContentRefused),
        (_problem(403, "You do not have permission to DM one or more participants."), _write, PersonUnreachable),
        (rude.says(403, {"errors": [{"code": 349, "message": "You cannot send messages to this user."}]}), _write,
         PersonUnreachable),
        (_problem(404, "Not Found"), _write, PersonUnreachable),
        (_problem(400, "One or more participants are invalid"), _write, PersonUnreachable),
        (_problem(400, "$.text: must be at most 10000 characters long"), _write, ContentRefused),
        (_problem(403, "This request looks like it might be automated."), _write, ContentRefused),
        (_problem(403, "Your client app is not configured with the appropriate oauth1 app permissions."), _write,
         AccountRefused),
        (_problem(403, "You cannot do this."), _write, ContentRefused),
        (_problem(409, "Conflict"), _write, ContentRefused),
        (_problem(403, "No", "https://api.twitter.com/2/problems/unsupported-authentication"), _write, AccountRefused),
        (_problem(403, "No", "https://api.twitter.com/2/problems/client-forbidden"), _write, AccountRefused),
        (_problem(403, "Your account is suspended and is not permitted to access this feature."), _write,
         AccountRefused),
        (_problem(404, "Not Found"), _ask, Problem),
    ],
)  # fmt: skip
async def test_what_a_refusal_means(answer: rude.Answer, ask: Callable[[Api], Any], error: type[Exception]) -> None:
    async with rude.host(answer) as host, rude.api(host.url) as api:
        with pytest.raises(error) as caught:
            await ask(api)
        assert type(caught.value) is error
        assert len(host.asked) == 1


async def test_used_up_credits_name_the_mend() -> None:
    async with rude.host(_problem(402, "credits")) as host, rude.api(host.url) as api:
        with pytest.raises(AccountRefused, match="buy credits"):
            await _post(api)


@pytest.mark.parametrize("refusal", [_problem(429, "Too Many Requests"), rude.page(429)])
async def test_a_question_waits_429_out_on_the_calendar_and_is_asked_again(refusal: rude.Answer) -> None:
    clock = Clock(START, time.time(), 43_000.0)
    async with rude.host(refusal, PROFILE) as host, rude.api(host.url, clock) as api:
        before = clock.now()
        await _ask(api)
        assert clock.now() - before >= timedelta(minutes=15)
        assert host.asked == ["GET /2/users/me"] * 2


@pytest.mark.parametrize("refusal", [_problem(429, "Too Many Requests"), rude.page(429)])
@pytest.mark.parametrize("ask", [_post, _write])
async def test_what_is_said_is_handed_back_after_429(refusal: rude.Answer, ask: Callable[[Api], Any]) -> None:
    async with rude.host(refusal) as host, rude.api(host.url) as api:
        with pytest.raises(AccountUnavailable) as caught:
            await ask(api)
        assert caught.value.retry_after_s == pytest.approx(900.0, abs=5.0)
        assert len(host.asked) == 1


async def test_429_names_its_end_in_calendar_time() -> None:
    clock = Clock(START, time.time(), 43_000.0)
    ends_at = START + timedelta(hours=2)
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(ends_at.timestamp()))}
    refusal = rude.says(429, {"title": "Too Many Requests"}, headers)
    async with rude.host(refusal, CREATED) as host, rude.api(host.url, clock) as api:
        sender = Sender("brand", api, clock)
        with pytest.raises(AccountUnavailable) as caught:
            await sender.post(TIMELINE, text("hello"), begin)
        assert 0.0 < caught.value.retry_after_s <= 7200 / 43_000
        await sender.post(TIMELINE, text("hello"), begin)
        assert clock.now() >= ends_at


async def test_a_message_does_not_wait_for_a_far_window() -> None:
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(time.time()) + 600)}
    created = rude.says(201, {"data": {"id": "900", "text": "hello"}}, headers)
    async with rude.host(created) as host, rude.api(host.url) as api:
        await _post(api)
        with pytest.raises(AccountUnavailable) as caught:
            await _post(api)
        assert 590 < caught.value.retry_after_s < 610
        assert len(host.asked) == 1


async def test_429_that_names_only_a_pause_is_heard() -> None:
    refusal = rude.says(429, {"title": "Too Many Requests"}, {"Retry-After": "1"})
    async with rude.host(refusal, PROFILE) as host, rude.api(host.url) as api:
        began = time.monotonic()
        await _ask(api)
        assert 1.0 <= time.monotonic() - began < 5.0
        assert len(host.asked) == 2


@pytest.mark.parametrize(("told", "waits_s"), [("120", 120.0), ("0", 1.0), ("Sat, 21 Nov 2026 21:00:00 GMT", 900.0)])
async def test_a_pause_is_handed_back(told: str, waits_s: float) -> None:
    refusal = rude.says(429, {"title": "Too Many Requests"}, {"Retry-After": told})
    async with rude.host(refusal, CREATED) as host, rude.api(host.url) as api:
        with pytest.raises(AccountUnavailable) as caught:
            await _post(api)
        assert caught.value.retry_after_s == pytest.approx(waits_s, abs=0.9)


async def test_who_waits_behind_somebody_patient_is_not_held_up() -> None:
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(time.time()) + 600)}
    spent = rude.says(200, {"data": {"id": "15", "username": "brand"}}, headers)
    async with rude.host(spent) as host, rude.api(host.url) as api:
        await _ask(api)
        patient = asyncio.create_task(_ask(api))
        await asyncio.sleep(0)
        with pytest.raises(AccountUnavailable) as caught:
            await api.call(budget.ME, lambda x: x.get_me(), patience_s=0.05)
        assert 590 < caught.value.retry_after_s < 610
        patient.cancel()
        await asyncio.gather(patient, return_exceptions=True)
        assert len(host.asked) == 1


async def test_one_call_at_a_time_for_each_endpoint() -> None:
    here, most = 0, 0

    async def slow(request: Any) -> Any:
        nonlocal here, most
        here += 1
        most = max(most, here)
        await asyncio.sleep(0)
        here -= 1
        return await CREATED(request)

    async with rude.host(slow) as host, rude.api(host.url) as api:
        await asyncio.gather(*(_post(api) for _ in range(8)))
        assert (most, len(host.asked)) == (1, 8)


@pytest.mark.parametrize(
    "answer", [_problem(401, "Unauthorized"), _problem(403, "no"), rude.page(503), rude.hangs_up, rude.broken(200)]
)
async def test_no_secret_in_any_text(answer: rude.Answer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    async with rude.host(answer) as host, rude.api(host.url) as api:
        for ask in (_post, _write, _ask):
            try:
                await ask(api)
            except (AccountError, Problem) as error:
                told += repr(error) + "".join(traceback.format_exception(error))
        account = XAccount("brand", **rude.SECRETS, base_url=host.url, clock=Clock(), forms=lambda token: None)
        with pytest.raises(AccountError) as caught:
            await account.__aenter__()
        told += repr(account) + "".join(traceback.format_exception(caught.value))
    told += caplog.text
    assert told
    assert [secret for secret in rude.SECRETS.values() if secret in told] == []
