"""Rows of Discord: what a message may hold, and polls."""

from __future__ import annotations

import hikari

from .discord_rig import CHANNEL, NEWS, Rig, Table, buttons, menu, poll

TABLE = Table()
row = TABLE.row


@row("discord.content.length")
async def content_has_two_thousand_characters(rig: Rig) -> None:
    await rig.say("é" * 2000)
    await rig.refused(50035, rig.say("é" * 2001), status=400, at="content")


@row("discord.content.empty")
async def a_message_says_something(rig: Rig) -> None:
    await rig.refused(50006, rig.say(" "), status=400)


@row("discord.embeds.count")
async def a_message_has_ten_embeds(rig: Rig) -> None:
    embeds = [hikari.Embed(title="x") for _ in range(11)]
    await rig.say(embeds=embeds[:10])
    await rig.refused(50035, rig.say(embeds=embeds), at="embeds")


@row("discord.embeds.total")
async def embeds_have_six_thousand_characters_together(rig: Rig) -> None:
    await rig.say(embeds=[hikari.Embed(description="x" * 3000)] * 2)
    embeds = [hikari.Embed(description="x" * length) for length in (3000, 3001)]
    await rig.refused(50035, rig.say(embeds=embeds), at="embeds")


@row("discord.embed.title")
async def an_embed_title_has_256(rig: Rig) -> None:
    await rig.say(embed=hikari.Embed(title="x" * 256))
    await rig.refused(50035, rig.say(embed=hikari.Embed(title="x" * 257)), at="embeds.0.title")


@row("discord.embed.description")
async def an_embed_description_has_4096(rig: Rig) -> None:
    await rig.say(embed=hikari.Embed(description="x" * 4096))
    await rig.refused(50035, rig.say(embed=hikari.Embed(description="x" * 4097)), at="embeds.0.description")


@row("discord.embed.fields")
async def an_embed_has_25_fields(rig: Rig) -> None:
    embed = hikari.Embed(title="x")
    for _ in range(25):
        embed.add_field("name", "value")
    await rig.say(embed=embed)
    await rig.refused(50035, rig.say(embed=embed.add_field("name", "value")), at="embeds.0.fields")


@row("discord.embed.field_length")
async def an_embed_field_has_256_and_1024(rig: Rig) -> None:
    await rig.say(embed=hikari.Embed().add_field("n" * 256, "v" * 1024))
    for name, value, place in (("n" * 257, "v", "name"), ("n", "v" * 1025, "value")):
        embed = hikari.Embed().add_field(name, value)
        await rig.refused(50035, rig.say(embed=embed), at=f"embeds.0.fields.0.{place}")


@row("discord.attachments.count")
async def a_message_has_ten_files(rig: Rig) -> None:
    files = [hikari.Bytes(b"x", f"{number}.txt") for number in range(11)]
    sent = await rig.say(attachments=files[:10])
    assert [each.filename for each in sent.attachments] == [f"{number}.txt" for number in range(10)]
    await rig.refused(50035, rig.say(attachments=files), at="attachments")


@row("discord.attachments.size")
async def a_file_has_ten_mebibytes(rig: Rig) -> None:
    files = [hikari.Bytes(bytes(10 * 1024 * 1024 + more), "chart.png") for more in (0, 1)]
    sent = await rig.say(attachments=files[:1])
    assert await sent.attachments[0].read() == bytes(10 * 1024 * 1024)
    await rig.refused(40005, rig.say(attachments=files[1:]), status=413)


@row("discord.nonce.length")
async def a_nonce_has_25_characters(rig: Rig) -> None:
    sent = await rig.say(nonce="n" * 25)
    assert sent.nonce == "n" * 25
    await rig.refused(50035, rig.say(nonce="n" * 26), at="nonce")


async def _twice(rig: Rig, pause_s: float) -> tuple[str, str]:
    """The same enforced nonce, ``pause_s`` apart: hikari does not know ``enforce_nonce``."""
    body = {"content": "hi", "nonce": "once", "enforce_nonce": True}
    ids: list[str] = []
    for _ in range(2):
        status, _, message = await rig.raw("POST", f"/channels/{CHANNEL}/messages", json=body)
        assert status == 200
        ids.append(message["id"])
        rig.wire.now += pause_s
    return ids[0], ids[1]


@row("discord.nonce.unique")
async def an_enforced_nonce_posts_once(rig: Rig) -> None:
    first, second = await _twice(rig, 60)
    assert first == second
    assert len(rig.posts) == 1


@row("discord.nonce.forgotten")
async def a_nonce_is_forgotten_after_minutes(rig: Rig) -> None:
    for pause_s, posted in ((179, 1), (180, 2)):
        assert len(set(await _twice(rig, pause_s))) == posted


@row("discord.nonce.ephemeral")
async def a_nonce_is_not_stored(rig: Rig) -> None:
    sent = await rig.say(nonce="once")
    assert sent.nonce == "once"
    (kept,) = [message async for message in rig.rest.fetch_messages(CHANNEL)]
    assert (kept.id, kept.nonce) == (sent.id, None)
    assert (await rig.rest.fetch_message(CHANNEL, sent.id)).nonce is None


@row("discord.mentions.exclusive")
async def mentions_are_allowed_by_kind_or_by_name(rig: Rig) -> None:
    allowed = {"parse": ["users"], "users": [rig.ann]}
    body = {"content": f"<@{rig.ann}>", "allowed_mentions": allowed}
    status, _, answer = await rig.raw("POST", f"/channels/{CHANNEL}/messages", json=body)
    assert (status, answer.get("code")) == (400, 50035)
    assert answer["errors"]["allowed_mentions"]["_errors"]


@row("discord.reply.unknown")
async def a_reply_needs_its_message(rig: Rig) -> None:
    message = await rig.say()
    answer = await rig.say(reply=message.id)
    assert answer.referenced_message
    await rig.rest.delete_message(CHANNEL, message.id)
    await rig.say(reply=message.id, reply_must_exist=False)
    await rig.refused(50035, rig.say(reply=message.id), at="message_reference")


@row("discord.message.author")
async def only_its_author_edits_a_message(rig: Rig) -> None:
    written = await rig.stand_in.write("acme-discord", rig.ann, "hello", place=str(CHANNEL))
    assert written
    await rig.refused(50005, rig.rest.edit_message(CHANNEL, int(written), "changed"), status=403)


@row("discord.thread.name")
async def a_thread_name_has_a_hundred(rig: Rig) -> None:
    kind = hikari.ChannelType.GUILD_PUBLIC_THREAD
    thread = await rig.rest.create_thread(CHANNEL, kind, "n" * 100)
    assert (await rig.say(channel=thread.id)).channel_id == thread.id
    await rig.rest.create_thread(CHANNEL, kind, "n")
    for name in ("", "n" * 101):
        await rig.refused(50035, rig.rest.create_thread(CHANNEL, kind, name), at="name")


@row("discord.thread.once")
async def a_message_has_one_thread(rig: Rig) -> None:
    message = await rig.say()
    await rig.rest.create_message_thread(CHANNEL, message.id, "thread")
    await rig.refused(160004, rig.rest.create_message_thread(CHANNEL, message.id, "again"), status=400)


@row("discord.components.rows")
async def a_message_has_five_rows(rig: Rig) -> None:
    rows = [buttons(str(number)) for number in range(6)]
    await rig.say(components=rows[:5])
    await rig.refused(50035, rig.say(components=rows), at="components")


@row("discord.components.width")
async def a_row_has_five_buttons(rig: Rig) -> None:
    await rig.say(component=buttons(*"12345"))
    await rig.refused(50035, rig.say(component=buttons(*"123456")), at="components.0.components.5")


@row("discord.components.unique")
async def a_custom_id_is_used_once(rig: Rig) -> None:
    await rig.refused(
        50035, rig.say(components=[buttons("same"), buttons("same")]), at="components.1.components.0.custom_id"
    )


@row("discord.components.custom_id")
async def a_custom_id_has_a_hundred(rig: Rig) -> None:
    await rig.say(component=buttons("i" * 100))
    for wrong in ("i" * 101, ""):
        await rig.refused(50035, rig.say(component=buttons(wrong)), at="components.0.components.0.custom_id")


@row("discord.components.label")
async def a_label_has_eighty(rig: Rig) -> None:
    await rig.say(component=buttons("yes", label="l" * 80))
    await rig.refused(50035, rig.say(component=buttons("yes", label="l" * 81)), at="components.0.components.0.label")


@row("discord.components.button_face")
async def a_button_shows_something(rig: Rig) -> None:
    await rig.refused(50035, rig.say(component=buttons("yes", label="")), at="components.0.components.0")


@row("discord.components.options")
async def a_menu_has_25_options(rig: Rig) -> None:
    await rig.say(component=menu(25))
    await rig.refused(50035, rig.say(component=menu(26)), at="components.0.components.0.options")


@row("discord.components.option_values")
async def option_values_differ(rig: Rig) -> None:
    await rig.refused(50035, rig.say(component=menu(2, value="v")), at="components.0.components.0.options")


@row("discord.components.option_length")
async def an_option_has_a_hundred(rig: Rig) -> None:
    await rig.say(component=menu(1, label="l" * 100))
    await rig.refused(
        50035, rig.say(component=menu(1, label="l" * 101)), at="components.0.components.0.options.0.label"
    )


@row("discord.components.placeholder")
async def a_placeholder_has_150(rig: Rig) -> None:
    await rig.say(component=menu(placeholder="p" * 150))
    await rig.refused(50035, rig.say(component=menu(placeholder="p" * 151)), at="components.0.components.0.placeholder")


@row("discord.poll.question")
async def a_question_has_three_hundred(rig: Rig) -> None:
    for text in ("q", "q" * 300):
        await rig.ask(question=text)
    for text in ("", "q" * 301):
        await rig.refused(50035, rig.ask(question=text), at="poll.question.text")


@row("discord.poll.answers")
async def a_poll_has_ten_answers(rig: Rig) -> None:
    await rig.ask("only")
    await rig.ask(*map(str, range(10)))
    none = {"poll": {"question": {"text": "How likely?"}, "answers": []}}
    assert (await rig.raw("POST", f"/channels/{CHANNEL}/messages", json=none))[0] == 400
    await rig.refused(50035, rig.ask(*map(str, range(11))), at="poll.answers")


@row("discord.poll.answer")
async def an_answer_has_55(rig: Rig) -> None:
    await rig.ask("a" * 55)
    await rig.refused(50035, rig.ask("a" * 56), at="poll.answers.0.poll_media.text")


@row("discord.poll.duration")
async def a_poll_lasts_up_to_768_hours(rig: Rig) -> None:
    for hours in (1, 768):
        await rig.ask(hours=hours)
    for hours in (-1, 769):
        await rig.refused(50035, rig.ask(hours=hours), at="poll.duration")


@row("discord.poll.emoji")
async def a_foreign_emoji_cannot_be_used(rig: Rig) -> None:
    emoji = hikari.CustomEmoji(id=hikari.Snowflake(999), name="logo", is_animated=False)
    made = poll("yes").add_answer(text="no", emoji=emoji)
    await rig.refused(520004, rig.rest.create_message(CHANNEL, poll=made))


@row("discord.poll.channel")
async def announcements_take_no_polls(rig: Rig) -> None:
    await rig.refused(520002, rig.rest.create_message(NEWS, poll=poll()))


@row("discord.poll.edit")
async def a_poll_cannot_be_edited(rig: Rig) -> None:
    message = await rig.ask()
    await rig.refused(520003, rig.rest.edit_message(CHANNEL, message.id, "changed"))


@row("discord.poll.expired")
async def a_poll_ends_once(rig: Rig) -> None:
    message = await rig.ask()
    assert await rig.stand_in.vote(rig.ann, rig.posts[-1], 0)
    await rig.rest.end_poll(CHANNEL, message.id)
    assert not await rig.stand_in.vote(rig.bob, rig.posts[-1], 0)
    await rig.refused(520001, rig.rest.end_poll(CHANNEL, message.id))


@row("discord.poll.voters.limit")
async def a_page_of_voters_has_a_hundred(rig: Rig) -> None:
    message = await rig.ask()
    for person in (rig.bob, rig.ann):
        assert await rig.stand_in.vote(person, rig.posts[-1], 1)
    page = await rig.rest.fetch_poll_voters(CHANNEL, message.id, 2, after=int(rig.ann), limit=100)
    assert [voter.id for voter in page] == [int(rig.bob)]
    for limit in (0, 101):
        await rig.refused(50035, rig.rest.fetch_poll_voters(CHANNEL, message.id, 2, limit=limit), at="limit")
