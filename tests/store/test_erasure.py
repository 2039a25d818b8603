"""Forgetting a person: what they wrote and who they were is gone to the last byte, and the totals stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from core.account import Receipt
from core.buttons import Seal
from core.envelope import load
from core.events import Consent, ConsentKind, Votes
from core.models import Kept, Outbox
from core.store import claims, erasure, outbox, stops
from core.store.statements import table
from tests.store.stage import NOW, WAVES, Stage, poll_ref
from tests.store.test_copies import opened
from tests.store.voice import hold

ANN = "4815162342108"
WORDS = "thirdlateparcel"
_KEPT, _OUTBOX = table(Kept), table(Outbox)


def started(order: int = 1, person: str = ANN, at: datetime = NOW) -> Consent:
    return Consent(
        id=f"c{order}", person=person, kind=ConsentKind.GRANTED, at=at, order=order, evidence=f"pressed Start: {person}"
    )


@contextmanager
def living(url: str) -> Iterator[Stage]:
    """A stage that seals with the database's own key, as the service does."""
    with opened(url) as stage:
        with stage.database.reading() as connection:
            key = connection.execute(select(_KEPT.c.value).where(_KEPT.c.name == "seal")).scalar_one()
        stage.seal = Seal(bytes.fromhex(key))
        stage.set_up()
        yield stage


def say_all(stage: Stage) -> list[str]:
    """Say what is due. Returns the words."""
    held = hold(stage)
    with stage.database.engine.begin() as connection:
        found = claims.claim(connection, held, stage.now, 100)
        for thing in found:
            receipt = Receipt(place=thing.person or "", message="7", refs=(f"msg:{thing.person}:7",), sent_at=stage.now)
            outbox.sent(connection, thing.id, receipt, stage.now)
    return [thing.body.plain for thing in found if not isinstance(thing.body, outbox.Poll)]


def step(stage: Stage) -> None:
    """What the service does at a tick."""
    with stage.database.engine.begin() as connection:
        for person in erasure.leaving(connection):
            if person.parted:
                if erasure.is_settled(connection, person, stage.now):
                    erasure.let_go(connection, person, erasure.replies_of(connection, person))
                continue
            erasure.blank(connection, person, erasure.written_by(connection, person))
            erasure.part(connection, person, stage.seal, stage.now)


def answer_and_leave(stage: Stage) -> None:
    stage.deliver(started(), replace(stage.typed(2, ANN, f"4, {WORDS}"), message=f"msg:{ANN}:2"))
    stage.deliver(stage.typed(3, "bob", "9"), stage.typed(4, ANN, "please delete my data"))


def names(stage: Stage) -> set[str]:
    return {row["platform_id"] for row in stage.rows("person")}


@pytest.fixture
def stage(database_url: str) -> Iterator[Stage]:
    with living(database_url) as found:
        yield found


def test_the_goodbye_goes_before_the_name(stage: Stage) -> None:
    answer_and_leave(stage)
    step(stage)
    assert ANN in names(stage)
    goodbye, thanks_to_bob = say_all(stage)
    assert "Thank you" in thanks_to_bob
    assert goodbye.startswith("Done. What you wrote is erased")
    step(stage)
    assert ANN not in names(stage)
    assert {row["platform_id"] for row in stage.rows("person") if row["stopped"]} == names(stage) - {"bob"}


def test_a_goodbye_that_never_arrives_holds_nothing_up_for_long(stage: Stage) -> None:
    answer_and_leave(stage)
    stage.now += erasure.PATIENCE
    step(stage)
    assert ANN not in names(stage)
    assert [said for said in say_all(stage) if said.startswith("Done")] == []


def test_the_totals_stay(stage: Stage) -> None:
    answer_and_leave(stage)
    before = [(row["low"], row["n"]) for row in stage.rows("rollup")]
    say_all(stage)
    step(stage)
    assert [(row["low"], row["n"]) for row in stage.rows("rollup")] == before
    assert sorted(row["low"] for row in stage.rows("response")) == [4, 9]
    assert stage.rows("comment") == []


def test_nothing_is_left_of_them_to_the_last_byte(tmp_path: Path) -> None:
    with living(f"sqlite:///{tmp_path}/vouch.db") as stage:
        for n in range(300):
            stage.deliver(stage.typed(100 + n, f"p{n}", f"{n % 11}, {n} other words"))
        answer_and_leave(stage)
        say_all(stage)
        step(stage)
        erasure.scrub(stage.database.engine)
    for file in tmp_path.iterdir():
        held = file.read_bytes()
        assert ANN.encode() not in held, file
        assert WORDS.encode() not in held, file


def test_what_is_read_again_counts_nobody_twice(stage: Stage) -> None:
    stage.post("group", 0)
    stage.deliver(stage.vote(1, ANN, poll_ref("group", 0), 9), started(2), stage.typed(3, ANN, "/forget"))
    say_all(stage)
    step(stage)
    stage.deliver(Votes(ref=poll_ref("group", 0), votes=((ANN, 9),), as_of=NOW, order=50))
    stage.deliver(stage.vote(1, ANN, poll_ref("group", 0), 9))
    assert len(stage.responses()) == 1
    assert ANN not in names(stage)


def test_in_the_end_nothing_tells_who_they_were(stage: Stage) -> None:
    answer_and_leave(stage)
    say_all(stage)
    step(stage)
    mark = stops.fingerprint(stage.seal, "tg", ANN)
    assert mark in names(stage)
    stage.now += erasure.SETTLED
    step(stage)
    assert mark not in names(stage)
    assert len(names(stage)) == 2
    assert len(stage.rows("response")) == 2
    assert {row["event"] for row in stage.rows("reply")} == {"e3"}


def test_thanks_after_the_wish_do_not_undo_it(stage: Stage) -> None:
    answer_and_leave(stage)
    later = NOW + timedelta(minutes=1)
    stage.deliver(replace(started(5, at=later), explicit=False), stage.typed(6, ANN, "thanks, 9 from me", at=later))
    say_all(stage)
    step(stage)
    assert ANN not in names(stage)
    assert [row["text"] for row in stage.rows("reply") if row["event"] == "e6"] == [""]
    assert stage.responses()[stops.fingerprint(stage.seal, "tg", ANN), WAVES[0].key][0] == 4


def test_who_comes_back_is_known_from_then_on_and_still_stopped(stage: Stage) -> None:
    answer_and_leave(stage)
    say_all(stage)
    step(stage)
    stage.deliver(stage.typed(9, ANN, "8", at=NOW + timedelta(hours=1)))
    assert stage.responses()[ANN, WAVES[0].key][0] == 8
    (row,) = [row for row in stage.rows("person") if row["platform_id"] == ANN]
    assert (row["stopped"], row["opened"], row["erasing_at"]) == (True, False, None)
    step(stage)
    assert ANN in names(stage)


def as_in_an_older_copy(stage: Stage) -> None:
    mark = stops.fingerprint(stage.seal, "tg", ANN)
    back = "UPDATE person SET platform_id = :name, stopped = false, erasing_at = NULL WHERE platform_id = :mark"
    with stage.database.engine.begin() as connection:
        connection.execute(text(back), {"name": ANN, "mark": mark})
    assert ANN in names(stage)


def test_no_restore_brings_anybody_back_however_often(database_url: str) -> None:
    with living(database_url) as stage:
        answer_and_leave(stage)
        say_all(stage)
        step(stage)
    for _ in range(2):
        with living(database_url) as stage:  # looks at the stops, as `vouch status` does
            as_in_an_older_copy(stage)
        with living(database_url):
            pass
        with living(database_url) as stage:
            stage.now += erasure.PATIENCE
            step(stage)
            assert ANN not in names(stage)


def test_who_comes_back_much_later_is_a_new_person_who_stays(database_url: str) -> None:
    with living(database_url) as stage:
        answer_and_leave(stage)
        say_all(stage)
        step(stage)
        stage.now += erasure.SETTLED
        step(stage)
        later = stage.now + timedelta(days=5)
        stage.deliver(started(20, at=later), stage.typed(21, ANN, "9", at=later))
    with living(database_url) as stage:
        stage.now = NOW + timedelta(days=30)
        step(stage)
        assert ANN in names(stage)
        assert [row["opened"] for row in stage.rows("person") if row["platform_id"] == ANN] == [True]


def test_to_block_us_afterwards_is_no_coming_back(stage: Stage) -> None:
    answer_and_leave(stage)
    say_all(stage)
    step(stage)
    stage.deliver(replace(started(9, at=NOW + timedelta(hours=1)), kind=ConsentKind.BLOCKED))
    assert ANN not in names(stage)
    assert stage.rows("consent") == []


def test_start_before_the_goodbye_keeps_the_name_and_not_the_words(stage: Stage) -> None:
    answer_and_leave(stage)
    stage.deliver(stage.typed(9, ANN, "START", at=NOW + timedelta(minutes=1)))
    say_all(stage)
    step(stage)
    (row,) = [row for row in stage.rows("person") if row["platform_id"] == ANN]
    assert (row["opened"], row["stopped"], row["erasing_at"]) == (True, False, None)
    assert stage.rows("comment") == []
    assert WORDS not in str(stage.rows("reply"))


def test_a_wish_that_is_heard_late_is_known_as_long_as_what_was_before_it_may_come(stage: Stage) -> None:
    """X has the direct messages of 30 days, and hands out the newest first."""
    wished = NOW - erasure.SETTLED - timedelta(days=3)
    stage.deliver(stage.typed(9, ANN, "please delete my data", at=wished))
    say_all(stage)
    for _ in range(3):
        step(stage)
    stage.deliver(started(1, at=wished - timedelta(days=1)), stage.typed(2, ANN, WORDS, at=wished - timedelta(hours=1)))
    assert ANN not in names(stage)
    stage.now = NOW + erasure.SETTLED
    step(stage)
    assert names(stage) == {name for name in names(stage) if name.removeprefix(stops.ERASED).isdigit()}


def test_a_step_that_comes_too_late_does_nothing(stage: Stage) -> None:
    answer_and_leave(stage)
    say_all(stage)
    with stage.database.engine.begin() as connection:
        (seen,) = erasure.leaving(connection)
    step(stage)
    stage.deliver(started(9, at=NOW + timedelta(hours=1)))
    before = stage.dump()
    with stage.database.engine.begin() as connection:  # another instance, which looked before
        erasure.blank(connection, seen, [("tg", "e2")])
        erasure.part(connection, seen, stage.seal, stage.now)
        erasure.let_go(connection, seen, [("tg", "e2")])
    assert stage.dump() == before


def test_what_may_have_been_said_to_them_is_settled_and_can_be_read(stage: Stage) -> None:
    answer_and_leave(stage)
    with stage.database.engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET state = 'unknown', looks = -1"))
    step(stage)
    theirs = [row for row in stage.rows("outbox") if row["key"].startswith(stops.ERASED)]
    assert {row["state"] for row in theirs} == {"expired"}
    assert all(load(row["body"]) for row in theirs)
