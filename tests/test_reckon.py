"""``vouch nps``: score and range of three counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.nps import Tally
from reckon import as_json, in_words
from tests.command import Vouch


@pytest.fixture
def vouch(tmp_path: Path) -> Vouch:
    return Vouch(tmp_path)


def test_three_counts_give_a_score_and_its_range(vouch: Vouch) -> None:
    assert vouch("nps", "52", "27", "17") == (
        0,
        "NPS 36, chance range 20 to 51.\n96 answers: 52 promoters (9–10), 27 passives (7–8), 17 detractors (0–6).\n",
        "",
    )
    assert vouch.json("nps", "52", "27", "17", "--before", "40", "30", "40") == {
        "n": 96,
        "promoters": 52,
        "passives": 27,
        "detractors": 17,
        "nps": 36,
        "range": [20.2, 50.6],
        "before": {"n": 110, "promoters": 40, "passives": 30, "detractors": 40, "nps": 0, "range": [-15.8, 15.8]},
        "change": {"delta": 36, "range": [14, 58]},
        "verdict": "chance alone rarely does this",
    }


def test_a_change_is_put_in_words() -> None:
    said = in_words(Tally(52, 27, 17), Tally(40, 30, 40))
    verdict = "Against NPS 0 of 110: Up 36: chance alone rarely does this. The change lies between +14 and +58."
    assert said.splitlines()[-1] == verdict
    assert in_words(Tally(5, 0, 0), Tally(40, 30, 40)).endswith("Against NPS 0 of 110: Too few to compare.")


def test_few_and_none() -> None:
    assert "Under 10 answers the weekly post says no score" in in_words(Tally(5, 3, 1), None)
    assert in_words(Tally(), None) == "Nobody answered: there is no score."
    assert as_json(Tally(), Tally(40, 30, 40))["change"] is None


@pytest.mark.parametrize("wrong", [("-1", "2", "3"), ("1", "2", "3", "--before", "1", "2", "-3"), ("a", "2", "3")])
def test_what_is_no_count_is_refused(vouch: Vouch, wrong: tuple[str, ...]) -> None:
    code, said, complained = vouch("nps", "--", *wrong) if wrong[0] == "-1" else vouch("nps", *wrong)
    assert (code, said) == (2, "")
    assert "Traceback" not in complained
