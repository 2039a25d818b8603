"""Discord's limits, expiries and refusals, one row each, driven by hikari.

Each row holds with its rule in force, and is seen to fail when nobody enforces the rule.
"""

from __future__ import annotations

import pytest

from sandbox.discord import RULES
from sandbox.rules import Rules

from . import discord_access, discord_gateway, discord_interactions, discord_messages
from .discord_rig import rig

ROWS = {
    **discord_access.TABLE.rows,
    **discord_messages.TABLE.rows,
    **discord_interactions.TABLE.rows,
    **discord_gateway.TABLE.rows,
}


def test_every_rule_has_a_row() -> None:
    assert set(ROWS) == set(RULES)
    assert all(source.startswith("https://") for source in RULES.values())


@pytest.mark.parametrize("name", sorted(ROWS))
async def test_the_rule_is_enforced(name: str) -> None:
    async with rig() as ready:
        await ROWS[name](ready)


@pytest.mark.parametrize("name", sorted(ROWS))
async def test_the_row_fails_without_the_rule(name: str) -> None:
    async with rig(Rules({name})) as ready:
        with pytest.raises(AssertionError):
            await ROWS[name](ready)
