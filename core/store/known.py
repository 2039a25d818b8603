"""What is known besides the database when something arrives: the settings' routes, the seal, the clock, the limits."""

from __future__ import annotations

from collections.abc import Callable

from core.account import Limits
from core.buttons import Seal
from core.clock import Clock
from core.routes import Routes, Team
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
        self.limits: dict[tuple[str, str], Limits] = {}
        """By (account, place id): what can be said there, and how."""
        self.desks: dict[tuple[str, str], str] = {}
        """By (account, place id) of a team's own place, the team's language: what is said there is no answer."""
        self.caring: dict[str, tuple[Team, ...]] = {}
        """By survey, the teams that are told of unhappy people and answer them."""
        self.answers_only: set[str] = set()
        """Accounts that may write directly only in answer."""
