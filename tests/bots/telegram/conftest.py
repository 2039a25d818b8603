"""What the tests of Telegram share."""

from collections.abc import AsyncIterator

import pytest

from bots.telegram import TelegramAccount
from core.clock import Clock
from tests.bots.telegram.scripted import TOKEN, BotApi, Kept, forms, serving


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with serving() as scripted:
        yield scripted


@pytest.fixture
async def account(api: BotApi) -> AsyncIterator[TelegramAccount]:
    async with TelegramAccount("tg", TOKEN, base_url=api.url, clock=Clock(), forms=forms) as signed_in:
        yield signed_in


@pytest.fixture
def kept(api: BotApi) -> Kept:
    return Kept(api)
