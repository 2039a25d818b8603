"""Asked again, once: when a score was probably meant, and nobody can tell which."""

from __future__ import annotations

from core.account import Limits
from core.events import Consent, ConsentKind
from core.message import Line
from core.store import claims
from core.store.outbox import Claimed
from tests.store.stage import ACCOUNT, NOW, WAVES, Stage
from tests.store.voice import hold


def opened() -> Consent:
    return Consent(id="c1", person="ann", kind=ConsentKind.GRANTED, at=NOW, order=1, evidence="pressed Start")


def said(stage: Stage) -> list[Claimed]:
    held = hold(stage)
    with stage.database.engine.begin() as connection:
        return claims.claim(connection, held, NOW, 100)


def test_an_unclear_answer_is_asked_again_once_a_week(stage: Stage) -> None:
    stage.inbox.limits[ACCOUNT, "direct"] = Limits(post_chars=1_000, buttons=20)
    stage.deliver(opened(), stage.typed(2, "ann", "7 or 8"), stage.typed(3, "ann", "8.5"))
    (again,) = said(stage)
    assert again.body.parts == (Line("Which number from 0 to 10 do you mean?"),)
    assert [button.label for button in again.body.buttons] == [str(score) for score in range(11)]
    stage.deliver(stage.typed(4, "ann", "between 7 and 8"))
    assert said(stage) == []
    assert stage.responses() == {}
    stage.deliver(stage.tap(5, "ann", again.body.buttons[8].token))
    assert stage.responses() == {("ann", WAVES[0].key): (8, 8, "dm", "tap")}


def test_where_there_are_no_buttons_it_is_asked_in_words(stage: Stage) -> None:
    stage.inbox.limits[ACCOUNT, "direct"] = Limits(post_chars=1_000)
    stage.deliver(opened(), stage.typed(2, "ann", "maybe 7-8"))
    (again,) = said(stage)
    assert again.body.buttons == ()


def test_who_has_answered_is_not_asked_again(stage: Stage) -> None:
    stage.deliver(opened(), stage.typed(2, "ann", "9"))
    thanks = said(stage)
    stage.deliver(stage.typed(3, "ann", "8.5"))
    assert len(thanks) == 1
    assert said(stage) == []
    assert stage.responses() == {("ann", WAVES[0].key): (9, 9, "dm", "text")}
