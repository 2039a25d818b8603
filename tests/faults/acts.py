"""The stand-ins as the followers get to them, and a note of the event by which each act goes to the service."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from aiohttp import web

from sandbox.clocks import Clocks
from sandbox.discord import DiscordStandIn
from sandbox.discord.interactions import Interaction
from sandbox.discord.session import RESUMABLE_S, Session
from sandbox.ledger import Ledger
from sandbox.seam import AccountPlan, PlacePlan, Post, PostButton, StandIn
from sandbox.server import Sandbox
from sandbox.telegram import TelegramStandIn
from tests.faults.reading import vote_name
from tests.faults.seen import Seen, acting

T = TypeVar("T")


class Watched:
    """One stand-in. Keeps ``StandIn``."""

    def __init__(self, inner: StandIn, seen: Seen, stage: Watching) -> None:
        self.platform = inner.platform
        self._inner = inner
        self._seen = seen
        self._stage = stage

    def application(self) -> web.Application:
        return self._inner.application()

    def add_account(self, plan: AccountPlan) -> dict[str, str]:
        return self._inner.add_account(plan)

    def add_place(self, plan: PlacePlan) -> None:
        self._inner.add_place(plan)

    def add_person(self, *, name: str, language: str = "en") -> str:
        return self._inner.add_person(name=name, language=language)

    def promote(self, account: str, place: str, person: str) -> None:
        self._inner.promote(account, place, person)

    async def open_direct(self, account: str, person: str, payload: str = "") -> bool:
        return await self._stage.noted(self._inner.open_direct(account, person, payload))

    async def write(
        self, account: str, person: str, text: str, *, place: str = "direct", reply_to: Post | None = None
    ) -> str | None:
        act = self._stage.begin()
        message = await self._stage.noted(self._inner.write(account, person, text, place=place, reply_to=reply_to))
        if message is not None and self.platform != "telegram":
            deed = self._seen.deed(act)
            letter = "m" if self.platform == "discord" else "d" if place == "direct" else "p"
            deed.events.append(f"{letter}{message}")
            deed.streamed = self.platform == "x" or self._stage.has_session(account)
        return message

    async def vote(self, person: str, post: Post, option: int | None) -> bool:
        act = self._stage.begin()
        before = self._stage.told_so_far(post.account) if self.platform == "discord" else {}
        taken = await self._stage.noted(self._inner.vote(person, post, option))
        if taken and self.platform == "discord":
            deed = self._seen.deed(act)
            deed.events += self._stage.told_since(before, post, person)
            deed.streamed = bool(deed.events)
        return taken

    async def tap(self, person: str, post: Post, button: PostButton) -> bool:
        return await self._stage.noted(self._inner.tap(person, post, button))

    async def fill(self, person: str, post: Post, button: PostButton, text: str) -> bool:
        return await self._stage.noted(self._inner.fill(person, post, button, text))

    async def block(self, account: str, person: str) -> None:
        await self._stage.noted(self._inner.block(account, person))

    def visible_totals(self, post: Post) -> tuple[int, ...] | None:
        return self._inner.visible_totals(post)


class Watching:
    """Keeps ``sandbox.world.Stage``: what the world of followers is given in place of the sandbox."""

    def __init__(self, sandbox: Sandbox, seen: Seen, accepted: Callable[[], None]) -> None:
        self._sandbox = sandbox
        self._seen = seen
        self._accepted = accepted
        self.ledger: Ledger | None = None
        self.stand_ins: Mapping[str, StandIn] = {
            name: Watched(inner, seen, self) for name, inner in sandbox.stand_ins.items()
        }
        discord, telegram = sandbox.stand_ins["discord"], sandbox.stand_ins["telegram"]
        assert isinstance(discord, DiscordStandIn)
        assert isinstance(telegram, TelegramStandIn)
        self._discord = discord
        discord.interactions.on_begin = self._began
        for account in sandbox.accounts:
            if account.platform == "telegram":
                telegram.stream(account.name).on_put = self._put_on(account.name)

    @property
    def accounts(self) -> Sequence[AccountPlan]:
        return self._sandbox.accounts

    @property
    def clocks(self) -> Clocks:
        return self._sandbox.clocks

    @property
    def watchers(self) -> list[Callable[[Post], None]]:
        return self._sandbox.watchers

    def begin(self) -> int:
        """An act begins: its number."""
        act = self.ledger.acts[-1].seq if self.ledger is not None and self.ledger.acts else -1
        acting.set(act)
        return act

    async def noted(self, doing: Coroutine[Any, Any, T]) -> T:
        """Have it done, and note when the platform took it."""
        act = self.begin()
        self._seen.deed(act)
        done = await doing
        if done not in (None, False):
            self._seen.accept()
            self._accepted()
        return done

    def has_session(self, account: str) -> bool:
        """Whether a gateway session lives, with a connection or still resumable."""
        return any(map(self._lives, self._discord.state.applications[account].sessions.values()))

    def _lives(self, session: Session) -> bool:
        return session.connected or self.clocks.wire() - session.lost_at < RESUMABLE_S

    def told_so_far(self, account: str) -> dict[str, int]:
        """How many events each gateway session of an account has."""
        sessions = self._discord.state.applications[account].sessions
        return {id: session.sequence for id, session in sessions.items() if self._lives(session)}

    def told_since(self, before: Mapping[str, int], post: Post, person: str) -> list[str]:
        """The events by which sessions that live were told of a person's vote."""
        found: list[str] = []
        for id, session in self._discord.state.applications[post.account].sessions.items():
            for number, frame in reversed(session.kept):
                if number <= before.get(id, session.sequence):
                    break
                told = json.loads(frame)
                data = told["d"]
                if "POLL_VOTE" in told["t"] and (data["message_id"], data["user_id"]) == (post.id, person):
                    found.insert(0, vote_name(id, number))
        return found

    def _began(self, interaction: Interaction) -> None:
        act = acting.get()
        if act >= 0:
            deed = self._seen.deed(act)
            deed.events.append(f"i{interaction.id}")
            deed.interaction = interaction.id
            deed.streamed = deed.streamed or self.has_session(interaction.application.name)
        self._accepted()

    def _put_on(self, account: str) -> Callable[[str, int], None]:
        def put(kind: str, update: int) -> None:
            self._seen.put_on(account, kind, update)
            self._accepted()

        return put
