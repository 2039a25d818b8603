"""What a running service tells whoever watches its log: what it says in public at once, and now and then how many were
invited, were answered, and have answered."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from core.account import Poll
from core.clock import Clock, steady
from core.errors import StoreError
from core.store import tallies
from core.store.database import Database
from core.store.outbox import Claimed, Kind
from core.survey import Survey, Wave, previous_wave, week_wave
from core.threads import in_thread

log = logging.getLogger(__name__)

Said = Callable[[str, Claimed, str], None]
"""Is told an account, what was said and kept there, and the title of the place."""

EVERY_S = 60.0
"""How often, in wall seconds, it is told what came together meanwhile."""

_AT_ONCE = {Kind.ASK: "asked in %s", Kind.REPORT: "the score is posted in %s", Kind.CASE: "wrote to the team in %s"}
"""What is told as it happens, by its kind and the title of the place."""

_COUNTED = {
    Kind.INVITATION: ("one person was invited", "{n:,} people were invited"),
    Kind.ANSWER: ("one message more went to somebody", "{n:,} messages more went to people"),
    Kind.RELAY: ("one answer of the team was passed on", "{n:,} answers of the team were passed on"),
}
"""What is counted: one, and many."""


def nobody(account: str, thing: Claimed, title: str) -> None:
    """Where nobody is told."""


class Diary:
    """Keeps count of what was said, and tells it together with what was answered."""

    def __init__(
        self, database: Database, surveys: Iterable[Survey], clock: Clock, steady: Callable[[], float] = steady
    ) -> None:
        self._database = database
        self._surveys = tuple(surveys)
        self._clock = clock
        self._steady = steady
        self._told_at = steady()
        self._said: dict[str, Counter[Kind]] = {}
        self._answers: dict[tuple[str, Wave], tuple[int, int]] = {}

    def said(self, account: str, thing: Claimed, title: str) -> None:
        """Something was said and kept, in the place of this title."""
        if thing.kind in _COUNTED:
            self._said.setdefault(account, Counter())[thing.kind] += 1
        elif thing.kind in _AT_ONCE and thing.under is None:
            how = "asked by a poll in %s" if isinstance(thing.body, Poll) else _AT_ONCE[thing.kind]
            log.info(f"%s: {how}", account, title or thing.place)

    async def tell(self) -> None:
        """Tell what came together, once a minute, where there is anything."""
        if self._steady() - self._told_at < EVERY_S:
            return
        self._told_at = self._steady()
        said, self._said = self._said, {}
        for account, counts in sorted(said.items()):
            log.info("%s: %s", account, ", ".join(_phrases(counts)))
        try:
            found = await in_thread(self._count)
        except StoreError as error:
            log.debug("the answers cannot be counted now: %s", error)
            return
        for (survey, wave), (named, votes) in found.items():
            before = self._answers.get((survey, wave), (0, 0))
            if before != (named, votes):
                apart = f", and {votes:,} votes in polls that name nobody" if votes else ""
                log.info("%s %s: %s answers so far%s", survey, wave.key, f"{named:,}", apart)
        self._answers = dict(found)

    def _count(self) -> Mapping[tuple[str, Wave], tuple[int, int]]:
        """Named answers and votes of polls that name nobody, of each survey's present week and the one before: people
        answer until its last minute."""
        found: dict[tuple[str, Wave], tuple[int, int]] = {}
        with self._database.reading() as connection:
            for survey in self._surveys:
                present = week_wave(survey, self._clock.now())
                waves = {wave.key: wave for wave in (previous_wave(survey, present), present)}
                for key, id in tallies.asked_waves(connection, survey.name, str(survey.scale), list(waves)).items():
                    named = tallies.total(tallies.window(connection, [id]).values()).n
                    votes = tallies.total(tallies.open_totals(connection, id).values()).n
                    found[(survey.name, waves[key])] = named, votes
        return found


def _phrases(counts: Counter[Kind]) -> Iterator[str]:
    for kind, (one, many) in _COUNTED.items():
        if n := counts[kind]:
            yield one if n == 1 else many.format(n=n)
