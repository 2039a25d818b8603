"""What customers answer to a person of the team: it goes to the case, in the team's own place."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from core.cases import Case, came_back, key, pieces, stopped
from core.dialogue import Meaning
from core.events import Consent, Reply, Via
from core.message import Message
from core.quotes import Quoted
from core.reading import keepable
from core.routes import Team
from core.store import cases, outbox, quoted
from core.store.known import Known
from core.store.outbox import Kind, Planned
from core.words import words_for

_TO_THE_TEAM = (
    Meaning.COMMENTED,
    Meaning.UNCLEAR,
    Meaning.SCORED,
    Meaning.SILENT,
    Meaning.LATE,
    Meaning.HELP,
    Meaning.NOT_HERE,
    Meaning.STOPPED,
)
"""What a customer says to a person of the team who wrote to them: a wish to stop may be meant for them, too."""

ANSWERED_STILL = (Meaning.SCORED, Meaning.STOPPED)
"""What the bot answers all the same."""


def is_said_to_us(event: Reply | Consent) -> bool:
    """Whether it was written to us directly."""
    return isinstance(event, Reply) and event.via is Via.TEXT and not event.place and not event.edited


class Conversing:
    """``load`` who is spoken with, let it ``hear`` what they write, then ``save``."""

    def __init__(self, known: Known, connection: Connection, now: datetime) -> None:
        self._known = known
        self._connection = connection
        self._now = now
        self._with: dict[int, Case] = {}
        self._heard: list[tuple[Case, Reply, Meaning]] = []

    def load(self, people: Collection[int]) -> None:
        """Find out with whom of these the team speaks."""
        if self._known.caring and people:
            self._with |= cases.conversing(self._connection, people, self._now)

    def hears(self, person_id: int, reply: Reply, meaning: Meaning) -> bool:
        """Whether it is for the team: then the team hears it."""
        case = self._with.get(person_id) if is_said_to_us(reply) and meaning in _TO_THE_TEAM else None
        if case is None or case.survey not in self._known.caring:
            return False
        self._heard.append((case, reply, meaning))
        return True

    def save(self) -> None:
        """Write it down, for every team that cares."""
        for case, reply, meaning in self._heard:
            for team in self._known.caring[case.survey]:
                words = words_for(team.language)
                for part, said in enumerate(pieces(keepable(reply.text))):
                    body = came_back(case, said, self._known.seal, words)
                    self._tell(team, case, key(team.name, case.id, f"{case.account}.{reply.id}", part), body, said)
                if meaning is Meaning.STOPPED:
                    self._tell(team, case, f"stopped:{case.id}:{team.name}/{reply.id}:0", stopped(case, words), "")
        heard = {case.id for case, _, meaning in self._heard if meaning is not Meaning.STOPPED}
        cases.heard(self._connection, heard, self._now)

    def _tell(self, team: Team, case: Case, name: str, body: Message, said: str) -> None:
        thing = Planned(key=name, account=team.account, kind=Kind.CASE, body=body, place=team.place)
        outbox.plan(self._connection, [thing], self._now)
        quoted.keep(self._connection, [(name, body)], [Quoted(said, "", case.person)])
        self._known.wake(team.account)
