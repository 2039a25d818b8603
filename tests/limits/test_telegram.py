"""Every limit, expiry and refusal of Telegram's stand-in: one row a rule, driven by aiogram over a socket.

Each row is run twice: with its rule enforced it holds, and with it switched off it is seen to fail. What the stand-in
answered meanwhile, refusals included, keeps to the specification.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiogram.client.session.aiohttp import AiohttpSession

from sandbox.telegram import RULES
from tests.limits import telegram_people, telegram_sending, telegram_stream
from tests.limits.telegram_rig import ROWS, Rig
from tests.specs.telegram import check_answer

TABLES = (telegram_stream, telegram_sending, telegram_people)
"""Importing them fills the table."""


def test_every_rule_has_its_row() -> None:
    assert set(ROWS) == set(RULES)


def test_every_rule_names_its_source() -> None:
    assert [rule for rule, source in RULES.items() if not source.startswith("https://")] == []


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def session() -> AsyncIterator[AiohttpSession]:
    """aiogram's connections, kept for all rows, for closing them takes it a quarter of a second."""
    session = AiohttpSession()
    yield session
    await session.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("rule", ROWS)
async def test_rule_holds(session: AiohttpSession, rule: str) -> None:
    async with Rig(session) as rig:
        await ROWS[rule](rig)
        assert [wrong for exchange in rig.exchanges for wrong in check_answer(exchange)] == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("rule", ROWS)
async def test_row_fails_when_nobody_enforces_its_rule(session: AiohttpSession, rule: str) -> None:
    async with Rig(session, off={rule}) as rig:
        with pytest.raises(AssertionError):
            await ROWS[rule](rig)
