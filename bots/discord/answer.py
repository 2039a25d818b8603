"""The answer to a tap or a form. Discord waits 3 s for it, and shows "interaction failed" when none comes.

Answers go through discord.py's response to the raw interaction. All are best effort: what must arrive goes through the
outbox. Source: https://docs.discord.com/developers/interactions/receiving-and-responding#responding-to-an-interaction
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord

from bots.discord import render
from core.account import Answer
from core.errors import ContentRefused
from core.message import Form

_log = logging.getLogger(__name__)

_DEFER_S = 2.0
"""When nothing is kept by then, we say that we are at it: of the 3 s a part is spent on the way."""
_ANSWER_S = 10.0

Interaction = discord.Interaction[Any]


async def open_form(interaction: Interaction, form: Form) -> None:
    """Open a form, which must be the first answer to a tap."""
    await _best_effort(interaction.response.send_modal(render.modal(form)))


@asynccontextmanager
async def in_time(interaction: Interaction) -> AsyncIterator[Callable[[Answer], Awaitable[None]]]:
    """Gives the way to respond; keeps the interaction alive should the response take longer than ``_DEFER_S``."""
    deferral: asyncio.Task[None] | None = None

    def defer() -> None:
        nonlocal deferral
        deferral = asyncio.create_task(_best_effort(interaction.response.defer()))

    async def respond(answer: Answer) -> None:
        timer.cancel()
        fields = _fields(answer)
        if deferral is not None:
            await deferral
            if fields:
                await _best_effort(interaction.followup.send(**fields))
        elif fields:
            await _best_effort(interaction.response.send_message(**fields))
        else:
            await _best_effort(interaction.response.defer())

    timer = asyncio.get_running_loop().call_later(_DEFER_S, defer)
    try:
        yield respond
    finally:
        timer.cancel()


def _fields(answer: Answer) -> dict[str, Any]:
    """What is shown to this person alone; empty when there is nothing to show."""
    shown: dict[str, Any] = {"ephemeral": True, "allowed_mentions": discord.AllowedMentions.none()}
    if answer.message is not None:
        try:
            shown["content"] = render.content(answer.message, "discord")
            if answer.message.buttons:
                shown["view"] = render.view(answer.message.buttons, "discord")
        except ContentRefused as exc:
            _log.error("an answer was not shown: %s", exc)
            return {}
    elif answer.toast:
        shown["content"] = render.harmless(answer.toast)
    else:
        return {}
    return shown


async def _best_effort(response: Coroutine[Any, Any, object]) -> None:
    try:
        async with asyncio.timeout(_ANSWER_S):
            await response
    except (discord.DiscordException, aiohttp.ClientError, OSError) as exc:  # too late, or answered already
        _log.info("an answer did not arrive: %s", type(exc).__name__)
