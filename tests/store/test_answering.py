"""What comes of an order, from a filled store: whose words may be shown, and that they can be taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.account import Limits, Place, PlaceKind
from core.answering import Answering
from core.buttons import Seal
from core.cases import Teammate
from core.clock import Clock
from core.done import Done
from core.message import Quote
from core.orders import Name, Order, order_of
from core.routes import Routes
from core.store import outbox, quoted
from core.store.outbox import Kind, Planned
from tests.store.stage import ACCOUNT, CHANNELS, NOW, SURVEY, Stage
from tests.store.test_publishing import TEAM, THEMES, allow, complaints

SEAL, WHO = Seal(bytes(32)), Teammate(TEAM.account, "7", "Léa")
PLACE = Place(id=TEAM.place, kind=PlaceKind.GROUP, limits=Limits(post_chars=4_000, caption_chars=1_000))
THEMED = replace(SURVEY, themes=THEMES, teams=(TEAM.name,))


async def told(stage: Stage, order: str, *, quotes: bool = True, surveys: int = 1) -> Done:
    several = [replace(THEMED, name=f"{THEMED.name}{n or ''}") for n in range(surveys)]
    answering = Answering(stage.database, Routes(several, CHANNELS), SEAL, Clock(wall=stage.now.timestamp))
    found = order_of(order)
    assert found is not None
    return await answering.to(found, replace(TEAM, quotes=quotes), PLACE, WHO)


def words(done: Done) -> str:
    return "\n".join(message.plain for message in done.messages)


async def test_only_words_that_may_be_quoted_are_shown(stage: Stage) -> None:
    complaints(stage)
    none = await told(stage, "/comments")
    assert "Not shown, because they did not allow it" in words(none)
    assert none.quotes == ()
    allow(stage, "bob", "eve")
    some = await told(stage, "/comments")
    assert "late" in words(some)
    assert len(some.quotes) == 2
    assert all(isinstance(part, Quote) for part in some.messages[0].parts[1:3])
    company = await told(stage, "/comments", quotes=False)
    assert words(company) == "Nobody's own words are shown here."
    assert "“" not in words(await told(stage, "/report preview", quotes=False))


async def test_words_of_an_answer_can_be_taken_back(stage: Stage) -> None:
    complaints(stage)
    allow(stage, "bob", "eve")
    done = await told(stage, "/comments")
    things = [
        Planned(key=f"desk:{n}", account=ACCOUNT, kind=Kind.DESK, body=body, place=TEAM.place)
        for n, body in enumerate(done.messages)
    ]
    with stage.database.engine.begin() as connection:
        outbox.plan(connection, things, NOW)
        quoted.keep(connection, [(thing.key, thing.body) for thing in things], done.quotes)
        for person in done.quotes:
            quoted.withdraw(connection, person.person)
    assert all("late" not in row["body"] for row in stage.rows("outbox") if row["kind"] == Kind.DESK)


async def test_nothing_is_changed_by_guessing_which_survey_is_meant(stage: Stage) -> None:
    for order in ("/pause", "/resume", "/ask", "/pause acmee"):
        done = await told(stage, order, surveys=2)
        assert done.change is None
        assert "Name one: acme, acme1" in words(done)
    assert (await told(stage, "/pause acme1", surveys=2)).outcome == "paused acme1"
    assert (await told(stage, "/pause", surveys=1)).outcome == "paused acme"


async def test_a_theme_is_found_beside_the_name_of_a_survey(stage: Stage) -> None:
    complaints(stage)
    theme = THEMES[0].name
    for order in (f"/why {theme}", f"/why {theme} acme", f"/why acme {theme.upper()}"):
        assert "wrote about it" in words(await told(stage, order))


@pytest.mark.parametrize("text", ["/score", "/SCORE", " /score ", "/score@acme_bot", "/score  a   b", "/score\nx"])
def test_an_order_is_read_as_it_is_written(text: str) -> None:
    found = order_of(text)
    assert found is not None
    assert found.name is Name.SCORE


@pytest.mark.parametrize("text", ["score", "/scores", "please /score", "//score", "/", "", "/score@", "9"])
def test_whatever_else_is_said_is_no_order(text: str) -> None:
    assert order_of(text) is None
    assert Order(Name.HELP).words == ""
