"""How each account is reached, and what the time is: from the sandbox, or from the settings and the platforms."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bots import HOMES
from bots.times import times
from core.clock import AGREE_S, OFF_S, Clock, Wall, steady
from core.errors import SettingsError
from core.settings import SECRETS, Settings, secret
from core.store import home
from core.store.database import Database

log = logging.getLogger(__name__)

HANDSHAKE_S = 5.0
"""How long the sandbox may take to say where everything is."""

LOOK_S, TIME_AGAIN_S, TIME_OFTEN_S = 2.0, 60.0, 3600.0
"""How often it is looked whether the machine's clock jumped; how often the platforms are asked for the time until one
tells it; and how often after that, for a clock that nobody sets loses some seconds a day."""


Ask = Callable[[], Awaitable[list[float]]]
"""Asks for the time, where the accounts are; nothing where nobody tells it."""


@dataclass(frozen=True, slots=True)
class Connections:
    """How each account is reached, and the calendar."""

    options: Mapping[str, Mapping[str, str]]
    clock: Clock
    wall: Wall
    times: Ask
    compared: bool
    """Whether somebody has told it."""
    sandbox: str = ""
    """Which sandbox it is, by when it was started; empty on the platforms themselves."""

    @property
    def secrets(self) -> set[str]:
        """Everything that must not be printed."""
        return {value for found in self.options.values() for key, value in found.items() if not key.endswith("_url")}


async def connections(settings: Settings, wall: Wall | None = None) -> Connections:
    """Addresses and credentials of all accounts: from the sandbox if one is set, else from the settings; and the
    calendar, by a ``wall`` clock that has been compared with the platforms' if they can be reached.

    Raises ``SettingsError`` when a secret is missing, or the sandbox does not answer or does not know an account.
    """
    wall = wall or Wall()
    if settings.sandbox.url:
        return await _from_sandbox(settings, wall)
    options: dict[str, dict[str, str]] = {}
    for name, account in settings.accounts.items():
        options[name] = {key: secret(settings, name, key) for key in SECRETS[account.platform]}
        options[name] |= {key: value for key in ("base_url", "gateway_url") if (value := getattr(account, key))}
    ask = partial(times, {account.base_url or HOMES[account.platform] for account in settings.accounts.values()})
    return Connections(options, Clock(wall=wall), wall, ask, compared=await _compared(wall, ask))


async def calendar(settings: Settings, database: Database | None = None) -> Clock:
    """By what clock a command tells the time: that of the sandbox while it runs, else real time.

    Where a command reads a ``database``, it is said when that was filled on another sandbox; raises ``StoreError`` when
    it holds made-up answers and the settings are of real people, or the other way round.
    """
    reached: Connections | None = None
    if settings.sandbox.url:
        with suppress(SettingsError):  # where it does not run, or not with these settings, it is real time
            reached = await connections(settings)
    if database is not None and (known := home.of(database)) is not None:
        said = home.strange(known, reached.sandbox if reached is not None else settings.sandbox.url)
        if said and reached is not None:
            log.warning("service.database: %s", said)
    return reached.clock if reached is not None else Clock()


async def _found_at(url: str) -> Any:
    """What the sandbox says of itself."""
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=HANDSHAKE_S)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{url}/sandbox") as response:
        return await response.json()


async def _time_in_sandbox(url: str) -> list[float]:
    """Not its ``Date``: half a second there may be hours on a fast calendar."""
    import aiohttp

    with suppress(aiohttp.ClientError, TimeoutError, ValueError, TypeError, KeyError):
        return [float((await _found_at(url))["clock"]["wire"])]
    return []


async def _from_sandbox(settings: Settings, wall: Wall) -> Connections:
    import aiohttp

    url = settings.sandbox.url
    try:
        found = await _found_at(url)
        time = found["clock"]
        clock = Clock(datetime.fromisoformat(time["calendar"]), time["started"], time["speed"], wall)
        accounts: Mapping[str, Mapping[str, str]] = dict(found["accounts"])
    except (aiohttp.ClientError, TimeoutError) as error:
        raise SettingsError(
            f"sandbox.url: nothing answers at {url}; start it with `vouch sandbox`, or remove [sandbox] to go live"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise SettingsError(
            f"sandbox.url: what answers at {url} is no sandbox; start one with `vouch sandbox`"
        ) from error
    options: dict[str, dict[str, str]] = {}
    for name, account in settings.accounts.items():
        if account.base_url or account.gateway_url:
            raise SettingsError(
                f"accounts.{name}.base_url: [sandbox] url is set too, and speaks for all accounts; remove one of them"
            )
        known = accounts.get(name)
        if known is None or known["platform"] != account.platform:
            raise SettingsError(f"accounts.{name}: the sandbox at {url} runs with other settings; start it with these")
        keys = (*SECRETS[account.platform], "base_url", "gateway_url")
        options[name] = {key: known[key] for key in keys if key in known}
    ask = partial(_time_in_sandbox, url)
    return Connections(options, clock, wall, ask, compared=await _compared(wall, ask), sandbox=str(time["started"]))


# -- the time ----------------------------------------------------------------------------------------------------------


async def _compared(wall: Wall, ask: Ask) -> bool:
    """Compare our clock with the platforms'; whether one told its time. Who was paused meanwhile does not know when."""
    began_s = steady()
    theirs = await ask()
    if not theirs or steady() - began_s > AGREE_S:
        return False
    if ahead_s := wall.compare(theirs):
        apart = f"{timedelta(seconds=round(abs(ahead_s)))} {'ahead of' if ahead_s > 0 else 'behind'} the platforms'"
        if wall.jumped_s:
            log.log(
                logging.ERROR if abs(ahead_s) > OFF_S else logging.WARNING,
                "this machine's clock is %s: Vouch goes by theirs; set it, for instance with "
                "`timedatectl set-ntp true`",
                apart,
            )
        else:
            log.warning("Vouch's own count of the time was %s: it goes by theirs", apart)
    return True


class Watch:
    """Sees when the machine's clock jumps, and asks for the time: until somebody tells it, after each jump (where a
    machine stood still, and was set afterwards, we are wrong and not it), and now and then."""

    def __init__(self, found: Connections, jumped: Callable[[], object]) -> None:
        self._found = found
        self._jumped = jumped
        self._compared = found.compared
        self._apart_s = found.wall.jumped_s
        self._waited_s = 0.0

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """What is to be done every ``LOOK_S``."""
        wall = self._found.wall
        self._waited_s += LOOK_S
        if has_jumped := abs(wall.jumped_s - self._apart_s) > AGREE_S:
            self._jumped()
        if has_jumped or self._waited_s >= (TIME_OFTEN_S if self._compared else TIME_AGAIN_S):
            self._compared, self._waited_s = await _compared(wall, self._found.times), 0.0
        self._apart_s = wall.jumped_s
        if has_jumped and self._apart_s:
            log.warning("this machine's clock is %.0f s off; Vouch goes on by its own count", self._apart_s)
