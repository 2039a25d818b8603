"""Every planted mistake still fits the code that it spoils, and the hunt knows a catch from a miss."""

from __future__ import annotations

import ast

import pytest

from tests.faults.planted import intake, machines, numbers, sending
from tests.faults.planted.bug import ROOT, Bug, Change, DoesNotApply, changed
from tests.faults.planted.hunt import dirty
from tests.faults.scenarios import NAMES

BUGS = (*intake.BUGS, *sending.BUGS, *numbers.BUGS, *machines.BUGS)


def test_there_are_at_least_twenty_and_each_has_its_name() -> None:
    assert len(BUGS) >= 20
    assert len({bug.name for bug in BUGS}) == len(BUGS)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_mistake_can_be_planted_and_is_python(bug: Bug) -> None:
    texts = {change.file: (ROOT / change.file).read_text("utf-8") for change in bug.changes}
    for change in bug.changes:
        assert change.old != change.new
        texts[change.file] = changed(texts[change.file], change, bug.name)
    for text in texts.values():
        ast.parse(text)
    assert set(bug.scenarios) <= set(NAMES)
    assert bug.shows


def test_a_mistake_that_fits_nowhere_or_twice_is_refused() -> None:
    for text in ("", "a = 1\na = 1\n"):
        with pytest.raises(DoesNotApply, match=r"example: x\.py"):
            changed(text, Change(file="x.py", old="a = 1\n", new="a = 2\n"), "example")


def test_a_verdict_is_dirty_only_where_it_is_asked() -> None:
    clean = {"lost": 0, "doubled": 0, "violations": [], "sent_share": 0.997}
    assert dirty(clean, list(clean)) == {}
    assert dirty({**clean, "lost": 2}, ["doubled"]) == {}
    assert dirty({**clean, "lost": 2}, ["lost"]) == {"lost": 2}
    assert dirty({**clean, "sent_share": 0.99}, ["sent_share"]) == {"sent_share": 0.99}
    assert dirty({**clean, "violations": list("abcd")}, ["violations"]) == {"violations": ["a", "b", "c"]}
