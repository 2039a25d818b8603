"""A text in clauses: stretches between pauses, of which each may say whose and when a number is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core.reading import kinds, roles
from core.reading.shapes import Token

LIGHT = (
    roles.LIGHT | roles.COMMON | roles.CUE | roles.POINTS | roles.OUTOF | roles.MAX | roles.NOW | roles.OWN
    | roles.OVERALL | roles.CORRECT | roles.RETRACT | roles.CONTRAST | roles.CHATTER | roles.PAST | roles.HYP
    | roles.OTHER | roles.DENY | roles.DENY_AFTER | roles.TURN | roles.LINK | roles.OR | roles.BETWEEN | roles.TO
    | roles.STOP | roles.WEAK
)  # fmt: skip
"""Words with these roles are no content of their own."""

SENTENCE_ENDS = frozenset(".!?;\n\u2192")
PAUSES = frozenset(",()[]|/&\u00b7\u2022")


FAR = 1 << 30


@dataclass(slots=True)
class Clause:
    """A stretch between pauses. ``sentence`` numbers the sentence it is part of."""

    sentence: int
    tokens: list[Token] = field(default_factory=list)
    roles: int = 0
    """Of all its tokens."""
    first: int = FAR
    """Index of the first token that says something by itself."""
    last: int = -1
    """Index of the last one."""
    numbers: list[int] = field(default_factory=list)
    """Indices of the tokens that a score may have been meant by."""

    @property
    def says_something(self) -> bool:
        """Whether there is more in it than numbers and their packing."""
        return self.last >= 0


def is_content(token: Token) -> bool:
    """Whether a token says something by itself."""
    kind = token.kind
    if kind is kinds.WORD:
        return not token.roles & LIGHT or bool(token.roles & _ALWAYS)
    return kind is kinds.COUNT or kind is kinds.OTHER


_ALWAYS = roles.UNIT | roles.LABEL
"""These say something whatever else they may be."""

NUMBERISH = roles.WEAK | roles.OTHER_SCALE | roles.HUNDRED | roles.HALF
"""Words that a score may have been meant by; by shape it is what comes before ``SCALE``."""


def roles_of(several: Iterable[Token | Clause]) -> int:
    """The roles of several tokens or clauses together."""
    together = 0
    for each in several:
        together |= each.roles
    return together


def clauses_of(found: Sequence[Token]) -> list[Clause]:
    """The clauses of a text, none of them empty. "Score: 6" is one, "6: too slow" are two."""
    clause = Clause(0)
    clauses = [clause]
    its = clause.tokens
    after_word = False
    for at, token in enumerate(found):
        token.at = at
        if token.kind is kinds.MARK:
            ends = token.text in SENTENCE_ENDS
            long = token.text == ":" and sum(map(is_content, its)) > 1  # waited, then the bill came: 3
            if ends or long or token.text in PAUSES or (token.text in ":-~" and not after_word):
                # 8 → 6 is a change.
                clause = Clause(clause.sentence + ends, roles=roles.CORRECT if token.text == "\u2192" else 0)
                clauses.append(clause)
                its = clause.tokens
            after_word = False
            continue
        if token.kind is kinds.EMOJI:  # 2 \U0001f92c called five times
            if its:
                clause = Clause(clause.sentence)
                clauses.append(clause)
                its = clause.tokens
            after_word = False
            continue
        if its and (token.roles & _BEGINS or (token.roles & roles.AND and _is_a_number_alone(clause))):
            clause = Clause(clause.sentence)
            clauses.append(clause)
            its = clause.tokens
        kind, does = token.kind, token.roles
        after_word = kind is kinds.WORD
        if (not does & LIGHT or does & _ALWAYS) if after_word else (kind is kinds.COUNT or kind is kinds.OTHER):
            clause.last = place = len(its)
            if clause.first is FAR:
                clause.first = place
        if kind < kinds.SCALE or does & NUMBERISH:
            clause.numbers.append(len(its))
        its.append(token)
        clause.roles |= does
    return [clause for clause in clauses if clause.tokens]


_BEGINS = roles.CONTRAST | roles.LINK


def _is_a_number_alone(clause: Clause) -> bool:
    """Whether there is a number in it by now, and nothing else is said."""
    last = clause.tokens[-1]
    is_one = last.kind in (kinds.NUMBER, kinds.OF_TEN) or bool(last.roles & roles.WEAK)
    return is_one and not clause.says_something
