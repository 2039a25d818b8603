"""What people may expect of the bot: an honest one is not blamed, and each kind of rudeness is named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from sandbox.manners import Manners
from sandbox.seam import Post
from sandbox.world import ChannelPlan, World
from tests.sandbox.stage import OPENS_AT, WEEK, MemoryStage, lived
from tests.sandbox.test_ledger import DIRECT, MONDAY, new_ledger

WEEKS = ("2026-W47", "2026-W48", "2026-W49")


def faults(world: World) -> list[str]:
    return Manners(world.ledger, {"s": WEEKS}).faults()


@dataclass
class Rude(MemoryStage):
    """A bot with one bad habit."""

    habit: str = ""

    def post(self, channel: ChannelPlan) -> Post:
        second = self.week == 1 and channel.name in ("tg-buttons", "x-poll")
        if second and self.habit == "keeps quiet":
            return Post("telegram", "tg", "-9", None, "0", "", self.now)
        if second and self.habit == "asks twice":
            super().post(channel)
        return super().post(channel)

    def invite(self, account: str, person: str) -> None:
        if self.habit != "invites half" or int(person[1:]) % 2:
            super().invite(account, person)

    def heard(self, account: str, person: str, text: str) -> None:
        if self.habit == "thanks nobody" and text.isdigit():
            return
        super().heard(account, person, text)
        if (self.habit, text.isdigit()) == ("thanks twice", True) or (self.habit, text) == ("goodbye twice", "stop"):
            super().heard(account, person, text)
        if (self.habit, text) == ("comes back", "stop"):
            self.at(self.now + timedelta(days=2), lambda: self.show(account, "direct", "We miss you", to=person))
            self.at(self.now + timedelta(days=3), lambda: self.show(account, "direct", "Do come back", to=person))


@pytest.mark.parametrize(("followers", "seed"), [(50, 1), (200, 3), (2000, 2)])
async def test_an_honest_bot_is_not_blamed(followers: int, seed: int) -> None:
    assert faults(await lived(followers=followers, seed=seed)) == []


async def test_a_bot_that_asks_late_in_the_week_is_not_blamed() -> None:
    assert faults(await lived(MemoryStage(delay=WEEK * 0.5), followers=200)) == []


@pytest.mark.parametrize(
    ("habit", "said"),
    [
        ("keeps quiet", {"2026-W48 tg-buttons: asked 0 times", "2026-W48 x-poll: asked 0 times"}),
        ("asks twice", {"2026-W48 tg-buttons: asked 2 times", "2026-W48 x-poll: asked 2 times"}),
        ("invites half", {"who could expect it were not invited"}),
        ("thanks nobody", {"tg-direct: ", "dc-direct: ", "typed scores got no thanks within their week"}),
        ("thanks twice", {"was told twice: 'Thanks! What is the main reason?'"}),
        ("goodbye twice", {"was told twice: 'We will not write to you again.'"}),
        ("comes back", {"was written to after a stop"}),
    ],
)
@pytest.mark.parametrize("followers", [60, 400])
async def test_a_bad_habit_is_named(habit: str, said: set[str], followers: int) -> None:
    found = faults(await lived(Rude(habit=habit), followers=followers, seed=3))
    assert found
    for words in said:
        assert any(words in fault for fault in found), (words, found)
    assert all(any(words in fault for words in said) for fault in found)


async def test_who_does_not_heed_a_stop_says_no_goodbye_and_comes_again() -> None:
    found = faults(await lived(MemoryStage(heeds_stop=False), followers=60))
    assert sum("who said stop got no goodbye" in fault for fault in found) == 3
    assert any("was written to after a stop" in fault for fault in found)


async def test_a_bot_held_up_by_a_rate_is_blamed_only_when_it_invites_nobody() -> None:
    @dataclass
    class Slow(MemoryStage):
        everybody: bool = True

        def invite(self, account: str, person: str) -> None:
            number = sum(key[0] == account for key in self.waiting)
            if (account, person, self.week) in self.waiting or self.week < 0:
                return
            self.waiting.add((account, person, self.week))
            at = OPENS_AT + WEEK * (self.week + 0.8)
            if self.everybody and number % 2 and at > self.now:
                self.at(at, lambda: super(Slow, self).invite(account, person))

        def __post_init__(self) -> None:
            super().__post_init__()
            self.waiting: set[tuple[str, str, int]] = set()

    assert not [fault for fault in faults(await lived(Slow(weeks=3), followers=200)) if "invited" in fault]
    nobody = faults(await lived(Slow(everybody=False), followers=200))
    assert sum("were not invited" in fault for fault in nobody) >= 6


def test_after_a_stop_one_late_goodbye_is_welcome_and_nothing_more() -> None:
    ledger = new_ledger()
    ledger.record("stop", DIRECT, at=MONDAY, platform="telegram", person="a", direct=True, accepted=True)

    def says(text: str, hours: int, to: str = "a") -> Post:
        said = Post("telegram", "tg", "direct", to, f"{to}{hours}", text, MONDAY + timedelta(hours=hours))
        ledger.see(said)
        return said

    says("Thanks, underway", 3)
    says("Goodbye", 30)
    says("Thanks", 31, to="b")
    assert ledger.unwelcome == []
    more = [says("Goodbye", 32), says("We miss you", 300)]
    assert ledger.unwelcome == more


def test_the_same_thanks_in_the_next_week_are_for_the_next_answer() -> None:
    ledger = new_ledger()

    def does(kind: str, hours: float) -> None:
        at = MONDAY + timedelta(hours=hours)
        ledger.record(kind, DIRECT, at=at, platform="telegram", person="a", direct=True, accepted=True)

    def thanks(hours: float) -> None:
        at = MONDAY + timedelta(hours=hours)
        ledger.see(Post("telegram", "tg", "direct", "a", f"a{hours}", "Thanks!", at))

    does("comment", 0)
    thanks(5)
    does("comment", 218)
    thanks(220)
    assert Manners(ledger, {}).faults() == []
    thanks(221)
    assert Manners(ledger, {}).faults() == ["tg: a was told twice: 'Thanks!'"]


async def test_a_poll_that_is_closed_before_its_week_ends_is_noticed() -> None:
    @dataclass
    class Hasty(MemoryStage):
        def show(self, *arguments: Any, **more: Any) -> Post:
            closes_at = more.get("closes_at")
            return super().show(*arguments, **more | {"closes_at": closes_at and closes_at - WEEK / 2})

    world = await lived(Hasty(weeks=1), followers=200)
    assert any("could not answer: the vote was refused" in fault for fault in world.ledger.faults)
