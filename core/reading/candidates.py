"""The numbers of a text that may be its score, and how much speaks for each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.reading import kinds, roles
from core.reading.clauses import SENTENCE_ENDS, Clause, is_content, roles_of
from core.reading.numbers import is_number
from core.reading.shapes import Token
from core.reading.strength import (
    ALONE,
    CERTAIN,
    COUNTED,
    FIRST,
    NAMED,
    is_denied,
    is_ordinal,
    is_the_scale,
    list_numbers,
    strength_of,
    unit_after,
)


@dataclass(slots=True)
class Candidate:
    """A number that may be the score."""

    token: Token
    clause: int
    index: int
    """Of its token in the clause."""
    strength: int
    roles: int = 0
    """Of its surroundings, those that tell whose and when."""
    denied: bool = False
    corrects: bool = False
    has_subject: bool = False
    """Whether something is named before it, of which it may be the score."""
    beside_label: bool = False
    """Whether another clause of its sentence holds a number behind a label: room 10, pool 4."""
    after_colon: bool = False
    concludes: bool = False
    """Whether it stands behind a colon and ends the sentence."""

    @property
    def value(self) -> int:
        """The score, 0 to 10."""
        return self.token.value


_SHARED = roles.PAST | roles.HYP | roles.OTHER | roles.OVERALL | roles.NOW | roles.OWN
"""What a clause without a number says of the number in the next one, unless another number has it already."""
_WHOSE = _SHARED | roles.RETRACT
_DENIES = roles.DENY | roles.DENY_AFTER
_VERBS = roles.PAST | roles.HYP | roles.RETRACT
"""What verbs say of a number, rather than subjects."""


class _Passed:
    """Numbers that are no scores."""

    __slots__ = ("counted", "labelled", "listed")

    def __init__(self, listed: Collection[int]) -> None:
        self.listed = listed
        """Those of a list, by identity."""
        self.counted: list[Token] = []
        self.labelled: set[int] = set()
        """The clauses of those behind a label."""


def candidates_of(found: Sequence[Token], clauses: Sequence[Clause], *, verb_last: bool) -> list[Candidate]:
    """The candidates of a text in clauses."""
    several = sum([len(clause.numbers) for clause in clauses]) > 1
    passed = _Passed(list_numbers(found) if several else ())
    candidates: list[Candidate] = []
    carried = taken = 0
    for n, clause in enumerate(clauses):
        if clause.numbers and (its := _of_clause(found, clauses, n, passed, verb_last=verb_last)):
            _say_whose(clause, its, carried, verb_last=verb_last)
            for candidate in its:
                _settle(clauses, candidate, passed.labelled)
                taken |= candidate.roles
            carried = 0
            candidates += its
        elif n + 1 < len(clauses):
            carried = _carried(clause, clauses[n + 1]) & ~taken
    if passed.counted:
        candidates = [each for each in candidates if not _counts_too(each, candidates, clauses, passed.counted)]
    if not candidates:
        candidates = _nothing_but_the_scale(clauses)
    _say_only_if(candidates, clauses)
    return candidates


def _of_clause(
    found: Sequence[Token], clauses: Sequence[Clause], n: int, passed: _Passed, *, verb_last: bool
) -> list[Candidate]:
    its: list[Candidate] = []
    clause = clauses[n]
    for index in clause.numbers:
        token = clause.tokens[index]
        if not (is_number(token) or token.kind is kinds.OF_TEN) or id(token) in passed.listed:
            continue
        if clause.roles & roles.UNIT and unit_after(clause.tokens, index):
            passed.counted.append(token)
            continue
        if is_ordinal(found, token.at) or (n in passed.labelled and is_content(clause.tokens[index - 1])):
            continue
        strength = strength_of(clause, index, is_first=n == 0, verb_last=verb_last)
        before = found[max(0, token.at - 1)].text
        if strength == NAMED:
            passed.labelled.add(n)
        elif strength == COUNTED and before not in ("*", "~~"):
            passed.counted.append(token)
        elif strength:
            its.append(_candidate(found, clauses, n, index, strength))
    return its


def _candidate(found: Sequence[Token], clauses: Sequence[Clause], n: int, index: int, strength: int) -> Candidate:
    clause = clauses[n]
    token = clause.tokens[index]
    beside = found[max(0, token.at - 1)].text, found[min(token.at + 1, len(found) - 1)].text
    corrects = "*" in beside or beside[0] == "~~"
    asked = index + 2 >= len(clause.tokens) and _asks(found, clause.tokens[-1])
    denied = bool(clause.roles & _DENIES) and is_denied(clause.tokens, index)
    denied = denied or (asked and _is_denial(clauses[n + 1 : n + 2]))
    made = Candidate(token, n, index, max(strength, ALONE) if corrects else strength, 0, denied, corrects)
    made.has_subject = clause.first < index
    made.after_colon = beside[0] == ":"
    made.concludes = made.after_colon and (token.at + 1 == len(found) or beside[1] in SENTENCE_ENDS)
    return made


def _asks(found: Sequence[Token], last: Token) -> bool:
    return last.at + 1 < len(found) and found[last.at + 1].text == "?"


def _settle(clauses: Sequence[Clause], candidate: Candidate, labelled: Collection[int]) -> None:
    its = clauses[candidate.clause]
    if labelled:
        candidate.beside_label = any(clauses[n].sentence == its.sentence for n in labelled if n != candidate.clause)
    if candidate.strength == CERTAIN and not roles_of(its.tokens[: candidate.index]) & roles.HYP:
        candidate.roles &= ~roles.HYP  # 9/10, if only breakfast were better


def _counts_too(
    candidate: Candidate, candidates: Sequence[Candidate], clauses: Sequence[Clause], counted: Sequence[Token]
) -> bool:
    """Whether it goes on counting what was counted before in the sentence: ordered 6 rolls, 4 arrived."""
    sentence = clauses[candidate.clause].sentence
    first = min(clause.tokens[0].at for clause in clauses if clause.sentence == sentence)
    before = [token for token in counted if first <= token.at < candidate.token.at]
    if not before or roles_of(clauses[candidate.clause].tokens[: candidate.index]) & roles.CORRECT:
        return False
    if candidate.concludes:
        return False
    if candidate.strength > FIRST:
        return candidate.strength == ALONE and before[-1].value == candidate.value
    return sum(clauses[each.clause].sentence == sentence for each in candidates) == 1


def _is_denial(following: Sequence[Clause]) -> bool:
    """Whether a clause begins by denying what was asked before it: 9? never."""
    return any(clause.tokens[0].roles & _DENIES and not clause.says_something for clause in following)


def _nothing_but_the_scale(clauses: Sequence[Clause]) -> list[Candidate]:
    """The 10 of the scale, when no other number is there: 10点満点！"""
    found = [
        Candidate(token, n, index, ALONE)
        for n, clause in enumerate(clauses)
        for index, token in ((index, clause.tokens[index]) for index in clause.numbers)
        if (is_number(token) or token.kind is kinds.MISFIT) and not clause.says_something
    ]
    is_it = len(found) == 1 and found[0].value == 10 and is_the_scale(clauses[found[0].clause].tokens, found[0].index)
    return found if is_it else []


def _say_only_if(candidates: Sequence[Candidate], clauses: Sequence[Clause]) -> None:
    """A score with a condition behind it is none: 8, if you had it in stock."""
    numbered = {candidate.clause for candidate in candidates}
    for candidate in candidates:
        for n in range(candidate.clause + 1, min(candidate.clause + 2, len(clauses))):
            begins = n not in numbered and clauses[n].sentence == clauses[n - 1].sentence
            surely = candidate.roles & roles.NOW or candidate.strength == CERTAIN
            if begins and clauses[n].tokens[0].roles & roles.HYP and not surely:
                candidate.roles |= roles.HYP


def _carried(clause: Clause, following: Clause) -> int:
    """What a clause without a number says of the number in the next one."""
    carried = clause.roles & _SHARED
    if not carried:
        return 0
    if clause.roles & roles.RETRACT:  # that was a slip, it's 9
        carried &= ~roles.PAST
    if clause.says_something:  # my wife loved it, 9
        carried &= ~(roles.PAST | roles.OTHER)
        if not clause.tokens[0].roles & roles.HYP:  # it could have been warmer, 5
            carried &= ~roles.HYP
    if following.roles & roles.CONTRAST:
        carried &= ~roles.HYP
    if following.sentence != clause.sentence:
        carried &= roles.OVERALL | roles.NOW | roles.OWN
    return carried


def _say_whose(clause: Clause, its: list[Candidate], carried: int, *, verb_last: bool) -> None:
    """Tell the candidates of a clause whose they are, and of when. Of several numbers each takes what stands before it,
    back to the number before, and the last also what follows it; with the verb last, what verbs say is taken from
    behind it."""
    whose = clause.roles & _WHOSE
    for n, candidate in enumerate(its):
        is_first, is_last = n == 0, n == len(its) - 1
        begin = 0 if is_first else its[n - 1].index + 1
        end = len(clause.tokens) if is_last else candidate.index
        if len(its) == 1:
            candidate.roles = whose if whose & ~roles.OVERALL else whose | carried
            if not verb_last:
                if whose & roles.OTHER and not roles_of(clause.tokens[: candidate.index]) & roles.OTHER:
                    candidate.roles &= ~roles.OTHER  # 9 my wife loves it
                if whose & _VERBS and clause.first > candidate.index:  # 9 the pool was cold
                    said_before = roles_of(clause.tokens[: clause.first])
                    candidate.roles &= ~((roles.PAST | roles.RETRACT) & ~said_before)
        elif not verb_last:
            candidate.roles = roles_of(clause.tokens[begin:end]) & _WHOSE
            if not is_first and roles_of(clause.tokens[begin : candidate.index]) & roles.CORRECT:
                candidate.roles &= ~roles.RETRACT  # 3, wrong, I mean 8
        else:
            behind = len(clause.tokens) if is_last else its[n + 1].index
            said = clause.tokens[0 if is_first else candidate.index + 1 : behind]
            candidate.roles = roles_of(clause.tokens[begin:end]) & _WHOSE & ~_VERBS | roles_of(said) & _VERBS
