"""Rows: who may call at all, getUpdates, webhooks, and what is asked and set."""

from __future__ import annotations

import asyncio

from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramNotFound,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.types import BotCommand

from tests.limits.telegram_rig import CHANNEL, GROUP, Rig, refused, row


@row("telegram.auth.token")
async def wrong_token(rig: Rig) -> None:
    await refused(rig.wrong.get_me(), TelegramUnauthorizedError, "Unauthorized")


class SendTelepathy(TelegramMethod[bool]):
    """What no Bot API has."""

    __returning__ = bool
    __api_method__ = "sendTelepathy"


@row("telegram.method.known")
async def unknown_method(rig: Rig) -> None:
    await refused(rig.bot(SendTelepathy()), TelegramNotFound, "Not Found")


async def _write(rig: Rig, *texts: str) -> None:
    for text in texts:
        assert await rig.stand_in.write("tg", rig.ann, text)


@row("telegram.updates.conflict")
async def second_poller(rig: Rig) -> None:
    older = await rig.polling(offset=1, timeout=1)
    newer = asyncio.create_task(rig.bot.get_updates(offset=2, timeout=30))
    done, _ = await asyncio.wait([older, newer], timeout=5, return_when=asyncio.FIRST_COMPLETED)
    assert done == {older}
    try:
        await refused(older, TelegramConflictError, "terminated by other getUpdates request")
        await _write(rig, "9")
        assert [update.message.text for update in await newer if update.message] == ["9"]
    finally:
        newer.cancel()


@row("telegram.updates.webhook")
async def poll_beside_webhook(rig: Rig) -> None:
    assert await rig.bot.set_webhook("https://brand.example/hook")
    assert (await rig.bot.get_webhook_info()).url == "https://brand.example/hook"
    await refused(rig.bot.get_updates(timeout=0), TelegramConflictError, "can't use getUpdates method while webhook")


@row("telegram.webhook.https")
async def plain_webhook(rig: Rig) -> None:
    await refused(rig.bot.set_webhook("http://brand.example"), TelegramBadRequest, "An HTTPS URL must be provided")


@row("telegram.webhook.secret")
async def secret_with_spaces(rig: Rig) -> None:
    assert await rig.bot.set_webhook("https://brand.example", secret_token="Az0_-" + "x" * 251)
    for secret in ("open sesame", "x" * 257):
        call = rig.bot.set_webhook("https://brand.example", secret_token=secret)
        await refused(call, TelegramBadRequest, "secret token contains unallowed characters")


@row("telegram.updates.limit")
async def no_more_than_a_hundred(rig: Rig) -> None:
    await _write(rig, *(str(i) for i in range(220)))
    for how, count in (({}, 100), ({"limit": 500}, 100), ({"limit": 100}, 20)):
        assert len(await rig.updates(**how)) == count


@row("telegram.updates.allowed")
async def only_what_is_allowed(rig: Rig) -> None:
    await rig.updates(allowed_updates=["poll_answer"])
    await _write(rig, "9")
    post = await rig.poll(is_anonymous=False)
    await rig.stand_in.vote(rig.bob, post, 1)
    assert [update.event_type for update in await rig.updates()] == ["poll_answer"]


@row("telegram.updates.sticky")
async def allowed_is_remembered(rig: Rig) -> None:
    await rig.updates(allowed_updates=["poll_answer"])
    await rig.updates()
    await _write(rig, "9")
    assert await rig.updates() == []


@row("telegram.updates.confirmed")
async def confirmed_is_gone(rig: Rig) -> None:
    await _write(rig, "1", "2", "3")
    first = (await rig.updates(limit=1))[0].update_id
    assert [update.update_id for update in await rig.updates(offset=first)] == [first, first + 1, first + 2]
    assert [update.update_id for update in await rig.updates(offset=first + 1)] == [first + 1, first + 2]
    assert [update.update_id for update in await rig.updates(offset=first)] == [first + 1, first + 2]
    assert [update.update_id for update in await rig.updates(offset=-1)] == [first + 2]
    assert [update.update_id for update in await rig.updates(offset=first)] == [first + 2]


@row("telegram.updates.retention")
async def kept_for_a_day(rig: Rig) -> None:
    await _write(rig, "old")
    rig.wait(86_399)
    await _write(rig, "new")
    for offset, kept in ((-9, ["old", "new"]), (-8, ["new"])):
        found = await rig.bot.get_updates(offset=offset, timeout=0)
        assert [update.message.text for update in found if update.message] == kept
        rig.wait(1)


@row("telegram.updates.taps")
async def taps_are_kept_for_150_s(rig: Rig) -> None:
    post = await rig.buttons()
    await rig.stand_in.tap(rig.ann, post, post.buttons[0])
    rig.wait(149)
    assert [update.event_type for update in await rig.bot.get_updates(offset=-9, timeout=0)] == ["callback_query"]
    rig.wait(1)
    assert await rig.bot.get_updates(offset=-8, timeout=0) == []


@row("telegram.updates.same_offset")
async def asking_again_at_once(rig: Rig) -> None:
    await _write(rig, "1", "2")
    for pause_s, found in ((0.0, 2), (0.49, 1), (0.5, 2)):
        rig.wait(pause_s)
        assert len(await rig.bot.get_updates(offset=1, timeout=0)) == found
    last = (await rig.bot.get_updates(offset=-1, timeout=0))[0].update_id
    assert await rig.bot.get_updates(offset=last + 1, timeout=0) == []
    rig.wait(2.99)
    slowed_down = await rig.polling(offset=last + 1, timeout=0)
    await _write(rig, "3")
    assert [update.update_id for update in await slowed_down] == [last + 1]
    assert await rig.bot.get_updates(offset=last + 2, timeout=0) == []
    rig.wait(3)
    assert await asyncio.wait_for(rig.bot.get_updates(offset=last + 2, timeout=0), 2) == []


@row("telegram.updates.quiet_week")
async def ids_after_a_quiet_week(rig: Rig) -> None:
    found: list[int] = []
    for pause_s in (0, 7 * 86_400 - 1, 7 * 86_400):
        rig.wait(pause_s)
        await _write(rig, "hello")
        found.append((await rig.bot.get_updates(offset=-1, timeout=0))[0].update_id)
    assert found[1] == found[0] + 1
    assert found[2] != found[1] + 1


@row("telegram.commands.count")
async def too_many_commands(rig: Rig) -> None:
    commands = [BotCommand(command=f"c{i}", description="one") for i in range(101)]
    await refused(rig.bot.set_my_commands(commands), TelegramBadRequest, "BOT_COMMANDS_TOO_MUCH")
    assert await rig.bot.set_my_commands(commands[:100])
    assert len(await rig.bot.get_my_commands()) == 100


@row("telegram.commands.name")
async def capital_command(rig: Rig) -> None:
    for name in ("s", "score_10" * 4):
        assert await rig.bot.set_my_commands([BotCommand(command=name, description="the score")])
    for name in ("Score", "", "s" * 33):
        commands = [BotCommand(command=name, description="the score")]
        await refused(rig.bot.set_my_commands(commands), TelegramBadRequest, "BOT_COMMAND_INVALID")


@row("telegram.commands.description")
async def undescribed_command(rig: Rig) -> None:
    for length in (1, 256):
        assert await rig.bot.set_my_commands([BotCommand(command="score", description="x" * length)])
    for length in (0, 257):
        commands = [BotCommand(command="score", description="x" * length)]
        await refused(rig.bot.set_my_commands(commands), TelegramBadRequest, "BOT_COMMAND_DESCRIPTION_INVALID")


@row("telegram.member.known")
async def unknown_member(rig: Rig) -> None:
    assert (await rig.bot.get_chat_member(GROUP, int(rig.bob))).status == "member"
    rig.stand_in.promote("tg", str(GROUP), rig.bob)
    promoted = await rig.raw("getChatMember", chat_id=GROUP, user_id=int(rig.bob))
    assert promoted["result"]["status"] == "administrator"
    await refused(rig.bot.get_chat_member(GROUP, 777), TelegramBadRequest, "PARTICIPANT_ID_INVALID")


@row("telegram.member.private")
async def administrators_of_a_private_chat(rig: Rig) -> None:
    found = (await rig.raw("getChatAdministrators", chat_id=CHANNEL))["result"]
    assert [(member["status"], member["user"]["is_bot"]) for member in found] == [
        ("creator", False),
        ("administrator", True),
    ]
    call = rig.bot.get_chat_administrators(int(rig.ann))
    await refused(call, TelegramBadRequest, "there are no administrators in the private chat")


@row("telegram.file.known")
async def unknown_file(rig: Rig) -> None:
    await refused(rig.bot.get_file("AgACAgIunknown"), TelegramBadRequest, "invalid file_id")
