"""The world on the real Telegram stand-in, over HTTP: a bot of a few lines, counting what it is told by its own
reading of the rule, finds exactly what the ledger says."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from sandbox.clocks import Clocks
from sandbox.ledger import Count
from sandbox.seam import AccountPlan, PlacePlan
from sandbox.server import Sandbox
from sandbox.world import ChannelPlan, World

OPENS_AT = datetime(2026, 11, 16, tzinfo=UTC)
WEEK = timedelta(weeks=1)
WEEK_S = 3.0
"""Seconds of the wire in a week."""
GROUP, BROADCAST, BUTTONS = "-1001000000001", "-1001000000002", "-1001000000003"
CHANNELS = (
    ChannelPlan("s", "group", "tg", GROUP, "poll"),
    ChannelPlan("s", "broadcast", "tg", BROADCAST, "poll"),
    ChannelPlan("s", "buttons", "tg", BUTTONS, "buttons"),
    ChannelPlan("s", "direct", "tg", "direct", "direct"),
)
SEED = 7
"""Of so few followers not every seed has one who answers under last week's question."""
SCORES = [str(score) for score in range(11)]
KEYS = json.dumps(
    {"inline_keyboard": [[{"text": s, "callback_data": s} for s in row] for row in (SCORES[:6], SCORES[6:])]}
)


@dataclass
class Bot:
    """Asks, listens and counts."""

    http: aiohttp.ClientSession
    base: str
    clocks: Clocks
    week_of: dict[str, int] = field(default_factory=dict)
    """By poll or message; what is not yet in it was posted a moment ago."""
    answers: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)
    """(week, person) → score and where it came from."""
    started: list[int] = field(default_factory=list)
    broadcasts: list[int] = field(default_factory=list)
    invited: set[tuple[int, int]] = field(default_factory=set)
    week: int = -1

    async def call(self, method: str, **fields: object) -> Any:
        data = {key: str(value) for key, value in fields.items()}
        async with self.http.post(f"{self.base}/{method}", data=data) as response:
            body = await response.json()
            assert body["ok"] or body["error_code"] == 403, body
            return body.get("result")

    async def ask(self) -> None:
        self.week += 1
        for chat, anonymous in ((GROUP, False), (BROADCAST, True)):
            options = json.dumps([{"text": score} for score in SCORES])
            fields = {"options": options, "is_anonymous": anonymous, "question": "How likely?"}
            poll = await self.call("sendPoll", chat_id=chat, **fields)
            self.week_of[poll["poll"]["id"]] = self.week
            if anonymous:
                self.broadcasts.append(poll["message_id"])
        message = await self.call("sendMessage", chat_id=BUTTONS, text="How likely, 0 to 10?", reply_markup=KEYS)
        self.week_of[f"{BUTTONS}:{message['message_id']}"] = self.week
        for person in tuple(self.started):
            await self.invite(person)

    async def invite(self, person: int) -> None:
        if (self.week, person) in self.invited:
            return
        self.invited.add((self.week, person))
        message = await self.call("sendMessage", chat_id=person, text="How likely, 0 to 10?", reply_markup=KEYS)
        if message is not None:
            self.week_of[f"{person}:{message['message_id']}"] = self.week

    async def listen(self) -> None:
        offset = 0
        kinds = json.dumps(["message", "poll_answer", "callback_query"])
        while True:
            for update in await self.call("getUpdates", offset=offset, timeout=5, allowed_updates=kinds):
                offset = update["update_id"] + 1
                await self.hear(update)

    async def hear(self, update: dict[str, Any]) -> None:
        if answer := update.get("poll_answer"):
            key = (self.week_of.get(answer["poll_id"], self.week), answer["user"]["id"])
            if answer["option_ids"]:
                self.answers[key] = (answer["option_ids"][0], answer["poll_id"])
            elif self.answers.get(key, (0, ""))[1] == answer["poll_id"]:
                del self.answers[key]
        elif tap := update.get("callback_query"):
            week = self.week_of.get(f"{tap['message']['chat']['id']}:{tap['message']['message_id']}", self.week)
            if week == self.week:
                self.answers[week, tap["from"]["id"]] = (int(tap["data"]), "tap")
            await self.call("answerCallbackQuery", callback_query_id=tap["id"])
        elif message := update.get("message"):
            if message["text"].isdigit():
                self.answers[self.week, message["from"]["id"]] = (int(message["text"]), "text")
            elif message["text"].startswith("/start"):
                self.started.append(message["from"]["id"])
                if self.week >= 0:
                    await self.invite(message["from"]["id"])

    def count(self, week: int) -> Count:
        return counted([score for (asked, _), (score, _) in self.answers.items() if asked == week])


def counted(scores: list[int]) -> Count:
    return Count(sum(s > 8 for s in scores), sum(6 < s < 9 for s in scores), sum(s < 7 for s in scores))


async def test_a_bot_that_listens_well_counts_what_the_ledger_says() -> None:
    clocks = Clocks(start=OPENS_AT - timedelta(hours=20), speed=WEEK.total_seconds() / WEEK_S)
    places = [
        PlacePlan("tg", GROUP, "group"),
        PlacePlan("tg", BROADCAST, "broadcast"),
        PlacePlan("tg", BUTTONS, "group"),
    ]
    async with (
        asyncio.timeout(60),
        aiohttp.ClientSession() as http,
        Sandbox([AccountPlan("tg", "telegram")], places, clocks) as sandbox,
    ):
        world = World(sandbox, CHANNELS, followers=100, seed=SEED, zone="UTC")
        bot = Bot(http, f"{sandbox.url}/telegram/bot{sandbox.credentials['tg']['token']}", clocks)
        open_polls = []
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(world.run()), tasks.create_task(bot.listen())]
            for number in range(2):
                await until(clocks, OPENS_AT + number * WEEK)
                await bot.ask()
                await until(clocks, OPENS_AT + (number + 1) * WEEK - timedelta(hours=6))
                await world.quiet()
                poll = await bot.call("stopPoll", chat_id=BROADCAST, message_id=bot.broadcasts[number])
                open_polls.append([option["voter_count"] for option in poll["options"]])
            for task in running:
                task.cancel()
    for number, week in enumerate(("2026-W47", "2026-W48")):
        truth = world.ledger.truth("s", week)
        assert truth.named["all"] == bot.count(number)
        assert truth.named["all"].n > 25
        votes = [score for score, n in enumerate(open_polls[number]) for _ in range(n)]
        assert truth.open["broadcast"] == counted(votes)
        assert truth.open["broadcast"].n > 5
    assert any(act.frozen for act in world.ledger.acts)
    assert world.ledger.doubled == []
    assert world.ledger.faults == []


async def until(clocks: Clocks, at: datetime) -> None:
    """Until the calendar shows a time."""
    await asyncio.sleep(max(0.0, clocks.wire_seconds((at - clocks.now()).total_seconds())))
