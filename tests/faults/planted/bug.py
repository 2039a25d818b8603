"""One mistake: a few lines of the service as somebody might plausibly have written them instead."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """In this file, ``new`` instead of ``old``, which stands there exactly once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A mistake, and the part of the campaign that must notice it."""

    name: str
    story: str
    """What somebody might have thought, and what goes wrong by it."""
    changes: tuple[Change, ...]
    scenarios: tuple[str, ...]
    """Scenarios of the campaign in which it must show."""
    shows: tuple[str, ...]
    """Fields of the campaign's verdict of which at least one must then be other than clean; see ``hunt.dirty``.
    ``refused``: what was dropped as refused although no person refused it."""
    says: str = ""
    """What one of the findings must say, where no other finding would be proof of it."""
    kills: int = 12
    window: str = ""
    """Where the kills must fall for it to show, if not everywhere; and at which platform."""
    platform: str = ""
    week_s: float = 30.0
    """How long a week takes. What is wrong by hours needs longer ones: a second of a machine's clock is forgiven."""
    followers: int = 240
    """More where few of them do what shows it."""
    database: str = "sqlite"
    instances: int = 1


class DoesNotApply(Exception):
    """The lines that a mistake changes are not there any more, or there twice: write the mistake anew."""


def planted(bug: Bug, into: Path) -> None:
    """Copy the tree and plant the mistake in the copy. Raises ``DoesNotApply``."""
    for name in _tree():
        source = ROOT / name
        if source.is_file():
            target = into / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for change in bug.changes:
        file = into / change.file
        file.write_text(changed(file.read_text("utf-8"), change, bug.name), "utf-8")


def changed(text: str, change: Change, name: str) -> str:
    """The text with one change. Raises ``DoesNotApply``."""
    found = text.count(change.old)
    if found != 1:
        raise DoesNotApply(f"{name}: {change.file} has these lines {found} times:\n{change.old}")
    return text.replace(change.old, change.new)


def _tree() -> list[str]:
    """Every file of the project that is not ignored. Without git (an unpacked archive): all but the hidden."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        return [name for name in listed.stdout.decode().split("\0") if name]
    inside = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [path.as_posix() for path in inside if not any(part.startswith(".") for part in path.parts)]
