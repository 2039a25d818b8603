"""A folded text as tokens: numbers by their shape, words by what they do, and the marks between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import Final

from core.reading.fold import EMOJI, STAR, TEN, UNSPACED
from core.reading.lexicon import NAMES, Entry, Lexicon, Role, Senses, look_up

HEAD: Final = 256
TAIL: Final = 128
"""So many characters of a long text are read, at its beginning and end: that is where a score or a wish stands."""

_LETTER = rf"[^\W\d_{UNSPACED}\u0900-\u097f]"
_HINDI = "[\u0900-\u0963\u0971-\u097f]"
"""Its vowel signs are no letters to ``re``."""
_SIGN = r"[$\u20ac\u00a3\u00a5\u20b9\u20bd\u20ba\u20a9\u20b4\uffe5]"
_DOMAIN = "com|net|org|info|example|shop|app|io|de|fr|es|it|pt|br|nl|pl|tr|ru|in|jp|cn|kr|id|eu|uk"

_LINK = rf"""
    (?P<link>(?:https?://|www\.)\S+ | [\w.+-]{{1,40}}@[\w-]+\.\w\S*
      | [a-z0-9-]{{1,40}}(?:\.[a-z0-9-]{{1,40}}){{0,4}}\.(?:{_DOMAIN})\b(?![.\w])/?\S*) |"""
_SHAPES = rf"""
    (?P<word>{_LETTER}+(?:[']{_LETTER}+)* | {_HINDI}+)
  | (?P<unspaced>[{UNSPACED}]+(?:\ ?[{UNSPACED}]+)*)
  | (?=[\d+]|{_SIGN})(?:
        (?P<money>{_SIGN}\s?\d+(?:[.,]\d+)* | \d+(?:[.,]\d+)*\s?{_SIGN})
      | (?P<percent>\d+(?:[.,]\d+)?\s?%)
      | (?P<decimal_of>\d+[.,]\d+\s?/\s?\d+)
      | (?P<name>24\s?/\s?7 | 7\s?/\s?24
          | 0?8/15 | 7-11 | \d+\s?[+x\u00d7]\s?\d+ | \d{{1,2}}:\d\d(?!\d) | \d+(?:[./-]\d+){{2,}}(?!\d)
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
_TOKEN = re.compile(_SHAPES, re.VERBOSE)
_TOKEN_OR_LINK = re.compile(_LINK + _SHAPES, re.VERBOSE)
_MAYBE_LINK = re.compile(r"\w[.@]\w|://")


class Kind(Enum):
    """What a token is."""

    NUMBER = auto()
    """A whole number 0–10 by itself; ``value``."""
    OF_TEN = auto()
    """N/10."""
    MISFIT = auto()
    """A number that a score may have been meant by: 8.5, 7-8, 11, 4/5, 90 %."""
    SCALE = auto()
    """0-10: the scale itself."""
    COUNT = auto()
    """A number that is surely no score: money, a time, a phone number, 16GB."""
    WORD = auto()
    OTHER = auto()
    """A link, handle, hashtag or quotation."""
    EMOJI = auto()
    MARK = auto()
    """Punctuation, in ``text``; a new line is ``\\n``."""


class Token:
    """One token. ``start`` and ``end`` are places in the folded text."""

    __slots__ = ("at", "end", "glued", "kind", "roles", "senses", "start", "text", "value")

    def __init__(self, kind: Kind, start: int, end: int, text: str, value: int = -1, roles: int = 0) -> None:
        self.kind, self.start, self.end, self.text = kind, start, end, text
        self.value, self.roles = value, roles
        self.senses: Senses | None = None
        self.at = -1
        """Its place among the tokens, once they are settled."""
        self.glued = False
        """Whether the senses are those of letters after a digit, which decide whether it is a score."""

    def __repr__(self) -> str:
        return f"{self.kind.name}({self.text!r}, {self.value}, {_names(self.roles)})"


def _names(roles: int) -> str:
    return "|".join(name for name, bit in NAMES.items() if roles & bit)


def tokens(text: str, lexicon: Lexicon) -> tuple[list[Token], bool]:
    """The tokens of a folded text, with their roles in the languages that it seems to be in; and whether what is said
    of a number comes after it there."""
    found: list[Token] = []
    shapes = _TOKEN_OR_LINK if _MAYBE_LINK.search(text) else _TOKEN
    for begin, end in _parts(len(text)):
        if begin:
            found.append(Token(Kind.MARK, begin, begin, "\n"))
        for match in shapes.finditer(text, begin, end):
            if match.lastgroup == "word":
                start, stop = match.span()
                word, senses = look_up(lexicon, match[0])
                token = Token(Kind.WORD, start, stop, word)
                token.senses = senses
                found.append(token)
            else:
                found += _token(match, text, lexicon)
    votes = _votes(found, len(lexicon.languages))
    found = _phrases(found, lexicon, votes)
    return found, _settle(found, votes) in lexicon.verb_last


def _parts(length: int) -> tuple[tuple[int, int], ...]:
    return ((0, length),) if length <= HEAD + TAIL else ((0, HEAD), (length - TAIL, length))


def _token(match: re.Match[str], text: str, lexicon: Lexicon) -> Iterable[Token]:
    kind = match.lastgroup or ""
    if kind in ("part", "whole", "low", "high", "glued"):  # groups inside a shape close after it
        kind = "fraction" if match["fraction"] else "range" if match["range"] else "digits"
    start, end = match.span()
    match kind:
        case "unspaced":
            return _unspaced(match[0], start, lexicon)
        case "mark" | "other":
            return (Token(Kind.MARK, start, end, match[0]),)
        case "digits":
            return (_digits(match, text, lexicon),)
        case "range" if match["high"] != TEN and int(match["high"]) < int(match["low"]) == 10:
            return (  # out of 10 - 8
                Token(Kind.NUMBER, start, start + 2, "10", 10),
                Token(Kind.MARK, start + 2, start + 2, "-"),
                Token(Kind.NUMBER, match.start("high"), end, match["high"], int(match["high"])),
            )
        case _:
            return (_shape(kind, match, start, end),)


_KINDS = {
    **dict.fromkeys(("percent", "decimal", "decimal_of", "vulgar", "star"), Kind.MISFIT),
    **dict.fromkeys(("money", "name"), Kind.COUNT),
    **dict.fromkeys(("emoji", "face"), Kind.EMOJI),
}
"""What most shapes are, whatever stands in them; others are ``OTHER``."""


def _shape(kind: str, match: re.Match[str], start: int, end: int) -> Token:
    text = match[0]
    match kind:
        case "fraction" if match["whole"] in ("10", TEN) and int(match["part"]) <= 10:
            return Token(Kind.OF_TEN, start, end, text, int(match["part"]))
        case "fraction":
            return Token(Kind.MISFIT, start, end, text)
        case "range":
            low, high = int(match["low"]), 10 if match["high"] == TEN else int(match["high"])
            return Token(Kind.SCALE if low in (0, 1) and high == 10 else Kind.MISFIT, start, end, text)
        case "decimal" if re.search(r"[.,]\d\d$", text) and len(match.string) > len(text) + 3:
            return Token(Kind.COUNT, start, end, text)  # a price
        case "ten":
            return Token(Kind.NUMBER, start, end, text, 10)
        case "struck":
            return Token(Kind.MARK, start, end, "~~", roles=Role.CORRECT)
        case "line":
            return Token(Kind.MARK, start, end, "\n")
        case "quote" if re.fullmatch(r'"\s*(?:10|[0-9])\s*"', text):
            return Token(Kind.NUMBER, start, end, text, int(text.strip('"')))
        case _:
            return Token(_KINDS.get(kind, Kind.OTHER), start, end, text)


def _digits(match: re.Match[str], text: str, lexicon: Lexicon) -> Token:
    start, end = match.span()
    digits, glued = match["digits"], match["glued"]
    before = text[start - 1] if start else " "
    if before.isalpha() and before < "\u0900" and not _is_prefix(text, start):
        return Token(Kind.COUNT, start, end, match[0])
    if before == "-" and start == 1:
        return Token(Kind.MISFIT, start, end, match[0])
    value = int(digits) if len(digits) <= 4 else 10_000
    kind = Kind.NUMBER if value <= 10 and len(digits) <= 2 else Kind.MISFIT if value <= 1_000 else Kind.COUNT
    token = Token(kind, start, end, match[0], value)
    if glued is not None:
        if known := lexicon.words.get(match[0]):  # 7abibi
            token.kind, token.value, token.senses = Kind.WORD, -1, known
            return token
        token.glued = True
        token.senses = _endings(glued, lexicon)
    return token


def _is_prefix(text: str, start: int) -> bool:
    """Whether one of the letters that Arabic writes together with the next word stands before a digit."""
    return text[start - 1] in _ARABIC_PREFIXES and (start == 1 or not text[start - 2].isalpha())


_ARABIC_PREFIXES = "\u0648\u0628\u0644\u0641"
_KEPT_ENDING = Senses([Entry(-1, Role.LIGHT)])


def _endings(glued: str, lexicon: Lexicon) -> Senses | None:
    word = glued.lstrip("'-")
    if found := lexicon.suffixes.get(glued) or lexicon.suffixes.get(word):
        return Senses(found)
    useful, known = Role.POINTS | Role.UNIT | Role.LIGHT, lexicon.words.get(word)
    if known is not None and known.roles & useful:
        return Senses(entry for entry in known.entries if entry.roles & useful)
    # An ending after an apostrophe is a case, as in Turkish; Arabic writes "and" together with what precedes it.
    return _KEPT_ENDING if glued[0] == "'" or glued[0] in _ARABIC_PREFIXES else None


def _unspaced(text: str, start: int, lexicon: Lexicon) -> Iterator[Token]:
    """The words of a run of Chinese, Japanese or Korean, the longest first; what is unknown stays together."""
    places = [index for index, char in enumerate(text) if char != " "]
    run = text.replace(" ", "") if len(places) < len(text) else text
    at, unknown = 0, -1
    while at < len(run):
        for length in lexicon.lengths.get(run[at], ()):
            if (senses := lexicon.unspaced.get(run[at : at + length])) is not None and at + length <= len(run):
                break
        else:
            unknown = at if unknown < 0 else unknown
            at += 1
            continue
        if unknown >= 0:
            yield Token(Kind.WORD, start + places[unknown], start + places[at - 1] + 1, run[unknown:at])
            unknown = -1
        end = at + length
        token = Token(Kind.WORD, start + places[at], start + places[end - 1] + 1, run[at:end])
        token.senses = senses
        yield token
        at = end
    if unknown >= 0:
        yield Token(Kind.WORD, start + places[unknown], start + places[-1] + 1, run[unknown:])


def _phrases(found: list[Token], lexicon: Lexicon, votes: list[int]) -> list[Token]:
    """Tokens with those of a phrase made one: phrases of languages that the single words do not speak against."""
    made: list[Token] = []
    at, last, most, phrases = 0, len(found) - 1, max(votes), lexicon.phrases
    while at <= last:
        token = found[at]
        at += 1
        if at <= last and (begun := phrases.get(token.text)) is not None:
            stems = begun.get("*")
            its_phrases = begun.get(found[at].text, ()) if stems is None else (*begun.get(found[at].text, ()), *stems)
            for rest, senses in its_phrases:
                if not _follows(found, at, rest):
                    continue
                its = [entry for entry in senses.entries if 2 * (votes[entry.language] + 1 + len(rest)) > most]
                if its:
                    first, end = token, at + len(rest)
                    token = Token(Kind.WORD, first.start, found[end - 1].end, f"{first.text} {' '.join(rest)}")
                    token.senses = senses if len(its) == len(senses.entries) else Senses(its)
                    for language in token.senses.languages:
                        votes[language] += 1 + len(rest)
                    at = end
                    break
        made.append(token)
    return made


def _follows(found: list[Token], at: int, rest: tuple[str, ...]) -> bool:
    if at + len(rest) > len(found):
        return False
    return all(
        found[at + n].text == word or (word.endswith("*") and found[at + n].text.startswith(word[:-1]))
        for n, word in enumerate(rest)
    )


def _votes(found: list[Token], languages: int) -> list[int]:
    """How many words speak for each language. The last is nobody's: of endings that fit everywhere."""
    votes = [0] * (languages + 1)
    for token in found:
        if token.senses is not None and not token.glued:
            for language in token.senses.languages:
                votes[language] += 1
    return votes


def _settle(found: list[Token], votes: list[int]) -> int:
    """Give each word the roles that it has in the language that most words speak for; if that one does not know it, in
    those that more than half as many speak for. Returns that language, the first of them; -1: nobody knows."""
    most = max(votes)
    for token in found:
        senses = token.senses
        if senses is None:
            if token.glued:
                token.kind = Kind.COUNT
            continue
        if len(senses.languages) == 1:
            if 2 * votes[senses.languages[0]] > most or token.glued:
                token.roles |= senses.roles
                token.value = senses.value if senses.value >= 0 else token.value
        else:
            _choose(token, senses, votes, most)
        if token.glued:
            if token.roles & Role.UNIT or not token.roles:
                token.kind = Kind.COUNT
        elif token.roles & Role.NUMBER and token.kind is Kind.WORD:
            token.kind = Kind.NUMBER
    return votes.index(most) if most else -1


def _choose(token: Token, senses: Senses, votes: list[int], most: int) -> None:
    its = [entry for entry in senses.entries if votes[entry.language] == most]
    its = its or [entry for entry in senses.entries if 2 * votes[entry.language] > most]
    if token.glued and not its:  # an ending that no language of the text knows
        its = list(senses.entries)
    all_say = -1
    for entry in its:
        token.roles |= entry.roles
        all_say &= entry.roles
        if entry.value >= 0:
            token.value = entry.value
    token.roles &= ~_TAKES_AWAY | all_say


_TAKES_AWAY = Role.LABEL | Role.UNIT | Role.PAST | Role.HYP | Role.OTHER
"""What keeps a number from being the score holds only where all the languages agree that it may be in."""
