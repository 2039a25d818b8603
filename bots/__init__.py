"""The registry of platforms. An adapter, and the library under it, is imported only when an account needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import cast

from core.account import Account, Forms
from core.clock import Clock
from core.errors import SettingsError

PLATFORMS: Mapping[str, str] = {
    "telegram": "bots.telegram:TelegramAccount",
    "discord": "bots.discord:DiscordAccount",
    "x": "bots.x:XAccount",
}
"""Where each platform's account is made."""

HOMES: Mapping[str, str] = {
    "telegram": "https://api.telegram.org",
    "discord": "https://discord.com",
    "x": "https://api.x.com",
}
"""Where each platform answers, if only to tell its time."""


def open_account(platform: str, name: str, options: Mapping[str, str], clock: Clock, forms: Forms) -> Account:
    """An account, not signed in yet. ``options`` are its secrets and addresses, as its class names them.

    Raises ``SettingsError`` for a platform that there is no adapter for.
    """
    if platform not in PLATFORMS:
        raise SettingsError(f"accounts.{name}.platform: there is no {platform!r}; there is: {', '.join(PLATFORMS)}")
    module, _, kind = PLATFORMS[platform].partition(":")
    make = cast("Callable[..., Account]", getattr(import_module(module), kind))
    return make(name, **options, clock=clock, forms=forms)
