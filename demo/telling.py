"""What whoever watches the demo is told of the teams' places, while it happens: one team's in full, of the others that
they got the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from core.routes import Team
from demo.headlines import is_headline
from demo.readback import WEEK, tells
from sandbox.office import Duty, Errand
from sandbox.seam import Post

_SHORT = 160
"""Characters of a message that stands in one line."""

_NAMES = {"x": "X", "telegram": "Telegram", "discord": "Discord"}


class Telling:
    """``show`` prints lines. The first of ``teams`` in its own company's place is shown in full."""

    def __init__(self, teams: Sequence[Team], show: Callable[[str], None]) -> None:
        self._teams = {(team.account, team.place): team for team in reversed(teams)}
        self._main = next((team for team in teams if team.inside), teams[0]) if teams else None
        self._show = show
        self._posts: Counter[str] = Counter()
        """How many each team got."""
        self._early: list[str] = []
        """What is told once the main team has the post, too."""

    def seen(self, post: Post) -> None:
        """Something appeared in a team's place."""
        team = self._teams.get((post.account, post.place))
        if team is None or post.to is not None or post.options:
            return
        if team is not self._main:
            if is_headline(post.text):
                self._other(team, f"[{_when(post.at, team)}] also posted to {team.name}, on {_NAMES[post.platform]}")
        elif is_headline(post.text):
            self._posts[team.name] += 1
            where = f"team {team.name} on {_NAMES[post.platform]}, {_when(post.at, team)}"
            self._show(f"\n--- {where} ---\n{post.text}\n")
            while self._early:
                self._show(self._early.pop(0))
        elif tells(post.text):
            lines = len(post.text.splitlines())
            self._show(f"[{_when(post.at, team)}] its details, {lines} lines; `--out FOLDER` keeps them")
        elif not post.edited and not (WEEK.search(post.text) and not post.buttons):  # that is only a promise of it
            self._show(f"[{_when(post.at, team)}] {_in_a_line(post.text)}")

    def _other(self, team: Team, said: str) -> None:
        self._posts[team.name] += 1
        if self._main is None or self._posts[team.name] <= self._posts[self._main.name]:
            self._show(said)
        else:
            self._early.append(said)

    def done(self, errand: Errand, name: str, words: str, at: datetime) -> None:
        """A teammate does something."""
        team = self._teams.get((errand.post.account, errand.post.place))
        if team is not None and team is self._main:
            what = f"writes to the customer: {words}" if errand.duty is Duty.REPLY else f"taps [{errand.button.label}]"
            self._show(f"[{_when(at, team)}] {name} {what}")


def _when(at: datetime, team: Team) -> str:
    return f"{at.astimezone(ZoneInfo(team.zone)):%a %d %b %H:%M}"


def _in_a_line(text: str) -> str:
    """What it says first: below stands what to do about it, which nobody can here."""
    said = " · ".join([line for line in text.splitlines() if line][:2])
    return said if len(said) <= _SHORT else f"{said[:_SHORT].rsplit(' ', 1)[0]} …"
