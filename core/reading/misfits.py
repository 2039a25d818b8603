"""Numbers that are no scores, by which one may have been meant all the same: 8.5, 7-8, 11/10, 4 stars, 80 %."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from core.reading import kinds, roles
from core.reading.clauses import Clause, is_content
from core.reading.numbers import is_number
from core.reading.shapes import Token
from core.reading.strength import is_named, is_ordinal, unit_after


def misfit_in(found: Sequence[Token], clauses: Sequence[Clause]) -> int:
    """The last clause with a number by which a score may have been meant; -1: there is none."""
    last = -1
    for n, clause in enumerate(clauses):
        for index in clause.numbers:
            token = clause.tokens[index]
            if token.kind is kinds.MISFIT:
                named = is_named(clause.tokens, index) or _is_nth(found, token.at, opens=index == 0)
                if token.roles & roles.TO and index == 1 == clause.last + 1 and clause.tokens[0].roles & roles.COMMON:
                    named = False  # from 5 to 7
            elif token.roles & (roles.OTHER_SCALE | roles.HUNDRED) and token.kind is kinds.WORD:
                named = False
            else:
                continue
            last = last if named or unit_after(clause.tokens, index) else n
    return last


def _is_nth(found: Sequence[Token], at: int, *, opens: bool) -> bool:
    """Whether it is an ordinal; one that opens a clause only before what is counted: 12. sıra, but not "12. great"."""
    return is_ordinal(found, at) and (not opens or bool(found[at + 2].roles & (roles.UNIT | roles.LABEL)))


def is_beside_another_scale(clause: Clause, index: int) -> bool:
    """Whether stars, grades or the like stand next to a number: 4 stars, 5 üzerinden 4."""
    beside = clause.tokens[max(0, index - 1) : index + 2]
    return any(token.roles & roles.OTHER_SCALE and not token.roles & roles.CUE for token in beside)


def is_about_scores(clauses: Sequence[Clause]) -> bool:
    """Whether a misfit was probably meant as a score: little else is said beside it."""
    for clause in clauses:
        if any(
            token.kind is kinds.MISFIT or token.roles & (roles.OTHER_SCALE | roles.HUNDRED) for token in clause.tokens
        ):
            content = [t for t in clause.tokens if is_content(t) and not t.roles & (roles.OTHER_SCALE | roles.HUNDRED)]
            few = 1 if clause is clauses[0] or _has_a_shape(clause) else 0
            if len(content) <= few or clause.roles & (roles.CUE | roles.OTHER_SCALE) or has_points(clause):
                return True
            if clause.roles & roles.OWN and _has_a_shape(clause):  # a 7.5 I find quite decent for such a place
                return True
            if clause is clauses[0] and _is_a_share(clause.tokens):
                return True
            first = next((t for t in clause.tokens if is_content(t) or t.kind is kinds.MISFIT), None)
            if clause is clauses[0] and first is not None and first.kind is kinds.MISFIT and _is_a_shape(first):
                return True
    return False


def _has_a_shape(clause: Clause) -> bool:
    return any(token.kind is kinds.MISFIT and _is_a_shape(token) for token in clause.tokens)


def _is_a_share(tokens: Sequence[Token]) -> bool:
    """Whether it begins with how content somebody is: 80% happy."""
    return len(tokens) > 1 and tokens[0].text.endswith("%") and bool(tokens[1].roles & roles.CONTENT)


def has_points(clause: Clause) -> bool:
    """Whether it says 12 points, or 100; not the 340 of a loyalty card."""
    return any(
        token.kind is kinds.MISFIT and token.value in _SAID_FOR_TEN and after.roles & roles.POINTS
        for token, after in pairwise(clause.tokens)
    )


_SAID_FOR_TEN = frozenset((*range(11, 21), 100))


def _is_a_shape(token: Token) -> bool:
    """Whether it looks like a score by itself: 8.5, 7-8, 4/5; not a bare 12, a percentage, or two of three."""
    if token.text.endswith("%"):
        return False
    return token.value == -1 or (token.value in (5, 20, 100) and token.text != str(token.value))


def names_another_scale(found: Sequence[Token]) -> bool:
    """Whether it begins with the end of another scale: out of 5 I'd give it a 4; 五点満点で四点."""
    for at, token in enumerate(found[:-2]):
        after = found[at + 1]
        if token.roles & roles.MAX:
            if is_content(found[at + 2]):  # out of 5 places
                return False
            return _ends_another_scale(after) and any(map(is_number, found[at + 2 :]))
        if token.kind < kinds.SCALE or token.roles & roles.WEAK:
            is_end = bool(after.roles & roles.MAX) and after.start == token.end
            return is_end and _ends_another_scale(token) and any(map(is_number, found[at + 2 :]))
    return False


def _ends_another_scale(token: Token) -> bool:
    return is_number(token) and 1 < token.value < 10
