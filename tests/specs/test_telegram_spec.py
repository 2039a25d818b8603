"""The checker of the Bot API's specification: silent about what is right, loud about every planted error."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.types import BotCommand, InputPollOption, LinkPreviewOptions, ReplyParameters
from hypothesis import given
from hypothesis import strategies as st

from sandbox.server import Exchange
from tests.limits.telegram_rig import CHANNEL, GROUP, Rig, keyboard
from tests.limits.telegram_sending import picture
from tests.specs.telegram import SPEC_PRESENT, check

pytestmark = pytest.mark.skipif(not SPEC_PRESENT, reason="the platforms' specifications are not beside this checkout")


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[Rig]:
    session = AiohttpSession()
    async with Rig(session) as rig:
        yield rig
    await session.close()


async def test_a_day_in_a_bots_life_keeps_to_the_specification(rig: Rig) -> None:
    bot, ann = rig.bot, int(rig.ann)
    await bot.get_me()
    await bot.set_my_commands([BotCommand(command="score", description="The score")])
    await bot.get_my_commands()
    options = [InputPollOption(text="No"), InputPollOption(text="Yes")]
    group = await rig.poll(options=options, is_anonymous=False, open_period=600, hide_results_until_closes=True)
    channel = await rig.poll(CHANNEL, options=options, is_anonymous=True, members_only=True)
    await rig.poll(options=options, type="quiz", correct_option_ids=[1])
    for option in (1, 0, None):
        await rig.stand_in.vote(rig.bob, group, option)
    await rig.stand_in.write("tg", rig.bob, "Nine! https://brand.example", place=str(GROUP), reply_to=group)
    written = await rig.stand_in.write("tg", rig.ann, "8")
    await rig.stand_in.rewrite("tg", rig.ann, str(written), "9")
    sent = await bot.send_message(
        ann,
        '<b>How</b> <i>likely</i>? <a href="https://brand.example">Why</a> @brand #nps 😀 <code>x</code>',
        parse_mode="HTML",
        reply_markup=keyboard([["9", "10"]]),
        reply_parameters=ReplyParameters(message_id=int(written or 0)),
        link_preview_options=LinkPreviewOptions(is_disabled=True),
        protect_content=True,
    )
    await rig.stand_in.tap(rig.ann, rig.posts[-1], rig.posts[-1].buttons[0])
    query = (await rig.updates())[-1].callback_query
    assert query is not None
    await bot.answer_callback_query(query.id, "Thank you")
    await bot.edit_message_text("Thank you", chat_id=ann, message_id=sent.message_id)
    photo = await bot.send_photo(GROUP, picture(), caption="<b>NPS 42</b>", parse_mode="HTML")
    assert photo.photo is not None
    rig.wait(3)
    await bot.edit_message_caption(chat_id=GROUP, message_id=photo.message_id, caption="NPS 43")
    await bot.get_file(photo.photo[0].file_id)
    await bot.send_chat_action(ann, "typing")
    await bot.get_chat(GROUP)
    await bot.get_chat(ann)
    await bot.get_chat_member(GROUP, bot.id)
    await rig.raw("getChatAdministrators", chat_id=CHANNEL)
    await bot.stop_poll(CHANNEL, int(channel.id))
    await bot.delete_message(GROUP, photo.message_id)
    rig.clocks.skip(601)
    await rig.stand_in.block("tg", rig.ann)
    await rig.raw("sendMessage", chat_id=ann, text="blocked")
    for _ in range(22):
        await rig.raw("sendMessage", chat_id=GROUP, text="too fast")
    await rig.updates()
    await bot.set_webhook("https://brand.example/hook", allowed_updates=["message"])
    await bot.get_webhook_info()
    await bot.delete_webhook(drop_pending_updates=True)
    assert {exchange.status for exchange in rig.exchanges} == {200, 403, 429}
    assert [wrong for exchange in rig.exchanges for wrong in check(exchange)] == []


USER = {"id": 7_000_000_001, "is_bot": False, "first_name": "Ann"}
CHAT = {"id": 7_000_000_001, "type": "private", "first_name": "Ann"}
MESSAGE = {"message_id": 1, "date": 1, "chat": CHAT, "text": "Hi"}
POLL = {
    "id": "1",
    "question": "?",
    "options": [{"persistent_id": "0", "text": "a", "voter_count": 0}],
    "total_voter_count": 0,
    "is_closed": False,
    "is_anonymous": True,
    "type": "regular",
    "allows_multiple_answers": False,
    "allows_revoting": True,
    "members_only": False,
}
BUTTONS = {"inline_keyboard": [[{"text": "9", "callback_data": "9"}]]}


def exchange(method: str, fields: Any, result: Any = True, status: int = 200) -> Exchange:
    """A request as JSON, and its answer: a result, or with another status the whole body."""
    return Exchange(
        platform="telegram",
        method="POST",
        path=f"/bot1234567890:AAxx/{method}",
        query={},
        request_headers={"Content-Type": "application/json"},
        request_body=json.dumps(fields).encode(),
        status=status,
        response_headers={},
        response_body=json.dumps({"ok": True, "result": result} if status == 200 else result).encode(),
    )


def form(method: str, body: bytes, result: Any, kind: str = "application/x-www-form-urlencoded") -> Exchange:
    """A request as a form."""
    made = exchange(method, {}, result)
    return replace(made, request_headers={"content-type": kind}, request_body=body)


def without(wire: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in wire.items() if key != name}


SENT = {"chat_id": 1, "text": "Hi"}
ASKED = {"chat_id": "@brand", "question": "?", "options": [{"text": "a"}]}
REFUSED = {"ok": False, "error_code": 400, "description": "Bad Request"}
FILE = b'--B\r\nContent-Disposition: form-data; name="%s"; filename="a.png"\r\n\r\nPNG\r\n%s--B--\r\n'
NAMED = b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
MULTIPART = "multipart/form-data; boundary=B"

RIGHT = [
    exchange("sendMessage", SENT | {"reply_markup": BUTTONS}, MESSAGE),
    exchange("sendPoll", ASKED, MESSAGE | {"poll": POLL}),
    exchange("getUpdates", {"timeout": 50}, [{"update_id": 1, "message": MESSAGE}, {"update_id": 2, "poll": POLL}]),
    exchange("getChatMember", {"chat_id": 1, "user_id": 2}, {"status": "left", "user": USER}),
    exchange("sendMessage", SENT, REFUSED, 400),
    form("sendMessage", b"chat_id=1&text=12&disable_notification=true&entities=%5B%5D", MESSAGE),
    form("sendPhoto", FILE % (b"photo", NAMED % (b"chat_id", b"1")), MESSAGE, MULTIPART),
    form(
        "sendPhoto",
        FILE % (b"x", NAMED % (b"chat_id", b"1") + NAMED % (b"photo", b"attach://x")),
        MESSAGE,
        MULTIPART,
    ),
]


@pytest.mark.parametrize("made", RIGHT, ids=lambda made: made.path.rpartition("/")[2])
def test_silent_about_what_is_right(made: Exchange) -> None:
    assert check(made) == []


def _planted() -> Iterator[tuple[str, Exchange]]:
    yield "sendTelepathy: no such method", exchange("sendTelepathy", {})
    yield "unknown field 'txt'", exchange("sendMessage", SENT | {"txt": "x"}, MESSAGE)
    yield "text is missing", exchange("sendMessage", {"chat_id": 1}, MESSAGE)
    yield "chat_id: 1.5 is no", exchange("sendMessage", SENT | {"chat_id": 1.5}, MESSAGE)
    yield "disable_notification: 1 is no Boolean", exchange("sendMessage", SENT | {"disable_notification": 1}, MESSAGE)
    yield "question: 301 characters, allowed 1-300", exchange("sendPoll", ASKED | {"question": "x" * 301}, MESSAGE)
    yield "no field 'txt'", exchange("sendPoll", ASKED | {"options": [{"txt": "a", "text": "a"}]}, MESSAGE)
    yield "options: 'a' is no Array", exchange("sendPoll", ASKED | {"options": "a"}, MESSAGE)
    for button, why in (
        ({"text": "9"}, "carries [], not one"),
        ({"text": "9", "url": "https://x", "callback_data": "9"}, "carries ['callback_data', 'url'], not one"),
        ({"text": "9", "callback_data": "é" * 33}, "66 bytes, allowed 1-64"),
    ):
        markup = {"inline_keyboard": [[button]]}
        yield why, exchange("editMessageReplyMarkup", {"chat_id": 1, "reply_markup": markup})
    yield (
        "disable_notification: 'True' is no Boolean",
        form("sendMessage", b"chat_id=1&text=a&disable_notification=True", MESSAGE),
    )
    yield "options: 'a' is no Array", form("sendPoll", b"chat_id=1&question=a&options=a", MESSAGE)
    yield (
        "file 'x' is attached to nothing",
        form("sendPhoto", FILE % (b"x", NAMED % (b"chat_id", b"1")), MESSAGE, MULTIPART),
    )
    yield (
        "attach://y names no file",
        form(
            "sendPhoto",
            NAMED % (b"chat_id", b"1") + NAMED % (b"photo", b"attach://y") + b"--B--\r\n",
            MESSAGE,
            MULTIPART,
        ),
    )
    yield "unreadable request", replace(exchange("sendMessage", {}, MESSAGE), request_body=b"{")
    yield "unreadable request: the body is no object", exchange("sendMessage", [1], MESSAGE)
    yield from _planted_answers()


def _planted_answers() -> Iterator[tuple[str, Exchange]]:
    yield "Message lacks 'date'", exchange("sendMessage", SENT, without(MESSAGE, "date"))
    yield "Message has no field 'txt'", exchange("sendMessage", SENT, MESSAGE | {"txt": "Hi"})
    yield "result.date: '1' is no Integer", exchange("sendMessage", SENT, MESSAGE | {"date": "1"})
    yield "result: True is no Message", exchange("sendMessage", SENT, True)
    poll = MESSAGE | {"poll": without(POLL, "allows_multiple_answers")}
    yield "Poll lacks 'allows_multiple_answers'", exchange("sendPoll", ASKED, poll)
    option = MESSAGE | {"poll": POLL | {"options": [{"text": "a", "voter_count": 0}]}}
    yield "PollOption lacks 'persistent_id'", exchange("sendPoll", ASKED, option)
    two = [{"update_id": 1, "message": MESSAGE, "poll": POLL}]
    yield "Update carries ['message', 'poll'], not one", exchange("getUpdates", {}, two)
    yield "result: {} is no Array of Update", exchange("getUpdates", {}, {})
    member = {"status": "creator", "user": USER}
    yield "lacks 'is_anonymous'", exchange("getChatMember", {"chat_id": 1, "user_id": 2}, member)
    yield "'gone' is not", exchange("getChatMember", {"chat_id": 1, "user_id": 2}, {"status": "gone", "user": USER})
    yield "error_code 400 with status 403", exchange("sendMessage", SENT, REFUSED, 403)
    yield "lacks its description", exchange("sendMessage", SENT, without(REFUSED, "description"), 400)
    yield "a refusal carries", exchange("sendMessage", SENT, REFUSED | {"code": 1}, 400)
    strange = REFUSED | {"parameters": {"retry": 1}}
    yield "ResponseParameters has no field 'retry'", exchange("sendMessage", SENT, strange, 400)
    yield "429 lacks retry_after", exchange("sendMessage", SENT, REFUSED | {"error_code": 429}, 429)
    yield "the answer is no JSON", replace(exchange("getMe", {}), response_body=b"<html>")
    yield "the answer lacks ok", replace(exchange("getMe", {}), response_body=b"[]")
    yield "an answer carries ok and result", replace(exchange("getMe", {}), response_body=b'{"ok":true}')
    yield "ok with status 500", replace(exchange("getMe", {}, USER), status=500)


@pytest.mark.parametrize(("why", "made"), list(_planted()), ids=lambda one: one if isinstance(one, str) else "")
def test_loud_about_every_planted_error(why: str, made: Exchange) -> None:
    wrongs = check(made)
    assert [wrong for wrong in wrongs if why in wrong], wrongs


@given(st.sampled_from(sorted(POLL)))
def test_every_missing_field_of_a_poll_is_seen(name: str) -> None:
    assert check(exchange("stopPoll", {"chat_id": 1, "message_id": 2}, POLL)) == []
    missing = exchange("stopPoll", {"chat_id": 1, "message_id": 2}, without(POLL, name))
    assert check(missing) == [f"stopPoll: result: Poll lacks {name!r}"]


def test_downloads_are_not_calls() -> None:
    assert check(replace(exchange("getMe", {}), path="/file/bot1:A/photos/a.png", response_body=b"PNG")) == []
