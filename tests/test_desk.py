"""What a team asks for in its own place is done, once, in time, and without a storm."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import event, select

from core.account import Account, Place, Standing
from core.errors import StoreAway
from core.events import Reply, Via
from core.models import Lease, Outbox
from core.store.statements import table
from tests.desk_stage import ASKED_IN, DESK, LOUNGE, TEAMS, staged

_LEASE, _OUTBOX = table(Lease), table(Outbox)


async def test_what_is_asked_for_is_done(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        ann = stage.telegram.add_person(name="Ann")
        stage.telegram.promote("tg", TEAMS["admin"], ann)

        async def told(text: str) -> str:
            before = len(stage.posts)
            name, _, words = text.partition(" ")
            order = f"{stage.order(name[1:])} {words}" if name.startswith("/") and "@" not in name else text
            await stage.telegram.write("tg", ann, order, place=TEAMS["admin"])
            await stage.settled()
            return "\n".join(post.text for post in stage.posts[before:] if post.place == TEAMS["admin"])

        async def asks() -> set[str]:
            await stage.parts.service.tick()
            async with asyncio.timeout(10):
                while not await asyncio.to_thread(stage.said, "ask:"):  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.02)
            return {post.place for post in stage.posts if post.buttons}

        assert "/score: the score of the running week" in await told("/help")
        assert "so far\nNamed answers: NPS –, n 0" in await told("/score")
        assert "Acme: Paused: nobody is asked" in await told("/pause")
        assert "Acme: Paused: nobody is asked" in await told("/ask")
        assert await stage.parts.service.open(stage.survey, stage.wave) == []
        assert "people are asked again" in await told("/resume s")
        would = await told("/ask preview")
        assert "Nothing was sent. Still to be asked this week, in public: group, lounge." in would
        assert "People who would be invited by direct message now: 0." in would
        assert await asks() == set()
        assert "is asked now" in await told("/ask")
        assert await asks() == {ASKED_IN, LOUNGE}
        await stage.telegram.open_direct("tg", stage.telegram.add_person(name="Bea"))
        await stage.settled()
        would = await told("/ask preview")
        assert "This week's question was asked in public everywhere." in would
        assert "People who would be invited by direct message now: 1." in would
        assert "Nothing was asked in week 2020-W01" in await told("/report 2020-W01")
        assert "no answers yet" in await told("/report preview")
        assert await told("/score@another_bot") == ""
        assert await told("/nonsense") == ""
        assert await told("9") == ""
        assert "Acme: Nobody wrote this week" in await told("/comments")


async def test_the_same_order_that_comes_twice_is_carried_out_once(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        ann = stage.telegram.add_person(name="Ann")
        stage.telegram.promote("tg", TEAMS["admin"], ann)
        at = stage.parts.clock.now()
        again = Reply(id="u1", person=ann, via=Via.TEXT, at=at, order=1, place=TEAMS["admin"], text="/help")
        for _ in range(3):
            await stage.parts.presence.deliver("tg")([again])
            await stage.settled()
        assert len([post for post in stage.posts if post.place == TEAMS["admin"]]) == 1
        assert len(stage.log()) == 1


async def test_an_old_order_is_not_carried_out(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        ann = stage.telegram.add_person(name="Ann")
        stage.telegram.promote("tg", TEAMS["admin"], ann)
        at = stage.parts.clock.now() - timedelta(hours=1)
        old = Reply(id="u1", person=ann, via=Via.TEXT, at=at, order=1, place=TEAMS["admin"], text="/pause")
        await stage.parts.presence.deliver("tg")([old])
        await stage.settled()
        assert [state for *_, state in stage.log()] == ["expired"]
        assert [post for post in stage.posts if post.place == TEAMS["admin"]] == []


async def test_many_orders_of_one_person_are_no_storm(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        bob = stage.telegram.add_person(name="Bob")
        at = stage.parts.clock.now()
        many = [
            Reply(id=f"u{n}", person=bob, via=Via.TEXT, at=at, order=n, place=TEAMS["admin"], text="/score")
            for n in range(100)
        ]
        await stage.parts.presence.deliver("tg")(many)
        await stage.settled()
        assert Counter(state for *_, state in stage.log()) == {"refused": 100}
        assert len([post for post in stage.posts if post.place == TEAMS["admin"]]) == 1


async def test_an_account_that_another_process_took_over_holds_up_no_other(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        at = stage.parts.clock.now()
        for account, place, earlier in (("tg", TEAMS["admin"], 1), ("dc", DESK, 0)):
            person = stage.sandbox.stand_ins["telegram" if account == "tg" else "discord"].add_person(name="Bob")
            when = at - timedelta(seconds=earlier)
            asked = Reply(id="u1", person=person, via=Via.TEXT, at=when, order=1, place=place, text="/score")
            await stage.parts.presence.deliver(account)([asked])
        with stage.parts.database.engine.begin() as connection:
            connection.execute(_LEASE.update().where(_LEASE.c.account == "tg").values(fence=_LEASE.c.fence + 1))
        await stage.parts.desk.work()
        assert {account: state for account, *_, state in stage.log()} == {"tg": "waiting", "dc": "refused"}


class Meanwhile:
    """An account, and what happens while it is asked who somebody is. Keeps ``Account``."""

    def __init__(self, inner: Account, happens: Callable[[], None]) -> None:
        self._inner, self._happens = inner, happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def standing(self, place: Place, person: str) -> Standing:
        self._happens()
        return await self._inner.standing(place, person)


async def test_an_order_whose_facts_cannot_be_read_waits_and_holds_up_no_other(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        presence, engine, at = stage.parts.presence, stage.parts.database.engine, stage.parts.clock.now()
        ann = stage.telegram.add_person(name="Ann")
        stage.telegram.promote("tg", TEAMS["admin"], ann)
        bob = stage.discord.add_person(name="Bob")
        for account, place, person, earlier in (("tg", TEAMS["admin"], ann, 1), ("dc", DESK, bob, 0)):
            when = at - timedelta(seconds=earlier)
            asked = Reply(id="u1", person=person, via=Via.TEXT, at=when, order=1, place=place, text="/score")
            await presence.deliver(account)([asked])

        def away(_: object) -> None:
            event.remove(engine, "engine_connect", away)
            raise StoreAway("the database server is away: start it", "cut off")

        here = presence.up["tg"]
        presence.up["tg"] = cast(Account, Meanwhile(here, lambda: event.listen(engine, "engine_connect", away)))
        await stage.parts.desk.work()
        assert not event.contains(engine, "engine_connect", away), "nothing was read"
        assert {account: state for account, *_, state in stage.log()} == {"tg": "waiting", "dc": "refused"}
        presence.up["tg"] = here
        await stage.settled(None)
        assert {account: state for account, *_, state in stage.log()} == {"tg": "done", "dc": "refused"}
        assert len([post for post in stage.posts if post.place == TEAMS["admin"]]) == 1


async def test_that_an_order_was_not_done_is_told_also_after_hours(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        ann = stage.telegram.add_person(name="Ann")
        stage.telegram.promote("tg", TEAMS["admin"], ann)
        now = stage.parts.clock.now()
        old = now - timedelta(days=2)
        asked = Reply(id="u1", person=ann, via=Via.TEXT, at=old, order=1, place=TEAMS["admin"], text="/close 7")
        await stage.parts.presence.deliver("tg")([asked])
        await stage.parts.desk.work()
        with stage.parts.database.reading() as connection:
            until = connection.execute(select(_OUTBOX.c.not_after).where(_OUTBOX.c.key.like("desk:%"))).scalars().all()
        assert [state for *_, state in stage.log()] == ["expired"]
        assert len(until) == 1
        assert until[0] - now >= timedelta(hours=23)
