"""What each command of the desk does, as the sandbox shows it, or the store where no platform does; and the worlds in
which that would be seen: who may not is held against the same world."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, true

from core.desk_tables import CaseRef, CaseRow, DecisionRow, RelayRow
from core.models import Ask, Comment, CursorRow, Outbox, Ref, Response
from core.orders import Name
from core.store import cases, commands, decisions
from core.store.statements import table
from tests.desk_stage import ASKED_IN, LOUNGE, Stage

_CURSOR, _OUTBOX, _REF = table(CursorRow), table(Outbox), table(Ref)
KEPT: dict[Table, ColumnElement[bool]] = {
    _CURSOR: _CURSOR.c.account == "",  # with an account: how far it was read
    _OUTBOX: _OUTBOX.c.kind.in_(("ask", "relay", "report")),
    **{table(model): true() for model in (Response, Comment, CaseRow, CaseRef, RelayRow, DecisionRow, Ask)},
    _REF: _REF.c.ask_id.is_not(None),
}
"""What the store keeps that an order could change, and which of it; what others refer to comes first. Answers and
invitations are left out: whom they went to has them."""
FOLLOWS = (_REF, table(RelayRow))
"""What only follows from what was said: how it is known again, and that it is to be seen whether it arrived."""

Kept = Mapping[Table, Mapping[tuple[Any, ...], Mapping[str, Any]]]
"""Rows by table and key."""


class World(StrEnum):
    """In what state of things an order is given."""

    ASKED = "asked"
    """The question stands everywhere, people answered, the time to ask has not come."""
    ASKING = "asking"
    """And somebody wants it asked: whoever comes is invited."""
    PAUSED = "paused"
    """And somebody paused it: whoever comes is not."""
    UNASKED = "unasked"
    """The time to ask has not come, and nothing was asked in public."""


NEWCOMER, CUSTOMER = "newcomer", "customer"
"""Who has come and was not invited yet, and the first unhappy person."""
QUESTION = "How likely are you to recommend Acme"
CONSEQUENCES: Mapping[World, Mapping[str, str]] = {
    World.ASKED: {},
    World.ASKING: {NEWCOMER: QUESTION},
    World.PAUSED: {},
    World.UNASKED: {},
}
"""What appears where, at a tick, in each world when nobody gives an order. The store keeps what it kept."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What one command does. All of it is seen where somebody may, nothing of it where not."""

    says: str
    """How its answer begins, and no other command's."""
    behind: str = ""
    """What is written behind it."""
    world: World = World.ASKED
    shows: Mapping[str, str] = field(default_factory=dict)
    """What appears elsewhere, by where."""
    keeps: Collection[str] = ()
    """What the store keeps by it; ``{team}`` and ``{who}`` are those of the order."""


EFFECTS: Mapping[str, Effect] = {
    Name.SCORE: Effect("Acme, week 2026-W47, so far\nNamed answers: NPS –, n 3"),
    Name.REPORT: Effect("Acme: too few answers for a score, n 3, week 2026-W47"),
    Name.WHY: Effect("Delivery: named by 3 of 3 unhappy people who wrote."),
    Name.COMMENTS: Effect("Comments this week: 3."),
    Name.CASES: Effect("People who wait for an answer: 3."),
    Name.TAKE: Effect(
        "Case 1: 2 of 10, waits 0 h, {who} has it.\nthe parcel",
        behind="1",
        keeps={"case 1: taken, {who}", "a message is about case 1"},
    ),
    Name.REPLY: Effect(
        "Case 1: on its way to the customer.",
        behind="1 We are sorry.",
        shows={CUSTOMER: "Acme, a person of the team:\nWe are sorry."},
        keeps={"case 1: answered, {who}", "relay: sent"},
    ),
    Name.CLOSE: Effect(
        "Case 1 is closed.", behind="1 sent a new one", keeps={"case 1: closed, by nobody: sent a new one"}
    ),
    Name.OWN: Effect(
        "{who} owns it: tracking message.", behind="tracking message", keeps={"{team}: tracking message, {who}"}
    ),
    Name.DONE: Effect("Done: Delivery. The next post says so.", keeps={"{team}: Delivery, {who}, done"}),
    Name.EXPORT: Effect(
        "Named answers of each week, for a spreadsheet (0-10):\nweek,promoters,passives,detractors,n,nps\n"
        "2026-W47,0,0,3,3,-100"
    ),
    Name.ASK: Effect(
        "Acme: This week's question is asked now",
        world=World.UNASKED,
        shows={ASKED_IN: QUESTION, LOUNGE: QUESTION, NEWCOMER: QUESTION},
        keeps={"ask:s = 2026-W47", "asked in group", "asked in lounge", "ask: sent"},
    ),
    Name.PAUSE: Effect("Acme: Paused: nobody is asked.", world=World.ASKING, keeps={"paused:s = 1"}),
    Name.RESUME: Effect(
        "Acme: It goes on: people are asked again.",
        world=World.PAUSED,
        shows={NEWCOMER: QUESTION},
        keeps={"paused:s = "},
    ),
    Name.HELP: Effect("What you can ask for here."),
}


# -- what is kept ------------------------------------------------------------------------------------------------------


def kept(connection: Connection) -> Kept:
    """All that the store keeps now."""
    found: dict[Table, dict[tuple[Any, ...], Mapping[str, Any]]] = {}
    for one, its in KEPT.items():
        keys = [column.name for column in one.primary_key]
        rows = connection.execute(one.select().where(its)).mappings()
        found[one] = {tuple(row[key] for key in keys): dict(row) for row in rows}
    return found


def changed(before: Kept, after: Kept) -> set[str]:
    """What is kept otherwise than before, in words."""
    found: set[str] = set()
    for one in (one for one in KEPT if one not in FOLLOWS):
        new = (row for key, row in after[one].items() if before[one].get(key) != row)
        gone = (row for key, row in before[one].items() if key not in after[one])
        found |= {in_words(one.name, row) for row in new} | {f"gone: {in_words(one.name, row)}" for row in gone}
    return found


def in_words(name: str, row: Mapping[str, Any]) -> str:
    """What a row says."""
    match name:
        case "cursor":
            return f"{row['name']} = {row['value']}"
        case "outbox":
            return f"{row['kind']}: {row['state']}"
        case "ask":
            return f"asked in {row['channel']}"
        case "cases":
            how = f": {row['outcome']}" if row["outcome"] else ""
            return f"case {row['id']}: {row['state']}, {row['owner_name'] or 'by nobody'}{how}"
        case "case_ref":
            return f"a message is about case {row['case_id']}"
        case "decision":
            return f"{row['team']}: {row['title']}, {row['owner_name']}{', done' if row['done_at'] else ''}"
        case _:
            return f"{name}: {row}"


def restore(stage: Stage, wanted: Kept, connection: Connection) -> None:
    """Let the store keep this again, and nothing else: what a command did is undone for the next one."""
    now = kept(connection)
    for one in reversed(KEPT):
        for key in now[one].keys() - wanted[one].keys():
            connection.execute(one.delete().where(*_its(one, key)))
    for one in KEPT:
        for key, row in wanted[one].items():
            if key not in now[one]:
                connection.execute(one.insert().values(row))
            elif row != now[one][key]:
                connection.execute(one.update().where(*_its(one, key)).values(row))
    stage.parts.inbox.directory.forget()


def _its(one: Table, key: tuple[Any, ...]) -> list[ColumnElement[bool]]:
    return [column == value for column, value in zip(one.primary_key, key, strict=True)]


# -- the worlds --------------------------------------------------------------------------------------------------------


async def worlds(stage: Stage, people: Collection[str]) -> tuple[Mapping[World, Kept], dict[str, str]]:
    """Each world, made by what leads there; and by id who is called what in it. These people can be written to in all
    of them."""
    customers = [stage.telegram.add_person(name="Una") for _ in range(3)]
    for person in (*people, *customers):
        await stage.telegram.open_direct("tg", person)
    await stage.settled()
    await stage.parts.service.open(stage.survey, stage.wave)
    for customer in customers:
        await stage.telegram.write("tg", customer, "2, the parcel came late")
    await stage.settled()
    await stage.ticked()
    write, found = stage.parts.database.write, dict[World, Kept]()
    found[World.ASKED] = await write(partial(_asked, stage))
    found[World.ASKING] = await write(partial(_asking, stage))
    found[World.PAUSED] = await write(_paused)
    await write(partial(restore, stage, found[World.ASKED]))
    found[World.UNASKED] = await write(_unasked)
    return found, {customers[0]: CUSTOMER}


def _asked(stage: Stage, connection: Connection) -> Kept:
    """The teams know of the cases, and each has a fix proposed."""
    now = stage.parts.clock.now()
    cases.tell(connection, (1, 2, 3), now)
    for team in stage.parts.desk.teams:
        decisions.propose(connection, "s", stage.wave.key, team.name, "Delivery", now)
    return kept(connection)


def _asking(stage: Stage, connection: Connection) -> Kept:
    commands.ask_now(connection, "s", stage.wave.key)
    return kept(connection)


def _paused(connection: Connection) -> Kept:
    commands.pause(connection, "s", True)
    return kept(connection)


def _unasked(connection: Connection) -> Kept:
    for one, its in ((_REF, KEPT[_REF]), (table(Ask), true()), (_OUTBOX, _OUTBOX.c.kind == "ask")):
        connection.execute(one.delete().where(its))
    return kept(connection)
