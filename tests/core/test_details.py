"""The details below the weekly post: every tally said exactly, and what proves it."""

import re
from dataclasses import replace
from typing import Any

from hypothesis import given

from core.details import details
from core.fitting import split
from core.nps import Tally
from core.proof import counts, fingerprint
from core.reasons import Reason
from core.report import ChannelTally, WeekReport
from tests.core.reporting import FULL, LANGUAGES, lines, report, reports, rows, says


def test_the_details_bear_it_out() -> None:
    week = "Named answers, change on the week before, at the same mix of channels"
    window = "Last 4 weeks, each person once"
    assert lines(details(FULL, "en")) == [
        "Acme, week 2026-W47, details (scale 0-10)",
        "Named answers: NPS 30 (chance range 18 to 41), n 154: promoters 70, passives 60, detractors 24",
        "The week before: NPS 17 (chance range 4 to 29), n 150: promoters 60, passives 55, detractors 35",
        f"{week}: +13 (chance range -13 to +39)",
        f"{window}: NPS 29 (chance range 22 to 35), n 598: promoters 301, passives 167, detractors 130",
        "The 4 weeks before: NPS 13 (chance range 6 to 19), n 560: promoters 230, passives 170, detractors 160",
        f"{window}, change on the 4 weeks before, at the same mix of channels: +14 (chance range +4 to +23)",
        "Open polls: NPS 11 (chance range 5 to 17), n 641: promoters 241, passives 230, detractors 170",
        "telegram (named): NPS –, n 6: promoters 3, passives 2, detractors 1",
        "timeline (open): NPS –, n 9: promoters 4, passives 3, detractors 2",
        f"Fingerprint of these counts: {fingerprint(FULL)}",
    ]


@given(reports())
def test_open_and_named_are_said_apart_and_exactly(whole: WeekReport) -> None:
    said = rows(details(whole, "en"))
    for channel in whole.channels:
        says(said.pop(f"{channel.channel} ({'open' if channel.open else 'named'})"), channel.tally, 30)
    if whole.week.total.n or not whole.asks_openly_only:
        says(said.pop("Named answers"), whole.week.total)
    if whole.open is not None:
        says(said.pop("Open polls"), whole.open.total, 30)
    for label, row in said.items():
        windows = {
            "The week before": whole.week_before,
            f"Last {whole.window.weeks} weeks, each person once": whole.window,
            f"The {whole.window_before.weeks} weeks before": whole.window_before,
        }
        says(row, windows[label].total)


@given(reports(), LANGUAGES)
def test_every_channel_is_said_exactly(whole: WeekReport, language: str) -> None:
    kinds = {"en": ("named", "open"), "fr": ("nominatif", "ouvert")}[language]
    said = list(rows(details(whole, language)).items())[-len(whole.channels) :] if whole.channels else []
    assert [label for label, _ in said] == [f"{channel.channel} ({kinds[channel.open]})" for channel in whole.channels]
    for (_, row), channel in zip(said, whole.channels, strict=True):
        says(row, channel.tally, 30)


def test_what_it_came_from_is_all_in_the_proof() -> None:
    def period(weeks: int, *tallies: list[int]) -> dict[str, Any]:
        channels = {f"channel {n}": tally for n, tally in enumerate(tallies)}
        return {"weeks": weeks, "channels": channels, "ballots": {}, "asked": []}

    assert counts(replace(FULL, reasons=(Reason(phrase="rude", named=3, of=5),))) == {
        "survey": "acme",
        "week": "2026-W47",
        "scale": "0-10",
        "width": 4,
        "window": period(4, [100, 60, 70], [201, 107, 60]),
        "window_before": period(4, [110, 70, 100], [120, 100, 60]),
        "week_alone": period(1, [70, 60, 24]),
        "week_before": period(1, [60, 55, 35]),
        "open": period(1, [241, 230, 170]),
        "open_before": period(1, [9, 0, 0]),
        "rescaled": False,
        "reasons": [["“rude”", 3, 5]],
        "nameless": {},
    }


@given(reports(), reports())
def test_other_counts_have_another_fingerprint(one: WeekReport, other: WeekReport) -> None:
    assert re.fullmatch("[0-9a-f]{12}", fingerprint(one))
    assert (fingerprint(one) == fingerprint(other)) == (counts(one) == counts(other))


def test_twenty_channels_with_long_names_are_split_for_discord() -> None:
    channels = tuple(
        ChannelTally(channel=f"{i}-" + "very-long-name-" * 8, open=i % 2 == 0, tally=Tally(9999, 9999, 9999))
        for i in range(20)
    )
    whole = details(report(Tally(), channels=channels), "fr")
    parts = split(whole, 2000)
    assert len(whole.plain) > 2000
    assert all(len(part.plain) <= 2000 for part in parts)
    assert sum((len(rows(part)) for part in parts), 0) == 21
    assert tuple(line for part in parts for line in part.parts) == whole.parts


def test_french_reads_like_english() -> None:
    english, french = rows(details(FULL, "en")), rows(details(FULL, "fr"))
    assert [row.groups()[1:] for row in english.values()] == [row.groups()[1:] for row in french.values()]
    window = "Les 4 dernières semaines, chaque personne une fois"
    assert list(french)[:3] == ["Réponses nominatives", "La semaine précédente", window]
