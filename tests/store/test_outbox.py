"""What is said: planned once, claimed by one, settled as it went."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.account import Receipt
from core.message import text as words
from core.models import Person
from core.store import asks, claims, outbox
from core.store.claims import Begun
from core.store.database import Database
from core.store.fencing import Held
from core.store.outbox import Claimed, Kind, Planned, State
from core.store.statements import table
from tests.store.stage import ACCOUNT, CHANNELS, NOW, SURVEY, WAVES, Stage, poll_ref
from tests.store.voice import hold, take_over

_PERSON = table(Person)
HELD = Held(ACCOUNT, 1)
"""The first lease."""
LATER = NOW + timedelta(hours=1)


def thing(key: str, kind: Kind = Kind.REPORT, **more: Any) -> Planned:
    return Planned(**{"key": key, "account": ACCOUNT, "kind": kind, "body": words(key), "place": "-1", **more})


def claim(stage: Stage, limit: int = 100, *, answers_only: bool = False, held: Held = HELD) -> list[Claimed]:
    if not any(row["account"] == held.account for row in stage.rows("lease")):
        hold(stage, held.account)
    with stage.database.engine.begin() as connection:
        return claims.claim(connection, held, stage.now, limit, answers_only=answers_only)


def plan(stage: Stage, *things: Planned) -> None:
    with stage.database.engine.begin() as connection:
        outbox.plan(connection, things, stage.now)


def states(stage: Stage) -> dict[str, str]:
    return {row["key"]: row["state"] for row in stage.rows("outbox")}


def invite(stage: Stage, *people: str, wave: int = 0) -> int:
    """Let these people open the way, and plan invitations to whoever may be invited."""
    known = stage.wave(WAVES[wave])
    with stage.database.engine.begin() as connection:
        for person in people:
            connection.execute(_PERSON.insert().values(account=ACCOUNT, platform_id=person, opened=True))
        return asks.plan_invitations(connection, known, CHANNELS["dm"], lambda id, _: words(f"Hello {id}"), stage.now)


def test_a_key_is_planned_once_for_ever(stage: Stage) -> None:
    plan(stage, thing("a"), thing("a", body=words("other words")))
    plan(stage, thing("a", body=words("yet others")))
    assert [found.body for found in claim(stage)] == [words("a")]
    plan(stage, thing("a"))
    assert claim(stage) == []
    assert states(stage) == {"a": "claimed"}


def test_what_matters_more_is_claimed_first(stage: Stage) -> None:
    invite(stage, "7")
    before = [thing("case", Kind.CASE), thing("ask", Kind.ASK), thing("desk", Kind.DESK), thing("report")]
    plan(stage, *before, thing("answer", Kind.ANSWER), thing("second", Kind.REPORT))
    assert [found.key for found in claim(stage, 3)] == ["answer", "report", "second"]
    assert [found.key for found in claim(stage, 3)] == ["ask", "desk", "case"]
    assert [found.kind for found in claim(stage, 3)] == [Kind.INVITATION]


def test_only_what_is_due_on_this_account(stage: Stage) -> None:
    plan(stage, thing("here"), thing("there", account="other"))
    (found,) = claim(stage)
    with stage.database.engine.begin() as connection:
        outbox.postpone(connection, found, LATER, "busy")
    assert (found.key, claim(stage), states(stage)["here"]) == ("here", [], "planned")
    stage.now = LATER
    assert [again.key for again in claim(stage)] == ["here"]


def test_what_came_too_late_expires(stage: Stage) -> None:
    plan(stage, thing("soon", not_after=NOW + timedelta(minutes=1)), thing("ever"))
    stage.now = LATER
    assert [found.key for found in claim(stage)] == ["ever"]
    assert states(stage)["soon"] == State.EXPIRED


def test_two_processes_claim_each_thing_once(stage: Stage, database_url: str) -> None:
    plan(stage, *(thing(f"thing {number}.") for number in range(120)))
    hold(stage)
    start = threading.Barrier(2)

    def take_all() -> list[str]:
        other = Database(database_url)
        found: list[str] = []
        start.wait(timeout=10)
        while True:
            with other.engine.begin() as connection:
                taken = claims.claim(connection, HELD, NOW, 7)
            if not taken:
                break
            found += [each.key for each in taken]
        other.engine.dispose()
        return found

    with ThreadPoolExecutor(2) as pool:
        first, second = (future.result(timeout=30) for future in [pool.submit(take_all), pool.submit(take_all)])
    assert sorted([*first, *second]) == sorted(f"thing {number}." for number in range(120))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_claim_passes_over_what_another_is_claiming(stage: Stage) -> None:
    # On SQLite the second waits for the first: it has one writer at a time.
    plan(stage, thing("one"), thing("two"))
    hold(stage)
    with stage.database.engine.begin() as connection:
        assert [found.key for found in claims.claim(connection, HELD, NOW, 1)] == ["one"]
        assert [found.key for found in claim(stage)] == ["two"]


def test_invitations_are_planned_once_for_whoever_allows_it(stage: Stage) -> None:
    with stage.database.engine.begin() as connection:
        for person, standing in {"shy": {}, "stop": {"opened": True, "stopped": True}}.items():
            connection.execute(_PERSON.insert().values(account=ACCOUNT, platform_id=person, **standing))
        for person, account in (("blocked", ACCOUNT), ("elsewhere", "other")):
            values = {"platform_id": person, "account": account, "opened": True, "blocked": person == "blocked"}
            connection.execute(_PERSON.insert().values(**values))
    stage.deliver(stage.typed(1, "done", "9"))
    assert invite(stage, "ann", "bob") == 2
    assert invite(stage) == 0
    assert sorted(str(found.person) for found in claim(stage) if found.kind is Kind.INVITATION) == ["ann", "bob"]
    assert invite(stage, wave=1) == 2


@pytest.mark.parametrize("act", ["stop", "block", "answer"])
def test_an_invitation_is_not_claimed_after(stage: Stage, act: str) -> None:
    invite(stage, "ann", "bob")
    if act == "stop":
        stage.deliver(stage.typed(1, "ann", "stop"))
    elif act == "answer":
        stage.deliver(stage.typed(1, "ann", "9"))
    else:
        with stage.database.engine.begin() as connection:
            connection.execute(_PERSON.update().where(_PERSON.c.platform_id == "ann").values(blocked=True))
    taken = [found.person for found in claim(stage) if found.kind is Kind.INVITATION]
    assert taken == ["bob"]
    (row,) = [row for row in stage.rows("outbox") if row["kind"] == "invitation" and row["state"] != "claimed"]
    assert (row["state"], row["error"]) == ("refused", "no longer allowed, or already answered")


def test_an_answer_that_was_taken_back_leaves_the_invitation(stage: Stage) -> None:
    stage.post("group", 0)
    invite(stage, "ann")
    ref = poll_ref("group", 0)
    stage.deliver(stage.vote(1, "ann", ref, 9), stage.vote(2, "ann", ref, None, withdrawn=True))
    assert [found.person for found in claim(stage)] == ["ann"]


def begin(stage: Stage, thing: Claimed, held: Held = HELD) -> Begun:
    with stage.database.engine.begin() as connection:
        return claims.begin(connection, thing, held, stage.now)


def test_a_crash_leaves_what_was_claimed_to_be_said_and_what_had_begun_unknown(stage: Stage) -> None:
    plan(stage, thing("said?"), thing("not said"), thing("elsewhere", account="other"), thing("waiting", Kind.ASK))
    begin(stage, claim(stage, 2)[0])
    begin(stage, claim(stage, 1, held=Held("other", 1))[0], Held("other", 1))
    held, found = take_over(stage)
    assert (found.put_back, found.unknown) == (1, 1)
    assert states(stage) == {"said?": "unknown", "not said": "planned", "elsewhere": "sending", "waiting": "planned"}
    assert [found.key for found in claim(stage, held=held)] == ["not said", "waiting"]


def test_an_unreachable_person_is_left_alone_until_they_write(stage: Stage) -> None:
    invite(stage, "ann")
    (found,) = claim(stage)
    with stage.database.engine.begin() as connection:
        outbox.refused(connection, found, "closed", NOW, unreachable=True)
    assert invite(stage, wave=1) == 0
    stage.deliver(stage.typed(1, "ann", "hello again"))
    assert invite(stage, wave=1) == 1


def test_an_invitation_is_known_by_its_refs(stage: Stage) -> None:
    invite(stage, "ann")
    (found,) = claim(stage)
    with stage.database.engine.begin() as connection:
        receipt = Receipt(place="ann", message="77", refs=("msg:ann:77",), sent_at=NOW)
        assert outbox.sent(connection, found.id, receipt, NOW) == (ACCOUNT, ("msg:ann:77",))
        assert outbox.states(connection, [found.key]) == {found.key: (State.SENT, "")}
    after = WAVES[0].closes_at + timedelta(hours=1)
    stage.deliver(stage.typed(1, "ann", "9", at=after, ref="msg:ann:77"))
    assert stage.responses() == {("ann", WAVES[0].key): (9, 9, "dm", "text")}


def test_where_we_may_only_answer_each_message_of_theirs_allows_one_of_ours(stage: Stage) -> None:
    stage.inbox.answers_only.add(ACCOUNT)
    invite(stage, "ann")
    assert claim(stage, answers_only=True) == []
    stage.deliver(stage.typed(1, "ann", "hello"))
    assert [found.kind for found in claim(stage, answers_only=True)] == [Kind.INVITATION]
    stage.deliver(stage.typed(2, "ann", "9"), stage.typed(3, "ann", "8"))
    first = claim(stage, answers_only=True)
    second = claim(stage, answers_only=True)
    assert [found.kind for found in (*first, *second)] == [Kind.ANSWER, Kind.ANSWER]
    assert {row["owed"] for row in stage.rows("person")} == {0}
    with stage.database.engine.begin() as connection:
        outbox.postpone(connection, first[0], NOW, "busy")
    assert [found.key for found in claim(stage, answers_only=True)] == [first[0].key]


def test_a_planned_ask_is_known_and_found_until_it_is_closed(stage: Stage) -> None:
    stage.post("group", 0)
    stage.plan_ask("forum", 0)
    known, close = stage.wave(), WAVES[0].closes_at
    with stage.database.engine.begin() as connection:
        assert asks.asked(connection, known.id) == {"group", "forum"}
        assert asks.open_asks(connection, SURVEY.name, closing_before=close - timedelta(seconds=1)) == []
        (ask,) = asks.open_asks(connection, SURVEY.name, closing_before=close)
        assert (ask.account, ask.closes_at, ask.receipt.refs) == (ACCOUNT, close, (poll_ref("group", 0),))
        assert [found.id for found in asks.open_polls(connection, ACCOUNT, NOW)] == [ask.id]
        assert asks.open_polls(connection, ACCOUNT, close) == []
        asks.closed(connection, ask.id, close)
        assert asks.open_asks(connection, SURVEY.name, closing_before=close) == []
        row = connection.execute(select(table(asks.Ask)).where(table(asks.Ask).c.id == ask.id)).one()
        assert (row.message, row.posted_at, row.closed_at) == (poll_ref("group", 0), NOW, close)


def test_errands_from_before_our_time_are_not_answered(stage: Stage) -> None:
    stage.inbox.answers_only.add(ACCOUNT)
    stage.deliver(stage.typed(1, "ann", "where is my parcel?", at=NOW - timedelta(days=25)))
    stage.deliver(stage.typed(2, "bob", "where is my parcel?", at=NOW - timedelta(hours=25)))
    owed = {row["platform_id"]: row["owed"] for row in stage.rows("person")}
    assert owed == {"ann": 0, "bob": 1}
