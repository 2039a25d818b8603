"""The teams' people: one in each team's place, who does what its messages ask for. They take a case and answer its
customer, own the fix that a post proposes, and do it. What a message asks for they tell by the labels of its buttons.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sandbox.clocks import Clocks
from sandbox.ledger import Ledger
from sandbox.reading import ChannelPlan
from sandbox.seam import Post, PostButton, StandIn

_CASE = re.compile(r"\b(?:Case|Dossier) (\d+)")

WORDS = "We are sorry, and we look into it. Your reference: {reference}."
"""What they write to a customer; no two get the same."""


class Duty(StrEnum):
    """What a button asks a teammate to do."""

    TAKE = "take"
    REPLY = "reply"
    CLOSE = "close"
    OWN = "own"
    DONE = "done"


_LABELS = {
    Duty.TAKE: re.compile(r"I take it|Take a case|Je le prends|Prendre un dossier"),
    Duty.REPLY: re.compile(r"Reply|Répondre"),
    Duty.CLOSE: re.compile(r"Close it|Clore le dossier"),
    Duty.OWN: re.compile(r"I own it|Je m'en charge"),
    Duty.DONE: re.compile(r"Done|C'est fait"),
}
_AFTER = {
    Duty.TAKE: timedelta(hours=3),
    Duty.REPLY: timedelta(hours=2),
    Duty.CLOSE: timedelta(hours=4),
    Duty.OWN: timedelta(hours=5),
    Duty.DONE: timedelta(days=2),
}
"""How long after the message they do it."""

TRIES = 3
NAMES = ("Léa", "Tom", "Ines", "Kofi")


@dataclass(frozen=True, slots=True)
class TeamPlan:
    """A team's place, and how many cases its teammate takes, and fixes they own, in all: a group on Telegram holds 20
    messages a minute, however fast the calendar runs. On X there are no team's places."""

    account: str
    place: str
    cases: int = 1
    fixes: int = 1
    every: timedelta = timedelta(0)
    """At least so long from one case to the next."""
    duties: frozenset[Duty] = frozenset(Duty)
    """What they do at all. Who takes nothing answers at once."""


@dataclass(slots=True)
class _Colleague:
    team: TeamPlan
    platform: str
    id: str
    name: str
    number: int
    """Whose errands these are, on the agenda."""
    taken: int = 0
    taken_at: datetime | None = None
    owned: int = 0
    done: set[tuple[Duty, str]] = field(default_factory=set)
    """What they have done or are about to, and about which case or message."""
    answered: set[str] = field(default_factory=set)
    """Cases."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing that a teammate is to do."""

    colleague: _Colleague
    duty: Duty
    post: Post
    button: PostButton
    case: str
    tries: int = 1


class Office:
    """All of them. ``add`` puts an errand on the world's agenda: when, whose, what."""

    def __init__(
        self,
        clocks: Clocks,
        stand_ins: Mapping[str, StandIn],
        platforms: Mapping[str, str],
        teams: Sequence[TeamPlan],
        ledger: Ledger,
        add: Callable[[datetime, int, Errand], None],
    ) -> None:
        """``platforms`` gives each account's."""
        self._clocks = clocks
        self._stand_ins = stand_ins
        self._ledger = ledger
        self._survey = next(iter(ledger.zones), "")
        self._add = add
        self.watchers: list[Callable[[Errand, str, str, datetime], None]] = []
        """Called with what is done, by whom, the words that are written, and when."""
        self._notes: list[str] = []
        """What was written to customers."""
        self._colleagues = {
            (team.account, team.place): self._join(number, platforms[team.account], team)
            for number, team in enumerate(teams)
        }

    def _join(self, number: int, platform: str, team: TeamPlan) -> _Colleague:
        stand_in = self._stand_ins[platform]
        name = NAMES[number % len(NAMES)]
        person = stand_in.add_person(name=name)
        stand_in.promote(team.account, team.place, person)
        return _Colleague(team, platform, person, name, -1 - number)

    def see(self, post: Post) -> None:
        """Something appeared, or was edited."""
        colleague = self._colleagues.get((post.account, post.place))
        if colleague is None or post.to is not None:
            return
        for duty, button in asked(post):
            named = _CASE.search(post.text)
            case = named[1] if named is not None and duty in (Duty.REPLY, Duty.CLOSE) else ""
            if self._wants(colleague, duty, case, post):
                self._later(Errand(colleague, duty, post, button, case))

    def _wants(self, colleague: _Colleague, duty: Duty, case: str, post: Post) -> bool:
        """Whether they do it, which they then are about to. A case is answered once it is theirs, and closed once its
        customer has answered: that is the next message about it which can be answered."""
        about, duties = case or post.id, colleague.team.duties
        if duty not in duties or (duty, about) in colleague.done:
            return False
        begins = duty is (Duty.TAKE if Duty.TAKE in duties else Duty.REPLY)
        is_theirs = bool(colleague.taken) and any(duty is Duty.CLOSE for duty, _ in asked(post))
        wants = {
            Duty.TAKE: True,
            Duty.REPLY: begins or is_theirs,
            Duty.CLOSE: case in colleague.answered,
            Duty.OWN: colleague.owned < colleague.team.fixes,
            Duty.DONE: True,
        }[duty]
        if not wants or (begins and not self._has_time(colleague)):
            return False
        if begins:
            colleague.taken, colleague.taken_at = colleague.taken + 1, self._clocks.now()
        colleague.owned += duty is Duty.OWN
        colleague.done.add((duty, about))
        return True

    def _has_time(self, colleague: _Colleague) -> bool:
        team, last = colleague.team, colleague.taken_at
        return colleague.taken < team.cases and (last is None or self._clocks.now() - last >= team.every)

    def _later(self, errand: Errand) -> None:
        self._add(self._clocks.now() + _AFTER[errand.duty], errand.colleague.number, errand)

    async def perform(self, errand: Errand) -> None:
        """Do it; once more where the app says that it failed."""
        who, words, now = errand.colleague, "", self._clocks.now()
        if errand.duty is Duty.REPLY:
            words = WORDS.format(reference=f"{who.team.account}-{len(self._notes) + 1}")
            self._notes.append(words)
            who.answered.add(errand.case)
        for watcher in self.watchers:
            watcher(errand, who.name, words, now)
        kind, its = (
            "note" if words else "order",
            ChannelPlan(self._survey, "team", who.team.account, who.team.place, "team"),
        )
        act = self._ledger.record(kind, its, at=now, platform=who.platform, person=who.id, post=errand.post, text=words)
        act.accepted = await self._done(errand, words)
        if not act.accepted and errand.tries < TRIES:
            self._later(replace(errand, tries=errand.tries + 1))

    async def _done(self, errand: Errand, words: str) -> bool:
        who, team, stand_in = errand.colleague, errand.colleague.team, self._stand_ins[errand.colleague.platform]
        if not words:
            return await stand_in.tap(who.id, errand.post, errand.button)
        if who.platform == "discord":
            return await stand_in.fill(who.id, errand.post, errand.button, words)
        written = await stand_in.write(team.account, who.id, words, place=team.place, reply_to=errand.post)
        return written is not None

    def wrote(self, post: Post) -> bool:
        """Whether a direct message passes on what one of them wrote."""
        return post.place == "direct" and any(words in post.text for words in self._notes)


def asked(post: Post) -> Iterator[tuple[Duty, PostButton]]:
    """What the buttons ask for."""
    for button in post.buttons:
        for duty, label in _LABELS.items():
            if label.fullmatch(button.label):
                yield duty, button
