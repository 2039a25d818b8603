"""How often the weekly post says that chance alone rarely does this: to brands where nothing changed, and where it did.

A brand has channels of different opinion, whose turnout swings from week to week as posts go well or badly. Everything
the post says counts, not the first line alone. Beside it the usual way: all answers in one pot, and the plain standard
error (Wald).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from bench.row import Figure, Row
from core.ballot import Scale
from core.change import Period
from core.nps import Tally
from core.report import WeekReport, first_message
from core.survey import Survey, Wave, next_wave, wave_by_key

Mix = tuple[float, float, float]
"""Shares of promoters, passives and detractors; they add up to 1."""

BRANDS, QUICK_BRANDS = 1_000, 60
WEEKS = 16
"""Reports of each brand, once its window and the one before it are full."""
SWING, DRIFT = 0.7, 0.35
"""How a channel's turnout swings: standard deviations of its logarithm, from week to week by itself (it doubles or
halves in every third week), and by a walk that lasts, so that one channel grows while another fades."""
Z = NormalDist().inv_cdf(0.975)
RARELY = "chance alone rarely does this"
SURVEY = Survey(name="brand", brand="Brand")


@dataclass(frozen=True, slots=True)
class Brand:
    """What its followers think, and how many of them answer in an ordinary week, by channel."""

    mixes: dict[str, Mix]
    a_week: dict[str, float]
    window: int
    """Weeks of the headline."""


def some_brand(draw: random.Random) -> Brand:
    """One with two to four channels, between 30 and 600 answers a week."""
    names = [f"channel-{n}" for n in range(draw.randint(2, 4))]
    total = math.exp(draw.uniform(math.log(30), math.log(600)))
    parts = [draw.gammavariate(1, 1) for _ in names]
    window = 1 if total >= 400 else 4 if total >= 100 else 13
    return Brand(
        {name: some_mix(draw) for name in names},
        {name: total * part / sum(parts) for name, part in zip(names, parts, strict=True)},
        window,
    )


def some_mix(draw: random.Random) -> Mix:
    """Any opinion, with some people in each group."""
    shares = [draw.gammavariate(2, 1) for _ in range(3)]
    return shares[0] / sum(shares), shares[1] / sum(shares), shares[2] / sum(shares)


def answers(draw: random.Random, mix: Mix, n: int) -> Tally:
    """What n people of this opinion say."""
    said = draw.choices(range(3), mix, k=n)
    return Tally(said.count(0), said.count(1), said.count(2))


def weeks_of(draw: random.Random, brand: Brand) -> Iterator[dict[str, Tally]]:
    """Each week's answers: every channel's turnout swings by itself."""
    walked = dict.fromkeys(brand.a_week, 0.0)
    while True:
        for name in walked:
            walked[name] = 0.95 * walked[name] + draw.gauss(0, DRIFT)
        turnout = {name: n * math.exp(walked[name] + draw.gauss(0, SWING)) for name, n in brand.a_week.items()}
        yield {name: answers(draw, brand.mixes[name], round(n)) for name, n in turnout.items()}


def period(weeks: Sequence[dict[str, Tally]]) -> Period:
    """Weeks together. Everybody answers once, so nobody is in two of them."""
    names = weeks[0].keys()
    return Period(weeks=len(weeks), channels={name: sum((week[name] for week in weeks), Tally()) for name in names})


def posts(draw: random.Random, brand: Brand) -> Iterator[WeekReport]:
    """A brand's reports, week by week."""
    weeks = weeks_of(draw, brand)
    lived = [next(weeks) for _ in range(2 * brand.window - 1)]
    wave = wave_by_key(SURVEY, "2026-W01")
    for _ in range(WEEKS):
        lived = [*lived[-2 * brand.window :], next(weeks)]
        wave = next_wave(SURVEY, wave)
        yield post(lived, brand.window, wave)


def post(lived: Sequence[dict[str, Tally]], window: int, wave: Wave) -> WeekReport:
    """The report of the last of these weeks."""
    return WeekReport(
        survey="brand",
        title="Brand",
        scale=Scale.ZERO_TO_TEN,
        wave=wave,
        width=window,
        window=period(lived[-window:]),
        window_before=period(lived[-2 * window : -window]),
        week=period(lived[-1:]),
        week_before=period(lived[-2:-1]),
        open=None,
        open_before=None,
        channels=(),
    )


def says_rarely(report: WeekReport) -> bool:
    """Whether the post, in any of its lines, calls something more than chance."""
    return RARELY in first_message(report, "en").plain


def usual(report: WeekReport) -> bool:
    """Whether the usual way would: all channels in one pot."""
    before, now = report.window_before.total, report.window.total
    if not before.n or not now.n:
        return False
    return abs(_net(now) - _net(before)) > Z * math.sqrt(_variance(before) + _variance(now))


def _net(tally: Tally) -> float:
    return (tally.promoters - tally.detractors) / tally.n


def _variance(tally: Tally) -> float:
    return ((tally.promoters + tally.detractors) / tally.n - _net(tally) ** 2) / tally.n


def unmoved_percent(quick: bool) -> Figure:
    """Weeks called more than chance, of brands where no opinion ever changes, in percent. Ratio: down."""
    draw, ours, theirs, weeks = random.Random(5), 0, 0, 0
    for _ in range(QUICK_BRANDS if quick else BRANDS):
        for report in posts(draw, some_brand(draw)):
            ours, theirs, weeks = ours + says_rarely(report), theirs + usual(report), weeks + 1
    return Figure(100 * ours / weeks, 100 * theirs / weeks)


def moved_percent(quick: bool) -> Figure:
    """Brands told so in the first line, and which way, of those whose score moved by 20 between two windows of 400
    answers, in percent. Ratio: up."""
    draw, ours, theirs, brands = random.Random(6), 0, 0, QUICK_BRANDS if quick else BRANDS
    wave = wave_by_key(SURVEY, "2026-W10")
    for _ in range(brands):
        before, after, up = _twenty_apart(draw)
        parts = [draw.gammavariate(3, 1) for _ in before]
        shares = [[part * math.exp(draw.gauss(0, SWING / 2)) for part in parts] for _ in range(8)]
        lived = [_four_hundred(draw, mixes, its) for mixes, its in zip([before] * 4 + [after] * 4, shares, strict=True)]
        report = post(lived, 4, wave)
        (first, *_) = first_message(report, "en").parts
        ours += RARELY in first.text and ("Up" if up else "Down") in first.text
        theirs += usual(report)
    return Figure(100 * ours / brands, 100 * theirs / brands)


def _twenty_apart(draw: random.Random) -> tuple[list[Mix], list[Mix], bool]:
    """Opinions by channel, and the same when 10 in 100 detractors have become promoters, or the other way round; and
    which."""
    up = draw.random() < 0.5
    before: list[Mix] = []
    while len(before) < 3:
        mix = some_mix(draw)
        if min(mix[0], mix[2]) > 0.1:
            before.append(mix)
    step = 0.1 if up else -0.1
    return before, [(p + step, q, d - step) for p, q, d in before], up


def _four_hundred(draw: random.Random, mixes: Sequence[Mix], shares: Sequence[float]) -> dict[str, Tally]:
    """A week of a hundred answers, of which a channel has its share."""
    counts = [0] * len(mixes)
    for channel in draw.choices(range(len(mixes)), shares, k=100):
        counts[channel] += 1
    return {f"channel-{n}": answers(draw, mix, counts[n]) for n, mix in enumerate(mixes)}


_UNMOVED = "where no opinion changed, at most 6 of 100 weekly posts call anything more than chance"
_MOVED = "where the score moved by 20 at 400 answers, at least 80 of 100 posts say so"

ROWS = (
    Row("brands.unmoved", _UNMOVED, "%", unmoved_percent, 6.0),
    Row("brands.moved", _MOVED, "%", moved_percent, 80.0, at_least=True),
)
