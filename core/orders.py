"""What a team may ask Vouch for in its own place, and how that is written: ``/report preview``, ``/why delivery``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from core.account import Answer
from core.message import text
from core.words import Words, words_for


class Name(StrEnum):
    """What may be asked for."""

    SCORE = "score"
    REPORT = "report"
    WHY = "why"
    COMMENTS = "comments"
    ASK = "ask"
    PAUSE = "pause"
    RESUME = "resume"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Order:
    """One thing that is asked for."""

    name: Name
    words: str = ""
    """What stands behind it, as it was written."""


def offered(words: Words) -> tuple[tuple[str, str], ...]:
    """Every command with what it does, in at most 100 characters."""
    return (
        (Name.SCORE, words("the score of the running week, so far")),
        (Name.REPORT, words("the last post; preview: this week's; or a week such as 2026-W47")),
        (Name.WHY, words("what unhappy people name; with a theme, what they say of it")),
        (Name.COMMENTS, words("what people wrote this week and may be shown")),
        (Name.ASK, words("ask this week's question now, where it was not asked yet")),
        (Name.PAUSE, words("ask nobody until /resume")),
        (Name.RESUME, words("ask people again")),
        (Name.HELP, words("this list")),
    )


LONGEST = 200
"""Characters of what may stand behind a command; the rest is cut off."""


def at_once(language: str) -> Answer:
    """What is told at once, where a command must be answered: the answer itself comes into the place."""
    words = words_for(language)
    return Answer(message=text(words("One moment.")))


def not_here(language: str | None) -> Answer:
    """What is told whoever asks for something outside of a team's place."""
    words = words_for(language)
    return Answer(message=text(words("This works in the team's own channel only.")))


_WRITTEN = re.compile(r"/([A-Za-z_]{1,32})(?:@(\w{1,64}))?(?:\s+(.*))?", re.DOTALL)
"""Source: https://core.telegram.org/bots/features#commands"""


def order_of(text: str) -> Order | None:
    """The order in a text; ``None`` for whatever else is said in the team's place."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or found[1].lower() not in set(Name):
        return None
    return Order(Name(found[1].lower()), " ".join((found[3] or "").split())[:LONGEST])
