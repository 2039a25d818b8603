"""The sandbox as the Discord tests use it: one account, two channels, and what its people see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from bots.discord import DiscordAccount
from core.account import Poll
from core.clock import Clock
from core.events import Event, Reply, Via
from core.message import Button
from sandbox.clocks import Clocks
from sandbox.discord import DiscordStandIn
from sandbox.rules import Rules
from sandbox.seam import AccountPlan, PlacePlan, Post
from sandbox.server import Exchange, Sandbox
from tests.bots.discord.conftest import account_on
from tests.specs.discord import check

CHANNEL, NEWS = "900000000000000001", "900000000000000003"
SCORES = tuple(Button(str(score), f"score-{score}") for score in range(11))
OPTIONS = ("0–1", *(str(score) for score in range(2, 11)))


@dataclass
class Stage:
    """A sandbox with one account and one channel, and what its people see."""

    sandbox: Sandbox
    discord: DiscordStandIn
    posts: list[Post] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.sandbox.watchers.append(self._posted)

    def _posted(self, post: Post) -> None:
        self.posts.append(post)
        self.news.set()

    async def have(self, number: int) -> None:
        """Wait until the bot has posted so many times."""
        async with asyncio.timeout(5):
            while len(self.posts) < number:
                self.news.clear()
                await self.news.wait()

    def account(self, clock: Clock | None = None, token: str | None = None, **more: Any) -> DiscordAccount:
        credentials = self.sandbox.credentials["dc"]
        base = f"{self.sandbox.url}/discord"
        return account_on(
            base + credentials["base_url"],
            base + credentials["gateway_url"],
            token=token or credentials["token"],
            clock=clock,
            **more,
        )

    def person(self, name: str) -> str:
        return self.discord.add_person(name=name)


@asynccontextmanager
async def staged(
    clocks: Clocks | None = None, *, strict: bool = False, middlewares: Sequence[Any] = ()
) -> AsyncIterator[Stage]:
    """The sandbox; ``strict``: with the 5 s between two new sessions, which most tests need not wait for.

    Where Discord's OpenAPI is at hand, all that goes over the wire is checked against it.
    """
    exchanges: list[Exchange] = []
    async with Sandbox(
        accounts=[AccountPlan("dc", "discord")],
        places=[PlacePlan("dc", CHANNEL, "group", "Survey"), PlacePlan("dc", NEWS, "broadcast", "News")],
        clocks=clocks or Clocks(),
        rules=Rules() if strict else Rules(off={"discord.gateway.concurrency"}),
        on_exchange=exchanges.append,
        middlewares=middlewares,
    ) as sandbox:
        yield Stage(sandbox, cast(DiscordStandIn, sandbox.stand_ins["discord"]))
    assert [problem for exchange in exchanges for problem in check(exchange)] == []


def week() -> Poll:
    return Poll(question="How likely?", options=OPTIONS, closes_at=Clock().now() + timedelta(days=7, minutes=1))


def votes(events: list[Event]) -> list[tuple[str, int | None, bool]]:
    return [(e.person, e.option, e.withdrawn) for e in events if isinstance(e, Reply) and e.via is Via.VOTE]
