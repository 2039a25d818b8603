"""What a campaign is asked for, what it still lacks, and when something is served again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.__main__ import Hunt, arguments
from tests.faults.campaign import Ended, Wanted
from tests.faults.contract import CLAIMED, COMMITTED, RECEIVED, SENT, WINDOWS, Hit
from tests.faults.judge import Verdict
from tests.faults.planted.every import BUGS
from tests.faults.run import Progress
from tests.faults.scenarios import NAMES
from tests.faults.takeover import is_served
from tests.faults.totals import PEACEFUL, quantiles, total


def test_without_a_word_all_scenarios_are_played_and_a_short_campaign_has_short_weeks() -> None:
    short, long = arguments(["--kills", "60"]), arguments(["--kills", "1000"])
    assert isinstance(short, Wanted)
    assert isinstance(long, Wanted)
    assert short.scenarios == NAMES
    assert short.week_s < long.week_s


def test_two_instances_need_a_database_that_two_machines_can_share() -> None:
    with pytest.raises(SystemExit):
        arguments(["--instances", "2"])


def test_a_hunt_is_for_every_mistake_or_those_that_are_named() -> None:
    every, one = arguments(["--planted"]), arguments(["--planted", "--only", BUGS[3].name])
    assert isinstance(every, Hunt)
    assert isinstance(one, Hunt)
    assert every.bugs == BUGS
    assert one.bugs == (BUGS[3],)


def test_a_campaign_goes_on_until_every_window_had_its_share() -> None:
    progress = Progress(wanted=4, least=1)
    assert progress.lacking == [RECEIVED, COMMITTED, CLAIMED, SENT]
    for window in (RECEIVED, RECEIVED, SENT, "", COMMITTED):
        progress.see(Hit(happened=True, window=window))
    assert progress.kills == 5
    assert progress.lacking == [CLAIMED]
    assert not progress.done
    progress.see(Hit(happened=True, window=CLAIMED))
    assert progress.done


def test_quantiles_name_how_many_there_were() -> None:
    assert quantiles([]) == {}
    assert quantiles([3.0, 1.0, 2.0]) == {"n": 3, "p50": 2.0, "p95": 3.0, "max": 3.0}


def wanted(*words: str) -> Wanted:
    found = arguments([*words])
    assert isinstance(found, Wanted)
    return found


def test_a_campaign_is_well_only_if_it_has_looked_at_all_that_it_is_to_look_at() -> None:
    asked, progress = wanted("--kills", "60"), Progress(wanted=60, least=1)
    progress.kills = 60
    progress.windows.update(WINDOWS)
    well = Ended(Verdict(heard_in_peace=PEACEFUL), [1.0], [], [])
    assert total(asked, progress, [well], 1.0)["ok"]
    assert not total(asked, progress, [replace(well, verdict=Verdict())], 1.0)["ok"]
    late = replace(well, too_late=["ready after 42.0 s"])
    assert total(asked, progress, [late], 1.0)["ok"]
    assert not total(wanted("--kills", "60", "--hold-times"), progress, [late], 1.0)["ok"]
    progress.windows[SENT] = 0
    assert total(asked, progress, [well], 1.0)["short_of"] == [f"kills in {SENT}: 0"]
    assert not total(asked, progress, [well], 1.0)["ok"]


def test_a_long_campaign_aims_half_of_its_kills_and_is_over_in_an_hour() -> None:
    asked, progress = wanted("--kills", "500"), Progress(wanted=500, least=1, soon=250)
    progress.kills = 500
    progress.windows.update(WINDOWS)
    well = Ended(Verdict(heard_in_peace=PEACEFUL), [1.0], [], [])
    assert total(asked, progress, [well], 3_600.0)["ok"]
    assert "3601 s" in str(total(asked, progress, [well], 3_601.0)["short_of"])
    progress.soon = 249
    assert "249 of 500" in str(total(asked, progress, [well], 1.0)["short_of"])


@pytest.mark.parametrize(("name", "more"), [("database", []), ("disk-full", ["--database", "postgresql"])])
def test_what_cannot_be_broken_there_cannot_be_asked_for(name: str, more: list[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(["--scenario", name, *more])


@pytest.mark.parametrize(
    ("fence", "lasts", "read", "served"),
    [
        (8, True, "2026-10-13", True),
        (7, True, "2026-10-13", False),
        (8, False, "2026-10-13", False),
        (8, True, "2026-10-12", False),
        (8, True, None, False),
    ],
)
def test_an_account_is_served_again_by_a_new_holder_that_has_read_it(
    fence: int, lasts: bool, read: str | None, served: bool
) -> None:
    assert is_served((fence, lasts, read), 7, "2026-10-12") == served
