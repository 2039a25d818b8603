"""A server that does not know every method of the Bot API: that says nothing about the token."""

from __future__ import annotations

import pytest

from bots.telegram import TelegramAccount
from core.account import PlaceKind
from core.errors import AccountRefused
from tests.bots.telegram.scripted import BotApi, refusal

GIFTS = {
    "unlimited_gifts": False,
    "limited_gifts": False,
    "unique_gifts": False,
    "premium_subscription": False,
    "gifts_from_channels": False,
}


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_a_server_that_knows_no_rights_still_has_places(
    api: BotApi, account: TelegramAccount, status: int
) -> None:
    async def chat(fields: dict[str, str]) -> object:
        return {"id": -1001, "type": "supergroup", "title": "Fans", "accent_color_id": 0, "max_reaction_count": 1,
                "accepted_gift_types": GIFTS}  # fmt: skip

    async def unknown(fields: dict[str, str]) -> object:
        return refusal(status, "Not Found: method not found")

    api.scripts |= {"getChat": chat, "getChatMember": unknown}
    place = await account.place("-1001")
    assert (place.kind, place.title) == (PlaceKind.GROUP, "Fans")
    api.scripts["getChat"] = unknown
    with pytest.raises(AccountRefused, match="does not know getChat") as refused:
        await account.place("-1001")
    assert "token" not in str(refused.value)
