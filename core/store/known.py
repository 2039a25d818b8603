"""What is known besides the database when something arrives: the settings' routes, the seal, the clock, the limits."""

from __future__ import annotations

from collections.abc import Callable

from core.buttons import Seal
from core.clock import Clock
from core.routes import Routes
from core.store.directory import Directory


class Known:
    """Shared by all that works on what arrives. ``wake`` is called, in the writer's thread, when it planned answers."""

    def __init__(
        self,
        routes: Routes,
        seal: Seal,
        clock: Clock,
        directory: Directory,
        wake: Callable[[str], None],
    ) -> None:
        self.routes = routes
        self.seal = seal
        self.clock = clock
        self.directory = directory
        self.wake = wake
        self.private_answers: dict[tuple[str, str], bool] = {}
        """By (account, place id): whether a tap there can be answered to that person alone."""
        self.answers_only: set[str] = set()
        """Accounts that may write directly only in answer."""
