"""What sets one group of comments apart from another: the words and pairs of words that more of its people use."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from core.reading import kinds
from core.reading.clauses import is_content
from core.reading.fold import fold
from core.reading.lexicon import lexicon
from core.reading.shapes import NO_BLANKS, Token
from core.reading.tokens import tokens

FEWEST = 3
"""So many people must say it: what two say is their own story."""
MOST = 2_000
"""Of each group so many, the latest, are looked at: a second's work."""
_SHORTEST = 3
_LONGEST = 15
"""Letters of a word that says something by itself; what is longer is no word."""


def salient(its: Sequence[str], others: Sequence[str]) -> tuple[str, int, int] | None:
    """What most sets ``its`` apart from ``others``, as most of them write it, how many say it, and of how many. Each
    text is all that one person wrote. ``None`` where nothing is said by ``FEWEST``. Letters and one blank at most.

    Weighed by the log-odds ratio over its standard error. Source: B. L. Monroe, M. P. Colaresi, K. M. Quinn, "Fightin'
    Words", Political Analysis 16, 372-403, 2008, with Jeffreys' prior.
    """
    its, others = its[-MOST:], others[-MOST:]
    said, spelled = _counted(its)
    elsewhere, _ = _counted(others)
    best = max(
        (key for key, n in said.items() if n >= FEWEST),
        key=lambda key: (_apart(said[key], len(its), elsewhere[key], len(others)), said[key], len(key), key),
        default=None,
    )
    if best is None or _apart(said[best], len(its), elsewhere[best], len(others)) <= 0:
        return None
    return spelled[best].most_common(1)[0][0], said[best], len(its)


def terms(text: str) -> dict[str, str]:
    """The words of a text that say something, and pairs of them that stand together: as they are compared, and as they
    are written."""
    kept = fold(text)
    found, _ = tokens(kept.text, lexicon())
    words = [token for token in found if _says_something(token)]
    made = {_stem(token.text): token.text for token in words}
    for one, two in pairwise(words):
        if kept.text[one.end : two.start] == " ":
            made[f"{_stem(one.text)} {_stem(two.text)}"] = f"{one.text} {two.text}"
    return made


def typical(texts: Sequence[str]) -> list[float]:
    """How much each text shares with the others: the cosine between its terms and how many others say each of them, up
    to a factor that is the same for all."""
    all_terms = [terms(text).keys() for text in texts]
    said = Counter(term for its in all_terms for term in its)
    return [sum(said[term] - 1 for term in its) / math.sqrt(len(its)) if its else 0.0 for its in all_terms]


def _counted(texts: Sequence[str]) -> tuple[Counter[str], dict[str, Counter[str]]]:
    """In how many texts each term stands, and how it is written."""
    said: Counter[str] = Counter()
    spelled: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for text in texts:
        for key, written in terms(text).items():
            said[key] += 1
            spelled[key][written] += 1
    return said, spelled


def _apart(n: int, of: int, elsewhere: int, of_others: int) -> float:
    """By how many standard errors it is said more often here; pairs of numbers, half a text added to each."""
    a, b, c, d = n + 0.5, of - n + 0.5, elsewhere + 0.5, of_others - elsewhere + 0.5
    return math.log(a * d / (b * c)) / math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)


def _says_something(token: Token) -> bool:
    if token.kind is not kinds.WORD or not is_content(token):
        return False
    return token.text.isalpha() and (_SHORTEST <= len(token.text) <= _LONGEST or token.text >= NO_BLANKS)


def _stem(word: str) -> str:
    """Without the ending of a plural, as far as an S tells it.

    Source: D. Harman, "How effective is suffixing?", JASIS 42, 7-15, 1991 (its S stemmer).
    """
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return f"{word[:-3]}y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")) and len(word) > _SHORTEST:
        return word[:-1]
    return word
