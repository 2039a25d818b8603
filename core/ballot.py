"""The finest ballot that fits a channel: which bands are shown, and under which words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from core.nps import Band
from core.words import Words


class Scale(StrEnum):
    """The scale of a survey. Tallies of different scales are never pooled."""

    ZERO_TO_TEN = "0-10"
    ONE_TO_TEN = "1-10"

    @property
    def lowest(self) -> int:
        """The smallest score of this scale."""
        return 0 if self is Scale.ZERO_TO_TEN else 1


_CUTS = (7, 9, 4, 10, 8, 6, 2, 5, 3, 1)
"""Where to cut the scale, below each of these scores, most telling cut first. The first two part the groups; the last
is the one that a ballot of ten options on 0-10 goes without."""

_WORDED = 4
"""Up to so many bands each gets a word, best first; with more they are numbers, lowest first."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """The bands shown, in the order of the options. Together they cover the scale exactly once.

    There is one ballot for a scale and a number of bands; raises ``ValueError`` for any other.
    """

    scale: Scale
    bands: tuple[Band, ...]

    def __post_init__(self) -> None:
        if self.bands != _bands(self.scale, len(self.bands)):
            raise ValueError(f"no ballot on {self.scale} has the bands {', '.join(band.label for band in self.bands)}")

    @property
    def code(self) -> str:
        """What is stored with an answer: scale and number of bands, such as ``0-10:11``. See ``ballot_of``."""
        return f"{self.scale}:{len(self.bands)}"


def finest(scale: Scale, *, options: int, option_chars: int, words: Words) -> Ballot:
    """The ballot with the most bands that a channel can show: every score where it fits, else wider bands.

    ``options`` is the most options (or buttons) that fit, ``option_chars`` the longest text of one. Raises
    ``ValueError`` when the channel cannot hold the three groups apart, or not even show the numbers.
    """
    if options < 3:
        raise ValueError(
            f"{options} options cannot hold promoters, passives and detractors apart: at least 3 are needed"
        )
    ballot = Ballot(scale, _bands(scale, min(options, 11 - scale.lowest)))
    longest = max(labels(ballot, words, option_chars=option_chars), key=len)
    if len(longest) > option_chars:
        raise ValueError(f"the option {longest!r} is longer than the {option_chars} characters that fit")
    return ballot


def ballot_of(code: str) -> Ballot:
    """The ballot with this code. Raises ``ValueError`` when there is none."""
    scale, _, count = code.partition(":")
    ballot = Ballot(Scale(scale), _bands(Scale(scale), int(count)))
    if ballot.code != code:
        raise ValueError(f"{code!r} is no code of a ballot")
    return ballot


def labels(ballot: Ballot, words: Words, *, option_chars: int = 25) -> tuple[str, ...]:
    """What stands on each option, in order: the numbers of its band, and on a ballot of few bands a word as well.

    The words are left out, all of them, when one would make an option longer than ``option_chars`` (25 is the length
    of an option on X, the shortest of our platforms).
    """
    bare = tuple(band.label for band in ballot.bands)
    if len(bare) > _WORDED:
        return bare
    anchors = (words("Gladly"), words("Perhaps"), words("Rather not"), words("No"))
    worded = tuple(f"{label} {anchor}" for label, anchor in zip(bare, anchors, strict=False))
    return worded if max(map(len, worded)) <= option_chars else bare


def _bands(scale: Scale, count: int) -> tuple[Band, ...]:
    """``count`` bands of the scale, in the order in which they are shown."""
    if not 3 <= count <= 11 - scale.lowest:
        raise ValueError(f"a ballot on {scale} has 3 to {11 - scale.lowest} bands, not {count}")
    cuts = sorted((scale.lowest, *_CUTS[: count - 1], 11))
    bands = tuple(Band(low, following - 1) for low, following in pairwise(cuts))
    return bands[::-1] if count <= _WORDED else bands
