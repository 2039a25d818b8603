"""The picture of a post: nothing runs out of it or into another, and no word in it is more than a word."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.change import Verdict
from core.chart import HEIGHT, WIDTH, Chart, Mark, Point, Share, draw, width_of
from core.nps import Tally
from core.picture import picture
from core.png import png
from core.report import Headline
from core.survey import Benchmark
from core.words import languages
from tests.core.reporting import WAVE, report

SHAPES = ("svg", "rect", "text", "path", "circle")
SVG = "{http://www.w3.org/2000/svg}"
NASTY = '<script>alert(1)</script> &amp; "x" \u202e\ufeff ]]> <image href="https://evil.example/x.png"/>'

SCORES = st.integers(-100, 100)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60) | st.just(NASTY)


@st.composite
def points(draw_: st.DrawFn) -> Point:
    label, apart = draw_(st.sampled_from(["16 Nov", "21 sept.", ""])), draw_(st.booleans())
    if draw_(st.integers(0, 5)) == 0:
        return Point(label, None, apart=apart)
    low, score, high = sorted(draw_(st.tuples(SCORES, SCORES, SCORES)))
    return Point(label, score, low, high, apart)


CHARTS = st.builds(
    Chart,
    title=NAMES,
    when=NAMES,
    score=SCORES.map(str),
    beside=st.tuples(NAMES, NAMES),
    verdict=NAMES,
    shares=st.tuples(*(st.builds(Share, st.integers(0, 100), NAMES) for _ in range(3))),
    points=st.lists(points(), min_size=1, max_size=26).map(tuple),
    goal=st.none() | st.builds(Mark, NAMES, SCORES),
    marks=st.lists(st.builds(Mark, NAMES, SCORES), max_size=3).map(tuple),
    apart=NAMES,
    footer=NAMES,
)


def parsed(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(draw(chart))


@given(CHARTS)
def test_words_are_words_and_all_of_it_is_on_the_picture(chart: Chart) -> None:
    root = parsed(chart)
    assert {element.tag for element in root.iter()} <= {
        f"{SVG}{name}" for name in ("svg", "rect", "text", "path", "circle")
    }
    for text in root.iter(f"{SVG}text"):
        x, size, words = float(text.attrib["x"]), float(text.attrib["font-size"]), text.text or ""
        wide = width_of(words, size)
        left = {"start": x, "middle": x - wide / 2, "end": x - wide}[text.attrib["text-anchor"]]
        assert left >= -1
        assert left + wide <= WIDTH + 1
        assert 0 < float(text.attrib["y"]) < HEIGHT
        assert size >= 18
    for circle in root.iter(f"{SVG}circle"):
        assert 0 < float(circle.attrib["cx"]) < WIDTH
        assert 380 <= float(circle.attrib["cy"]) <= 640


@given(CHARTS)
def test_a_higher_score_stands_higher_and_a_break_breaks(chart: Chart) -> None:
    root = parsed(chart)
    shown = [point for point in chart.points if point.score is not None]
    last = chart.points[-1].score is not None
    dots = [circle for circle in root.iter(f"{SVG}circle") if circle.attrib["fill"] == "#0b7a75"]
    assert len(dots) == len(shown)
    heights = [(point.score, -float(dot.attrib["cy"])) for point, dot in zip(shown, dots, strict=True)]
    for one, height in heights:
        for other, its in heights:
            assert (one == other) <= (abs(height - its) < 0.11)
            assert not (one is not None and other is not None and one > other and height < its)
    lines = [path for path in root.iter(f"{SVG}path") if path.attrib.get("stroke-width") == "7"]
    joined = sum(path.attrib["d"].count("L") for path in lines)
    pairs = zip(chart.points, chart.points[1:], strict=False)
    assert joined == sum(1 for a, b in pairs if not b.apart and a.score is not None and b.score is not None)
    assert bool(last) == any(dot.attrib["r"] == "15" for dot in dots)


@given(CHARTS)
def test_the_three_groups_share_the_bar_as_they_share_the_answers(chart: Chart) -> None:
    bars = [rect for rect in parsed(chart).iter(f"{SVG}rect") if rect.attrib.get("height") == "68"]
    shares = [share.n for share in chart.shares if share.n]
    assert len(bars) == len(shares)
    total = sum(float(bar.attrib["width"]) for bar in bars)
    for bar, share in zip(bars, shares, strict=True):
        assert float(bar.attrib["width"]) / total == pytest.approx(share / sum(shares), abs=0.001)


BEFORE = [Headline(f"2026-W{week}", 20, 12, 28, str(Verdict.CHANCE)) for week in range(40, 47)]


@pytest.mark.parametrize("language", languages())
def test_every_language_has_its_picture(language: str) -> None:
    found = picture(report(Tally(50, 28, 22), goal=40, benchmarks=(Benchmark("Sector", 31),)), BEFORE, language)
    assert found is not None
    assert png(found.svg).startswith(b"\x89PNG\r\n\x1a\n")
    english = picture(report(Tally(50, 28, 22)), BEFORE, "en")
    assert english is not None
    assert (found.words == english.words) == (language in ("en", "ja", "ko", "zh"))


def test_few_answers_have_no_picture() -> None:
    assert picture(report(Tally(5, 2, 2)), BEFORE, "en") is None
    assert picture(report(Tally(5, 3, 2)), BEFORE, "en") is not None


def test_a_name_that_the_fonts_lack_is_left_out() -> None:
    shown = picture(replace(report(Tally(50, 28, 22)), title="カフェ 🎉"), (), "en")
    assert shown is not None
    assert next(text.text for text in ElementTree.fromstring(shown.svg).iter(f"{SVG}text")) == "NPS"


def test_the_line_breaks_where_a_week_was_not_comparable_and_has_no_later_week() -> None:
    apart = replace(BEFORE[-1], verdict=str(Verdict.NOT_COMPARABLE))
    later = replace(BEFORE[-1], wave="2026-W52", score=99)
    shown = picture(report(Tally(50, 28, 22)), [*BEFORE[:-1], apart, later], "en")
    assert shown is not None
    assert WAVE.key == "2026-W47"
    root = ElementTree.fromstring(shown.svg)
    assert len([path for path in root.iter(f"{SVG}path") if path.attrib.get("stroke-width") == "7"]) == 2
    assert any(text.text == "not comparable" for text in root.iter(f"{SVG}text"))
    assert len([circle for circle in root.iter(f"{SVG}circle") if circle.attrib["fill"] == "#0b7a75"]) == 8
