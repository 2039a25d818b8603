"""What somebody wrote, read: a score, a comment, or a wish such as stop. Pure, and never raises.

The text is folded (``fold``), cut into tokens with what each does (``tokens``, out of the lexicons of 16 languages),
and then judged: ``scores`` finds the number that is meant, ``wishes`` what is asked for. The comment keeps what was
written.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from core.ballot import Scale
from core.reading.fold import fold
from core.reading.lexicon import lexicon
from core.reading.rest import rest_of
from core.reading.scores import find
from core.reading.tokens import tokens
from core.reading.wishes import command, wish

Intent = Literal["delete", "stop", "score", "help", "comment", "none"]

LONGEST_BYTES = 4096
"""What is longer, in UTF-8, is cut."""

_SHORT = 16
"""Texts up to so many characters are mostly said by many people, and remembered."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says. ``intent`` is the strongest thing in it: delete, stop, score, help, comment, none."""

    score: int | None = None
    """Within the scale; also beside ``stop`` and ``delete``."""
    comment: str = ""
    """What is left for the team to read; at most 4096 bytes, no NUL and no lone surrogates, so that it can be kept."""
    intent: Intent = "none"
    ambiguous: bool = False
    """Whether a score was probably meant but cannot be told: ask again."""


def read(text: str, scale: Scale) -> Reading:
    """Read what a person wrote in answer to a question on ``scale``. Takes any string."""
    return _read_short(text, scale) if len(text) <= _SHORT else _read(text, scale)


def _read(text: str, scale: Scale) -> Reading:
    kept = keepable(text)
    if not kept:
        return Reading()
    if asked := command(kept):
        return Reading(intent=asked)
    folded = fold(kept)
    found, verb_last = tokens(folded.text, lexicon())
    score = find(found, scale.lowest, verb_last=verb_last)
    wished = wish(found)
    comment = rest_of(kept, folded, score)
    if score.score is not None:
        return Reading(score.score, comment, wished if wished in ("delete", "stop") else "score")
    if wished in ("delete", "stop"):
        return Reading(None, "", wished, score.ambiguous)
    if score.ambiguous:
        return Reading(None, kept, "comment", True)
    return Reading(None, kept if wished == "comment" else "", wished)


_read_short = lru_cache(maxsize=4096)(_read)


def keepable(text: str) -> str:
    """The text as it can be kept everywhere: no NUL (PostgreSQL has none), valid UTF-8, not too long, stripped."""
    raw = text.replace("\x00", "").strip().encode("utf-8", "replace")
    return raw[:LONGEST_BYTES].decode("utf-8", "ignore").strip()


def comes_back(text: str) -> bool:
    """Whether this is the word by which somebody who said stop comes back: ``START`` alone, in any case."""
    return len(text) <= _SHORT and fold(text).text.strip(" .!\"'*") == "start"
