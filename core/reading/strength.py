"""How much the place of a number speaks for a score, or against it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from core.reading import kinds, roles
from core.reading.clauses import LIGHT, Clause, is_content, roles_of
from core.reading.fold import STAR, TEN
from core.reading.numbers import is_article, is_number
from core.reading.shapes import NO_BLANKS, Token

CERTAIN, ALONE, FIRST, LAST, LOOSE, ASPECT, COUNTED, NAMED = 6, 5, 4, 3, 2, 1, -1, -2
"""How much the place of a number speaks for a score: N/10 and points; nothing else in its clause; the first or the last
thing said in it; the last if it is a number at all; in the middle of something."""


TOLD = 4
"""Who has said more words than that before the number, without a pause, is telling a story."""


def list_numbers(found: Sequence[Token]) -> set[int]:
    """The numbers of a list: 1) 2) or 1. 2., each followed by words."""
    marks = [
        (token, found[index + 1].text)
        for index, token in enumerate(found[:-2])
        if token.kind is kinds.NUMBER and token.text.isdigit() and found[index + 1].text in (")", ".", "-", ":", ",")
        and found[index + 2].kind is kinds.WORD
    ]  # fmt: skip
    if len(marks) >= 2 and [token.value for token, _ in marks[:2]] == [1, 2] and marks[0][1] == marks[1][1]:
        return {id(token) for token, _ in marks}
    heads = [token for token, after in pairwise(found) if token.kind is kinds.NUMBER and is_content(after)]
    if len(heads) > 2 and [token.value for token in heads] == list(range(1, len(heads) + 1)):  # ① ② ③
        return {id(token) for token in heads}
    return set()


def is_named(tokens: Sequence[Token], index: int) -> bool:
    """Whether a label stands before: order 7, iPhone 8, since 2019."""
    before = tokens[index - 1] if index else None
    return before is not None and bool(before.roles & roles.LABEL) and not before.roles & roles.CUE


def unit_after(tokens: Sequence[Token], index: int) -> bool:
    """Whether what is counted stands after: 3 shirts, 9 long days; after N/10 and in Chinese, Japanese and Korean
    directly: 3個."""
    number = tokens[index]
    if number.text == TEN:
        return False
    for token in tokens[index + 1 : index + (2 if number.kind is kinds.OF_TEN else 3)]:
        if token.roles & roles.UNIT and not token.roles & roles.POINTS:
            return token.text < NO_BLANKS or token.start - number.end <= 1
        if token.kind is not kinds.WORD:
            return False
        if token.roles & (LIGHT & ~roles.WEAK) and not (number.text[-3:-2] in _POINT and token.roles & roles.COMMON):
            return False  # but: 9,99 im Monat
    return False


def is_the_scale(tokens: Sequence[Token], index: int) -> bool:
    """Whether it is the 10 of the scale: out of 10, 10点満点."""
    if tokens[index].value != 10 or tokens[index].kind is kinds.OF_TEN:
        return False
    if tokens[index].roles & roles.MAX:  # 满分, beside the score
        return sum(is_number(token) or token.kind is kinds.MISFIT for token in tokens) > 1
    around = tokens[max(0, index - 1) : index + 3]
    beside = [token for token in around if token is not tokens[index] and token.kind is kinds.WORD]
    if any(token.roles & roles.MAX for token in beside):
        return True
    return index > 0 and bool(tokens[index - 1].roles & roles.OUTOF) and not tokens[index - 1].roles & roles.COMMON


def is_ordinal(found: Sequence[Token], at: int) -> bool:
    """Whether it is an ordinal: "3. Oktober", "5. kat"."""
    return (
        at + 2 < len(found)
        and found[at].text.isdigit()
        and found[at + 2].kind is kinds.WORD
        and found[at + 1].text == "."
        and found[at + 1].start == found[at].end
        and found[at + 2].start > found[at + 1].end
        and (found[at].value > 10 or (found[at].value > 0 and bool(found[at + 2].roles & roles.UNIT)))
        and not found[at + 2].roles & LIGHT
        and not roles_of(found[max(0, at - _CUED) : at]) & roles.CUE
    )


_POINT = frozenset(".,")
_CUED = 4
"""So far before a number a word may stand that calls for a score."""


def strength_of(clause: Clause, index: int, *, is_first: bool, verb_last: bool) -> int:
    """How much the place of a number in its clause speaks for a score, ``CERTAIN`` to ``ASPECT``; 0 or less: it is none
    (``COUNTED``: it counts things, ``NAMED``: it is part of a name)."""
    tokens = clause.tokens
    token, after = tokens[index], tokens[index + 1 : index + 2]
    if len(clause.numbers) > 1 and any(other.text.startswith(STAR) for other in tokens[max(0, index - 1) : index + 3]):
        return 0
    certain = token.kind is kinds.OF_TEN or bool((token.roles | roles_of(after)) & roles.POINTS)
    if not certain and is_named(tokens, index):
        return NAMED
    if is_the_scale(tokens, index) or (clause.roles & roles.HELP and _is_asked_about(tokens, index)):
        return 0
    if certain:
        return CERTAIN
    if is_article(tokens, index):
        return 0
    return _uncertain(clause, index, is_first=is_first, verb_last=verb_last)


def _uncertain(clause: Clause, index: int, *, is_first: bool, verb_last: bool) -> int:
    """The same of a number that is neither N/10 nor points, by what stands around it."""
    tokens = clause.tokens
    token, after = tokens[index], tokens[index + 1 : index + 2]
    content_before, content_after = clause.first < index, clause.last > index
    if not content_before and not content_after:
        return ALONE
    if index and tokens[index - 1].roles & roles.CORRECT and _is_number_near(tokens, index):
        return ALONE  # nine no wait eight the lady was nice
    weak = token.kind is kinds.WORD
    if clause.roles & roles.CUE and _cued(tokens, index) and not (weak and any(map(is_content, after))):
        return ALONE
    if verb_last and roles_of(tokens[index + 1 : index + 3]) & roles.CUE:
        return ALONE
    if not content_after and (roles_of(after) & roles.CUE or roles_of(tokens[max(0, index - 2) : index]) & _TELLS):
        return ALONE  # … weil ich eine 9 gebe; … and now 9
    if weak or (content_before and content_after):
        return LOOSE if weak and not content_after else 0 if weak else ASPECT
    if content_before:
        return LAST if sum(map(is_content, tokens[:index])) <= TOLD else 0
    if any(map(is_content, after)) and _is_one_of_things(tokens, index):
        return COUNTED
    return FIRST if is_first else LOOSE


def _is_number_near(tokens: Sequence[Token], index: int) -> bool:
    """Whether another number, which counts nothing, stands a few words before."""
    near = range(max(0, index - _CUED), index - 1)
    return any(is_number(tokens[at]) and not unit_after(tokens, at) for at in near)


def _is_asked_about(tokens: Sequence[Token], index: int) -> bool:
    """Whether a question about the survey holds the number: what does 10 mean? Not: what is this, well, 8."""
    for token in reversed(tokens[:index]):
        if token.roles & roles.HELP:
            return True
        if token.kind is kinds.WORD and (is_content(token) or token.roles & roles.CHATTER):
            break  # what is this, well, 8
    return bool(roles_of(tokens[index + 1 :]) & roles.HELP)


def _is_one_of_things(tokens: Sequence[Token], index: int) -> bool:
    """Whether what follows is counted or named by the number: the 7 gears, a 10er drill."""
    text = tokens[index].text
    if roles_of(tokens[:index]) & (roles.NOW | roles.HYP):  # by now you have come to an 8 with me
        return False
    return any(not token.roles & _LEADS_TO for token in tokens[:index]) or not (text.isdigit() or text == TEN)


_TELLS = roles.NOW | roles.OWN | roles.OVERALL
"""Next to a number that ends a clause, it tells that this one is meant."""

_LEADS_TO = (
    roles.LIGHT
    | roles.CUE
    | roles.OWN
    | roles.NOW
    | roles.OVERALL
    | roles.CORRECT
    | roles.RETRACT
    | roles.CHATTER
    | roles.WEAK
    | roles.CONTRAST
    | roles.LINK
)
"""What may stand before a score that opens a text."""


def _cued(tokens: Sequence[Token], index: int) -> bool:
    """Whether a word that calls for a score stands before, and no other number since."""
    for at in range(index - 1, -1, -1):
        token = tokens[at]
        if token.roles & roles.CUE:
            return True
        if token.kind is kinds.OF_TEN or (is_number(token) and not is_article(tokens, at)):
            return False
    return False


def is_denied(tokens: Sequence[Token], index: int) -> bool:
    """Whether the words around say that it is not this number."""
    for token in reversed(tokens[max(0, index - 5) : index]):
        if token.roles & roles.DENY:
            return True
        if token.kind in (kinds.NUMBER, kinds.OF_TEN) or is_content(token) or token.roles & roles.CORRECT:
            break
    for at in range(index + 1, min(index + 7, len(tokens))):
        token = tokens[at]
        if is_number(token) or token.kind is kinds.OF_TEN or is_content(token):
            break
        if token.roles & roles.DENY_AFTER:  # an 8 is not bad
            return at + 1 == len(tokens) or not is_content(tokens[at + 1])
        if token.roles & roles.DENY and at + 1 == len(tokens) and at > index + 2:  # eine 10 seid ihr jedenfalls nicht
            return True
    return False
