"""How much of what was planned was sent: what nobody wanted is left out, and what only the service says it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.books import Books
from tests.faults.hand_made import ACME, BOT, CASE, GUILD, act, clean, moment, said
from tests.faults.judge import Verdict, judge
from tests.faults.recorded import Truth
from tests.faults.shares import UNWELCOME


def verdict(truth: Truth, books: Books) -> Verdict:
    return judge(truth, books, CASE)


def test_what_waits_for_ever_is_not_sent() -> None:
    truth, books = clean()
    books.outbox.append(said("invitation:1", BOT, person_id=1, state="planned"))
    found = verdict(truth, books)
    assert (found.planned, found.sent) == (4, 3)
    assert not found.ok
    assert found.not_sent == {"acme-telegram invitation planned": 1}


def test_what_the_person_does_not_want_is_not_missed() -> None:
    truth, books = clean()
    books.person[0]["stopped"] = True
    books.outbox.append(said("invitation:1", BOT, person_id=1, state="expired"))
    unwelcome = {"state": "refused", "error": UNWELCOME, "settled_at": moment(-2)}
    books.outbox.append(said("invitation:2", BOT, person_id=3, wave_id=1, **unwelcome))
    found = verdict(truth, books)  # by nothing that they did
    assert (found.planned, found.sent) == (5, 3)
    stop = act(7, "stop", BOT, "ann", "direct", text="stop", direct=True)
    truth = replace(truth, acts=(*truth.acts, stop))
    books.outbox[-1]["settled_at"] = moment(5)  # after the answer
    assert verdict(truth, books).planned == 3


def test_a_tap_that_failed_and_was_kept_is_an_answer() -> None:
    truth, books = clean()
    unwelcome = {"state": "refused", "error": UNWELCOME, "settled_at": moment(9)}
    books.person.append({**books.person[0], "id": 9, "account": GUILD, "platform_id": "fay"})
    books.outbox.append(said("invitation:2", GUILD, person_id=9, wave_id=1, **unwelcome))
    failed = act(7, "tap", GUILD, "fay", "buttons", low=7, accepted=False, lost="expired", events=("i77",))
    truth = replace(truth, acts=(*truth.acts, failed))
    assert verdict(truth, books).planned == 4
    books.reply.append({"account": GUILD, "event": "i77", "person_id": 9, "wave_id": 1})
    assert verdict(truth, books).planned == 3


def test_who_is_refused_by_the_platform_may_be_left_out_if_they_have_left() -> None:
    truth, books = clean()
    books.person[0]["blocked"] = True
    error = "Forbidden: bot was blocked by the user"
    books.outbox.append(said("invitation:1", BOT, person_id=1, state="expired"))
    books.outbox.append(said("answer:2", BOT, person_id=1, state="refused", error=error, settled_at=moment(30)))
    found = verdict(truth, books)  # whatever the platform is said to have said
    assert (found.planned, found.not_sent[f"acme-telegram answer refused {error}"]) == (5, 1)
    block = act(20, "block", BOT, "ann", "direct", direct=True)
    assert verdict(replace(truth, acts=(*truth.acts, block)), books).planned == 3
    back = act(25, "start", BOT, "ann", "direct", direct=True)
    assert verdict(replace(truth, acts=(*truth.acts, block, back)), books).planned == 5
    late = replace(block, at=moment(60))
    assert verdict(replace(truth, acts=(*truth.acts, late)), books).planned == 4  # after it was refused


@pytest.mark.parametrize(("theirs", "planned"), [(0, 3), (1, 4)])
def test_on_x_one_of_ours_is_owed_for_each_of_theirs(theirs: int, planned: int) -> None:
    truth, books = clean()
    books.person.append({**books.person[0], "id": 8, "account": ACME, "platform_id": "di"})
    books.outbox.append(said("answer:3", ACME, person_id=8, state="expired"))
    words = [act(20 + n, "comment", ACME, "di", "x-direct", direct=True) for n in range(theirs)]
    assert verdict(replace(truth, acts=(*truth.acts, *words)), books).planned == planned
