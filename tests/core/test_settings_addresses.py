"""Where secrets may be sent: a table of hostile and honest addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import load

_SETTINGS = """
[service]
trusted_hosts = {trusted}
[brands.b]
name = "B"
[accounts.a]
platform = "{platform}"
{key} = "{address}"
[channels.c]
account = "a"
place = "direct"
kind = "direct"
[surveys.s]
brand = "b"
channels = ["c"]
"""


def _load(folder: Path, platform: str, key: str, address: str, trusted: str = "[]") -> None:
    path = folder / "settings.toml"
    path.write_text(_SETTINGS.format(platform=platform, key=key, address=address, trusted=trusted), "utf-8")
    load(path)


@pytest.mark.parametrize(
    ("platform", "key", "address"),
    [
        ("telegram", "base_url", "https://api.telegram.org"),
        ("telegram", "base_url", "http://127.0.0.1:8081"),
        ("telegram", "base_url", "http://[::1]:8081"),
        ("discord", "base_url", "https://discord.com/api/v10"),
        ("discord", "gateway_url", "wss://gateway.discord.gg/"),
        ("discord", "gateway_url", "ws://localhost:9000/gateway"),
        ("x", "base_url", "https://api.x.com"),
    ],
)
def test_honest_addresses_are_taken(tmp_path: Path, platform: str, key: str, address: str) -> None:
    _load(tmp_path, platform, key, address)


@pytest.mark.parametrize(
    ("platform", "address"),
    [
        ("telegram", "http://api.telegram.org"),
        ("telegram", "https://api.telegram.org.evil.example"),
        ("telegram", "https://evil.example/api.telegram.org"),
        ("telegram", "https://api.telegram.org@evil.example"),
        ("telegram", "https://evil.example#api.telegram.org"),
        ("telegram", "https://evil.example?x=api.telegram.org"),
        ("telegram", "https://api.telegram.org/{token}"),
        ("telegram", "http://127.0.0.1.evil.example"),
        ("telegram", "http://0x7f000001.evil.example"),
        ("telegram", "http://192.168.1.1"),
        ("telegram", "http://169.254.169.254/latest"),
        ("telegram", "file:///etc/passwd"),
        ("telegram", "ftp://api.telegram.org"),
        ("telegram", "api.telegram.org"),
        ("telegram", "https://"),
        ("telegram", "https://[::1"),
        ("telegram", "https://discord.com"),
        ("discord", "https://api.telegram.org"),
        ("x", "https://api.x.com:443@evil.example"),
        ("x", "https://api.x.co"),
    ],
)
def test_any_other_address_is_refused_in_one_line(tmp_path: Path, platform: str, address: str) -> None:
    with pytest.raises(SettingsError, match=r"accounts\.a\.base_url") as refused:
        _load(tmp_path, platform, "base_url", address)
    assert "\n" not in str(refused.value)
    assert "trusted_hosts" in str(refused.value)


def test_a_host_of_ones_own_can_be_trusted(tmp_path: Path) -> None:
    _load(tmp_path, "telegram", "base_url", "https://bots.example", '["bots.example"]')
    with pytest.raises(SettingsError):
        _load(tmp_path, "telegram", "base_url", "http://bots.example", '["bots.example"]')
