"""Cases: unhappy people who can be answered, as a team sees them. Pure.

Nobody is named: a case has a number, a score, and the person's own words, for the people who answer them. What the team
writes goes to the person through the bot, and what they answer comes back to the case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.buttons import Purpose, Seal, case_code
from core.message import Button, Line, Message, Part, Quote, Strong, text
from core.nps import Band
from core.quotes import Quoted
from core.redaction import calm, shortened
from core.saying import one_line
from core.words import Words


class State(StrEnum):
    """How far a case is."""

    OPEN = "open"
    TAKEN = "taken"
    """Somebody of the team has it."""
    ANSWERED = "answered"
    """The team wrote last."""
    HEARD = "heard"
    """The customer wrote last."""
    CLOSED = "closed"


WAITS = (State.OPEN, State.TAKEN, State.HEARD)
"""It is the team's turn."""

DUE = timedelta(hours=48)
"""So soon a case is to be answered."""

IN_DAYS = timedelta(days=4)

LIFE = timedelta(days=14)
"""After so long nobody waits for an answer any more."""

SHOWN, LISTED = 700, 120
"""Characters of what somebody wrote: in a case, and in a list of several."""

MOST_LISTED = 10

LONGEST_REPLY = 1_500
"""Characters of what is passed on to a customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case."""

    id: int
    survey: str
    wave: str
    """The week's key."""
    person: int
    """Row of the person in the database. Never shown."""
    account: str
    """The person's account."""
    language: str | None
    """The person's, where the platform tells."""
    band: Band | None
    """What they answer now; ``None`` when they took it back."""
    state: State
    opened_at: datetime
    owner: str = ""
    """The platform's id of who has it."""
    owner_name: str = ""
    words: str = ""
    """What they wrote in that week."""


@dataclass(frozen=True, slots=True)
class Teammate:
    """Who does something in a team's place."""

    account: str
    person: str
    """The platform's id."""
    name: str
    """How the platform shows them."""

    @property
    def shown(self) -> str:
        """As they are named in a message."""
        return shortened(one_line(self.name), 40) or self.person


def owned(case: Case, who: Teammate) -> Case:
    """A case as it is once somebody has taken it."""
    return replace(case, owner=who.person, owner_name=who.name)


def key(team: str, case: int, event: str, part: int = 0) -> str:
    """The outbox key of a message to a team about one case."""
    return f"case:{case}:{team}/{event}:{part}"


def key_of_many(team: str, cases: Sequence[Case], part: int) -> str:
    """The outbox key of a message to a team about several."""
    return f"cases:{team}/{cases[0].id}-{cases[-1].id}:{part}"


def case_of(key: str) -> int | None:
    """The case that a message is about, by its outbox key."""
    kind, _, rest = key.partition(":")
    number = rest.partition(":")[0]
    return int(number) if kind == "case" and number.isdecimal() else None


def told(case: Case, now: datetime, seal: Seal, words: Words) -> Message:
    """A case as it is told when it is opened, or taken: with what can be done."""
    parts: list[Part] = [Strong(_line(case, now, words))]
    parts.append(_quoted(case, SHOWN) if case.words else Line(words("Nothing was written.")))
    return Message((*parts, _goes_to_the_customer(words)), buttons(case, seal, words))


def several(cases: Sequence[Case], now: datetime, seal: Seal, words: Words) -> Message:
    """Many that came at the same time: one message, no storm."""
    wrote = sorted((case for case in cases if case.words), key=lambda case: case.opened_at)
    parts: list[Part] = [Strong(words("Unhappy people who can be answered, new: {n}.", n=len(cases)))]
    for case in wrote[:MOST_LISTED]:
        parts += [Line(_line(case, now, words)), _quoted(case, LISTED)]
    parts.append(Line(words("/cases lists who waits.")))
    return Message(tuple(parts), (take_next(seal, words),))


def listed(cases: Sequence[Case], waiting: int, now: datetime, seal: Seal, words: Words) -> Message:
    """Who waits, the longest first. ``waiting`` is how many there are, shown or not."""
    if not cases:
        return text(words("Nobody waits for an answer."))
    parts: list[Part] = [Strong(words("People who wait for an answer: {n}.", n=waiting))]
    for case in cases[:MOST_LISTED]:
        parts.append(Line(_line(case, now, words)))
        if case.words:
            parts.append(_quoted(case, LISTED))
    return Message(tuple(parts), (take_next(seal, words),) if any(not case.owner for case in cases) else ())


def came_back(case: Case, said: str, seal: Seal, words: Words) -> Message:
    """A piece of what the customer answered."""
    lead = Strong(words("Case {case}: the customer answers.", case=case.id))
    return Message((lead, Quote(said), _goes_to_the_customer(words)), _reply_and_close(case, seal, words))


def pieces(said: str) -> tuple[str, ...]:
    """What somebody wrote, so much at a time as is shown at once: of what they answer nothing is left out."""
    found: list[str] = []
    said = calm(said)
    while len(said) > SHOWN:
        cut = said.rfind(" ", SHOWN // 2, SHOWN) + 1 or SHOWN
        found.append(said[:cut].rstrip())
        said = said[cut:]
    return (*found, said)


def stopped(case: Case, words: Words) -> Message:
    """They do not want to be written to."""
    return text(words("Case {case}: the customer does not want to be written to any more.", case=case.id))


def _goes_to_the_customer(words: Words) -> Line:
    return Line(words("What you answer to this message goes to the customer."))


def passed_on(brand: str, said: str, words: Words) -> Message:
    """What the customer reads."""
    lead = words("{brand}, a person of the team:", brand=one_line(brand))
    return Message((Line(lead), *(Line(line) for line in calm(said).split("\n"))))


def quoted(cases: Sequence[Case], chars: int) -> tuple[Quoted, ...]:
    """Whose words stand in a message about these."""
    return tuple(Quoted(_quoted(case, chars).text, "", case.person) for case in cases if case.words)


def buttons(case: Case, seal: Seal, words: Words) -> tuple[Button, ...]:
    """What can be done about a case."""
    if case.owner:
        return _reply_and_close(case, seal, words)
    take = Button(words("I take it"), seal.token(Purpose.TAKE, case_code(case.id)))
    return (take, _reply(case, seal, words))


def take_next(seal: Seal, words: Words) -> Button:
    """Takes whichever waits longest."""
    return Button(words("Take a case"), seal.token(Purpose.TAKE, case_code(0)))


def _reply(case: Case, seal: Seal, words: Words) -> Button:
    return Button(words("Reply"), seal.token(Purpose.REPLY, case_code(case.id)), form=True)


def _reply_and_close(case: Case, seal: Seal, words: Words) -> tuple[Button, ...]:
    close = Button(words("Close it"), seal.token(Purpose.CLOSE, case_code(case.id)))
    return (_reply(case, seal, words), close)


def _line(case: Case, now: datetime, words: Words) -> str:
    """One case in a line: number, score, how long it waits, who has it."""
    score, since = case.band.label if case.band else "–", waited(now - case.opened_at, words)
    if not case.owner:
        line = words("Case {case}: {score} of 10, waits {waited}.", case=case.id, score=score, waited=since)
    else:
        owner = Teammate("", case.owner, case.owner_name).shown
        line = words(
            "Case {case}: {score} of 10, waits {waited}, {owner} has it.",
            case=case.id,
            score=score,
            waited=since,
            owner=owner,
        )
    overdue = words("Overdue.")
    return f"{line} {overdue}" if now - case.opened_at > DUE else line


def waited(time: timedelta, words: Words) -> str:
    """How long somebody waits: whole hours, from four days on whole days."""
    if time >= IN_DAYS:
        return words("{days} days", days=time.days)
    return words("{hours} h", hours=max(0, int(time / timedelta(hours=1))))


def _quoted(case: Case, chars: int) -> Quote:
    return Quote(shortened(calm(case.words), chars))
