"""The details below the weekly post: every tally said exactly, and what proves it."""

import re

from hypothesis import given

from core.details import details
from core.nps import Tally
from core.proof import counts, fingerprint
from core.report import ChannelTally, WeekReport, split
from tests.core.reporting import FULL, LANGUAGES, lines, report, reports, rows, says


def test_the_details_bear_it_out() -> None:
    assert lines(details(FULL, "en")) == [
        "Acme, week 2026-W47, details (scale 0-10)",
        "Named answers: NPS 30 (chance range 18 to 41), n 154: promoters 70, passives 60, detractors 24",
        "Named answers, change on the week before, at the same mix of channels: +13 (chance range -4 to +30)",
        "Open polls: NPS 11 (chance range 5 to 17), n 641: promoters 241, passives 230, detractors 170",
        "Last 4 weeks, each person once: NPS 29 (chance range 22 to 35), "
        "n 598: promoters 301, passives 167, detractors 130",
        "The 4 weeks before: NPS 13 (chance range 6 to 19), n 560: promoters 230, passives 170, detractors 160",
        "Last 4 weeks, each person once, change on the 4 weeks before, at the same mix of channels: "
        "+14 (chance range +4 to +23)",
        "telegram (named): NPS –, n 6: promoters 3, passives 2, detractors 1",
        "timeline (open): NPS –, n 9: promoters 4, passives 3, detractors 2",
        f"Fingerprint of these counts: {fingerprint(FULL)}",
    ]


@given(reports())
def test_open_and_named_are_said_apart_and_exactly(whole: WeekReport) -> None:
    said = rows(details(whole, "en"))
    for channel in whole.channels:
        says(said.pop(f"{channel.channel} ({'open' if channel.open else 'named'})"), channel.tally)
    if whole.week.total.n or not whole.asks_openly_only:
        says(said.pop("Named answers"), whole.week.total)
    if whole.open is not None:
        says(said.pop("Open polls"), whole.open.total)
    for label, row in said.items():
        windows = {
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
        says(row, channel.tally)


def test_what_it_came_from_is_all_in_the_proof() -> None:
    assert counts(FULL) == {
        "survey": "acme",
        "week": "2026-W47",
        "scale": "0-10",
        "window": {"weeks": 4, "channels": {"channel 0": [100, 60, 70], "channel 1": [201, 107, 60]}},
        "window_before": {"weeks": 4, "channels": {"channel 0": [110, 70, 100], "channel 1": [120, 100, 60]}},
        "week_alone": {"weeks": 1, "channels": {"channel 0": [70, 60, 24]}},
        "week_before": {"weeks": 1, "channels": {"channel 0": [60, 55, 35]}},
        "open": {"weeks": 1, "channels": {"channel 0": [241, 230, 170]}},
        "open_before": {"weeks": 1, "channels": {"channel 0": [9, 0, 0]}},
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
    assert list(french)[:3] == ["Réponses nominatives", "Sondages ouverts", window]
