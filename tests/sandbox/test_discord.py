"""Discord's stand-in from both sides: what people do, and what hikari and plain sockets see of it."""

from __future__ import annotations

import asyncio
import zlib

import aiohttp
import hikari
import pytest
from hikari.impl.special_endpoints import SlashCommandBuilder

from sandbox.discord.shown import plain
from sandbox.seam import PostButton
from tests.limits.discord_rig import ACCOUNT, CHANNEL, SOON_S, Rig, buttons, form, menu, rig

POLLS = int(hikari.Intents.GUILDS) | 1 << 24
DIRECT = int(hikari.Intents.DM_MESSAGES)
MEMBERS = 1 << 1


async def test_a_guild_of_thousands_is_announced_without_them() -> None:
    async with rig() as ready:
        for number in range(3000):
            ready.stand_in.add_person(name=f"Person {number}")
        socket = await ready.socket()
        await socket.identify(int(hikari.Intents.GUILDS))
        guild = (await socket.next(0, "GUILD_CREATE"))["d"]
        assert (guild["member_count"], guild["large"]) == (3004, True)
        assert [member["user"]["id"] for member in guild["members"]] == [str(ready.application)]
        assert str(CHANNEL) in {channel["id"] for channel in guild["channels"]}


async def test_all_members_come_in_chunks() -> None:
    async with rig() as ready:
        ready.stand_in.allow_intents(ACCOUNT, MEMBERS)
        for number in range(2000):
            ready.stand_in.add_person(name=f"Person {number}")
        socket = await ready.socket()
        await socket.identify(MEMBERS)
        await socket.next(0, "READY")
        await socket.send(8, {"guild_id": str(ready.guild), "query": "", "limit": 0})
        chunks = [(await socket.next(0, "GUILD_MEMBERS_CHUNK"))["d"] for _ in range(3)]
        assert [chunk["chunk_index"] for chunk in chunks] == [0, 1, 2]
        assert {chunk["chunk_count"] for chunk in chunks} == {3}
        assert sum(len(chunk["members"]) for chunk in chunks) == 2004
        ready.stand_in.add_person(name="Late")
        assert (await socket.next(0, "GUILD_MEMBER_ADD"))["d"]["user"]["global_name"] == "Late"


async def test_members_asked_for_come_after_everything_before() -> None:
    async with rig() as ready:
        socket = await ready.socket()
        await socket.identify(DIRECT | POLLS)
        await socket.next(0, "GUILD_CREATE")
        for number in range(50):
            await ready.stand_in.write(ACCOUNT, ready.ann, str(number))
        await socket.send(8, {"guild_id": str(ready.guild), "user_ids": [ready.ann], "limit": 1, "nonce": "fence"})
        seen = [await socket.receive() for _ in range(51)]
        assert [event["t"] for event in seen] == ["MESSAGE_CREATE"] * 50 + ["GUILD_MEMBERS_CHUNK"]
        assert [event["s"] for event in seen] == list(range(seen[0]["s"], seen[0]["s"] + 51))


async def test_a_change_of_vote_is_a_removal_and_an_addition() -> None:
    async with rig() as ready:
        socket = await ready.socket()
        await socket.identify(POLLS)
        await socket.next(0, "GUILD_CREATE")
        await ready.ask("a", "b", "c")
        post = ready.posts[-1]
        assert (post.options, post.names_voters) == (("a", "b", "c"), True)
        for choice in (0, 2, None):
            assert await ready.stand_in.vote(ready.ann, post, choice)
        seen = [await socket.receive() for _ in range(4)]
        assert [(event["t"], event["d"]["answer_id"]) for event in seen] == [
            ("MESSAGE_POLL_VOTE_ADD", 1),
            ("MESSAGE_POLL_VOTE_REMOVE", 1),
            ("MESSAGE_POLL_VOTE_ADD", 3),
            ("MESSAGE_POLL_VOTE_REMOVE", 3),
        ]
        assert ready.stand_in.visible_totals(post) == (0, 0, 0)


async def test_a_change_of_vote_may_be_told_the_other_way_round() -> None:
    async with rig() as ready:
        socket = await ready.socket()
        await socket.identify(POLLS)
        await socket.next(0, "GUILD_CREATE")
        await ready.ask("a", "b")
        ready.stand_in.polls.added_first = True
        for choice in (0, 1):
            assert await ready.stand_in.vote(ready.ann, ready.posts[-1], choice)
        seen = [await socket.receive() for _ in range(3)]
        assert [(event["t"].rpartition("_")[2], event["d"]["answer_id"]) for event in seen] == [
            ("ADD", 1),
            ("ADD", 2),
            ("REMOVE", 1),
        ]


async def test_a_poll_ends_by_the_calendar_and_is_counted() -> None:
    async with rig() as ready:
        bot = await ready.bot()
        message = await ready.ask("a", "b", hours=1)
        post = ready.posts[-1]
        assert await ready.stand_in.vote(ready.ann, post, 1)
        ready.clocks.skip(3600)
        assert not await ready.stand_in.vote(ready.bob, post, 0)
        told = await bot.next(hikari.GuildMessageUpdateEvent)
        assert told.message_id == message.id
        ready.wire.now += 1
        final = await ready.rest.fetch_message(CHANNEL, message.id)
        assert final.poll
        assert final.poll.results
        assert final.poll.results.is_finalized
        assert [(each.id, each.count) for each in final.poll.results.answer_counts] == [(2, 1)]
        result = (await bot.next(hikari.GuildMessageCreateEvent)).message
        assert result.type == 46
        assert {field.name: field.value for field in result.embeds[0].fields}["victor_answer_text"] == "b"


async def test_a_form_is_filled_and_answered_in_private() -> None:
    async with rig() as ready:
        bot = await ready.bot()
        tap, first = await ready.tapped(bot)
        await first.create_initial_response(
            hikari.ResponseType.MESSAGE_CREATE, "thanks", component=buttons("why"), flags=hikari.MessageFlag.EPHEMERAL
        )
        assert await tap
        private = ready.posts[-1]
        assert (private.place, private.to, private.text) == (str(CHANNEL), ready.ann, "thanks")
        assert not await ready.stand_in.tap(ready.bob, private, private.buttons[0])
        filled = asyncio.create_task(ready.stand_in.fill(ready.ann, private, private.buttons[0], "because"))
        second = (await bot.next(hikari.InteractionCreateEvent)).interaction
        assert isinstance(second, hikari.ComponentInteraction)
        await second.create_modal_response("Tell us", "form", components=form(max_length=10))
        third = (await bot.next(hikari.InteractionCreateEvent)).interaction
        assert isinstance(third, hikari.ModalInteraction)
        assert third.components[0].components[0].value == "because"
        await third.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE, flags=1 << 6)
        assert await filled
        told = len(ready.posts)
        await third.edit_initial_response("kept")
        assert [(post.to, post.text) for post in ready.posts[told:]] == [(ready.ann, "kept")]


async def test_an_option_of_a_menu_is_tapped() -> None:
    async with rig() as ready:
        bot = await ready.bot()
        await ready.say(component=menu(3))
        post = ready.posts[-1]
        assert [button.label for button in post.buttons] == ["option 0", "option 1", "option 2"]
        tap = asyncio.create_task(ready.stand_in.tap(ready.bob, post, post.buttons[1]))
        chosen = (await bot.next(hikari.InteractionCreateEvent)).interaction
        assert isinstance(chosen, hikari.ComponentInteraction)
        assert list(chosen.values) == ["value 1"]
        await chosen.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_UPDATE)
        assert await tap
        assert not await ready.stand_in.tap(ready.bob, post, PostButton("gone", "gone"))


async def test_a_command_is_for_those_who_may_use_it() -> None:
    async with rig() as ready:
        command = SlashCommandBuilder("score", "Show the score")
        command.set_default_member_permissions(hikari.Permissions.MANAGE_GUILD)
        await ready.rest.set_application_commands(ready.application, [command])
        assert not await ready.stand_in.command(ACCOUNT, ready.ann, "score", place=str(CHANNEL))
        ready.stand_in.promote(ACCOUNT, "", ready.ann)
        bot = await ready.bot()
        use = asyncio.create_task(ready.stand_in.command(ACCOUNT, ready.ann, "score", place=str(CHANNEL)))
        asked = (await bot.next(hikari.InteractionCreateEvent)).interaction
        assert isinstance(asked, hikari.CommandInteraction)
        assert asked.member
        assert asked.member.permissions & hikari.Permissions.ADMINISTRATOR
        await asked.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, "NPS 42")
        assert await use


@pytest.mark.parametrize("outage", ["drop", "reconnect"])
async def test_nothing_is_lost_over_an_outage(outage: str) -> None:
    async with rig() as ready:
        bot = await ready.bot()
        if outage == "drop":
            await ready.stand_in.drop_connections(ACCOUNT)
        else:
            ready.stand_in.ask_reconnect(ACCOUNT)
        for number in range(20):
            await ready.stand_in.write(ACCOUNT, ready.ann, str(number))
        seen = [(await bot.next(hikari.DMMessageCreateEvent)).content for _ in range(20)]
        assert seen == [str(number) for number in range(20)]


async def test_an_invalid_session_starts_afresh() -> None:
    async with rig() as ready:
        bot = await ready.bot()
        await bot.next(hikari.ShardReadyEvent)
        ready.wire.now += 10
        ready.stand_in.invalidate_sessions(ACCOUNT)
        await bot.next(hikari.ShardReadyEvent)


async def test_the_stream_is_compressed_in_one_piece() -> None:
    async with rig() as ready:
        socket = await ready.socket("v=10&encoding=json&compress=zlib-stream")
        stream, payloads = zlib.decompressobj(), list[bytes]()
        message = await socket.socket.receive(SOON_S)
        assert message.type is aiohttp.WSMsgType.BINARY
        assert message.data.endswith(b"\x00\x00\xff\xff")
        payloads.append(stream.decompress(message.data))
        await socket.identify(DIRECT)
        payloads.append(stream.decompress((await socket.socket.receive(SOON_S)).data))
        assert b'"heartbeat_interval"' in payloads[0]
        assert b'"READY"' in payloads[1]


async def test_who_blocked_the_bot_or_left_is_silent() -> None:
    async with rig() as ready:
        await ready.stand_in.block(ACCOUNT, ready.ann)
        assert await ready.stand_in.write(ACCOUNT, ready.ann, "hi") is None
        ready.stand_in.leave(ACCOUNT, ready.bob)
        assert await ready.stand_in.write(ACCOUNT, ready.bob, "hi", place=str(CHANNEL)) is None


async def _mentions(ready: Rig, **allowed: bool) -> tuple[int, bool]:
    message = await ready.say(f"@everyone <@{ready.ann}>", **allowed)
    return len(message.user_mentions_ids or ()), bool(message.mentions_everyone)


async def test_only_allowed_mentions_ping() -> None:
    async with rig() as ready:
        assert await _mentions(ready, user_mentions=True, mentions_everyone=True) == (1, True)
        assert await _mentions(ready, user_mentions=False, mentions_everyone=False) == (0, False)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("**bold** and *thin*", "bold and thin"),
        (r"\*not bold\* 2 \* 3", "*not bold* 2 * 3"),
        ("> quoted\n# title", "quoted\ntitle"),
        ("[link](https://example.org)", "link"),
        ("`code` ||hidden|| ~~gone~~ __under__", "code hidden gone under"),
        ("5 * 3 * 2", "5 * 3 * 2"),
        (r"snake\_case", "snake_case"),
    ],
)
def test_people_read_text_without_markup(written: str, read: str) -> None:
    assert plain(written) == read
