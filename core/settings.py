"""The settings: ``settings.toml``, checked, with secrets from files or the environment; never written back.

Every table and key is explained in the ``settings.toml`` that ships with Vouch. The environment overrides single
values: ``VOUCH_SERVICE__DATABASE``, ``VOUCH_SANDBOX__URL``. Secrets are looked up by account, see ``secret``.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.ballot import Scale
from core.checks import check, check_addresses, check_mode
from core.errors import SettingsError
from core.mistakes import mend
from core.reasons import Theme
from core.routes import Channel, ChannelKind, Routes, Team
from core.survey import TEXTS, Benchmark, Survey

SECRETS: Mapping[str, tuple[str, ...]] = {
    "telegram": ("token",),
    "discord": ("token",),
    "x": ("consumer_key", "consumer_secret", "access_token", "access_token_secret"),
}
"""The secrets that an account needs, by platform."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServiceSettings(_Table):
    """``[service]``: the running service itself."""

    database: str = "sqlite:///vouch.db"
    tick_s: float = Field(default=1.0, gt=0, le=60)
    trusted_hosts: tuple[str, ...] = ()
    """Hosts besides the platforms' own that secrets may be sent to, such as a Bot API server of your own."""

    @field_validator("database")
    @classmethod
    def _file_or_server(cls, database: str) -> str:
        if not re.match(r"(sqlite:///|postgresql://).", database):
            raise ValueError("is no database address; write sqlite:///FILE or postgresql://NAME@HOST/DATABASE")
        return database


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

    name: Annotated[str, Field(min_length=1)]
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
    quotes: bool = True
    cases: bool = True
    lead: str = ""
    roles: tuple[str, ...] = ()
    advice: Mapping[Literal["low", "middle", "high"], str] = {}


class ThemeSettings(_Table):
    """``[themes.NAME]``"""

    title: Mapping[str, str] = {}
    words: Annotated[Mapping[str, tuple[str, ...]], Field(min_length=1)]

    @field_validator("words")
    @classmethod
    def _some(cls, words: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        if not all(word.strip("* ") for its in words.values() for word in its):
            raise ValueError("an empty word would be in every comment; remove it")
        return words


class BenchmarkSettings(_Table):
    """``[benchmarks.NAME]``: somebody else's score."""

    title: str
    score: int = Field(ge=-100, le=100)
    source: str
    date: date

    @property
    def benchmark(self) -> Benchmark:
        """As core knows it."""
        return Benchmark(self.title, self.score, self.source, self.date)


class SurveySettings(_Table):
    """``[surveys.NAME]``"""

    brand: str
    scale: Scale = Scale.ZERO_TO_TEN
    ask: str = "Mon 10:00"
    channels: tuple[str, ...]
    teams: tuple[str, ...] = ()
    question: Mapping[str, str] = {}
    texts: Mapping[str, Mapping[str, str]] = {}
    window_weeks: int | str = "auto"
    goal: int | None = Field(default=None, ge=-100, le=100)
    benchmarks: Annotated[tuple[str, ...], Field(max_length=5)] = ()

    @field_validator("window_weeks")
    @classmethod
    def _weeks(cls, weeks: int | str) -> int | str:
        if weeks != "auto" and weeks not in range(1, 53):
            raise ValueError('write "auto", or a number of weeks from 1 to 52')
        return weeks

    @field_validator("texts")
    @classmethod
    def _known_texts(cls, texts: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
        for name in texts:
            if name not in TEXTS:
                close = get_close_matches(name, TEXTS, 1)
                hint = f"did you mean {close[0]}?" if close else f"there is: {', '.join(TEXTS)}"
                raise ValueError(f"there is no text {name}; {hint}")
        return texts


class Settings(BaseSettings):
    """All settings, as they stand in the file."""

    model_config = SettingsConfigDict(env_prefix="VOUCH_", env_nested_delimiter="__", extra="forbid", frozen=True)

    service: ServiceSettings = ServiceSettings()
    sandbox: SandboxSettings = SandboxSettings()
    brands: Mapping[str, BrandSettings] = {}
    accounts: Mapping[str, AccountSettings] = {}
    channels: Mapping[str, ChannelSettings] = {}
    teams: Mapping[str, TeamSettings] = {}
    themes: Mapping[str, ThemeSettings] = {}
    benchmarks: Mapping[str, BenchmarkSettings] = {}
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
        asked = {(self.accounts[channel.account].platform, channel.place) for channel in self.channels.values()}
        return {
            name: Team(
                name=name,
                account=team.account,
                place=team.place,
                zone=team.timezone,
                report=team.report,
                language=team.language,
                quotes=team.quotes,
                roles=team.roles,
                cases=team.cases and team.quotes and platform != "x",
                lead=team.lead,
                advice={str(level): said for level, said in team.advice.items()},
                inside=platform != "x" and (platform, team.place) not in asked,
            )
            for name, team in self.teams.items()
            for platform in [self.accounts[team.account].platform]
        }

    def _themes(self) -> tuple[Theme, ...]:
        return tuple(
            Theme(name=name, titles=theme.title, words=tuple(word for its in theme.words.values() for word in its))
            for name, theme in self.themes.items()
        )

    def _survey(self, name: str, found: SurveySettings) -> Survey:
        brand = self.brands[found.brand]
        return Survey(
            name=name,
            brand=brand.name,
            scale=found.scale,
            zone=brand.timezone,
            languages=brand.languages,
            questions=found.question,
            texts=found.texts,
            ask=found.ask,
            channels=found.channels,
            teams=found.teams,
            themes=self._themes(),
            window_weeks=found.window_weeks if isinstance(found.window_weeks, int) else None,
            goal=found.goal,
            benchmarks=tuple(self.benchmarks[mark].benchmark for mark in found.benchmarks),
        )


def load(path: Path) -> Settings:
    """The settings of a file. Raises ``SettingsError`` with one line that names the key and the mend."""
    if path.is_dir():
        raise SettingsError(f"{path} is a folder: name the settings file in it with --settings")
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"there is no file {path}: name yours with --settings") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read: it is no TOML ({error}); write it like the settings.toml that ships with Vouch"
        ) from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    try:
        settings = Settings(**found)
    except ValidationError as error:
        raise SettingsError(f"{path}: {mend(error, Settings)}") from None
    try:
        check(settings)
        check_addresses(settings)
        check_mode(path, _written_secrets(settings, found))
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None
    return settings


# -- secrets -----------------------------------------------------------------------------------------------------------


def secret(settings: Settings, account: str, name: str) -> str:
    """A secret of an account: from ``$CREDENTIALS_DIRECTORY/ACCOUNT.NAME``, the environment variable
    ``VOUCH_ACCOUNT_NAME``, or the settings. Raises ``SettingsError`` that says where to put all that are missing."""
    found, _ = _looked_up(settings, account, name)
    if not found:
        raise SettingsError(
            f"no {name} for accounts.{account}; put what is missing into the environment: "
            f"{', '.join(missing_secrets(settings))}"
        )
    return found


def secret_source(settings: Settings, account: str, name: str) -> str:
    """Where a secret of an account comes from, as a person would look for it; empty where there is none."""
    return _looked_up(settings, account, name)[1]


def missing_secrets(settings: Settings) -> list[str]:
    """The environment variables that wait for a secret, of all accounts."""
    return [
        _variable(account, name)
        for account, found in settings.accounts.items()
        for name in SECRETS[found.platform]
        if not secret_source(settings, account, name)
    ]


def _looked_up(settings: Settings, account: str, name: str) -> tuple[str, str]:
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if directory and (path := Path(directory, f"{account}.{name}")).is_file():
        return path.read_text("utf-8").strip(), str(path)
    variable = _variable(account, name)
    if found := os.environ.get(variable, "").strip():
        return found, variable
    written: SecretStr | None = getattr(settings.accounts[account], name)
    return (written.get_secret_value(), "the settings") if written is not None else ("", "")


def _variable(account: str, name: str) -> str:
    return f"VOUCH_{re.sub(r'[^A-Z0-9]', '_', account.upper())}_{name.upper()}"


def _written_secrets(settings: Settings, found: Mapping[str, Any]) -> list[str]:
    """Keys of the secrets that stand in the file itself."""
    written = [
        f"accounts.{name}"
        for name, a in settings.accounts.items()
        if any(getattr(a, key) is not None for key in SECRETS[a.platform])
    ]
    if re.search(r"://[^/@]*:[^/@]+@", str(found.get("service", {}).get("database", ""))):
        written.append("service.database")
    return written
