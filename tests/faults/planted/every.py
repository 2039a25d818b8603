"""All mistakes that are planted."""

from __future__ import annotations

from tests.faults.planted import intake, machines, numbers, sending
from tests.faults.planted.bug import Bug

BUGS: tuple[Bug, ...] = (*intake.BUGS, *sending.BUGS, *numbers.BUGS, *machines.BUGS)
NAMES = tuple(bug.name for bug in BUGS)

FEWEST = 20
"""With fewer, that all were caught says little."""
