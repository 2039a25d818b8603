"""The running service: puts the parts together, lets APScheduler tick, starts and stops.

The tick means "do whatever is due now": jobs live in memory and nothing depends on one of them having run. Sources:
https://apscheduler.readthedocs.io/en/3.x/userguide.html#missed-job-executions-and-coalescing
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from bots import open_account
from connecting import Connections, Watch
from core.account import Account
from core.buttons import Seal
from core.clock import Clock
from core.desk import Desk
from core.diary import Diary
from core.errors import SettingsError, StoreError
from core.forms import form
from core.presence import Presence
from core.reading.lexicon import lexicon
from core.routes import Routes, caring
from core.service import Service
from core.settings import Settings
from core.store import home, outbox
from core.store.database import Connection, Database
from core.store.inbox import Inbox
from core.store.leases import COMMAND, SERVICE, Leases
from core.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = logging.getLogger(__name__)

T = TypeVar("T")

ALONE_S = 2.0
"""How long another service may take to leave the SQLite file."""

COMMAND_S = 60.0
"""How long a command may use it."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The service, put together but not running."""

    database: Database
    routes: Routes
    presence: Presence
    service: Service
    desk: Desk
    inbox: Inbox
    clock: Clock
    leases: Leases
    diary: Diary


@asynccontextmanager
async def assembled(settings: Settings, found: Connections, *, patient: bool = False) -> AsyncIterator[Parts]:
    """The parts of the service around an open database; ``patient`` as for ``Database``."""
    routes, clock = settings.routes(), found.clock

    def take_over(connection: Connection, account: str) -> None:
        left = outbox.take_over(connection, account, clock.now())
        if left.unknown:
            log.warning(
                "%s: %d messages were being sent when it was last served: looking for them", account, left.unknown
            )

    opening = Database(settings.service.database, patient=patient)
    async with opening as database, Leases(database, take_over) as leases:
        await _at_home(database, found.sandbox)
        seal = Seal(bytes.fromhex(await database.when_there_is_room(database.kept, "seal")))
        inbox = Inbox(database, routes, seal, clock)
        accounts: dict[str, Callable[[], Account]] = {
            name: partial(
                open_account,
                account.platform,
                name,
                found.options[name],
                clock,
                partial(form, routes, clock, _spoken(settings, name)),
            )
            for name, account in settings.accounts.items()
        }
        places = [(c.account, c.place) for c in settings.channels.values()]
        places += [(t.account, t.place) for t in settings.teams.values()]
        wanted = {name: {place for account, place in places if account == name} for name in accounts}
        diary = Diary(database, routes.surveys.values(), clock)
        presence = Presence(accounts, wanted, database, inbox, clock, leases, diary.said)
        loop = asyncio.get_running_loop()
        inbox.wake = partial(_wake_soon, loop, presence)
        service = Service(database, routes, settings.team_list(), presence, inbox, clock)
        desk = Desk(database, routes, settings.team_list(), presence, seal, clock)
        inbox.desks, inbox.caring = desk.places, caring(routes.surveys.values(), settings.team_list())
        yield Parts(database, routes, presence, service, desk, inbox, clock, leases, diary)


async def _at_home(database: Database, sandbox: str) -> None:
    """Say so when the database is of another sandbox. Raises ``StoreError`` when made-up and real answers would mix."""
    found = await database.when_there_is_room(home.of, database)
    if found is not None:
        known = found
    else:
        try:
            used, known = await database.write(lambda c: (home.is_used(c), home.settle(c, sandbox)))
        except StoreError:  # there is no room now: the next start settles it
            return
        if used and not sandbox:
            log.warning("service.database: an older Vouch filled it; if on a sandbox, stop and name another file")
    if said := home.strange(known, sandbox):
        log.warning("service.database: %s", said)


async def run(settings: Settings, found: Connections, ready: Callable[[], None]) -> None:
    """Run the service until it is told to stop (SIGINT, SIGTERM). ``ready`` is called once every stream is up."""
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    stop = _told_to_stop()
    async with AsyncExitStack() as stack:
        parts = await _unless(stop, _entered(stack, settings, found))
        if parts is None:
            return
        scheduler = AsyncIOScheduler(timezone="UTC")
        every_s = min(settings.service.tick_s, max(0.1, 1800 / found.clock.speed))
        job = scheduler.add_job(
            partial(_tick, parts),
            "interval",
            seconds=every_s,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        # APScheduler counts on the machine's clock: after a jump back its next run would be as far off.
        tick_again = partial(job.reschedule, "interval", seconds=every_s)
        async with asyncio.TaskGroup() as group:
            works = (
                parts.presence.run(),
                _when_ready(parts.presence, ready),
                parts.database.ended(),
                Watch(found, tick_again).run(),
            )
            tasks = [group.create_task(work) for work in works]
            scheduler.start()
            try:
                await stop.wait()
            finally:
                scheduler.pause()
                await asyncio.sleep(0)  # a tick that is cancelled before its first step would end in a traceback
                scheduler.shutdown(wait=False)
                await parts.desk.stop()
                await parts.service.stop()
            for task in tasks:
                task.cancel()


async def _entered(stack: AsyncExitStack, settings: Settings, found: Connections) -> Parts:
    parts = await stack.enter_async_context(assembled(settings, found, patient=True))
    await _alone(parts.leases, settings)
    return parts


async def _alone(leases: Leases, settings: Settings) -> None:
    """Raises ``SettingsError`` when another service uses the SQLite file and does not end within a moment. A command is
    waited for: it ends by itself."""
    started = asyncio.get_running_loop().time()
    told = False
    while not leases.alone(SERVICE):
        waited_s = asyncio.get_running_loop().time() - started
        if waited_s > (COMMAND_S if leases.holder == COMMAND else ALONE_S):
            raise SettingsError(
                f"service.database: another Vouch runs on {settings.service.database}; stop it, or let several share "
                "one postgresql:// database"
            )
        if waited_s > ALONE_S and not told:
            told = True
            log.warning("a command uses the database: waiting until it has ended")
        await asyncio.sleep(0.05)


async def _when_ready(presence: Presence, ready: Callable[[], None]) -> None:
    await presence.ready.wait()
    ready()
    await in_thread(lexicon)  # so that nobody's first words wait for it


async def _tick(parts: Parts) -> None:
    with suppress(asyncio.CancelledError):  # only at shutdown; whatever is due is still due at the next start
        parts.desk.begin()
        await parts.service.tick()
        await parts.diary.tell()


def _told_to_stop() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What comes of it; ``None`` when we are told to stop before."""
    doing, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
    finally:
        doing.cancel()
        stopping.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)
    return None


def _wake_soon(loop: asyncio.AbstractEventLoop, presence: Presence, account: str) -> None:
    loop.call_soon_threadsafe(presence.wake, account)


def _spoken(settings: Settings, account: str) -> str:
    """The language of the first team on an account."""
    return next((team.language for team in settings.teams.values() if team.account == account), "en")
