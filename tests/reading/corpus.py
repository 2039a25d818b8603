"""Replies with labels, by language: written by hand to the rules of ``docs/reading.md``, without the lexicons in view.

A line is ``{"text", "phenomenon", "score", "intent", "ambiguous"}``, with ``scale`` where it is 1–10, and ``comment``
where it is plain what should be left.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from core.ballot import Scale
from core.reading import Reading, read

FOLDER = Path(__file__).parent / "corpus"
LATER = Path(__file__).parent / "later"
LANGUAGES = tuple(sorted(file.stem for file in FOLDER.glob("*.jsonl")))


@dataclass(frozen=True, slots=True)
class Labelled:
    """One reply, and what it means."""

    language: str
    text: str
    phenomenon: str
    score: int | None
    intent: str
    ambiguous: bool
    scale: str = "0-10"
    comment: str | None = None

    def read(self) -> Reading:
        """What the reader makes of it."""
        return read(self.text, Scale(self.scale))


@cache
def replies() -> tuple[Labelled, ...]:
    """Those that were looked at while the reader was written."""
    return _labelled(FOLDER)


@cache
def later_replies() -> tuple[Labelled, ...]:
    """Those that were written when the reader stood, by whoever had not seen it, and read once before anybody looked.
    The engine was mended after them, the words hardly: what they say of new replies is a little too good."""
    return _labelled(LATER)


def _labelled(folder: Path) -> tuple[Labelled, ...]:
    return tuple(
        Labelled(language, **json.loads(line))
        for language in LANGUAGES
        for line in (folder / f"{language}.jsonl").read_text("utf-8").splitlines()
    )


@dataclass(slots=True)
class Result:
    """How well replies are read. Shares are of the replies that hold a score, or none, or of all."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, reply: Labelled) -> Reading:
        """Read one more."""
        found = reply.read()
        counts = self.counts
        counts["replies"] += 1
        if reply.score is not None:
            counts["scores"] += 1
            counts["exact"] += found.score == reply.score
            counts["missed"] += found.score is None
        else:
            counts["false"] += found.score is not None
        counts["intent"] += found.intent == reply.intent
        counts["ambiguous"] += found.ambiguous == reply.ambiguous
        return found

    @property
    def exact(self) -> float:
        """Scores that are read as they were meant."""
        return self.counts["exact"] / max(1, self.counts["scores"])

    @property
    def missed(self) -> float:
        """Scores that are not read."""
        return self.counts["missed"] / max(1, self.counts["scores"])

    @property
    def false(self) -> float:
        """Scores that nobody gave."""
        return self.counts["false"] / max(1, self.counts["replies"] - self.counts["scores"])

    @property
    def intent(self) -> float:
        """Replies of which it is known what they want."""
        return self.counts["intent"] / max(1, self.counts["replies"])


def measured(replies: Iterable[Labelled]) -> Result:
    """How well these are read."""
    result = Result()
    for reply in replies:
        result.add(reply)
    return result
