"""The answer to a tap or a form. Discord waits 3 s for it, and shows "interaction failed" when none comes.

Answers go through discord.py's response to the raw interaction. All are best effort: what must arrive goes through the
outbox. Source: https://docs.discord.com/developers/interactions/receiving-and-responding#responding-to-an-interaction
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
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


_running: set[asyncio.Task[None]] = set()


def open_form(interaction: Interaction, form: Form) -> None:
    """Open a form, which must be the first answer to a tap."""
    _start(_best_effort(interaction.response.send_modal(render.modal(form))))


class Response:
    """The answer that is owed to one tap or form. Should it take longer than ``_DEFER_S``, Discord is told so first."""

    def __init__(self, interaction: Interaction) -> None:
        self._interaction = interaction
        self._deferral: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_DEFER_S, self._defer)

    def give(self, answers: Sequence[Answer]) -> None:
        """Answer; what the interaction brought is kept by now."""
        self._timer.cancel()
        _start(self._give(_fields(answers[0])))

    def _defer(self) -> None:
        self._deferral = _start(_best_effort(self._interaction.response.defer()))

    async def _give(self, fields: dict[str, Any]) -> None:
        if self._deferral is not None:
            await self._deferral
            if fields:
                await _best_effort(self._interaction.followup.send(**fields))
        elif fields:
            await _best_effort(self._interaction.response.send_message(**fields))
        else:
            await _best_effort(self._interaction.response.defer())


def _start(response: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.create_task(response)
    _running.add(task)  # the loop alone would let it be collected
    task.add_done_callback(_running.discard)
    return task


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
