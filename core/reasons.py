"""Why people are unhappy, as far as they wrote it: themes by the team's own list, else what sets their words apart.

Each with its denominator, people who wrote, never with an effect on the score: unhappy people write more, so any theme
would seem to cost points.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache

from core.nps import Band, Group
from core.reading.fold import UNSPACED, folded
from core.redaction import redacted
from core.salience import FEWEST, salient


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Something that people write about, by words of the team's choice."""

    name: str
    """Its name in the settings."""
    titles: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    """What the team calls it, by language."""
    words: tuple[str, ...]
    """In any language; ``parcel*`` takes every ending. Case and accents are all one."""

    def title(self, language: str) -> str:
        """In a language, else in the first there is, else its name."""
        return self.titles.get(language) or next(iter(self.titles.values()), self.name)

    def is_in(self, text: str) -> bool:
        """Whether a text speaks of it."""
        plain = folded(text)
        return any(_pattern(word).search(plain) for word in self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """All that one person wrote in a wave, with the answer."""

    person: int
    text: str
    first: str = ""
    """Their first message: what they were asked about."""
    band: Band
    at: datetime
    """When they began to write."""
    quotable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Something that unhappy people name: a theme of the team's, or words of their own."""

    theme: Theme | None = None
    phrase: str = ""
    """Their own words, where it is no theme."""
    named: int
    """How many name it."""
    of: int
    """How many unhappy people wrote."""

    def title(self, language: str) -> str:
        """What it is called in the post."""
        return self.theme.title(language) if self.theme is not None else f"“{self.phrase}”"


def voices(written: Iterable[Voice]) -> list[Voice]:
    """Each person once, with all that they wrote; the oldest first."""
    found: dict[int, Voice] = {}
    for one in sorted(written, key=lambda each: each.at):
        before = found.get(one.person)
        text = one.text if before is None else f"{before.text}\n{one.text}"
        first, at = (one.text, one.at) if before is None else (before.first, before.at)
        found[one.person] = replace(one, text=text, first=first, at=at)
    return list(found.values())


def reasons(heard: Sequence[Voice], themes: Sequence[Theme]) -> tuple[Reason, ...]:
    """What the unhappy name, the most named first; what fewer than three name is left out. Where no theme of the list
    is left, it is what sets their words apart from those of the others."""
    unhappy = [voice.text for voice in heard if voice.band.group is Group.DETRACTOR]
    others = [voice.text for voice in heard if voice.band.group is not Group.DETRACTOR]
    counted = [(sum(map(theme.is_in, unhappy)), theme) for theme in themes]
    found = [Reason(theme=theme, named=n, of=len(unhappy)) for n, theme in counted if n >= FEWEST]
    if found:
        return tuple(sorted(found, key=lambda reason: -reason.named))
    own = salient(unhappy, others)
    if own is None or redacted(own[0].title(), ordinary(heard)) != own[0].title():  # they all name somebody
        return ()
    return (Reason(phrase=own[0], named=own[1], of=own[2]),)


def ordinary(heard: Sequence[Voice]) -> frozenset[str]:
    """Words that people write in small letters: no names."""
    return frozenset(word for voice in heard for word in re.findall(r"[^\W\d_]+", voice.text) if word.islower())


_UNSPACED = re.compile(f"[{UNSPACED}]")


@cache
def _pattern(word: str) -> re.Pattern[str]:
    """A word as it stands between others; where nothing separates words, anywhere."""
    plain = folded(word.removesuffix("*")).strip()
    if _UNSPACED.search(plain):
        return re.compile(re.escape(plain))
    end = "" if word.endswith("*") else r"(?!\w)"
    return re.compile(rf"(?<!\w){re.escape(plain)}{end}")
