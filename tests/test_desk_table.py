"""Who may ask for what, and where: every cell of the table is tried on the sandbox, and its effect is seen there.

Rows are people, columns are places, and each is tried with every command, in a world where what it does would show:
only who administers the team's own place gets that (``desk_effects``), and only there. Whoever else asks in the team's
place is told no; elsewhere nothing comes of it, but that who asks directly is told where it works. In every cell the
service ticks, and whatever it says anywhere is looked at.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from core.orders import Name
from tests.desk_effects import CONSEQUENCES, EFFECTS, NEWCOMER, Kept, World, changed, kept, restore, worlds
from tests.desk_stage import ASKED_IN, COMMANDS, DESK, LOUNGE, TEAMS, UNKNOWN, Stage, staged

NO = "Only who administers this place may ask"
NOT_HERE = "This works in the team's own channel only."
AT_ONCE = "One moment."
WHO_ASKS = "Acme asks how likely you are to recommend it"
"""What /help answers everybody directly."""


@dataclass
class Table:
    """Where cells are tried, all on one stage."""

    stage: Stage
    worlds: Mapping[World, Kept]
    names: dict[str, str]
    """By id, of those who get something by orders."""
    now: Kept
    """What is kept."""

    async def shows(self, order: Order, giving: Awaitable[object], answers: Mapping[str, str]) -> None:
        """Give an order: after a tick these answers have come, by where, and what the command does if it may be given;
        else all went on as if nobody had given it."""
        effect = EFFECTS[order.command]
        await self._begin(effect.world)
        n = len(self.stage.posts)
        await giving
        await self.stage.ticked()
        shown, keeps = (effect.shows, effect.keeps) if order.may else (CONSEQUENCES[effect.world], ())
        new: dict[str, list[str]] = {}
        for post in self.stage.posts[n:]:
            where = post.to or post.place
            new.setdefault(self.names.get(where, where), []).append(post.text)
        assert new.keys() == answers.keys() | shown.keys(), (order, new)
        for where, words in {**answers, **shown}.items():
            said = "\n".join(new[where])
            assert (said.startswith(words), said.count(words)) == (True, 1), (order, new)
            assert not order.may or not [its for its in order.other_answers() if said.startswith(its)], (order, new)
        if NEWCOMER in new:  # nobody is invited twice
            self.names = {person: name for person, name in self.names.items() if name != NEWCOMER}
        with self.stage.parts.database.reading() as connection:
            self.now = kept(connection)
        assert changed(self.worlds[effect.world], self.now) == {order.fill(words) for words in keeps}, order

    async def _begin(self, world: World) -> None:
        """Make a world; where it matters, somebody has come who was not invited."""
        if self.now != self.worlds[world]:
            await self.stage.parts.database.write(partial(restore, self.stage, self.worlds[world]))
            self.stage.discord.state.applications["dc"].nonces.clear()  # as minutes later
        if world is not World.ASKED and NEWCOMER not in self.names.values():
            person = self.stage.telegram.add_person(name="New")
            self.names[person] = NEWCOMER
            await self.stage.telegram.open_direct("tg", person)


@dataclass(frozen=True)
class Order:
    """A command, where it is given, and by whom if they may."""

    command: str
    where: str
    who: str
    team: str = ""
    may: bool = False

    def fill(self, words: str) -> str:
        return words.format(who=self.who, team=self.team)

    @property
    def answer(self) -> str:
        """How the answer begins where it may be given."""
        return self.fill(EFFECTS[self.command].says)

    def other_answers(self) -> list[str]:
        """How the answers to all other commands begin."""
        return [self.fill(its.says) for name, its in EFFECTS.items() if name != self.command]


def raw(stage: Stage, place: str, person: str, text: str, **more: Any) -> None:
    """A message in a group as Telegram shows it to bots. Source: https://core.telegram.org/bots/api#message"""
    chat = stage.telegram.state.chats[int(place)]
    message = {"message_id": chat.next_id(), "date": int(stage.sandbox.clocks.now().timestamp()), "text": text}
    sender = {"from": stage.telegram.state.people[int(person)].wire()}
    stage.telegram.stream("tg").put("message", {**message, "chat": chat.wire(), **sender, **more})


async def order_on_telegram(stage: Stage, who: str, person: str, place: str, text: str) -> None:
    chat = stage.telegram.state.chats.get(int(place)) if place != "direct" else None
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    if who == "anonymous" and chat is not None:
        raw(stage, place, person, text, **{"from": anonymous}, sender_chat=chat.wire())
    elif who == "passed on" and chat is not None:
        date = int(stage.sandbox.clocks.now().timestamp())
        origin = {"type": "user", "date": date, "sender_user": stage.telegram.state.people[int(person)].wire()}
        raw(stage, place, person, text, forward_origin=origin)
    elif who == "edited":
        message = await stage.telegram.write("tg", person, "hello @tg_bot /", place=place)
        if message is not None:
            await stage.telegram.rewrite("tg", person, message, text, place=place)
    else:
        await stage.telegram.write("tg", person, text, place=place)
    await stage.settled()


def written(stage: Stage, command: str) -> str:
    """A command as it is written on Telegram, with what stands behind it."""
    return f"{stage.order(command)} {EFFECTS[command].behind}".strip()


async def people_on_telegram(stage: Stage) -> dict[str, str]:
    people = {who: stage.telegram.add_person(name=who) for who in TEAMS if who != "owner"}
    for who in ("admin", "demoted", "anonymous", "passed on", "edited"):
        stage.telegram.promote("tg", TEAMS[who], people[who])
    stage.telegram.state.chats[int(TEAMS["demoted"])].administrators.discard(int(people["demoted"]))
    owner = min(stage.telegram.state.chats[int(TEAMS["owner"])].administrators)
    return people | {"owner": str(owner)}


def answers_on_telegram(order: Order, who: str, person: str) -> dict[str, str]:
    """What is answered, by where. Who may not is told so once for a while; /help is everybody's in direct messages."""
    if order.may:
        return {order.where: order.answer}
    if order.where == "direct" and who != "edited":
        return {person: WHO_ASKS if order.command == Name.HELP else NOT_HERE}
    told = order.where == TEAMS[who] and who in ("member", "demoted") and order.command == COMMANDS[0]
    return {order.where: NO} if told else {}


async def tried(stage: Stage, people: Collection[str]) -> Table:
    """A table of which no cell was tried yet."""
    found, names = await worlds(stage, people)
    return Table(stage, found, names, found[World.UNASKED])


async def test_every_cell_on_telegram(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        people = await people_on_telegram(stage)
        table = await tried(stage, people.values())
        found = Counter[str]()
        for command, (who, person) in product(COMMANDS, people.items()):  # a chat takes one message in a second
            for where in (TEAMS[who], ASKED_IN, UNKNOWN, "direct"):
                name, may = stage.telegram.state.people[int(person)].name, who in ("admin", "owner")
                order = Order(command, where, name, f"t{TEAMS[who][1:]}", may=may and where == TEAMS[who])
                giving = order_on_telegram(stage, who, person, where, written(stage, command))
                answers = answers_on_telegram(order, who, person)
                await table.shows(order, giving, answers)
                found["done" if order.may else "".join(answers.values())] += 1
        assert found == {"done": 30, NO: 2, WHO_ASKS: 6, NOT_HERE: 84, "": 298}
        assert found.total() == len(TEAMS) * 4 * len(COMMANDS) == 420
        spoke = ("admin", "owner", "member", "demoted")
        asked = {(people[who], written(stage, command)) for who in spoke for command in COMMANDS}
        assert {(person, said) for _, person, said, _ in stage.log()} == asked
        assert Counter(state for *_, state in stage.log()) == {"done": 30, "refused": 30}


async def test_every_cell_on_discord(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        people = {who: stage.discord.add_person(name=who) for who in ("admin", "member", "left")}
        stage.discord.promote("dc", DESK, people["admin"])
        stage.discord.promote("dc", DESK, people["left"])
        await stage.settled("dc")
        application = stage.discord.state.applications["dc"]
        assert {command["name"] for command in application.every_command()} == set(COMMANDS)
        assert {command["default_member_permissions"] for command in application.every_command()} == {str(1 << 5)}
        table = await tried(stage, ())
        cells = list(product(COMMANDS, people, (DESK, LOUNGE, "direct")))
        for command, who, where in cells:
            order = Order(command, where, who, "desk", may=(who, where) == ("admin", DESK))
            giving = order_on_discord(stage, people[who], who, where, command)
            await table.shows(order, giving, answers_on_discord(order, people[who]))
        assert len(cells) == 135
        assert Counter(state for *_, state in stage.log()) == {"done": 15, "refused": 15}


def answers_on_discord(order: Order, person: str) -> dict[str, str]:
    """What is answered, by where. Whom Discord itself does not show the commands, uses none."""
    if order.who == "member" or order.where == "direct":
        return {}
    if order.where == LOUNGE:
        return {person: NOT_HERE}
    said = {order.where: order.answer} if order.may else {order.where: NO} if order.command == COMMANDS[0] else {}
    return {person: AT_ONCE, **said}


async def order_on_discord(stage: Stage, person: str, who: str, where: str, command: str) -> None:
    """Use a slash command. Who left may still have it before them: it is gone only when Discord hears of it."""
    guild, behind = stage.discord.state.applications["dc"].guild, EFFECTS[command].behind
    guild.left.discard(int(person))
    options = {"what": behind} if behind else {}
    using = asyncio.create_task(stage.discord.command("dc", person, command, place=where, options=options))
    if who == "left":
        await asyncio.sleep(0)
        guild.left.add(int(person))
    await using  # it is answered once it is kept
    await stage.settled()  # who has come to Telegram is known, too
