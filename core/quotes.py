"""Whose words stand in the weekly post, by a rule that anybody can check: only of people who allowed it.

Two at most: the oldest of an unhappy person, and the most typical of a happy one, which is the one that shares most
with what the other happy people wrote. Of each their first message, which is what they were asked about; passed over
where too much of it is blacked out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.nps import Group
from core.reasons import Voice, ordinary
from core.redaction import MASK, redacted, shortened
from core.salience import MOST, typical

LONGEST = 90
"""Characters of a quotation."""
_FEWEST_LETTERS, _MOST_MASKS = 8, 2
"""What has fewer letters, or is blacked out more often, says nothing."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """Somebody's words, ready to be shown."""

    text: str
    score: str
    """Or the band of scores that their poll had; empty where it is not shown with the words."""
    person: int = 0
    """Whose they are, so that they can be taken back. Never shown."""

    @property
    def line(self) -> str:
        """As it is shown."""
        return f"“{self.text}” ({self.score})" if self.score else self.text


def quotes(heard: Sequence[Voice], keep: Sequence[str] = ()) -> tuple[Quoted, ...]:
    """The quotations of a week; ``keep``: names that are no person's, such as the brand's."""
    known = ordinary(heard) | {word.casefold() for name in keep for word in re.findall(r"\w+", name)}
    unhappy = sorted((v for v in heard if v.band.group is Group.DETRACTOR), key=lambda voice: voice.at)
    happy = [voice for voice in heard if voice.band.group is Group.PROMOTER][-MOST:]
    chosen = [_first(unhappy, known), _first(_most_typical(happy), known)]
    return tuple(one for one in chosen if one is not None)


def _first(ordered: Sequence[Voice], known: Collection[str]) -> Quoted | None:
    """The first that may be quoted and says something when it is blacked out."""
    for voice in ordered:
        if voice.quotable:
            said = shortened(redacted(voice.first, known), LONGEST)
            says = len(re.findall(r"[^\W_]", said.replace(MASK, ""))) >= _FEWEST_LETTERS
            if says and said.count(MASK) <= _MOST_MASKS:
                return Quoted(said, voice.band.label, voice.person)
    return None


def _most_typical(happy: Sequence[Voice]) -> list[Voice]:
    """The most typical first; of equally typical ones the older."""
    alike = typical([voice.text for voice in happy])
    order = sorted(range(len(happy)), key=lambda n: (-alike[n], happy[n].at))
    return [happy[n] for n in order]
