"""Cases and the week's fix in the store, on both databases."""

from __future__ import annotations

from datetime import timedelta

from core.agenda import Decision
from core.cases import LIFE, Case, State, Teammate
from core.events import Consent, ConsentKind, Votes
from core.message import text as words
from core.routes import Team
from core.store import case_refs, cases, decisions, outbox
from core.store.outbox import Kind, Planned
from tests.store.stage import ACCOUNT, NOW, SURVEY, WAVES, Stage, poll_ref

TEAM = Team(name="crew", account=ACCOUNT, place="-1009")
LEA, MAX = Teammate(ACCOUNT, "71", "Léa"), Teammate(ACCOUNT, "72", "Max")
SOON = timedelta(minutes=2)


def opened(stage: Stage, **scores: int) -> None:
    """These people, who opened direct messages, answer."""
    stage.inbox.caring = {SURVEY.name: (TEAM,)}
    for n, (who, score) in enumerate(scores.items()):
        kind = ConsentKind.GRANTED
        came = Consent(id=f"c{who}", person=who, kind=kind, at=NOW, order=n, evidence="pressed Start")
        stage.deliver(came, stage.typed(100 + n, who, str(score), at=NOW))


def waiting(stage: Stage, after: timedelta = SOON) -> list[Case]:
    with stage.database.reading() as connection:
        return cases.waiting(connection, SURVEY.name, NOW + after)


def test_who_is_unhappy_and_can_be_answered_is_a_case_once(stage: Stage) -> None:
    opened(stage, ann=3, bob=9, cas=6)
    stage.deliver(stage.typed(200, "dan", "1", at=NOW))  # never opened direct messages
    stage.deliver(stage.typed(201, "ann", "2, still late", at=NOW))
    found = waiting(stage)
    assert [(case.band.label if case.band else "", case.words) for case in found] == [("2", "still late"), ("6", "")]
    assert [case.state for case in found] == [State.OPEN, State.OPEN]
    stage.deliver(stage.typed(202, "cas", "9", at=NOW))
    assert [case.id for case in waiting(stage)] == [found[0].id]
    assert waiting(stage, LIFE) == []
    assert len(stage.rows("cases")) == 2


def test_a_vote_that_is_read_from_a_poll_s_list_opens_a_case_once(stage: Stage) -> None:
    opened(stage, ann=9)
    stage.post("group", 0)
    for order in (50, 60):
        stage.deliver(Votes(ref=poll_ref("group", 0), votes=(("ann", 3), ("bob", 3)), as_of=NOW, order=order))
    assert [(case.band and case.band.low, case.state) for case in waiting(stage)] == []  # ann's own word stands
    stage.deliver(Consent(id="cb", person="bob", kind=ConsentKind.GRANTED, at=NOW, order=70, evidence="pressed Start"))
    stage.deliver(Votes(ref=poll_ref("group", 0), votes=(("bob", 2),), as_of=NOW, order=80))
    stage.deliver(Votes(ref=poll_ref("group", 0), votes=(("bob", 2),), as_of=NOW, order=90))
    assert [case.band.label for case in waiting(stage) if case.band is not None] == ["2"]


def test_a_later_week_opens_a_new_case_unless_we_speak_with_them(stage: Stage) -> None:
    opened(stage, ann=3, bob=3)
    first, second = waiting(stage)
    with stage.database.engine.begin() as connection:
        cases.take(connection, second.id, LEA, NOW)
        cases.answered(connection, second.id, "relay:1", NOW)
    stage.now = later = WAVES[1].opens_at + timedelta(days=1)
    stage.deliver(stage.typed(300, "ann", "9", at=NOW), stage.typed(301, "ann", "0", at=later))
    stage.deliver(stage.typed(302, "bob", "1", at=later))
    states = [(row["wave_id"], row["state"]) for row in stage.rows("cases")]
    assert states == [(1, "closed"), (1, "heard"), (2, "open")]
    assert first.id not in {case.id for case in waiting(stage, later - NOW)}


def test_who_writes_later_why_they_are_unhappy_is_a_case_then(stage: Stage) -> None:
    stage.inbox.caring = {SURVEY.name: (TEAM,)}
    stage.deliver(stage.typed(100, "ann", "2", at=NOW))
    assert waiting(stage) == []
    stage.deliver(Consent(id="c", person="ann", kind=ConsentKind.GRANTED, at=NOW, order=101, evidence="pressed Start"))
    stage.deliver(stage.typed(102, "ann", "it never came", at=NOW))
    assert [case.words for case in waiting(stage)] == ["it never came"]


def test_what_is_said_to_the_team_is_told_whole_and_a_stop_is_obeyed(stage: Stage) -> None:
    opened(stage, ann=3)
    (case,) = waiting(stage)
    with stage.database.engine.begin() as connection:
        cases.take(connection, case.id, LEA, NOW)
        cases.answered(connection, case.id, "relay:1", NOW)
    odd = "a\x00b \ud800 can you help me?"
    stage.deliver(stage.typed(200, "ann", "word " * 400, at=NOW), stage.typed(201, "ann", odd, at=NOW))
    stage.deliver(stage.typed(202, "ann", "stop", at=NOW))
    told = [row["body"] for row in stage.rows("outbox") if row["kind"] == Kind.CASE]
    assert sum(body.count("word") for body in told) == 400
    assert any("help me" in body for body in told)
    assert "does not want to be written to any more" in told[-1]
    assert waiting(stage) == []


def test_nobody_opens_a_case_where_no_team_cares(stage: Stage) -> None:
    opened(stage, ann=3)
    stage.inbox.caring = {}
    stage.deliver(Consent(id="cb", person="b", kind=ConsentKind.GRANTED, at=NOW, order=1, evidence="pressed Start"))
    stage.deliver(stage.typed(200, "b", "1", at=NOW))
    assert len(stage.rows("cases")) == 1


def test_a_case_is_told_once_and_not_before_two_minutes(stage: Stage) -> None:
    opened(stage, ann=3)
    with stage.database.engine.begin() as connection:
        assert cases.untold(connection, SURVEY.name, NOW, SOON) == []
        (case,) = cases.untold(connection, SURVEY.name, NOW + SOON, SOON)
        assert cases.tell(connection, [case.id], NOW) == {case.id}
        assert cases.tell(connection, [case.id], NOW) == set()
        assert cases.untold(connection, SURVEY.name, NOW + SOON, SOON) == []
        assert cases.last_told(connection, SURVEY.name) == NOW
        case_refs.refer(connection, ACCOUNT, f"case:{case.id}:crew/new:0", ["msg:-1009:5"])
        assert case_refs.about(connection, ACCOUNT, "msg:-1009:5") == case.id
        assert case_refs.about(connection, ACCOUNT, "msg:-1009:6") is None


def test_from_taken_to_closed(stage: Stage) -> None:
    opened(stage, ann=3)
    (case,) = waiting(stage)
    with stage.database.engine.begin() as connection:
        assert cases.take(connection, case.id, LEA, NOW)
        assert not cases.take(connection, case.id, MAX, NOW)
        assert cases.conversing(connection, [case.person], NOW) == {}
        cases.answered(connection, case.id, "relay:1", NOW)
        assert set(cases.conversing(connection, [case.person], NOW)) == {case.person}
    assert waiting(stage) == []  # it is the customer's turn
    stage.deliver(stage.typed(200, "ann", "10, thank you", at=NOW))
    (heard,) = waiting(stage)
    assert (heard.state, heard.owner_name) == (State.HEARD, "Léa")
    told = [row for row in stage.rows("outbox") if row["kind"] == Kind.CASE]
    assert len(told) == 1
    assert "10, thank you" in told[0]["body"]
    assert [row["text"] for row in stage.rows("quoted")] == ["10, thank you"]
    with stage.database.engine.begin() as connection:
        assert cases.close(connection, case.id, "a new one was sent", NOW)
        assert not cases.close(connection, case.id, "", NOW)
        assert cases.conversing(connection, [case.person], NOW) == {}


def test_what_did_not_arrive_is_known_until_it_is_told(stage: Stage) -> None:
    opened(stage, ann=3)
    (case,) = waiting(stage)
    relay = Planned(key="relay:1", account=ACCOUNT, kind=Kind.RELAY, body=words("sorry"), person_id=case.person)
    with stage.database.engine.begin() as connection:
        outbox.plan(connection, [relay], NOW)
        cases.take(connection, case.id, LEA, NOW)
        cases.answered(connection, case.id, relay.key, NOW)
        assert cases.undelivered(connection, SURVEY.name, NOW) == []
    lost, perhaps = [(relay.key, case.id, True)], [(relay.key, case.id, False)]
    for state, looks, found in (("refused", 0, lost), ("unknown", 0, []), ("unknown", -1, perhaps)):
        with stage.database.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE outbox SET state = '{state}', looks = {looks} WHERE key = 'relay:1'")
            assert cases.undelivered(connection, SURVEY.name, NOW) == found
    with stage.database.engine.begin() as connection:
        assert cases.told_undelivered(connection, relay.key, case.id)
        assert not cases.told_undelivered(connection, relay.key, case.id)
        assert cases.undelivered(connection, SURVEY.name, NOW) == []
    assert [each.state for each in waiting(stage)] == [State.TAKEN]


def test_a_message_that_people_may_read_already_may_be_about_a_case(stage: Stage) -> None:
    alert = Planned(key="case:1:crew/1:0", account=ACCOUNT, kind=Kind.CASE, body=words("Case 1"), place=TEAM.place)
    for state, receipt, doubtful in (
        *(("planned", "", False), ("claimed", "", False), ("sending", "", True), ("unknown", "", True)),
        *(("sent", '{"refs": ["msg:7"]}', False), ("refused", "", False)),
    ):
        with stage.database.engine.begin() as connection:
            outbox.plan(connection, [alert], NOW)
            connection.exec_driver_sql(f"UPDATE outbox SET state = '{state}', receipt = '{receipt}'")
            assert case_refs.in_doubt(connection, ACCOUNT, TEAM.place, "msg:7", NOW + SOON) is doubtful


def test_a_fix_has_one_owner(stage: Stage) -> None:
    with stage.database.engine.begin() as connection:
        for title in ("Delivery", "Price"):
            decisions.propose(connection, SURVEY.name, "2026-W45", "crew", title, NOW)
        found = decisions.decision(connection, SURVEY.name, "2026-W45", "crew")
        assert found == Decision(SURVEY.name, "2026-W45", "crew", "Delivery", NOW)
        assert decisions.unowned(connection, SURVEY.name, "crew", NOW - SOON) == [found]
        assert decisions.reminded(connection, found, NOW)
        assert not decisions.reminded(connection, found, NOW)
        assert decisions.own(connection, found, LEA, "tracking", NOW)
        assert not decisions.own(connection, found, MAX, "mine", NOW)
        assert decisions.done(connection, found, NOW)
        assert not decisions.done(connection, found, NOW)
        now_is = decisions.decision(connection, SURVEY.name, "2026-W45", "crew")
        assert now_is is not None
        assert (now_is.title, now_is.owner_shown, now_is.done_at) == ("tracking", "Léa", NOW)
        decisions.forget_owner(connection, ACCOUNT, "71")
        forgotten = decisions.decision(connection, SURVEY.name, "2026-W45", "crew")
        assert forgotten is not None
        assert forgotten.owner_shown == "–"
