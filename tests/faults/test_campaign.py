"""What a campaign is asked for, what it still lacks, and when something is served again."""

from __future__ import annotations

from collections.abc import Sequence
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
    progress.scenarios.update(asked.scenarios)
    well = Ended(Verdict(heard_in_peace=PEACEFUL, relayed=1), [1.0], [], [], traced=True, small_disk=True)
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
    progress.scenarios.update(asked.scenarios)
    well = Ended(Verdict(heard_in_peace=PEACEFUL, relayed=1), [1.0], [], [], traced=True, small_disk=True)
    assert total(asked, progress, [well], 3_600.0)["ok"]
    assert "3601 s" in str(total(asked, progress, [well], 3_601.0)["short_of"])
    progress.soon = 249
    assert "249 of 500" in str(total(asked, progress, [well], 1.0)["short_of"])


def short_of(
    *words: str, played: Sequence[str] = NAMES, elapsed_s: float = 1.0, traced: bool = False, small_disk: bool = False
) -> list[str]:
    """Of a campaign in which nothing else is wrong."""
    asked = wanted(*words)
    progress = Progress(wanted=asked.kills, least=0, kills=asked.kills, soon=asked.kills)
    progress.scenarios.update(played)
    well = Ended(Verdict(heard_in_peace=PEACEFUL, relayed=1), [1.0], [], [], traced=traced, small_disk=small_disk)
    found: list[str] = total(asked, progress, [well], elapsed_s)["short_of"]
    return found


def test_what_was_to_be_played_and_was_not_is_named_unless_the_database_rules_it_out() -> None:
    without = [name for name in NAMES if name not in ("database", "clock")]
    assert short_of("--kills", "60") == []
    assert short_of("--kills", "60", played=without) == ["not played: clock"]
    assert short_of("--kills", "60", "--database", "postgresql", played=without) == [
        "not played: clock",
        "not played: database",
    ]
    assert short_of("--kills", "60", "--scenario", "clock", played=["kills"]) == ["not played: clock"]


def test_a_disk_that_is_asked_for_by_name_can_be_filled_and_a_long_campaign_stops_at_system_calls() -> None:
    assert "disk-full: no disk" in short_of("--kills", "60", "--scenario", "disk-full")[0]
    assert short_of("--kills", "60", "--scenario", "disk-full", small_disk=True) == []
    assert "kills at system calls: none" in short_of("--kills", "500")[0]
    assert short_of("--kills", "500", traced=True) == []


def test_a_short_campaign_takes_five_minutes_for_sixty_kills_where_times_are_held() -> None:
    assert short_of("--kills", "60", elapsed_s=301) == []
    assert short_of("--kills", "60", "--hold-times", elapsed_s=300) == []
    assert short_of("--kills", "60", "--hold-times", elapsed_s=301) == ["time: it took 301 s, 300 s are given"]
    assert short_of("--kills", "12", "--hold-times", elapsed_s=300) == []
    assert short_of("--kills", "120", "--hold-times", elapsed_s=600) == []
    assert short_of("--kills", "60", "--hold-times", "--worlds", "1", elapsed_s=301) == []


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
