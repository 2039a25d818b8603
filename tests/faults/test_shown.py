"""The judge sees what people and teams were told twice, never, or with nothing in the books."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.books import Books
from tests.faults.hand_made import BOT, CASE, GUILD, REPORT, act, clean, message, moment, post, request, said
from tests.faults.judge import Verdict, judge
from tests.faults.recorded import PostSeen, Truth

TEAM = "9009"
IN_PLACES = ("case:1", "desk:acme-discord:i7:0", "case:lost:1", "case:fall:recommend", "case:unowned:1", "report:5")


def shown(key: str, *, rows: int = 1, posts: int = 1, state: str = "sent") -> tuple[Truth, Books]:
    """The clean world, in which a team's place reads ``posts`` times what is ``rows`` times in the books."""
    truth, books = clean()
    words = f"{key}: 2 of 10"
    books.outbox += [said(f"{key}{n}", GUILD, place=TEAM, state=state, body=message(words)) for n in range(rows)]
    more = (post(80 + n, GUILD, TEAM, words) for n in range(posts))
    return replace(truth, posts=(*truth.posts, *more)), books


def verdict(truth: Truth, books: Books) -> Verdict:
    return judge(truth, books, CASE)


@pytest.mark.parametrize("key", IN_PLACES)
def test_what_a_place_reads_is_said_once_by_the_books(key: str) -> None:
    assert verdict(*shown(key)).clean
    assert verdict(*shown(key, rows=2, posts=2)).clean
    twice = verdict(*shown(key, posts=2))
    assert (twice.doubled, twice.findings[0][:40]) == (1, "doubled: acme-discord 9009 saw 2 times '")
    assert "in the books only: acme-discord 9009 saw 0 times" in verdict(*shown(key, posts=0)).violations[0]
    assert verdict(*shown(key, rows=0)).doubled == 1


def test_what_may_have_been_said_may_have_been_seen() -> None:
    for posts, doubled in ((0, 0), (1, 0), (2, 1)):
        assert verdict(*shown("desk:1", posts=posts, state="unknown")).doubled == doubled


def test_what_was_refused_or_expired_was_not_seen() -> None:
    for state in ("refused", "expired"):
        assert verdict(*shown("desk:1", state=state)).doubled == 1


def test_a_report_may_be_announced_again_but_stands_there_once() -> None:
    truth, books = clean()
    again = post(81, BOT, "-9", REPORT[63])
    assert verdict(replace(truth, posts=(*truth.posts, again)), books).ok
    other = post(82, BOT, "-9", "The score was here.")
    assert verdict(replace(truth, posts=(*truth.posts, other)), books).doubled == 1
    edited = replace(again, edits=truth.posts[2].edits)
    assert verdict(replace(truth, posts=(*truth.posts, edited)), books).doubled == 1
    seen_again = replace(truth.posts[2], number=83, text=truth.posts[2].edits[-1])
    assert verdict(replace(truth, posts=(*truth.posts, seen_again)), books).ok


def answered(truth: Truth, post: PostSeen, path: str) -> Truth:
    return replace(truth, posts=(*truth.posts, post), requests=(*truth.requests, request(post.request, BOT, path=path)))


def test_only_an_answer_to_a_tap_is_in_no_row() -> None:
    truth, books = clean()
    noted = post(84, BOT, "direct", "We noted 9.", to="cy")
    assert verdict(replace(truth, posts=(*truth.posts, noted)), books).doubled == 1  # whatever else they did
    assert verdict(answered(truth, noted, "/bot1/sendMessage"), books).doubled == 1
    at_once = answered(truth, noted, "/bot1/answerCallbackQuery")
    assert verdict(at_once, books).ok
    for number in (85, 86, 87):
        at_once = answered(at_once, replace(noted, number=number, request=number), "/bot1/answerCallbackQuery")
    found = verdict(at_once, books)
    assert found.findings == ["doubled: acme-telegram cy did 3 things and was answered 4 times at once"]


def test_a_message_is_answered_once_whatever_the_rows_are_called() -> None:
    truth, books = clean()
    words = "We noted 9."
    rows = [said(f"answer:s:{BOT}/u9{more}:0", BOT, person_id=3, body=message(words)) for more in ("", ".2")]
    posts = [post(84 + n, BOT, "direct", words, to=books.people[3]["platform_id"]) for n in range(2)]
    books.outbox.append(rows[0])
    assert verdict(replace(truth, posts=(*truth.posts, posts[0])), books).clean
    books.outbox.append(rows[1])
    found = verdict(replace(truth, posts=(*truth.posts, *posts)), books)
    assert found.findings == [f"doubled: {BOT}: u9 was answered 2 times"]


def test_to_a_vote_nothing_is_answered_at_once() -> None:
    truth, books = clean()
    noted = post(84, GUILD, "5", "We noted 9.", to="eve")
    vote = act(9, "vote", GUILD, "eve", "poll", low=7, events=(), at=moment(300))
    found = verdict(answered(replace(truth, acts=(*truth.acts, vote)), noted, "/interactions/1/x/callback"), books)
    assert "was answered 1 times at once" in str(found.findings)
