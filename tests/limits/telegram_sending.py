"""Rows: whom a bot can write to and how often; texts, keyboards and photos; edits and deletions."""

from __future__ import annotations

import struct
import zlib

from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramRetryAfter,
)
from aiogram.types import BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup, ReplyParameters

from tests.limits.telegram_rig import BASIC, CHANNEL, GROUP, Rig, keyboard, refused, row


@row("telegram.chat.known")
async def unknown_chat(rig: Rig) -> None:
    await refused(rig.bot.send_message(-1009999999999, "hello"), TelegramBadRequest, "chat not found")
    await refused(rig.other.send_message(CHANNEL, "hello"), TelegramBadRequest, "chat not found")


@row("telegram.chat.started")
async def never_started(rig: Rig) -> None:
    await refused(rig.bot.send_message(rig.bob, "hello"), TelegramBadRequest, "chat not found")
    post = await rig.poll(is_anonymous=False)
    await rig.stand_in.vote(rig.bob, post, 0)
    why = "Forbidden: bot can't initiate conversation with a user"
    await refused(rig.bot.send_message(rig.bob, "hello"), TelegramForbiddenError, why)


@row("telegram.chat.blocked")
async def blocked(rig: Rig) -> None:
    await rig.stand_in.block("tg", rig.ann)
    member = (await rig.updates())[-1].my_chat_member
    assert member is not None
    assert (member.old_chat_member.status, member.new_chat_member.status) == ("member", "kicked")
    why = "Forbidden: bot was blocked by the user"
    await refused(rig.bot.send_message(rig.ann, "hello"), TelegramForbiddenError, why)
    await rig.stand_in.open_direct("tg", rig.ann)
    assert (await rig.bot.send_message(rig.ann, "hello")).text == "hello"


@row("telegram.chat.kicked")
async def kicked(rig: Rig) -> None:
    rig.stand_in.kick("tg", str(GROUP))
    member = (await rig.updates())[-1].my_chat_member
    assert member is not None
    assert (member.chat.id, member.new_chat_member.status) == (GROUP, "kicked")
    why = "Forbidden: bot was kicked from the supergroup chat"
    await refused(rig.bot.send_message(GROUP, "hello"), TelegramForbiddenError, why)


@row("telegram.chat.upgraded")
async def upgraded(rig: Rig) -> None:
    new = rig.stand_in.upgrade(str(BASIC))
    told = (await rig.updates())[-1].message
    assert told is not None
    assert told.migrate_to_chat_id == int(new)
    error = await refused(rig.bot.send_message(BASIC, "hello"), TelegramMigrateToChat, "upgraded to a supergroup")
    assert rig.exchanges[-1].status == 400
    assert (await rig.bot.send_message(error.migrate_to_chat_id, "hello")).chat.type == "supergroup"


@row("telegram.rate.chat")
async def bursts_into_one_chat(rig: Rig) -> None:
    for _ in range(3):
        await rig.bot.send_message(rig.ann, "hello")
    error = await refused(
        rig.bot.send_message(rig.ann, "hello"), TelegramRetryAfter, "Too Many Requests: retry after 1"
    )
    assert error.retry_after == 1
    assert (rig.exchanges[-1].status, rig.exchanges[-1].response_headers["Retry-After"]) == (429, "1")
    rig.wait(0.9)
    await refused(rig.bot.send_message(rig.ann, "hello"), TelegramRetryAfter, "retry after 1")
    rig.wait(0.1)
    assert await rig.bot.send_message(rig.ann, "hello")
    await refused(rig.bot.send_message(rig.ann, "hello"), TelegramRetryAfter, "retry after 1")


@row("telegram.rate.total")
async def thirty_a_second(rig: Rig) -> None:
    people = [rig.stand_in.add_person(name=f"P{i}") for i in range(31)]
    for person in people:
        await rig.stand_in.open_direct("tg", person)
    for person in people[:30]:
        await rig.bot.send_message(person, "hello")
    await refused(rig.bot.send_message(people[30], "hello"), TelegramRetryAfter, "retry after 1")
    rig.wait(0.9)
    await refused(rig.bot.send_message(people[30], "hello"), TelegramRetryAfter, "retry after 1")
    rig.wait(0.1)
    assert await rig.bot.send_message(people[30], "hello")


@row("telegram.rate.group")
async def twenty_a_minute_in_a_group(rig: Rig) -> None:
    for _ in range(20):
        await rig.bot.send_message(GROUP, "hello")
        rig.wait(1)
    error = await refused(rig.bot.send_message(GROUP, "hello"), TelegramRetryAfter, "retry after 40")
    rig.wait(error.retry_after)
    assert await rig.bot.send_message(GROUP, "hello")


@row("telegram.text.empty")
async def empty_text(rig: Rig) -> None:
    await refused(rig.bot.send_message(GROUP, "  \n "), TelegramBadRequest, "message text is empty")
    await refused(rig.bot.send_message(GROUP, "<b> </b>", parse_mode="HTML"), TelegramBadRequest, "text is empty")


@row("telegram.text.length")
async def long_text(rig: Rig) -> None:
    assert await rig.bot.send_message(GROUP, "<b>" + "x" * 4095 + "</b>&lt;", parse_mode="HTML")
    await refused(rig.bot.send_message(GROUP, "x" * 4097), TelegramBadRequest, "message is too long")
    await refused(rig.bot.send_message(GROUP, "😀" * 2049), TelegramBadRequest, "message is too long")


@row("telegram.text.entities")
async def broken_markup(rig: Rig) -> None:
    for text, why in (
        ("a <c>b</c>", 'Unsupported start tag "c" at byte offset 2'),
        ("ü <b>b", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b>b</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("b</b>", "Unexpected end tag at byte offset 1"),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("1 <2", "Unclosed start tag at byte offset 2"),
        ("I <3 you>", 'Unsupported start tag "3" at byte offset 2'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<a href="x>y</a>', 'Unclosed start tag "a" at byte offset 0'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<a =x>y</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
    ):
        call = rig.bot.send_message(GROUP, text, parse_mode="HTML")
        await refused(call, TelegramBadRequest, f"Bad Request: can't parse entities: {why}")


@row("telegram.reply.found")
async def reply_to_nothing(rig: Rig) -> None:
    post = await rig.poll()
    found = await rig.bot.send_message(GROUP, "so?", reply_parameters=ReplyParameters(message_id=int(post.id)))
    assert found.reply_to_message is not None
    call = rig.bot.send_message(GROUP, "so?", reply_parameters=ReplyParameters(message_id=99))
    await refused(call, TelegramBadRequest, "message to be replied not found")


@row("telegram.keyboard.action")
async def button_without_action(rig: Rig) -> None:
    markup = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="9")]])
    call = rig.bot.send_message(GROUP, "?", reply_markup=markup)
    await refused(call, TelegramBadRequest, "Text buttons are not allowed in the inline keyboard")


@row("telegram.keyboard.data")
async def long_callback_data(rig: Rig) -> None:
    assert await rig.bot.send_message(GROUP, "?", reply_markup=keyboard([["é" * 32]]))
    call = rig.bot.send_message(GROUP, "?", reply_markup=keyboard([["é" * 32 + "x"]]))
    await refused(call, TelegramBadRequest, "BUTTON_DATA_INVALID")


@row("telegram.keyboard.size")
async def too_many_buttons(rig: Rig) -> None:
    rows = [["a", "b", "c", "d", "e"]] * 20
    assert await rig.bot.send_message(GROUP, "?", reply_markup=keyboard(rows))
    call = rig.bot.send_message(GROUP, "?", reply_markup=keyboard([*rows, ["f"]]))
    await refused(call, TelegramBadRequest, "reply markup is too long")


@row("telegram.keyboard.row")
async def too_many_in_a_row(rig: Rig) -> None:
    assert await rig.bot.send_message(GROUP, "?", reply_markup=keyboard([list("12345678")]))
    call = rig.bot.send_message(GROUP, "?", reply_markup=keyboard([list("123456789")]))
    await refused(call, TelegramBadRequest, "reply markup is too long")


def picture(width: int = 2, height: int = 2, more: int = 0) -> BufferedInputFile:
    """A PNG, padded with ``more`` bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + bytes(min(width, 9)) for _ in range(min(height, 9))))
    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return BufferedInputFile(whole + bytes(more), "chart.png")


@row("telegram.photo.caption")
async def long_caption(rig: Rig) -> None:
    sent = await rig.bot.send_photo(GROUP, picture(20, 30), caption="<i>" + "x" * 1024 + "</i>", parse_mode="HTML")
    assert sent.photo is not None
    assert (sent.photo[0].width, sent.photo[0].height) == (20, 30)
    found = await rig.bot.download(sent.photo[0])
    assert found is not None
    assert found.read() == picture(20, 30).data
    call = rig.bot.send_photo(GROUP, picture(), caption="x" * 1025)
    await refused(call, TelegramBadRequest, "message caption is too long")


@row("telegram.photo.present")
async def photo_without_a_file(rig: Rig) -> None:
    await refused(rig.bot.send_photo(GROUP, ""), TelegramBadRequest, "there is no photo in the request")


@row("telegram.photo.image")
async def photo_of_text(rig: Rig) -> None:
    call = rig.bot.send_photo(GROUP, BufferedInputFile(b"<svg/>", "chart.svg"))
    await refused(call, TelegramBadRequest, "IMAGE_PROCESS_FAILED")


@row("telegram.photo.size")
async def heavy_photo(rig: Rig) -> None:
    room = 10 * 2**20 - len(picture().data)
    assert await rig.bot.send_photo(GROUP, picture(more=room))
    call = rig.bot.send_photo(GROUP, picture(more=room + 1))
    await refused(call, TelegramBadRequest, "file is too big")


@row("telegram.photo.dimensions")
async def wide_photo(rig: Rig) -> None:
    for width, height in ((9_000, 1_000), (200, 10), (1, 1)):
        assert await rig.bot.send_photo(GROUP, picture(width, height))
    for width, height in ((9_000, 1_001), (201, 10), (0, 0)):
        call = rig.bot.send_photo(GROUP, picture(width, height))
        await refused(call, TelegramBadRequest, "PHOTO_INVALID_DIMENSIONS")


@row("telegram.action.known")
async def unknown_action(rig: Rig) -> None:
    assert await rig.bot.send_chat_action(rig.ann, "typing")
    call = rig.bot.send_chat_action(rig.ann, "dancing")
    await refused(call, TelegramBadRequest, "wrong parameter action in request")


@row("telegram.edit.found")
async def edit_nothing(rig: Rig) -> None:
    call = rig.bot.edit_message_text("x", chat_id=GROUP, message_id=99)
    await refused(call, TelegramBadRequest, "message to edit not found")


@row("telegram.edit.own")
async def edit_a_persons_message(rig: Rig) -> None:
    written = await rig.stand_in.write("tg", rig.ann, "nine")
    call = rig.bot.edit_message_text("ten", chat_id=rig.ann, message_id=int(written or 0))
    await refused(call, TelegramBadRequest, "message can't be edited")


@row("telegram.edit.blocked")
async def edit_for_somebody_who_blocked(rig: Rig) -> None:
    sent = await rig.bot.send_message(rig.ann, "hello")
    await rig.stand_in.block("tg", rig.ann)
    call = rig.bot.edit_message_text("hi", chat_id=rig.ann, message_id=sent.message_id)
    await refused(call, TelegramForbiddenError, "bot was blocked by the user")


@row("telegram.edit.text")
async def edit_text_of_a_poll(rig: Rig) -> None:
    post = await rig.poll()
    call = rig.bot.edit_message_text("x", chat_id=GROUP, message_id=int(post.id))
    await refused(call, TelegramBadRequest, "there is no text in the message to edit")


@row("telegram.edit.modified")
async def edit_to_the_same(rig: Rig) -> None:
    sent = await rig.bot.send_message(GROUP, "hello", reply_markup=keyboard([["9"]]))
    place = {"chat_id": GROUP, "message_id": sent.message_id}
    edited = await rig.bot.edit_message_text("hello", **place)
    assert not isinstance(edited, bool)
    assert edited.reply_markup is None
    rig.wait(3)
    await refused(rig.bot.edit_message_text(" hello ", **place), TelegramBadRequest, "message is not modified")
    await refused(rig.bot.edit_message_reply_markup(**place), TelegramBadRequest, "message is not modified")


@row("telegram.delete.found")
async def delete_nothing(rig: Rig) -> None:
    sent = await rig.bot.send_message(GROUP, "hello")
    assert await rig.bot.delete_message(GROUP, sent.message_id)
    call = rig.bot.delete_message(GROUP, sent.message_id)
    await refused(call, TelegramBadRequest, "message to delete not found")


@row("telegram.delete.age")
async def delete_an_old_message(rig: Rig) -> None:
    first, second = [await rig.bot.send_message(GROUP, text) for text in ("one", "two")]
    rig.clocks.skip(48 * 3600 - 1)
    assert await rig.bot.delete_message(GROUP, first.message_id)
    rig.clocks.skip(1)
    call = rig.bot.delete_message(GROUP, second.message_id)
    await refused(call, TelegramBadRequest, "message can't be deleted")


@row("telegram.delete.own")
async def delete_a_persons_message(rig: Rig) -> None:
    written = await rig.stand_in.write("tg", rig.ann, "nine", place=str(GROUP))
    call = rig.bot.delete_message(GROUP, int(written or 0))
    await refused(call, TelegramBadRequest, "message can't be deleted")
