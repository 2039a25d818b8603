"""A plain copy of a text to match words and numbers in: no case, no accents, one kind of digit, dash and quote.

Each character of the copy stands for one of the original, so that what is found can be cut out of what was written.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

GONE: Final = "\x00"
"""Stands for a character that says nothing here: accents that stand alone, joiners, the frame of a keycap."""
STRUCK: Final = "\u0336"
"""Combining long stroke: the character before it is struck out."""
TEN: Final = "\ue00a"
"""A ten in one character, such as 🔟 or ⑩."""
EMOJI: Final = "\ue001"
STAR: Final = "\u2605"
UNSPACED: Final = "\u2e80-\u2fdf\u3005-\u3007\u3031-\u9fff\uac00-\ud7af\uf900-\ufaff\u1100-\u11ff\u3130-\u318f"
"""Chinese, Japanese and Korean, for a class of characters: nothing separates words, or endings stand with them."""

_TENS = "\U0001f51f\u2469\u247d\u277f\u2793\u2491\u24fe\u3229\u3289"
_STARS = "\u2b50\u2605\u2606\u272d\u272e\u2730\U0001f31f\u269d"
_GIVEN: dict[str, str] = {
    **dict.fromkeys("\u2019\u2018\u02bc\u0060\u00b4\u2032\uff07\u05f3", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u300c\u300d\u300e\u300f\u301d\u301e\u301f\uff02", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d\ufe63", "-"),
    **dict.fromkeys("\u2044\u2215\u29f8\uff0f", "/"),
    **dict.fromkeys("\uff5e\u301c\u223c\u02dc", "~"),
    **dict.fromkeys("\u060c\u3001\uff0c\ufe50", ","),
    **dict.fromkeys("\uff0e", "."),
    **dict.fromkeys("\u3002\uff61\u0964\u06d4", ";"),
    **dict.fromkeys("\u061f\uff1f", "?"),
    **dict.fromkeys("\u061b\uff1b", ";"),
    **dict.fromkeys("\u066a\uff05", "%"),
    **dict.fromkeys("\u066b", "."),
    **dict.fromkeys("\u2026", ";"),
    **dict.fromkeys("\u2192\u21d2\u27a1\u279c\u2794", "\u2192"),
    **dict.fromkeys("\u0622\u0623\u0625\u0671", "\u0627"),
    **dict.fromkeys("\u0629", "\u0647"),
    **dict.fromkeys("\u0649", "\u064a"),
    **dict.fromkeys("\u06cc", "\u064a"),
    **dict.fromkeys("\u06a9", "\u0643"),
    **dict.fromkeys("\u0131\u0130", "i"),
    **dict.fromkeys("\u0142\u0141", "l"),
    **dict.fromkeys("\u00f8\u00d8", "o"),
    **dict.fromkeys("\u00df", "s"),
    **dict.fromkeys("\u0451\u0401", "\u0435"),
    **dict.fromkeys("\u093c", GONE),
    **dict.fromkeys("\u0901", "\u0902"),
    **{chr(0x958 + n): base for n, base in enumerate("\u0915\u0916\u0917\u091c\u0921\u0922\u092b\u092f")},
    **dict(
        zip(
            "\u3041\u3043\u3045\u3047\u3049\u30a1\u30a3\u30a5\u30a7\u30a9",
            "\u3042\u3044\u3046\u3048\u304a\u30a2\u30a4\u30a6\u30a8\u30aa",
            strict=True,
        )
    ),
    **dict.fromkeys(_TENS, TEN),
    **dict.fromkeys(_STARS, STAR),
}
_LETTERED = re.compile(r"LATIN|CYRILLIC|GREEK")
_HARAKAT = re.compile("[\u0610-\u061a\u0640\u064b-\u065f\u0670]")
_NOTHING = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u20e3\u20e0\u00ad\u202a\u202b\u202c\u2066\u2067\u2069")


class _Folds(dict[int, str]):
    """What each character is folded to, learnt when it first comes."""

    def __missing__(self, code: int) -> str:
        found = self[code] = _fold(chr(code))
        return found


def _fold(char: str) -> str:
    if char in _GIVEN:
        return _GIVEN[char]
    if char == STRUCK:
        return STRUCK
    if char in _NOTHING or "\ufe00" <= char <= "\ufe0f" or _HARAKAT.match(char):
        return GONE
    category = unicodedata.category(char)
    if category == "Co":  # ours mean something, theirs do not
        return " "
    if category == "Nd":
        return str(unicodedata.digit(char))
    if category == "No" and "SUPERSCRIPT" not in (name := unicodedata.name(char, "")) and "SUBSCRIPT" not in name:
        value = unicodedata.numeric(char, -1)
        return str(int(value)) if value in range(10) else char
    if category == "So" and char > "\u2190" and not "\u3200" <= char < "\u33ff":
        return EMOJI
    if category == "Sk" and char > "\uffff":
        return GONE
    name = unicodedata.name(char, "")
    if category == "Mn" and name.startswith("COMBINING"):
        return GONE
    if _LETTERED.match(name) or "FULLWIDTH" in name or "HALFWIDTH" in name or "MATHEMATICAL" in name:
        plain = unicodedata.normalize("NFKD", char)[0].casefold()
        return plain if len(plain) == 1 else char
    if category in ("Cc", "Zs", "Zl", "Zp"):
        return "\n" if char in "\n\r\u2028\u2029\u0085" else " "
    lowered = char.lower()
    return lowered if len(lowered) == 1 else char


_FOLDS = _Folds()
_DRAWN = "\u30fc"
"""Draws a Japanese vowel out; among digits it is a dash."""
_TO_DROP = re.compile(f".?{STRUCK}|{GONE}|(?<=[\u3041-\u30fa]){_DRAWN}+")


class Folded(NamedTuple):
    """A folded text. ``places[i]`` is where its character *i* stands in the original; ``None``: at *i*."""

    text: str
    places: list[int] | None = None

    def place(self, index: int, default: int) -> int:
        """Where the character stands in the original; ``default`` past the end."""
        if self.places is None:
            return min(index, default)
        return self.places[index] if index < len(self.places) else default


def fold(text: str) -> Folded:
    """The folded copy of a text. Quotation marks around all of it are blanks: who quotes everything says it."""
    if text.isascii():
        return Folded(_unquoted(text.lower()))
    plain = text.translate(_FOLDS)
    if GONE not in plain and STRUCK not in plain and _DRAWN not in plain:
        return Folded(_unquoted(plain))
    kept = [True] * len(plain)
    for found in _TO_DROP.finditer(plain):
        kept[found.start() : found.end()] = [False] * (found.end() - found.start())
    places = [index for index, keep in enumerate(kept) if keep]
    return Folded(_unquoted("".join([plain[index] for index in places])), places)


def _unquoted(text: str) -> str:
    return _QUOTED.sub(r"\1 \2 \3", text) if '"' in text else text


_QUOTED = re.compile(r'\A(\s*)"([^"]*)"(\W*)\Z')


def folded(text: str) -> str:
    """A text folded as it stands, quotation marks and all: the words of a lexicon."""
    return _TO_DROP.sub("", text.translate(_FOLDS))
