"""The phrases that begin with a word: a tree of the words that may follow, so that none is tried in vain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Said(Protocol):
    """A token, by what it says."""

    text: str


class Phrases:
    """The phrases that begin with a word, or go on from there. ``*`` stands for any word (no mark, no number),
    ``word*`` for any ending."""

    __slots__ = ("_by_stem", "_by_word", "_is_plain", "_listed", "_whole", "_with_any")

    def __init__(self) -> None:
        self._listed: list[str] = []
        """Not in the tree yet: most words are never met."""
        self._by_word: dict[str, Phrases] = {}
        self._by_stem: dict[str, dict[str, Phrases]] = {}
        """By the first letter of the stem, then by the stem."""
        self._with_any: Phrases | None = None
        self._is_plain = True
        """Whether only whole words go on from here."""
        self._whole = ""
        """The phrase that ends here."""

    def add(self, phrase: str) -> None:
        """Take one more that begins with this word."""
        self._listed.append(phrase)

    def after(self, said: Sequence[Said], at: int) -> list[tuple[int, str]]:
        """(how many more words, phrase) of each that goes on with what is said from ``at`` on; the longest first."""
        if self._listed:
            self._grow()
        text = said[at].text
        if text not in self._by_word and (
            self._is_plain or (text[0] not in self._by_stem and (self._with_any is None or not text[0].isalpha()))
        ):
            return _NONE
        found: list[tuple[int, str]] = []
        self._follow(said, at, 0, found)
        if len(found) > 1:
            found.sort(key=_by_width)
        return found

    def _follow(self, said: Sequence[Said], at: int, width: int, found: list[tuple[int, str]]) -> None:
        node: Phrases | None = self
        others: list[tuple[Phrases, int, int]] = []
        while node is not None:
            if node._whole:
                found.append((width, node._whole))
            if at == len(said):
                break
            text = said[at].text
            at, width = at + 1, width + 1
            if not node._is_plain:
                stems = node._by_stem.get(text[0], {})
                others += [(after, at, width) for stem, after in stems.items() if text.startswith(stem)]
                if node._with_any is not None and text[0].isalpha():
                    others.append((node._with_any, at, width))
            node = node._by_word.get(text)
        for other, at, width in others:
            other._follow(said, at, width, found)

    def _grow(self) -> None:
        for phrase in self._listed:
            node = self
            for word in parts(phrase)[1:]:
                node = node._next(word)
            node._whole = phrase
        self._listed.clear()

    def _next(self, word: str) -> Phrases:
        if word[-1] == "*":
            self._is_plain = False
        if word == "*":
            self._with_any = self._with_any or Phrases()
            return self._with_any
        if word[-1] == "*":
            return self._by_stem.setdefault(word[0], {}).setdefault(word[:-1], Phrases())
        return self._by_word.setdefault(word, Phrases())


_NONE: list[tuple[int, str]] = []


def _by_width(found: tuple[int, str]) -> int:
    return -found[0]


def parts(phrase: str) -> list[str]:
    """The words of a phrase, as they are cut: ``half-way`` has three."""
    return phrase.replace("-", " - ").split()
