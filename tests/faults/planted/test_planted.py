"""Every planted mistake still fits the code that it spoils, and the hunt knows a catch from a miss."""

from __future__ import annotations

import ast

import pytest

from tests.faults.planted.bug import ROOT, Bug, Change, DoesNotApply, changed
from tests.faults.planted.every import BUGS, FEWEST
from tests.faults.planted.hunt import Caught, controls_of, dirty, summed
from tests.faults.scenarios import NAMES


def test_there_are_at_least_twenty_and_each_has_its_name() -> None:
    assert len(BUGS) >= FEWEST
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
    clean = {"lost": 0, "doubled": 0, "violations": [], "sent_share": 0.96}
    assert dirty(clean, list(clean)) == {}
    assert dirty({**clean, "lost": 2}, ["doubled"]) == {}
    assert dirty({**clean, "lost": 2}, ["lost"]) == {"lost": 2}
    assert dirty({**clean, "sent_share": 0.94}, ["sent_share"]) == {"sent_share": 0.94}
    of_theirs = {"acme-discord invitation refused acme-discord: this person has blocked us": 1}
    assert dirty({**clean, "not_sent": of_theirs}, ["refused"]) == {}
    assert dirty({**clean, "not_sent": {**of_theirs, "acme-x ask refused acme-x: wait": 1}}, ["refused"]) == {
        "refused": ["acme-x ask refused acme-x: wait"]
    }
    assert dirty({**clean, "violations": list("abcd")}, ["violations"]) == {"violations": ["a", "b", "c"]}


def test_each_mistake_has_a_control_that_is_killed_as_often() -> None:
    controls = controls_of(BUGS)
    for bug in BUGS:
        (control,) = [one for one in controls if one.name == controls_of([bug])[0].name]
        assert not control.changes
        assert (control.scenarios, control.database, control.instances) == (bug.scenarios, bug.database, bug.instances)
        assert control.kills >= bug.kills
        assert control.week_s == bug.week_s
        assert set(control.shows) >= set(bug.shows)


def test_a_catch_counts_only_beside_a_clean_control() -> None:
    bugs = BUGS[:FEWEST]
    clean = [Caught(name=one.name, caught=False) for one in controls_of(bugs)]
    caught = [Caught(name=bug.name, caught=True, by={"lost": 1}) for bug in bugs]
    assert summed(bugs, clean, caught)["ok"]
    blind = [Caught(name=one.name, caught=True, by={"lost": 1}) for one in clean]
    assert summed(bugs, blind, caught)["caught"] == 0
    assert not summed(bugs, clean, caught[1:])["ok"]
    assert not summed(bugs[1:], clean, caught[1:])["ok"]
