"""The same deliveries leave the same database and answers, in whatever commits they were kept together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.account import Answer
from core.buttons import Purpose
from core.events import Consent, ConsentKind, Cursor, Event, Reply, Totals, Via, Votes
from tests.store.stage import ACCOUNT, NOW, WAVES, Stage, poll_ref

PEOPLE = st.sampled_from(("ann", "bob", "cy"))
LANGUAGES = st.sampled_from((None, "en", "fr"))
SAYINGS = ("7", "10/10", "0", "stop", "STOP", "help", "It is slow", "/start", "", "a\x00b \ud800", "12")
TIMES = st.sampled_from((NOW, WAVES[0].closes_at, WAVES[0].closes_at + timedelta(days=1), WAVES[1].closes_at))
REFS = st.sampled_from((poll_ref("group", 0), poll_ref("news", 0), "poll:unknown"))


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """Anything that an account can bring, some of it twice, in the order of its stream."""
    found: list[Event] = []
    for order in range(draw(st.integers(1, 14))):
        if found and draw(st.integers(0, 6)) == 0:
            found.append(draw(st.sampled_from(found)))
        else:
            found.append(draw(st.one_of(*(make(order) for make in MAKERS))))
    return found


def _replies(order: int) -> st.SearchStrategy[Event]:
    common: dict[str, Any] = {"id": st.just(f"e{order}"), "person": PEOPLE, "at": TIMES, "order": st.just(order)}
    places = st.sampled_from(("", "-1004"))
    return st.one_of(
        st.builds(Reply, via=st.just(Via.TEXT), text=st.sampled_from(SAYINGS), language=LANGUAGES, **common),
        st.builds(
            Reply,
            via=st.just(Via.VOTE),
            ref=REFS,
            option=st.none() | st.integers(-1, 11),
            withdrawn=st.booleans(),
            **common,
        ),
        st.builds(Reply, via=st.just(Via.TAP), token=st.sampled_from(range(len(TOKENS))), place=places, **common),
        st.builds(Reply, via=st.just(Via.FORM), token=st.just(3), text=st.sampled_from(SAYINGS), **common),
    )


TOKENS = ("score", "direct", "invited", "why", "forged")


def _tokens(stage: Stage) -> list[str]:
    code, ann = stage.wave().code, f"{ACCOUNT}:ann"
    return [
        stage.seal.token(Purpose.SCORE, code, 9),
        stage.seal.token(Purpose.DIRECT, code),
        stage.seal.token(Purpose.INVITED, code, 2, ann),
        stage.seal.token(Purpose.WHY, code, person=ann),
        "1s\x00forged",
    ]


def _others(order: int) -> st.SearchStrategy[Event]:
    voters = st.dictionaries(PEOPLE, st.integers(0, 10)).map(lambda votes: tuple(votes.items()))
    totals = st.lists(st.integers(0, 9), min_size=11, max_size=11).map(tuple)
    return st.one_of(
        st.builds(
            Consent,
            id=st.just(f"c{order}"),
            person=PEOPLE,
            kind=st.sampled_from(ConsentKind),
            at=TIMES,
            order=st.just(order),
            evidence=st.just("did something"),
            explicit=st.booleans(),
            language=LANGUAGES,
        ),
        st.builds(Votes, ref=REFS, votes=voters, as_of=st.just(NOW), order=st.just(order)),
        st.builds(Totals, ref=REFS, totals=totals, as_of=TIMES, final=st.booleans()),
        st.builds(Cursor, name=st.sampled_from(("a", "b")), value=st.just(str(order))),
    )


MAKERS = (_replies, _replies, _others)


def live(stage: Stage, commits: Sequence[Sequence[Sequence[Event]]]) -> tuple[list[Answer], dict[str, list[Any]]]:
    """Keep the commits on an empty database; all answers in order, and every row there is."""
    stage.clear()
    stage.post("group", 0)
    stage.post("news", 0, named=False)
    tokens = _tokens(stage)
    answers: list[Answer] = []
    for commit in commits:
        sealed = [[_sealed(event, tokens) for event in delivery] for delivery in commit]
        answers += [answer for delivery in stage.commit(sealed) for answer in delivery]
    return answers, stage.dump()


def _sealed(event: Event, tokens: Sequence[str]) -> Event:
    if isinstance(event, Reply) and isinstance(event.token, int):
        return Reply(
            id=event.id,
            person=event.person,
            via=event.via,
            at=event.at,
            order=event.order,
            place=event.place,
            token=tokens[event.token],
            text=event.text,
        )
    return event


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(told=events(), ends=st.lists(st.integers(1, 5), min_size=14, max_size=14), together=st.booleans())
def test_batches_do_not_matter(stage: Stage, told: list[Event], ends: list[int], together: bool) -> None:
    one_by_one = live(stage, [[[event]] for event in told])
    runs: list[list[Event]] = []
    rest = told
    for size in ends:
        if rest:
            runs.append(rest[:size])
            rest = rest[size:]
    assert [event for run in runs for event in run] == told
    batched = live(stage, [runs] if together else [[run] for run in runs])
    assert batched == one_by_one


def test_a_list_of_voters_sees_what_came_before_it_in_the_same_delivery(stage: Stage) -> None:
    stage.post("group", 0)
    ref = poll_ref("group", 0)
    nobody = Votes(ref=ref, votes=(), as_of=NOW, order=2)
    stage.deliver(stage.vote(1, "ann", ref, 9), nobody, stage.vote(3, "bob", ref, 8))
    assert {person for person, _ in stage.responses()} == {"bob"}


def test_everything_in_one_delivery_of_thousands(stage: Stage) -> None:
    told = [stage.typed(order, f"p{order % 700}", str(order % 11)) for order in range(2_500)]
    assert len(stage.deliver(*told)) == 2_500
    assert len(stage.rows("reply")) == 2_500
    assert len(stage.responses()) == 700
    assert {person: low for (person, _), (low, *_) in stage.responses().items()} == {
        f"p{order % 700}": order % 11 for order in range(2_500)
    }
