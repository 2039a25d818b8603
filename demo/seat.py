"""A seat in the teams' places of the sandbox, for whoever runs it in a terminal: what Vouch posts there is printed, and
what is typed is done there, as one of the team would in the app."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from core.settings import Settings
from sandbox.discord import DiscordStandIn
from sandbox.office import Duty, asked
from sandbox.seam import Post
from sandbox.server import Sandbox
from sandbox.telegram import TelegramStandIn

HELP = (
    "You are one of the team. Type a command of the desk, such as /score (/help lists them), 3a to tap the button (a) "
    "of message 3, or 3 and your words to answer it."
)

LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ABOUT = re.compile(r"(\d+)(?: *([a-z])| +(.+))")


@dataclass(frozen=True, slots=True)
class Place:
    """A team's place, and who we are there."""

    team: str
    account: str
    id: str
    stand_in: TelegramStandIn | DiscordStandIn
    me: str


class Seat:
    """One of the team, in each of its places. ``say`` prints."""

    def __init__(self, places: Iterable[Place], say: Callable[[str], None]) -> None:
        self._say = say
        self._places = {(place.account, place.id): place for place in places}
        self._here = next(iter(self._places.values()))
        self._posts: list[Post] = []
        """What was printed, by its number less one."""

    def see(self, post: Post) -> None:
        """Vouch posted something, or edited it."""
        place = self._places.get((post.account, post.place))
        if place is None or post.to not in (None, place.me):
            return
        self._here = place
        before = [number for number, one in enumerate(self._posts) if post.edited and _is_same(one, post)]
        if before:
            self._posts[before[0]] = post
        else:
            self._posts.append(post)
        number = before[0] + 1 if before else len(self._posts)
        whose = f"only you in {place.team}'s place" if post.to is not None else f"{place.team}'s place"
        head = f"[{number}] {whose} on {place.account}, {post.at:%a %d %b %H:%M}{', changed' if before else ''}"
        buttons = "  ".join(f"({letter}) {button.label}" for letter, button in zip(LETTERS, post.buttons, strict=False))
        self._say("\n".join(("", head, post.text, *([buttons] if buttons else []))))

    async def do(self, line: str) -> None:
        """What somebody typed."""
        line = line.strip()
        if line.startswith("/"):
            taken = await self._use(line)
        elif found := _ABOUT.fullmatch(line):
            taken = await self._about(found)
        else:
            self._say(HELP)
            return
        if not taken:
            self._say("The app did not take that: nobody is there to hear it, or there is no such thing here.")

    async def _use(self, line: str) -> bool:
        here = self._here
        return await here.stand_in.use(here.account, here.me, line, place=here.id)

    async def _about(self, found: re.Match[str]) -> bool:
        number, letter, words = int(found[1]), found[2], found[3]
        if not 1 <= number <= len(self._posts):
            return False
        post = self._posts[number - 1]
        here = self._here = self._places[post.account, post.place]
        if letter is not None:
            button = dict(zip(LETTERS, post.buttons, strict=False)).get(letter)
            return button is not None and await here.stand_in.tap(here.me, post, button)
        if isinstance(here.stand_in, DiscordStandIn):  # what is answered there goes into a form
            form = next((button for duty, button in asked(post) if duty is Duty.REPLY), None)
            return form is not None and await here.stand_in.fill(here.me, post, form, words)
        return await here.stand_in.write(here.account, here.me, words, place=here.id, reply_to=post) is not None


def _is_same(one: Post, other: Post) -> bool:
    return (one.account, one.place, one.id) == (other.account, other.place, other.id)


def places_of(settings: Settings, sandbox: Sandbox) -> list[Place]:
    """The teams' places on Telegram and Discord, with one more teammate in each."""
    found: dict[tuple[str, str], Place] = {}
    for name, team in settings.teams.items():
        stand_in = sandbox.stand_ins[settings.accounts[team.account].platform]
        where = (team.account, team.place)
        if isinstance(stand_in, TelegramStandIn | DiscordStandIn) and where not in found:
            me = stand_in.add_person(name="You")
            stand_in.promote(*where, me)
            found[where] = Place(name, *where, stand_in, me)
    return list(found.values())


def listen(do: Callable[[str], Coroutine[Any, Any, None]]) -> None:
    """Give what is typed to ``do``, a line at a time, until there is no more. Nobody waits for the thread in the end:
    it may wait for a line that never comes."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            asyncio.run_coroutine_threadsafe(do(line), loop)

    threading.Thread(target=read, name="vouch-typed", daemon=True).start()
