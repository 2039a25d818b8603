"""Stop: opted out at once, confirmed once, and undone only by who asks for it in so many words."""

from __future__ import annotations

import pytest

from core.buttons import Purpose
from core.events import Consent, ConsentKind
from core.message import Line
from core.store import claims
from core.store.outbox import Claimed, Kind
from tests.store.stage import NOW, WAVES, Stage
from tests.store.voice import hold


def granted(order: int, *, explicit: bool, kind: ConsentKind = ConsentKind.GRANTED) -> Consent:
    return Consent(
        id=f"c{order}", person="ann", kind=kind, at=NOW, order=order, evidence="wrote to the brand", explicit=explicit
    )


def standing(stage: Stage) -> tuple[bool, bool, bool]:
    (row,) = stage.rows("person")
    return row["opened"], row["stopped"], row["blocked"]


def claim(stage: Stage) -> list[Claimed]:
    held = hold(stage)
    with stage.database.engine.begin() as connection:
        return claims.claim(connection, held, NOW, 100)


@pytest.mark.parametrize("said", ["stop", "STOP.", "/stop", "unsubscribe", "arrêter"])
def test_stop_opts_out_at_once_and_is_confirmed_once(stage: Stage, said: str) -> None:
    stage.deliver(granted(1, explicit=True), stage.typed(2, "ann", said), stage.typed(3, "ann", said))
    stage.deliver(stage.typed(4, "ann", said))
    stage.deliver(stage.typed(2, "ann", said))
    assert standing(stage) == (True, True, False)
    (confirmation,) = claim(stage)
    assert confirmation.kind is Kind.ANSWER
    assert confirmation.body.parts == (Line("Done. We will not write to you again. To come back, write START."),)
    assert [row["kind"] for row in stage.rows("consent")] == ["granted", "withdrawn", "withdrawn", "withdrawn"]


def test_nothing_but_the_confirmation_is_said_after_a_stop(stage: Stage) -> None:
    stage.deliver(stage.typed(1, "ann", "9"), stage.typed(2, "ann", "stop"), stage.typed(3, "ann", "8"))
    stage.deliver(stage.typed(4, "ann", "help"))
    assert [found.key.split("/")[1] for found in claim(stage)] == ["e2:0"]
    assert stage.responses().popitem()[1][0] == 8


def test_merely_writing_does_not_undo_a_stop(stage: Stage) -> None:
    stage.deliver(granted(1, explicit=False))
    assert standing(stage) == (True, False, False)
    stage.deliver(stage.typed(2, "ann", "stop"), granted(3, explicit=False))
    assert standing(stage) == (True, True, False)


def test_asking_for_it_undoes_a_stop(stage: Stage) -> None:
    stage.deliver(stage.typed(1, "ann", "stop"), granted(2, explicit=True))
    assert standing(stage) == (True, False, False)
    stage.deliver(stage.typed(3, "ann", "stop"))
    assert len(claim(stage)) == 2


def test_the_button_for_direct_messages_undoes_a_stop(stage: Stage) -> None:
    token = stage.seal.token(Purpose.DIRECT, stage.wave().code)
    stage.deliver(stage.typed(1, "ann", "stop"))
    (answer,) = stage.deliver(stage.tap(2, "ann", token, "-1004"))
    assert standing(stage) == (True, False, False)
    assert answer.toast == "Done. We will ask you here by direct message."


def test_a_withdrawal_on_the_platform_is_a_stop_without_words(stage: Stage) -> None:
    stage.deliver(granted(1, explicit=True), granted(2, explicit=True, kind=ConsentKind.WITHDRAWN))
    assert standing(stage) == (True, True, False)
    assert claim(stage) == []


def test_a_block_ends_with_the_next_start(stage: Stage) -> None:
    stage.deliver(granted(1, explicit=True), granted(2, explicit=True, kind=ConsentKind.BLOCKED))
    assert standing(stage) == (True, False, True)
    stage.deliver(granted(3, explicit=False))
    assert standing(stage) == (True, False, False)


def test_a_stop_in_the_language_of_the_person(stage: Stage) -> None:
    stage.deliver(stage.typed(1, "ann", "hello", language="fr-CA"), stage.typed(2, "ann", "stop"))
    (confirmation,) = claim(stage)
    assert confirmation.body.parts != (Line("Done. We will not write to you again. To come back, write START."),)
    assert [row["language"] for row in stage.rows("person")] == ["fr-CA"]


def test_start_written_alone_undoes_a_stop(stage: Stage) -> None:
    stage.deliver(stage.typed(1, "ann", "stop"))
    claim(stage)
    stage.deliver(stage.typed(2, "ann", "Start!"))
    assert standing(stage) == (True, False, False)
    (welcome,) = claim(stage)
    assert welcome.body.parts == (Line("Welcome back. We will ask you here, once a week at most."),)


def test_start_inside_other_words_does_not(stage: Stage) -> None:
    stage.deliver(stage.typed(1, "ann", "stop"), stage.typed(2, "ann", "the app does not start"))
    assert standing(stage) == (False, True, False)


def test_who_wants_to_be_erased_is_stopped_and_told_the_truth(stage: Stage) -> None:
    stage.deliver(stage.typed(1, "ann", "/delete"))
    assert standing(stage) == (False, True, False)
    (said,) = claim(stage)
    assert said.body.plain.startswith("Done. What you wrote is erased, and your name with it")


def test_a_score_beside_a_stop_counts(stage: Stage) -> None:
    stage.deliver(granted(1, explicit=True), stage.typed(2, "ann", "8, but please stop messaging me"))
    assert standing(stage) == (True, True, False)
    assert stage.responses() == {("ann", WAVES[0].key): (8, 8, "dm", "text")}
    assert [each.kind for each in claim(stage)] == [Kind.ANSWER]
