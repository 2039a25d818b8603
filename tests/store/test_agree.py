"""The record outside of the database: what it knows is followed at every start and after a restore."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from core.events import ORDER
from core.store import stops
from core.store.agree import agree
from core.store.cursors import keep_cursors
from core.store.opening import open_engine
from tests.store.stage import ACCOUNT, NOW, Stage
from tests.store.test_erasure import living, names, say_all, step
from tests.store.test_lastword import did, is_stopped, lose_record, restore, state


@pytest.fixture
def stage(database_url: str) -> Iterator[Stage]:
    with living(database_url) as found:
        yield found


def count_on_from(stage: Stage, value: str) -> None:
    with stage.database.engine.begin() as connection:
        keep_cursors(connection, [(ACCOUNT, ORDER, value)])


@pytest.mark.parametrize("restored", [False, True])
def test_a_start_by_a_wrong_clock_outlasts_no_stop_and_hides_no_later_start(stage: Stage, restored: bool) -> None:
    (tap,) = did(stage, "joined", 2)
    stage.deliver(*did(stage, "stop", 1))
    stage.deliver(replace(tap, at=NOW + timedelta(days=365)))  # type: ignore[arg-type]
    assert not is_stopped(state(stage))
    for deed, number in (("stop", 3), ("start", 4), ("stop", 5), ("pressed", 6)):
        if restored:
            restore(stage)
        stage.deliver(*did(stage, deed, number))
        assert is_stopped(state(stage)) is (deed == "stop")


@pytest.mark.parametrize("first", ["stop", "forget"])
def test_what_is_read_again_after_a_restore_does_not_outlast_a_tap_that_is_not(stage: Stage, first: str) -> None:
    """Discord's history has what was written; what was tapped stands in the record alone."""
    stage.deliver(*did(stage, first, 1))
    stage.deliver(*did(stage, "joined", 2))
    restore(stage)
    stage.deliver(*did(stage, first, 1))
    step(stage)
    assert state(stage) == (False, True, None)


def test_who_came_back_after_the_backup_is_not_forgotten_by_it(stage: Stage) -> None:
    stage.deliver(*did(stage, "score", 1), *did(stage, "forget", 2))
    with stage.database.engine.begin() as connection:
        stops.note(connection, [stops.said("tg", "ann", stops.What.START, NOW + timedelta(seconds=9), "c", 9)])
    with stage.database.engine.begin() as connection:  # the copy is from before that
        agree(connection)
    step(stage)
    assert state(stage) == (False, True, None)


def test_who_was_forgotten_in_the_backup_and_came_back_since_is_one_person(stage: Stage) -> None:
    stage.deliver(*did(stage, "score", 1), *did(stage, "forget", 2))
    say_all(stage)
    step(stage)
    (mark,) = names(stage)
    stage.deliver(*did(stage, "start", 3))
    with stage.database.engine.begin() as connection:  # the backup is from before that
        connection.execute(text("UPDATE person SET platform_id = :mark, erasing_at = :at"), {"mark": mark, "at": NOW})
        connection.execute(text("DELETE FROM last_word"))
        agree(connection)
    assert names(stage) == {"ann"}
    assert state(stage) == (False, True, None)


def test_who_stopped_and_came_back_after_the_backup_may_be_written_to(stage: Stage) -> None:
    stage.deliver(*did(stage, "score", 1), *did(stage, "stop", 2), *did(stage, "joined", 3))
    with stage.database.engine.begin() as connection:
        connection.execute(text("UPDATE person SET opened = false"))
        connection.execute(text("DELETE FROM last_word"))
        agree(connection)
    assert state(stage) == (False, True, None)


def test_after_a_restore_places_go_on_after_those_that_the_record_knows(stage: Stage) -> None:
    count_on_from(stage, "7")
    stage.deliver(*did(stage, "stop", 1), *did(stage, "joined", 6))
    restore(stage)
    count_on_from(stage, "3")
    for _ in range(2):
        with stage.database.engine.begin() as connection:
            agree(connection)
    assert [row["value"] for row in stage.rows("cursor") if row["name"] == ORDER] == ["7"]


def test_a_start_that_finds_nothing_to_do_uses_up_nothing(stage: Stage) -> None:
    stage.deliver(*did(stage, "stop", 1), *did(stage, "start", 2))
    for _ in range(3):
        with stage.database.engine.begin() as connection:
            agree(connection)
    stage.deliver(stage.typed(3, "bob", "7"))
    first, second = sorted(row["id"] for row in stage.rows("person"))
    assert second == first + 1


def test_where_the_record_was_lost_it_is_made_again_with_what_is_known(stage: Stage) -> None:
    stage.deliver(*did(stage, "stop", 2))
    words = stage.rows("last_word")
    lose_record(stage)
    with stage.database.engine.begin() as connection:
        agree(connection)
    restore(stage)
    assert [(row["what"], row["at"], row["ord"]) for row in stage.rows("last_word")] == [
        (row["what"], row["at"], row["ord"]) for row in words
    ]


def test_what_is_said_while_a_start_compares_is_not_undone(stage: Stage) -> None:
    if stage.database.dialect != "postgresql":
        return  # who writes to a SQLite file is alone
    stage.deliver(*did(stage, "stop", 1))
    stage.deliver(*did(stage, "start", 2))
    said: list[int] = []

    def meanwhile(*_: Any) -> None:
        if not said and "vouch_stops" in str(_[2]):
            said.append(1)
        elif said == [1]:  # the record has been read, the people have not
            said.append(2)
            stage.deliver(*did(stage, "stop", 3))

    engine = open_engine(str(stage.database.engine.url.render_as_string(hide_password=False)))
    event.listen(engine, "before_cursor_execute", meanwhile)
    try:
        with engine.begin() as connection:
            agree(connection)
    finally:
        engine.dispose()
    assert said == [1, 2]
    assert is_stopped(state(stage))


def test_who_came_back_after_being_forgotten_stays_stopped_whatever_was_before(stage: Stage) -> None:
    stage.deliver(*did(stage, "forget", 2))
    say_all(stage)
    step(stage)
    stage.deliver(*did(stage, "score", 3))
    restore(stage)
    stage.deliver(*did(stage, "start", 1))
    assert [(row["stopped"], row["erasing_at"]) for row in stage.rows("person")] == [(True, None)]
