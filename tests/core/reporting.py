"""Reports to say: one in full, ones of a week, and any that can be."""

import re
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from core.ballot import Scale
from core.change import Period
from core.message import Message
from core.nps import Tally, nps, rounded, score_range
from core.quotes import Quoted
from core.reasons import Reason, Theme
from core.report import ChannelTally, Correction, WeekReport
from core.survey import Survey, wave_by_key

SURVEY = Survey(name="acme", brand="Acme")
WAVE = wave_by_key(SURVEY, "2026-W47")
NOBODY = Tally()
NAMED = ChannelTally(channel="telegram", open=False, tally=Tally(3, 2, 1))
OPEN = ChannelTally(channel="timeline", open=True, tally=Tally(4, 3, 2))
ROW = re.compile(
    r"(?P<label>.+?)\s?: NPS (?P<nps>-?\d+|–)"
    r"(?: \((?:chance range|fourchette du hasard) (?P<low>-?\d+) (?:to|à) (?P<high>-?\d+)\))?"
    r", n (?P<n>\d+)\s?: \w+ (?P<promoters>\d+), \w+ (?P<passives>\d+), \w+ (?P<detractors>\d+)"
)

COUNTS = st.one_of(st.integers(0, 12), st.integers(0, 10_000))
TALLIES = st.builds(Tally, COUNTS, COUNTS, COUNTS)
NAMES = st.from_regex(r"[a-z][a-z_-]{0,60}", fullmatch=True)
CHANNELS = st.lists(
    st.builds(ChannelTally, channel=NAMES, open=st.booleans(), tally=TALLIES),
    max_size=20,
    unique_by=lambda c: c.channel,
)
SCORES = st.integers(-100, 100)
DELIVERY = Theme(name="delivery", titles={"en": "Delivery", "fr": "Livraison"}, words=("late",))
REASONS = st.builds(Reason, theme=st.just(DELIVERY), named=st.integers(3, 99), of=st.integers(99, 900))
REASONS |= st.builds(Reason, phrase=st.sampled_from(["rude", "cold coffee"]), named=COUNTS, of=COUNTS)
QUOTES = st.builds(
    Quoted, text=st.text(st.characters(exclude_categories=["C", "Z", "N"]), max_size=90), score=st.just("2")
)
LANGUAGES = st.sampled_from(["en", "fr"])


def weeks(n: int, *tallies: Tally) -> Period:
    return Period(weeks=n, channels={f"channel {index}": tally for index, tally in enumerate(tallies)})


@st.composite
def reports(draw: st.DrawFn) -> WeekReport:
    channels = tuple(draw(CHANNELS))
    has_open = any(channel.open for channel in channels)
    width = draw(st.sampled_from([1, 2, 4, 13]))
    periods = st.builds(lambda tallies: weeks(1, *tallies), st.lists(TALLIES, max_size=3))
    week, week_before = draw(periods), draw(periods)
    return WeekReport(
        survey="acme",
        title=draw(st.sampled_from(["Acme", "Acme & friends", "Être: NPS"])),
        scale=draw(st.sampled_from(Scale)),
        wave=WAVE,
        width=width,
        window=week if width == 1 else replace(draw(periods), weeks=width),
        window_before=week_before if width == 1 else replace(draw(periods), weeks=width),
        week=week,
        week_before=week_before,
        open=draw(periods) if has_open else None,
        open_before=draw(periods) if has_open else None,
        channels=channels,
        rescaled=draw(st.booleans()),
        reasons=tuple(draw(st.lists(REASONS, max_size=3))),
        quotes=tuple(draw(st.lists(QUOTES, max_size=2))),
        correction=draw(st.none() | st.builds(Correction, SCORES, SCORES)),
        was_due=draw(st.sampled_from(["", "2026-11-23 09:00"])),
        absent=tuple(draw(st.lists(st.sampled_from(["acme-x", "acme-telegram"]), unique=True))),
    )


def report(now: Tally, before: Tally = NOBODY, **more: Any) -> WeekReport:
    """Of one week, unless more is said."""
    whole = WeekReport(
        survey="acme",
        title="Acme",
        scale=Scale.ZERO_TO_TEN,
        wave=WAVE,
        width=1,
        window=weeks(1, now),
        window_before=weeks(1, before),
        week=weeks(1, now),
        week_before=weeks(1, before),
        open=None,
        open_before=None,
        channels=(NAMED,),
    )
    return replace(whole, **more)


FULL = report(
    Tally(70, 60, 24),
    Tally(60, 55, 35),
    width=4,
    window=weeks(4, Tally(100, 60, 70), Tally(201, 107, 60)),
    window_before=weeks(4, Tally(110, 70, 100), Tally(120, 100, 60)),
    open=weeks(1, Tally(241, 230, 170)),
    open_before=weeks(1, Tally(9, 0, 0)),
    channels=(NAMED, OPEN),
)


def lines(message: Message) -> list[str]:
    return message.plain.replace("\u00a0", " ").replace("\u202f", " ").split("\n")


def rows(message: Message) -> dict[str, re.Match[str]]:
    found = [match for line in message.plain.split("\n") if (match := ROW.fullmatch(line))]
    assert len({match["label"] for match in found}) == len(found)
    return {match["label"]: match for match in found}


def says(row: re.Match[str], tally: Tally, fewest: int = 10) -> None:
    """Assert that a line says this tally, and no score of too few answers."""
    assert [int(row[name]) for name in ("promoters", "passives", "detractors", "n")] == [
        tally.promoters,
        tally.passives,
        tally.detractors,
        tally.n,
    ]
    bounds = score_range(tally)
    if tally.n < fewest or bounds is None:
        assert (row["nps"], row["low"], row["high"]) == ("–", None, None)
    else:
        assert [int(row[name]) for name in ("nps", "low", "high")] == [nps(tally), *map(rounded, bounds)]
