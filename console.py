"""What all commands share: words on the terminal, the settings file, and what went wrong in one line."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import VouchError

if TYPE_CHECKING:
    from core.settings import Settings

SHIPPED = Path(__file__).with_name("settings.toml")


def what_went_wrong(error: BaseException) -> str | None:
    """What went wrong, where that is known."""
    while isinstance(error, BaseExceptionGroup):
        known, unknown = error.split(VouchError)
        if unknown is not None or known is None:
            return None
        error = known.exceptions[0]
    if isinstance(error, VouchError):
        return str(error)
    tell = getattr(error, "format_message", None)  # of what cannot be understood on the command line
    if tell is None:
        return None
    context = getattr(error, "ctx", None)
    return f"{tell().rstrip('.')}; see `{context.command_path if context is not None else 'vouch'} --help`"


def path_of(path: Path | None) -> Path:
    """The settings file: as given, else here, else the one that ships with Vouch."""
    if path is not None:
        return path
    return Path("settings.toml") if Path("settings.toml").is_file() else SHIPPED


def loaded(path: Path | None) -> Settings:
    """The settings in it. Raises ``SettingsError``."""
    from core.settings import load

    return load(path_of(path))


def given_words(survey: str | None, settings: Path | None, week: str | None = None) -> str:
    """What was given on the command line, for a command that is to be typed next."""
    words = [] if survey is None else [survey]
    words += [] if week is None else ["--week", week]
    words += [] if settings is None else ["--settings", str(settings)]
    return "".join(f" {shlex.quote(word)}" for word in words)


def stop_like_ctrl_c() -> None:
    """A SIGTERM ends what was started as Ctrl-C does, and leaves nothing behind."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def run_to_end(work: Coroutine[Any, Any, Any]) -> Any:
    """Run it, and give back what it returns."""
    import asyncio

    return asyncio.run(work)


def tell(done: str, said: dict[str, str], as_json: bool, *, nothing: str, what_next: str) -> None:
    """Say what became of each thing that was to be said; exit code 1 while one of them has not arrived."""
    from commands import in_words

    if as_json:
        say(json.dumps({done: said}))
    elif not said:
        say(nothing)
    else:
        for key, state in said.items():
            say(in_words(key, state))
    if any(state.partition(":")[0] != "sent" for state in said.values()):
        sys.exit(1)
    if said and not as_json:
        say(what_next)


def say(text: str) -> None:
    """A line on standard output, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
