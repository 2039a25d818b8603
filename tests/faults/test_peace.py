"""What is heard while nothing is wrong has no excuse; whatever is wrong at the time is one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.contract import Hit
from tests.faults.hand_made import (
    BOT,
    CASE,
    DETAILS,
    GUILD,
    HEADLINE,
    act,
    clean,
    first_message,
    moment,
    request,
    retold,
    said,
)
from tests.faults.judge import Verdict, judge
from tests.faults.peace import HEARD_S, SOON_S, Peace, Span
from tests.faults.recorded import Life, Request, Truth

UP = Life(instance="a", since=moment(-10), until=None, since_wall=990.0)
TAP_AT = 1007.0
"""When the tap of these tests goes over the wire: an hour of the hand-made world is a second of the wall."""


def tapped(**more: object) -> Truth:
    """The clean world with a tap that was heard and never answered."""
    truth, _ = clean()
    tap = act(7, "tap", GUILD, "eve", "buttons", low=10, confirmed=None, lost="expired", **more)
    return replace(truth, lives=(UP,), acts=(*truth.acts, tap))


def verdict(truth: Truth, *troubles: Span) -> Verdict:
    _, books = clean()
    return judge(truth, books, CASE, troubles=troubles)


def test_a_tap_that_is_heard_in_peace_is_answered() -> None:
    found = verdict(tapped())
    assert (found.lost, found.heard_in_peace) == (1, 7)
    assert "heard in peace, and not answered in time" in found.findings[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"hits": (Hit(happened=True, wall=TAP_AT + 0.5),)},
        {"hits": (Hit(happened=True, wall=TAP_AT - 0.5),)},
        {"requests": (request(70, GUILD, wall=TAP_AT + 1, fault="slow"),)},
        {"requests": (request(70, GUILD, wall=TAP_AT - 8, fault="429"),)},
        {"lives": (replace(UP, until_wall=TAP_AT + HEARD_S / 2),)},
        {"lives": (replace(UP, since_wall=TAP_AT + HEARD_S / 2),)},
        {"lives": ()},
    ],
    ids=["killed soon", "killed before", "slowed", "told to wait", "gone", "not there yet", "nobody knows"],
)
def test_what_was_wrong_then_is_an_excuse(wrong: dict[str, tuple[Hit | Request | Life, ...]]) -> None:
    assert verdict(replace(tapped(), **wrong)).lost == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(("trouble", "lost"), [((1006.5, 1007.5), 0), ((1000.0, 1006.5), 0), ((1000.0, 1005.0), 1)])
def test_what_we_broke_is_an_excuse_until_it_was_well_again(trouble: Span, lost: int) -> None:
    assert verdict(tapped(), trouble).lost == lost


@pytest.mark.parametrize(("late_s", "lost"), [(SOON_S, 1), (SOON_S + 0.1, 0)])
def test_what_comes_late_over_the_wire_cannot_be_answered_in_time(late_s: float, lost: int) -> None:
    assert verdict(tapped(wired=TAP_AT + late_s)).lost == lost


def test_what_is_wrong_with_another_platform_is_none() -> None:
    truth = replace(tapped(), requests=(request(70, BOT, wall=TAP_AT, fault="429"),))
    assert verdict(truth).lost == 1


def test_what_was_deferred_in_peace_is_kept() -> None:
    truth, books = tapped(), clean()[1]
    truth = replace(truth, acts=(*truth.acts[:-1], replace(truth.acts[-1], lost="deferred")))
    assert judge(truth, books, CASE).lost == 1
    assert judge(replace(truth, lives=()), books, CASE).lost == 0


def test_what_was_never_heard_cannot_be_answered_but_in_peace_it_is_heard() -> None:
    assert verdict(tapped(wired=None)).lost == 1
    assert verdict(tapped(wired=None), (TAP_AT, TAP_AT + 1)).lost == 0


def test_a_vote_that_is_heard_in_peace_is_kept_whatever_the_list_of_voters_says() -> None:
    truth, books = clean()
    books.person.append({**books.person[1], "id": 9, "platform_id": "eve"})
    books.response.append({**books.response[1], "person_id": 9, "channel": "poll", "low": 7, "high": 7})
    books.rollup.append({**books.rollup[1], "channel": "poll", "low": 7, "high": 7})
    vote = act(9, "vote", GUILD, "eve", "poll", low=7, confirmed=None, events=("vabc:7",))
    shown = DETAILS.replace("n 3: promoters 2, passives 0", "n 4: promoters 2, passives 1")
    truth = retold(truth, books, {63: first_message(shown), 64: shown})
    truth = replace(truth, acts=(*truth.acts, vote))
    assert judge(truth, books, CASE).lost == 0
    assert judge(replace(truth, lives=(UP,)), books, CASE).lost == 1


def test_an_account_is_called_unreadable_only_where_something_was_wrong() -> None:
    truth, books = clean()
    shown = f"{HEADLINE}\nCould not be read in time, so answers may be missing: {BOT}"
    truth = retold(truth, books, {63: shown})
    assert judge(truth, books, CASE).violations == []
    (found,) = judge(replace(truth, lives=(UP,)), books, CASE).violations
    assert found == f"report recommend desk 2026-W47 headline calls {BOT} unreadable, and nothing was wrong"
    books.outbox.append(said("ask:1", BOT, state="unknown", wave_id=1, channel="poll"))
    truth = replace(truth, requests=(request(70, BOT, at=moment(1), cut="reset"),))
    assert judge(replace(truth, lives=(UP,)), books, CASE).violations == []  # nobody knows what its poll counts
    books.outbox.pop()
    due = 1177.0
    assert judge(replace(truth, lives=(UP,)), books, CASE, troubles=[(due - 4, due - 3)]).violations == []


def test_peace_is_what_lies_between() -> None:
    truth = replace(clean()[0], lives=(UP,), hits=(Hit(happened=True, wall=1020.0),))
    peace = Peace(truth, [(1000.0, 1003.0), (1002.0, 1008.0)])
    assert [peace.all_of(since, until) for since, until in ((990, 1000), (989, 995), (999, 1001), (1010, 1019))] == [
        True,
        False,
        False,
        True,
    ]
    assert not peace.all_of(1010, 1020.5)
    assert peace.all_of(1021, 1200)
    assert not peace.all_of(1021, 1201)
