"""A text in clauses: stretches between pauses, of which each may say whose and when a number is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core.reading.lexicon import Role
from core.reading.tokens import Kind, Token

LIGHT = (
    Role.LIGHT | Role.COMMON | Role.CUE | Role.POINTS | Role.OUTOF | Role.MAX | Role.NOW | Role.OWN | Role.OVERALL
    | Role.CORRECT | Role.RETRACT | Role.CONTRAST | Role.CHATTER | Role.PAST | Role.HYP | Role.OTHER | Role.DENY
    | Role.DENY_AFTER | Role.TURN | Role.OR | Role.BETWEEN | Role.TO | Role.STOP | Role.WEAK
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

    @property
    def says_something(self) -> bool:
        """Whether there is more in it than numbers and their packing."""
        return self.last >= 0

    def take(self, token: Token) -> None:
        """Add a token at the end."""
        if is_content(token):
            self.last = len(self.tokens)
            self.first = min(self.first, self.last)
        self.tokens.append(token)
        self.roles |= token.roles


def is_content(token: Token) -> bool:
    """Whether a token says something by itself."""
    if token.kind is Kind.WORD:
        return not token.roles & LIGHT or bool(token.roles & (Role.UNIT | Role.LABEL))
    return token.kind in (Kind.COUNT, Kind.OTHER)


def roles_of(several: Iterable[Token | Clause]) -> int:
    """The roles of several tokens or clauses together."""
    roles = 0
    for each in several:
        roles |= each.roles
    return roles


def clauses_of(found: Sequence[Token]) -> list[Clause]:
    """The clauses of a text, none of them empty. "Score: 6" is one, "6: too slow" are two."""
    clauses = [Clause(0)]
    after_word = False
    for at, token in enumerate(found):
        token.at = at
        if token.kind is Kind.MARK:
            ends = token.text in SENTENCE_ENDS
            if ends or token.text in PAUSES or (token.text in ":-~" and not after_word):
                # 8 → 6 is a change.
                clauses.append(Clause(clauses[-1].sentence + ends, roles=Role.CORRECT if token.text == "\u2192" else 0))
        else:
            if token.roles & Role.CONTRAST and clauses[-1].tokens:
                clauses.append(Clause(clauses[-1].sentence))
            clauses[-1].take(token)
        after_word = token.kind is Kind.WORD
    return [clause for clause in clauses if clause.tokens]
