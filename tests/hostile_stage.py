"""People of all platforms who write hostile comments to a real service, and the teams that get to see them.

A chat takes so few messages in a minute that the comments are shared out: nine surveys of one brand, each with its own
teams on Telegram and Discord, and of each eight people at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Table, select

from core.desk_tables import CommandRow
from core.models import Outbox
from core.store import outbox
from core.store.statements import table
from core.survey import week_wave
from sandbox.seam import Post, PostButton, StandIn
from tests.desk_stage import Stage, served

_COMMAND, _OUTBOX = table(CommandRow), table(Outbox)
ACCOUNTS = {"tg": "telegram", "tg1": "telegram", "tg2": "telegram", "dc": "discord", "x": "x"}
ASKED = ("tg", "tg1", "tg2", "dc", "dc", "dc", "dc", "dc", "x")
"""By survey the account on which it asks."""
LONGEST = {"telegram": 4096, "discord": 4000, "x": 10_000}
"""Characters that people may write: on Telegram and X in a message, on Discord in a form."""

MONDAY = datetime(2026, 11, 23, 9, 1, tzinfo=UTC)
"""When the week's post is due."""
RELAYED = "Acme, a person of the team:"
"""How a customer is told who writes."""


def account(survey: int) -> str:
    return ASKED[survey]


def asked_in(survey: int) -> str:
    """Where the question stands."""
    return {"t": f"-{1101 + survey}", "d": f"{1100000000000000101 + survey}", "x": "timeline"}[account(survey)[0]]


def desk(survey: int) -> str:
    """The team's place on Telegram, which is told of cases."""
    return f"-{1201 + survey}"


def readers(survey: int) -> str:
    """The place on Telegram of a second team, which only reads."""
    return f"-{1301 + survey}"


def forum(survey: int) -> str:
    """The team's place on Discord, which is told of cases, too."""
    return f"{1100000000000000201 + survey}"


def settings(url: str) -> str:
    """Nine surveys on five accounts."""
    head = f'[sandbox]\nurl = "{url}"\n[brands.acme]\nname = "Acme"\n'
    head += "".join(f'[accounts.{name}]\nplatform = "{platform}"\n' for name, platform in ACCOUNTS.items())
    head += "".join(_channel(f"{name}-direct", name, "direct", "direct") for name in ACCOUNTS)
    head += '[themes.sister]\ntitle = { en = "Family" }\nwords = { en = ["sister"] }\n'
    return head + "".join(map(_survey, range(len(ASKED))))


def _channel(name: str, account: str, place: str, kind: str) -> str:
    return f'[channels.{name}]\naccount = "{account}"\nplace = "{place}"\nkind = "{kind}"\n'


def _survey(n: int) -> str:
    kind = "replies" if account(n) == "x" else "buttons"
    teams = "".join(
        f'[teams.{name}{n}]\naccount = "{on}"\nplace = "{place}"\ncases = {cases}\n'
        for name, on, place, cases in (
            ("desk", "tg", desk(n), "true"),
            ("readers", "tg", readers(n), "false"),
            ("forum", "dc", forum(n), "true"),
        )
    )
    return (
        f"{_channel(f'asked{n}', account(n), asked_in(n), kind)}{teams}"
        f'[surveys.s{n}]\nbrand = "acme"\nask = "Sun 10:00"\nchannels = ["asked{n}", "{account(n)}-direct"]\n'
        f'teams = ["desk{n}", "readers{n}", "forum{n}"]\n'
    )


@dataclass(frozen=True, slots=True)
class Follower:
    """Somebody who is unhappy and says so."""

    survey: int
    person: str
    comment: str

    @property
    def account(self) -> str:
        return account(self.survey)


@dataclass
class Town:
    """The service, who follows the brand, and what they and the teams do."""

    stage: Stage
    team: dict[str, str] = field(default_factory=dict)
    """By place somebody who administers it: one person alone may not ask for so much."""

    async def open(self) -> None:
        """The question is asked, and the teams have somebody."""
        for n in range(len(ASKED)):
            for place, name in ((desk(n), "tg"), (readers(n), "tg"), (forum(n), "dc")):
                self.team[place] = self.app(name).add_person(name="Ann")
                self.app(name).promote(name, place, self.team[place])
        for survey in self.stage.parts.routes.surveys.values():
            await self.stage.parts.service.open(survey, week_wave(survey, self.stage.parts.clock.now()))
        await self.said()

    def app(self, account: str) -> StandIn:
        return self.stage.sandbox.stand_ins[ACCOUNTS[account]]

    # -- what people do ------------------------------------------------------------------------------------------------

    async def write(self, people: Sequence[Follower]) -> None:
        """They give a low score, say why, and allow it to be quoted where they are asked."""
        await asyncio.gather(*map(self._score_and_comment, people))
        await self.read(people)
        await asyncio.gather(*(self._allow(one) for one in people if one.account != "x"))
        await self.read(people)

    async def _allow(self, one: Follower) -> None:
        """What was read as a command, or as no words at all, nobody asks about."""
        if one.account == "dc" or self._with(one.person, "Yes"):
            await self._tap(one, await self._shown(one.person, "Yes"), "Yes")

    async def _score_and_comment(self, one: Follower) -> None:
        app, text = self.app(one.account), one.comment[: LONGEST[ACCOUNTS[one.account]]]
        await app.open_direct(one.account, one.person)
        if one.account == "x":
            await app.write("x", one.person, "2")
            await app.write("x", one.person, text)
            return
        asked = self._asked(one)
        if one.account == "dc":
            await self._tap(one, asked, "Ask me by DM")
        await self._tap(one, asked, "2")
        if one.account == "dc":
            why = await self._shown(one.person, "Tell us why")
            assert await app.fill(one.person, why, button(why, "Tell us why"), text)
        else:
            await app.write(one.account, one.person, text)

    async def greet(self, people: Sequence[Follower]) -> None:
        """X lets us write once for each message of theirs: there they write once more."""
        for one in (one for one in people if one.account == "x"):
            await self.app("x").write("x", one.person, "Are you there?")
        await self.read(people)

    async def show(self, people: Sequence[Follower]) -> None:
        """They ask what is kept of them."""
        for one in people:
            await self.app(one.account).write(one.account, one.person, "/mydata")
        await self.read(people)

    async def cheer_up(self, people: Sequence[Follower]) -> None:
        """They are unhappy no more, and their place in the list of who waits is free."""
        for one in people:
            if one.account == "x":
                await self.app("x").write("x", one.person, "9")
            else:
                await self._tap(one, self._asked(one), "9")
        await self.read(people)
        await self.later()

    async def _tap(self, one: Follower, post: Post, label: str) -> None:
        assert await self.app(one.account).tap(one.person, post, button(post, label))

    def _asked(self, one: Follower) -> Post:
        return next(post for post in self.stage.posts if post.place == asked_in(one.survey) and post.to is None)

    async def _shown(self, person: str, label: str) -> Post:
        """What they see with such a button: on a busy machine it follows the first answer to their tap."""
        async with asyncio.timeout(20):
            while not (found := self._with(person, label)):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)
        return found[-1]

    def _with(self, person: str, label: str) -> list[Post]:
        its = (post for post in self.stage.posts if post.to == person)
        return [post for post in its if label in (one.label for one in post.buttons)]

    # -- what teams do -------------------------------------------------------------------------------------------------

    async def orders(self, place: str, *commands: str) -> None:
        """Somebody of the team writes commands, on Telegram or Discord."""
        for command in commands:
            name, _, words = command.partition(" ")
            if place.startswith("-"):
                order = f"{self.stage.order(name)} {words}".strip()
                await self.stage.telegram.write("tg", self.team[place], order, place=place)
            else:
                assert await self.stage.discord.command(
                    "dc", self.team[place], name, place=place, options={"what": words}
                )

    async def speak(self, surveys: Sequence[int], notes: Sequence[str], answers: Sequence[str]) -> None:
        """In each of these somebody of the team takes a case and writes to its customer, who answers."""
        places = [forum(n) if account(n) == "dc" else desk(n) for n in surveys]
        for place in places:
            await self.orders(place, "take")
        await self.read(())
        for n, place in zip(surveys, places, strict=True):
            await self._reply(place, notes[:1] if account(n) == "x" else notes)
        await self.read(())
        spoken_to = {account(n): self._spoken_to(account(n)) for n in surveys}
        for name, person in spoken_to.items():
            for answer in answers:
                await self.app(name).write(name, person, answer)
        await asyncio.gather(*map(self.stage.parts.presence.catch_up, spoken_to))
        await self.said()

    async def _reply(self, place: str, notes: Sequence[str]) -> None:
        """By answering the message on Telegram, by the form on Discord."""
        card = next(post for post in reversed(self.stage.posts) if post.place == place and "has it." in post.text)
        for note in notes:
            if card.platform == "discord":
                assert await self.stage.discord.fill(self.team[place], card, button(card, "Reply"), note)
            else:
                await self.stage.telegram.write("tg", self.team[place], note, place=place, reply_to=card)

    def _spoken_to(self, account: str) -> str:
        its = (post.to for post in self.stage.posts if post.account == account and post.text.startswith(RELAYED))
        return next(person for person in its if person is not None)

    # -- what the service does -----------------------------------------------------------------------------------------

    async def publish(self, surveys: Sequence[int]) -> None:
        """The week ends, and its post is made."""
        await self.later((MONDAY - self.stage.parts.clock.now()).total_seconds() / 60)
        parts, teams = self.stage.parts, {team.name: team for team in self.stage.parts.desk.teams}
        its = [parts.routes.surveys[f"s{n}"] for n in surveys]
        made = [parts.service.post.publish_due(survey, teams[name]) for survey in its for name in survey.teams]
        await asyncio.gather(*made)
        await self.said()

    async def read(self, people: Sequence[Follower]) -> None:
        """All is kept that these did, and answered."""
        accounts = {one.account for one in people} | {"tg"}
        await asyncio.gather(*map(self.stage.parts.presence.catch_up, accounts - {"dc"}))
        await self.said()

    async def later(self, minutes: float = 16) -> None:
        """Time passes on the calendar, and the teams are told of what is new."""
        self.stage.later.by_s += 60 * minutes
        self.stage.sandbox.clocks.skip(60 * minutes)
        await self.said()

    async def said(self) -> None:
        """Whatever is to be carried out and said has been."""
        async with asyncio.timeout(90):
            await self.stage.parts.desk.work()
            while (orders := self._is_any(_COMMAND, ("waiting",))) or self._is_any(_OUTBOX, outbox.MOVING):
                await asyncio.sleep(0.05)
                if orders:
                    await self.stage.parts.desk.work()

    def _is_any(self, rows: Table, states: Sequence[str]) -> bool:
        with self.stage.parts.database.reading() as connection:
            return connection.execute(select(rows.c.state).where(rows.c.state.in_(states)).limit(1)).first() is not None


def button(post: Post, label: str) -> PostButton:
    return next(one for one in post.buttons if one.label == label)


def town(folder: Path) -> AbstractAsyncContextManager[Stage]:
    return served(folder, settings)
