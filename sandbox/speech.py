"""What followers write: each in a language of their own, some of them oddly. The phrases are in ``phrases.toml``."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

_KEYCAP = "\ufe0f\u20e3"
_FACES = ("\U0001f642", "\U0001f44d", "\U0001f609", "\U0001f62c", "\u2764\ufe0f")
_HESITANT = 0.08
"""Share of what is typed in direct messages that leaves open which score is meant."""
_CORRECTING = 0.15


@dataclass(frozen=True, slots=True)
class Phrases:
    """What is said in one language. In scores, corrections and unclear answers ``{n}`` is a number in digits, ``{w}``
    the same in words, ``{other}`` and ``{more}`` are other numbers, ``{c}`` is a comment."""

    words: tuple[str, ...]
    """The numbers from 0 to 10."""
    scores: tuple[str, ...]
    corrections: tuple[str, ...]
    unclear: tuple[str, ...]
    greetings: tuple[str, ...]
    comments: tuple[str, ...]
    """Of happy people. Neither these and the next two nor the greetings hold a number or a word that means stop."""
    complaints: tuple[str, ...]
    thanks: tuple[str, ...]
    """For what somebody of the team wrote to them."""
    stops: tuple[str, ...]
    digits: str = ""
    """The digits of a script of its own."""


@cache
def phrases() -> Mapping[str, Phrases]:
    """By language."""
    found: dict[str, dict[str, Any]] = tomllib.loads((Path(__file__).parent / "phrases.toml").read_text("utf-8"))
    return {language: Phrases(**{name: _fixed(each) for name, each in its.items()}) for language, its in found.items()}


def _fixed(each: Any) -> Any:
    return each if isinstance(each, str) else tuple(each)


class Speech:
    """How a crowd writes: plainly, which is a digit for a score, or as people do (``odd``)."""

    def __init__(self, languages: tuple[str, ...], *, odd: bool) -> None:
        self.languages = languages
        self._odd = odd

    def score(self, score: int, lowest: int, language: str, rng: Random) -> str:
        """A message by which they mean this score, on a scale from ``lowest`` to 10."""
        if not self._odd:
            return str(score)
        its = phrases()[language]
        form = rng.choice(its.corrections if rng.random() < _CORRECTING else its.scores)
        other = rng.choice([each for each in range(lowest, 11) if each != score])
        said = form.format(n=score, w=its.words[score], other=other, c=rng.choice(_fitting(its, score)))
        return _oddly(said, its, rng)

    def hesitates(self, rng: Random) -> bool:
        """Whether they leave open what they mean."""
        return self._odd and rng.random() < _HESITANT

    def unclear(self, score: int, lowest: int, language: str, rng: Random) -> str:
        """A message in which nobody can tell this score from the one beside it."""
        low = max(lowest, min(score, 9))
        return rng.choice(phrases()[language].unclear).format(n=low, more=low + 1)

    def greeting(self, language: str, rng: Random) -> str:
        """What they write first."""
        return rng.choice(phrases()[language].greetings)

    def comment(self, score: int, language: str, rng: Random) -> str:
        """Why they gave their score."""
        return rng.choice(_fitting(phrases()[language], score))

    def thanks(self, language: str, rng: Random) -> str:
        """What they answer to somebody of the team."""
        return rng.choice(phrases()[language].thanks)

    def stop(self, language: str, rng: Random) -> str:
        """A wish to be left alone."""
        return rng.choice(phrases()[language].stops) if self._odd else "stop"


PLAIN = Speech(("en", "en", "en", "de", "es", "fr"), odd=False)
ODD = Speech(("en", "fr") * 7 + tuple(phrases()), odd=True)
"""A brand at home in two languages, with followers from everywhere."""


def _fitting(its: Phrases, score: int) -> tuple[str, ...]:
    """What people say who gave this score: passives either."""
    return its.comments if score >= 9 else its.complaints if score <= 6 else (*its.comments, *its.complaints)


def _oddly(text: str, its: Phrases, rng: Random) -> str:
    """As it may come out of a phone: shouting, without accents, with faces, in other digits, with a slip."""
    ways = {
        "so": 11,
        "loud": 2,
        "bare": 2,
        "face": 2,
        "digits": 1,
        "dots": 1,
        "slip": 1,
    }
    match rng.choices(tuple(ways), tuple(ways.values()))[0]:
        case "loud":
            return text.upper()
        case "bare":
            return "".join(map(_bare, text))
        case "face":
            face = rng.choice(_FACES)
            return rng.choice((f"{face} {text}", f"{text} {face}", f"{text}{face}{face}"))
        case "digits":
            return "".join(_other_digit(char, its.digits) for char in text)
        case "dots":
            return f"{text.replace(' ', '  ')} ..."
        case "slip":
            return _slip(text, rng)
        case _:
            return text


def _bare(char: str) -> str:
    """A Latin letter without its accent."""
    base = unicodedata.normalize("NFD", char)[0]
    return base if base.isascii() else char


def _other_digit(char: str, digits: str) -> str:
    if not ("0" <= char <= "9"):
        return char
    return digits[int(char)] if digits else char + _KEYCAP


def _slip(text: str, rng: Random) -> str:
    """Two letters of a long word in the wrong order."""
    words = text.split(" ")
    long = [index for index, word in enumerate(words) if len(word) >= 6 and word.isalpha()]
    if not long:
        return text
    at = rng.choice(long)
    word = words[at]
    place = rng.randrange(1, len(word) - 2)
    words[at] = f"{word[:place]}{word[place + 1]}{word[place]}{word[place + 2 :]}"
    return " ".join(words)
