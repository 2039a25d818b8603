"""The demo's judge: each team's post is held against the ledger, its first message line by line."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.details import details
from core.nps import Tally
from core.report import first_message
from demo.judge import Judge
from demo.reports import ReportPart
from sandbox.ledger import Ledger
from sandbox.reading import Channels, Scores
from tests.test_demo import DM, NOW, WEEK, week

TEAMS = {"s": {"public": False, "one": True, "other": True}}
NAMED = Tally(12, 5, 3)
LEDGER = Ledger(Channels([DM], {"s": 0}), {"s": "UTC"})
for number, score in enumerate([9] * 12 + [7] * 5 + [0] * 3):
    LEDGER.record(
        *("tap", DM), at=NOW, platform="telegram", person=f"p{number}", direct=True, scores=Scores(score, score),
        accepted=True,
    )  # fmt: skip
REPORT = week(NAMED, Tally(), NAMED, dm=(False, NAMED))
FIRST, DETAILS = first_message(REPORT, "en").plain, details(REPORT, "en").plain
SINGLE = "Acme: NPS 45, week 2026-W47. Nothing before to compare with."


def told(*changes: tuple[str, str, str, str]) -> list[ReportPart]:
    """What all teams got; ``changes``: in which team's which part what stands instead of what."""
    parts = []
    for team, has_details in TEAMS["s"].items():
        for part, text in (("headline", FIRST), ("details", DETAILS))[: 1 + has_details]:
            for _, _, right, wrong in (each for each in changes if each[:2] == (team, part)):
                assert right in text
                text = text.replace(right, wrong)
            parts.append(ReportPart("s", team, WEEK, part, text))
    return parts


def judged(parts: Sequence[ReportPart]) -> Judge:
    return Judge(parts, TEAMS, {"s": [WEEK]}, LEDGER, LEDGER)


def test_what_is_right_passes() -> None:
    judge = judged(told())
    assert (judge.faults()[:-3], judge.lost, judge.doubled) == ([], 0, 0)
    assert all("speaks of 4 weeks, the rule of [1]" in fault for fault in judge.faults())  # a survey's first week
    assert judge.first(judge.posted) == judge.first(judge.truth) == judge.truth["s one"]


@pytest.mark.parametrize("team", ["one", "other"])
def test_no_teams_details_make_good_anothers(team: str) -> None:
    wrong = ("n 20: promoters 12, passives 5", "n 19: promoters 11, passives 5")
    judge = judged(told((team, "details", *wrong)))
    assert f"s {team} {WEEK} named dm: truth 20 (12/5/3), posted 19 (11/5/3)" in judge.faults()
    assert (judge.lost, judge.doubled) == (1, 0)


@pytest.mark.parametrize("team", list(TEAMS["s"]))
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("NPS 45", "NPS 46"),
        ("20 answers, chance", "21 answers, chance"),
        ("chance range 7–71", "chance range 8–71"),
        ("chance range 7–71", "chance range 7–70"),
        ("Of 100: 60 gladly", "Of 100: 61 gladly"),
        ("Of 100: 60 gladly", "Of 99: 60 gladly"),
        (", 15 would not", ""),
        ("(2026-W47): 45 from 20", "(2026-W47): 44 from 20"),
        ("(2026-W47): 45 from 20", "(2026-W47): 45 from 21"),
        ("Votes: 0, too few for a score", "Votes: 1, too few for a score"),
        ("20 answers, chance range 7–71.\n", ""),
        ("Of 100: 60 gladly recommend us, 25 are lukewarm, 15 would not.\n", ""),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_wrong_line_of_a_first_message_is_seen(team: str, right: str, wrong: str) -> None:
    faults = [fault for fault in judged(told((team, "headline", right, wrong))).faults() if "speaks of" not in fault]
    assert len(faults) == 1
    assert faults[0].startswith(f"s {team} {WEEK}: the first message is wrong: ")


def test_who_is_told_no_details_may_speak_of_other_weeks() -> None:
    parts = told(("public", "headline", FIRST.splitlines()[0], SINGLE))
    assert [fault for fault in judged(parts).faults() if fault.startswith("s public")] == []


def test_weeks_that_the_details_do_not_speak_of_are_seen() -> None:
    faults = judged(told(("one", "headline", "last 4 weeks", "last 13 weeks"))).faults()
    assert any(fault.startswith(f"s one {WEEK}: the first message is wrong: Acme: NPS 45, last 13") for fault in faults)
