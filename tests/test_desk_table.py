"""Who may ask for what, and where: every cell of the table is tried on the sandbox, and its effect is seen there.

Rows are people, columns are places, and each is tried with every command: only who administers the team's own place
gets an answer, and only there. Whoever else asks in the team's place is told no; elsewhere nothing comes of it.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from sandbox.seam import Post
from tests.desk_stage import ASKED_IN, COMMANDS, DESK, LOUNGE, TEAMS, UNKNOWN, Stage, staged

NOTHING, ANSWERED, REFUSED, TOLD = "nothing", "answered", "refused", "told not here"
ON_DISCORD = {
    ("admin", DESK): ANSWERED,
    ("admin", LOUNGE): TOLD,
    ("left", DESK): REFUSED,
    ("left", LOUNGE): TOLD,
}
"""Whom Discord itself does not show the commands, uses none."""


def came_of(new: list[Post], place: str, private: list[Post]) -> str:
    """What became of an order, as its place shows it; anything elsewhere is a fault."""
    if private and not [post for post in private if "One moment" in post.text]:
        return TOLD
    here = [post for post in new if post.place == place]
    assert [post for post in new if post.place != place and not post.options] == []
    if not here:
        return NOTHING
    return REFUSED if re.search("Only who administers this place may ask", here[0].text) else ANSWERED


def asks(post: Post) -> bool:
    """Whether it is the survey's own question: /ask may bring it about."""
    return len(post.buttons) > 10


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


async def test_every_cell_on_telegram(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        people = {who: stage.telegram.add_person(name=who) for who in TEAMS}
        for who in ("admin", "demoted", "anonymous", "passed on", "edited"):
            stage.telegram.promote("tg", TEAMS[who], people[who])
        owner = min(stage.telegram.state.chats[int(TEAMS["owner"])].administrators)
        people["owner"] = str(owner)
        stage.telegram.state.chats[int(TEAMS["demoted"])].administrators.discard(int(people["demoted"]))
        for person in people.values():
            await stage.telegram.open_direct("tg", person)
        await stage.settled()
        table_, cells = Counter[str](), 0
        for command, (who, person) in product(COMMANDS, people.items()):  # a chat takes one message in a second
            for where in (TEAMS[who], ASKED_IN, UNKNOWN, "direct"):
                before = len(stage.posts)
                await order_on_telegram(stage, who, person, where, stage.order(command))
                await stage.settled()
                new = [post for post in stage.posts[before:] if post.to is None and not asks(post)]
                found = came_of(new, where, [])
                wanted = NOTHING
                if where == TEAMS[who] and who in ("admin", "owner"):
                    wanted = ANSWERED
                elif where == TEAMS[who] and who in ("member", "demoted") and command == COMMANDS[0]:
                    wanted = REFUSED  # and no second time for a while
                assert found == wanted, (who, where, command, [post.text for post in new])
                table_[found] += 1
                cells += 1
        assert cells == len(TEAMS) * 4 * len(COMMANDS) == 420
        assert table_ == {ANSWERED: 30, REFUSED: 2, NOTHING: 388}
        log = stage.log()
        spoke = ("admin", "owner", "member", "demoted")
        asked = {(people[who], stage.order(command)) for who in spoke for command in COMMANDS}
        assert {(person, said) for _, person, said, _ in log} == asked
        assert Counter(state for *_, state in log) == {"done": 30, "refused": 30}


async def test_every_cell_on_discord(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        people = {who: stage.discord.add_person(name=who) for who in ("admin", "member", "left")}
        stage.discord.promote("dc", DESK, people["admin"])
        stage.discord.promote("dc", DESK, people["left"])
        await stage.settled("dc")
        application = stage.discord.state.applications["dc"]
        assert {command["name"] for command in application.every_command()} == set(COMMANDS)
        assert {command["default_member_permissions"] for command in application.every_command()} == {str(1 << 5)}
        cells: Mapping[tuple[str, str, str], str] = {
            (who, where, command): await on_discord(stage, people[who], who, where, command)
            for who in people
            for where in (DESK, LOUNGE, "direct")
            for command in COMMANDS
        }
        for (who, where, command), found in cells.items():
            wanted = ON_DISCORD.get((who, where), NOTHING)
            if wanted == REFUSED and command != COMMANDS[0]:
                wanted = NOTHING
            assert found == wanted, (who, where, command)
        assert len(cells) == 135
        assert Counter(state for *_, state in stage.log()) == {"done": 15, "refused": 15}


async def on_discord(stage: Stage, person: str, who: str, where: str, command: str) -> str:
    """Use a slash command. Who left may still have it before them: it is gone only when Discord hears of it."""
    before = len(stage.posts)
    guild = stage.discord.state.applications["dc"].guild
    guild.left.discard(int(person))
    using = asyncio.create_task(stage.discord.command("dc", person, command, place=where))
    if who == "left":
        await asyncio.sleep(0)
        guild.left.add(int(person))
    await using  # it is answered once it is kept
    await stage.settled(None)
    new = stage.posts[before:]
    return came_of([p for p in new if p.to is None and not asks(p)], where, [p for p in new if p.to is not None])
