"""Rows of Discord: taps, forms and commands."""

from __future__ import annotations

import asyncio
from typing import Any

import hikari
from hikari.impl.special_endpoints import SlashCommandBuilder

from .discord_rig import ACCOUNT, CHANNEL, Bot, Rig, Table, form

TABLE = Table()
row = TABLE.row
SAY = hikari.ResponseType.MESSAGE_CREATE
PRIVATE = hikari.MessageFlag.EPHEMERAL


@row("discord.interaction.deadline")
async def a_tap_is_answered_within_three_seconds(rig: Rig) -> None:
    bot = await rig.bot()
    tap, first = await rig.tapped(bot)
    rig.wire.now += 3
    await first.create_initial_response(SAY, "thanks", flags=PRIVATE)
    assert await tap
    assert (rig.posts[-1].to, rig.posts[-1].text) == (rig.ann, "thanks")
    tap, second = await rig.tapped(bot)
    rig.wire.now += 3.1
    await rig.refused(10062, second.create_initial_response(SAY, "late"), status=404)
    assert not await tap


@row("discord.interaction.once")
async def a_tap_is_answered_once(rig: Rig) -> None:
    tap, interaction = await rig.tapped(await rig.bot())
    await interaction.create_initial_response(SAY, "thanks")
    assert await tap
    await rig.refused(40060, interaction.create_initial_response(SAY, "again"), status=400)


@row("discord.interaction.token")
async def a_token_lives_fifteen_minutes(rig: Rig) -> None:
    _, interaction = await rig.tapped(await rig.bot())
    await interaction.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE, flags=PRIVATE)
    told = len(rig.posts)
    rig.wire.now += 900
    await interaction.edit_initial_response("thanks")
    assert [post.text for post in rig.posts[told:]] == ["thanks"]
    rig.wire.now += 1
    await rig.refused(50027, interaction.edit_initial_response("late"), status=401)


@row("discord.interaction.type")
async def a_command_has_no_message_to_update(rig: Rig) -> None:
    await rig.rest.set_application_commands(rig.application, [SlashCommandBuilder("score", "Show the score")])
    bot = await rig.bot()
    use = asyncio.create_task(rig.stand_in.command(ACCOUNT, rig.ann, "score", place=str(CHANNEL)))
    rig.stack.callback(use.cancel)
    event = await bot.next(hikari.InteractionCreateEvent)
    interaction = event.interaction
    assert isinstance(interaction, hikari.CommandInteraction)
    wrong = hikari.ResponseType.DEFERRED_MESSAGE_UPDATE
    await rig.refused(50035, rig.rest.create_interaction_response(interaction.id, interaction.token, wrong), at="type")


@row("discord.webhook.unanswered")
async def a_follow_up_follows_an_answer(rig: Rig) -> None:
    _, interaction = await rig.tapped(await rig.bot())
    await rig.refused(10015, interaction.execute("too early"), status=404)


async def _opened(rig: Rig, bot: Bot | None = None, **more: Any) -> object:
    """Answer a tap with a form."""
    _, interaction = await rig.tapped(bot or await rig.bot())
    wanted = {"title": "Tell us why", "custom_id": "why", "components": form(), **more}
    return await interaction.create_modal_response(**wanted)


@row("discord.modal.title")
async def a_form_title_has_45(rig: Rig) -> None:
    bot = await rig.bot()
    for title in ("t", "t" * 45):
        await _opened(rig, bot, title=title)
    for title in ("", "t" * 46):
        await rig.refused(50035, _opened(rig, bot, title=title), at="data.title")


@row("discord.modal.custom_id")
async def a_form_id_has_a_hundred(rig: Rig) -> None:
    bot = await rig.bot()
    for custom_id in ("i", "i" * 100):
        await _opened(rig, bot, custom_id=custom_id)
    for custom_id in ("", "i" * 101):
        await rig.refused(50035, _opened(rig, bot, custom_id=custom_id), at="data.custom_id")


@row("discord.modal.components")
async def a_form_has_five_fields(rig: Rig) -> None:
    bot = await rig.bot()
    await _opened(rig, bot, components=form(*"12345"))
    await rig.refused(50035, _opened(rig, bot, components=form(*"123456")), at="data.components")


async def _field(rig: Rig, name: str, fits: list[object], wrong: list[object]) -> None:
    """A form's field takes these values, and not those."""
    bot = await rig.bot()
    for value in fits:
        await _opened(rig, bot, components=form(**{name: value}))
    for value in wrong:
        refused = _opened(rig, bot, components=form(**{name: value}))
        await rig.refused(50035, refused, at=f"data.components.0.components.0.{name}")


@row("discord.modal.label")
async def a_field_label_has_45(rig: Rig) -> None:
    await _field(rig, "label", ["l", "l" * 45], ["", "l" * 46])


@row("discord.modal.value")
async def a_field_holds_four_thousand(rig: Rig) -> None:
    await _field(rig, "value", ["v" * 4000], ["v" * 4001])


@row("discord.modal.placeholder")
async def a_field_placeholder_has_a_hundred(rig: Rig) -> None:
    await _field(rig, "placeholder", ["p" * 100], ["p" * 101])


@row("discord.modal.input_length")
async def a_field_asks_for_four_thousand_at_most(rig: Rig) -> None:
    await _field(rig, "max_length", [1, 4000], [0, 4001])


@row("discord.commands.count")
async def an_application_has_a_hundred_commands(rig: Rig) -> None:
    commands = [SlashCommandBuilder(f"score{number}", "Show the score") for number in range(101)]
    made = await rig.rest.set_application_commands(rig.application, commands[:100])
    assert len(made) == 100
    await rig.refused(50035, rig.rest.set_application_commands(rig.application, commands))


@row("discord.commands.name")
async def a_command_name_is_lower_case(rig: Rig) -> None:
    create = rig.rest.create_slash_command
    assert (await create(rig.application, "n" * 32, "Show the score")).name == "n" * 32
    for name in ("Score", "my score", "n" * 33, ""):
        await rig.refused(50035, create(rig.application, name, "Show the score"), at="name")


@row("discord.commands.description")
async def a_command_description_has_a_hundred(rig: Rig) -> None:
    create = rig.rest.create_slash_command
    for text in ("d", "d" * 100):
        await create(rig.application, "score", text)
    for text in ("", "d" * 101):
        await rig.refused(50035, create(rig.application, "score", text), at="description")
