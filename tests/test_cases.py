"""An unhappy person who can be answered becomes a case: told, taken, answered, heard, closed, and each of it once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlmodel import SQLModel

from core.desk_tables import CaseRef, CaseRow, CommandRow
from core.models import Outbox
from core.store.statements import table
from sandbox.seam import Post, PostButton
from tests.desk_stage import DESK, TEAMS, Stage, staged

_CASE, _OUTBOX, _REF, _COMMAND = table(CaseRow), table(Outbox), table(CaseRef), table(CommandRow)
_EVERY = [one for one in SQLModel.metadata.sorted_tables if one.name not in ("stop", "kept")]
TEAM = TEAMS["admin"]


async def says(stage: Stage, person: str, text: str, place: str = "direct", reply_to: Post | None = None) -> list[Post]:
    """Somebody writes. Returns what appeared by it."""
    before = len(stage.posts)
    await stage.telegram.write("tg", person, text, place=place, reply_to=reply_to)
    await stage.settled()
    return stage.posts[before:]


async def unhappy(stage: Stage, *texts: str) -> str:
    """Somebody who opened direct messages and is not happy."""
    person = stage.telegram.add_person(name="Una")
    await stage.telegram.open_direct("tg", person)
    for text in texts or ("2", "third late parcel, order 4711"):
        await says(stage, person, text)
    return person


async def all_say(stage: Stage, texts: Mapping[str, str]) -> list[Post]:
    """These people write, each this. Returns what appeared by it."""
    before = len(stage.posts)
    for person, text in texts.items():
        await stage.telegram.write("tg", person, text)
    await stage.settled()
    return stage.posts[before:]


async def many(stage: Stage, *texts: str) -> list[str]:
    """People who opened direct messages, and each write this: all at once, as a chat takes one message in a second."""
    people = [stage.telegram.add_person(name="Una") for _ in texts]
    for person in people:
        await stage.telegram.open_direct("tg", person)
    await stage.settled()
    await all_say(stage, dict(zip(people, texts, strict=True)))
    return people


async def told(stage: Stage, minutes: float = 3, place: str = TEAM) -> list[Post]:
    """What a team is told of after so long."""
    before = len(stage.posts)
    stage.later.by_s += 60 * minutes
    stage.sandbox.clocks.skip(60 * minutes)
    await stage.settled()
    await stage.settled("dc")
    return [post for post in stage.posts[before:] if post.place == place]


async def lea(stage: Stage, name: str = "Léa") -> str:
    """Somebody of the team who may."""
    person = stage.telegram.add_person(name=name)
    stage.telegram.promote("tg", TEAM, person)
    return person


def button(post: Post, label: str) -> PostButton:
    return next(one for one in post.buttons if one.label == label)


def state(stage: Stage) -> list[tuple[str, str]]:
    """State and owner of every case."""
    with stage.parts.database.reading() as connection:
        return [(row.state, row.owner_name) for row in connection.execute(_CASE.select().order_by(_CASE.c.id))]


async def test_a_case_from_its_first_word_to_its_last(tmp_path: Path) -> None:
    async with staged(tmp_path, ["admin"]) as stage:
        una, one = await unhappy(stage), await lea(stage)
        assert await told(stage, 0) == []  # they may still be writing
        (alert,) = await told(stage)
        assert "Case 1: 2 of 10, waits 0 h." in alert.text
        assert "third late parcel, order 4711" in alert.text
        assert "Una" not in alert.text
        assert await told(stage, 60) == []  # once

        before = len(stage.posts)
        await stage.telegram.tap(one, alert, button(alert, "I take it"))
        await stage.settled()
        (taken,) = [post for post in stage.posts[before:] if post.to is None]
        assert "Léa has it" in taken.text
        assert state(stage) == [("taken", "Léa")]

        new = await says(stage, one, "Sorry! It is on its way,\ncode 99.", TEAM, alert)
        (relayed,) = [post for post in new if post.to == una]
        assert relayed.text == "Acme, a person of the team:\nSorry! It is on its way,\ncode 99."
        assert [post.text for post in new if post.place == TEAM] == ["Case 1: on its way to the customer."]
        assert state(stage) == [("answered", "Léa")]

        new = await says(stage, una, "Thank you, that is kind of you.")
        (back,) = [post for post in new if post.place == TEAM]
        assert "Case 1: the customer answers." in back.text
        assert "that is kind of you" in back.text
        assert [post.text for post in new if post.to == una] == []  # the team answers, not the bot
        assert state(stage) == [("heard", "Léa")]

        before = len(stage.posts)
        await stage.telegram.tap(one, back, button(back, "Close it"))
        await stage.settled()
        assert [post.text for post in stage.posts[before:] if post.to is None] == ["Case 1 is closed."]
        assert state(stage) == [("closed", "Léa")]
        new = await says(stage, una, "One more thing")
        assert [post for post in new if post.place == TEAM] == []


async def test_many_at_once_are_one_message_and_the_next_ones_wait(tmp_path: Path) -> None:
    async with staged(tmp_path, ["admin"]) as stage:
        one = await lea(stage)
        await many(stage, *(f"{n}, it never came" for n in range(5)))
        (alert,) = await told(stage)
        assert alert.text.startswith("Unhappy people who can be answered, new: 5.")
        assert [button.label for button in alert.buttons] == ["Take a case"]
        await unhappy(stage, "3")
        assert await told(stage, 5) == []  # not so soon after
        (last,) = await told(stage, 15)
        assert "Case 6: 3 of 10" in last.text
        assert "Nothing was written." in last.text
        for case in (1, 2):
            new = await says(stage, one, stage.order("take"), TEAM)
            assert f"Case {case}: " in new[0].text
        listed = await says(stage, one, stage.order("cases"), TEAM)
        assert listed[0].text.startswith("People who wait for an answer: 6.")
        assert "Case 1: 0 of 10, waits 0 h, Léa has it." in listed[0].text


async def test_who_is_not_unhappy_any_more_is_no_case(tmp_path: Path) -> None:
    async with staged(tmp_path, ["admin"]) as stage:
        glad = await unhappy(stage, "3")
        await says(stage, glad, "9, I was wrong")
        stopped = await unhappy(stage, "2")
        await says(stage, stopped, "stop")
        assert await told(stage) == []
        one = await lea(stage)
        (listed,) = await says(stage, one, stage.order("cases"), TEAM)
        assert listed.text == "Nobody waits for an answer."
        (no,) = await says(stage, one, f"{stage.order('reply')} 2 hello?", TEAM)
        assert no.text == "There is no case 2 that can be answered; /cases lists who waits."


async def test_only_who_may_takes_and_answers(tmp_path: Path) -> None:
    async with staged(tmp_path, ["admin"]) as stage:
        una, bob = await unhappy(stage), stage.telegram.add_person(name="Bob")
        (alert,) = await told(stage)
        before = len(stage.posts)
        for label in ("I take it", "Reply"):
            await stage.telegram.tap(bob, alert, button(alert, label))
        await stage.settled()
        new = [post.text for post in stage.posts[before:] if post.to is None]
        assert new == ["Only who administers this place may ask Vouch for that."]
        new_ = await says(stage, bob, "I hate you", TEAM, alert)
        assert [post for post in new_ if post.to == una] == []
        assert state(stage) == [("open", "")]


async def test_a_case_that_somebody_has_is_not_taken_again(tmp_path: Path) -> None:
    async with staged(tmp_path, ["admin"]) as stage:
        await unhappy(stage)
        (alert,) = await told(stage)
        one, other = await lea(stage), await lea(stage, "Max")
        before = len(stage.posts)
        for person in (one, other):
            await stage.telegram.tap(person, alert, button(alert, "I take it"))
            await stage.settled()
        *_, last = [post.text for post in stage.posts[before:] if post.to is None]
        assert last == "Case 1: Léa has it already."
        with stage.parts.database.reading() as connection:
            logged = connection.execute(_COMMAND.select().order_by(_COMMAND.c.settled_at.desc())).first()
        assert logged is not None
        assert logged.outcome == "somebody else came first"
        assert state(stage) == [("taken", "Léa")]


async def test_what_could_not_be_passed_on_is_told_once(tmp_path: Path) -> None:
    async with staged(tmp_path, ["admin"]) as stage:
        await unhappy(stage)
        one = await lea(stage)
        (alert,) = await told(stage)
        await says(stage, one, "Sorry!", TEAM, alert)
        with stage.parts.database.engine.begin() as connection:
            relay = _OUTBOX.update().where(_OUTBOX.c.kind == "relay")
            connection.execute(relay.values(state="refused"))
        (lost,) = await told(stage, 0)
        assert lost.text == "Case 1: what you wrote did not reach the customer."
        assert state(stage) == [("taken", "Léa")]
        assert await told(stage, 60) == []


async def test_who_asks_to_be_forgotten_leaves_no_words_and_no_case(tmp_path: Path) -> None:
    async with staged(tmp_path, ["admin"]) as stage:
        una = await unhappy(stage, "2, my secret is 4711")
        (alert,) = await told(stage)
        assert "my secret" in alert.text
        one = await lea(stage)
        await says(stage, one, f"{stage.order('reply')} 1 Dear Una, your secret is safe", TEAM)
        await says(stage, una, "my other secret is 4712")
        await says(stage, one, f"{stage.order('close')} 1 told her secret to nobody", TEAM)
        await says(stage, una, "/forget")
        for _ in range(3):
            await stage.parts.service.tick()
            await told(stage, 60 * 24)
        with stage.parts.database.reading() as connection:
            rows = [str(tuple(row)) for name in _EVERY for row in connection.execute(name.select())]
        assert [row for row in rows if "secret" in row] == []
        (listed,) = await says(stage, one, stage.order("cases"), TEAM)
        assert listed.text == "Nobody waits for an answer."


async def test_what_is_no_answer_to_a_customer_is_not_passed_on(tmp_path: Path) -> None:
    async with staged(tmp_path, ["admin"]) as stage:
        una, one, other = await unhappy(stage), await lea(stage), await lea(stage, "Max")
        (alert,) = await told(stage)
        assert "What you answer to this message goes to the customer." in alert.text
        new = await says(stage, one, "/cloze 1 refund", TEAM, alert)
        new += await says(stage, one, "just between us", TEAM)
        (sent, *_) = [post for post in await says(stage, one, "Sorry!", TEAM, alert) if post.place == TEAM]
        new += await says(stage, one, "between us, again", TEAM, sent)
        twice = await says(stage, other, "We are sorry, too", TEAM, alert)
        assert [post.text for post in twice if post.place == TEAM] == ["Case 1: Léa has it already."]
        assert [post for post in [*new, *twice] if post.to == una] == []


async def test_an_answer_to_a_message_that_may_be_about_a_case_is_never_swallowed(tmp_path: Path) -> None:
    async with staged(tmp_path, ["admin"]) as stage:
        una, one = await unhappy(stage), await lea(stage)
        (alert,) = await told(stage)
        with stage.parts.database.engine.begin() as connection:  # as if the answer to posting it had been lost
            connection.execute(_REF.delete())
        assert await says(stage, one, "We are sorry!", TEAM, alert) == []  # talk among themselves, as far as we know
        with stage.parts.database.engine.begin() as connection:
            lost = {"state": "unknown", "receipt": ""}
            connection.execute(_OUTBOX.update().where(_OUTBOX.c.key.startswith("case:1:")).values(**lost))
        (how,) = await says(stage, one, "We are sorry!", TEAM, alert)
        assert how.text == "Name the case by its number; /cases lists who waits."
        new = await says(stage, one, f"{stage.order('reply')} 1 We are sorry!", TEAM)
        assert len([post for post in new if post.to == una]) == 1


async def test_the_form_on_discord(tmp_path: Path) -> None:
    async with staged(tmp_path, ["admin"]) as stage:
        una, dan = await unhappy(stage), stage.discord.add_person(name="Dan")
        stage.discord.promote("dc", DESK, dan)
        (alert,) = await told(stage, place=DESK)
        before = len(stage.posts)
        assert await stage.discord.fill(dan, alert, button(alert, "Reply"), "We are\nsorry.")
        await stage.settled("dc")
        await stage.settled()
        (relayed,) = [post for post in stage.posts[before:] if post.to == una]
        assert relayed.text == "Acme, a person of the team:\nWe are\nsorry."
        assert state(stage) == [("answered", "Dan")]


async def test_a_customer_who_writes_a_command_of_the_team_is_heard_by_the_team(tmp_path: Path) -> None:
    async with staged(tmp_path, ["admin"]) as stage:
        una, one = await unhappy(stage), await lea(stage)
        (told_where,) = await says(stage, una, "/reply 10 please")
        assert told_where.text == "This works in the team's own channel only."
        (alert,) = await told(stage)
        assert "Case 1: 2 of 10" in alert.text  # the number was no score
        await says(stage, one, "Sorry!", TEAM, alert)
        new = await says(stage, una, "/close it, please")
        (back,) = [post for post in new if post.place == TEAM]
        assert "close it, please" in back.text
        assert [post for post in new if post.to == una] == []
        assert state(stage) == [("heard", "Léa")]
