"""The judge of what was said sees who was not asked, and who was written to against their will."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.contract import Hit
from tests.faults.hand_made import BOT, CASE, GUILD, WEEK, act, clean, message, moment, post, redone, request, said
from tests.faults.judge import judge
from tests.faults.recorded import Life
from tests.faults.said import SOME


def test_a_channel_that_was_not_asked_is_seen() -> None:
    truth, books = clean()
    case = replace(CASE, channels={"recommend": ["poll", "buttons"]})
    assert judge(truth, books, case).violations == []  # nobody knows whether anybody was up
    truth = replace(truth, lives=(Life(instance="a", since=moment(0), until=None),))
    assert judge(truth, books, case).violations == [f"never asked: buttons in {WEEK}"]
    half = (Life(instance="a", since=moment(0), until=moment(80)),)
    assert judge(replace(truth, lives=half), books, case).violations == []


def test_who_is_followed_at_once_may_leave_something_in_doubt() -> None:
    truth, books = clean()
    books.outbox.append(said("answer:9", BOT, person_id=3, state="unknown", claimed_at=moment(3), settled_at=moment(5)))
    dead = Hit(happened=True, instance="a", signal="KILL", served=(BOT,), wall=1004.0)
    lives = tuple(Life(instance=name, since=moment(0), until=None) for name in "ab")
    truth = replace(truth, hits=(dead,), lives=lives)
    assert judge(truth, books, CASE).violations == []
    alone = replace(truth, lives=lives[:1])
    assert judge(alone, books, CASE).violations == ["in doubt for no reason: answer:9"]
    elsewhere = replace(truth, hits=(replace(dead, served=("another",)),))
    assert judge(elsewhere, books, CASE).violations == ["in doubt for no reason: answer:9"]
    long_ago = replace(truth, hits=(replace(dead, wall=1001.0),))
    assert judge(long_ago, books, CASE).violations == ["in doubt for no reason: answer:9"]


def test_where_one_can_look_only_two_that_read_the_same_stay_in_doubt() -> None:
    truth, books = clean()
    row = said("desk:1", GUILD, place="9009", state="unknown", body=message("Case 1: on its way."))
    books.outbox.append(row)
    cut = request(70, GUILD, place="9009", cut="reset")
    seen = tuple(post(number, GUILD, "9009", "Case 1: on its way.") for number in (71, 72))
    truth = replace(truth, requests=(cut,), posts=(*truth.posts, seen[0]))
    assert judge(truth, books, CASE).violations == ["in doubt for no reason: desk:1"]
    books.outbox.append({**row, "key": "desk:2"})
    found = judge(truth, books, CASE)
    assert (found.unknown, found.unknown_cut, len(found.violations)) == (2, 0, 2)  # one of them never arrived
    found = judge(replace(truth, posts=(*truth.posts, seen[1])), books, CASE)
    assert (found.unknown_alike, found.violations) == (2, [])
    books.outbox[-1]["body"] = message("Case 2: on its way.")
    assert len(judge(truth, books, CASE).violations) == 2


def test_people_whom_nobody_plans_to_invite_are_seen() -> None:
    truth, books = clean()
    case = replace(CASE, direct={"recommend": [("direct", BOT)]})
    people = [f"p{number}" for number in range(SOME)]
    opened = [act(-9 + n, "start", BOT, name, "direct", direct=True, week="2026-W46") for n, name in enumerate(people)]
    life = Life(instance="a", since=moment(-20), until=None)
    truth = replace(truth, acts=(*opened, *truth.acts), lives=(life,))
    assert f"never invited: 0 of 5 who had opened direct in {WEEK}" in judge(truth, books, case).violations
    for number, name in enumerate(people):
        books.person.append({**books.person[2], "id": 20 + number, "platform_id": name})
        if number >= 2:
            books.outbox.append(said(f"invitation:{name}", BOT, person_id=20 + number, wave_id=1))
    assert "never invited" not in str(judge(truth, replace(books), case).violations)
    stopped = act(1, "stop", BOT, people[0], "direct", text="stop", direct=True)
    assert "never invited" not in str(judge(replace(truth, acts=(*truth.acts, stopped)), clean()[1], case).violations)


def test_who_is_written_to_after_a_stop_that_was_kept_is_seen() -> None:
    truth, books = clean()
    stop = act(7, "stop", BOT, "cy", "direct", text="stop", direct=True)
    cy = next(id for id, person in books.people.items() if person["platform_id"] == "cy")
    for key, claimed_at in ((f"answer:recommend:{WEEK}:{BOT}/{stop.events[0]}:0", 7.1), ("invitation:x", 9.0)):
        row = said(key, BOT, person_id=cy, claimed_at=moment(claimed_at), wave_id=1)
        books.outbox.append(row)
    found = judge(replace(truth, acts=(*truth.acts, stop)), books, CASE).violations
    assert "written to after a stop: invitation:x" in found
    assert not any("answer:" in text and "after a stop" in text for text in found)
    back = act(8, "start", BOT, "cy", "direct", direct=True)
    assert "after a stop" not in str(judge(replace(truth, acts=(*truth.acts, stop, back)), books, CASE).violations)


@pytest.mark.parametrize("planned_at", [8.5, -20.0], ids=["known", "by a wrong clock"])
@pytest.mark.parametrize(
    ("kind", "wrong"),
    [("stop", "written to after a stop"), ("text", "invited after an answer")],
)
def test_where_nobody_is_told_that_it_was_kept_its_answer_tells(kind: str, wrong: str, planned_at: float) -> None:
    truth, books = clean()
    low = 3 if kind == "text" else None
    done = act(8, kind, GUILD, "bo", "direct", low=low, direct=True, confirmed=None, events=("m8:1",))
    truth = redone(replace(truth, acts=(*truth.acts, done)), 2, confirmed=None)
    bo = next(id for id, person in books.people.items() if person["platform_id"] == "bo")
    invitation = said("invitation:x", GUILD, person_id=bo, claimed_at=moment(10), wave_id=1)
    books.outbox.append(invitation)
    assert wrong not in str(judge(truth, books, CASE).violations)  # nobody knows when it was kept
    key = f"answer:recommend:{WEEK}:{GUILD}/m8:1:0"
    books.outbox.append(said(key, GUILD, person_id=bo, planned_at=moment(planned_at), claimed_at=moment(9)))
    found = judge(truth, books, CASE).violations
    assert (f"{wrong}: invitation:x" in found) is (planned_at > 8)
    invitation["claimed_at"] = moment(8)
    assert wrong not in str(judge(truth, books, CASE).violations)


def test_a_claim_that_nobody_put_back_is_seen() -> None:
    truth, books = clean()
    books.outbox.append(said("answer:9", BOT, person_id=3, state="claimed", fence=7, settled_at=None))
    books.lease = [{"account": BOT, "fence": 7}]
    assert judge(truth, books, CASE).violations == []
    books.lease = [{"account": BOT, "fence": 8}]
    assert judge(truth, books, CASE).violations == ["left behind: answer:9 is claimed under lease 7, now it is 8"]
