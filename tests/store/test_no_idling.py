"""A post is planned once, with its reasons and quotes or without them for ever: a database that hangs up must not cost
them. So what people say is made out while no transaction is open, for a server hangs up on who stands still in one for
5 s; and where it hangs up all the same, the post is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import Connection, QueuePool, text

from core.answering import Answering
from core.clock import Clock
from core.errors import StoreAway
from core.orders import order_of
from core.publishing import hear
from core.reasons import Theme
from core.routes import Routes
from core.store.database import Database, open_engine
from core.survey import Survey
from core.threads import in_thread
from tests.store.scene import SURVEY as SCENE
from tests.store.scene import TEAM as OFFICE
from tests.store.scene import WAVE, Scene, up
from tests.store.stage import CHANNELS, SURVEY, WAVES, Stage
from tests.store.test_answering import PLACE, SEAL, WHO, words
from tests.store.test_publishing import QUOTED, TEAM, THEMES, allow, complaints


@dataclass(frozen=True, kw_only=True)
class Slow(Theme):
    """A theme that takes its time, and looks meanwhile who uses the database."""

    in_use: Callable[[], int]
    """How many of our connections."""
    seen: list[int] = field(default_factory=list[int], hash=False)

    def is_in(self, text: str) -> bool:
        self.seen.append(self.in_use())
        return super().is_in(text)


@pytest.fixture
def slow(stage: Stage) -> Slow:
    pool = stage.database.engine.pool
    assert isinstance(pool, QueuePool)
    with stage.database.reading():
        assert pool.checkedout() == 1  # so it would be seen
    complaints(stage)
    allow(stage, "bob", "eve")
    return Slow(name="delivery", titles={"en": "Delivery"}, words=THEMES[0].words, in_use=pool.checkedout)


def themed(slow: Slow) -> Survey:
    return replace(SURVEY, themes=(slow,), teams=(TEAM.name,))


def test_the_post_is_made_of_what_was_read_before(stage: Stage, slow: Slow) -> None:
    heard = hear(stage.database, themed(slow), WAVES[0])
    assert [(reason.theme, reason.named) for reason in heard.reasons] == [(slow, 3)]
    assert [["quote", one.line] for one in heard.quotes] == QUOTED
    assert slow.seen
    assert set(slow.seen) == {0}


@pytest.mark.parametrize("order", ["/report preview", "/why", "/why delivery"])
async def test_so_is_what_a_team_is_told(stage: Stage, slow: Slow, order: str) -> None:
    found = order_of(order)
    assert found is not None
    answering = Answering(stage.database, Routes([themed(slow)], CHANNELS), SEAL, Clock(wall=stage.now.timestamp))
    assert "Delivery" in words(await answering.to(found, TEAM, PLACE, WHO))
    assert slow.seen
    assert set(slow.seen) == {0}


def hang_up_on_who_waits(server: Connection) -> bool:
    """On whoever waits for a lock of ours; whether there is somebody."""
    waits = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    return bool(server.execute(text(waits)).all())


async def test_a_server_that_hangs_up_meanwhile_delays_the_post(shared: Database, postgresql_url: str) -> None:
    engine = open_engine(postgresql_url)
    async with asyncio.timeout(20), up(Scene(shared)) as scene:
        await scene.until(lambda: bool(scene.asked(scene.here) and scene.asked(scene.there)))
        post = scene.service.post
        with engine.begin() as server:
            server.execute(text("LOCK TABLE comment"))
            publishing = asyncio.create_task(post.publish(SCENE, WAVE, OFFICE))
            while not await in_thread(hang_up_on_who_waits, server):
                assert not publishing.done()
            with pytest.raises(StoreAway):
                await publishing
        assert len(await post.publish(SCENE, WAVE, OFFICE)) == 2
    engine.dispose()
