"""What Telegram's stand-in promises besides its limits: any way of asking, any nonsense asked, the order of acts."""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import TelegramBadRequest
from aiohttp import ClientSession, FormData
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.clocks import Clocks
from sandbox.rules import Rules
from sandbox.seam import AccountPlan, PlacePlan, StandIn
from sandbox.telegram.errors import Refused
from sandbox.telegram.fields import Fields
from sandbox.telegram.markup import parsed, units
from sandbox.telegram.stand_in import METHODS
from sandbox.telegram.state import State
from tests.limits.telegram_rig import GROUP, Rig, keyboard


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[Rig]:
    session = AiohttpSession()
    async with Rig(session) as rig:
        yield rig
    await session.close()


async def test_four_ways_of_asking_are_one(rig: Rig) -> None:
    text = "ü & <b>"
    fields = {"chat_id": str(GROUP), "text": text, "reply_markup": '{"inline_keyboard":[[{"text":"9","url":"x.io"}]]}'}
    form = FormData(default_to_multipart=True)
    for name, value in fields.items():
        form.add_field(name, value)
    url = f"{rig.url}/bot{rig.tokens[0]}/SENDMESSAGE"
    ways: list[tuple[str, dict[str, Any]]] = [
        ("GET", {"params": fields}),
        ("POST", {"data": fields}),
        ("POST", {"data": form}),
        ("POST", {"json": fields | {"chat_id": GROUP, "reply_markup": json.loads(fields["reply_markup"])}}),
    ]
    answers = []
    async with ClientSession() as session:
        for verb, how in ways:
            rig.wait(1)
            async with session.request(verb, url, **how) as response:
                answers.append((await response.json())["result"])
    for answer in answers:
        del answer["message_id"], answer["date"]
    assert answers[0]["text"] == text
    assert answers == [answers[0]] * 4


@pytest.mark.parametrize("path", ["/", "/bot", "/bot123:A", "/file/botx/y", "/else/where"])
async def test_elsewhere_there_is_nothing(rig: Rig, path: str) -> None:
    async with ClientSession() as session, session.get(rig.url + path) as response:
        body = await response.json()
    assert (body["ok"], body["error_code"]) == (False, response.status)
    assert response.status in (401, 404)


async def test_unreadable_bodies_are_refused(rig: Rig) -> None:
    url = f"{rig.url}/bot{rig.tokens[0]}/sendMessage"
    kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=B", "text/plain")
    async with ClientSession() as session:
        for kind in kinds:
            for body in (b"", b"{", b"[1]", b"\xff=\xfe", b"--B\r\n\r\n\xff\r\n--B--"):
                async with session.post(url, data=body, headers={"Content-Type": kind}) as response:
                    assert (response.status, (await response.json())["ok"]) == (400, False), (kind, body)


NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda one: st.lists(one, max_size=4) | st.dictionaries(st.text(max_size=5), one, max_size=4),
    max_leaves=8,
)
SENSE: dict[str, st.SearchStrategy[Any]] = {
    "chat_id": st.sampled_from([GROUP, str(GROUP), 7_000_000_002, "@brand", "--5", "", 0, 10**30]),
    "message_id": st.integers(0, 5),
    "user_id": st.integers(-1, 1) | st.just(7_000_000_001),
    "text": st.text() | st.just("<b>x"),
    "parse_mode": st.sampled_from(["HTML", "html", "", "MarkdownV2"]),
    "question": st.text(max_size=5),
    "options": st.lists(st.text(max_size=3) | st.fixed_dictionaries({"text": st.text(max_size=3)}), max_size=3),
    "entities": st.lists(st.fixed_dictionaries({"type": st.just("bold"), "offset": NONSENSE, "length": NONSENSE})),
    "reply_markup": st.fixed_dictionaries({"inline_keyboard": st.lists(st.lists(NONSENSE, max_size=2), max_size=2)}),
    "reply_parameters": st.fixed_dictionaries({"message_id": NONSENSE}),
    "open_period": st.integers(),
    "close_date": st.integers(),
    "commands": st.lists(st.fixed_dictionaries({"command": NONSENSE, "description": NONSENSE}), max_size=2),
    "allowed_updates": st.lists(st.text(max_size=3), max_size=2),
    "scope": NONSENSE,
    "photo": st.text(max_size=3),
    "is_anonymous": NONSENSE,
    "type": st.sampled_from(["quiz", "regular", "x"]),
    "correct_option_ids": st.lists(st.integers(-1, 2) | st.text(max_size=1), max_size=2),
    "link_preview_options": NONSENSE,
    "secret_token": st.text(max_size=3),
    "url": st.text(max_size=3),
    "callback_query_id": st.text(max_size=3),
    "description": st.text(max_size=3),
}
"""What a field usually holds, so that the nonsense gets beyond the first check."""


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(METHODS)),
    st.fixed_dictionaries({}, optional=SENSE),
    st.sampled_from(sorted(SENSE)),
    NONSENSE,
)
async def test_no_request_is_an_accident(method: str, fields: dict[str, Any], spoilt: str, nonsense: Any) -> None:
    state = State(Clocks(), Rules(), lambda post: None)
    bot = state.add_bot(AccountPlan("tg", "telegram"))
    state.add_chat(PlacePlan("tg", str(GROUP), "group"))
    state.open_private(bot, state.add_person("Ann", "en"))
    for values in (fields, fields | {spoilt: nonsense}):
        with contextlib.suppress(Refused):
            json.dumps(METHODS[method](state, bot, Fields(values)))
    state.unwind()


@given(st.text())
def test_escaped_text_is_read_as_it_was_written(text: str) -> None:
    plain, entities = parsed(html.escape(text), "HTML")
    assert plain == text.strip()
    assert [entity for entity in entities if entity["type"] in ("bold", "italic", "text_link", "code", "pre")] == []


@given(st.lists(st.tuples(st.sampled_from(["b", "i", "u", "s", "code", ""]), st.text(min_size=1)), max_size=6))
def test_entities_cover_what_was_marked(pieces: list[tuple[str, str]]) -> None:
    pieces = [(tag, f"x{text}x") for tag, text in pieces]
    text = "".join(f"<{tag}>{html.escape(one)}</{tag}>" if tag else html.escape(one) for tag, one in pieces)
    plain, entities = parsed(text, "HTML")
    raw = plain.encode("utf-16-le")
    marked = [
        entity for entity in entities if entity["type"] in ("bold", "italic", "underline", "strikethrough", "code")
    ]
    covered = [raw[entity["offset"] * 2 : (entity["offset"] + entity["length"]) * 2] for entity in marked]
    assert [one.decode("utf-16-le") for one in covered] == [one for tag, one in pieces if tag]
    assert units(plain) == len(raw) // 2


async def test_acts_are_on_the_stream_in_the_order_of_their_calls(rig: Rig) -> None:
    poll = await rig.poll(is_anonymous=False)
    stand_in: StandIn = rig.stand_in
    for act in (
        stand_in.vote(rig.ann, poll, 1),
        stand_in.write("tg", rig.ann, "one"),
        stand_in.vote(rig.ann, poll, 0),
        stand_in.open_direct("tg", rig.bob, "two"),
    ):
        with pytest.raises(StopIteration):
            act.send(None)
    updates = await rig.updates(allowed_updates=["message", "poll_answer"])
    kinds = [update.event_type for update in updates if update.event_type != "poll"]
    assert kinds == ["poll_answer", "message", "poll_answer", "message"]
    assert [update.update_id for update in updates] == list(range(updates[0].update_id, updates[-1].update_id + 1))


async def test_a_poll_ends_by_itself_while_the_bot_waits() -> None:
    session = AiohttpSession()
    async with Rig(session, clocks=Clocks(speed=6_000.0)) as rig:
        await rig.poll(open_period=600)
        (update,) = await rig.updates(timeout=30)
        assert update.poll is not None
        assert update.poll.is_closed
    await session.close()


async def test_a_poller_that_hung_up_takes_nothing_with_it(rig: Rig) -> None:
    gone = await rig.polling(offset=2**31 - 1, timeout=30)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    await rig.stand_in.write("tg", rig.ann, "9")
    assert [update.message.text for update in await rig.updates() if update.message] == ["9"]


async def test_an_edit_is_seen_as_the_same_post_with_other_words(rig: Rig) -> None:
    sent = await rig.bot.send_message(GROUP, "soon", reply_markup=keyboard([["9"]]))
    place = {"chat_id": GROUP, "message_id": sent.message_id}
    rig.wait(3)
    await rig.bot.edit_message_text("<b>NPS 40</b>", **place, parse_mode="HTML")
    with pytest.raises(TelegramBadRequest, match="not modified"):
        await rig.bot.edit_message_text("<b>NPS 40</b>", **place, parse_mode="HTML")
    first, second = rig.posts
    assert (first.text, first.edited, len(first.buttons)) == ("soon", False, 1)
    assert (second.text, second.edited, second.buttons) == ("NPS 40", True, ())
    assert (second.id, second.place, second.at) == (first.id, first.place, first.at)
