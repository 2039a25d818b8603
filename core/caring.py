"""What comes of the orders about cases: who waits, taken, answered, closed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core import cases as shown
from core.buttons import Seal
from core.cases import Case, State, Teammate
from core.done import Done
from core.fitting import SHORTEST, length
from core.message import Message, text
from core.orders import LONGEST, Order
from core.redaction import shortened
from core.store import cases, outbox
from core.store.database import Connection
from core.store.outbox import Kind, Planned
from core.survey import Survey
from core.words import Words, words_for

REPLY_LIFE = timedelta(days=1)
"""An answer that could not be passed on for so long is not passed on any more."""

_NUMBERED = re.compile(r"(\d{1,9})\b\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Caring:
    """Answers one order about cases of these surveys."""

    connection: Connection
    surveys: Mapping[str, Survey]
    now: datetime
    seal: Seal
    words: Words

    def listed(self) -> Done:
        """Who waits."""
        waiting = self._waiting()[: shown.MOST_LISTED]
        n = sum(cases.how_many(self.connection, name, self.now) for name in self.surveys)
        message = shown.listed(waiting, n, self.now, self.seal, self.words)
        return Done("told who waits", (message,), shown.quoted(waiting, shown.LISTED))

    def taken(self, order: Order, who: Teammate) -> Done:
        """Somebody takes a case: the one that is named, or that of who waits longest."""
        number, _ = _numbered(order)
        found = self._case(number) if number else next(iter(self._waiting(free=True)), None)
        if found is None:
            said = self._no_case(number) if number else text(self.words("Nobody waits for an answer."))
            return Done("no such case", (said,))
        if found.state is State.CLOSED:
            return Done("closed before", (self._closed_before(found),))
        theirs = shown.owned(found, who)
        message = shown.told(theirs, self.now, self.seal, self.words)

        def take(connection: Connection, now: datetime) -> Message | None:
            if cases.take(connection, theirs.id, who, now):
                return None
            return self._taken_by(cases.case(connection, theirs.id) or theirs)

        quotes = shown.quoted([theirs], shown.SHOWN)
        return Done(f"took case {theirs.id}", (message,), quotes, take, case=theirs.id)

    def replied(self, order: Order, who: Teammate) -> Done:
        """What they write is passed on to the customer."""
        number, said = _numbered(order)
        found = self._case(number)
        if found is None:
            return Done("no such case", (self._no_case(number),))
        if not said:
            return Done("nothing to pass on", (text(self.words("Write what is to be passed on behind the number.")),))
        if found.state is State.CLOSED:
            return Done("closed before", (self._closed_before(found),))
        survey = self.surveys[found.survey]
        body = shown.passed_on(survey.brand, said, words_for(survey.speaks(found.language)))
        if len(said) > shown.LONGEST_REPLY or sum(map(length, body.parts)) > SHORTEST:
            most = {"n": shown.LONGEST_REPLY}
            said = self.words("Too long: at most {n} characters are passed on. Nothing was sent.", **most)
            return Done("too long", (text(said),))
        relay = Planned(
            key=f"relay:{found.survey}:{found.wave}:{found.account}/{found.id}.{who.account}.{order.event}:0",
            account=found.account,
            kind=Kind.RELAY,
            body=body,
            person_id=found.person,
            not_after=self.now + REPLY_LIFE,
        )

        def pass_on(connection: Connection, now: datetime) -> Message | None:
            if not cases.take(connection, found.id, who, now):
                return self._taken_by(cases.case(connection, found.id) or found)
            outbox.plan(connection, [relay], now)
            cases.answered(connection, found.id, relay.key, now)
            return None

        told = text(self.words("Case {case}: on its way to the customer.", case=found.id))
        return Done(f"answers case {found.id}", (told,), change=pass_on, wakes=(found.account,))

    def closed(self, order: Order) -> Done:
        """It has ended, as they say."""
        number, how = _numbered(order)
        found = self._case(number)
        if found is None:
            return Done("no such case", (self._no_case(number),))

        def close(connection: Connection, now: datetime) -> Message | None:
            ended = cases.close(connection, found.id, shortened(how, LONGEST), now)
            return None if ended else self._closed_before(found)

        told = text(self.words("Case {case} is closed.", case=found.id))
        return Done(f"closed case {found.id}", (told,), change=close)

    def _waiting(self, *, free: bool = False) -> list[Case]:
        found = [case for name in self.surveys for case in cases.waiting(self.connection, name, self.now, free=free)]
        return sorted(found, key=lambda case: (case.opened_at, case.id))

    def _case(self, number: int) -> Case | None:
        found = cases.case(self.connection, number) if number else None
        return found if found is not None and found.survey in self.surveys else None

    def _no_case(self, number: int) -> Message:
        if not number:
            return text(self.words("Name the case by its number; /cases lists who waits."))
        return text(self.words("There is no case {case} that can be answered; /cases lists who waits.", case=number))

    def _closed_before(self, case: Case) -> Message:
        return text(self.words("Case {case} was closed before.", case=case.id))

    def _taken_by(self, case: Case) -> Message:
        owner = Teammate("", case.owner, case.owner_name).shown
        return text(self.words("Case {case}: {owner} has it already.", case=case.id, owner=owner))


def _numbered(order: Order) -> tuple[int, str]:
    """The number that an order begins with, 0 where there is none, and what follows."""
    found = _NUMBERED.fullmatch(order.text.strip())
    return (int(found[1]), found[2].strip()) if found is not None else (0, order.text)
