"""The demo: a week by the command, and a judge that is not easily pleased."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ballot import Scale
from core.change import Period
from core.details import details
from core.nps import Tally
from core.report import FEWEST, ChannelTally, WeekReport, first_message
from core.survey import Survey, wave_by_key
from demo.headlines import contradictions
from demo.misread import misread as wrongly_read
from demo.outcome import Outcome
from demo.readback import NOBODY, arranged, counts_of, differences, flat, read_line
from sandbox.ledger import Ledger
from sandbox.reading import ChannelPlan, Channels, Scores
from tests.command import SHIPPED, Vouch

WEEK = "2026-W47"
GROUPS = ("promoters", "passives", "detractors")
DM = ChannelPlan("s", "dm", "tg", "direct", "direct")
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
COUNTS = st.integers(0, 40)
TALLIES = st.builds(Tally, COUNTS, COUNTS, COUNTS)


def test_a_week_of_fifty_followers_is_told_as_it_was(vouch: Vouch) -> None:
    found = vouch.json("demo", "--headless", "--followers", "50", "--seed", "1", "--weeks", "1")
    assert gaps(found) == +misread(found)
    assert gaps(found, -1) == -misread(found)
    assert (found["lost"], found["doubled"], found["faults"]) == (0, 0, [])
    assert found["typed"] > 10
    assert len(found["misread"]) <= 0.03 * found["typed"]
    assert found["truth"]["named"]["all"]["n"] > 10
    assert found["truth"]["open"]["all"]["n"] > 0
    assert {(mode["platform"], mode["kind"]) for mode in found["modes"].values()} == {
        *(("x", kind) for kind in ("poll", "replies", "direct")),
        *((platform, kind) for platform in ("telegram", "discord") for kind in ("poll", "buttons", "direct")),
    }
    assert all(mode["asks"] or mode["invitations"] for mode in found["modes"].values())
    assert 0 < found["elapsed_s"] < 40


def gaps(found: dict[str, Any], sign: int = 1) -> Counter[tuple[str, str, str]]:
    """What the posts lack (1) or have too many (-1), by week, channel and group."""
    missing: Counter[tuple[str, str, str]] = Counter()
    for week, tallies in found["truth"]["weeks"].items():
        said = found["posted"]["weeks"][week]["named"]
        for channel, counts in tallies["named"].items():
            for group in GROUPS:
                if channel != "all":
                    missing[week, channel, group] = sign * (counts[group] - said[channel][group])
    return +missing


def misread(found: dict[str, Any]) -> Counter[tuple[str, str, str]]:
    """The same, as the list of what was misread has it: net."""
    net: Counter[tuple[str, str, str]] = Counter()
    for one in found["misread"]:
        for channel, score, n in ((one["channel"], one["meant"], 1), (one["read_channel"], one["read"], -1)):
            if score is not None:
                net[one["week"], channel, GROUPS[(score < 9) + (score < 7)]] += n
    return net


@pytest.mark.parametrize(
    ("typed", "read", "ok"), [("7", 7, True), ("9", None, False), ("love it", None, True), ("4 stars", 4, False)]
)
def test_what_was_read_otherwise_is_found_by_reading_it(typed: str, read: int | None, ok: bool) -> None:
    ledger = Ledger(Channels([DM], {"s": 0}), {"s": "UTC"})
    meant = int(typed) if typed.isdigit() else None
    scores = Scores(meant, meant) if meant is not None else None
    act = ledger.record(
        *("text" if scores else "comment", DM), at=NOW, platform="telegram", person="ann", direct=True, text=typed,
        scores=scores, accepted=True,
    )  # fmt: skip
    understood = ledger.as_read({} if ok else {act.seq: Scores(read, read) if read is not None else None})
    found = wrongly_read(ledger, understood, {"s": [act.week]})
    assert bool(found) is not ok
    assert [(one.meant, one.read, one.text) for one in found] == ([] if ok else [(meant, read, typed)])


def test_a_demo_in_a_pipe_tells_how_far_it_is(vouch: Vouch) -> None:
    path = vouch.settings(SHIPPED)
    code, said, complained = vouch("demo", "--followers", "50", "--weeks", "1", "--settings", str(path))
    assert (code, complained) == (0, "")
    assert said.startswith(
        "1 week of Acme with 50 followers, on stand-ins of X, Telegram and Discord.\nA week takes 20 s "
    )
    assert re.findall(
        r"^(\d+) %, \w{3} \d\d Oct: \d+ votes, taps and messages of followers, \d+ of Vouch$", said, re.MULTILINE
    ) == [*("25", "50", "75")]
    when = r"\w{3} \d\d Oct \d\d:\d\d"
    assert len(re.findall(rf"^--- team acme on Telegram, {when} ---\nAcme: ", said, re.MULTILINE)) == 1
    assert len(re.findall(rf"^\[{when}\] its details, \d+ lines; ", said, re.MULTILINE)) == 1
    assert re.search(rf"^\[{when}\] Léa writes to the customer: We are sorry", said, re.MULTILINE)
    assert f"`vouch sandbox --settings {path}` and `vouch run --settings {path}` in two terminals" in said


# -- reading back ------------------------------------------------------------------------------------------------------


def week(named: Tally, open_: Tally, window: Tally, **channels: tuple[bool, Tally]) -> WeekReport:
    survey = Survey(name="acme", brand="Acme")
    return WeekReport(
        survey="acme",
        title="Acme",
        scale=Scale.ZERO_TO_TEN,
        wave=wave_by_key(survey, WEEK),
        width=4,
        window=weeks(4, window),
        window_before=weeks(4, Tally()),
        week=weeks(1, named),
        week_before=weeks(1, Tally()),
        open=weeks(1, open_),
        open_before=weeks(1, Tally()),
        channels=tuple(ChannelTally(channel=name, open=is_open, tally=t) for name, (is_open, t) in channels.items()),
    )


def weeks(n: int, tally: Tally) -> Period:
    return Period(weeks=n, channels={"all": tally})


def read(report: WeekReport, language: str, change: tuple[str, str] = ("", "")) -> dict[str, Any]:
    """What a person reads in the details of a report."""
    into: dict[str, Any] = {"named": {"all": NOBODY}, "open": {"all": NOBODY}}
    for line in details(report, language).plain.replace(*change).splitlines():
        read_line(line, into)
    return into


def told(tally: Tally) -> dict[str, Any]:
    return counts_of(tally.promoters, tally.passives, tally.detractors)


@given(TALLIES, TALLIES, TALLIES, TALLIES, st.sampled_from(["en", "fr"]))
def test_every_tally_of_a_report_is_read_as_it_was(
    named: Tally, open_: Tally, window: Tally, channel: Tally, language: str
) -> None:
    found = read(week(named, open_, window, group=(False, channel), news=(True, open_)), language)
    assert found == {
        "named": {"all": told(named), "group": told(channel)},
        "open": {"all": told(open_), "news": told(open_)},
        "window": {"weeks": 4, **told(window)},
    }


NAMED, OPEN = Tally(12, 5, 3), Tally(16, 16, 8)
"""NPS 45 and 20."""
REPORT = week(NAMED, OPEN, Tally(30, 10, 10), group=(False, NAMED), news=(True, OPEN))


@pytest.mark.parametrize(
    "change",
    [
        ("NPS 45", "NPS 46"),
        ("NPS 45", "NPS –"),
        ("NPS 20", "NPS -20"),
        ("NPS 40", "NPS 41"),
        ("NPS 45 (chance range 7 to 71)", "NPS 45"),
        ("chance range 7 to", "chance range 8 to"),
        ("to 71)", "to 70)"),
        ("group (named): NPS –", "group (named): NPS 45"),
        ("n 20", "n 21"),
        ("promoters 12", "promoters 13"),
        ("passives 16", "passives 2"),
        ("detractors 10", "detractors 1"),
        ("group", "groups"),
        ("(open)", "(named)"),
        ("Named answers", "Named answer"),
        ("news (open)", ""),
    ],
    ids=" to ".join,
)
def test_a_wrong_word_or_number_in_a_post_is_seen(change: tuple[str, str]) -> None:
    right, planted = read(REPORT, "en"), read(REPORT, "en", change)
    assert right != planted
    good, bad = judged(right), judged(planted)
    assert good.ok
    assert not bad.ok


@given(TALLIES, TALLIES, TALLIES, st.sampled_from(["en", "fr"]))
def test_a_first_message_is_held_against_its_details(named: Tally, open_: Tally, window: Tally, language: str) -> None:
    named_too = week(named, open_, window, group=(False, named), news=(True, open_))
    openly = replace(named_too, channels=named_too.channels[1:])
    for report in (named_too, openly):
        found = read(report, language)
        first = first_message(report, language).plain
        assert contradictions(first, arranged({WEEK: found})["weeks"][WEEK]) == []
        if report.judged.total.n >= FEWEST:
            assert contradictions(re.sub(r"NPS -?\d+", "NPS 101", first), found)
        else:
            assert contradictions(re.sub("(?<=^Acme)(.*)", ": NPS 101, ", first), found)


def judged(posted: dict[str, Any]) -> Outcome:
    """The verdict on a post, where ``REPORT`` is the truth."""
    truth = {"acme": arranged({WEEK: read(REPORT, "en")})}
    said = {"acme": arranged({WEEK: posted})}
    lost, doubled = differences(truth, said)
    return Outcome(flat(truth), flat(said), {}, lost, doubled, 1.0)


def test_a_score_may_be_withheld_where_there_are_too_few_answers() -> None:
    few = Tally(FEWEST - 1, 0, 0)
    enough = Tally(FEWEST, 0, 0)
    assert read(week(few, OPEN, enough), "en")["named"]["all"] == told(few)
    assert read(week(enough, OPEN, enough), "en", ("NPS 100", "NPS –"))["named"]["all"]["nps"] is None


@pytest.mark.parametrize(
    ("said", "lost", "doubled"),
    [
        (Tally(12, 5, 3), 0, 0),
        (Tally(11, 5, 3), 1, 0),
        (Tally(12, 5, 5), 0, 2),
        (Tally(10, 6, 3), 2, 1),
        (Tally(0, 0, 0), 20, 0),
    ],
)
def test_what_is_lost_and_what_is_too_many_are_counted_apart(said: Tally, lost: int, doubled: int) -> None:
    posted = read(week(NAMED, OPEN, Tally(30, 10, 10), group=(False, said), news=(True, OPEN)), "en")
    found = judged(posted)
    assert (found.lost, found.doubled) == (lost, doubled)
    assert found.ok == (lost == doubled == 0)


def test_a_channel_that_nobody_asked_for_is_too_much() -> None:
    posted = read(REPORT, "en")
    posted["named"]["stray"] = told(Tally(1, 2, 3))
    assert (judged(posted).lost, judged(posted).doubled) == (0, 6)


@pytest.mark.parametrize("wrong", [{"lost": 1}, {"doubled": 1}, {"faults": ["somebody was asked twice"]}], ids=str)
def test_equal_numbers_are_not_enough(wrong: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"truth": {}, "posted": {}, "modes": {}, "lost": 0, "doubled": 0, "elapsed_s": 1.0}
    assert Outcome(**fields).ok
    assert not Outcome(**(fields | wrong)).ok
