"""The bench measures what its README says, and prints it in the shape that scripts read. Nothing here is timed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench.__main__ import ROWS, main
from bench.row import Figure, Row

README = Path(__file__).parents[1] / "bench" / "README.md"
UNITS = {"s", "ms", "MB", "%", "events/s", "messages/s", "replies/s"}


def test_every_row_stands_in_the_readme_and_the_other_way_round() -> None:
    documented = re.findall(r"^\| `([a-z0-9.]+)` \|", README.read_text("utf-8"), re.MULTILINE)
    assert documented == [row.name for row in ROWS]
    assert len(set(documented)) == len(documented)
    assert all(row.promise and row.unit in UNITS for row in ROWS)


def test_a_row_is_a_value_beside_its_floor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store.inbox", "start.help", "--quick", "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert [set(row) for row in found] == [{"name", "value", "unit", "floor", "ratio", "limit", "holds"}] * 2
    assert [(row["name"], row["unit"]) for row in found] == [("store.inbox", "replies/s"), ("start.help", "s")]
    for row in found:
        assert row["value"] > 0
        assert row["floor"] > 0
        assert row["ratio"] == pytest.approx(row["value"] / row["floor"], rel=0.01, abs=0.001)
    assert "1/2 store.inbox" in said.err


@pytest.mark.parametrize(
    ("unit", "limit", "value", "holds"),
    [("s", 5.0, 4.9, True), ("s", 5.0, 5.1, False), ("replies/s", 5.0, 4.9, False), ("MB", None, 9.0, True)],
)
def test_a_promise_is_the_most_or_of_a_rate_the_least(
    unit: str, limit: float | None, value: float, holds: bool
) -> None:
    figure = Figure(value, 1.0)
    assert Row("a.b", "so much", unit, lambda quick: figure, limit).holds(figure) is holds


def test_a_name_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stroe.inbox"]) == 2
    assert "store.inbox" in capsys.readouterr().err
