"""Somebody of a team does what its messages ask for, once, and writes it down."""

from __future__ import annotations

from datetime import timedelta

from sandbox.office import Duty, TeamPlan
from sandbox.seam import Post, PostButton
from sandbox.world import World
from tests.sandbox.stage import CHANNELS, MemoryStage

TAKE, REPLY, CLOSE, OWN, DONE, NEXT = (
    PostButton(label, label) for label in ("I take it", "Reply", "Close it", "I own it", "C'est fait", "Take a case")
)


class Team(MemoryStage):
    """A team's place, whose messages are given by the test."""

    def says(self, text: str, *buttons: PostButton, place: str = "-9", to: str | None = None) -> Post:
        return self.show("tg", place, text, to=to, buttons=buttons)


async def lived(stage: Team, **plan: object) -> World:
    """A world whose team acts; it ends when the stage does."""
    teams = [TeamPlan("tg", "-9", **plan)]  # type: ignore[arg-type]
    return await stage.play(
        World(stage, stage.channels, followers=0, seed=1, zone="UTC", teams=teams, wait=stage.pause)
    )


def did(world: World) -> list[tuple[str, str]]:
    """What the teammate did, in order."""
    acts = world.ledger.acts
    return [(act.kind, act.text or (act.post.text if act.post else "")) for act in acts]


async def test_a_case_is_taken_answered_and_closed() -> None:
    stage = Team(channels=CHANNELS[3:4], weeks=1)
    start = stage.now
    steps = (
        lambda: stage.says("Case 7: 2 of 10", TAKE, REPLY),
        lambda: stage.says("Case 7: 2 of 10, Léa has it", REPLY, CLOSE),
        lambda: stage.says("Case 7: the customer answers", REPLY, CLOSE),
        lambda: stage.says("Case 8: 2 of 10", TAKE, REPLY),
    )
    for day, step in enumerate(steps):
        stage.at(start + timedelta(days=1 + day), step)
    world = await lived(stage)
    assert did(world) == [
        ("order", "Case 7: 2 of 10"),
        ("note", "We are sorry, and we look into it. Your reference: tg-1."),
        ("order", "Case 7: the customer answers"),
    ]
    assert [act.accepted for act in world.ledger.acts] == [True] * 3
    assert [seen.what for seen in stage.stream] == ["tap I take it", f"write {did(world)[1][1]}", "tap Close it"]
    assert stage.stand_ins["telegram"].admins == [world.ledger.acts[0].person]


async def test_who_takes_nothing_answers_at_once() -> None:
    stage = Team(channels=CHANNELS[3:4], weeks=1)
    stage.at(stage.now, lambda: stage.says("Case 7: 2 of 10", TAKE, REPLY))
    stage.at(stage.now + timedelta(days=1), lambda: stage.says("Case 8: 2 of 10", TAKE, REPLY))
    world = await lived(stage, duties=frozenset({Duty.REPLY}))
    assert [kind for kind, _ in did(world)] == ["note"]


async def test_more_cases_come_one_after_another() -> None:
    stage = Team(channels=CHANNELS[3:4], weeks=1)
    start = stage.now
    for hour in range(0, 48, 4):
        stage.at(start + timedelta(hours=hour), lambda: stage.says("Case 1: 0 of 10", NEXT))
    world = await lived(stage, cases=9, every=timedelta(hours=20))
    assert len(did(world)) == 3


async def test_a_fix_is_owned_and_done_and_nothing_else_is_touched() -> None:
    stage = Team(channels=CHANNELS[3:4], weeks=1)
    start = stage.now
    stage.at(start + timedelta(hours=1), lambda: stage.says("Acme: NPS 3", NEXT, OWN))
    stage.at(start + timedelta(hours=2), lambda: stage.says("Léa owns it", DONE))
    stage.at(start + timedelta(hours=3), lambda: stage.says("Acme: NPS 3", OWN, place="-8"))
    stage.at(start + timedelta(hours=3), lambda: stage.says("Acme: NPS 3", OWN, to="42"))
    world = await lived(stage, cases=0)
    assert did(world) == [("order", "Acme: NPS 3"), ("order", "Léa owns it")]


async def test_what_failed_is_done_again_a_few_times() -> None:
    stage = Team(channels=CHANNELS[3:4], weeks=1, tap_works=lambda _: False)
    stage.at(stage.now, lambda: stage.says("Acme: NPS 3", OWN))
    world = await lived(stage)
    assert [act.accepted for act in world.ledger.acts] == [False] * 3
