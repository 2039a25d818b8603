"""What somebody wrote, read: a score, a comment, or a wish such as stop. Pure, and never raises.

So far only whole answers are understood: a number alone, a command, a stop word alone. Everything else is a comment.
Matching is done on a folded copy; the comment keeps what was written.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from core.ballot import Scale

Intent = Literal["delete", "stop", "score", "help", "comment", "none"]

LONGEST_BYTES = 4096
"""What is longer, in UTF-8, is cut."""

_NUMBER = re.compile(r"(\d{1,9})(?:\s*[/⁄∕／]\s*(\d{1,9}))?[\s!.,…]*")
_COMMAND = re.compile(r"/(\w+)(?:@\w+)?(?:\s.*)?", re.DOTALL)
_BESIDE_WORDS = re.compile(r"[\W_]+")

_COMMANDS: dict[str, Intent] = {"stop": "stop", "help": "help", "delete": "delete", "start": "none"}
_WISHES: dict[str, Intent] = {
    **dict.fromkeys(("stop", "stopall", "stop all", "unsubscribe", "opt out", "optout"), "stop"),
    **dict.fromkeys(("arret", "arrete", "arreter", "arretez", "desabonner", "desabonnement", "se desabonner"), "stop"),
    **dict.fromkeys(("me desabonner", "desabonnez moi", "desinscription", "stop svp", "stop please"), "stop"),
    **dict.fromkeys(("help", "aide"), "help"),
    **dict.fromkeys(("delete my data", "supprimer mes donnees", "supprimez mes donnees"), "delete"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says. ``intent`` is the strongest thing in it: delete, stop, score, help, comment, none."""

    score: int | None = None
    """Within the scale; only with the intent ``score``."""
    comment: str = ""
    """What is left for the team to read; at most 4096 bytes, no NUL and no lone surrogates, so that it can be kept."""
    intent: Intent = "none"
    ambiguous: bool = False
    """Whether a score was probably meant but cannot be told: ask again."""


_SHORT = 16
"""Texts up to so many characters are mostly said by many people, and remembered."""


def read(text: str, scale: Scale) -> Reading:
    """Read what a person wrote in answer to a question on ``scale``. Takes any string."""
    return _read_short(text, scale) if len(text) <= _SHORT else _read(text, scale)


def _read(text: str, scale: Scale) -> Reading:
    kept = keepable(text)
    if not kept:
        return Reading()
    if wish := _wish(kept):
        return Reading(intent=wish)
    number = _NUMBER.fullmatch(kept)
    if number is None:
        return Reading(comment=kept, intent="comment")
    score = int(number[1])
    if scale.lowest <= score <= 10 and int(number[2] or 10) == 10:
        return Reading(score=score, intent="score")
    return Reading(comment=kept, intent="comment", ambiguous=True)


_read_short = lru_cache(maxsize=4096)(_read)


def keepable(text: str) -> str:
    """The text as it can be kept everywhere: no NUL (PostgreSQL has none), valid UTF-8, not too long, stripped."""
    raw = text.replace("\x00", "").strip().encode("utf-8", "replace")
    return raw[:LONGEST_BYTES].decode("utf-8", "ignore").strip()


def comes_back(text: str) -> bool:
    """Whether this is the word by which somebody who said stop comes back: ``START`` alone, in any case."""
    return len(text) <= _SHORT and "start" in text.casefold() and _plain(text) == "start"


def _wish(text: str) -> Intent | None:
    if command := _COMMAND.fullmatch(text):
        return _COMMANDS.get(command[1].casefold())
    return _WISHES.get(_plain(text))


def _plain(text: str) -> str:
    """The words alone, without case, accents and marks."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _BESIDE_WORDS.sub(" ", letters).strip()
