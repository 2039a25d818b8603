"""The words of all languages, out of ``core/lexicons``: one file per language, one engine for all.

A file holds words and phrases by what they do in an answer: ``[role]`` or ``[numbers 8]``, then entries between
bars, until the next one. A phrase is several words; ``*`` at the end of a word stands for any ending. Where nothing
separates words (Chinese, Japanese, Korean), an entry is found anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from core.reading import roles
from core.reading.fold import UNSPACED, folded
from core.reading.phrases import Phrases, parts
from core.reading.roles import NAMES

FOLDER = Path(__file__).parent.parent / "lexicons"


class Entry(NamedTuple):
    """One meaning of a word in one language."""

    language: int
    roles: int
    value: int = -1


class Senses:
    """All meanings of a word or phrase."""

    __slots__ = ("by_language", "entries", "languages", "only", "roles", "value")

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self.languages = tuple({entry.language for entry in self.entries})
        self.only = self.languages[0] if len(self.languages) == 1 else -1
        """The one language that knows it; -1: several do."""
        self.by_language = {entry.language: entry for entry in self.entries}
        """The one meaning that it has there; languages in which it has several are left out."""
        if len(self.by_language) < len(self.entries):
            several = [entry.language for entry in self.entries]
            self.by_language = {n: e for n, e in self.by_language.items() if several.count(n) == 1}
        self.roles = 0
        """Of all of them together."""
        self.value = -1
        for entry in self.entries:
            self.roles |= entry.roles
            self.value = max(self.value, entry.value)


Known = tuple[str, Senses | None, Phrases | None]
"""A word without letters that are drawn out, what it means, and the phrases that begin with it."""


@dataclass(slots=True)
class Lexicon:
    """All words, folded."""

    languages: tuple[str, ...]
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    """By word, phrase or stem (``word*``); where nothing separates words, without blanks."""
    stem_lengths: tuple[int, ...] = ()
    phrases: dict[str, Phrases] = field(default_factory=dict)
    """By their first word."""
    lengths: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Where nothing separates words: how long those are that begin with a character, the longest first."""
    suffixes: dict[str, list[Entry]] = field(default_factory=dict)
    """What may be glued to a digit: ``8ish`` is a score, ``8h`` is none."""
    verb_last: frozenset[int] = frozenset()
    """Languages in which what is said of a number comes after it."""
    english: int = -1
    """The language whose numbers are used in the others."""
    other_script: frozenset[int] = frozenset()
    """Languages that are not written in Latin letters, so that an English number among them is just that."""
    seen: dict[str, Known] = field(default_factory=dict)
    """What was looked up before, as long as it is not too much."""
    _senses: dict[str, Senses] = field(default_factory=dict)

    def senses(self, entry: str) -> Senses | None:
        """What it means, if it is an entry."""
        return self.meaning(entry) if entry in self.entries else None

    def meaning(self, entry: str) -> Senses:
        """What an entry means. Put together when it is first asked for: most are never."""
        found = self._senses.get(entry)
        if found is None:
            its = self.entries[entry]
            if " " in entry:
                its = [*its, *self._of_parts(entry, its)]
            found = self._senses[entry] = Senses(_joined(its))
        return found

    def _of_parts(self, phrase: str, its: Sequence[Entry]) -> Iterator[Entry]:
        """What the first word of a phrase, or those after it, say of whose and when: "and overall", "now a"."""
        first, _, rest = phrase.partition(" ")
        packing = {entry.language: entry for entry in its if not entry.roles & ~_PACKING}
        for part in (first, rest):
            for entry in self.entries.get(part, ()):
                if entry.language in packing and entry.roles & _WHOSE:
                    yield Entry(entry.language, entry.roles & _WHOSE, packing[entry.language].value)

    def expected(self, languages: tuple[str, ...]) -> tuple[int, ...]:
        """The places of these languages (BCP 47 tags), of those that there are words of."""
        known = {language.partition("-")[0] for language in languages} if languages else ()
        return tuple(index for index, language in enumerate(self.languages) if language in known) if known else ()


_PACKING = roles.CUE | roles.LIGHT | roles.CONTRAST | roles.LINK | roles.COMMON
_WHOSE = roles.NOW | roles.OVERALL


def _joined(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """One entry per language and value: its roles together."""
    found: dict[tuple[int, int], int] = {}
    for entry in entries:
        found[entry.language, entry.value] = found.get((entry.language, entry.value), 0) | entry.roles
    return tuple(Entry(language, roles, value) for (language, value), roles in found.items())


# -- the files ---------------------------------------------------------------------------------------------------------


@cache
def lexicon() -> Lexicon:
    """The words of all languages, read once."""
    files = sorted(FOLDER.glob("*.txt"))
    made = Lexicon(tuple(file.stem for file in files))
    stems: set[int] = set()
    for index, file in enumerate(files):
        if file.stem == "en":
            made.english = index
        for name, value, words in sections(file.read_text("utf-8")):
            _take(made, index, name, value, words, stems)
    made.stem_lengths = tuple(sorted(stems, reverse=True))
    return made


def sections(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """(name, argument, entries) of each list of a file, folded. What stands before the first is a remark."""
    for block in folded(text).split("\n[")[1:]:
        head, _, body = block.partition("]")
        name, _, argument = head.partition(" ")
        yield name, argument, [each for each in map(str.strip, body.replace("\n", "|").split("|")) if each]


def _take(made: Lexicon, index: int, name: str, argument: str, words: Sequence[str], stems: set[int]) -> None:
    """Take one list of a language, and note how long its stems are."""
    match name:
        case "verb_last":
            made.verb_last |= {index}
            return
        case "suffixes":
            entry = Entry(index, NAMES[argument])
            for word in words:
                made.suffixes.setdefault(word, []).append(entry)
            return
        case "common" if words[0] > _NOT_LATIN:
            made.other_script |= {index}
    role = _COUNTED.get(name) or NAMES[name]
    entry = Entry(index, role, int(argument) if argument else -1)
    entries = made.entries
    for word in words:
        its = entries.get(word)
        if its is None:
            its = entries.setdefault(_indexed(made, word, stems), [])
        its.append(entry)


_COUNTED = {"numbers": roles.NUMBER, "weak": roles.WEAK}
_NOT_LATIN = "\u0370"
_UNSPACED = re.compile(f"[{UNSPACED}]")


def _indexed(made: Lexicon, word: str, stems: set[int]) -> str:
    """Let a new entry be found by how it begins. Returns it as it is kept: without blanks where nothing separates
    words."""
    if not word.isascii() and _UNSPACED.search(word):
        word = word.replace(" ", "")
        lengths = made.lengths.get(word[0], ())
        if len(word) not in lengths:
            made.lengths[word[0]] = tuple(sorted((*lengths, len(word)), reverse=True))
    elif " " in word or "-" in word:
        first, *rest = word.split(" ", 1) if "-" not in word else parts(word)
        if rest:
            if (phrases := made.phrases.get(first)) is None:
                phrases = made.phrases[first] = Phrases()
            phrases.add(word)
    elif word.endswith("*"):
        stems.add(len(word) - 1)
    return word


# -- looking up --------------------------------------------------------------------------------------------------------

MOST_SEEN = 50_000


def look_up(lexicon: Lexicon, word: str) -> Known:
    """What is known of a word, in every language that knows it or a stem of it: also ``teeen``, ``sevenish``."""
    found = lexicon.seen.get(word)
    if found is None:
        plain = _DRAWN_OUT.sub(r"\1", word)
        found = plain, _looked_up(lexicon, plain), lexicon.phrases.get(plain)
        if len(lexicon.seen) < MOST_SEEN:
            lexicon.seen[word] = found
    return found


def _looked_up(lexicon: Lexicon, word: str) -> Senses | None:
    exact = lexicon.senses(word)
    for length in lexicon.stem_lengths:
        if length <= len(word) and (stem := lexicon.senses(f"{word[:length]}*")) is not None:
            if exact is None:
                return stem
            return Senses((*exact.entries, *(e for e in stem.entries if e.language not in exact.languages)))
    if exact is not None:
        return exact
    for other in _spellings(word):
        if (found := lexicon.senses(other)) is not None:
            return found
    if "\u0600" < word[:1] < "\u0700":
        for prefix in _ARABIC_PREFIXES:
            if word.startswith(prefix) and (found := lexicon.senses(word[len(prefix) :])) is not None:
                # "And the staff" is not what the number before it counts.
                return Senses(entry._replace(roles=entry.roles & ~roles.UNIT) for entry in found.entries)
    return None


def _spellings(word: str) -> Iterator[str]:
    """Other words by which it may be known."""
    if word.endswith("ish"):
        yield word[:-3]
    if len(after := word.partition("'")[2]) > 2:  # l'eliminazione, n'otto; but: the shop's
        yield after
    yield _REPEATED.sub(r"\1", word)


_ARABIC_PREFIXES = (
    "\u0648\u0627\u0644",
    "\u0628\u0627\u0644",
    "\u0641\u0627\u0644",
    "\u0644\u0644",
    "\u0627\u0644",
    *"\u0648\u0628\u0641\u0644",
    "\u0647\u0627\u0644",
)
"""And, with, so, to, the, this: written together with the word."""
_DRAWN_OUT = re.compile(r"(.)\1\1+")
_REPEATED = re.compile(r"(.)\1+")
