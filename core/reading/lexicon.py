"""The words of all languages, out of ``core/lexicons``: one file per language, one engine for all.

A file holds lists of words and phrases by what they do in an answer. A phrase is several words; ``*`` at the end of a
word stands for any ending. Where nothing separates words (Chinese, Japanese, Korean), an entry is found anywhere.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from core.reading.fold import UNSPACED, folded

FOLDER = Path(__file__).parent.parent / "lexicons"


class Role:
    """What a word does in an answer, as bits of an ``int`` (plain ones: enum's flags cost half of the reading time).
    The names are those of the lists in the files, in capitals."""

    NUMBER = 1 << 0
    """A whole number 0–10, always."""
    WEAK = 1 << 1
    """A number only where the place calls for one: ``un``, ``neuf``, ``on``."""
    LIGHT = 1 << 2
    """May stand beside a lone score without being a comment: articles, hedges, particles, courtesies."""
    CUE = 1 << 3
    """A score is about to come, or has come: give, rate, my score."""
    POINTS = 1 << 4
    OUTOF = 1 << 5
    """Between a score and the 10: of, out of, sur."""
    MAX = 1 << 6
    """Beside the 10 of the scale, before or after it: 満点, üzerinden."""
    UNIT = 1 << 7
    """After a number: makes it a count. Hours, euros, shirts, people."""
    LABEL = 1 << 8
    """Before a number: makes it a name. Order, version, size, iPhone, at, since."""
    DENY = 1 << 9
    """Not, before what it denies."""
    DENY_AFTER = 1 << 10
    """Not, after what it denies."""
    CORRECT = 1 << 11
    """What comes now replaces what was said."""
    RETRACT = 1 << 12
    """The number beside it was a mistake: typed, by accident."""
    PAST = 1 << 13
    HYP = 1 << 14
    """If, would have been."""
    OTHER = 1 << 15
    """Somebody else's: my wife says."""
    NOW = 1 << 16
    OWN = 1 << 17
    OVERALL = 1 << 18
    CONTRAST = 1 << 19
    """But: begins another clause."""
    OR = 1 << 20
    BETWEEN = 1 << 21
    TO = 1 << 22
    """Between the ends of a range or of a change: to, bis."""
    HALF = 1 << 23
    """And a half, and the word for a decimal point."""
    OTHER_SCALE = 1 << 24
    """Stars, percent, grades."""
    MINUS = 1 << 25
    HUNDRED = 1 << 26
    """A number above 10 in words."""
    IDIOM = 1 << 27
    """Numbers inside are none: on cloud nine."""
    TURN = 1 << 28
    """Turns a high score over: avoid, would not recommend."""
    STOP = 1 << 29
    """Asks to stop wherever it stands: unsubscribe, take me off the list."""
    STOP_ALONE = 1 << 30
    """Asks to stop when nothing else is said: stop, baja."""
    NO_MORE = 1 << 31
    """With MESSAGE in one clause it asks to stop: don't, no more."""
    MESSAGE = 1 << 32
    ERASE = 1 << 33
    """With DATA in one clause it asks to delete."""
    DATA = 1 << 34
    HELP = 1 << 35
    """Asks what this is, wherever it stands."""
    HELP_ALONE = 1 << 36
    HOW = 1 << 42
    """With REPLY close by in a short text it asks how to answer."""
    REPLY = 1 << 43
    CHATTER = 1 << 37
    """Says nothing about the brand: greetings, laughter, ok."""
    CONTENT = 1 << 41
    """Says something about the brand, and tells the language."""
    COMMON = 1 << 38
    """Tells the language."""


NAMES: dict[str, int] = {name.lower(): bit for name, bit in vars(Role).items() if name.isupper()}


class Entry(NamedTuple):
    """One meaning of a word in one language."""

    language: int
    roles: int
    value: int = -1


class Senses:
    """All meanings of a word or phrase."""

    __slots__ = ("entries", "languages", "roles", "value")

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self.languages = tuple({entry.language for entry in self.entries})
        self.roles = 0
        """Of all of them together."""
        self.value = -1
        for entry in self.entries:
            self.roles |= entry.roles
            self.value = max(self.value, entry.value)


Phrase = tuple[tuple[str, ...], Senses]
"""The words after the first, and what all of it means."""


@dataclass(slots=True)
class Lexicon:
    """All words, folded."""

    languages: tuple[str, ...]
    words: dict[str, Senses] = field(default_factory=dict)
    stems: dict[str, Senses] = field(default_factory=dict)
    """Beginnings of words."""
    stem_lengths: tuple[int, ...] = ()
    phrases: dict[str, dict[str, list[Phrase]]] = field(default_factory=dict)
    """By their first and second word (``*``: a stem), the longest first."""
    unspaced: dict[str, Senses] = field(default_factory=dict)
    """Where nothing separates words."""
    lengths: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """How long those are that begin with a character, the longest first."""
    suffixes: dict[str, list[Entry]] = field(default_factory=dict)
    """What may be glued to a digit: ``8ish`` is a score, ``8h`` is none."""
    verb_last: frozenset[int] = frozenset()
    """Languages in which what is said of a number comes after it."""
    seen: dict[str, tuple[str, Senses | None]] = field(default_factory=dict)
    """What was looked up before, as long as it is not too much."""


_UNSPACED = re.compile(f"[{UNSPACED}]")


def _listed(data: dict[str, object]) -> Iterator[tuple[str, int, int]]:
    """(word, roles, value) of a file."""
    for name, value in data.items():
        if name in ("numbers", "weak"):
            assert isinstance(value, dict)
            role = Role.NUMBER if name == "numbers" else Role.WEAK
            for number, words in value.items():
                yield from ((word, role, int(number)) for word in words)
        elif name not in ("suffixes", "verb_last"):
            assert isinstance(value, list), name
            yield from ((word, NAMES[name], -1) for word in value)


def _joined(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """One entry per language and value: its roles together."""
    found: dict[tuple[int, int], int] = {}
    for entry in entries:
        found[entry.language, entry.value] = found.get((entry.language, entry.value), 0) | entry.roles
    return tuple(Entry(language, roles, value) for (language, value), roles in found.items())


@cache
def lexicon() -> Lexicon:
    """The words of all languages, read once."""
    files = sorted(FOLDER.glob("*.toml"))
    made = Lexicon(tuple(file.stem for file in files))
    plain: dict[str, list[Entry]] = {}
    for index, file in enumerate(files):
        data = tomllib.loads(file.read_text("utf-8"))
        for word, roles, value in _listed(data):
            plain.setdefault(folded(word), []).append(Entry(index, roles, value))
        if data.get("verb_last", False):
            made.verb_last |= {index}
        for name, glued in data.get("suffixes", {}).items():
            for suffix in glued:
                made.suffixes.setdefault(folded(suffix), []).append(Entry(index, NAMES[name]))
    for word, entries in plain.items():
        _place(made, word, Senses(_joined(entries)))
    for phrases in made.phrases.values():
        for those in phrases.values():
            those.sort(key=lambda each: -len(each[0]))
    lengths: dict[str, set[int]] = {}
    for word in made.unspaced:
        lengths.setdefault(word[0], set()).add(len(word))
    made.lengths = {first: tuple(sorted(its, reverse=True)) for first, its in lengths.items()}
    made.stem_lengths = tuple(sorted({len(stem) for stem in made.stems}, reverse=True))
    return made


MOST_SEEN = 50_000


def look_up(lexicon: Lexicon, word: str) -> tuple[str, Senses | None]:
    """A word without letters that are drawn out, and what it means in every language that knows it, or a stem of it:
    also ``teeen``, ``sevenish``."""
    found = lexicon.seen.get(word)
    if found is None:
        plain = _DRAWN_OUT.sub(r"\1", word)
        found = plain, _looked_up(lexicon, plain)
        if len(lexicon.seen) < MOST_SEEN:
            lexicon.seen[word] = found
    return found


def _looked_up(lexicon: Lexicon, word: str) -> Senses | None:
    exact = lexicon.words.get(word)
    for length in lexicon.stem_lengths:
        if length <= len(word) and (stem := lexicon.stems.get(word[:length])) is not None:
            if exact is None:
                return stem
            return Senses((*exact.entries, *(e for e in stem.entries if e.language not in exact.languages)))
    if exact is not None:
        return exact
    for other in _spellings(word):
        if (found := lexicon.words.get(other)) is not None:
            return found
    return None


def _spellings(word: str) -> Iterator[str]:
    """Other words by which it may be known."""
    if word.endswith("ish"):
        yield word[:-3]
    yield _REPEATED.sub(r"\1", word)
    if "\u0600" < word[:1] < "\u0700":
        yield from (word[len(prefix) :] for prefix in _ARABIC_PREFIXES if word.startswith(prefix))


_ARABIC_PREFIXES = (
    "\u0648\u0627\u0644",
    "\u0628\u0627\u0644",
    "\u0641\u0627\u0644",
    "\u0644\u0644",
    "\u0627\u0644",
    *"\u0648\u0628\u0641\u0644",
)
"""And, with, so, to, the: written together with the word."""
_DRAWN_OUT = re.compile(r"(.)\1\1+")
_REPEATED = re.compile(r"(.)\1+")


def _place(made: Lexicon, word: str, senses: Senses) -> None:
    if _UNSPACED.search(word):
        made.unspaced[word.replace(" ", "")] = senses
    elif len(parts := word.replace("-", " - ").split()) > 1:
        first, *rest = parts
        second = "*" if rest[0].endswith("*") else rest[0]
        made.phrases.setdefault(first, {}).setdefault(second, []).append((tuple(rest), senses))
    elif word.endswith("*"):
        made.stems[word[:-1]] = senses
    else:
        made.words[word] = senses
