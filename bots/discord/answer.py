"""The answer to a tap or a form. Discord waits 3 s for it, and shows "interaction failed" when none comes.

Answers go through discord.py's response to the raw interaction. All are best effort: what must arrive goes through the
outbox. Source: https://docs.discord.com/developers/interactions/receiving-and-responding#responding-to-an-interaction
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import aiohttp
import discord

from bots.discord import render
from core.account import Answer
from core.errors import ContentRefused
from core.message import Form

_log = logging.getLogger(__name__)

_DEFER_S = 1.0
"""When nothing is kept by then, we say that we are at it: the rest of the 3 s is for the way there, which is long when
many want an answer."""
_FIRST_S = 3.0
"""A first answer that takes longer is for nobody."""
_LATER_S = 10.0
_AT_A_TIME = 32

Interaction = discord.Interaction[Any]


class Answers:
    """Gives the answers of one account, so many at a time: beyond that more connections make each answer later. What
    has 15 minutes' time does not hold up what has 3 s."""

    def __init__(self) -> None:
        self._first = asyncio.Semaphore(_AT_A_TIME)
        self._later = asyncio.Semaphore(_AT_A_TIME // 4)
        self._running: set[asyncio.Task[None]] = set()

    def open_form(self, interaction: Interaction, form: Form) -> None:
        """Open a form, which must be the first answer to a tap."""
        self._start(self._best_effort(lambda: interaction.response.send_modal(render.modal(form))))

    def owe(self, interaction: Interaction) -> Callable[[Sequence[Answer]], None]:
        """Gives the way to answer once the reply is kept. Should that take longer than ``_DEFER_S``, Discord is told
        that we are at it."""
        deferral: asyncio.Task[None] | None = None

        def defer() -> None:
            nonlocal deferral
            deferral = self._start(self._best_effort(interaction.response.defer))

        def give(answers: Sequence[Answer]) -> None:
            timer.cancel()
            self._start(self._give(interaction, _fields(answers[0]), deferral))

        timer = asyncio.get_running_loop().call_later(_DEFER_S, defer)
        return give

    async def _give(
        self, interaction: Interaction, fields: dict[str, Any], deferral: asyncio.Task[None] | None
    ) -> None:
        if deferral is not None:
            await deferral
            if fields:
                await self._best_effort(lambda: interaction.followup.send(**fields), later=True)
        elif fields:
            await self._best_effort(lambda: interaction.response.send_message(**fields))
        else:
            await self._best_effort(interaction.response.defer)

    async def _best_effort(self, respond: Callable[[], Coroutine[Any, Any, object]], *, later: bool = False) -> None:
        try:
            async with asyncio.timeout(_LATER_S if later else _FIRST_S), self._later if later else self._first:
                await respond()
        # Too late, answered already, or (RuntimeError of aiohttp's) signed out meanwhile.
        except (discord.DiscordException, aiohttp.ClientError, OSError, RuntimeError) as exc:
            _log.info("an answer did not arrive: %s", type(exc).__name__)

    def _start(self, response: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(response)
        self._running.add(task)  # the loop alone would let it be collected
        task.add_done_callback(self._running.discard)
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
