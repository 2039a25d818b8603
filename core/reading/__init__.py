"""What somebody wrote, read: a score, a comment, or a wish such as stop. Pure but for a line in the log when a fault of
ours makes a comment of it.

The text is folded (``fold``), cut into tokens with what each does (``tokens``, out of the lexicons of 16 languages),
and then judged: ``scores`` finds the number that is meant, ``wishes`` what is asked for. The comment keeps what was
written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NamedTuple, Protocol

from core.ballot import Scale
from core.reading.clauses import roles_of
from core.reading.fold import fold
from core.reading.lexicon import lexicon
from core.reading.rest import rest_of
from core.reading.scores import find
from core.reading.tokens import tokens
from core.reading.wishes import asks_for_data, command, wish

__all__ = ["Reading", "asks_for_data", "comes_back", "guarded", "keepable", "read", "read_or_raise"]

log = logging.getLogger(__name__)

Intent = Literal["delete", "stop", "score", "help", "comment", "none"]

LONGEST_BYTES = 4096
"""What is longer, in UTF-8, is cut."""

_SHORT = 32
"""Texts up to so many characters are often said by many people, and remembered."""


class Reading(NamedTuple):
    """What a text says. ``intent`` is the strongest thing in it: delete, stop, score, help, comment, none."""

    score: int | None = None
    """Within the scale; also beside ``stop`` and ``delete``."""
    comment: str = ""
    """What is left for the team to read; at most 4096 bytes, no NUL and no lone surrogates, so that it can be kept."""
    intent: Intent = "none"
    ambiguous: bool = False
    """Whether a score was probably meant but cannot be told: ask again."""


Languages = tuple[str, ...]
Reader = Callable[[str, Scale, Languages], Reading]


def read_or_raise(text: str, scale: Scale, languages: Languages) -> Reading:
    """Read what a person wrote in answer to a question on ``scale``. Takes any string; whatever it raises is a fault of
    ours."""
    return (_read_short if len(text) <= _SHORT else _read)(text, scale, languages)


class Read(Protocol):
    """What ``read`` is."""

    def __call__(self, text: str, scale: Scale = Scale.ZERO_TO_TEN, languages: Languages = ()) -> Reading: ...


def guarded(reader: Reader) -> Read:
    """The same, but a fault of ours makes a comment of the one message, rather than hold up everybody's."""

    def read_or_keep(text: str, scale: Scale = Scale.ZERO_TO_TEN, languages: Languages = ()) -> Reading:
        try:
            return reader(text, scale, languages)
        except Exception as error:
            log.error("a message could not be read, and is kept as a comment: %s", type(error).__name__)
            kept = keepable(text)
            return Reading(comment=kept, intent="comment" if kept else "none")

    return read_or_keep


def _read(text: str, scale: Scale, languages: Languages) -> Reading:
    kept = keepable(text)
    if not kept:
        return Reading()
    if kept[0] == "/" and (asked := command(kept)):
        return Reading(intent=asked)
    folded = fold(kept)
    words = lexicon()
    found, verb_last = tokens(folded.text, words, words.expected(languages) if languages else ())
    said = roles_of(found)
    score = find(found, said, scale.lowest, verb_last=verb_last)
    wished = wish(found, said, scored=score.score is not None)
    comment = rest_of(kept, folded, score)
    if score.score is not None:
        return Reading(score.score, comment, wished if wished in ("delete", "stop") else "score")
    if wished in ("delete", "stop"):
        return Reading(None, "", wished, score.ambiguous)
    if score.ambiguous:
        return Reading(None, kept, "comment", True)
    return Reading(None, kept if wished == "comment" else "", wished)


_read_short = lru_cache(maxsize=4096)(_read)
read = guarded(read_or_raise)
"""Read what a person wrote in answer to a question on a scale, in any of the languages; ``languages`` (BCP 47 tags) are
those that are most likely. Takes any string, and never raises."""


def keepable(text: str) -> str:
    """The text as it can be kept everywhere: no NUL (PostgreSQL has none), valid UTF-8, not too long, stripped."""
    raw = text.replace("\x00", "").strip().encode("utf-8", "replace")
    return raw[:LONGEST_BYTES].decode("utf-8", "ignore").strip()


def comes_back(text: str) -> bool:
    """Whether this is the word by which somebody who said stop comes back: ``START`` alone, in any case."""
    return len(text) <= _SHORT and fold(text).text.strip(" .!\"'*") == "start"
