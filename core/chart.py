"""The picture of a weekly post, as SVG: drawn from a template of ours, the same wherever it is shown. Pure.

It is 1200 by 900 on a ground of its own, so that it reads alike in light and dark; on a phone it is some 340 points
wide, where its smallest words still have the size of a caption. What it says comes ready from ``core/picture.py``.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 1200, 900

_LEFT, _RIGHT = 56.0, WIDTH - 56.0
_TREND_TOP, _TREND_BOTTOM = 384.0, 630.0
_TREND_LEFT, _TREND_RIGHT = 136.0, 1128.0
_NAMES_RIGHT = 860.0
"""Where the trend ends when the names of lines stand beside it."""

_GROUND, _INK, _MUTED, _GRID = "#fbfaf7", "#17212e", "#566273", "#e3e1da"
_TEAL, _GREY, _RUST, _GOLD = "#0b7a75", "#c3ccd5", "#cf4a14", "#8a6a00"
"""Teal and rust are told apart by the colour-blind as well. Source: B. Wong, Nature Methods 8, 441, 2011."""


@dataclass(frozen=True, slots=True)
class Point:
    """One post: its score and range, ``None`` where it had too few answers."""

    label: str
    score: int | None
    low: int | None = None
    high: int | None = None
    apart: bool = False
    """Whether it is not to be compared with the one before: the scale or the channels changed."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A score to compare with: the goal, a competitor's, the sector's."""

    label: str
    score: int


@dataclass(frozen=True, slots=True)
class Share:
    """One of the three groups: how many in a hundred (or of few answers), and how that is said."""

    n: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Everything that stands in the picture, in the reader's words."""

    title: str
    when: str
    score: str
    """``27``, or a dash where there is none."""
    beside: tuple[str, str]
    """Two lines beside the score."""
    verdict: str
    shares: tuple[Share, ...]
    """Promoters, passives, detractors; empty when nobody answered."""
    points: tuple[Point, ...]
    goal: Mark | None = None
    marks: tuple[Mark, ...] = ()
    apart: str = ""
    """What is said where the line breaks."""
    footer: str = ""


def draw(chart: Chart) -> str:
    """The picture as SVG. Every word in it is escaped."""
    parts = [*_head(chart), *_Trend(chart).drawn(), *_groups(chart.shares), *_foot(chart)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" font-family="Inter, \'Noto Sans\', sans-serif">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{_GROUND}"/>{"".join(parts)}</svg>'
    )


# -- words ---------------------------------------------------------------------------------------------------------


def width_of(words: str, size: float) -> float:
    """About how wide words are, in the picture's units; rather more than less, for no font is asked."""
    return size * sum(_wide(letter) for letter in words)


def _wide(letter: str) -> float:
    if unicodedata.category(letter) in ("Mn", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    if letter in "iljtfrI.,:;'|!()[] ":
        return 0.34
    if letter in "mwMW@%":
        return 0.9
    return 0.68 if letter.isupper() else 0.59


def _text(
    x: float,
    y: float,
    words: str,
    size: float,
    *,
    fill: str = _INK,
    weight: int = 400,
    anchor: str = "start",
    room: float = 0,
    above: bool = False,
) -> str:
    """Words at their baseline; smaller, where they would be wider than ``room``; cut, where they would be tiny. With a
    border of the ground, where they stand ``above`` lines."""
    words = " ".join(words.split())
    if room and (wide := width_of(words, size)) > room:
        size, words = _fitted(words, size, wide, room)
    border = f' stroke="{_GROUND}" stroke-width="9" stroke-linejoin="round" paint-order="stroke"' if above else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.1f}" font-weight="{weight}" fill="{fill}" '
        f'text-anchor="{anchor}"{border}>{escape(_directed(words))}</text>'
    )


def _directed(words: str) -> str:
    """Words from right to left as a whole, where they begin so: a picture has no direction of its own."""
    first = next((way for way in map(unicodedata.bidirectional, words) if way in ("L", "R", "AL")), "L")
    return words if first == "L" else f"\u202b{words}\u202c"


_SMALLEST = 0.7
"""Words become no smaller than this share of their size."""


def _fitted(words: str, size: float, wide: float, room: float) -> tuple[float, str]:
    if room / wide >= _SMALLEST:
        return size * room / wide, words
    size *= _SMALLEST
    while words and width_of(f"{words}…", size) > room:
        words = words[:-1]
    return size, f"{words.rstrip()}…"


_SCORE = 180.0


def _head(chart: Chart) -> Iterator[str]:
    yield _text(_LEFT, 88, chart.title, 44, weight=700, room=620)
    yield _text(_RIGHT, 88, chart.when, 36, fill=_MUTED, anchor="end", room=440)
    yield _text(_LEFT - 6, 264, chart.score, _SCORE, weight=700)
    beside = _LEFT + width_of(chart.score, _SCORE) + 36
    first, second = chart.beside
    yield _text(beside, 196, first, 44, weight=600, room=_RIGHT - beside)
    yield _text(beside, 254, second, 40, fill=_MUTED, room=_RIGHT - beside)
    yield _text(_LEFT, 340, chart.verdict, 46, weight=600, room=_RIGHT - _LEFT)


def _foot(chart: Chart) -> Iterator[str]:
    yield _text(_LEFT, 872, chart.footer, 30, fill=_MUTED, room=_RIGHT - _LEFT)


# -- the three groups ----------------------------------------------------------------------------------------------


def _groups(shares: Sequence[Share]) -> Iterator[str]:
    total = sum(share.n for share in shares)
    if not total:
        return
    x, gap = _LEFT, 6.0
    wide = _RIGHT - _LEFT - gap * (sum(1 for share in shares if share.n) - 1)
    for share, fill, ink in zip(shares, (_TEAL, _GREY, _RUST), ("#ffffff", _INK, "#ffffff"), strict=True):
        if share.n:
            its = wide * share.n / total
            yield f'<rect x="{x:.1f}" y="704" width="{its:.1f}" height="68" rx="8" fill="{fill}"/>'
            if its >= width_of(str(share.n), 42) + 12:
                yield _text(x + its / 2, 753, str(share.n), 42, fill=ink, weight=700, anchor="middle")
            x += its + gap
    yield from _legend(shares)


def _legend(shares: Sequence[Share]) -> Iterator[str]:
    swatch, gap, size = 38.0, 44.0, 34.0
    room = _RIGHT - _LEFT - 3 * swatch - 2 * gap
    wide = sum(width_of(share.label, size) for share in shares)
    size = max(0.8 * size, size * min(1.0, room / max(wide, 1.0)))
    x = _LEFT
    for share, fill in zip(shares, (_TEAL, _GREY, _RUST), strict=True):
        yield f'<rect x="{x:.1f}" y="798" width="24" height="24" rx="5" fill="{fill}"/>'
        its = width_of(share.label, size)
        its = its if 0.8 * wide <= room else min(its, room / len(shares))
        yield _text(x + swatch, 820, share.label, size, room=its)
        x += swatch + its + gap


# -- the trend -----------------------------------------------------------------------------------------------------


class _Trend:
    """The scores of the last posts with their ranges, and what they are held against."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        self._points = chart.points
        self._lines = (*((chart.goal,) if chart.goal else ()), *chart.marks)
        self._right = _NAMES_RIGHT if self._lines else _TREND_RIGHT
        self._low, self._high, self._step = _scale(
            [
                *(mark.score for mark in self._lines),
                *(n for point in self._points for n in (point.score, point.low, point.high) if n is not None),
            ]
        )

    def drawn(self) -> Iterator[str]:
        yield from self._grid()
        if not any(point.score is not None for point in self._points):
            return
        yield from self._named_lines()
        for first, run in _runs(self._points):
            yield from self._run(first, run)
        yield from self._breaks()
        yield from self._labels()

    def _x(self, place: int) -> float:
        if len(self._points) == 1:
            return (_TREND_LEFT + self._right) / 2
        return _TREND_LEFT + 24 + (self._right - _TREND_LEFT - 48) * place / (len(self._points) - 1)

    def _y(self, score: float) -> float:
        return _TREND_BOTTOM - (_TREND_BOTTOM - _TREND_TOP) * (score - self._low) / (self._high - self._low)

    def _grid(self) -> Iterator[str]:
        for score in range(self._low, self._high + 1, self._step):
            y = self._y(score)
            yield f'<path d="M{_TREND_LEFT:.1f} {y:.1f}H{self._right:.1f}" stroke="{_GRID}" stroke-width="2"/>'
            yield _text(_TREND_LEFT - 18, y + 11, str(score), 32, fill=_MUTED, anchor="end")

    def _named_lines(self) -> Iterator[str]:
        """The goal and the marks: a line each, its name at its right, no two names on one another."""
        lines = sorted(self._lines, key=lambda mark: -mark.score)
        names = _apart([self._y(mark.score) + 11 for mark in lines])
        for mark, said in zip(lines, names, strict=True):
            y, fill = self._y(mark.score), _GOLD if mark is self._chart.goal else _MUTED
            dash = "14 10" if mark is self._chart.goal else "3 9"
            yield (
                f'<path d="M{_TREND_LEFT:.1f} {y:.1f}H{self._right + 10:.1f}" stroke="{fill}" stroke-width="4" '
                f'stroke-dasharray="{dash}" stroke-linecap="round"/>'
            )
            name = f"{mark.label} {mark.score}"
            yield _text(self._right + 24, said, name, 32, fill=fill, weight=600, room=_RIGHT - self._right - 24)

    def _run(self, first: int, run: Sequence[Point]) -> Iterator[str]:
        """Posts that are compared with one another: their ranges as an area, their scores as a line."""
        places = [self._x(first + at) for at in range(len(run))]
        highs = [self._y(point.high or 0) for point in run]
        lows = [self._y(point.low or 0) for point in run]
        scores = [self._y(point.score or 0) for point in run]
        if len(run) == 1:
            x = places[0]
            yield (
                f'<path d="M{x:.1f} {highs[0]:.1f}V{lows[0]:.1f}" stroke="{_TEAL}" stroke-opacity="0.22" '
                f'stroke-width="26"/>'  # its ends are the range's: a round cap would make it wider
            )
        else:
            around = [*zip(places, highs, strict=True), *reversed(list(zip(places, lows, strict=True)))]
            yield f'<path d="{_path(around)}Z" fill="{_TEAL}" fill-opacity="0.17"/>'
            yield (
                f'<path d="{_path(zip(places, scores, strict=True))}" fill="none" stroke="{_TEAL}" stroke-width="7" '
                f'stroke-linecap="round" stroke-linejoin="round"/>'
            )
        last = first + len(run) == len(self._points)
        for at, (x, y) in enumerate(zip(places, scores, strict=True)):
            end = last and at == len(run) - 1
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{15 if end else 6}" fill="{_TEAL}"/>'
            if end:
                yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{_GROUND}"/>'

    def _breaks(self) -> Iterator[str]:
        said = False
        for place, point in enumerate(self._points):
            if not point.apart or not place:
                continue
            x = (self._x(place - 1) + self._x(place)) / 2
            yield (
                f'<path d="M{x:.1f} {_TREND_TOP - 8:.1f}V{_TREND_BOTTOM:.1f}" stroke="{_MUTED}" stroke-width="3" '
                f'stroke-dasharray="2 9" stroke-linecap="round"/>'
            )
            if not said and self._chart.apart:
                left = x > (_TREND_LEFT + self._right) / 2
                x, anchor = (x - 14, "end") if left else (x + 14, "start")
                yield _text(
                    x, _TREND_BOTTOM - 12, self._chart.apart, 28, fill=_MUTED, anchor=anchor, room=420, above=True
                )
                said = True

    def _labels(self) -> Iterator[str]:
        """The first and the last post, and between them as many as have room."""
        wide = max(width_of(point.label, 32) for point in self._points) + 36
        most = max(2, int((self._right - _TREND_LEFT) / wide))
        last = len(self._points) - 1
        every = max(1, math.ceil(last / (most - 1))) if last else 1
        for place in range(last, -1, -every):
            yield _text(self._x(place), _TREND_BOTTOM + 46, self._points[place].label, 32, fill=_MUTED, anchor="middle")


def _apart(names: Sequence[float]) -> list[float]:
    """Places of names, from the top, so far apart that none stands on another, and none below the trend."""
    found: list[float] = []
    for name in names:
        found.append(max(name, found[-1] + 40) if found else name)
    lowest = _TREND_BOTTOM + 11
    for place in range(len(found) - 1, -1, -1):
        found[place] = min(found[place], lowest)
        lowest = found[place] - 40
    return found


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _runs(points: Sequence[Point]) -> Iterator[tuple[int, Sequence[Point]]]:
    """Posts in a row that have a score and may be compared, each with the place of its first."""
    ends = [
        place
        for place, (before, point) in enumerate(pairwise(points), start=1)
        if point.apart or (before.score is None) != (point.score is None)
    ]
    for first, end in pairwise([0, *ends, len(points)]):
        if points[first].score is not None:
            yield first, points[first:end]


def _scale(scores: Sequence[int]) -> tuple[int, int, int]:
    """The lowest and highest score of the scale, and the step of its lines: three to five of them."""
    low, high = min(scores, default=0), max(scores, default=0)
    for step in (10, 20, 25, 50):
        first, last = math.floor(low / step) * step, math.ceil(high / step) * step
        if last - first < 2 * step:
            first, last = max(-100, first - step), min(100, last + step)
        if (last - first) // step <= 4:
            break
    return first, last, step
