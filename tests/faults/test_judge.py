"""The judge sees each kind of fault, told by a world and books made by hand, and passes what is clean."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.books import Books
from tests.faults.contract import Hit
from tests.faults.hand_made import (
    ACME,
    BOT,
    CASE,
    DETAILS,
    GUILD,
    HEADLINE,
    act,
    clean,
    first_message,
    moment,
    post,
    redone,
    request,
    retold,
    said,
)
from tests.faults.judge import Verdict, judge
from tests.faults.recorded import Truth, Violation


def verdict(truth: Truth, books: Books) -> Verdict:
    return judge(truth, books, CASE)


def test_a_clean_world_passes() -> None:
    found = verdict(*clean())
    assert (found.findings, found.violations, found.not_sent) == ([], [], {})
    assert found.ok
    assert (found.replies, found.planned, found.sent, found.share) == (4, 3, 3, 1.0)


Damage = Callable[[Truth, Books], Truth | None]


def _forget_a_vote(truth: Truth, books: Books) -> None:
    books.reply = [row for row in books.reply if row["event"] != "vote:1"]


def _forget_a_comment(truth: Truth, books: Books) -> None:
    books.reply = [row for row in books.reply if row["event"] != "comment:5"]


def _forget_a_start(truth: Truth, books: Books) -> None:
    books.consent.clear()


def _keep_another_score(truth: Truth, books: Books) -> None:
    books.response[0] |= {"low": 8, "high": 8}
    books.rollup[0] |= {"low": 8, "high": 8}


def _keep_an_older_score(truth: Truth, books: Books) -> Truth:
    books.reply.append({"account": BOT, "event": "vote:7"})
    return replace(truth, acts=(*truth.acts, act(7, "vote", BOT, "ann", "poll", low=2)))


def _lose_a_response(truth: Truth, books: Books) -> None:
    del books.response[1], books.rollup[1]


def _count_it_in_another_channel(truth: Truth, books: Books) -> None:
    books.response[0]["channel"] = books.rollup[0]["channel"] = "buttons"


def _invent_a_reply(truth: Truth, books: Books) -> None:
    books.reply.append({"account": GUILD, "event": "tap:99"})


def _invent_a_response(truth: Truth, books: Books) -> None:
    books.person.append({**books.person[0], "id": 9, "platform_id": "zoe"})
    books.response.append({**books.response[0], "person_id": 9})
    books.rollup[0]["n"] = 2


def _count_too_late(truth: Truth, books: Books) -> Truth:
    return redone(truth, 2, frozen=True)


def _count_twice_in_the_rollup(truth: Truth, books: Books) -> None:
    books.rollup[0]["n"] = 2


def _rollup_lacks(truth: Truth, books: Books) -> None:
    del books.rollup[0]


def _rollup_forgets_the_next_answer(truth: Truth, books: Books) -> Truth:
    books.reply.append({"account": BOT, "event": "vote:170"})
    books.response.append({**books.response[0], "wave_id": 2})
    books.rollup.append({**books.rollup[0], "wave_id": 2})
    return replace(truth, acts=(*truth.acts, act(170, "vote", BOT, "ann", "poll", low=9, week="2026-W48")))


def _open_poll_lacks(truth: Truth, books: Books) -> None:
    books.count[0]["totals"] = json.dumps([0, 0, 0])


def _open_poll_was_never_read(truth: Truth, books: Books) -> None:
    books.count.clear()


def _open_poll_has_more(truth: Truth, books: Books) -> None:
    books.count[0]["totals"] = json.dumps([1, 1, 0])


def _stop_was_not_heeded(truth: Truth, books: Books) -> Truth:
    books.reply.append({"account": BOT, "event": "stop:8"})
    return replace(truth, acts=(*truth.acts, act(8, "stop", BOT, "cy", "direct", text="stop", direct=True)))


def _thanked_twice(truth: Truth, books: Books) -> Truth:
    return replace(truth, posts=(*truth.posts, post(65, BOT, "direct", "Thank you", to="cy", at=moment(5))))


def _asked_again(truth: Truth, books: Books) -> Truth:
    return replace(truth, posts=(*truth.posts, replace(truth.posts[0], number=66, id="66")))


def _asked_again_by_the_ledger(truth: Truth, books: Books) -> Truth:
    return replace(truth, doubled=(61,))


def _report_is_missing(truth: Truth, books: Books) -> Truth:
    return replace(truth, posts=tuple(p for p in truth.posts if p.number != 63))


def _report_stays_a_placeholder(truth: Truth, books: Books) -> Truth:
    return replace(truth, posts=tuple(replace(p, edits=()) if p.number == 64 else p for p in truth.posts))


def _report_came_twice(truth: Truth, books: Books) -> Truth:
    return replace(truth, posts=(*truth.posts, post(67, BOT, "-9", HEADLINE, at=moment(178))))


@pytest.mark.parametrize(
    ("damage", "field"),
    [
        (_forget_a_vote, "lost"),
        (_forget_a_comment, "lost"),
        (_forget_a_start, "lost"),
        (_keep_another_score, "doubled"),
        (_keep_an_older_score, "lost"),
        (_lose_a_response, "lost"),
        (_count_it_in_another_channel, "doubled"),
        (_invent_a_reply, "doubled"),
        (_invent_a_response, "doubled"),
        (_count_too_late, "doubled"),
        (_count_twice_in_the_rollup, "doubled"),
        (_rollup_lacks, "lost"),
        (_rollup_forgets_the_next_answer, "doubled"),
        (_open_poll_lacks, "lost"),
        (_open_poll_was_never_read, "lost"),
        (_open_poll_has_more, "doubled"),
        (_stop_was_not_heeded, "lost"),
        (_thanked_twice, "doubled"),
        (_asked_again, "asked_twice"),
        (_asked_again_by_the_ledger, "asked_twice"),
        (_report_is_missing, "reports_missing"),
        (_report_stays_a_placeholder, "reports_missing"),
        (_report_came_twice, "reports_doubled"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else value,
)
def test_each_fault_is_seen(damage: Damage, field: str) -> None:
    truth, books = clean()
    found = verdict(damage(truth, books) or truth, books)
    assert getattr(found, field), found.findings
    assert found.findings
    assert not found.ok


def test_a_cut_request_long_afterwards_says_nothing_of_a_doubt() -> None:
    truth, books = clean()
    books.outbox.append(said("answer:9", BOT, person_id=3, state="unknown"))
    cut = request(70, BOT, to="cy", cut="reset", at=moment(1))
    assert verdict(replace(truth, requests=(cut,)), books).sent == 4
    assert verdict(replace(truth, requests=(replace(cut, at=moment(190)),)), books).sent == 3


def test_what_was_kept_of_a_tap_that_discord_gave_up_counts() -> None:
    truth, books = clean()
    truth = redone(truth, 2, confirmed=None, lost="expired")
    assert verdict(truth, books).ok
    _lose_a_response(truth, books)
    assert verdict(truth, books).lost


@pytest.mark.parametrize("cut", ["reset", ""])
def test_a_doubt_needs_a_cut_answer(cut: str) -> None:
    truth, books = clean()
    books.outbox.append(said("answer:9", BOT, person_id=3, state="unknown"))
    truth = replace(truth, requests=(request(70, BOT, to="cy", cut=cut),))
    found = verdict(truth, books)
    assert (found.unknown, found.unknown_cut) == (1, bool(cut))
    assert bool(found.violations) is (not cut)


@pytest.mark.parametrize(("account", "name"), [(BOT, "cy"), (GUILD, "bo")])
def test_only_who_cannot_look_may_stay_in_doubt_after_a_death(account: str, name: str) -> None:
    truth, books = clean()
    person = next(row["id"] for row in books.person if row["platform_id"] == name)
    books.outbox.append(said("answer:9", account, person_id=person, state="unknown"))
    found = verdict(replace(truth, hits=(Hit(happened=True, sending=("answer:9",)),)), books)
    assert found.unknown == 1
    assert bool(found.violations) is (account == GUILD)


def test_what_is_sent_in_the_books_only_is_seen() -> None:
    truth, books = clean()
    books.outbox.append(said("answer:9", BOT, person_id=3))
    assert "in the books only" in verdict(truth, books).violations[0]


def test_what_the_platform_noticed_is_a_violation() -> None:
    truth, books = clean()
    noticed = Violation(wall=0.0, platform="telegram", account=BOT, what="offset", event="vote:1")
    truth = replace(
        truth,
        violations=(noticed,),
        unwelcome=(62,),
        faults=("nobody can tell what 'x' means", "cy tapped three times and was not answered"),
    )
    found = judge(truth, books, CASE, crashes=["Traceback"])
    assert len(found.violations) == 4


def test_a_hook_that_saw_nothing_proves_nothing() -> None:
    truth, books = clean()
    assert not verdict(replace(truth, confirmations=0), books).ok


def _with_a_vote_on_discord(**more: object) -> tuple[Truth, Books]:
    """Eve's vote counts and is known from the list of voters alone."""
    truth, books = clean()
    books.person.append({**books.person[1], "id": 9, "platform_id": "eve"})
    books.response.append({**books.response[1], "person_id": 9, "channel": "poll", "low": 7, "high": 7})
    books.rollup.append({**books.rollup[1], "channel": "poll", "low": 7, "high": 7})
    vote = act(9, "vote", GUILD, "eve", "poll", low=7, wired=None, confirmed=None, **more)
    said = DETAILS.replace("n 3: promoters 2, passives 0", "n 4: promoters 2, passives 1")
    truth = retold(truth, books, {63: first_message(said), 64: said})
    return replace(truth, acts=(*truth.acts, vote)), books


@pytest.mark.parametrize("events", [(), ("vabc:7",)], ids=["nobody listened", "the session ended"])
def test_a_vote_on_discord_may_be_known_from_the_list_alone(events: tuple[str, ...]) -> None:
    truth, books = _with_a_vote_on_discord(events=events)
    assert verdict(truth, books).ok
    assert not verdict(redone(truth, 9, accepted=False), books).ok


def test_a_vote_on_discord_is_kept_where_its_session_went_on() -> None:
    truth, books = _with_a_vote_on_discord(events=("vabc:7",))
    later = act(10, "vote", GUILD, "eve", "poll", low=7, events=("vabc:8",))
    books.reply.append({"account": GUILD, "event": "vabc:8"})
    found = verdict(replace(truth, acts=(*truth.acts, later)), books)
    assert (found.lost, found.findings[0][-24:]) == (1, ": nothing was kept of it")


def test_a_poll_that_nobody_named_is_told_in_full() -> None:
    truth, books = clean()
    books.count[0]["totals"] = json.dumps([0, 1, 0])
    assert f"{ACME} open poll timeline 61: people voted [1, 0, 0], kept [0, 1, 0]" in verdict(truth, books).findings[0]


def test_a_vote_on_discord_is_kept_as_one_session_told_it() -> None:
    truth, books = _with_a_vote_on_discord(events=("vabc:7", "vabc:8", "vnew:2", "vnew:3"))
    books.reply += [{"account": GUILD, "event": f"vnew:{n}"} for n in (2, 3)]
    later = act(10, "vote", GUILD, "eve", "poll", low=7, events=("vabc:9", "vnew:4"))
    books.reply.append({"account": GUILD, "event": "vnew:4"})
    truth = replace(truth, acts=(*truth.acts, later))
    assert verdict(truth, books).ok
    half = replace(books, reply=[row for row in books.reply if row["event"] != "vnew:3"])
    assert verdict(truth, half).lost == 1


def test_a_poll_in_doubt_is_known_again_by_its_own_id() -> None:
    truth, books = clean()
    open_poll = post(68, BOT, "-2", "How likely?", options=("9–10", "7–8", "0–6"), channel="news", poll="51")
    vote = act(11, "vote", BOT, "flo", "news", low=9, high=10, post="68", open=True, events=(), place="-2")
    truth = replace(truth, acts=(*truth.acts, vote), posts=(*truth.posts, open_poll))
    assert verdict(truth, books).lost == 1
    books.ask.append({"id": 8, "account": BOT, "message": "", "place": "-2"})
    books.ref.append({"account": BOT, "ref": "poll:51", "ask_id": 8})
    books.count.append({"account": BOT, "ref": "poll:51", "totals": json.dumps([1, 0, 0])})
    assert verdict(truth, books).ok
