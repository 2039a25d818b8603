"""The weekly post's first message: what a team reads, and that every number in it is one that came in."""

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.change import Comparison
from core.details import details
from core.fitting import length, split
from core.message import Button, Line, Message
from core.nps import Tally, nps, per_hundred, rounded, score_range
from core.report import ChannelTally, WeekReport, first_message
from tests.core.reporting import FULL, LANGUAGES, NAMED, OPEN, WAVE, lines, report, reports, rows, says, weeks


def test_a_whole_first_message() -> None:
    assert lines(first_message(FULL, "en")) == [
        "Acme: NPS 29, last 4 weeks. Up 14: chance alone rarely does this.",
        "598 answers, chance range 22–35.",
        "Of 100: 51 gladly recommend us, 27 are lukewarm, 22 would not.",
        "This week alone (2026-W47): 30 from 154 answers. Up 13. Could be chance.",
        "Open polls, anyone can vote, kept apart: 11 (641 votes).",
        "Followers who chose to answer, not all customers.",
    ]
    assert lines(first_message(FULL, "fr-CA")) == [
        "Acme : NPS 29 sur 4 semaines. +14 : rarement dû au seul hasard.",
        "598 réponses, fourchette du hasard : 22 à 35.",
        "Sur 100 : 51 nous recommandent volontiers, 27 sont tièdes, 22 non.",
        "Cette semaine seule (2026-W47) : 30 sur 154 réponses. +13. Peut-être le hasard.",
        "Sondages ouverts à tous, à part : 11 (641 votes).",
        "Abonnés ayant choisi de répondre, pas tous les clients.",
    ]


@pytest.mark.parametrize(
    ("now", "before", "first"),
    [
        (Tally(), Tally(), "Acme: no answers yet, week 2026-W47"),
        (Tally(), Tally(50, 0, 50), "Acme: no answers yet, week 2026-W47"),
        (Tally(9, 0, 0), Tally(50, 0, 50), "Acme: too few answers for a score, n 9, week 2026-W47"),
        (Tally(10, 0, 0), Tally(), "Acme: NPS 100, week 2026-W47. Nothing before to compare with."),
        (Tally(29, 0, 0), Tally(0, 0, 500), "Acme: NPS 100, week 2026-W47. Too few to compare."),
        (Tally(10, 10, 10), Tally(20, 5, 5), "Acme: NPS 0, week 2026-W47. Down 50: chance alone rarely does this."),
        (Tally(12, 10, 10), Tally(10, 10, 10), "Acme: NPS 6, week 2026-W47. Up 6. Could be chance."),
        (Tally(10, 10, 12), Tally(10, 10, 10), "Acme: NPS -6, week 2026-W47. Down 6. Could be chance."),
        (Tally(20, 10, 20), Tally(10, 10, 10), "Acme: NPS 0, week 2026-W47. Unchanged. Could be chance."),
        (Tally(2000, 900, 1020), Tally(2000, 900, 1000), "Acme: NPS 25, week 2026-W47. Steady."),
    ],
)
def test_the_verdict_comes_first(now: Tally, before: Tally, first: str) -> None:
    assert first_message(report(now, before), "en").parts[0].text == first


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({"rescaled": True}, "Not comparable: the scale changed."),
        ({"window_before": weeks(1, Tally(20, 20, 20))}, "Not comparable: channel 1 joined."),
        ({"window_before": weeks(1, *[Tally(20, 20, 20)] * 3)}, "Not comparable: channel 2 left."),
        (
            {
                "window": replace(weeks(1, Tally(20, 20, 20)), ballots={"channel 0": frozenset({"a"})}),
                "window_before": replace(weeks(1, Tally(20, 20, 20)), ballots={"channel 0": frozenset({"b"})}),
            },
            "Not comparable: channel 0 asks in another way.",
        ),
    ],
)
def test_what_cannot_be_compared_says_why(more: dict[str, Any], verdict: str) -> None:
    now = weeks(1, Tally(20, 20, 20), Tally(20, 20, 20))
    odd = report(now.total, **{"window": now, **more})
    assert first_message(odd, "en").parts[0].text == f"Acme: NPS 0, week 2026-W47. {verdict}"


def test_a_score_of_few_answers_is_counts() -> None:
    assert lines(first_message(report(Tally(4, 2, 1)), "en"))[1:] == [
        "Of 7: 4 gladly recommend us, 2 are lukewarm, 1 would not.",
        "Followers who chose to answer, not all customers.",
    ]
    one = report(Tally(1, 1, 0))
    assert lines(first_message(one, "en"))[1] == "Of 2: one gladly recommends us, one is lukewarm, 0 would not."


def test_a_quiet_week_has_two_lines() -> None:
    quiet = report(Tally(3, 2, 1), window=weeks(13, Tally(200, 100, 50)), window_before=weeks(13, Tally(180, 100, 60)))
    assert lines(first_message(quiet, "en")) == [
        "Acme: NPS 43, last 13 weeks. Up 8. Could be chance.",
        "A quiet week (2026-W47), new answers: 6.",
    ]
    polled = replace(quiet, open=weeks(1, Tally(9, 0, 1)), channels=(NAMED, OPEN))
    assert lines(first_message(polled, "en"))[3:5] == [
        "This week alone (2026-W47), answers: 6. Too few for a score.",
        "Open polls, anyone can vote, kept apart. Votes: 10, too few for a score.",
    ]


def test_a_week_alone_has_to_be_surer_to_be_called_rare() -> None:
    """Two comparisons in one post would else call one week in ten rare."""
    week, before = weeks(1, Tally(54, 26, 20)), weeks(1, Tally(40, 30, 30))
    alone = report(week.total, before.total)
    assert lines(first_message(alone, "en"))[0].endswith("Up 24: chance alone rarely does this.")
    beside = replace(alone, window=weeks(4, Tally(200, 100, 100)), window_before=weeks(4, Tally(200, 100, 100)))
    assert lines(first_message(beside, "en"))[3].endswith("34 from 100 answers. Up 24. Could be chance.")


def test_open_polls_alone_make_an_open_headline_and_say_so() -> None:
    only = report(
        Tally(), open=weeks(1, Tally(300, 100, 100)), open_before=weeks(1, Tally(200, 150, 150)), channels=(OPEN,)
    )
    said = lines(first_message(only, "en"))
    assert said == [
        "Acme: NPS 40 in open polls, week 2026-W47. Up 30: chance alone rarely does this.",
        "This survey asks in open polls only, where one person may count twice.",
        "500 answers, chance range 33–47.",
        "Of 100: 60 gladly recommend us, 20 are lukewarm, 20 would not.",
        "Followers who chose to answer, not all customers.",
    ]
    assert set(rows(details(only, "en"))) == {"Open polls", "timeline (open)"}
    both = (OPEN, replace(NAMED, channel=OPEN.channel))
    wrote = replace(only, week=weeks(1, Tally(1, 0, 0)), window=weeks(1, Tally(1, 0, 0)), channels=both)
    assert lines(first_message(wrote, "en"))[0] == said[0], "one who also wrote does not decide"
    assert "Named answers, kept apart: 1." in lines(first_message(wrote, "en"))
    says(rows(details(wrote, "en"))["Named answers"], Tally(1, 0, 0))


def known_numbers(whole: WeekReport) -> set[int]:
    """Every number that may be said: counts, scores, ranges, changes, and the wave's and window's own."""
    periods = [whole.window, whole.window_before, whole.week, whole.week_before, whole.open, whole.open_before]
    tallies = [period.total for period in periods if period is not None] + [c.tally for c in whole.channels]
    known = {whole.scale.lowest, 10, 100, whole.window.weeks, whole.window_before.weeks}
    known |= set(map(int, WAVE.key.split("-W")))
    for tally in tallies:
        known |= {tally.n, tally.promoters, tally.passives, tally.detractors}
        if (bounds := score_range(tally)) is not None:
            known |= {abs(n) for n in (nps(tally) or 0, *map(rounded, bounds), *per_hundred(tally))}
    changes: list[Comparison] = [whole.window_change, whole.week_change, whole.open_change]
    known |= {abs(n) for change in changes for n in (change.delta, change.low, change.high, change.plain)}
    known |= {n for reason in whole.reasons for n in (reason.named, reason.of)}
    if whole.correction is not None:
        known |= {abs(whole.correction.posted), abs(whole.correction.now)}
    return known | set(map(int, re.findall(r"\d+", whole.was_due)))


@given(reports(), LANGUAGES)
def test_no_number_comes_from_nowhere(whole: WeekReport, language: str) -> None:
    known = known_numbers(whole) | {0, 1, 2}  # the names of the channels in ``weeks``
    said = [*lines(first_message(whole, language)), *lines(details(whole, language))[:-1]]
    for line in said:
        plain = re.sub(r"(?<=\d)[, ](?=\d{3}\b)", "", line)
        assert {int(digits) for digits in re.findall(r"\d+", plain)} <= known, line


@given(reports(), LANGUAGES)
def test_a_first_message_is_short_and_promises_nothing(whole: WeekReport, language: str) -> None:
    said = first_message(whole, language).plain
    assert len(said.split("\n")) <= 12
    assert len(said) <= 1000
    assert all(len(line) <= 120 for line in said.split("\n"))
    assert not re.search(r"\breal\b|\bréel", said)
    assert said.count("customers") + said.count("clients") <= 1
    assert "2026-W47" in said
    if whole.judged.total.n < 10:
        assert "NPS" not in said.split("\n")[0].replace(whole.title, "")


@given(st.text(), st.text())
def test_a_name_stays_on_its_line(title: str, channel: str) -> None:
    named = ChannelTally(channel=channel, open=False, tally=Tally(1, 0, 0))
    odd = report(Tally(5, 5, 5), title=title, channels=(named,), absent=(channel,))
    assert len(first_message(odd, "en").plain.splitlines()) == 5
    assert len(details(odd, "en").plain.splitlines()) == 4
    assert len(rows(details(odd, "en"))) == 2


@given(st.lists(st.text(st.characters(exclude_characters="\n"), max_size=60), min_size=1), st.integers(20, 200))
def test_split_keeps_every_line_in_order(texts: list[str], post_chars: int) -> None:
    tap = (Button("Go", "t"),)
    parts = split(Message(tuple(map(Line, texts)), tap), post_chars)
    assert all(len(part.plain) <= post_chars for part in parts)
    assert [part.buttons for part in parts] == [()] * (len(parts) - 1) + [tap]
    kept = [line.text for part in parts for line in part.parts]
    for shown, meant in zip(kept, texts, strict=True):
        assert shown == (meant if length(Line(meant)) <= post_chars else shown)
        assert meant.startswith(shown.removesuffix("…")) or meant == shown
    for one, following in pairwise(parts):
        its, first = sum(map(length, one.parts)), texts[kept.index(following.parts[0].text)]
        assert its + length(Line(first)) > post_chars, "no more messages than needed"
