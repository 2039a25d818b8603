"""The last word on being written to holds, in whatever order and in however many commits the words are delivered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core.buttons import Purpose
from core.events import Consent, ConsentKind, Event, Reply
from core.store import erasure, stops
from core.store.agree import agree
from tests.store.stage import NOW, Stage
from tests.store.test_erasure import living, names, say_all, step
from tests.store.test_migrations import engine_of, make_old, rows_of, upgraded

SAYINGS = {
    "stop": "STOP",
    "start": "START",
    "forget": "/forget",
    "score": "7",
    "both": "8, but please stop writing to me",
}
DEEDS = (*SAYINGS, "stop", "start", "forget", "pressed", "withdrew", "wrote", "joined")

State = tuple[bool, bool, datetime | None] | None
"""Stopped, opened, since when they are being forgotten; ``None`` of nobody."""


def did(stage: Stage, deed: str, number: int) -> list[Event]:
    """What ann did as the ``number``-th thing."""
    at = NOW + timedelta(seconds=number, milliseconds=number)
    if deed in SAYINGS:
        return [stage.typed(number, "ann", SAYINGS[deed], at=at)]
    if deed == "joined":
        token = stage.seal.token(Purpose.DIRECT, stage.wave().code)
        return [stage.tap(number, "ann", token, "-1004", at=at)]
    kind = ConsentKind.WITHDRAWN if deed == "withdrew" else ConsentKind.GRANTED
    its = Consent(id=f"c{number}", person="ann", kind=kind, at=at, order=number, evidence=deed)
    # On X each direct message is a consent, too.
    return [its] if deed != "wrote" else [replace(its, explicit=False), stage.typed(number, "ann", "hello", at=at)]


def state(stage: Stage) -> State:
    for row in stage.rows("person"):
        if row["platform_id"] == "ann":
            return row["stopped"], row["opened"], row["erasing_at"]
    return None


def is_stopped(now: State) -> bool:
    return now is not None and now[0]


def empty(stage: Stage) -> None:
    """Nothing is known, inside and outside."""
    stage.clear()
    lose_record(stage)


def lose_record(stage: Stage) -> None:
    """Nothing is known outside."""
    with stage.database.engine.begin() as connection:
        if stage.database.dialect == "sqlite":
            stops.beside(Path(str(connection.engine.url.database))).unlink(missing_ok=True)
        else:
            name = connection.execute(text("SELECT current_schema()")).scalar_one()
            connection.execute(text(f"DELETE FROM vouch_stops.{name}"))


def restore(stage: Stage) -> None:
    """As from a backup that was made before all of it."""
    stage.clear()
    with stage.database.engine.begin() as connection:
        agree(connection)


def told(stage: Stage, deeds: Sequence[str], order: Sequence[int], ends: Sequence[bool]) -> list[State]:
    """What becomes of ann when she does these things, and they are delivered in this order, with a commit at each end;
    at once, and after a restore; then when all of it comes once more; and in the end."""
    empty(stage)
    found: list[State] = []
    for again in (False, True):
        run: list[Event] = []
        for index, end in zip(order, ends, strict=True):
            run += did(stage, deeds[index], index + 1)
            if end:
                stage.deliver(*run)
                run = []
                # Where the last word was a stop, no restore lets an older start be heard, not for a moment.
                assert not (again and is_stopped(found[0])) or is_stopped(state(stage))
        stage.deliver(*run)
        found.append(state(stage))
        if not again:
            restore(stage)
            restored = state(stage)
            found.append(restored and (restored[0], False, restored[2]))
    stage.now += erasure.PATIENCE
    step(stage)
    found.append(state(stage))
    stage.now = NOW
    return found


@pytest.fixture
def stage(database_url: str) -> Iterator[Stage]:
    with living(database_url) as found:
        yield found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), deeds=st.lists(st.sampled_from(DEEDS), min_size=2, max_size=6))
def test_neither_the_order_nor_the_commits_matter(stage: Stage, data: st.DataObject, deeds: list[str]) -> None:
    order = data.draw(st.permutations(range(len(deeds))))
    ends = data.draw(st.lists(st.booleans(), min_size=len(deeds), max_size=len(deeds)))
    in_time = told(stage, deeds, range(len(deeds)), [True] * len(deeds))
    assert told(stage, deeds, order, ends) == in_time
    last = [deed for deed in deeds if deed not in ("score", "wrote")][-1:]  # and that it is the right one
    assert is_stopped(in_time[0]) is (bool(last) and last[0] not in ("start", "pressed", "joined"))


@pytest.mark.parametrize("order", [(1, 0), (0, 1)])
@pytest.mark.parametrize(
    ("deeds", "stopped"), [(("start", "stop"), True), (("stop", "start"), False), (("joined", "withdrew"), True)]
)
def test_the_later_of_two_words_holds(stage: Stage, deeds: Sequence[str], stopped: bool, order: Sequence[int]) -> None:
    for index in order:
        stage.deliver(*did(stage, deeds[index], index + 1))
    assert [row["stopped"] for row in stage.rows("person")] == [stopped]
    with stage.database.engine.connect() as connection:
        said = stops.latest(connection).get(("tg", "ann"))
    assert (said is not None and said.what is stops.What.STOP) is stopped


def test_a_start_from_before_the_wish_to_be_forgotten_does_not_cancel_it(stage: Stage) -> None:
    stage.deliver(*did(stage, "forget", 2))
    stage.deliver(*did(stage, "start", 1))
    assert [said[:4] for said in say_all(stage)] == ["Done"]
    step(stage)
    assert "ann" not in names(stage)


def test_a_wish_from_before_a_start_takes_the_words_and_not_the_name(stage: Stage) -> None:
    stage.deliver(stage.typed(1, "ann", "4, too slow"))
    stage.deliver(*did(stage, "start", 3))
    stage.deliver(*did(stage, "forget", 2))
    step(stage)
    assert state(stage) == (False, True, None)
    assert stage.rows("comment") == []


def test_who_comes_back_and_says_stop_before_the_goodbye_is_heard(stage: Stage) -> None:
    stage.deliver(*did(stage, "forget", 1), *did(stage, "start", 2), *did(stage, "stop", 3))
    step(stage)
    assert state(stage) == (True, True, None)


def test_nothing_is_answered_to_what_was_taken_back_since(stage: Stage) -> None:
    stage.deliver(*did(stage, "stop", 3))
    assert len(say_all(stage)) == 1
    (answer,) = stage.deliver(*did(stage, "joined", 2))
    stage.deliver(*did(stage, "start", 1))
    assert (answer.toast, say_all(stage)) == (None, [])


@pytest.mark.parametrize(("first", "then"), [("joined", "stop"), ("stop", "joined")])
def test_where_time_and_place_say_different_things_the_place_holds(stage: Stage, first: str, then: str) -> None:
    """Telegram does not tell when somebody tapped: its time is that of our clock, which may be seconds off."""
    (early,), (late,) = did(stage, first, 1), did(stage, then, 2)
    assert not isinstance(late, Consent)
    stage.deliver(early)
    stage.deliver(replace(late, at=NOW - timedelta(minutes=5)))  # type: ignore[arg-type]
    assert state(stage) == (then == "stop", True, None)


def placed(stage: Stage, deed: str, number: int, order: int) -> Event:
    """The ``number``-th thing that ann did, as Discord tells it: its id grows with time, its place in the stream is the
    session's that brought it."""
    (its,) = did(stage, deed, number)
    assert isinstance(its, Reply)
    return replace(its, order=order, done=number)


@pytest.mark.parametrize(("away", "live", "stopped"), [(("stop", "start"), "stop", True), (("stop",), "start", False)])
def test_what_a_history_tells_late_is_no_later_for_that(
    stage: Stage, away: Sequence[str], live: str, stopped: bool
) -> None:
    """A session brought ``live`` and died before the history of the time before it was read; the next one reads it, and
    its places are all behind those of the session before."""
    stage.deliver(placed(stage, live, 3, 2_000))
    for index, deed in enumerate(away, 1):
        stage.deliver(placed(stage, deed, index, 3_000 + index))
    assert is_stopped(state(stage)) is stopped


def test_a_late_wish_takes_no_words_from_after_a_return(stage: Stage) -> None:
    stage.deliver(*did(stage, "start", 2))
    stage.deliver(stage.typed(3, "ann", "9, great", at=NOW + timedelta(seconds=3)))
    stage.deliver(*did(stage, "forget", 1))
    step(stage)
    assert [row["text"] for row in stage.rows("comment")] == ["great"]
    assert state(stage) == (False, True, None)


def test_who_is_forgotten_again_and_said_start_meanwhile_is_heard(stage: Stage) -> None:
    stage.deliver(*did(stage, "forget", 1))
    say_all(stage)
    stage.now += timedelta(hours=1)
    step(stage)
    stage.deliver(*did(stage, "start", 2))  # between the wish and the moment at which their id went
    assert state(stage) == (False, True, None)


def test_in_one_second_the_place_decides(stage: Stage) -> None:
    words = [replace(each, at=NOW) for deed, n in (("stop", 1), ("start", 2)) for each in did(stage, deed, n)]  # type: ignore[arg-type]
    stage.deliver(*reversed(words))
    assert state(stage) == (False, True, None)


def test_in_the_end_no_word_of_who_is_forgotten_is_left(stage: Stage) -> None:
    stage.deliver(*did(stage, "start", 1), *did(stage, "forget", 2))
    say_all(stage)
    step(stage)
    assert {row["what"] for row in stage.rows("last_word")} == {"start", "erase"}
    stage.now += erasure.SETTLED + timedelta(days=1)
    step(stage)
    assert stage.rows("last_word") == []


def test_words_from_before_they_were_kept_are_taken_over(database_url: str) -> None:
    with engine_of(database_url) as engine:
        make_old(engine)
        with engine.begin() as connection:
            kept = "INSERT INTO consent VALUES ('tg', :event, :id, :kind, :evidence, '', :at)"
            said = (
                ("a", 2, "withdrawn", "wrote stop", 3),
                ("b", 2, "withdrawn", "wrote stop", 5),
                ("c", 2, "granted", "pressed Start", 4),
                ("d", 2, "granted", "wrote to the brand first", 6),
                ("u2", 1, "withdrawn", "wrote stop", 7),  # a reply, which has its place in the stream
            )
            for event, id, kind, evidence, hour in said:
                at = f"2026-11-02 0{hour}:00:00.000000{'+00' if engine.dialect.name == 'postgresql' else ''}"
                connection.execute(text(kept), {"event": event, "id": id, "kind": kind, "evidence": evidence, "at": at})
    upgraded(database_url)
    with engine_of(database_url) as engine, engine.connect() as connection:
        rows = rows_of(connection)["last_word"]
    found = {(row["person_id"], row["what"]): (_hour(row["at"]), row["ord"]) for row in rows}
    assert found == {
        (1, "stop"): (7, 4611686018427387904),
        (2, "stop"): (5, None),
    }


def _hour(stored: Any) -> int:
    at = datetime.fromisoformat(stored) if isinstance(stored, str) else stored.astimezone(UTC)
    return int(at.hour)
