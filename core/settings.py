"""The settings: ``settings.toml``, checked, with secrets from files or the environment; never written back.

Every table and key is explained in the ``settings.toml`` that ships with Vouch. The environment overrides single
values: ``VOUCH_SERVICE__DATABASE``, ``VOUCH_SANDBOX__URL``. Secrets are looked up by account, see ``secret``.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.ballot import Scale
from core.errors import SettingsError
from core.routes import Channel, ChannelKind, Routes, Team
from core.survey import Survey, report_due, week_wave

SECRETS: Mapping[str, tuple[str, ...]] = {
    "telegram": ("token",),
    "discord": ("token",),
    "x": ("consumer_key", "consumer_secret", "access_token", "access_token_secret"),
}
"""The secrets that an account needs, by platform."""


HOSTS: Mapping[str, frozenset[str]] = {
    "telegram": frozenset({"api.telegram.org"}),
    "discord": frozenset({"discord.com", "gateway.discord.gg"}),
    "x": frozenset({"api.x.com", "api.twitter.com"}),
}
"""Where each platform's secrets may go (OWASP ASVS 5.0, 1.3.6 and 15.3.2: an allow-list of addresses)."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServiceSettings(_Table):
    """``[service]``: the running service itself."""

    database: str = "sqlite:///vouch.db"
    tick_s: float = Field(default=1.0, gt=0, le=60)
    trusted_hosts: tuple[str, ...] = ()
    """Hosts besides the platforms' own that secrets may be sent to, such as a Bot API server of your own."""


class SandboxSettings(_Table):
    """``[sandbox]``: where the stand-ins are; without it the platforms themselves are spoken to."""

    url: str = ""
    broadcast: tuple[str, ...] = ()
    """Ids of the places that are Telegram broadcast channels there; all others are groups."""

    @field_validator("url")
    @classmethod
    def _loopback(cls, url: str) -> str:
        if url and not re.fullmatch(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?/?", url):
            raise ValueError("the sandbox is on this machine only: write http://127.0.0.1:PORT")
        return url.rstrip("/")


class BrandSettings(_Table):
    """``[brands.NAME]``"""

    name: str
    languages: tuple[str, ...] = ("en",)
    timezone: str = "UTC"


class AccountSettings(_Table):
    """``[accounts.NAME]``: the secrets may stand here only if nobody else may read the file."""

    platform: Literal["telegram", "discord", "x"]
    base_url: str = ""
    gateway_url: str = ""
    token: SecretStr | None = None
    consumer_key: SecretStr | None = None
    consumer_secret: SecretStr | None = None
    access_token: SecretStr | None = None
    access_token_secret: SecretStr | None = None


class ChannelSettings(_Table):
    """``[channels.NAME]``"""

    account: str
    place: str
    kind: ChannelKind = ChannelKind.BUTTONS


class TeamSettings(_Table):
    """``[teams.NAME]``"""

    account: str
    place: str
    timezone: str = "UTC"
    report: str = "Mon 09:00"
    language: str = "en"


class SurveySettings(_Table):
    """``[surveys.NAME]``"""

    brand: str
    scale: Scale = Scale.ZERO_TO_TEN
    ask: str = "Mon 10:00"
    channels: tuple[str, ...]
    teams: tuple[str, ...] = ()
    question: Mapping[str, str] = {}


class Settings(BaseSettings):
    """All settings, as they stand in the file."""

    model_config = SettingsConfigDict(env_prefix="VOUCH_", env_nested_delimiter="__", extra="forbid", frozen=True)

    service: ServiceSettings = ServiceSettings()
    sandbox: SandboxSettings = SandboxSettings()
    brands: Mapping[str, BrandSettings] = {}
    accounts: Mapping[str, AccountSettings] = {}
    channels: Mapping[str, ChannelSettings] = {}
    teams: Mapping[str, TeamSettings] = {}
    surveys: Mapping[str, SurveySettings] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the file."""
        return env_settings, init_settings

    def routes(self) -> Routes:
        """Surveys and channels as core knows them. Raises ``SettingsError``."""
        channels = {
            name: Channel(name=name, account=c.account, place=c.place, kind=c.kind) for name, c in self.channels.items()
        }
        return Routes([self._survey(name, found) for name, found in self.surveys.items()], channels)

    def team_list(self) -> dict[str, Team]:
        """Teams as core knows them."""
        return {
            name: Team(
                name=name,
                account=team.account,
                place=team.place,
                zone=team.timezone,
                report=team.report,
                language=team.language,
            )
            for name, team in self.teams.items()
        }

    def _survey(self, name: str, found: SurveySettings) -> Survey:
        brand = self.brands[found.brand]
        return Survey(
            name=name,
            brand=brand.name,
            scale=found.scale,
            zone=brand.timezone,
            languages=brand.languages,
            questions=found.question,
            ask=found.ask,
            channels=found.channels,
            teams=found.teams,
        )


def load(path: Path) -> Settings:
    """The settings of a file. Raises ``SettingsError`` with one line that names the key and the mend."""
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"there is no file {path}: name yours with --settings") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    try:
        settings = Settings(**found)
    except ValidationError as error:
        raise SettingsError(f"{path}: {_first_error(error)}") from None
    _check(path, settings)
    _check_addresses(path, settings)
    _check_mode(path, settings, str(found.get("service", {}).get("database", "")))
    return settings


def secret(settings: Settings, account: str, name: str) -> str:
    """A secret of an account: from ``$CREDENTIALS_DIRECTORY/ACCOUNT.NAME``, the environment variable
    ``VOUCH_ACCOUNT_NAME``, or the settings. Raises ``SettingsError`` that says where to put it."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if directory and (path := Path(directory, f"{account}.{name}")).is_file():
        return path.read_text("utf-8").strip()
    variable = f"VOUCH_{re.sub(r'[^A-Z0-9]', '_', account.upper())}_{name.upper()}"
    if found := os.environ.get(variable, "").strip():
        return found
    written: SecretStr | None = getattr(settings.accounts[account], name)
    if written is not None:
        return written.get_secret_value()
    raise SettingsError(f"accounts.{account}: no {name}; put it into the environment variable {variable}")


def _check(path: Path, settings: Settings) -> None:
    """Whether every name that is used exists, and every time can be read."""

    def known(key: str, name: str, names: Iterable[str], table: str) -> None:
        if name not in names:
            choices = ", ".join(sorted(names)) or "none yet"
            raise SettingsError(f"{path}: {key}: there is no [{table}.{name}]; there is: {choices}")

    taken: dict[tuple[str, str, ChannelKind], str] = {}
    if not settings.surveys:
        raise SettingsError(f"{path}: no survey; add a table [surveys.NAME]")
    for name, channel in settings.channels.items():
        known(f"channels.{name}.account", channel.account, settings.accounts, "accounts")
        if (channel.kind is ChannelKind.DIRECT) is not (channel.place == "direct"):
            raise SettingsError(
                f'{path}: channels.{name}: kind = "direct" goes with place = "direct" and no other; change one of them'
            )
        same = (channel.account, channel.place, channel.kind)
        if same in taken:
            raise SettingsError(f"{path}: channels.{name}: is the same as channels.{taken[same]}; remove one of them")
        taken[same] = name
    for name, team in settings.teams.items():
        known(f"teams.{name}.account", team.account, settings.accounts, "accounts")
    for name, survey in settings.surveys.items():
        known(f"surveys.{name}.brand", survey.brand, settings.brands, "brands")
        for channel_name in survey.channels:
            known(f"surveys.{name}.channels", channel_name, settings.channels, "channels")
        for team_name in survey.teams:
            known(f"surveys.{name}.teams", team_name, settings.teams, "teams")
    _check_times(path, settings)


def _check_times(path: Path, settings: Settings) -> None:
    from datetime import UTC, datetime

    key = ""
    try:
        for name, survey in settings.surveys.items():
            key = f"surveys.{name}"
            found = settings._survey(name, survey)
            wave = week_wave(found, datetime.now(UTC))
            report_due(wave, survey.ask, found.zone)
            for team_name in survey.teams:
                key = f"teams.{team_name}"
                report_due(wave, settings.teams[team_name].report, settings.teams[team_name].timezone)
    except ValueError as error:
        raise SettingsError(f"{path}: {key}: {error}") from None


def _check_addresses(path: Path, settings: Settings) -> None:
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
                    f"{path}: accounts.{name}.{key}: {address} is no https address of {account.platform}; "
                    f"remove it, or name its host in service.trusted_hosts"
                )


def _check_mode(path: Path, settings: Settings, database: str) -> None:
    """A file with secrets in it must be readable by its owner alone (OWASP ASVS 5.0, 13.3.1)."""
    written = [
        f"accounts.{name}"
        for name, a in settings.accounts.items()
        if any(getattr(a, key) is not None for key in SECRETS[a.platform])
    ]
    if re.search(r"://[^/@]*:[^/@]+@", database):
        written.append("service.database")
    if written and path.stat().st_mode & 0o077:
        raise SettingsError(f"{path}: {written[0]} holds a secret that others can read: chmod 600 {path}")


def _first_error(error: ValidationError) -> str:
    first: Any = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{key}: there is no such setting; see the settings.toml that ships with Vouch"
    if first["type"] == "missing":
        return f"{key}: missing; add it"
    return f"{key}: {first['msg'].removeprefix('Value error, ')}"
