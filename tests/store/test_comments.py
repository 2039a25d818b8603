"""What people write beside their scores: kept by message, corrected by editing it, quoted only with leave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.account import Limits
from core.events import Consent, ConsentKind, Reply
from core.message import Line, Message, Quote
from core.quotes import Quoted
from core.store import claims, quoted
from core.store.outbox import Claimed
from tests.store.stage import ACCOUNT, NOW, WAVES, Stage
from tests.store.voice import hold


@pytest.fixture(autouse=True)
def _with_buttons(stage: Stage) -> None:
    stage.inbox.limits[ACCOUNT, "direct"] = Limits(post_chars=300, buttons=20)
    stage.deliver(Consent(id="c1", person="ann", kind=ConsentKind.GRANTED, at=NOW, order=1, evidence="pressed Start"))


def written(stage: Stage, order: int, words: str, message: int, *, edited: bool = False) -> Reply:
    return replace(stage.typed(order, "ann", words), message=f"m{message}", edited=edited)


def said(stage: Stage) -> list[Claimed]:
    held = hold(stage)
    with stage.database.engine.begin() as connection:
        return claims.claim(connection, held, NOW, 100)


def comments(stage: Stage) -> dict[str, str]:
    return {row["message"]: row["text"] for row in stage.rows("comment")}


def test_an_edited_message_says_what_it_says_now(stage: Stage) -> None:
    stage.deliver(written(stage, 2, "9, lovely", 1), written(stage, 3, "the app is slow", 2))
    stage.deliver(written(stage, 4, "8, lovely people", 1, edited=True))
    assert comments(stage) == {"m1": "lovely people", "m2": "the app is slow"}
    assert stage.responses() == {("ann", WAVES[0].key): (8, 8, "dm", "text")}
    stage.deliver(written(stage, 5, "7", 1, edited=True))
    assert comments(stage) == {"m1": "", "m2": "the app is slow"}


def test_an_edit_is_not_answered_and_may_take_words_back(stage: Stage) -> None:
    stage.deliver(written(stage, 2, "9, Maria was rude", 1))
    assert len(said(stage)) == 1
    stage.deliver(written(stage, 3, "8, she was not", 1, edited=True), written(stage, 4, "\U0001f44d", 1, edited=True))
    assert said(stage) == []
    assert comments(stage) == {"m1": ""}
    assert stage.responses() == {("ann", WAVES[0].key): (8, 8, "dm", "text")}


def test_an_edit_belongs_to_the_week_in_which_it_was_written(stage: Stage) -> None:
    stage.deliver(written(stage, 2, "7 good servcie", 1))
    monday = WAVES[1].opens_at
    stage.deliver(replace(written(stage, 3, "6 good service", 1, edited=True), at=monday, written_at=NOW))
    assert stage.responses() == {("ann", WAVES[0].key): (6, 6, "dm", "text")}


def test_an_edit_that_comes_twice_changes_nothing(stage: Stage) -> None:
    edit = written(stage, 3, "8, lovely people", 1, edited=True)
    stage.deliver(written(stage, 2, "9, lovely", 1), edit)
    before = stage.dump()
    stage.deliver(edit)
    assert stage.dump() == before


def test_a_comment_before_its_score_belongs_to_it(stage: Stage) -> None:
    stage.deliver(written(stage, 2, "parcels come late", 1), written(stage, 3, "4", 2))
    (comment,) = stage.rows("comment")
    (response,) = stage.rows("response")
    assert (comment["person_id"], comment["wave_id"]) == (response["person_id"], response["wave_id"])


def test_who_commented_is_asked_once_a_week_whether_they_may_be_quoted(stage: Stage) -> None:
    stage.deliver(written(stage, 2, "9", 1))
    assert len(said(stage)) == 1
    stage.deliver(written(stage, 3, "lovely people", 2), written(stage, 4, "and fast", 3))
    (asked,) = said(stage)
    assert asked.body.parts[1] == Line("May the team quote it, without your name?")
    assert [button.label for button in asked.body.buttons] == ["Yes", "No"]
    assert [row["quotable"] for row in stage.rows("response")] == [None]
    (answer,) = stage.deliver(stage.tap(5, "ann", asked.body.buttons[0].token))
    assert answer.toast == "Noted. Thank you."
    assert [row["quotable"] for row in stage.rows("response")] == [True]
    words = Quoted("lovely people", "9", stage.rows("response")[0]["person_id"])
    with stage.database.engine.begin() as connection:
        quoted.keep(connection, [("report:0", Message((Quote(words.line),)))], [words])
    assert [row["text"] for row in stage.rows("quoted")] == ["“lovely people” (9)"]
    stage.deliver(stage.tap(6, "ann", asked.body.buttons[1].token), written(stage, 7, "one more thing", 4))
    assert [row["quotable"] for row in stage.rows("response")] == [False]
    assert stage.rows("quoted") == []
    assert said(stage) == []


def test_nobody_can_say_it_for_another(stage: Stage) -> None:
    stage.deliver(written(stage, 2, "9", 1), written(stage, 3, "lovely people", 2))
    yes = next(thing.body.buttons[0] for thing in said(stage) if thing.body.buttons)
    stage.deliver(stage.typed(4, "bob", "3"), stage.tap(5, "bob", yes.token))
    assert [row["quotable"] for row in stage.rows("response")] == [None, None]


def test_people_see_what_is_kept_of_them_the_newest_first(stage: Stage) -> None:
    stage.deliver(written(stage, 2, "4, parcels come late", 1), stage.typed(3, "bob", "9, mine"))
    stage.now = WAVES[1].opens_at
    stage.deliver(
        replace(written(stage, 4, "8", 2), at=stage.now), replace(written(stage, 5, "/mydata", 3), at=stage.now)
    )
    held = hold(stage)
    with stage.database.engine.begin() as connection:
        shown = claims.claim(connection, held, stage.now, 100)[-1].body
    assert [part.text for part in shown.parts[1:4]] == [
        f"{WAVES[1].key}: 8", f"{WAVES[0].key}: 4", "parcels come late"
    ]  # fmt: skip
    assert isinstance(shown.parts[3], Quote)
    assert "mine" not in shown.plain
    assert len(shown.plain) <= 300


def test_who_has_given_nothing_is_told_so(stage: Stage) -> None:
    stage.deliver(written(stage, 2, "/mydata", 1))
    (shown,) = said(stage)
    assert "Nothing but that you wrote to us." in shown.body.plain
