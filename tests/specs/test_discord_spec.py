"""The stand-in's wire keeps to Discord's OpenAPI, and the checker sees what does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import hikari
import pytest
from hikari.impl.special_endpoints import SlashCommandBuilder

from sandbox.server import Exchange
from tests.limits.discord_rig import ACCOUNT, CHANNEL, Rig, buttons, form, menu, poll, rig
from tests.specs.discord import SPEC_PRESENT, check

pytestmark = pytest.mark.skipif(not SPEC_PRESENT, reason="Discord's OpenAPI is not on this machine")


async def _messages(ready: Rig) -> None:
    chart = hikari.Bytes(b"\x89PNG", "chart.png")
    embed = hikari.Embed(title="Score", description="42", color=0x336699).add_field("n", "12").set_footer("a footer")
    message = await ready.say("How likely?", components=[buttons("yes", "no"), menu(3)], embed=embed, nonce="n1")
    await ready.say("Score", attachment=chart, reply=message.id)
    await ready.rest.edit_message(CHANNEL, message.id, "changed", components=[])
    await ready.rest.fetch_messages(CHANNEL)
    await ready.rest.create_message_thread(CHANNEL, message.id, "thread")
    await ready.rest.fetch_message(CHANNEL, message.id)
    await ready.rest.delete_message(CHANNEL, message.id)
    direct = await ready.rest.create_dm_channel(int(ready.ann))
    await ready.say(channel=direct.id)
    await ready.rest.fetch_channel(direct.id)


async def _polls(ready: Rig) -> None:
    message = await ready.rest.create_message(CHANNEL, poll=poll(*map(str, range(10))))
    for person, option in ((ready.ann, 9), (ready.bob, 3), (ready.ann, 8)):
        assert await ready.stand_in.vote(person, ready.posts[-1], option)
    await ready.rest.fetch_poll_voters(CHANNEL, message.id, 9, limit=100)
    await ready.rest.end_poll(CHANNEL, message.id)
    ready.wire.now += 1
    final = await ready.rest.fetch_message(CHANNEL, message.id)
    assert final.poll
    assert final.poll.results
    assert final.poll.results.is_finalized


async def _interactions(ready: Rig) -> None:
    bot = await ready.bot()
    for answer in (hikari.ResponseType.MESSAGE_CREATE, hikari.ResponseType.MESSAGE_UPDATE):
        tap, interaction = await ready.tapped(bot)
        await interaction.create_initial_response(answer, "thanks", component=buttons("why"))
        assert await tap
        await interaction.fetch_initial_response()
    await interaction.execute("more", flags=hikari.MessageFlag.EPHEMERAL)
    _, interaction = await ready.tapped(bot)
    await interaction.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE)
    await interaction.edit_initial_response("done")
    await interaction.delete_initial_response()
    ready.wire.now += 5
    await ready.say(component=buttons("why"))
    post = ready.posts[-1]
    filled = asyncio.create_task(ready.stand_in.fill(ready.ann, post, post.buttons[0], "because"))
    opened = (await bot.next(hikari.InteractionCreateEvent)).interaction
    assert isinstance(opened, hikari.ComponentInteraction)
    await opened.create_modal_response("Tell us why", "why", components=form())
    sent = (await bot.next(hikari.InteractionCreateEvent)).interaction
    assert isinstance(sent, hikari.ModalInteraction)
    await sent.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, "kept", flags=hikari.MessageFlag.EPHEMERAL)
    assert await filled
    assert (ready.posts[-1].to, ready.posts[-1].text) == (ready.ann, "kept")


async def _people(ready: Rig) -> None:
    await ready.rest.fetch_my_user()
    await ready.rest.fetch_application()
    await ready.rest.fetch_gateway_url()
    await ready.rest.fetch_gateway_bot_info()
    await ready.rest.fetch_guild(ready.guild)
    await ready.rest.fetch_guild_channels(ready.guild)
    await ready.rest.fetch_roles(ready.guild)
    await ready.rest.fetch_member(ready.guild, int(ready.ann))
    await ready.rest.search_members(ready.guild, "Bob")
    await ready.rest.fetch_user(int(ready.bob))
    ready.stand_in.allow_intents(ACCOUNT, 1 << 1)
    assert await ready.rest.fetch_members(ready.guild).count()
    commands = [SlashCommandBuilder("score", "Show the score")]
    for where in ({}, {"guild": ready.guild}):
        made = await ready.rest.set_application_commands(ready.application, commands, **where)
        await ready.rest.fetch_application_commands(ready.application, **where)
        await ready.rest.delete_application_command(ready.application, made[0].id, **where)


async def _refusals(ready: Rig) -> None:
    """Requests that are well-formed, and refused."""
    await ready.refused(10003, ready.rest.fetch_channel(999))
    await ready.refused(50006, ready.say(""))
    message = await ready.say()
    await ready.refused(520006, ready.rest.end_poll(CHANNEL, message.id))
    await ready.refused(50035, ready.say(components=[buttons("same"), buttons("same")]), at=SAME)
    for _ in range(5):
        status, _, _ = await ready.raw("POST", f"/channels/{CHANNEL}/messages", json={"content": "hi"})
    assert status == 429


SAME = "components.1.components.0.custom_id"


@pytest.mark.parametrize("play", [_messages, _polls, _interactions, _people, _refusals])
async def test_the_wire_keeps_to_the_specification(play: Callable[[Rig], Any]) -> None:
    exchanges: list[Exchange] = []
    async with rig(on_exchange=exchanges.append) as ready:
        await play(ready)
    assert exchanges
    assert [wrong for exchange in exchanges for wrong in check(exchange)] == []


def _exchange(**changes: Any) -> Exchange:
    """A sound exchange, with changes."""
    author: dict[str, Any] = dict.fromkeys(("avatar", "global_name", "primary_guild"))
    author |= {"id": "1", "username": "acme", "discriminator": "0", "public_flags": 0, "flags": 0, "bot": True}
    empty = ("mentions", "mention_roles", "attachments", "embeds", "components")
    message: dict[str, Any] = {name: [] for name in empty} | dict.fromkeys(("pinned", "mention_everyone", "tts"), False)
    message |= {"id": "2", "type": 0, "flags": 0, "content": "hi", "channel_id": "3", "author": author}
    message |= {"timestamp": "2026-11-16T09:00:00.000000+00:00", "edited_timestamp": None}
    sound = Exchange(
        platform="discord",
        method="POST",
        path="/api/v10/channels/3/messages",
        query={},
        request_headers={"Authorization": "Bot token", "Content-Type": "application/json"},
        request_body=b'{"content": "hi"}',
        status=200,
        response_headers={"Content-Type": "application/json"},
        response_body=json.dumps({**message, **changes.pop("answer", {})}).encode(),
    )
    return replace(sound, **changes)


def test_a_sound_exchange_passes() -> None:
    assert check(_exchange()) == []


FORM = {"Authorization": "Bot token", "Content-Type": "multipart/form-data; boundary=b"}


def _form(name: str, payload: str = '{"content": "hi"}') -> bytes:
    part = 'Content-Disposition: form-data; name="payload_json"\r\nContent-Type: application/json\r\n\r\n'
    file = f'Content-Disposition: form-data; name="{name}"; filename="a.txt"\r\n\r\nx'
    return f"--b\r\n{part}{payload}\r\n--b\r\n{file}\r\n--b--\r\n".encode()


def test_a_sound_form_passes() -> None:
    assert check(_exchange(request_headers=FORM, request_body=_form("files[0]"))) == []


PLANTED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown path": ({"path": "/api/v10/channels/3/letters"}, "no such path"),
    "unknown method": ({"method": "PUT"}, "no such method"),
    "path that is no id": ({"path": "/api/v10/channels/general/messages"}, "path channel_id"),
    "unknown query": ({"query": {"loud": "1"}}, "query loud: unknown"),
    "query out of range": (
        {"method": "GET", "query": {"limit": "101"}, "request_body": b"", "response_body": b"[]"},
        "query limit",
    ),
    "no token": ({"request_headers": {"Content-Type": "application/json"}}, "Authorization"),
    "no body": ({"request_body": b""}, "request: no body"),
    "body that is not JSON": ({"request_body": b"hi"}, "request: not JSON"),
    "foreign content type": ({"request_headers": {**FORM, "Content-Type": "text/xml"}}, "content type"),
    "long content": ({"request_body": json.dumps({"content": "x" * 4001}).encode()}, "request content"),
    "unknown field": ({"request_body": b'{"contents": "hi"}'}, "request"),
    "eleven answers": (
        {
            "request_body": json.dumps(
                {"poll": {"question": {"text": "?"}, "answers": [{"poll_media": {"text": "a"}}] * 11}}
            ).encode()
        },
        "request poll/answers",
    ),
    "form with a bad payload": (
        {"request_headers": FORM, "request_body": _form("files[0]", '{"content": 5}')},
        "request content",
    ),
    "form with a misnamed file": ({"request_headers": FORM, "request_body": _form("chart")}, "file named"),
    "answer's id as a number": ({"answer": {"id": 2}}, "answer id"),
    "answer's unknown field": ({"answer": {"mood": "good"}}, "answer"),
    "answer's naive time": ({"answer": {"timestamp": "2026-11-16T09:00:00"}}, "answer timestamp"),
    "answer without a field": ({"response_body": b"{}"}, "answer"),
    "answer that is not JSON": ({"response_body": b"hi"}, "answer: not JSON"),
    "answer with a charset": (
        {"response_headers": {"Content-Type": "application/json; charset=utf-8"}},
        "answer: content type",
    ),
    "status that is not foreseen": ({"status": 302}, "answer: status 302"),
    "error without a code": ({"status": 403, "response_body": b'{"message": "no"}'}, "answer"),
    "rate limit without its wait": ({"status": 429, "response_body": b'{"message": "no", "code": 0}'}, "answer"),
    "rate limit's header that is no number": (
        {
            "response_headers": {
                "Content-Type": "application/json",
                **{f"X-RateLimit-{name}": "1" for name in ("Limit", "Reset", "Reset-After", "Bucket")},
                "X-RateLimit-Remaining": "few",
            }
        },
        "answer header X-RateLimit-Remaining",
    ),
    "half of the rate limit's headers": (
        {"response_headers": {"Content-Type": "application/json", "X-RateLimit-Limit": "5"}},
        "answer header X-RateLimit-Bucket: missing",
    ),
}


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_a_planted_error_is_seen(name: str) -> None:
    changes, wrong = PLANTED[name]
    assert any(wrong in found for found in check(_exchange(**dict(changes)))), check(_exchange(**dict(changes)))


def test_a_page_of_the_proxy_is_not_discords() -> None:
    page = {"status": 429, "response_headers": {"Content-Type": "text/html"}, "response_body": b"<html>1015</html>"}
    assert check(_exchange(**page)) == []
