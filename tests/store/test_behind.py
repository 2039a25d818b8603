"""Who was invited, who wrote, and how those moved who answered twice in a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.account import Limits
from core.message import text as words
from core.publishing import hear, messages, plan_report, week_report
from core.report import Movement
from core.store import behind, outbox
from core.store.outbox import Kind, Planned, State
from tests.store.stage import ACCOUNT, NOW, SURVEY, WAVES, Stage
from tests.store.test_publishing import TEAM, fill

FIRST, SECOND = (WAVES[wave].opens_at + timedelta(days=1) for wave in (0, 1))


def answered(stage: Stage) -> None:
    """ann is won, bob rises, cas falls, dan stays, eve comes, flo leaves."""
    before = {"ann": 3, "bob": 7, "cas": 9, "dan": 8, "flo": 10}
    now = {"ann": "9, thank you for the new courier", "bob": "8", "cas": "2, late again", "dan": "8", "eve": "10"}
    stage.deliver(*(stage.typed(n, who, str(score), at=FIRST) for n, (who, score) in enumerate(before.items())))
    stage.deliver(*(stage.typed(100 + n, who, said, at=SECOND) for n, (who, said) in enumerate(now.items())))
    stage.deliver(stage.typed(200, "cas", "and nobody answers the phone", at=SECOND))
    stage.post("group", 0)
    stage.post("group", 1)


def test_those_who_answered_twice_are_told_by_how_they_moved(stage: Stage) -> None:
    answered(stage)
    first, found, later = (hear(stage.database, SURVEY, wave) for wave in WAVES[:3])
    assert found.movement == Movement(both=4, up=2, down=1, won=1)
    assert found.wrote == {"dm": 2}
    assert (first.movement, first.wrote) == (None, {})
    assert (later.movement, later.wrote) == (None, {})


def test_invitations_count_when_they_were_sent(stage: Stage) -> None:
    answered(stage)
    wave, people = stage.wave(WAVES[1]), [row["id"] for row in stage.rows("person")]
    things = [
        Planned(
            key=f"invitation:{n}",
            account=ACCOUNT,
            kind=Kind.INVITATION,
            body=words("?"),
            person_id=person,
            wave_id=wave.id,
            channel="dm",
        )
        for n, person in enumerate(people[:3])
    ]
    with stage.database.engine.begin() as connection:
        outbox.plan(connection, things, NOW)
    for n in range(2):
        stage.posted(f"invitation:{n}", f"msg:{n}", "direct")
    with stage.database.reading() as connection:
        assert outbox.states(connection, ["invitation:2"])["invitation:2"][0] is State.PLANNED
        assert behind.invited(connection, wave.id) == {"dm": 2}
        heard = hear(stage.database, SURVEY, WAVES[1])
        said = messages(week_report(connection, SURVEY, WAVES[1], heard), "en")[1].plain
    assert "dm: invited 2, answered 5, wrote 2." in said
    assert "Answered this week and the week before: 4. Higher now: 2, lower: 1, unhappy before and glad now: 1." in said


@pytest.mark.parametrize("said", [True, False])
def test_later_messages_of_a_report_stand_under_its_first(stage: Stage, said: bool) -> None:
    fill(stage)
    with stage.database.engine.begin() as connection:
        limits = Limits(post_chars=300, caption_chars=200)
        keys = plan_report(connection, SURVEY, WAVES[1], replace(TEAM, name="other"), limits, NOW)
        plan_report(connection, SURVEY, WAVES[1], TEAM, limits, NOW)
    if said:
        stage.posted(keys[0], "msg:77", TEAM.place)
    with stage.database.reading() as connection:
        found = outbox.first_messages(connection, [*keys, keys[1].replace("other", "team"), "report:none:1"])
    assert {key: receipt.message for key, receipt in found.items()} == dict.fromkeys(keys[1:] if said else [], "msg:77")
    assert len(keys) > 2
