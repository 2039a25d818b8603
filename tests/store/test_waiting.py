"""What comes before its post is known waits; what the stream missed is filled from the list of voters."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.events import Event, Totals, Votes
from core.models import Outbox
from core.nps import Tally
from core.store import tallies
from core.store.statements import table
from core.survey import FREEZE, Wave
from tests.store.stage import CHANNELS, NOW, WAVES, Stage, poll_ref

REF = poll_ref("group", 0)
KEY = WAVES[0].key


def votes(order: int, *pairs: tuple[str, int]) -> Votes:
    return Votes(ref=REF, votes=pairs, as_of=NOW, order=order)


ACTS = st.lists(
    st.tuples(st.sampled_from(("vote", "retract", "type")), st.sampled_from(("ann", "bob")), st.integers(0, 10)),
    min_size=1,
    max_size=10,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, known_after=st.integers(0, 10))
def test_the_moment_at_which_a_post_becomes_known_does_not_matter(
    stage: Stage, acts: list[tuple[str, str, int]], known_after: int
) -> None:
    told: list[Event] = []
    for order, (act, person, score) in enumerate(acts):
        if act == "type":
            told.append(stage.typed(order, person, str(score)))
        else:
            told.append(stage.vote(order, person, REF, score, withdrawn=act == "retract"))
    found = []
    for moment in (0, min(known_after, len(told))):
        stage.clear()
        key = stage.plan_ask("group", 0)
        for index, event in enumerate([*told, None]):
            if index == moment:
                stage.posted(key, REF, CHANNELS["group"].place)
            if event is not None:
                stage.deliver(event)
        found.append((stage.responses(), stage.dump()["rollup"]))
    assert found[0] == found[1]
    assert "waiting" not in {row["outcome"] for row in stage.rows("reply")}


def test_a_vote_waits_for_its_poll(stage: Stage) -> None:
    key = stage.plan_ask("group", 0)
    stage.deliver(stage.vote(1, "ann", REF, 9), stage.vote(2, "bob", "poll:somebody else's", 9))
    assert stage.responses() == {}
    assert [row["outcome"] for row in stage.rows("reply")] == ["waiting", "waiting"]
    stage.posted(key, REF, CHANNELS["group"].place)
    assert stage.responses() == {("ann", KEY): (9, 9, "group", "vote")}
    assert [row["outcome"] for row in stage.rows("reply")] == ["counted", "waiting"]
    stage.deliver(stage.vote(1, "ann", REF, 9))
    assert len(stage.rows("reply")) == 2


def test_a_vote_that_waited_too_long_is_late(stage: Stage) -> None:
    key = stage.plan_ask("group", 0)
    stage.deliver(stage.vote(1, "ann", REF, 9, at=WAVES[0].closes_at + FREEZE))
    stage.posted(key, REF, CHANNELS["group"].place)
    assert stage.responses() == {}
    assert [row["outcome"] for row in stage.rows("reply")] == ["late"]


def test_a_list_of_voters_fills_and_withdraws(stage: Stage) -> None:
    stage.post("group", 0)
    stage.deliver(stage.vote(1, "ann", REF, 9), stage.vote(2, "bob", REF, 3))
    stage.deliver(votes(3, ("bob", 4), ("cy", 10)))
    assert stage.responses() == {("bob", KEY): (4, 4, "group", "vote"), ("cy", KEY): (10, 10, "group", "vote")}


def test_a_list_of_voters_overrides_no_tap_and_no_text(stage: Stage) -> None:
    stage.post("group", 0)
    stage.deliver(
        stage.vote(1, "ann", REF, 9),
        stage.typed(2, "ann", "2"),
        stage.tap(3, "bob", stage.score_token(5), "-1004"),
    )
    before = stage.responses()
    stage.deliver(votes(4, ("ann", 9), ("bob", 9)))
    assert stage.responses() == before == {("ann", KEY): (2, 2, "dm", "text"), ("bob", KEY): (5, 5, "lobby", "tap")}
    stage.deliver(votes(5))
    assert stage.responses() == before


def test_a_list_that_says_what_the_stream_said_changes_nothing(stage: Stage) -> None:
    stage.post("group", 0)
    stage.deliver(stage.vote(1, "ann", REF, 9), stage.vote(2, "bob", REF, 3), stage.vote(3, "ann", REF, 7))
    before = stage.dump()
    stage.deliver(votes(4, ("ann", 7), ("bob", 3)))
    assert stage.dump() == before


def test_a_later_live_event_wins_over_a_list_that_comes_after_it(stage: Stage) -> None:
    stage.post("group", 0)
    stage.deliver(
        stage.vote(1, "ann", REF, 9), stage.vote(5, "ann", REF, 9, withdrawn=True), stage.vote(6, "bob", REF, 8)
    )
    stage.deliver(votes(4, ("ann", 9), ("bob", 2)))
    assert stage.responses() == {("bob", KEY): (8, 8, "group", "vote")}


def test_a_list_of_four_thousand_voters(stage: Stage) -> None:
    stage.post("group", 0)
    stage.deliver(votes(1, *((f"p{number}", number % 11) for number in range(4_000))))
    stage.deliver(votes(2, *((f"p{number}", number % 11) for number in range(2_000))))
    with stage.database.reading() as connection:
        assert tallies.total(tallies.window(connection, [stage.wave().id]).values()).n == 2_000


def test_totals_of_a_poll_that_names_nobody_are_open_answers(stage: Stage) -> None:
    stage.post("news", 0, named=False)
    stage.post("group", 0)
    newer = tuple(range(11))
    ref = poll_ref("news", 0)
    stage.deliver(Totals(ref=ref, totals=newer, as_of=NOW), Totals(ref=REF, totals=newer, as_of=NOW))
    stage.deliver(Totals(ref=ref, totals=(9,) * 11, as_of=NOW - timedelta(seconds=1)))
    with stage.database.reading() as connection:
        assert tallies.open_totals(connection, stage.wave().id) == {"news": Tally(9 + 10, 7 + 8, 21)}
        assert tallies.window(connection, [stage.wave().id]) == {}
        assert tallies.open_channels(connection, "acme") == {"news"}


def test_nothing_replaces_what_a_poll_ended_with_but_another_end(stage: Stage) -> None:
    stage.post("news", 0, named=False)
    ref, later = poll_ref("news", 0), NOW + timedelta(hours=1)
    stage.deliver(
        Totals(ref=ref, totals=(0,) * 10 + (5,), as_of=NOW, final=True),
        Totals(ref=ref, totals=(0,) * 10 + (4,), as_of=later),
    )
    with stage.database.reading() as connection:
        assert tallies.open_totals(connection, stage.wave().id) == {"news": Tally(5)}
    stage.deliver(Totals(ref=ref, totals=(0,) * 10 + (6,), as_of=NOW, final=True))
    with stage.database.reading() as connection:
        assert tallies.open_totals(connection, stage.wave().id) == {"news": Tally(6)}


def test_an_answer_to_a_post_in_doubt_is_one_to_the_week_of_that_post(stage: Stage) -> None:
    """Also when it comes in the week after, and only as long as that week takes answers."""
    key = stage.plan_ask("timeline", 0)
    stage.now = WAVES[1].opens_at + timedelta(hours=2)

    def answer(order: int, person: str, *, at: timedelta = timedelta(hours=1), of: Wave = WAVES[0]) -> None:
        said = {"place": "timeline", "ref": "post:1", "ref_at": of.opens_at + timedelta(hours=9)}
        stage.deliver(stage.typed(order, person, "9", at=WAVES[1].opens_at + at, **said))

    answer(1, "ann")
    with stage.database.engine.begin() as connection:
        connection.execute(table(Outbox).update().where(table(Outbox).c.key == key).values(state="unknown"))
    answer(2, "bob")
    answer(3, "cy", at=FREEZE)
    answer(4, "dee", of=WAVES[1])
    nine = (9, 9, "timeline", "text")
    assert stage.responses() == {("ann", WAVES[1].key): nine, ("bob", KEY): nine, ("dee", WAVES[1].key): nine}
    assert [row["outcome"] for row in stage.rows("reply")] == ["counted", "counted", "late", "counted"]
