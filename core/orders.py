"""What a team may ask Vouch for in its own place, and how that is written: ``/report preview``, ``/take 17``. A button
there stands for such a command."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from core.account import Answer
from core.buttons import Purpose, Tapped
from core.message import Form, text
from core.words import Words, words_for


class Name(StrEnum):
    """What may be asked for."""

    SCORE = "score"
    REPORT = "report"
    WHY = "why"
    COMMENTS = "comments"
    CASES = "cases"
    TAKE = "take"
    REPLY = "reply"
    CLOSE = "close"
    OWN = "own"
    DONE = "done"
    EXPORT = "export"
    ASK = "ask"
    PAUSE = "pause"
    RESUME = "resume"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Order:
    """One thing that is asked for."""

    name: Name
    words: str = ""
    """What stands behind it, on one line, cut to ``LONGEST``."""
    text: str = ""
    """What stands behind it, as it was written."""
    event: str = ""
    """The platform's name of it: what comes of it is done once."""


def offered(words: Words) -> tuple[tuple[str, str], ...]:
    """Every command with what it does, in at most 100 characters."""
    return (
        (Name.SCORE, words("the score of the running week, so far")),
        (Name.REPORT, words("the last post; preview: this week's; or a week such as 2026-W47")),
        (Name.WHY, words("what unhappy people name; with a theme, what they say of it")),
        (Name.COMMENTS, words("what people wrote this week and may be shown")),
        (Name.CASES, words("unhappy people who wait for an answer")),
        (Name.TAKE, words("take the case that waits longest, or the one with this number")),
        (Name.REPLY, words("number and text: what you write is passed on to the customer of that case")),
        (Name.CLOSE, words("number, and how it ended: the case is closed")),
        (Name.OWN, words("this week's fix is yours; in your own words, if you like")),
        (Name.DONE, words("this week's fix is done")),
        (Name.EXPORT, words("the counts of every week, for a spreadsheet")),
        (Name.ASK, words("ask this week's question now, where it was not asked yet; preview: only says whom")),
        (Name.PAUSE, words("ask nobody until /resume")),
        (Name.RESUME, words("ask people again")),
        (Name.HELP, words("this list")),
    )


LASTING = frozenset({Name.TAKE, Name.REPLY, Name.CLOSE, Name.OWN, Name.DONE})
"""What somebody may be waiting for: it is done late rather than not at all, and nothing of it is dropped silently."""

WAVE = "wave:"
"""How a button says which wave it is about."""

LONGEST = 200
"""Characters of what may stand behind a command; the rest is cut off."""


def at_once(language: str) -> Answer:
    """What is told at once, where a command must be answered: the answer itself comes into the place."""
    words = words_for(language)
    said = words("One moment.")
    return Answer(message=text(said), toast=said)


def how_to_reply(language: str) -> Answer:
    """What is told who taps "Reply" where no form can open."""
    words = words_for(language)
    return Answer(toast=words("Answer this message: what you write is passed on to the customer."))


def reply_form(token: str, language: str) -> Form:
    """The form behind "Reply"."""
    words = words_for(language)
    return Form(words("Reply to the customer"), words("What the customer will read"), token)


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
    behind = (found[3] or "").strip()
    return Order(Name(found[1].lower()), " ".join(behind.split())[:LONGEST], behind)


_BEHIND = {
    Purpose.OWN: Name.OWN,
    Purpose.DONE: Name.DONE,
    Purpose.TAKE: Name.TAKE,
    Purpose.REPLY: Name.REPLY,
    Purpose.CLOSE: Name.CLOSE,
}


def written(tapped: Tapped, text: str) -> str:
    """The command that a button of ours stands for, with what was typed into its form: of a fix by the code of its
    wave, of a case by its number."""
    of_a_case = tapped.purpose in (Purpose.TAKE, Purpose.REPLY, Purpose.CLOSE)
    return f"/{_BEHIND[tapped.purpose]} {int(tapped.wave) if of_a_case else WAVE + tapped.wave} {text}".strip()


NO_CASE = 0
"""No case has this number."""


def passed_on(case: int, text: str) -> str:
    """The command that answering the message of a case stands for."""
    return f"/{Name.REPLY} {case} {text}"
