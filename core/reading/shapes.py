"""A folded text cut into tokens: numbers by their shape, words, and the marks between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from typing import Final

from core.reading import kinds, roles
from core.reading.fold import EMOJI, STAR, TEN, UNSPACED
from core.reading.lexicon import Entry, Lexicon, Senses, look_up
from core.reading.phrases import Phrases
from core.reading.roles import NAMES

HEAD: Final = 256
TAIL: Final = 128
"""So many characters of a long text are read, at its beginning and end: that is where a score or a wish stands."""


MOST: Final = 240
"""Of a long text so many tokens are read at most: whoever writes more of them in so few characters says nothing."""


def _letters() -> str:
    """All letters of words that blanks separate, as ranges for a class of characters: ``re`` looks such a class up in a
    table, where it would ask ``\\w`` and its exceptions one after the other."""
    others = re.compile(f"[{UNSPACED}\u0900-\u097f]")
    codes = [code for code in range(0x10000) if chr(code).isalpha() and not others.match(chr(code))]
    ends = [n for n, (one, next_) in enumerate(pairwise([*codes, 0])) if next_ != one + 1]
    begins = [0, *(end + 1 for end in ends[:-1])]
    return "".join(f"\\u{codes[a]:04x}-\\u{codes[b]:04x}" for a, b in zip(begins, ends, strict=True))


_LETTER = f"[{_letters()}]"
_HINDI = "[\u0900-\u0963\u0971-\u097f]"
"""Its vowel signs are no letters to ``re``."""
_SIGN = r"[$\u20ac\u00a3\u00a5\u20b9\u20bd\u20ba\u20a9\u20b4\uffe5]"
_DOMAIN = "com|net|org|info|example|shop|app|io|de|fr|es|it|pt|br|nl|pl|tr|ru|in|jp|cn|kr|id|eu|uk"

_LINK = rf"""
    (?P<link>(?:https?://|www\.)\S+ | [\w.+-]{{1,40}}@[\w-]+\.\w\S*
      | [a-z0-9-]{{1,40}}(?:\.[a-z0-9-]{{1,40}}){{0,4}}\.(?:{_DOMAIN})\b(?![.\w])/?\S*) |"""
_SHAPES = rf"""
    (?P<grade>(?<![a-z'])[a-f][+-](?!\w))
  | (?P<word>{_LETTER}+(?:[']{_LETTER}+|[2-9]{_LETTER}{{2,}}|'(?=\d))* | {_HINDI}+)
  | [^\S\n]+
  | (?P<unspaced>[{UNSPACED}]+(?:\ ?[{UNSPACED}]+)*)
  | (?=[\d+]|{_SIGN})(?:
        (?P<money>{_SIGN}\s?\d+(?:[.,]\d+)* | \d+(?:[.,]\d+)*\s?{_SIGN})
      | (?P<percent>\d+(?:[.,]\d+)?\s?%)
      | (?P<decimal_of>\d+[.,]\d+\s?/\s?\d+ | [1-9]0{{3,}}\s?/\s?10(?!\d))
      | (?P<name>24\s?/\s?7 | 7\s?/\s?24
          | 0?8/15 | 7-11 | (?:0\d|\d{{4}})\d*[/-]\d+(?![\d/-]) | \d+-\d{{4,}}(?![\d-])
          | \d+\s?[+x\u00d7\u6bd4\u5c0d\u5bfe]\s?\d+
          | \d{{1,2}}:\d{{1,2}}(?!\d) | \d+(?:[./-]\d+){{2,}}(?!\d)
          | \d\d(?:[\ .]\d\d){{3,}}(?!\d) | (?<!\d\ )\d(?:\ \d){{4,}}(?!\ ?\d)
          | (?=[\d()\ -]{{0,12}}\d{{3}})\+?\d[\d()\ -]{{6,24}}\d)
      | (?P<fraction>(?P<part>\d{{1,4}})\s?[/\\]\s?(?P<whole>\d{{1,4}}|{TEN})(?![\d/]))
      | (?P<decimal>\d+[.,]\d+(?!\d) | \d+\s?[\u00bc-\u00be\u2150-\u215e])
      | (?P<range>(?P<low>\d{{1,3}})\s?[-~]\s?(?P<high>\d{{1,3}}|{TEN})(?!\d))
      | (?P<digits>\d+)(?P<glued>['-]?{_LETTER}+)?)
  | (?P<line>\s*\n\s*)
  | (?P<mark>[.,!?;:()-])
  | (?P<handle>[@\#](?=\w)\w[\w.]*)
  | (?P<face><3+ | \^[o0_.]?\^)
  | (?P<struck>~~[^~\n]{{1,200}}~~ | ~[^~\s][^~\n]{{0,40}}~)
  | (?P<quote>"[^"\n]{{3,400}}")
  | (?P<ten>{TEN})
  | (?P<vulgar>[\u00bc-\u00be\u2150-\u215e])
  | (?P<star>{STAR}(?:\s?{STAR})*)
  | (?P<emoji>{EMOJI})
  | (?P<other>[^\s])
"""
_MAYBE_LINK = re.compile(r"\w[.@]\w|://")
_PLAIN = {
    **dict.fromkeys(("percent", "decimal_of", "vulgar", "star", "grade"), kinds.MISFIT),
    **dict.fromkeys(("money", "name"), kinds.COUNT),
    **dict.fromkeys(("emoji", "face"), kinds.EMOJI),
    **dict.fromkeys(("mark", "other"), kinds.MARK),
    **dict.fromkeys(("link", "handle"), kinds.OTHER),
}
"""Shapes that are the same whatever stands in them."""


class _Shapes:
    """A pattern of all shapes, and what its groups stand for, by their numbers."""

    def __init__(self, pattern: str) -> None:
        self.match = re.compile(pattern, re.VERBOSE).match
        groups = re.compile(pattern, re.VERBOSE).groupindex
        self.word = groups["word"]
        self.plain = {groups[name]: kind for name, kind in _PLAIN.items() if name in groups}


_TOKEN = _Shapes(_SHAPES)
_TOKEN_OR_LINK = _Shapes(_LINK + _SHAPES)


class Token:
    """One token. ``start`` and ``end`` are places in the folded text."""

    __slots__ = ("at", "begins", "end", "glued", "kind", "roles", "senses", "start", "text", "value")

    def __init__(
        self,
        kind: int,
        start: int,
        end: int,
        text: str,
        value: int = -1,
        roles: int = 0,
        senses: Senses | None = None,
        begins: Phrases | None = None,
    ) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.text = text
        self.value = value
        self.roles = roles
        self.senses = senses
        self.begins = begins
        self.at: int
        """Its place among the tokens, once they stand in clauses."""
        self.glued = False
        """Whether the senses are those of letters after a digit, which decide whether it is a score."""

    def __repr__(self) -> str:
        return f"{kinds.NAMES[self.kind]}({self.text!r}, {self.value}, {_names(self.roles)})"


def _names(roles: int) -> str:
    return "|".join(name for name, bit in NAMES.items() if roles & bit)


def cut(text: str, lexicon: Lexicon) -> list[Token]:
    """The tokens of a folded text; each word with all that it may mean."""
    found: list[Token] = []
    shapes = _TOKEN_OR_LINK if ("." in text or "@" in text or ":" in text) and _MAYBE_LINK.search(text) else _TOKEN
    shape_at, a_word, plain, seen = shapes.match, shapes.word, shapes.plain, lexicon.seen
    for begin, end, most in _parts(text):
        if begin:
            found.append(Token(kinds.MARK, begin, begin, "\n"))
        at = begin
        while at < end:
            until = text.find(" ", at, end)
            if until < 0:
                until = end
            if (known := seen.get(text[at:until])) is not None:  # a word between blanks needs no trying of shapes
                word, senses, begins = known
                found.append(Token(kinds.WORD, at, until, word, -1, 0, senses, begins))
                at = until + 1
                continue
            match = shape_at(text, at, end)
            if match is None or len(found) >= most:  # there is a shape for everything
                break
            start, at, shape = at, match.end(), match.lastindex
            if shape == a_word:
                word, senses, begins = seen.get(match[0]) or look_up(lexicon, match[0])
                found.append(Token(kinds.WORD, start, at, word, -1, 0, senses, begins))
            elif shape is None:
                if found and _PAUSED.match(text, found[-1].end - 1):  # a wide gap where none is usual
                    found.append(Token(kinds.MARK, start, at, ","))
            elif (kind := plain.get(shape)) is not None:
                found.append(Token(kind, start, at, match[0]))
            else:
                found += _tokens(match, text, lexicon)
            if text.startswith(" ", at):
                at += 1
    return found


NO_BLANKS: Final = "\u2e80"
"""Writing systems from here on put no blanks between words, or put counters next to the number."""


_PAUSED = re.compile("[\u2e80-\uabff\ue000-\uffef]")
"""Behind these a gap is a pause: Chinese, Japanese, a ten in one sign; Korean has gaps between words."""


def _parts(text: str) -> tuple[tuple[int, int, int], ...]:
    """Where each part that is read begins and ends, and how many tokens there may be after it. No ten is cut in two."""
    length = len(text)
    if length <= HEAD + TAIL:
        return ((0, length, length),)
    end, begin = HEAD, length - TAIL
    if text[end - 1 : end + 1] == "10":
        end -= 1
    if text[begin - 1 : begin + 1] == "10":
        begin -= 1
    return ((0, end, 2 * MOST // 3), (begin, length, MOST))


def _tokens(match: re.Match[str], text: str, lexicon: Lexicon) -> Iterable[Token]:
    """What is in a shape that has to be looked into."""
    shape = match.lastgroup
    start, end = match.span()
    if shape in ("digits", "glued"):
        return (_digits(match, text, lexicon),)
    if shape == "unspaced":
        return islice(_unspaced(match[0], start, lexicon), MOST // 2)
    if match["range"] and match["high"] != TEN and int(match["high"]) < int(match["low"]) == 10:  # out of 10 - 8
        return (
            Token(kinds.NUMBER, start, start + 2, "10", 10),
            Token(kinds.MARK, start + 2, start + 2, "-"),
            Token(kinds.NUMBER, match.start("high"), end, match["high"], int(match["high"])),
        )
    return (_token(match, start, end),)


def _token(match: re.Match[str], start: int, end: int) -> Token:
    text, shape = match[0], match.lastgroup
    match shape:
        case "part" | "whole" | "fraction":
            if match["whole"] in ("10", TEN) and int(match["part"]) <= 10:
                return Token(kinds.OF_TEN, start, end, text, int(match["part"]))
            kind = kinds.MISFIT if _is_a_scale(match["part"], match["whole"]) else kinds.COUNT
            return Token(kind, start, end, text)
        case "low" | "high" | "range":
            low, high = int(match["low"]), 10 if match["high"] == TEN else int(match["high"])
            if low > high or high > 10:  # 3-0: who won; 9-13: when it is open
                return Token(kinds.COUNT, start, end, text)
            return Token(kinds.SCALE if low in (0, 1) and high == 10 else kinds.MISFIT, start, end, text)
        case "decimal":
            is_price = start and re.search(r"[.,]\d\d$", text) and len(match.string) > len(text) + 3
            return Token(
                kinds.COUNT if is_price or re.match(r"[2-9]\d|\d{3}", text) else kinds.MISFIT, start, end, text
            )
        case "ten":
            return Token(kinds.NUMBER, start, end, text, 10)
        case "struck":
            return Token(kinds.MARK, start, end, "~~", roles=roles.CORRECT)
        case "line":
            return Token(kinds.MARK, start, end, "\n")
        case _:  # quoted
            if re.fullmatch(r'"\s*(?:10|[0-9])\s*"', text):
                return Token(kinds.NUMBER, start, end, text, int(text.strip('"')))
            return Token(kinds.OTHER, start, end, text)


def _is_a_scale(part: str, whole: str) -> bool:
    """Whether N/M may be a score on another scale; else it is a date or part of a number: 12/24, 2208/771."""
    return (
        whole in ("10", "20", "100", TEN)
        or (int(part) <= 10 and int(whole) <= 100)
        or 12 < int(part) <= int(whole) == 30
    )


def _digits(match: re.Match[str], text: str, lexicon: Lexicon) -> Token:
    start, end = match.span()
    digits, glued = match["digits"], match["glued"]
    before = text[start - 1] if start else " "
    if before.isalpha() and before < "\u0900" and not _is_prefix(text, start):
        return Token(kinds.COUNT, start, end, match[0])
    if before == "-" and start == 1:
        return Token(kinds.MISFIT, start, end, match[0])
    value = int(digits) if len(digits) <= 4 else 10_000
    if len(digits) > 2 and (len(set(digits)) == 1 or digits[0] == "0"):  # 666, laughter or a cheer; 0815
        return Token(kinds.COUNT, start, end, match[0])
    kind = kinds.NUMBER if value <= 10 and len(digits) <= 2 else kinds.MISFIT if value <= 1_000 else kinds.COUNT
    token = Token(kind, start, end, match[0], value)
    if glued is not None:
        if known := lexicon.senses(match[0]):  # 7abibi
            token.kind, token.value, token.senses = kinds.WORD, -1, known
            token.begins = lexicon.phrases.get(token.text)
            return token
        token.glued = True
        token.senses = _endings(glued, lexicon)
    return token


def _is_prefix(text: str, start: int) -> bool:
    """Whether one of the letters that Arabic writes together with the next word stands before a digit."""
    return text[start - 1] in _ARABIC_PREFIXES and (start == 1 or not text[start - 2].isalpha())


_ARABIC_PREFIXES = "\u0648\u0628\u0644\u0641"
_KEPT_ENDING = Senses([Entry(-1, roles.LIGHT)])


def _endings(glued: str, lexicon: Lexicon) -> Senses | None:
    word = glued.lstrip("'-")
    if found := lexicon.suffixes.get(glued) or lexicon.suffixes.get(word):
        return Senses(found)
    useful, known = roles.POINTS | roles.UNIT | roles.LIGHT, lexicon.senses(word)
    if known is not None and known.roles & useful:
        return Senses(entry for entry in known.entries if entry.roles & useful)
    # An ending after an apostrophe is a case, as in Turkish; Arabic writes "and" together with what precedes it.
    return _KEPT_ENDING if glued[0] == "'" or glued[0] in _ARABIC_PREFIXES else None


def _unspaced(text: str, start: int, lexicon: Lexicon) -> Iterator[Token]:
    """The words of a run of Chinese, Japanese or Korean, the longest first; what is unknown stays together."""
    places = [index for index, char in enumerate(text) if char != " "]
    run = text.replace(" ", "") if len(places) < len(text) else text
    at, unknown, entries = 0, -1, lexicon.entries
    while at < len(run):
        for length in lexicon.lengths.get(run[at], ()):
            if run[at : at + length] in entries and at + length <= len(run):
                break
        else:
            unknown = at if unknown < 0 else unknown
            at += 1
            continue
        if unknown >= 0:
            yield Token(kinds.WORD, start + places[unknown], start + places[at - 1] + 1, run[unknown:at])
            unknown = -1
        end = at + length
        word = run[at:end]
        yield Token(kinds.WORD, start + places[at], start + places[end - 1] + 1, word, senses=lexicon.meaning(word))
        at = end
    if unknown >= 0:
        yield Token(kinds.WORD, start + places[unknown], start + places[-1] + 1, run[unknown:])
