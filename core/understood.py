"""The settings as Vouch understood them, for a person or a script. Secrets are ``***``, with where they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.settings import SECRETS, Settings, missing_secrets, secret_source


def settings_as_json(settings: Settings) -> dict[str, Any]:
    """Every table and key; the secrets that are there as ``***``, those of the sandbox not at all."""
    found: dict[str, Any] = settings.model_dump(mode="json", exclude_none=True)
    found["service"]["database"] = re.sub(r"(://[^/@]*):[^/@]*@", r"\1:***@", settings.service.database)
    for name, account in found["accounts"].items():
        for key in SECRETS[account["platform"]]:
            if secret_source(settings, name, key):
                account[key] = "***"
    return found


def settings_text(settings: Settings, path: Path, option: str) -> str:
    """Where they were read and whom they speak to, a line for each value, what is missing, and the next step.

    ``option`` is what names the file on the command line, such as `` --settings live.toml``; it may be empty.
    """
    sandbox = settings.sandbox.url
    speaks = f"to the sandbox at {sandbox}" if sandbox else "to the real platforms"
    lines = [f"Read from {path}. Vouch speaks {speaks}.", "", *_values("", settings_as_json(settings), settings), ""]
    missing = [] if sandbox else missing_secrets(settings)
    if sandbox:
        lines.append("The sandbox brings its own secrets; to go live, remove [sandbox].")
        lines.append(f"Next: `vouch sandbox{option}` in one terminal, `vouch run{option}` in another.")
    elif missing:
        lines += [
            f"Missing secrets: {len(missing)}. Put them into the environment:",
            *(f"  {name}" for name in missing),
        ]
        lines.append(f"Next: set them, then `vouch settings{option}` again.")
    else:
        lines.append(f"No secret is missing. Next: `vouch run{option}`.")
    return "\n".join(lines)


def _values(prefix: str, value: Any, settings: Settings) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _values(f"{prefix}.{key}" if prefix else key, inner, settings)
    elif value == "***" and prefix.startswith("accounts."):
        account, key = prefix.removeprefix("accounts.").rsplit(".", 1)
        yield f"{prefix} = *** (from {secret_source(settings, account, key)})"
    elif value not in ("", [], None):
        yield f"{prefix} = {', '.join(map(str, value)) if isinstance(value, list) else value}"
