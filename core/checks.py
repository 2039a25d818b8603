"""What must hold among the settings' tables: names exist, places fit, times can be read, secrets are safe.

Each check raises ``SettingsError`` with the key and the mend; ``core/settings.py`` puts the file's name before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.errors import SettingsError
from core.routes import ChannelKind
from core.survey import Survey, report_due, week_wave, zone_of
from core.words import languages

if TYPE_CHECKING:
    from core.settings import Settings

HOSTS: Mapping[str, frozenset[str]] = {
    "telegram": frozenset({"api.telegram.org"}),
    "discord": frozenset({"discord.com", "gateway.discord.gg"}),
    "x": frozenset({"api.x.com", "api.twitter.com"}),
}
"""Where each platform's secrets may go (OWASP ASVS 5.0, 1.3.6 and 15.3.2: an allow-list of addresses)."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_ANY_WEEK = datetime(2026, 1, 7, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Carries:
    """How a platform calls its places, and how it can ask there."""

    platform: str
    place: str
    """Pattern of a place's id."""
    write: str
    """What to write instead of anything else."""
    kinds: frozenset[ChannelKind]
    role: str = ""
    """Pattern of a role's id; empty where there are none."""


_ASKED_IN_PUBLIC = frozenset({ChannelKind.BUTTONS, ChannelKind.POLL})
_PLATFORMS: Mapping[str, _Carries] = {
    "telegram": _Carries("Telegram", r"-[0-9]{1,19}", 'its number, such as "-1001234567890"', _ASKED_IN_PUBLIC),
    "discord": _Carries(
        "Discord", r"[0-9]{15,20}", 'its id, such as "1100000000000000002"', _ASKED_IN_PUBLIC, r"[0-9]{15,20}"
    ),
    "x": _Carries("X", "timeline", '"timeline"', frozenset({ChannelKind.POLL, ChannelKind.REPLIES})),
}


def check(settings: Settings) -> None:
    """Whether every name that is used exists, every place can carry its kind, and every time can be read."""
    if not settings.surveys:
        raise SettingsError("no survey; add a table [surveys.NAME]")
    taken: dict[tuple[str, str, ChannelKind], str] = {}
    for name, channel in settings.channels.items():
        _known(f"channels.{name}.account", [channel.account], settings.accounts, "accounts")
        _check_channel(settings, name)
        same = (channel.account, channel.place, channel.kind)
        if same in taken:
            raise SettingsError(f"channels.{name}: is the same as channels.{taken[same]}; remove one of them")
        taken[same] = name
    places: dict[tuple[str, str], str] = {}
    for name, team in settings.teams.items():
        other = places.setdefault((team.account, team.place), name)
        if other != name:
            raise SettingsError(f"teams.{name}: has the same account and place as teams.{other}; remove one of them")
        _check_roles(settings, name)
        _known(f"teams.{name}.account", [team.account], settings.accounts, "accounts")
        _check_place(f"teams.{name}.place", settings.accounts[team.account].platform, team.place, "")
    for name, survey in settings.surveys.items():
        _known(f"surveys.{name}.brand", [survey.brand], settings.brands, "brands")
        _known(f"surveys.{name}.channels", survey.channels, settings.channels, "channels")
        _known(f"surveys.{name}.teams", survey.teams, settings.teams, "teams")
        _known(f"surveys.{name}.benchmarks", survey.benchmarks, settings.benchmarks, "benchmarks")
    _check_languages(settings)
    _check_texts(settings)
    _check_times(settings)


def _known(key: str, used: Iterable[str], names: Iterable[str], table: str) -> None:
    for name in used:
        if name not in names:
            choices = ", ".join(sorted(names)) or "none yet"
            raise SettingsError(f"{key}: there is no [{table}.{name}]; there is: {choices}")


def _check_channel(settings: Settings, name: str) -> None:
    channel = settings.channels[name]
    platform = settings.accounts[channel.account].platform
    carries = _PLATFORMS[platform]
    if (channel.kind is ChannelKind.DIRECT) is not (channel.place == "direct"):
        raise SettingsError(
            f'channels.{name}: kind = "direct" goes with place = "direct" and no other; change one of them'
        )
    if channel.kind is ChannelKind.DIRECT:
        return
    if channel.kind is ChannelKind.REPLIES and channel.kind not in carries.kinds:
        raise SettingsError(f'channels.{name}.kind: "replies" goes only with place = "timeline" on X; choose another')
    if channel.kind not in carries.kinds:
        choices = ", ".join(f'"{kind}"' for kind in sorted({*carries.kinds, ChannelKind.DIRECT}))
        raise SettingsError(f"channels.{name}.kind: {carries.platform} has no {channel.kind}; write one of {choices}")
    _check_place(f"channels.{name}.place", platform, channel.place, ', or "direct" with kind = "direct"')


def _check_roles(settings: Settings, name: str) -> None:
    team = settings.teams[name]
    if team.account not in settings.accounts:
        return
    carries = _PLATFORMS[settings.accounts[team.account].platform]
    if team.lead and not team.lead.isdecimal():
        raise SettingsError(
            f'teams.{name}.lead: "{team.lead}" is nobody\'s id; write the number that the platform gives them'
        )
    for role in team.roles:
        if not carries.role:
            raise SettingsError(f"teams.{name}.roles: {carries.platform} has no roles; remove it")
        if re.fullmatch(carries.role, role) is None:
            raise SettingsError(
                f'teams.{name}.roles: "{role}" is no role on {carries.platform}; write its id in quotes'
            )


def _check_place(key: str, platform: str, place: str, else_write: str) -> None:
    carries = _PLATFORMS[platform]
    if re.fullmatch(carries.place, place) is None:
        raise SettingsError(f'{key}: "{place}" is no place on {carries.platform}; write {carries.write}{else_write}')


def _check_languages(settings: Settings) -> None:
    used = {f"brands.{name}.languages": brand.languages for name, brand in settings.brands.items()}
    used |= {f"teams.{name}.language": (team.language,) for name, team in settings.teams.items()}
    for key, tags in used.items():
        if not tags:
            raise SettingsError(f'{key}: name at least one, such as languages = ["en"]')
        for tag in tags:
            if not any(tag.casefold() == own or tag.casefold().startswith(f"{own}-") for own in languages()):
                raise SettingsError(f'{key}: Vouch has no words for "{tag}"; Vouch speaks {", ".join(languages())}')


def _check_texts(settings: Settings) -> None:
    for name, survey in settings.surveys.items():
        spoken = settings.brands[survey.brand].languages
        for what, words in survey.texts.items():
            for tag in words:
                if tag not in spoken:
                    key = f"surveys.{name}.texts.{what}"
                    raise SettingsError(
                        f'{key}: nobody would read "{tag}"; brands.{survey.brand} speaks {", ".join(spoken)}'
                    )


def _check_times(settings: Settings) -> None:
    wave = week_wave(Survey(name="", brand=""), _ANY_WEEK)
    key = ""
    try:
        for name, brand in settings.brands.items():
            key = f"brands.{name}.timezone"
            zone_of(brand.timezone)
        for name, team in settings.teams.items():
            key = f"teams.{name}.timezone"
            zone_of(team.timezone)
            key = f"teams.{name}.report"
            report_due(wave, team.report, team.timezone)
        for name, survey in settings.surveys.items():
            key = f"surveys.{name}.ask"
            report_due(wave, survey.ask, settings.brands[survey.brand].timezone)
    except ValueError as error:
        raise SettingsError(f"{key}: {error}") from None


def check_addresses(settings: Settings) -> None:
    """Secrets travel encrypted and to known hosts only; unencrypted not farther than this machine."""
    for name, account in settings.accounts.items():
        for key in ("base_url", "gateway_url"):
            address = str(getattr(account, key))
            if not address:
                continue
            try:
                url = urlsplit(address)
                host, strange = url.hostname or "", bool(url.username or url.query or url.fragment)
            except ValueError:
                host, strange, url = "", True, urlsplit("")
            known = host in HOSTS[account.platform] | set(settings.service.trusted_hosts)
            safe = (url.scheme in ("https", "wss") and (known or host in _LOOPBACK)) or (
                url.scheme in ("http", "ws") and host in _LOOPBACK
            )
            if strange or not safe or set("{}\\") & set(address):
                raise SettingsError(
                    f"accounts.{name}.{key}: {address} is no https address of {account.platform}; "
                    f"remove it, or name its host in service.trusted_hosts"
                )


def check_mode(path: Path, written: Iterable[str]) -> None:
    """A file with secrets ``written`` in it must be readable by its owner alone (OWASP ASVS 5.0, 13.3.1)."""
    for key in written:
        if path.stat().st_mode & 0o077:
            raise SettingsError(f"{key} holds a secret that others can read: chmod 600 {path}")
