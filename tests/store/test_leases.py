"""Leases: one holder at a time, whoever is killed, paused or told a wrong time."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from core.errors import StoreAway, StoreError
from core.events import Cursor
from core.models import Lease
from core.store import holders
from core.store.cursors import cursors_of
from core.store.database import Database
from core.store.fencing import Held, ours, standing
from core.store.leases import Leases
from core.store.statements import table
from tests.store.stage import ACCOUNT, NOW, Stage

_LEASE = table(Lease)
LEASE_S = 1.0
MARGIN_S = 0.3
SOON_S = 0.5


class Process:
    """One run of Vouch, as far as leases go. ``undone`` are the accounts whose leftovers it saw to."""

    def __init__(self, database: Database, *, renew_s: float = 0.1, lease_s: float = LEASE_S) -> None:
        self.undone: list[str] = []
        self.leases = Leases(
            database,
            lambda _, account: self.undone.append(account),
            lease_s=lease_s,
            renew_s=renew_s,
            margin_s=MARGIN_S,
        )

    async def take(self) -> Held:
        """Try until the lease is ours."""
        async with asyncio.timeout(10):
            while (held := await self.leases.take(ACCOUNT)) is None:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
        return held


async def test_a_server_knows_when_each_holder_was_followed(shared: Database) -> None:
    async with Process(shared).leases as first, Process(shared).leases as second:
        held = await first.take(ACCOUNT)
        assert held is not None
        await first.release(held)
        assert await second.take(ACCOUNT) is not None
    with shared.engine.begin() as connection:
        ago_s = [holders.followed_s_ago(connection, ACCOUNT, held.fence + more) for more in (-1, 0, 1)]
    before, then, later = ago_s
    assert before is not None
    assert then is not None
    assert (0 <= before <= then, later) == (True, None)


async def taken_or_not(process: Process) -> Held | None:
    """The lease, unless its row is locked or it is somebody else's."""
    try:
        return await process.leases.take(ACCOUNT)
    except StoreError:
        return None


def is_ours(database: Database, held: Held) -> bool:
    """Whether an UPDATE that asks for the lease finds its row."""
    with database.engine.begin() as connection:
        found = connection.execute(update(_LEASE).where(ours(held)).values(session=_LEASE.c.session)).rowcount == 1
        assert (held in standing(connection, [held])) == found
        return found


def kill(database: Database, leases: Leases) -> None:
    """What the database sees of a killed process: its session's connection ends."""
    number = int(leases.session, 16)
    query = text(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        " AND classid::bigint = :high AND objid::bigint = :low"
    )
    with database.engine.begin() as connection:
        assert connection.execute(query, {"high": number >> 32, "low": number & 0xFFFFFFFF}).scalar_one()


async def test_a_lease_has_one_holder_and_its_fence_grows(database: Database, stack: AsyncExitStack) -> None:
    first, second = Process(database), Process(database)
    leaving = AsyncExitStack()
    await leaving.enter_async_context(first.leases)
    await stack.enter_async_context(second.leases)
    held = await first.take()
    assert held == Held(ACCOUNT, 1)
    assert await second.leases.take(ACCOUNT) is None
    assert is_ours(database, held)
    await leaving.aclose()
    assert await second.leases.take(ACCOUNT) == Held(ACCOUNT, 2)
    assert not is_ours(database, held)
    assert (first.undone, second.undone) == ([ACCOUNT], [ACCOUNT])


async def test_a_lease_is_renewed_for_as_long_as_it_is_held(database: Database, stack: AsyncExitStack) -> None:
    process = Process(database)
    await stack.enter_async_context(process.leases)
    held = await process.take()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2.5 * LEASE_S):
            await process.leases.lost(held)
    assert is_ours(database, held)


async def test_what_was_given_back_can_be_had_again(database: Database, stack: AsyncExitStack) -> None:
    process = Process(database)
    await stack.enter_async_context(process.leases)
    await process.leases.release(await process.take())
    assert await process.leases.take(ACCOUNT) == Held(ACCOUNT, 2)


async def test_a_killed_process_is_followed_at_once(shared: Database, stack: AsyncExitStack) -> None:
    first, second = Process(shared, renew_s=60, lease_s=3_600), Process(shared)
    await stack.enter_async_context(first.leases)
    await stack.enter_async_context(second.leases)
    held = await first.take()
    assert await second.leases.take(ACCOUNT) is None
    kill(shared, first.leases)
    async with asyncio.timeout(SOON_S):
        assert (await second.take()).fence == held.fence + 1
    assert not is_ours(shared, held)


async def test_a_paused_process_is_followed_when_its_lease_ran_out(shared: Database, stack: AsyncExitStack) -> None:
    paused, other = Process(shared, renew_s=60), Process(shared)
    await stack.enter_async_context(paused.leases)
    await stack.enter_async_context(other.leases)
    held = await paused.take()
    started = asyncio.get_running_loop().time()
    newer = await other.take()
    assert LEASE_S / 2 < asyncio.get_running_loop().time() - started < LEASE_S + SOON_S
    assert (newer.fence, is_ours(shared, held), is_ours(shared, newer)) == (held.fence + 1, False, True)
    async with asyncio.timeout(SOON_S):
        await paused.leases.lost(held)


async def test_who_cannot_renew_gives_up_before_anybody_may_follow(shared: Database, stack: AsyncExitStack) -> None:
    cut_off = Process(shared, renew_s=60)
    await stack.enter_async_context(cut_off.leases)
    held = await cut_off.take()
    async with asyncio.timeout(LEASE_S - MARGIN_S + 0.2):
        await cut_off.leases.lost(held)
    assert is_ours(shared, held)


async def test_who_lost_its_lease_learns_it_by_the_next_renewal(shared: Database, stack: AsyncExitStack) -> None:
    process = Process(shared, lease_s=3_600)
    await stack.enter_async_context(process.leases)
    held = await process.take()
    with shared.engine.begin() as connection:
        connection.execute(update(_LEASE).values(fence=_LEASE.c.fence + 1, session="1"))
    async with asyncio.timeout(5):
        await process.leases.lost(held)


async def test_a_lost_connection_loses_no_lease_that_nobody_took(shared: Database, stack: AsyncExitStack) -> None:
    process = Process(shared)
    await stack.enter_async_context(process.leases)
    held = await process.take()
    kill(shared, process.leases)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2 * LEASE_S):
            await process.leases.lost(held)
    assert is_ours(shared, held)


@pytest.mark.parametrize("days", [-400, 400])
async def test_a_database_whose_clock_jumped_locks_nobody_out(
    shared: Database, stack: AsyncExitStack, days: int
) -> None:
    paused, other = Process(shared, renew_s=60), Process(shared)
    await stack.enter_async_context(paused.leases)
    await stack.enter_async_context(other.leases)
    held = await paused.take()
    with shared.engine.begin() as connection:  # the clock goes back by as much as the end of the lease goes forward
        until = connection.execute(select(_LEASE.c.until)).scalar_one()
        connection.execute(update(_LEASE).values(until=until + timedelta(days=days)))
    assert (await other.take()).fence == held.fence + 1
    assert not is_ours(shared, held)


async def test_no_one_follows_between_the_look_and_the_commit(shared: Database, stack: AsyncExitStack) -> None:
    """A holder that looked while its lease stood commits before it is followed, or not at all."""
    first, second = Process(shared, renew_s=60, lease_s=3_600), Process(shared)
    leaving = AsyncExitStack()
    await leaving.enter_async_context(first.leases)
    await stack.enter_async_context(second.leases)
    held = await first.take()
    with shared.engine.connect() as connection, connection.begin():
        assert connection.execute(select(ours(held))).scalar_one()
        kill(shared, first.leases)
        with pytest.raises(StoreError):
            await second.leases.take(ACCOUNT)
    assert await second.leases.take(ACCOUNT) == Held(ACCOUNT, held.fence + 1)
    await leaving.aclose()


async def test_a_process_paused_within_a_transaction_holds_nobody_up(shared: Database, stack: AsyncExitStack) -> None:
    paused, other = Process(shared, renew_s=60), Process(shared)
    await stack.enter_async_context(paused.leases)
    await stack.enter_async_context(other.leases)
    held = await paused.take()
    with shared.engine.connect() as connection:
        assert connection.execute(select(ours(held))).scalar_one()
        async with asyncio.timeout(10):
            while (newer := await taken_or_not(other)) is None:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.1)
        assert newer.fence == held.fence + 1
        with pytest.raises(StoreAway, match="stood still"):  # its transaction is no more
            connection.execute(select(ours(held)))
        connection.invalidate()


async def test_who_waits_for_the_take_over_sees_it(shared: Database, stack: AsyncExitStack) -> None:
    """The other way round: a look that had to wait for the new holder's commit finds itself too late."""
    first = Process(shared)
    await stack.enter_async_context(first.leases)
    held = await first.take()
    with shared.engine.connect() as connection, connection.begin() as taking:
        connection.execute(update(_LEASE).values(fence=_LEASE.c.fence + 1, session="1"))
        looking = asyncio.create_task(asyncio.to_thread(is_ours, shared, held))
        done, _ = await asyncio.wait([looking], timeout=0.3)
        assert not done
        taking.commit()
    async with asyncio.timeout(5):
        assert not await looking


async def test_of_many_who_want_it_one_gets_it(shared: Database, stack: AsyncExitStack) -> None:
    many = [Process(shared) for _ in range(5)]
    for process in many:
        await stack.enter_async_context(process.leases)
    taken = [held for held in await asyncio.gather(*(p.leases.take(ACCOUNT) for p in many)) if held is not None]
    assert taken == [Held(ACCOUNT, 1)]
    assert sum(len(p.undone) for p in many) == 1


async def test_a_second_process_on_one_file_waits_for_the_end_of_the_first(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path}/vouch.db") as database:
        first, second = Process(database), Process(database)
        async with first.leases, second.leases:
            assert first.leases.alone()
            assert not second.leases.alone()
            await first.leases.__aexit__()
            assert second.leases.alone()


async def test_a_delivery_without_its_lease_is_not_kept(database: Database, stack: AsyncExitStack) -> None:
    process, stage = Process(database), Stage(database)
    await stack.enter_async_context(process.leases)
    held = await process.take()
    deliver = stage.inbox.deliver(ACCOUNT, held)
    await deliver([stage.typed(1, "ann", "9", at=NOW), Cursor(name="offset", value="1")])
    with database.engine.begin() as connection:
        connection.execute(update(_LEASE).values(fence=_LEASE.c.fence + 1))
    late = stage.inbox.deliver(ACCOUNT, held)([stage.typed(2, "bob", "9"), Cursor(name="offset", value="2")])
    new = stage.inbox.deliver(ACCOUNT, Held(ACCOUNT, held.fence + 1))([stage.typed(3, "cy", "8")])
    found = await asyncio.gather(late, new, return_exceptions=True)
    assert isinstance(found[0], StoreError)
    assert not isinstance(found[1], BaseException)
    assert cursors_of(database, ACCOUNT) == {"offset": "1"}
    assert {person for person, _ in stage.responses()} == {"ann", "cy"}
