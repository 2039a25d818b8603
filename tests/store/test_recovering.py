"""What an outage may have swallowed: polls known again, taps asked for once more, votes that have no name."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from core.account import Poll
from core.envelope import dump
from core.events import Consent, ConsentKind, PollSeen, Silence, Totals
from core.message import text as words
from core.models import Outbox
from core.store import asks, outbox
from core.store.gaps import find_gaps, nameless_votes, untold
from core.store.outbox import FINAL
from core.store.statements import table
from core.store.waiting import forget_waiting
from tests.store.stage import ACCOUNT, BALLOT, CHANNELS, NOW, WAVES, Stage, poll_ref

_OUTBOX = table(Outbox)
REF = poll_ref("group", 0)
POLL = Poll(question="How likely?", options=tuple("0123456789X"), closes_at=WAVES[0].closes_at)
SILENCE = Silence(since=NOW - timedelta(minutes=20), until=NOW)


def grant(stage: Stage, *people: str) -> None:
    stage.deliver(
        *(
            Consent(id=f"c:{p}", person=p, kind=ConsentKind.GRANTED, at=NOW, order=0, evidence="pressed Start")
            for p in people
        )
    )


def invite(stage: Stage, *, sent: bool = True, wave: int = 0) -> None:
    """Invite everybody who may be, and have it said an hour ago."""
    known = stage.wave(WAVES[wave])
    with stage.database.engine.begin() as connection:
        asks.plan_invitations(connection, known, CHANNELS["dm"], lambda person, language: words("?"), stage.now)
        if sent:
            done = update(_OUTBOX).where(_OUTBOX.c.kind == str(outbox.Kind.INVITATION))
            at = stage.now - timedelta(hours=1)
            connection.execute(done.values(state=str(outbox.State.SENT), settled_at=at))


def again(stage: Stage) -> dict[str, dict[str, object]]:
    """What asks for another tap, by platform id."""
    people = {row["id"]: row["platform_id"] for row in stage.rows("person")}
    return {people[row["person_id"]]: row for row in stage.rows("outbox") if row["key"].startswith("again:")}


def test_after_a_silence_who_was_invited_and_has_not_answered_may_tap_again_once(stage: Stage) -> None:
    grant(stage, "ann", "bob", "cy", "dan")
    invite(stage)
    stage.deliver(stage.typed(1, "bob", "9"), stage.typed(2, "cy", "stop"))
    stage.deliver(Consent(id="b", person="dan", kind=ConsentKind.BLOCKED, at=NOW, order=3, evidence="blocked"))
    grant(stage, "eve")
    stage.deliver(SILENCE)
    stage.deliver(SILENCE, Silence(since=NOW, until=NOW + timedelta(hours=1)))
    (row,) = again(stage).values()
    assert set(again(stage)) == {"ann"}
    assert row["key"] == f"again:acme:{WAVES[0].key}:tg/{row['person_id']}:0"
    assert (row["kind"], row["priority"]) == ("answer", outbox.Priority.ANSWER)
    assert "please tap it again" in str(row["body"])


def test_no_tap_is_asked_for_where_none_can_be_missing(stage: Stage) -> None:
    grant(stage, "ann")
    invite(stage, sent=False)
    stage.deliver(SILENCE)
    invite(stage)
    stage.deliver(Silence(since=NOW - timedelta(hours=3), until=NOW - timedelta(hours=2)))  # over before it was said
    stage.now = WAVES[0].closes_at
    stage.deliver(Silence(since=NOW, until=stage.now))
    assert again(stage) == {}


def test_who_speaks_french_is_asked_in_french(stage: Stage) -> None:
    grant(stage, "ann")
    stage.deliver(stage.typed(1, "ann", "bonjour", language="fr-CA"))
    invite(stage)
    stage.deliver(SILENCE)
    assert "choisissez-le" in str(again(stage)["ann"]["body"])


def unknown_ask(stage: Stage, channel: str = "group") -> str:
    """An ask whose outcome nobody knows."""
    key = stage.plan_ask(channel, 0)
    body = dump(POLL)
    with stage.database.engine.begin() as connection:
        its = update(_OUTBOX).where(_OUTBOX.c.key == key)
        connection.execute(its.values(state=str(outbox.State.UNKNOWN), body=body, settled_at=NOW))
    return key


def test_an_unknown_poll_is_known_again_when_its_first_vote_comes(stage: Stage) -> None:
    key = unknown_ask(stage)
    seen = PollSeen(ref=REF, question=POLL.question, options=POLL.options)
    stage.deliver(stage.vote(1, "ann", REF, 9), seen, stage.vote(2, "bob", REF, 3))
    stage.deliver(seen)
    assert {person: low for (person, _), (low, *_) in stage.responses().items()} == {"ann": 9, "bob": 3}
    assert sum(row["n"] for row in stage.rows("rollup")) == 2
    with stage.database.reading() as connection:
        assert outbox.states(connection, [key])[key][0] is outbox.State.SENT


def test_a_poll_of_others_is_not_taken_for_ours(stage: Stage) -> None:
    unknown_ask(stage)
    stage.deliver(PollSeen(ref=REF, question="Lunch?", options=("yes", "no")), stage.vote(1, "ann", REF, 1))
    assert stage.responses() == {}


def final(*votes: int) -> Totals:
    """The poll ended with so many votes on its first options."""
    return Totals(ref=REF, totals=(*votes, *(0,) * (len(BALLOT.bands) - len(votes))), as_of=NOW, final=True)


def gaps(stage: Stage) -> tuple[list[int], dict[str, int]]:
    wave = stage.wave().id
    with stage.database.engine.begin() as connection:
        return [each.nameless for each in find_gaps(connection, wave, NOW)], nameless_votes(connection, wave)


def test_votes_that_nobody_can_be_named_for_are_a_gap_and_no_people(stage: Stage) -> None:
    stage.post("group", 0)
    stage.deliver(stage.vote(1, "ann", REF, 0), stage.vote(2, "bob", REF, 1), final(2, 3))
    assert gaps(stage) == ([3], {"group": 3})
    assert len(stage.responses()) == 2
    stage.deliver(stage.vote(3, "cy", REF, 1), stage.vote(4, "dan", REF, 1))
    assert gaps(stage) == ([1], {"group": 1})
    stage.deliver(stage.vote(5, "eve", REF, 0))
    assert gaps(stage) == ([], {})


def test_who_voted_and_then_wrote_or_took_it_back_is_no_gap(stage: Stage) -> None:
    stage.post("group", 0)
    stage.deliver(stage.vote(1, "ann", REF, 0), stage.typed(2, "ann", "9"), stage.vote(3, "bob", REF, 1))
    stage.deliver(stage.vote(4, "bob", REF, None, withdrawn=True), final(1))
    assert gaps(stage) == ([], {})


def test_neither_an_open_poll_nor_one_that_goes_on_has_a_gap(stage: Stage) -> None:
    stage.post("group", 0)
    stage.post("news", 0, named=False)
    ended = Totals(ref=poll_ref("news", 0), totals=(9,) * len(BALLOT.bands), as_of=NOW, final=True)
    stage.deliver(ended, Totals(ref=REF, totals=(5,) * len(BALLOT.bands), as_of=NOW))
    assert gaps(stage) == ([], {})


def test_votes_on_polls_of_others_are_forgotten_once_ours_can_no_longer_turn_up(stage: Stage) -> None:
    theirs = poll_ref("theirs", 0)
    stage.deliver(stage.vote(1, "ann", theirs, 1, at=NOW - timedelta(days=9)), stage.vote(2, "bob", theirs, 1))
    stage.deliver(stage.typed(3, "cy", "9", at=NOW - timedelta(days=9)))
    doubted = stage.plan_ask("group", 0)
    with stage.database.engine.begin() as connection:
        connection.execute(update(table(Outbox)).where(table(Outbox).c.key == doubted).values(state="unknown"))
        assert forget_waiting(connection, ACCOUNT, NOW) == 0  # they may be on the poll that is in doubt
        connection.execute(update(table(Outbox)).where(table(Outbox).c.key == doubted).values(state="refused"))
        assert forget_waiting(connection, "other", NOW) == 0
        assert forget_waiting(connection, ACCOUNT, NOW) == 1
    assert {row["event"] for row in stage.rows("reply")} == {"e2", "e3"}


def test_a_poll_that_names_nobody_is_waited_for_until_it_has_told_its_last_totals(stage: Stage) -> None:
    def waits_for(wave: int) -> set[str]:
        with stage.database.engine.connect() as connection:
            return untold(connection, WAVES[wave])

    stage.post("group", 0)
    assert waits_for(0) == set()  # who voted there is known by name
    stage.post("news", 0, named=False)
    votes = (9,) * len(BALLOT.bands)
    stage.deliver(Totals(ref=poll_ref("news", 0), totals=votes, as_of=NOW))
    assert (waits_for(0), waits_for(1)) == ({ACCOUNT}, set())
    stage.deliver(Totals(ref=poll_ref("news", 0), totals=votes, as_of=NOW, final=True))
    assert waits_for(0) == set()


def test_a_poll_that_names_its_voters_is_waited_for_while_it_is_in_doubt(stage: Stage) -> None:
    def change(**values: object) -> set[str]:
        with stage.database.engine.begin() as connection:
            connection.execute(update(table(Outbox)).where(table(Outbox).c.key == doubted).values(**values))
            return untold(connection, WAVES[0])

    doubted = stage.plan_ask("group", 0)
    assert change(state="unknown") == {ACCOUNT}
    assert change(looks=FINAL) == set()  # whoever votes on it makes it known, or nobody has
    stage.deliver(stage.vote(1, "ann", poll_ref("theirs", 0), 1))
    assert change(looks=FINAL) == {ACCOUNT}
    assert change(state="sent") == set()
