"""The numbers of a text that may be its score, and how much speaks for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.reading.clauses import LIGHT, Clause, is_content, roles_of
from core.reading.fold import STAR, TEN
from core.reading.lexicon import Role
from core.reading.numbers import is_article, is_number
from core.reading.tokens import Kind, Token

CERTAIN, ALONE, FIRST, LAST, LOOSE, ASPECT = 6, 5, 4, 3, 2, 1
"""How much the place of a number speaks for a score: N/10 and points; nothing else in its clause; the first or the last
thing said in it; the last if it is a number at all; in the middle of something."""


TOLD = 4
"""Who has said more words than that before the number, without a pause, is telling a story."""


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

    @property
    def value(self) -> int:
        """The score, 0 to 10."""
        return self.token.value


_SHARED = Role.PAST | Role.HYP | Role.OTHER | Role.OVERALL | Role.NOW | Role.OWN
"""What a clause without a number says of the number in the next one, unless another number has it already."""
_WHOSE = _SHARED | Role.RETRACT
_VERBS = Role.PAST | Role.HYP | Role.RETRACT
"""What verbs say of a number, rather than subjects."""


def candidates_of(found: Sequence[Token], clauses: Sequence[Clause], *, verb_last: bool) -> list[Candidate]:
    """The candidates of a text in clauses."""
    passed_over = _list_numbers(found)
    candidates: list[Candidate] = []
    carried = taken = 0
    for n, clause in enumerate(clauses):
        its: list[Candidate] = []
        for index, token in enumerate(clause.tokens):
            if not (is_number(token) or token.kind is Kind.OF_TEN) or id(token) in passed_over:
                continue
            at = token.at
            strength = 0 if _is_ordinal(found, at) else _strength(clause, index, is_first=n == 0, verb_last=verb_last)
            if strength:
                stars = found[max(0, at - 1)].text == "*" or found[min(at + 1, len(found) - 1)].text == "*"
                its.append(Candidate(token, n, index, strength, 0, _denied(clause.tokens, index), stars))
        _say_whose(clause, its, carried, verb_last=verb_last)
        for candidate in its:
            taken |= candidate.roles
        carried = 0 if its else _carried(clause, clauses[n + 1 : n + 2]) & ~taken
        candidates += its
    if not candidates:
        candidates = _nothing_but_the_scale(clauses)
    _say_only_if(candidates, clauses)
    return candidates


def _nothing_but_the_scale(clauses: Sequence[Clause]) -> list[Candidate]:
    """The 10 of the scale, when no other number is there: 10点満点！"""
    found = [
        Candidate(token, n, index, ALONE)
        for n, clause in enumerate(clauses)
        for index, token in enumerate(clause.tokens)
        if (is_number(token) or token.kind is Kind.MISFIT) and not clause.says_something
    ]
    is_it = len(found) == 1 and found[0].value == 10 and _is_the_scale(clauses[found[0].clause].tokens, found[0].index)
    return found if is_it else []


def _say_only_if(candidates: Sequence[Candidate], clauses: Sequence[Clause]) -> None:
    """A score with a condition behind it is none: 8, if you had it in stock."""
    numbered = {candidate.clause for candidate in candidates}
    for candidate in candidates:
        for n in range(candidate.clause + 1, min(candidate.clause + 2, len(clauses))):
            begins = n not in numbered and clauses[n].sentence == clauses[n - 1].sentence
            if begins and clauses[n].tokens[0].roles & Role.HYP and not candidate.roles & Role.NOW:
                candidate.roles |= Role.HYP


def misfit_in(clauses: Sequence[Clause]) -> int:
    """The last clause with a number by which a score may have been meant; -1: there is none."""
    found = -1
    for n, clause in enumerate(clauses):
        for index, token in enumerate(clause.tokens):
            named = _unit_after(clause.tokens, index)
            if token.kind is Kind.MISFIT:
                named = named or _named(clause.tokens, index)
            elif not (token.roles & (Role.OTHER_SCALE | Role.HUNDRED) and token.kind is Kind.WORD):
                continue
            found = found if named else n
    return found


def _carried(clause: Clause, following: Sequence[Clause]) -> int:
    """What a clause without a number says of the number in the next one."""
    carried = clause.roles & _SHARED
    if clause.says_something:  # my wife loved it, 9
        carried &= ~(Role.PAST | Role.OTHER)
    for other in following:
        if other.roles & Role.CONTRAST:
            carried &= ~Role.HYP
        if other.sentence != clause.sentence:
            carried &= Role.OVERALL | Role.NOW | Role.OWN
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
            candidate.roles = whose if whose & ~Role.OVERALL else whose | carried
            if not verb_last and not roles_of(clause.tokens[: candidate.index]) & Role.OTHER:  # 9 my wife loves it
                candidate.roles &= ~(whose & Role.OTHER)
        elif not verb_last:
            candidate.roles = roles_of(clause.tokens[begin:end]) & _WHOSE
            if not is_first and roles_of(clause.tokens[begin : candidate.index]) & Role.CORRECT:
                candidate.roles &= ~Role.RETRACT  # 3, wrong, I mean 8
        else:
            behind = len(clause.tokens) if is_last else its[n + 1].index
            said = clause.tokens[0 if is_first else candidate.index + 1 : behind]
            candidate.roles = roles_of(clause.tokens[begin:end]) & _WHOSE & ~_VERBS | roles_of(said) & _VERBS


def _list_numbers(found: Sequence[Token]) -> set[int]:
    """The numbers of a list: 1) 2) or 1. 2., each followed by words."""
    marks = [
        (token, found[index + 1].text)
        for index, token in enumerate(found[:-2])
        if token.kind is Kind.NUMBER and token.text.isdigit() and found[index + 1].text in (")", ".", "-", ":")
        and found[index + 2].kind is Kind.WORD
    ]  # fmt: skip
    if len(marks) >= 2 and [token.value for token, _ in marks[:2]] == [1, 2] and marks[0][1] == marks[1][1]:
        return {id(token) for token, _ in marks}
    return set()


def _named(tokens: Sequence[Token], index: int) -> bool:
    """Whether a label stands before: order 7, iPhone 8, since 2019."""
    before = tokens[index - 1] if index else None
    return before is not None and bool(before.roles & Role.LABEL) and not before.roles & Role.CUE


def _unit_after(tokens: Sequence[Token], index: int) -> bool:
    """Whether what is counted stands after: 3 shirts, 9 long days; after N/10 and in Chinese, Japanese and Korean
    directly: 3個."""
    number = tokens[index]
    for token in tokens[index + 1 : index + (2 if number.kind is Kind.OF_TEN else 3)]:
        if token.roles & Role.UNIT and not token.roles & Role.POINTS:
            return token.text < _UNSPACED_FROM or token.start - number.end <= 1
        if token.roles & (LIGHT & ~Role.WEAK) or token.kind is not Kind.WORD:
            return False
    return False


_UNSPACED_FROM = "\u2e80"
"""Writing systems from here on put no spaces between words, or put counters next to the number."""


def _is_the_scale(tokens: Sequence[Token], index: int) -> bool:
    """Whether it is the 10 of the scale: out of 10, 10点満点."""
    if tokens[index].value != 10 or tokens[index].kind is Kind.OF_TEN:
        return False
    if tokens[index].roles & Role.MAX:  # 满分, beside the score
        return sum(is_number(token) or token.kind is Kind.MISFIT for token in tokens) > 1
    around = tokens[max(0, index - 1) : index + 3]
    beside = [token for token in around if token is not tokens[index] and token.kind is Kind.WORD]
    if any(token.roles & Role.MAX for token in beside):
        return True
    return index > 0 and bool(tokens[index - 1].roles & Role.OUTOF) and not tokens[index - 1].roles & Role.COMMON


def _is_ordinal(found: Sequence[Token], at: int) -> bool:
    """Whether it is an ordinal: "3. Oktober", "5. kat"."""
    return (
        at + 2 < len(found)
        and found[at].text.isdigit()
        and found[at + 2].kind is Kind.WORD
        and found[at + 1].text == "."
        and found[at + 1].start == found[at].end
        and found[at + 2].start > found[at + 1].end
        and bool(found[at + 2].roles & Role.UNIT)
        and not found[at + 2].roles & LIGHT
    )


def _strength(clause: Clause, index: int, *, is_first: bool, verb_last: bool) -> int:
    tokens = clause.tokens
    token, after = tokens[index], tokens[index + 1 : index + 2]
    if any(other.text.startswith(STAR) for other in tokens[max(0, index - 1) : index + 3]):
        return 0
    certain = token.kind is Kind.OF_TEN or bool((token.roles | roles_of(after)) & Role.POINTS)
    named = _named(tokens, index) and not certain
    if named or _unit_after(tokens, index) or _is_the_scale(tokens, index) or clause.roles & Role.HELP:
        return 0
    if certain:
        return CERTAIN
    if is_article(tokens, index):
        return 0
    content_before, content_after = clause.first < index, clause.last > index
    if not content_before and not content_after:
        return ALONE
    weak = token.kind is Kind.WORD
    if _cued(tokens, index) and not (weak and any(map(is_content, after))):
        return ALONE
    if verb_last and roles_of(tokens[index + 1 : index + 3]) & Role.CUE:
        return ALONE
    if weak or (content_before and content_after):
        return LOOSE if weak and not content_after else 0 if weak else ASPECT
    if content_before:
        return LAST if sum(map(is_content, tokens[:index])) <= TOLD else 0
    if any(map(is_content, after)) and _is_one_of_things(tokens, index):
        return 0
    return FIRST if is_first else LOOSE


def _is_one_of_things(tokens: Sequence[Token], index: int) -> bool:
    """Whether what follows is counted or named by the number: the 7 gears, a 10er drill."""
    text = tokens[index].text
    return any(not token.roles & _LEADS_TO for token in tokens[:index]) or not (text.isdigit() or text == TEN)


_LEADS_TO = (
    Role.LIGHT
    | Role.CUE
    | Role.OWN
    | Role.NOW
    | Role.OVERALL
    | Role.CORRECT
    | Role.RETRACT
    | Role.CHATTER
    | Role.WEAK
    | Role.CONTRAST
)
"""What may stand before a score that opens a text."""


def _cued(tokens: Sequence[Token], index: int) -> bool:
    """Whether a word that calls for a score stands before, and no other number since."""
    for token in reversed(tokens[:index]):
        if token.roles & Role.CUE:
            return True
        if is_number(token) or token.kind is Kind.OF_TEN:
            return False
    return False


def _denied(tokens: Sequence[Token], index: int) -> bool:
    for token in reversed(tokens[max(0, index - 3) : index]):
        if token.roles & Role.DENY:
            return True
        if token.kind in (Kind.NUMBER, Kind.OF_TEN) or is_content(token) or token.roles & Role.CORRECT:
            break
    for token in tokens[index + 1 : index + 4]:
        if is_number(token) or token.kind is Kind.OF_TEN or is_content(token):
            break
        if token.roles & Role.DENY_AFTER:
            return True
    return False
