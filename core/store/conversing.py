"""What customers answer to a person of the team: it goes to the case, in the team's own place."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from core.cases import SHOWN, Case, came_back, key
from core.events import Reply
from core.quotes import Quoted
from core.redaction import shortened
from core.store import cases, outbox, quoted
from core.store.known import Known
from core.store.outbox import Kind, Planned
from core.words import words_for


class Conversing:
    """``load`` who is spoken with, let it ``hear`` what they write, then ``save``."""

    def __init__(self, known: Known, connection: Connection, now: datetime) -> None:
        self._known = known
        self._connection = connection
        self._now = now
        self._with: dict[int, Case] = {}
        self._heard: list[tuple[Case, Reply]] = []

    def load(self, people: Collection[int]) -> None:
        """Find out with whom of these the team speaks."""
        if self._known.caring and people:
            self._with |= cases.conversing(self._connection, people, self._now)

    def hears(self, person_id: int, reply: Reply) -> bool:
        """Whether it is for the team: then the team hears it."""
        case = self._with.get(person_id)
        if case is None or case.survey not in self._known.caring:
            return False
        self._heard.append((case, reply))
        return True

    def save(self) -> None:
        """Write it down, for every team that cares."""
        for case, reply in self._heard:
            for team in self._known.caring[case.survey]:
                body = came_back(case, reply.text, self._known.seal, words_for(team.language))
                name = key(team.name, case.id, f"{case.account}.{reply.id}")
                thing = Planned(key=name, account=team.account, kind=Kind.CASE, body=body, place=team.place)
                outbox.plan(self._connection, [thing], self._now)
                said = Quoted(shortened(reply.text, SHOWN), "", case.person)
                quoted.keep(self._connection, [(name, body)], [said])
                self._known.wake(team.account)
        cases.heard(self._connection, {case.id for case, _ in self._heard})
