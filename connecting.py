"""How each account is reached, and what the time is: from the sandbox, or from the settings and the platforms."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bots import HOMES
from bots.times import times
from core.clock import AGREE_S, Clock, Wall
from core.errors import SettingsError
from core.settings import SECRETS, Settings, secret
from core.store import home
from core.store.database import Database

log = logging.getLogger(__name__)

HANDSHAKE_S = 5.0
"""How long the sandbox may take to say where everything is."""

LOOK_S, TIME_AGAIN_S = 2.0, 60.0
"""How often it is looked whether the machine's clock jumped, and how often the platforms are asked for the time until
one tells it."""


@dataclass(frozen=True, slots=True)
class Connections:
    """How each account is reached, and the calendar."""

    options: Mapping[str, Mapping[str, str]]
    clock: Clock
    wall: Wall
    compared: bool
    """Whether a platform has told its time."""
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
    _go_by(wall, theirs := await times(_homes(settings)))
    return Connections(options, Clock(wall=wall), wall, compared=bool(theirs))


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


async def _from_sandbox(settings: Settings, wall: Wall) -> Connections:
    import aiohttp

    url = settings.sandbox.url
    try:
        timeout = aiohttp.ClientTimeout(total=HANDSHAKE_S)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{url}/sandbox") as response:
            found: Any = await response.json()
        time = found["clock"]
        _go_by(wall, [time["wire"]])  # not its Date: half a second there may be hours on a fast calendar
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
    return Connections(options, clock, wall, compared=True, sandbox=str(time["started"]))


# -- the time ----------------------------------------------------------------------------------------------------------


def _homes(settings: Settings) -> set[str]:
    return {account.base_url or HOMES[account.platform] for account in settings.accounts.values()}


def _go_by(wall: Wall, theirs: Sequence[float]) -> None:
    """Compare our clock with the platforms'."""
    if ahead_s := wall.compare(theirs):
        log.error(
            "this machine's clock is %.0f min %s the platforms': Vouch goes by theirs; set it, for instance with "
            "`timedatectl set-ntp true`",
            abs(ahead_s) / 60,
            "ahead of" if ahead_s > 0 else "behind",
        )


async def watch_the_clock(settings: Settings, found: Connections, jumped: Callable[[], object]) -> None:
    """Say when the machine's clock jumps, and ask the platforms for the time until one has told it."""
    wall, compared, apart_s, waited_s = found.wall, found.compared, 0.0, 0.0
    while True:
        await asyncio.sleep(LOOK_S)
        waited_s += LOOK_S
        before_s, apart_s = apart_s, wall.jumped_s
        if abs(apart_s - before_s) > AGREE_S:
            jumped()
            if apart_s:
                log.warning("this machine's clock is %.0f s off; Vouch goes on by its own count", apart_s)
        if not compared and waited_s >= TIME_AGAIN_S:
            theirs = await times(_homes(settings))
            _go_by(wall, theirs)
            compared, waited_s = bool(theirs), 0.0
