"""What came of an order of a team."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from core.message import Message, text
from core.quotes import Quoted
from core.saying import one_line
from core.store.database import Connection
from core.survey import Survey


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an order."""

    outcome: str
    """For the audit log, in English."""
    messages: tuple[Message, ...] = ()
    quotes: tuple[Quoted, ...] = ()
    """Whose words stand in them."""
    change: Callable[[Connection, datetime], Message | None] | None = None
    """What is changed, and when, in the transaction that settles it. Where somebody else came first, it says so
    instead."""
    case: int | None = None
    """The case that they speak of: to answer them is to answer its customer."""
    wakes: tuple[str, ...] = ()
    """Accounts that have something to say by it."""


def of(survey: Survey, said: str) -> Message:
    """Of whom it is said: several may report to one place."""
    return text(f"{one_line(survey.brand)}: {said}")
