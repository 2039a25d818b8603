"""The picture of a post: how long it takes, and how much memory."""

from __future__ import annotations

import asyncio
import resource
import statistics
import time
from functools import cache
from typing import NamedTuple

from bench.row import Figure, NotMeasured, Row, in_a_process
from core.ballot import Scale
from core.change import Period
from core.nps import Tally
from core.picture import picture
from core.png import drawn
from core.report import Headline, WeekReport
from core.survey import Benchmark, Survey, wave_by_key

ROUNDS, QUICK_ROUNDS = 21, 7
BLANK = '<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="900"><rect width="1200" height="900"/></svg>'


class Taken(NamedTuple):
    """Milliseconds and megabytes, of ours and of an empty picture of the same size."""

    ours_ms: float
    blank_ms: float
    ours_mb: float
    blank_mb: float


def a_post() -> tuple[WeekReport, list[Headline]]:
    """A post with half a year before it, a goal and a benchmark."""
    wave = wave_by_key(Survey(name="acme", brand="Acme"), "2026-W47")
    report = WeekReport(
        survey="acme",
        title="Acme",
        scale=Scale.ZERO_TO_TEN,
        wave=wave,
        width=4,
        window=Period(weeks=4, channels={"telegram": Tally(299, 167, 132)}),
        window_before=Period(weeks=4, channels={"telegram": Tally(210, 190, 127)}),
        week=Period(weeks=1, channels={"telegram": Tally(77, 46, 31)}),
        week_before=Period(weeks=1, channels={"telegram": Tally(70, 46, 35)}),
        open=None,
        open_before=None,
        channels=(),
        goal=40,
        benchmarks=(Benchmark("Sector", 31),),
    )
    before = [Headline(f"2026-W{week}", week % 30, week % 30 - 8, week % 30 + 8, "steady") for week in range(22, 47)]
    return report, before


def one(svg: str | None) -> float:
    """Seconds for one picture, from the numbers to the file; of ``svg`` alone where one is given."""
    report, before = a_post()
    started = time.perf_counter()
    if svg is None:
        shown = picture(report, before, "fr")
        assert shown is not None
        svg = shown.svg
    if asyncio.run(drawn(svg)) is None:
        raise NotMeasured("the picture could not be drawn")
    return time.perf_counter() - started


def measured(rounds: int, blank: bool) -> dict[str, float]:
    """The median of several after a first one, and the most memory that drawing took; in a process of its own."""
    svg = BLANK if blank else None
    one(svg)
    taken = [one(svg) for _ in range(rounds)]
    return {"ms": 1000 * statistics.median(taken), "mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}


@cache
def _taken(quick: bool) -> Taken:
    rounds = QUICK_ROUNDS if quick else ROUNDS
    ours, blank = (in_a_process(f"bench.picture:measured({rounds}, {its})") for its in (False, True))
    return Taken(ours["ms"], blank["ms"], ours["mb"], blank["mb"])


def drawing_ms(quick: bool) -> Figure:
    """Milliseconds from the numbers to the file, the median of several. Ratio: down."""
    taken = _taken(quick)
    return Figure(taken.ours_ms, taken.blank_ms)


def memory_mb(quick: bool) -> Figure:
    """Megabytes of the process that draws it. Ratio: down."""
    taken = _taken(quick)
    return Figure(taken.ours_mb, taken.blank_mb)


ROWS = (
    Row("picture.draw", "the picture of a post takes at most 150 ms", "ms", drawing_ms, 150.0),
    Row("picture.memory", "and at most 40 MB more memory", "MB", memory_mb, 40.0),
)
