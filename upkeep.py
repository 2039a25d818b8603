"""What ``vouch backup`` and ``vouch restore`` do."""

from __future__ import annotations

import asyncio
import shlex
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from core.settings import Settings
from core.store import copies

QUICK_S = 1.0
"""Work that is done within this time shows no progress."""


def back_up(settings: Settings, file: Path, given: str) -> tuple[str, dict[str, Any]]:
    """Copy the database to a file. Returns what to say: in words, and for a script. ``given`` are the options to type
    again in the next command. Raises ``StoreError``."""
    made = copies.backup(settings.service.database, file, _now(settings), _progress("Copying"))
    said = (
        f"Backed up {made.rows:,} rows to {made.file} ({made.bytes / 1e6:.1f} MB), and checked the copy.\n"
        "It holds what people wrote and the key of the buttons: keep it where only you can read it.\n"
        f"`vouch restore {shlex.quote(str(made.file))}{given}` puts it back."
    )
    return said, {"file": str(made.file), "rows": made.rows, "bytes": made.bytes}


def put_back(settings: Settings, file: Path, given: str) -> tuple[str, dict[str, Any]]:
    """Put a backup in the place of the database. Returns what to say, as above. Raises ``StoreError``."""
    done = copies.restore(settings.service.database, file, _now(settings), _progress("Restoring"))
    made = f", made at {done.made_at}" if done.made_at else ""
    lines = [f"Restored {done.rows:,} rows from {file}{made}."]
    if done.aside is not None:
        lines.append(f"What was there before is kept in {done.aside}.")
    if done.unknown:
        lines.append(f"{done.unknown} messages were planned then and may have been said since: they are looked for.")
    lines.append(
        "Stops stay in force, also those that came later."
        if done.stops_known
        else "Only the stops in the backup are in force: the file `….stops` beside the old database was not here. "
        "If you have it, put it beside the new one before you start."
    )
    lines.append("What was asked or posted after the backup is forgotten: it is looked for, not said blindly again.")
    lines.append("`vouch status` lists what nobody can look for.")
    lines.append(f"Start `vouch run{given}` when that is right.")
    told = {
        "made_at": done.made_at or None,
        "rows": done.rows,
        "unknown": done.unknown,
        "stops_known": done.stops_known,
        "aside": str(done.aside) if done.aside is not None else None,
    }
    return "\n".join(lines), told


def _now(settings: Settings) -> datetime:
    from connecting import calendar

    return asyncio.run(calendar(settings)).now()


def _progress(what: str) -> Callable[[float], None]:
    """Shows how much is done, to somebody who waits at a terminal."""
    started = time.monotonic()

    def show(part: float) -> None:
        if time.monotonic() - started > QUICK_S and sys.stderr.isatty():
            sys.stderr.write(f"\r{what} … {part:.0%}{chr(10) if part >= 1 else ''}")
            sys.stderr.flush()

    return show
