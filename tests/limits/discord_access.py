"""Rows of Discord: who may enter, how often, and what is asked for."""

from __future__ import annotations

from typing import Any

import hikari

from sandbox.discord.model import READ_HISTORY, SEND_MESSAGES

from .discord_rig import AGENT, CHANNEL, FOREIGN, Rig, Table

TABLE = Table()
row = TABLE.row
NOBODY = 999


@row("discord.token")
async def a_wrong_token_is_unauthorized(rig: Rig) -> None:
    status, _, body = await rig.raw("GET", "/users/@me", headers={"Authorization": "Bot forged"})
    assert (status, body) == (401, {"message": "401: Unauthorized", "code": 0})


@row("discord.user_agent")
async def a_bot_names_itself(rig: Rig) -> None:
    assert (await rig.raw("GET", "/users/@me", headers=AGENT))[0] == 200
    status, _, body = await rig.raw("GET", "/users/@me", headers={"User-Agent": "curl/8"})
    assert (status, body.get("code")) == (403, 40333)


@row("discord.access")
async def a_foreign_channel_is_closed(rig: Rig) -> None:
    await rig.refused(50001, rig.say(channel=FOREIGN), status=403)


@row("discord.permissions")
async def a_bot_needs_the_permission(rig: Rig) -> None:
    await rig.say()
    rig.stand_in.deny(str(CHANNEL), SEND_MESSAGES)
    await rig.refused(50013, rig.say(), status=403)


@row("discord.rate.route")
async def a_channel_takes_five_messages_in_five_seconds(rig: Rig) -> None:
    path = f"/channels/{CHANNEL}/messages"
    for left in (4, 3, 2, 1, 0):
        status, headers, _ = await rig.raw("POST", path, json={"content": "hi"})
        assert (status, headers["x-ratelimit-remaining"]) == (200, str(left))
    status, headers, body = await rig.raw("POST", path, json={"content": "hi"})
    assert status == 429
    assert headers["via"]
    assert headers["retry-after"] == "5"
    assert headers["x-ratelimit-scope"] == "user"
    assert 0 < float(headers["x-ratelimit-reset-after"]) <= 5
    assert body["global"] is False
    assert body["retry_after"] == 5
    for pause_s, status in ((4.875, 429), (0.125, 200)):
        rig.wire.now += pause_s
        assert (await rig.raw("POST", path, json={"content": "hi"}))[0] == status
    _, interaction = await rig.tapped(await rig.bot())
    await interaction.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, "thanks")
    for method, where, limit, window_s in (
        ("GET", "/users/@me", "20", "1.000"),
        ("GET", f"/guilds/{rig.guild}/members/{rig.ann}", "10", "1.000"),
        ("POST", "/users/@me/channels", "10", "1.000"),
        ("DELETE", f"{path}/{NOBODY}", "5", "1.000"),
        ("POST", f"/webhooks/{rig.application}/{interaction.token}", "5", "2.000"),
    ):
        _, headers, _ = await rig.raw(method, where, **({"json": {"content": "hi"}} if method == "POST" else {}))
        assert (headers["x-ratelimit-limit"], headers["x-ratelimit-reset-after"]) == (limit, window_s)


@row("discord.rate.global")
async def all_routes_together_take_fifty_a_second(rig: Rig) -> None:
    answers: list[tuple[int, dict[str, str], Any]] = []
    for path in ("/users/@me", "/applications/@me", "/gateway/bot"):
        answers += [await rig.raw("GET", path) for _ in range(17)]
    assert {status for status, _, _ in answers[:50]} == {200}
    status, headers, body = answers[50]
    assert (status, body["global"] if status == 429 else None) == (429, True)
    assert (headers["x-ratelimit-global"], headers["x-ratelimit-scope"]) == ("true", "global")
    assert headers["via"]
    for pause_s, expected in ((0.875, 429), (0.125, 200)):
        rig.wire.now += pause_s
        assert (await rig.raw("GET", "/gateway/bot"))[0] == expected


@row("discord.rate.invalid")
async def ten_thousand_invalid_requests_in_ten_minutes_ban_the_address(rig: Rig) -> None:
    async def invalid(count: int, pause_s: float) -> None:
        """So many at once, and two more after the pause."""
        for _ in range(count):
            rig.stand_in.rest.limits.count_invalid("127.0.0.1")
        rig.wire.now += pause_s
        for _ in range(2):
            status, headers, _ = await rig.raw("GET", "/users/@me", headers={"Authorization": "Bot forged"})
            assert (status, headers["content-type"]) == (401, "application/json")

    await invalid(9_999, 600)
    assert (await rig.raw("GET", "/users/@me"))[0] == 200
    await invalid(9_996, 599)
    status, headers, page = await rig.raw("GET", "/users/@me")
    assert status == 429
    assert "via" not in headers
    assert "1015" in page
    for pause_s, status in ((3599, 429), (1, 200)):
        rig.wire.now += pause_s
        assert (await rig.raw("GET", "/users/@me"))[0] == status


@row("discord.status.404")
async def an_unknown_path_is_not_found(rig: Rig) -> None:
    status, _, body = await rig.raw("GET", "/nothing/here")
    assert (status, body) == (404, {"message": "404: Not Found", "code": 0})


@row("discord.status.405")
async def a_known_path_has_its_methods(rig: Rig) -> None:
    status, _, body = await rig.raw("DELETE", "/users/@me")
    assert (status, body) == (405, {"message": "405: Method Not Allowed", "code": 0})


@row("discord.code.10003")
async def unknown_channel(rig: Rig) -> None:
    await rig.refused(10003, rig.rest.fetch_channel(NOBODY), status=404)


@row("discord.code.10004")
async def unknown_guild(rig: Rig) -> None:
    await rig.refused(10004, rig.rest.fetch_guild(NOBODY), status=404)


@row("discord.code.10007")
async def unknown_member(rig: Rig) -> None:
    rig.stand_in.leave("acme-discord", rig.ann)
    await rig.refused(10007, rig.rest.fetch_member(rig.guild, int(rig.ann)), status=404)


@row("discord.code.10008")
async def unknown_message(rig: Rig) -> None:
    message = await rig.say()
    await rig.rest.delete_message(CHANNEL, message.id)
    await rig.refused(10008, rig.rest.fetch_message(CHANNEL, message.id), status=404)


@row("discord.code.10013")
async def unknown_user(rig: Rig) -> None:
    await rig.refused(10013, rig.rest.fetch_user(NOBODY), status=404)


@row("discord.code.10062")
async def unknown_interaction(rig: Rig) -> None:
    kind = hikari.ResponseType.MESSAGE_CREATE
    await rig.refused(10062, rig.rest.create_interaction_response(NOBODY, "none", kind, "hi"), status=404)


@row("discord.code.10063")
async def unknown_command(rig: Rig) -> None:
    await rig.refused(10063, rig.rest.delete_application_command(rig.application, NOBODY), status=404)


@row("discord.code.20001")
async def bots_cannot_vote(rig: Rig) -> None:
    message = await rig.ask()
    path = f"/channels/{CHANNEL}/polls/{message.id}/answers/@me"
    status, _, body = await rig.raw("PUT", path, json={"answer_ids": [1]})
    assert (status, body["code"] if body else None) == (403, 20001)


@row("discord.code.50024")
async def direct_messages_have_no_threads(rig: Rig) -> None:
    channel = await rig.rest.create_dm_channel(int(rig.ann))
    message = await rig.say(channel=channel.id)
    kind = hikari.ChannelType.GUILD_PUBLIC_THREAD
    assert message.id
    await rig.refused(50024, rig.rest.create_thread(channel.id, kind, "thread"), status=400)


@row("discord.code.50027")
async def a_forged_webhook_token_is_refused(rig: Rig) -> None:
    await rig.refused(50027, rig.rest.edit_interaction_response(rig.application, "forged", "hi"), status=401)


@row("discord.code.50033")
async def a_stranger_has_no_direct_channel(rig: Rig) -> None:
    await rig.refused(50033, rig.rest.create_dm_channel(NOBODY), status=400)


@row("discord.code.50035")
async def an_id_is_a_snowflake(rig: Rig) -> None:
    status, _, body = await rig.raw("GET", "/channels/general")
    assert (status, body["code"] if body else None) == (400, 50035)
    assert body["errors"]["channel_id"]["_errors"][0]["code"] == "NUMBER_TYPE_COERCE"


@row("discord.code.50109")
async def a_body_is_json(rig: Rig) -> None:
    kind = {"Content-Type": "application/json"}
    status, _, body = await rig.raw("POST", f"/channels/{CHANNEL}/messages", data=b"{content", headers=kind)
    assert (status, body["code"] if body else None) == (400, 50109)


@row("discord.code.520006")
async def only_polls_end(rig: Rig) -> None:
    message = await rig.say()
    await rig.refused(520006, rig.rest.end_poll(CHANNEL, message.id), status=400)


@row("discord.direct.blocked")
async def who_blocked_the_bot_gets_nothing(rig: Rig) -> None:
    channel = await rig.rest.create_dm_channel(int(rig.ann))
    await rig.say(channel=channel.id)
    await rig.stand_in.block("acme-discord", rig.ann)
    await rig.refused(50007, rig.say(channel=channel.id), status=403)


@row("discord.direct.mutual")
async def who_left_the_guild_gets_nothing(rig: Rig) -> None:
    channel = await rig.rest.create_dm_channel(int(rig.ann))
    rig.stand_in.leave("acme-discord", rig.ann)
    await rig.refused(50278, rig.say(channel=channel.id), status=403)


@row("discord.direct.pace")
async def strangers_are_not_written_to_in_bulk(rig: Rig) -> None:
    strangers = [rig.stand_in.add_person(name=f"Stranger {number}") for number in range(12)]
    for number in strangers[:10]:
        await rig.rest.create_dm_channel(int(number))
    rig.wire.now += 2
    await rig.rest.create_dm_channel(int(strangers[0]))
    assert await rig.stand_in.write("acme-discord", strangers[11], "hello")
    await rig.rest.create_dm_channel(int(strangers[11]))
    for pause_s in (0, 597):
        rig.wire.now += pause_s
        await rig.refused(40003, rig.rest.create_dm_channel(int(strangers[10])), status=403)
    rig.wire.now += 1
    await rig.rest.create_dm_channel(int(strangers[10]))


@row("discord.history.limit")
async def a_page_of_history_has_a_hundred(rig: Rig) -> None:
    sent = [await rig.say(str(number)) for number in range(3)]
    page = await rig.rest.fetch_messages(CHANNEL, after=sent[0].id)
    assert {message.id for message in page} == {sent[1].id, sent[2].id}
    for limit, expected in ((1, (200, None)), (100, (200, None)), (0, (400, 50035)), (101, (400, 50035))):
        status, _, body = await rig.raw("GET", f"/channels/{CHANNEL}/messages?limit={limit}")
        assert (status, body["code"] if status != 200 else None) == expected


@row("discord.history.permission")
async def history_is_empty_without_the_permission(rig: Rig) -> None:
    await rig.say()
    rig.stand_in.deny(str(CHANNEL), READ_HISTORY)
    assert not await rig.rest.fetch_messages(CHANNEL)


@row("discord.members.intent")
async def the_member_list_is_privileged(rig: Rig) -> None:
    await rig.refused(50001, _first_member(rig), status=403)


async def _first_member(rig: Rig) -> object:
    return await rig.rest.fetch_members(rig.guild).next()


@row("discord.members.limit")
async def a_search_names_its_limit(rig: Rig) -> None:
    found = await rig.rest.search_members(rig.guild, "An")
    assert [member.id for member in found] == [int(rig.ann)]
    for query, allowed in (
        ("query=A&limit=1000", True),
        ("query=A&limit=1001", False),
        ("query=A&limit=0", False),
        (f"query={'A' * 100}", True),
        (f"query={'A' * 101}", False),
        ("query=", False),
    ):
        status, _, body = await rig.raw("GET", f"/guilds/{rig.guild}/members/search?{query}")
        assert (status, body["code"] if status != 200 else None) == ((200, None) if allowed else (400, 50035))
