"""The followers: who they are, what they think of the brand, and what they mean to do about a question.

Everything here is drawn from random generators seeded by the world's seed and the follower's number, never from the
time at which something happens, so that a world with the same seed holds the same people with the same intentions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from sandbox.reading import ChannelPlan
from sandbox.speech import Speech

_TASTE = (3, 1, 2, 3, 3, 6, 8, 16, 20, 20, 18)
"""How common each score from 0 to 10 is."""
_FIRST = ("Ada", "Ben", "Chloe", "Dario", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Luca", "Mei")
_LAST = ("Abel", "Brandt", "Costa", "Diaz", "Evans", "Fischer", "Garcia", "Haddad", "Ito", "Jensen", "Kaya")

DIRECT_SHARE = {"telegram": 0.20, "discord": 0.25, "x": 0.25}
DIRECT_MOST = {"telegram": 100, "discord": 120, "x": 400}
"""Most people of an account who use direct messages: a bot may send 30 messages a second on Telegram, and make 50
requests a second on Discord, of wall time, however fast the calendar runs."""
DIRECT_LEAST = 6
STEADY = 5
"""So many people of every channel always answer, so that small worlds show every way of asking."""
LEAVER = STEADY
"""The turn of the one in every account's direct messages who says stop when first invited, so that small worlds show
whether it is heeded."""


class Do(StrEnum):
    """What a person means to do."""

    ANSWER = "answer"
    RETRACT = "retract"
    LINGER = "linger"
    """Answer under the question of the week before, which has long been counted."""
    STOP = "stop"
    BLOCK = "block"
    COMMENT = "comment"
    THANK = "thank"
    """Answer somebody of the team."""
    START = "start"
    GREET = "greet"
    ASK_ME = "ask_me"


@dataclass(frozen=True, slots=True)
class Intention:
    """What a person means to do, ``share`` of the time that is left after the question was posted."""

    share: float
    do: Do
    channel: ChannelPlan
    score: int = 0
    follows: bool = False
    """Votes for what leads, where the votes show."""
    typed: bool = False
    """Types even where there are buttons."""
    plain: bool = False
    """Says the number and nothing else: somebody did not understand."""


@dataclass(frozen=True, slots=True)
class Temperament:
    """How a person is. Shares of all people are in ``of``."""

    silent: bool
    fickle: bool
    retracts: bool
    wanders: bool
    """Answers again in another place of the same account."""
    follows: bool
    lingers: bool
    types: bool
    chats: bool
    leaves: Do | None
    """How they end direct messages in a week of their own: by ``stop``, by blocking, or not at all."""

    @classmethod
    def of(cls, rng: Random) -> Temperament:
        """Draw one."""

        def chance(share: float) -> bool:
            return rng.random() < share

        return cls(
            silent=chance(0.25),
            fickle=chance(0.15),
            retracts=chance(0.08),
            wanders=chance(0.12),
            follows=chance(0.10),
            lingers=chance(0.05),
            types=chance(0.30),
            chats=chance(0.35),
            leaves=rng.choices((None, Do.STOP, Do.BLOCK), (92, 5, 3))[0],
        )


@dataclass(slots=True)
class Person:
    """One follower on one account: a platform id there."""

    follower: int
    platform: str
    account: str
    id: str
    language: str
    temperament: Temperament
    direct: bool = False
    """Whether they use direct messages."""
    turn: int = 0
    """Their number among the people of the account who use direct messages, or among those who do not."""
    opened: bool = False
    """Whether they have opened direct messages."""
    stopped: bool = False
    gone: bool = False
    """Whether they have blocked the account."""
    answered: set[tuple[str, str]] = field(default_factory=set)
    """(survey, week) in which they have answered directly."""
    commented: set[tuple[str, str]] = field(default_factory=set)
    unsure: tuple[str, Intention] | None = None
    """In which week they left open what they mean, and what they would say if they were asked again."""


Join = Callable[[str, str, str], str]
"""(platform, name, language) → the person's id on the platform."""


def populate(
    accounts: Mapping[str, str], direct: Collection[str], followers: int, seed: int, speech: Speech, join: Join
) -> dict[str, list[Person]]:
    """The people of each account. ``accounts`` gives each account's platform, ``direct`` the accounts with direct
    messages. Every follower is on one account at least, every fourth on a second one, a few on a third."""
    names = list(accounts)
    people: dict[str, list[Person]] = {name: [] for name in names}
    for number in range(followers):
        rng = Random(f"{seed}:{number}")
        language = rng.choice(speech.languages)
        name = f"{rng.choice(_FIRST)} {rng.choice(_LAST)} {number}"
        home = names[number % len(names)]
        others = [name for name in names if name != home]
        more = rng.sample(others, min(len(others), rng.choices((0, 1, 2), (75, 20, 5))[0]))
        ids: dict[str, str] = {}
        for account in (home, *more):
            platform = accounts[account]
            if platform not in ids:
                ids[platform] = join(platform, name, language)
            person = Person(number, platform, account, ids[platform], language, Temperament.of(rng))
            people[account].append(person)
    for account in names:
        _choose_direct(people[account], account in direct, Random(f"{seed}:{account}"))
    return people


def _choose_direct(people: Sequence[Person], possible: bool, rng: Random) -> None:
    chosen: set[int] = set()
    if possible and people:
        platform = people[0].platform
        wanted = min(DIRECT_MOST[platform], math.ceil(len(people) * DIRECT_SHARE[platform]))
        chosen = set(rng.sample(range(len(people)), min(len(people), max(DIRECT_LEAST, wanted))))
    turns = {True: 0, False: 0}
    for rank, person in enumerate(people):
        person.direct = rank in chosen
        person.turn = turns[person.direct]
        turns[person.direct] += 1


class Minds:
    """What people think and mean to do, week by week (0 is the first week in which a survey asked)."""

    def __init__(self, seed: int, lowest: Mapping[str, int]) -> None:
        self._seed = seed
        self._lowest = lowest

    def lowest(self, survey: str) -> int:
        """The lowest score of a survey."""
        return self._lowest[survey]

    def rng(self, person: Person, *more: object) -> Random:
        """A generator of a person's own for one purpose."""
        return Random(":".join(map(str, (self._seed, person.follower, person.account, *more))))

    def score(self, person: Person, survey: str, wave: int) -> int:
        """Their true score, which drifts from week to week and is the same on all their accounts."""
        rng = Random(f"{self._seed}:{person.follower}:taste:{survey}")
        score = rng.choices(range(11), _TASTE)[0]
        for _ in range(wave):
            score = min(10, max(0, score + rng.choice((-1, 0, 0, 0, 0, 1))))
        return max(self._lowest[survey], score)

    def _other(self, survey: str, score: int, rng: Random) -> int:
        return rng.choice([s for s in range(self._lowest[survey], 11) if s != score])

    def in_public(self, person: Person, survey: str, wave: int, channels: Sequence[ChannelPlan]) -> Iterator[Intention]:
        """What they mean to do in the public channels of their account."""
        if not channels:
            return
        rng = self.rng(person, survey, wave, "public")
        temper = person.temperament
        steady = not person.direct and person.turn < STEADY * len(channels)
        waits = person.direct and rng.random() < 0.7
        if not steady and (temper.silent or waits or rng.random() < 0.2):
            return
        home = channels[person.turn % len(channels)]
        score = self.score(person, survey, wave)
        first = _early(rng)
        yield Intention(first, Do.ANSWER, home, score, follows=temper.follows)
        if temper.wanders and len(channels) > 1:
            second = rng.choice([channel for channel in channels if channel != home])
            yield Intention(_later(first, rng), Do.ANSWER, second, rng.choice((score, self._other(survey, score, rng))))
        if home.kind == "poll" and person.platform == "x":
            return
        if temper.fickle:
            yield Intention(_later(first, rng), Do.ANSWER, home, self._other(survey, score, rng))
        if temper.retracts and home.kind == "poll":
            gone = _later(first, rng)
            yield Intention(gone, Do.RETRACT, home)
            if rng.random() < 0.4:
                yield Intention(_later(gone, rng), Do.ANSWER, home, self._other(survey, score, rng))
        if temper.lingers and wave > 0 and home.kind != "poll":
            yield Intention(rng.random(), Do.LINGER, home, self._other(survey, score, rng))

    def when_invited(self, person: Person, channel: ChannelPlan, wave: int) -> Iterator[Intention]:
        """What they mean to do about an invitation."""
        survey = channel.survey
        rng = self.rng(person, survey, wave, "direct")
        temper = person.temperament
        steady, leaver = person.turn < STEADY, person.turn == LEAVER
        if not steady and not leaver and (temper.silent or rng.random() < 0.15):
            return
        soon = rng.uniform(0.005, 0.05)
        leaves = Do.STOP if leaver else temper.leaves if not steady and rng.random() < 0.5 else None
        if leaves is None or rng.random() < 0.5:
            score = self.score(person, survey, wave)
            yield Intention(soon, Do.ANSWER, channel, score, typed=temper.types)
            if temper.fickle and leaves is None:
                other = self._other(survey, score, rng)
                yield Intention(_later(soon, rng), Do.ANSWER, channel, other, typed=rng.random() < 0.5)
        if leaves is not None:
            yield Intention(soon + rng.uniform(0.03, 0.1), leaves, channel)


def _early(rng: Random) -> float:
    """Most answer soon after the question, a few late."""
    return 0.005 + 0.95 * rng.betavariate(1, 3.5)


def _later(share: float, rng: Random) -> float:
    return share + (1 - share) * rng.uniform(0.05, 0.9)
