"""The process that is never killed: the sandbox, its followers, the ledger, the faults and the killer.

``python -m tests.faults.platform --settings FILE --seed S --followers N --week-s W --folder DIR`` prints one ``Up``
line (``tests/faults/contract.py``) and serves until it gets a SIGTERM or whoever started it is gone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from core.settings import load
from core.survey import week_wave
from demo.plan import plan_of
from sandbox.clocks import Clocks
from sandbox.discord import DiscordStandIn
from sandbox.discord.connection import Connection
from sandbox.server import Sandbox
from sandbox.telegram import TelegramStandIn
from sandbox.world import TeamPlan, World
from tests.faults import contract
from tests.faults.acts import Watching
from tests.faults.confirms import Confirms
from tests.faults.contract import Arm, Done, Gone, Service, StreamFault, Up, WireFault, WorldState
from tests.faults.kills import Killer
from tests.faults.reading import gateway_event
from tests.faults.recorded import Truth
from tests.faults.seen import Seen
from tests.faults.services import Services
from tests.faults.streams import Streams
from tests.faults.told import Told
from tests.faults.truths import truth
from tests.faults.wire import Wire

FIRST_DAY = datetime(2026, 10, 12, 12, tzinfo=UTC)
"""The third week has 169 hours in Europe, because clocks go back."""

LOOK_AGAIN_S = 0.5

ALL, CASE_S = 1_000_000, 30.0
"""A teammate does all that they are asked to, but takes a case once in so many wall seconds: each is some messages in a
place that holds 20 a minute."""
INSTANCES = 4
"""So many instances can be told apart by the address that they use."""

T = TypeVar("T", bound=Told)


class Platform:
    """All of it, wired up."""

    def __init__(self, settings: Path, *, seed: int, followers: int, week_s: float, teams: bool = False) -> None:
        """``teams``: somebody works in each team's place."""
        read = load(settings)
        accounts, places, channels = plan_of(read)
        surveys = read.routes().surveys
        start = max(week_wave(survey, FIRST_DAY).opens_at for survey in surveys.values())
        clocks = Clocks(start=start, speed=timedelta(weeks=1).total_seconds() / week_s)
        self.sandbox = Sandbox(accounts, places, clocks=clocks)
        self.seen = Seen(clocks, {account.name: account.platform for account in accounts})
        self.services = Services()
        self.confirms = Confirms(self.seen, self.services.kept)
        self.killer = Killer(self.seen, self.services, seed)
        self.streams = Streams(self.sandbox, self.seen, seed)
        self.wire = Wire(self.sandbox, self.seen, self.confirms, self.killer, self.services, self.streams)
        self.sandbox.middlewares = [self.wire.middleware()]
        stage = Watching(self.sandbox, self.seen, self.killer.accepted)
        self.sandbox.watchers.append(self.seen.posted)
        self.world = World(
            stage,
            channels,
            followers=followers,
            seed=seed,
            zone="UTC",
            scale={name: str(survey.scale) for name, survey in surveys.items()},
            zones={name: survey.zone for name, survey in surveys.items()},
            teams=[
                TeamPlan(team.account, team.place, cases=ALL, fixes=ALL, every=timedelta(seconds=CASE_S * clocks.speed))
                for team in read.teams.values()
                if teams
            ],
        )
        stage.ledger = self.world.ledger
        discord, telegram = self.sandbox.stand_ins["discord"], self.sandbox.stand_ins["telegram"]
        assert isinstance(discord, DiscordStandIn)
        assert isinstance(telegram, TelegramStandIn)
        self.discord, self.telegram = discord, telegram
        discord.gateway.on_event = self._event
        self.held = False

    def _event(self, connection: Connection, frame: bytes) -> None:
        """A gateway event is on the wire."""
        if connection.application is None:
            return
        account = connection.application.name
        session = connection.session
        if session is None:
            return
        handed = gateway_event(frame, self.streams.bot_id(account), session.id)
        if handed is None:
            return
        instance = self.services.owner(connection.transport)
        self.killer.handed(instance, self.seen.handed_out("discord", account, [handed], instance))

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[Up]:
        """Followers act and both servers serve, for as long as this is entered."""
        self.sandbox.clocks.started = self.sandbox.clocks.wire()
        app = web.Application()
        for name, kind, answer in self._calls():
            app.router.add_post(f"/{name}", _serving(kind, answer))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        async with self.sandbox:
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", port)
            await site.start()
            address = site._server.sockets[0].getsockname()  # type: ignore[union-attr]
            tasks = [asyncio.create_task(self.world.run()), asyncio.create_task(self._look_again())]
            try:
                control = f"http://127.0.0.1:{address[1]}"
                urls = (self.sandbox.url, *[await self.sandbox.also_at() for _ in range(INSTANCES - 1)])
                yield Up(url=self.sandbox.url, urls=urls, control=control, pid=os.getpid(), strace=self.killer.traces)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await self.streams.stop()
                await runner.cleanup()

    async def _look_again(self) -> None:
        """Confirmations that came while a database could not be asked."""
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            self.confirms.look_again()

    # -- the calls -----------------------------------------------------------------------------------------------------

    def _calls(self) -> list[tuple[str, Any, Callable[[Any], Awaitable[Told]]]]:
        return [
            ("service", Service, self._up),
            ("gone", Gone, self._gone),
            ("arm", Arm, self.killer.arm),
            ("go-on", Gone, self._go_on),
            ("wire", WireFault, self._wire),
            ("stream", StreamFault, self._stream),
            ("lift", None, self._lift),
            ("world", contract.World, self._world),
            ("truth", None, self._truth),
        ]

    async def _up(self, service: Service) -> Done:
        note = self.services.up(service)
        if not note:
            self.seen.came_up(service.name)
        return Done(ok=not note, note=note)

    async def _gone(self, gone: Gone) -> Done:
        self.services.gone(gone.name)
        self.seen.went_away(gone.name)
        return Done()

    async def _go_on(self, gone: Gone) -> Done:
        return Done(ok=self.services.send(gone.name, "CONT"))

    async def _wire(self, fault: WireFault) -> Done:
        if fault.fault not in contract.WIRE_FAULTS:
            return Done(ok=False, note=f"there is no fault {fault.fault}")
        self.wire.spoil(fault)
        return Done()

    async def _stream(self, fault: StreamFault) -> Done:
        note = await self.streams.spoil(fault)
        return Done(ok=not note, note=note)

    async def _lift(self, _: None) -> Done:
        self.wire.lift()
        self.streams.lift()
        return Done()

    async def _world(self, order: contract.World) -> WorldState:
        quiet = False
        if order.do in ("hold", "go"):
            self.held = order.do == "hold"
            self.world.hold(self.held)
        elif order.do == "quiet":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.world.quiet(), order.within_s)
                quiet = True
        unread = {account: len(waiting) for account, waiting in self.seen.pending.items()}
        return WorldState(
            quiet=quiet,
            held=self.held,
            at=self.sandbox.clocks.now().timestamp(),
            acts=len(self.world.ledger.acts),
            posts=len(self.seen.posts),
            unread=unread,
            injected=self.seen.injected.total(),
        )

    async def _truth(self, _: None) -> Truth:
        self.confirms.look_again()
        return truth(self.world, self.seen, self.discord, self.telegram)


def _serving(kind: type[T] | None, answer: Callable[[Any], Awaitable[Told]]) -> Any:
    async def serve(request: web.Request) -> web.Response:
        body = await request.json()
        try:
            told = None if kind is None else kind.of(body)
        except TypeError as error:
            return web.Response(status=400, text=str(error))
        found = await answer(told)
        # The truth of a long campaign is large: followers and streams must not wait for it.
        text = await asyncio.to_thread(lambda: json.dumps(found.as_json()))
        return web.Response(text=text, content_type="application/json")

    return serve


async def serve(arguments: argparse.Namespace) -> None:
    """Until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    platform = Platform(
        arguments.settings,
        seed=arguments.seed,
        followers=arguments.followers,
        week_s=arguments.week_s,
        teams=arguments.teams,
    )
    async with platform.serving() as up:
        print(json.dumps(up.as_json()), flush=True)
        parent = os.getppid()
        while os.getppid() == parent and not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_AGAIN_S)
        if arguments.folder is not None:
            found = truth(platform.world, platform.seen, platform.discord, platform.telegram)
            (arguments.folder / "truth.json").write_text(json.dumps(found.as_json()), "utf-8")


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.platform", description=__doc__)
    parser.add_argument("--settings", type=Path, default=Path(__file__).with_name("settings.toml"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--followers", type=int, default=200)
    parser.add_argument("--week-s", type=float, default=20.0)
    parser.add_argument("--teams", action="store_true", help="somebody works in each team's place")
    parser.add_argument("--folder", type=Path, help="where the truth is written in the end, for whoever looks later")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
