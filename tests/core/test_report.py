"""The weekly post: what a team reads, and that every number in it is one that came in."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ballot import Scale
from core.message import Button, Line, Message
from core.nps import Tally, change, nps, rounded, score_range
from core.report import ChannelTally, WeekReport, channel_lines, headline, split
from core.survey import Survey, wave_by_key

SURVEY = Survey(name="acme", brand="Acme")
WAVE = wave_by_key(SURVEY, "2026-W47")
NAMED = ChannelTally(channel="telegram", open=False, tally=Tally(3, 2, 1))
OPEN = ChannelTally(channel="timeline", open=True, tally=Tally(4, 3, 2))
ROW = re.compile(
    r"(?P<label>.+?)\s?: NPS (?P<nps>-?\d+|–)"
    r"(?: \((?:chance range|marge du hasard) (?P<low>-?\d+) (?:to|à) (?P<high>-?\d+)\))?"
    r", n (?P<n>\d+)\s?: \w+ (?P<promoters>\d+), \w+ (?P<passives>\d+), \w+ (?P<detractors>\d+)"
)

COUNTS = st.one_of(st.integers(0, 12), st.integers(0, 10_000))
TALLIES = st.builds(Tally, COUNTS, COUNTS, COUNTS)
NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,60}", fullmatch=True)
CHANNELS = st.lists(
    st.builds(ChannelTally, channel=NAMES, open=st.booleans(), tally=TALLIES),
    max_size=20,
    unique_by=lambda c: c.channel,
)
LANGUAGES = st.sampled_from(["en", "fr"])


@st.composite
def reports(draw: st.DrawFn) -> WeekReport:
    channels = tuple(draw(CHANNELS))
    has_open = any(channel.open for channel in channels)
    return WeekReport(
        survey="acme",
        title=draw(st.sampled_from(["Acme", "Acme & friends", "Être: NPS"])),
        scale=draw(st.sampled_from(Scale)),
        wave=WAVE,
        named=draw(TALLIES),
        named_before=draw(st.none() | TALLIES),
        open=draw(TALLIES) if has_open else None,
        open_before=draw(st.none() | TALLIES) if has_open else None,
        channels=channels,
        weeks=draw(st.integers(1, 26)),
        window=draw(TALLIES),
    )


def report(named: Tally, before: Tally | None = None, **more: object) -> WeekReport:
    whole = WeekReport(
        survey="acme",
        title="Acme",
        scale=Scale.ZERO_TO_TEN,
        wave=WAVE,
        named=named,
        named_before=before,
        open=None,
        open_before=None,
        channels=(NAMED,),
        weeks=4,
        window=named,
    )
    return replace(whole, **more)


def rows(message: Message) -> dict[str, re.Match[str]]:
    found = [match for line in message.plain.split("\n") if (match := ROW.fullmatch(line))]
    assert len({match["label"] for match in found}) == len(found)
    return {match["label"]: match for match in found}


def says(row: re.Match[str], tally: Tally) -> None:
    """Assert that a line says this tally, and no score of fewer than ten answers."""
    assert [int(row[name]) for name in ("promoters", "passives", "detractors", "n")] == [
        tally.promoters,
        tally.passives,
        tally.detractors,
        tally.n,
    ]
    bounds = score_range(tally)
    if tally.n < 10 or bounds is None:
        assert (row["nps"], row["low"], row["high"]) == ("–", None, None)
    else:
        assert [int(row[name]) for name in ("nps", "low", "high")] == [nps(tally), *map(rounded, bounds)]


def test_a_whole_headline() -> None:
    full = report(
        Tally(210, 107, 95),
        Tally(160, 120, 120),
        open=Tally(100, 65, 65),
        open_before=Tally(9, 0, 0),
        channels=(NAMED, OPEN),
        window=Tally(800, 300, 400),
    )
    assert headline(full, "en").plain.split("\n") == [
        "Acme: NPS 28. Up 18 on the week before: chance alone rarely does this.",
        "Week 2026-W47, scale 0-10",
        "Named answers: NPS 28 (chance range 20 to 36), n 412: promoters 210, passives 107, detractors 95",
        "Named answers, change on the week before: +18 (chance range +7 to +29)",
        "Open polls: NPS 15 (chance range 4 to 26), n 230: promoters 100, passives 65, detractors 65",
        "Last 4 weeks, each person once: NPS 27 (chance range 22 to 31), "
        "n 1500: promoters 800, passives 300, detractors 400",
        "Followers who chose to answer, not all customers.",
    ]
    assert channel_lines(full, "en").plain.split("\n") == [
        "Acme, week 2026-W47, by channel",
        "telegram (named): NPS –, n 6: promoters 3, passives 2, detractors 1",
        "timeline (open): NPS –, n 9: promoters 4, passives 3, detractors 2",
    ]


@pytest.mark.parametrize(
    ("now", "before", "verdict"),
    [
        (Tally(), None, "Acme: no answers yet"),
        (Tally(), Tally(50, 0, 50), "Acme: no answers yet"),
        (Tally(9, 0, 0), Tally(50, 0, 50), "Acme: too few answers for a score, n 9"),
        (Tally(10, 0, 0), None, "Acme: NPS 100. No week before to compare with."),
        (Tally(10, 0, 0), Tally(), "Acme: NPS 100. No week before to compare with."),
        (Tally(29, 0, 0), Tally(0, 0, 500), "Acme: NPS 100. Too few to compare with the week before."),
        (Tally(500, 0, 0), Tally(0, 0, 29), "Acme: NPS 100. Too few to compare with the week before."),
        (Tally(10, 10, 10), Tally(20, 5, 5), "Acme: NPS 0. Down 50 on the week before: chance alone rarely does this."),
        (Tally(12, 10, 10), Tally(10, 10, 10), "Acme: NPS 6. Up 6 on the week before. Could be chance."),
        (Tally(10, 10, 12), Tally(10, 10, 10), "Acme: NPS -6. Down 6 on the week before. Could be chance."),
        (Tally(20, 10, 20), Tally(10, 10, 10), "Acme: NPS 0. The same as the week before. Could be chance."),
        (Tally(2000, 900, 1020), Tally(2000, 900, 1000), "Acme: NPS 25. Steady against the week before."),
        (Tally(20, 9, 10), Tally(2000, 900, 1000), "Acme: NPS 26. The same as the week before. Could be chance."),
        (
            Tally(20000, 9000, 10000),
            Tally(20000, 9000, 11500),
            "Acme: NPS 26. Up 5 on the week before: chance alone rarely does this.",
        ),
    ],
)
def test_the_verdict_comes_first(now: Tally, before: Tally | None, verdict: str) -> None:
    assert headline(report(now, before), "en").parts[0].text == verdict


def test_open_polls_alone_make_an_open_headline_and_say_so() -> None:
    only = report(Tally(), open=Tally(300, 100, 100), open_before=Tally(200, 150, 150), channels=(OPEN,))
    lines = headline(only, "en").plain.split("\n")
    assert lines[0] == "Acme, open polls: NPS 40. Up 30 on the week before: chance alone rarely does this."
    assert lines[2] == "This survey asks in open polls only, where one person may count twice."
    assert set(rows(headline(only, "en"))) == {"Open polls"}
    wrote = replace(only, named=Tally(1, 0, 0), channels=(OPEN, replace(NAMED, channel=OPEN.channel)))
    assert headline(wrote, "en").parts[0] == headline(only, "en").parts[0], "two who also wrote do not decide"
    says(rows(headline(wrote, "en"))["Named answers"], Tally(1, 0, 0))


@given(reports())
def test_open_and_named_are_said_apart_and_exactly(whole: WeekReport) -> None:
    said = rows(headline(whole, "en"))
    if whole.named.n or not whole.channels or any(not channel.open for channel in whole.channels):
        says(said.pop("Named answers"), whole.named)
    if whole.open is not None:
        says(said.pop("Open polls"), whole.open)
    for row in said.values():
        assert row["label"] == f"Last {whole.weeks} weeks, each person once"
        says(row, whole.window)


@given(reports(), LANGUAGES)
def test_every_channel_is_said_exactly(whole: WeekReport, language: str) -> None:
    kinds = {"en": ("named", "open"), "fr": ("nominatif", "ouvert")}[language]
    said = rows(channel_lines(whole, language))
    assert list(said) == [f"{channel.channel} ({kinds[channel.open]})" for channel in whole.channels]
    for row, channel in zip(said.values(), whole.channels, strict=True):
        says(row, channel.tally)


def known_numbers(whole: WeekReport) -> set[int]:
    """Every number that may be said: counts, scores, ranges, changes, and the wave's and window's own."""
    known = {whole.weeks, whole.scale.lowest, 10, *map(int, WAVE.key.split("-W"))}
    tallies = (whole.named, whole.open, whole.window, *(channel.tally for channel in whole.channels))
    for tally in tallies:
        if tally is not None and (bounds := score_range(tally)) is not None:
            known |= {abs(n) for n in (nps(tally) or 0, *map(rounded, bounds))}
        if tally is not None:
            known |= {tally.n, tally.promoters, tally.passives, tally.detractors}
    for before, now in ((whole.named_before, whole.named), (whole.open_before, whole.open)):
        if before is not None and now is not None and (found := change(before, now)) is not None:
            delta = (nps(now) or 0) - (nps(before) or 0)
            known |= {abs(n) for n in (delta, rounded(found.low), rounded(found.high))}
    return known


@given(reports(), LANGUAGES)
def test_no_number_comes_from_nowhere(whole: WeekReport, language: str) -> None:
    whole = replace(whole, channels=tuple(replace(c, channel=re.sub(r"\d", "x", c.channel)) for c in whole.channels))
    for message in (headline(whole, language), channel_lines(whole, language)):
        assert {int(digits) for digits in re.findall(r"\d+", message.plain)} <= known_numbers(whole)


@given(reports(), LANGUAGES)
def test_a_headline_is_short_and_promises_nothing(whole: WeekReport, language: str) -> None:
    plain = headline(whole, language).plain
    assert len(plain.split("\n")) <= 9
    assert len(plain) <= 1200
    assert all(len(line) <= 160 for line in plain.split("\n"))
    assert not re.search(r"\breal\b|\bréel", plain)
    assert plain.count("customers") + plain.count("clients") == 1
    if whole.named.n < 10 and whole.open is None:
        assert "NPS" not in plain.split("\n")[0].replace(whole.title, "")


@given(st.text(), st.text())
def test_a_name_stays_on_its_line(title: str, channel: str) -> None:
    odd = report(
        Tally(5, 5, 5), title=title, channels=(ChannelTally(channel=channel, open=False, tally=Tally(1, 0, 0)),)
    )
    assert len(headline(odd, "en").plain.splitlines()) == 5
    assert len(channel_lines(odd, "en").plain.splitlines()) == 2
    assert len(rows(headline(odd, "en"))) == 2


def test_twenty_channels_with_long_names_are_split_for_discord() -> None:
    channels = tuple(
        ChannelTally(channel=f"{i}-" + "very-long-name-" * 8, open=i % 2 == 0, tally=Tally(9999, 9999, 9999))
        for i in range(20)
    )
    whole = channel_lines(report(Tally(), channels=channels), "fr")
    parts = split(whole, 2000)
    assert len(whole.plain) > 2000
    assert all(len(part.plain) <= 2000 for part in parts)
    assert sum((len(rows(part)) for part in parts), 0) == 20
    assert tuple(line for part in parts for line in part.parts) == whole.parts


@given(st.lists(st.text(st.characters(exclude_characters="\n"), max_size=60), min_size=1), st.integers(20, 200))
def test_split_keeps_every_line_in_order(lines: list[str], post_chars: int) -> None:
    tap = (Button("Go", "t"),)
    parts = split(Message(tuple(map(Line, lines)), tap), post_chars)
    assert all(len(part.plain) <= post_chars for part in parts)
    assert [part.buttons for part in parts] == [()] * (len(parts) - 1) + [tap]
    kept = [line.text for part in parts for line in part.parts]
    assert kept == [line if len(line) <= post_chars else line[: post_chars - 1] + "…" for line in lines]
    for one, following in pairwise(parts):
        assert len(one.plain) + 1 + len(following.parts[0].text) > post_chars, "no more messages than needed"


def test_french_reads_like_english() -> None:
    full = report(Tally(12, 10, 20), Tally(30, 5, 5), open=Tally(3, 3, 3), channels=(NAMED, OPEN))
    lines = headline(full, "fr-CA").plain.replace("\u00a0", " ").split("\n")
    assert lines[0] == "Acme : NPS -19. En baisse de 82 sur une semaine : le hasard seul fait rarement cela."
    english, french = rows(headline(full, "en")), rows(headline(full, "fr"))
    assert [row.groups()[1:] for row in english.values()] == [row.groups()[1:] for row in french.values()]
