"""Rows of Discord: the gateway."""

from __future__ import annotations

import asyncio
import json

import hikari

from .discord_rig import ACCOUNT, CHANNEL, Rig, Socket, Table

TABLE = Table()
row = TABLE.row
MEMBERS = 1 << 1


async def _ready(rig: Rig, intents: int = 0) -> tuple[Socket, str]:
    """An identified plain connection and its session."""
    socket = await rig.socket()
    await socket.identify(intents)
    ready = await socket.next(0, "READY")
    return socket, ready["d"]["session_id"]


@row("discord.gateway.version")
async def the_gateway_speaks_version_10(rig: Rig) -> None:
    assert await (await rig.socket()).closed() == 0
    assert await (await rig.socket("v=9&encoding=json")).closed() == 4012


@row("discord.gateway.payload")
async def a_payload_has_4096_bytes(rig: Rig) -> None:
    socket = await rig.socket()
    beat = '{"op":1,"d":null}'
    await socket.socket.send_str(beat.ljust(4096))
    await socket.next(11)
    await socket.socket.send_str(beat.ljust(4097))
    assert await socket.closed() == 4002


@row("discord.gateway.sends")
async def a_connection_sends_120_in_a_minute(rig: Rig) -> None:
    for pause_s, more in ((59, 60), (60, 120)):
        socket = await rig.socket()
        for _ in range(60):
            await socket.beat()
        rig.wire.now += pause_s
        for _ in range(more):
            await socket.beat()
        assert await socket.closed() == 4008


@row("discord.gateway.heartbeat")
async def a_silent_connection_is_closed(rig: Rig) -> None:
    assert (await (await rig.socket()).next(10))["d"]["heartbeat_interval"] == 41_250
    rig.stand_in.gateway.heartbeat_s = 0.1
    socket = await rig.socket()
    hello = await socket.next(10)
    assert hello["d"]["heartbeat_interval"] == 100
    closing = asyncio.ensure_future(socket.socket.receive())
    rig.stack.callback(closing.cancel)
    await asyncio.wait({closing}, timeout=1)
    assert closing.done()
    assert socket.socket.close_code == 4009


@row("discord.gateway.shard")
async def a_shard_lies_within_its_count(rig: Rig) -> None:
    socket = await rig.socket()
    await socket.identify(shard=[1, 1])
    assert await socket.closed() == 4010


@row("discord.gateway.quota")
async def a_thousand_and_first_identify_in_a_day_resets_the_token(rig: Rig) -> None:
    application = rig.stand_in.state.applications[ACCOUNT]
    application.identified = [rig.wire.now - 86_400] * 1000
    assert (await rig.rest.fetch_gateway_bot_info()).session_start_limit.remaining == 1000
    await _ready(rig)
    application.identified = [rig.wire.now - 86_389] * 999
    assert (await rig.rest.fetch_gateway_bot_info()).session_start_limit.remaining == 1
    await _ready(rig)
    rig.wire.now += 10
    socket = await rig.socket()
    await socket.identify()
    assert await socket.closed() == 4004
    assert (await rig.raw("GET", "/users/@me"))[0] == 401


@row("discord.gateway.concurrency")
async def identifies_lie_five_seconds_apart(rig: Rig) -> None:
    await _ready(rig)
    socket = await rig.socket()
    await socket.next(10)
    rig.wire.now += 4.875
    await socket.identify()
    assert (await socket.receive())["op"] == 9
    rig.wire.now += 5
    await socket.identify()
    await socket.next(0, "READY")


@row("discord.gateway.resume_window")
async def a_session_can_be_resumed_for_minutes(rig: Rig) -> None:
    first, session = await _ready(rig, int(hikari.Intents.DM_MESSAGES))
    await rig.stand_in.drop_connections(ACCOUNT)
    assert await first.closed() == 4000
    await rig.stand_in.write(ACCOUNT, rig.ann, "10")
    resume = {"token": rig.credentials["token"], "session_id": session, "seq": 1}
    rig.wire.now += 180
    second = await rig.socket()
    await second.send(6, resume)
    assert (await second.next(0, "MESSAGE_CREATE"))["d"]["content"] == "10"
    await second.next(0, "RESUMED")
    await rig.stand_in.drop_connections(ACCOUNT)
    assert await second.closed() == 4000
    rig.wire.now += 181
    third = await rig.socket()
    await third.next(10)
    await third.send(6, resume)
    assert (await third.receive())["op"] == 9


async def _answer_to_resume(rig: Rig, session: str, sequence: int) -> tuple[Socket, object]:
    """What a new connection is answered to a RESUME: an op, the name of an event, or a close code."""
    socket = await rig.socket()
    await socket.next(10)
    await socket.send(6, {"token": rig.credentials["token"], "session_id": session, "seq": sequence})
    frame = await asyncio.wait_for(socket.socket.receive(), 5)
    if not isinstance(frame.data, str):
        return socket, socket.socket.close_code
    payload = json.loads(frame.data)
    assert payload["op"] != 9 or payload["d"] is False
    return socket, payload["t"] or payload["op"]


@row("discord.gateway.resume_session")
async def a_session_that_never_was_cannot_be_resumed(rig: Rig) -> None:
    _, session = await _ready(rig)
    await rig.stand_in.drop_connections(ACCOUNT)
    assert (await _answer_to_resume(rig, "0" * 32, 1))[1] == 9
    assert (await _answer_to_resume(rig, session, 1))[1] == "RESUMED"


@row("discord.gateway.resume_seq")
async def what_was_never_sent_cannot_have_been_seen(rig: Rig) -> None:
    _, session = await _ready(rig)
    await rig.stand_in.drop_connections(ACCOUNT)
    assert (await _answer_to_resume(rig, session, 1))[1] == "RESUMED"
    await rig.stand_in.drop_connections(ACCOUNT)
    assert (await _answer_to_resume(rig, session, 9))[1] == 4007
    assert (await _answer_to_resume(rig, session, 1))[1] == 9  # "reconnect and start a new session"


@row("discord.gateway.resume_free")
async def a_resumed_session_costs_none(rig: Rig) -> None:
    _, session = await _ready(rig)
    left = (await rig.rest.fetch_gateway_bot_info()).session_start_limit.remaining
    for sequence in (1, 2):
        await rig.stand_in.drop_connections(ACCOUNT)
        assert (await _answer_to_resume(rig, session, sequence))[1] == "RESUMED"
    assert (await rig.rest.fetch_gateway_bot_info()).session_start_limit.remaining == left


@row("discord.gateway.replay")
async def a_session_remembers_so_many_events(rig: Rig) -> None:
    rig.stand_in.gateway.replay_limit = 3
    _, session = await _ready(rig, int(hikari.Intents.DM_MESSAGES))
    await rig.stand_in.drop_connections(ACCOUNT)
    for number in range(4):
        await rig.stand_in.write(ACCOUNT, rig.ann, str(number))
    assert (await _answer_to_resume(rig, session, 1))[1] == 9
    assert (await _answer_to_resume(rig, session, 2))[1] == "MESSAGE_CREATE"


@row("discord.gateway.confirmed")
async def what_a_heartbeat_confirmed_is_not_sent_again(rig: Rig) -> None:
    socket, session = await _ready(rig, int(hikari.Intents.DM_MESSAGES))
    await rig.stand_in.write(ACCOUNT, rig.ann, "9")
    await socket.next(0, "MESSAGE_CREATE")
    await socket.send(1, 2)
    await socket.next(11)
    await rig.stand_in.drop_connections(ACCOUNT)
    assert (await _answer_to_resume(rig, session, 1))[1] == 9
    assert (await _answer_to_resume(rig, session, 2))[1] == "RESUMED"


@row("discord.gateway.closed")
async def a_session_closed_on_purpose_is_over(rig: Rig) -> None:
    first, session = await _ready(rig)
    await first.socket.close(code=1000)
    second = await rig.socket()
    await second.next(10)
    await second.send(6, {"token": rig.credentials["token"], "session_id": session, "seq": 1})
    assert (await second.receive())["op"] == 9


@row("discord.gateway.members.ids")
async def a_hundred_members_can_be_named(rig: Rig) -> None:
    socket, _ = await _ready(rig)
    wanted = [rig.ann, *(str(number) for number in range(1, 101))]
    await socket.send(8, {"guild_id": str(rig.guild), "user_ids": wanted, "limit": 0, "nonce": "n"})
    chunk = (await socket.next(0, "GUILD_MEMBERS_CHUNK"))["d"]
    assert [member["user"]["id"] for member in chunk["members"]] == [rig.ann]
    assert (chunk["nonce"], len(chunk["not_found"])) == ("n", 99)


async def _answer_to_everybody(rig: Rig, socket: Socket) -> tuple[str, object]:
    """What is answered to a request of all members: the event and its nonce; the fence's when nothing is."""
    guild = str(rig.guild)
    await socket.send(8, {"guild_id": guild, "query": "", "limit": 0, "nonce": "all"})
    await socket.send(8, {"guild_id": guild, "user_ids": [rig.ann], "limit": 0, "nonce": "fence"})
    while True:
        payload = await socket.receive()
        if payload["t"] in ("GUILD_MEMBERS_CHUNK", "RATE_LIMITED"):
            return payload["t"], payload["d"].get("nonce")


@row("discord.gateway.members.intent")
async def all_members_need_the_intent(rig: Rig) -> None:
    socket, _ = await _ready(rig)
    assert await _answer_to_everybody(rig, socket) == ("GUILD_MEMBERS_CHUNK", "fence")


@row("discord.gateway.members.all")
async def all_members_are_given_once_in_thirty_seconds(rig: Rig) -> None:
    rig.stand_in.allow_intents(ACCOUNT, MEMBERS)
    socket, _ = await _ready(rig, MEMBERS)
    assert await _answer_to_everybody(rig, socket) == ("GUILD_MEMBERS_CHUNK", "all")
    assert await _answer_to_everybody(rig, socket) == ("GUILD_MEMBERS_CHUNK", "fence")
    again = await _answer_to_everybody(rig, socket)
    assert again[0] == "RATE_LIMITED"
    rig.wire.now += 24
    fresh, _ = await _ready(rig, MEMBERS)
    rig.wire.now += 5
    assert (await _answer_to_everybody(rig, fresh))[0] == "RATE_LIMITED"
    await fresh.next(0, "GUILD_MEMBERS_CHUNK")
    rig.wire.now += 1
    assert await _answer_to_everybody(rig, fresh) == ("GUILD_MEMBERS_CHUNK", "all")


@row("discord.intents.valid")
async def unknown_intents_are_refused(rig: Rig) -> None:
    socket = await rig.socket()
    await socket.identify(1 << 30)
    assert await socket.closed() == 4013


@row("discord.intents.privileged")
async def privileged_intents_are_granted_first(rig: Rig) -> None:
    wanted = int(hikari.Intents.MESSAGE_CONTENT | hikari.Intents.GUILD_MESSAGES)
    socket = await rig.socket()
    await socket.identify(wanted)
    assert await socket.closed() == 4014
    rig.stand_in.allow_intents(ACCOUNT, wanted)
    bot = await rig.bot(wanted)
    await rig.stand_in.write(ACCOUNT, rig.ann, "nine", place=str(CHANNEL))
    assert (await bot.next(hikari.GuildMessageCreateEvent)).content == "nine"


@row("discord.intents.content")
async def content_is_guarded_in_guilds(rig: Rig) -> None:
    bot = await rig.bot()
    await rig.say("own")
    assert (await bot.next(hikari.GuildMessageCreateEvent)).content == "own"
    await rig.stand_in.write(ACCOUNT, rig.ann, f"<@{rig.application}> nine", place=str(CHANNEL))
    assert (await bot.next(hikari.GuildMessageCreateEvent)).content == f"<@{rig.application}> nine"
    await rig.stand_in.write(ACCOUNT, rig.ann, "nine")
    assert (await bot.next(hikari.DMMessageCreateEvent)).content == "nine"
    await rig.stand_in.write(ACCOUNT, rig.ann, "nine", place=str(CHANNEL))
    assert not (await bot.next(hikari.GuildMessageCreateEvent)).content


@row("discord.intents.content_rest")
async def content_is_guarded_in_history_too(rig: Rig) -> None:
    await rig.say("own")
    await rig.stand_in.write(ACCOUNT, rig.ann, f"<@{rig.application}> nine", place=str(CHANNEL))
    await rig.stand_in.write(ACCOUNT, rig.ann, "ten", place=str(CHANNEL), reply_to=rig.posts[0])
    secret = await rig.stand_in.write(ACCOUNT, rig.bob, "to nobody", place=str(CHANNEL))
    history = [message.content async for message in rig.rest.fetch_messages(CHANNEL)]
    assert history == [None, "ten", f"<@{rig.application}> nine", "own"]
    rig.stand_in.allow_intents(ACCOUNT, int(hikari.Intents.MESSAGE_CONTENT))
    assert secret
    assert (await rig.rest.fetch_message(CHANNEL, int(secret))).content == "to nobody"
