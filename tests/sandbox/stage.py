"""A stage for the world: stand-ins in memory that keep the sandbox's protocol, a plain bot, and time that jumps.

Nothing waits here. When the world rests, the wire clock moves on to the next thing that is due, so a week of the
calendar passes in a moment and the same seed gives the same run to the last act.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web

from sandbox.clocks import Clocks
from sandbox.seam import AccountPlan, PlacePlan, Post, PostButton
from sandbox.world import ChannelPlan, World

OPENS_AT = datetime(2026, 11, 16, tzinfo=UTC)
"""A Monday; the stage's zone is UTC unless a test says otherwise."""
WEEK = timedelta(weeks=1)
ACCOUNTS = (AccountPlan("tg", "telegram"), AccountPlan("dc", "discord"), AccountPlan("bird", "x"))
CHANNELS = (
    ChannelPlan("s", "tg-group", "tg", "-1", "poll"),
    ChannelPlan("s", "tg-channel", "tg", "-2", "poll"),
    ChannelPlan("s", "tg-buttons", "tg", "-3", "buttons"),
    ChannelPlan("s", "tg-direct", "tg", "direct", "direct"),
    ChannelPlan("s", "dc-poll", "dc", "11", "poll"),
    ChannelPlan("s", "dc-buttons", "dc", "12", "buttons"),
    ChannelPlan("s", "dc-direct", "dc", "direct", "direct"),
    ChannelPlan("s", "x-poll", "bird", "timeline", "poll"),
    ChannelPlan("s", "x-replies", "bird", "timeline", "replies"),
    ChannelPlan("s", "x-direct", "bird", "direct", "direct"),
)


@dataclass(frozen=True)
class Seen:
    """An act as it reached the platform."""

    platform: str
    person: str
    what: str


class MemoryStandIn:
    """A platform without wires. It takes every act that its app would show, and tells the stage."""

    def __init__(self, platform: str, stage: MemoryStage) -> None:
        self.platform = platform
        self.stage = stage
        self.people: list[str] = []
        self.admins: list[str] = []
        self.votes: dict[tuple[str, str], dict[str, int]] = {}

    def application(self) -> web.Application:
        return web.Application()

    def add_account(self, plan: AccountPlan) -> dict[str, str]:
        return {}

    def add_place(self, plan: PlacePlan) -> None:
        """Places need no care here."""

    def add_person(self, *, name: str, language: str = "en") -> str:
        self.people.append(f"{self.platform[0]}{len(self.people)}")
        return self.people[-1]

    def promote(self, account: str, place: str, person: str) -> None:
        self.admins.append(person)

    async def open_direct(self, account: str, person: str, payload: str = "") -> bool:
        async with self.stage.act(self.platform, person, "start"):
            self.stage.reached(account, person)
            return True

    async def write(
        self, account: str, person: str, text: str, *, place: str = "direct", reply_to: Post | None = None
    ) -> str | None:
        async with self.stage.act(self.platform, person, f"write {text}"):
            if place == "direct":
                self.stage.heard(account, person, text)
            return f"{person}:{text}"

    async def vote(self, person: str, post: Post, option: int | None) -> bool:
        async with self.stage.act(self.platform, person, f"vote {option}"):
            votes = self.votes.setdefault((post.place, post.id), {})
            if self.stage.now >= (post.closes_at or post.at) or (self.platform == "x" and person in votes):
                return False
            if option is None:
                return votes.pop(person, None) is not None
            votes[person] = option
            return True

    async def tap(self, person: str, post: Post, button: PostButton) -> bool:
        async with self.stage.act(self.platform, person, f"tap {button.data}"):
            return self.stage.tapped(self.platform, person, post, button)

    async def fill(self, person: str, post: Post, button: PostButton, text: str) -> bool:
        async with self.stage.act(self.platform, person, f"fill {text}"):
            return self.platform == "discord"

    async def block(self, account: str, person: str) -> None:
        async with self.stage.act(self.platform, person, "block"):
            self.stage.direct.discard((account, person))

    def visible_totals(self, post: Post) -> tuple[int, ...] | None:
        if self.platform == "x":
            return None
        votes = Counter(self.votes.get((post.place, post.id), {}).values())
        return tuple(votes[index] for index in range(len(post.options)))


class _Acting:
    """Notes an act at once, then takes a little while, so that acts overlap."""

    def __init__(self, stage: MemoryStage, seen: Seen) -> None:
        self.stage, self.seen = stage, seen

    async def __aenter__(self) -> None:
        self.stage.stream.append(self.seen)
        self.stage.in_flight.append(self.seen)
        self.stage.most_in_flight = max(self.stage.most_in_flight, len(self.stage.in_flight))
        if sum(other.person == self.seen.person for other in self.stage.in_flight) > 1:
            self.stage.overlaps.append(self.seen)
        for _ in range(self.stage.slowness):
            await asyncio.sleep(0)
        if self.stage.takes:
            over = asyncio.Event()
            self.stage.at(self.stage.now + self.stage.takes, over.set)
            await over.wait()

    async def __aexit__(self, *_: object) -> None:
        self.stage.in_flight.remove(self.seen)


@dataclass
class MemoryStage:
    """What the world sees of a sandbox, and the bot that posts in it."""

    accounts: Sequence[AccountPlan] = ACCOUNTS
    channels: Sequence[ChannelPlan] = CHANNELS
    weeks: int = 3
    slowness: int = 2
    """How many turns of the event loop an act takes."""
    takes: timedelta = timedelta(0)
    """How much of the calendar an act takes."""
    scores: Sequence[int] = range(11)
    """What the bot's polls and buttons offer."""
    delay: timedelta = timedelta(minutes=10)
    """How long after its opening the bot asks."""
    heeds_stop: bool = True
    tap_works: Callable[[str], bool] = lambda _: True
    watchers: list[Callable[[Post], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wire = 0.0
        self.clocks = Clocks(start=OPENS_AT - timedelta(hours=8), speed=40_000, wire=lambda: self.wire)
        self.stand_ins = {p: MemoryStandIn(p, self) for p in ("telegram", "discord", "x")}
        self.stream: list[Seen] = []
        self.in_flight: list[Seen] = []
        self.most_in_flight = 0
        self.overlaps: list[Seen] = []
        self.direct: set[tuple[str, str]] = set()
        self.invited: set[tuple[str, str, int]] = set()
        self.posted = self.added = 0
        self.week = -1
        self.ended = asyncio.Event()
        self._agenda: list[tuple[datetime, int, Callable[[], object]]] = []
        for number in range(self.weeks):
            self.at(OPENS_AT + number * WEEK + self.delay, self._ask)
        self.at(OPENS_AT + self.weeks * WEEK, self.ended.set)

    @property
    def now(self) -> datetime:
        return self.clocks.now()

    def at(self, when: datetime, do: Callable[[], object]) -> None:
        """Let the bot, or the machine, do something at a time."""
        self.added += 1
        heapq.heappush(self._agenda, (when, self.added, do))

    def act(self, platform: str, person: str, what: str) -> _Acting:
        return _Acting(self, Seen(platform, person, what))

    async def pause(self, event: asyncio.Event, seconds: float | None) -> None:
        """Time jumps to what is due next, once nothing more happens by itself."""
        for _ in range(self.slowness + 2):
            await asyncio.sleep(0)
            if event.is_set():
                return
        until = self._agenda[0][0] if self._agenda else None
        left = None if until is None else max(0.0, (until - self.now).total_seconds() / self.clocks.speed)
        if left is not None and (seconds is None or left <= seconds):
            self.wire += left + 1e-9
            heapq.heappop(self._agenda)[2]()
        elif seconds is not None:
            self.wire += seconds + 1e-9
        else:
            await event.wait()

    async def play(self, world: World) -> World:
        """Run the world through all weeks."""
        running = asyncio.ensure_future(world.run())
        ended = asyncio.ensure_future(self.ended.wait())
        try:
            async with asyncio.timeout(60):
                await asyncio.wait((running, ended), return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    running.result()
                await world.quiet()
        finally:
            for task in (running, ended):
                task.cancel()
            await asyncio.gather(running, ended, return_exceptions=True)
        return world

    # The bot

    def _ask(self) -> None:
        self.week += 1
        for channel in self.channels:
            if channel.kind != "direct":
                self.post(channel)
        for account, person in sorted(self.direct):
            self.invite(account, person)

    def post(self, channel: ChannelPlan) -> Post:
        labels = tuple(str(score) for score in self.scores)
        buttons = tuple(PostButton(label, label) for label in labels)
        if channel.account == "dc":
            buttons += (PostButton("Ask me by DM", "dm"),)
        return self.show(
            channel.account,
            channel.place,
            options=labels if channel.kind == "poll" else (),
            names_voters=channel.kind == "poll" and channel.name not in ("tg-channel", "x-poll"),
            buttons=buttons if channel.kind == "buttons" else (),
            closes_at=OPENS_AT + (self.week + 1) * WEEK if channel.kind == "poll" else None,
        )

    def show(
        self,
        account: str,
        place: str,
        text: str = "How likely are you to recommend us?",
        *,
        to: str | None = None,
        options: tuple[str, ...] = (),
        names_voters: bool = False,
        buttons: tuple[PostButton, ...] = (),
        closes_at: datetime | None = None,
    ) -> Post:
        """Post something and let people see it."""
        self.posted += 1
        platform = next(plan.platform for plan in self.accounts if plan.name == account)
        post = Post(
            platform, account, place, to, str(self.posted), text, self.now, options, names_voters, closes_at, buttons
        )
        for watcher in self.watchers:
            watcher(post)
        return post

    def invite(self, account: str, person: str) -> None:
        if self.week < 0 or (account, person, self.week) in self.invited:
            return
        self.invited.add((account, person, self.week))
        buttons = () if account == "bird" else tuple(PostButton(str(s), f"d{s}") for s in self.scores)
        words = f"How likely are you to recommend us, {min(self.scores)} to 10?"
        self.show(account, "direct", words, to=person, buttons=buttons)

    def reached(self, account: str, person: str) -> None:
        self.direct.add((account, person))
        self.invite(account, person)

    def heard(self, account: str, person: str, text: str) -> None:
        if text == "stop":
            if self.heeds_stop:
                self.direct.discard((account, person))
                self.show(account, "direct", "We will not write to you again.", to=person)
        elif text.isdigit():
            self.show(account, "direct", "Thanks! What is the main reason?", to=person)
        elif account == "bird":
            self.reached(account, person)

    def tapped(self, platform: str, person: str, post: Post, button: PostButton) -> bool:
        if not self.tap_works(person):
            return False
        if button.data == "dm":
            self.reached(post.account, person)
        elif platform == "discord":
            why = (PostButton("Tell us why", "why"),)
            self.show(post.account, post.place, "Thanks!", to=person, buttons=why)
        elif post.place == "direct":
            self.show(post.account, "direct", "Thanks! What is the main reason?", to=person)
        return True


async def lived(stage: MemoryStage | None = None, *, followers: int = 200, seed: int = 1, **more: object) -> World:
    """A world after all weeks of its stage."""
    stage = stage or MemoryStage()
    options: dict[str, object] = {"zone": "UTC", "wait": stage.pause, **more}
    world = World(stage, stage.channels, followers=followers, seed=seed, **options)  # type: ignore[arg-type]
    return await stage.play(world)
