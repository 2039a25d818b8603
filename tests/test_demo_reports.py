"""How the demo tells reports apart, names what differs, and counts refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.details import details
from core.nps import Tally
from core.report import first_message, placeholder
from core.routes import Team
from core.survey import Survey
from demo.readback import arranged, counts_of, first_differences, tells
from demo.refusals import Refusals
from demo.reports import ReportPart, Reports, wrong_arrivals
from sandbox.seam import Post
from sandbox.server import Exchange
from tests.test_demo import REPORT

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
WEEK = "2026-W47"
TEAM, OTHER = Team(name="team", account="tg", place="-9"), Team(name="other", account="tg", place="-8")
HEADLINE, DETAILS = first_message(REPORT, "en").plain, details(REPORT, "en").plain


def survey(name: str, brand: str, *teams: str) -> Survey:
    return Survey(name=name, brand=brand, teams=teams or ("team",))


def reports(*surveys: Survey) -> Reports:
    return Reports({one.name: one for one in surveys}, {"team": TEAM, "other": OTHER})


def told(*texts: str, place: str = "-9") -> list[Post]:
    return [Post("telegram", "tg", place, None, str(n), text, AT) for n, text in enumerate(texts)]


def test_both_parts_of_a_report_are_told_in_either_language() -> None:
    french = first_message(REPORT, "fr").plain, details(REPORT, "fr").plain
    for texts in ((HEADLINE, DETAILS), french):
        found = list(reports(survey("acme", "Acme")).read(told(*texts)))
        assert [part.key for part in found] == [("acme", "team", WEEK, part) for part in ("headline", "details")]


def test_a_late_report_that_lacks_an_account_is_told_all_the_same() -> None:
    late = replace(REPORT, was_due="2026-11-23 09:00", absent=("acme-x",))
    for language in ("en", "fr"):
        texts = first_message(late, language).plain, details(late, language).plain
        assert texts[0] != first_message(REPORT, language).plain
        found = list(reports(survey("acme", "Acme")).read(told(*texts)))
        assert [part.key for part in found] == [("acme", "team", WEEK, part) for part in ("headline", "details")]


@pytest.mark.parametrize("first", ["Acme", "Acme, Inc"])
def test_a_brand_is_not_taken_for_one_whose_name_begins_alike(first: str) -> None:
    three = [survey("plain", "Acme"), survey("plus", "Acme Plus"), survey("inc", "Acme, Inc")]
    ordered = sorted(three, key=lambda one: one.brand != first)
    texts = [f"{brand}: NPS 1, week {WEEK}." for brand in ("Acme", "Acme Plus", "Acme, Inc")]
    found = [part.survey for part in reports(*ordered).read(told(*texts, f"Acmes: NPS 1, week {WEEK}."))]
    assert found == ["plain", "plus", "inc"]


def test_a_split_message_belongs_to_the_part_before_it_in_its_place() -> None:
    lines = DETAILS.splitlines()
    both = reports(survey("acme", "Acme"), survey("north", "North", "other"))
    posts = told(HEADLINE, "\n".join(lines[:2]))
    posts += told(f"North, week {WEEK}, details (scale 0-10)", place="-8")
    posts += told(lines[2])
    found = list(both.read(posts))
    assert [(part.survey, part.part, part.begins) for part in found] == [
        ("acme", "headline", True),
        ("acme", "details", True),
        ("north", "details", True),
        ("acme", "details", False),
    ]
    assert list(both.read(told(lines[2]))) == []


def test_a_report_that_was_edited_into_its_place_arrived_once() -> None:
    soon, more = told("The report comes soon", DETAILS)
    twice = [soon, more, replace(soon, text="?", edited=True), replace(soon, text=HEADLINE, edited=True)]
    found = list(reports(survey("acme", "Acme")).read(twice))
    assert [(part.part, part.text) for part in found] == [("headline", HEADLINE), ("details", DETAILS)]


def test_a_promise_of_a_report_is_not_yet_one() -> None:
    for language in ("en", "fr"):
        promised = [placeholder(REPORT, language, first=first).plain for first in (True, False)]
        found = list(reports(survey("acme", "Acme")).read(told(*promised, HEADLINE, DETAILS)))
        assert [tells(part.text) for part in found] == [False, False, True, True]


def test_surveys_of_one_brand_in_one_place_cannot_be_told_apart() -> None:
    twins = reports(survey("spring", "Acme"), survey("autumn", "Acme"), survey("north", "North"))
    assert twins.ambiguous() == ["tg -9: the reports of spring to team and autumn to team cannot be told apart"]
    assert [part.survey for part in twins.read(told(HEADLINE, f"North: NPS 1, week {WEEK}."))] == ["north"]
    assert reports(survey("spring", "Acme"), survey("autumn", "Acme", "other")).ambiguous() == []


def test_what_arrived_again_or_was_not_due_is_named() -> None:
    first = ReportPart("acme", "team", WEEK, "details", "a")
    more = ReportPart("acme", "team", WEEK, "details", "b", begins=False)
    assert wrong_arrivals([first, more], {"acme": [WEEK]}) == []
    assert wrong_arrivals([first, more, first, more], {"acme": [WEEK]}) == [
        f"report acme team {WEEK} details arrived 2 times",
        f"report acme team {WEEK} details: a continuation arrived 2 times",
    ]
    assert wrong_arrivals([first], {"acme": ["2026-W48"]}) == [f"report acme team {WEEK} details was not due"]


def weeks(n: Tally, window: Tally, **channels: Tally) -> dict[str, Any]:
    def counts(tally: Tally) -> dict[str, Any]:
        return counts_of(tally.promoters, tally.passives, tally.detractors)

    kinds = {"named": {"all": counts(n)}, "open": {"all": counts(n), **{k: counts(t) for k, t in channels.items()}}}
    return arranged({WEEK: {**kinds, "window": counts(window)}})


def test_the_first_numbers_that_differ_are_named() -> None:
    few, more = Tally(4, 4, 2), Tally(5, 4, 3)
    truth = {"s": weeks(more, more, **{"x-poll": more})}
    assert first_differences(truth, truth) == []
    poll = {"s": weeks(more, more, **{"x-poll": few})}
    assert first_differences(truth, poll) == [f"{WEEK} open x-poll: truth 12 (5/4/3), posted 10 (4/4/2)"]
    none = {"s": weeks(few, few)}
    assert first_differences(truth, none, most=1) == [
        f"{WEEK} window: truth 12 (5/4/3), posted 10 (4/4/2)",
        "and 3 more numbers that differ",
    ]


def exchange(status: int) -> Exchange:
    return Exchange("telegram", "POST", "/sendMessage", {}, {}, b"", status, {}, b"")


@pytest.mark.parametrize(
    ("requests", "refused", "status", "wrong"),
    [(400, 10, 429, False), (400, 11, 429, True), (5000, 50, 400, False), (5000, 51, 400, True), (400, 90, 403, False)],
)
def test_many_refusals_are_a_fault(requests: int, refused: int, status: int, wrong: bool) -> None:
    found = Refusals()
    for number in range(requests):
        found.see(exchange(status if number < refused else 200))
    assert found.by_platform() == ({} if status == 403 else {"telegram": {str(status): refused}})
    assert bool(found.faults()) == wrong
