"""A poll that is over is read whatever the gateway does: nobody knows when Discord gives us the next session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bots.discord import DiscordAccount
from core.errors import AccountUnavailable
from tests.bots.discord.conftest import Inbox, begin, listening
from tests.bots.discord.stage import CHANNEL, Stage, staged, week


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(strict=True) as running:
        yield running


async def between_sessions(account: DiscordAccount) -> None:
    """Until Discord has ended the one and not given the next."""
    async with asyncio.timeout(8):
        while account._stream.session is not None:  # noqa: ASYNC110  (nobody is told)
            await asyncio.sleep(0)
    with pytest.raises(AccountUnavailable, match="not up"):
        account._stream.order()


async def test_between_two_sessions_voters_are_read_of_polls_that_are_over_alone(stage: Stage, inbox: Inbox) -> None:
    """Others would have a place behind all that the session before still brings, should another process take it up.
    These must be: nobody knows when Discord gives us the next session, and answers freeze."""
    ann, bob = stage.person("ann"), stage.person("bob")
    async with stage.account(identify_every_s=5.0) as account, listening(account, inbox):
        receipt = await account.poll(await account.place(CHANNEL), week(), "k", begin=begin)
        await account.catch_up([], inbox)
        await stage.discord.vote(ann, stage.posts[0], 3)
        await inbox.have(1)
        stage.discord.invalidate_sessions("dc")
        await between_sessions(account)
        await stage.discord.vote(bob, stage.posts[0], 5)
        found = await account.close(receipt)
        assert found is not None
        assert found.final
        assert dict(found.votes) == {ann: 3, bob: 5}
        assert found.order > max(reply.order for reply in inbox.replies)
        heard = len(inbox.replies)
        await account.catch_up([], inbox)
        await stage.discord.write("dc", bob, "7")
        await inbox.have(heard + 1)
        assert inbox.replies[-1].order > found.order
    assert len(stage.discord.state.applications["dc"].identified) == 2
