"""A service with teams on Telegram and Discord, whose ticks are given by hand, and what appears in its places."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast

from sqlalchemy import select

from connecting import connections
from core.desk_tables import CommandRow
from core.models import Outbox
from core.orders import Name
from core.settings import Settings, load
from core.store import outbox
from core.store.statements import table
from core.survey import Survey, Wave, week_wave
from demo.plan import plan_of
from sandbox.clocks import Clocks
from sandbox.discord import DiscordStandIn
from sandbox.seam import PlacePlan, Post
from sandbox.server import Sandbox
from sandbox.telegram import TelegramStandIn
from scheduler import Parts, assembled

COMMANDS = [str(name) for name in Name]
TUESDAY = datetime(2026, 11, 17, 12, tzinfo=UTC)
TEAMS = {"admin": "-1009", "member": "-1010", "demoted": "-1011", "anonymous": "-1012", "passed on": "-1013"}
TEAMS |= {"edited": "-1014", "owner": "-1015"}
"""On Telegram each has a team's place of their own: a group takes twenty messages a minute."""
SAID = ("desk", "case", "cases", "relay", "unowned", "fall", "answer", "lost", "stopped")
ASKED_IN, UNKNOWN = "-1001", "-1002"
DESK, LOUNGE = "1100000000000000009", "1100000000000000001"


def _settings(url: str, teams: Collection[str]) -> str:
    """With these teams on Telegram, and one on Discord."""
    places = [TEAMS[team][1:] for team in teams]
    return f"""
[sandbox]
url = "{url}"
[brands.acme]
name = "Acme"
[accounts.tg]
platform = "telegram"
[accounts.dc]
platform = "discord"
[channels.group]
account = "tg"
place = "{ASKED_IN}"
kind = "buttons"
[channels.private]
account = "tg"
place = "direct"
kind = "direct"
[channels.lounge]
account = "dc"
place = "{LOUNGE}"
kind = "buttons"
{"".join(_team(place) for place in places)}
[teams.desk]
account = "dc"
place = "{DESK}"
lead = "77"
[themes.delivery]
title = {{ en = "Delivery" }}
words = {{ en = ["late", "parcel*"] }}
[surveys.s]
brand = "acme"
ask = "Sun 10:00"
channels = ["group", "private", "lounge"]
teams = [{", ".join(f'"t{place}"' for place in places)}, "desk"]
"""


def _team(place: str) -> str:
    return f"""[teams.t{place}]
account = "tg"
place = "-{place}"
"""


@dataclass
class Later:
    """The service's wall clock, which can be put ahead."""

    wall: Callable[[], float]
    by_s: float = 0.0

    def __call__(self) -> float:
        return self.wall() + self.by_s


@dataclass
class Stage:
    """A service whose ticks are given by hand, and what appears in its places."""

    sandbox: Sandbox
    parts: Parts
    later: Later
    posts: list[Post] = field(default_factory=list)

    @property
    def telegram(self) -> TelegramStandIn:
        return cast(TelegramStandIn, self.sandbox.stand_ins["telegram"])

    @property
    def discord(self) -> DiscordStandIn:
        return cast(DiscordStandIn, self.sandbox.stand_ins["discord"])

    def order(self, command: str) -> str:
        """A command as Telegram's apps write it in a group, where several bots may be."""
        return f"/{command}@{self.telegram.state.accounts['tg'].username}"

    async def settled(self, account: str | None = "tg") -> None:
        """Everything that has happened is kept, carried out and answered; without an account, what was kept already."""
        async with asyncio.timeout(60):
            if account is not None:
                await self.parts.presence.catch_up(account)
            while True:
                await self.parts.desk.work()
                with self.parts.database.reading() as connection:
                    waits = connection.execute(select(_COMMAND.c.event).where(_COMMAND.c.state == "waiting")).first()
                    keys = [key for kind in SAID for key in outbox.keys_like(connection, f"{kind}:")]
                    moving = [state for state, _ in outbox.states(connection, keys).values() if state in outbox.MOVING]
                if waits is None and not moving:
                    return
                await asyncio.sleep(0.02)

    async def ticked(self) -> None:
        """What the calendar asks for is done, and what is to be said by it is said, whatever it is."""
        await self.parts.service.tick()
        await asyncio.gather(*self.parts.service.finishing)
        async with asyncio.timeout(60):
            while self._moves():  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)

    def _moves(self) -> bool:
        """Whether anything is still to be said."""
        its = _OUTBOX.c.state.in_([str(state) for state in outbox.MOVING])
        with self.parts.database.reading() as connection:
            return connection.execute(select(_OUTBOX.c.id).where(its).limit(1)).first() is not None

    @property
    def survey(self) -> Survey:
        return self.parts.routes.surveys["s"]

    @property
    def wave(self) -> Wave:
        return week_wave(self.survey, self.parts.clock.now())

    def said(self, prefix: str) -> bool:
        """Whether nothing of this kind is still to be said."""
        with self.parts.database.reading() as connection:
            states = outbox.states(connection, outbox.keys_like(connection, prefix)).values()
        return all(state not in outbox.MOVING for state, _ in states)

    def log(self) -> list[tuple[str, str, str, str]]:
        """The audit log: account, who, what, and what became of it."""
        columns = [_COMMAND.c[name] for name in ("account", "person", "said", "state")]
        with self.parts.database.reading() as connection:
            return [tuple(row) for row in connection.execute(select(*columns))]


_COMMAND, _OUTBOX = table(CommandRow), table(Outbox)


@asynccontextmanager
async def staged(folder: Path, teams: Collection[str] = tuple(TEAMS)) -> AsyncIterator[Stage]:
    elsewhere = PlacePlan("tg", UNKNOWN, "group", "x")
    async with served(folder, partial(_settings, teams=teams), [elsewhere]) as stage:
        yield stage


@asynccontextmanager
async def served(
    folder: Path, settings_for: Callable[[str], str], elsewhere: Sequence[PlacePlan] = ()
) -> AsyncIterator[Stage]:
    """A service with these settings, which name the address of the sandbox; ``elsewhere`` are places that they do not
    speak of."""
    file = folder / "settings.toml"
    file.write_text(settings_for("http://127.0.0.1:1"), "utf-8")
    accounts, places, _ = plan_of(load(file))
    sandbox = Sandbox(accounts, [*places, *elsewhere], clocks=Clocks(start=TUESDAY))
    posts: list[Post] = []
    sandbox.watchers.append(posts.append)
    async with sandbox:
        file.write_text(
            settings_for(sandbox.url) + f'[service]\ndatabase = "sqlite:///{folder / "vouch.db"}"\n', "utf-8"
        )
        settings: Settings = load(file)
        found = await connections(settings)
        later = Later(found.clock.wall)
        async with assembled(settings, replace(found, clock=replace(found.clock, wall=later))) as parts:
            running = asyncio.create_task(parts.presence.run())
            try:
                async with asyncio.timeout(30):
                    await parts.presence.ready.wait()
                await parts.service.tick()
                yield Stage(sandbox, parts, later, posts)
            finally:
                await parts.service.stop()
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running
