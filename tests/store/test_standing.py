"""How things stand, from one consistent picture of the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from core.message import text as words
from core.models import SCHEMA, Gap, Lease
from core.store import claims, outbox
from core.store.outbox import Kind, Planned
from core.store.standing import Mismatch, how_it_stands
from core.store.statements import table
from tests.store.stage import ACCOUNT, NOW, WAVES, Stage
from tests.store.voice import hold, take_over

_GAP, _LEASE = table(Gap), table(Lease)


def test_what_waits_what_is_unknown_and_what_does_not_add_up(stage: Stage) -> None:
    stage.post("group", 0)
    stage.deliver(stage.vote(1, "ann", "poll:nobody:knows", 9))
    things = [
        Planned(key=f"{kind}:{n}.", account=account, kind=kind, body=words("?"), place="-1009")
        for n, (kind, account) in enumerate(
            [(Kind.REPORT, ACCOUNT), (Kind.REPORT, ACCOUNT), (Kind.REPORT, "other"), (Kind.ANSWER, ACCOUNT)]
        )
    ]
    held = hold(stage)
    with stage.database.engine.begin() as connection:
        outbox.plan(connection, things, NOW)
        (first,) = claims.claim(connection, held, NOW, 1)
        assert claims.begin(connection, first, held, NOW) is claims.Begun.YES
        connection.execute(_GAP.insert().values(ask_id=1, totals="[1, 2]", known="[1, 1]", as_of=NOW))
    take_over(stage)
    found = how_it_stands(stage.database, [ACCOUNT, "idle"], NOW)
    assert found.waiting == {ACCOUNT: {"report": 2}, "other": {"report": 1}}
    assert set(found.served) == {ACCOUNT, "idle", "other"}
    (doubt,) = found.unknown
    assert (doubt.key, doubt.to, doubt.since, doubt.looking) == (first.key, "-1009", NOW, True)
    assert found.waiting_replies == 1
    assert found.gaps == (Mismatch(channel="group", week=WAVES[0].key, totals=(1, 2), known=(1, 1)),)
    assert found.bytes > 10_000
    assert found.schema == SCHEMA


def test_what_matters_most_stands_first_and_what_is_over_says_so(stage: Stage) -> None:
    end = NOW + timedelta(hours=1)
    things = [
        Planned(key="answer:1", account=ACCOUNT, kind=Kind.ANSWER, body=words("?"), place="-1009", not_after=end),
        Planned(key="report:1.", account=ACCOUNT, kind=Kind.REPORT, body=words("?"), place="-1009"),
    ]
    with stage.database.engine.begin() as connection:
        outbox.plan(connection, things, NOW)
        connection.execute(text("UPDATE outbox SET state = 'unknown'"))
    found = how_it_stands(stage.database, [ACCOUNT], NOW).unknown
    assert [(doubt.key, doubt.over) for doubt in found] == [("report:1.", False), ("answer:1", False)]
    found = how_it_stands(stage.database, [ACCOUNT], end + timedelta(seconds=1)).unknown
    assert [doubt.over for doubt in found] == [False, True]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_account_is_served_while_its_holder_lives(stage: Stage) -> None:
    # On SQLite it is a lock on the file: see tests/test_status.py.
    until = datetime.now(UTC) + timedelta(days=1)
    with stage.database.engine.begin() as connection:
        connection.execute(_LEASE.insert().values(account=ACCOUNT, fence=1, session=f"{4_711:x}", until=until))
        connection.execute(_LEASE.insert().values(account="free", fence=1, session="", until=until))
    assert how_it_stands(stage.database, [ACCOUNT, "free"], NOW).served == {ACCOUNT: False, "free": False}
    with stage.database.engine.connect() as holder:
        holder.execute(select(func.pg_advisory_lock(4_711)))
        assert how_it_stands(stage.database, [ACCOUNT, "free"], NOW).served == {ACCOUNT: True, "free": False}
