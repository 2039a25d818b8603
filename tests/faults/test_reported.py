"""The judge of the reports sees what is early, mixed up, missing or invented, and bears what could not be known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.books import Books
from tests.faults.counted import Counted
from tests.faults.hand_made import BOT, CASE, DETAILS, clean, first_message, moment, post, said
from tests.faults.peace import Peace
from tests.faults.recorded import Life, Truth
from tests.faults.reported import Reported

LATER = (
    "Acme: no answers yet, week 2026-W48",
    "Acme, week 2026-W48, details (scale 0-10)\nNamed answers: NPS –, n 0: promoters 0, passives 0, detractors 0",
)
NOT_READ = "\nCould not be read in time, so answers may be missing: acme-telegram"


def reported(truth: Truth, books: Books) -> Reported:
    peace = Peace(truth, ())
    return Reported(truth, books, Counted(truth, books, CASE.zones, peace), CASE.platforms, CASE.teams, (), peace)


def saying(said: str = DETAILS, more: str = "", *, at: float = 177, last: bool = False) -> tuple[Truth, Books]:
    """The clean world with other details and ``more`` in the first message; ``last``: it is the last report."""
    truth, books = clean()
    told = {63: first_message(said) + more, 64: said}
    posts = tuple(replace(p, edits=(told[p.number],), at=moment(at)) if p.number in told else p for p in truth.posts)
    later = () if last else tuple(post(70 + n, BOT, "-9", text, at=moment(345)) for n, text in enumerate(LATER))
    return replace(truth, posts=(*posts, *later)), books


def named(promoters: int, detractors: int) -> str:
    n = f"n {promoters + detractors}: promoters {promoters}, passives 0, detractors {detractors}"
    return DETAILS.replace("n 3: promoters 2, passives 0, detractors 1", n)


def test_what_is_right_passes() -> None:
    assert list(reported(*saying()).wrong()) == []
    assert list(reported(*saying(last=True)).wrong()) == []


@pytest.mark.parametrize(
    ("details", "more", "wrong"),
    [
        (named(3, 1), "", "named all promoters says 3, at least 2 and at most 2 had answered so"),
        (named(1, 1), "", "named all promoters says 1, at least 2 and at most 2 had answered so"),
        (named(3, 1), NOT_READ, "named all promoters says 3, at least 1 and at most 2 had answered so"),
        (
            DETAILS + "\nOpen polls: NPS –, n 3: promoters 3, passives 0, detractors 0",
            "",
            "open all promoters says 3, at least 1 and at most 1 had answered so",
        ),
    ],
    ids=["too many", "too few", "too many although some may be missing", "an open poll"],
)
def test_a_wrong_number_is_seen(details: str, more: str, wrong: str) -> None:
    found = list(reported(*saying(details, more)).wrong())
    assert found == [f"report recommend desk 2026-W47 details: {wrong}"]


def test_a_first_message_that_its_details_do_not_bear_out_is_seen() -> None:
    truth, books = saying()
    other = ["Acme: NPS 33, week 2026-W47. Steady.", "3 answers, chance range -50 to 90."]
    truth = replace(
        truth, posts=tuple(replace(p, edits=("\n".join(other),)) if p.number == 63 else p for p in truth.posts)
    )
    found = list(reported(truth, books).wrong())
    assert found == [f"report recommend desk 2026-W47 headline contradicts its details: {said}" for said in other]


def test_what_could_not_be_read_in_time_may_be_missing() -> None:
    assert list(reported(*saying(named(1, 0), NOT_READ)).wrong()) == []
    wrong = list(reported(*saying(named(1, 0), NOT_READ, last=True)).wrong())
    assert [text.partition(": ")[2] for text in wrong] == [
        "named all promoters says 1, the books have 2",
        "named all detractors says 0, the books have 1",
    ]


@pytest.mark.parametrize(("at", "early"), [(176.4, True), (176.6, False), (190, False)])
def test_nothing_is_told_before_it_is_due(at: float, early: bool) -> None:
    wrong = list(reported(*saying(at=at)).wrong())
    assert [text.endswith("h before it was due") for text in wrong] == [True, True] * early


def test_by_hand_it_may_be_told_sooner_and_may_lack_what_was_not_read() -> None:
    truth, books = saying(named(1, 0), at=174)
    unread = reported(truth, books)
    assert any(text.endswith("h before it was due") for text in unread.wrong())
    made = truth.wall - (truth.at - moment(174)) / unread.counted.speed
    unread.posted = [(made - 1, made)]
    assert list(unread.wrong()) == []
    unread.posted = [(made - 9, made - 8)]
    assert list(unread.wrong())


def test_it_is_too_early_to_read_the_numbers_before_it_is_due() -> None:
    truth, books = saying()
    books.outbox.append(said("report:recommend:2026-W47:desk:0", BOT, place="-9", planned_at=moment(172)))
    assert list(reported(truth, books).wrong()) == [
        f"report recommend desk 2026-W47 {part} came 5.0 h before it was due" for part in ("headline", "details")
    ]


def test_each_channel_has_its_own_number() -> None:
    truth, books = saying()
    other = DETAILS.replace("buttons (named)", "direct (named)")
    truth = replace(truth, posts=tuple(replace(p, edits=(other,)) if p.number == 64 else p for p in truth.posts))
    assert [text.partition(": ")[2] for text in reported(truth, books).wrong()] == [
        "named direct promoters says 1, at least 0 and at most 0 had answered so",
        "named direct detractors says 0, at least 1 and at most 1 had answered so",
    ]


@pytest.mark.parametrize(
    ("lives", "missing"),
    [
        ((Life(instance="a", since=moment(0), until=moment(150)),), 0),
        (
            (Life(instance="a", since=moment(0), until=moment(150)), Life(instance="a", since=moment(190), until=None)),
            2,
        ),
        ((), 2),
    ],
    ids=["nobody was up", "it came back before the next one", "nobody knows"],
)
def test_one_late_report_stands_for_the_weeks_of_a_long_absence(lives: tuple[Life, ...], missing: int) -> None:
    truth, books = clean()
    truth = replace(truth, lives=lives, posts=tuple(p for p in truth.posts if p.number not in (63, 64)))
    assert len(reported(truth, books).missing()) == missing
