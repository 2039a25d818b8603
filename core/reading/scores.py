"""Which of the numbers in a text is the writer's score, if any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.reading import kinds, roles
from core.reading.candidates import Candidate, candidates_of, misfit_in
from core.reading.clauses import Clause, clauses_of, is_content, roles_of
from core.reading.numbers import merged
from core.reading.shapes import Token
from core.reading.strength import ALONE, ASPECT, FIRST, LAST, LOOSE

HIGH = 7
"""A score from here on is turned over by "avoid"; below it the two agree."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: a score with its tokens, or that one was probably meant."""

    score: int | None = None
    ambiguous: bool = False
    candidate: Candidate | None = None
    clause: Clause | None = None
    """The one that holds it."""


def find(found: Sequence[Token], lowest: int, *, verb_last: bool = False) -> Found:
    """The score in the tokens of a text, on a scale from ``lowest`` to 10. ``verb_last``: what is said of a number
    comes after it."""
    numbers = 0
    for token in found:
        if token.kind in _NUMBERS or token.roles & _NUMBERISH:
            numbers += 1
    if not 0 < numbers <= MOST:
        return Found()
    found = merged(found)
    clauses = clauses_of(found)
    candidates = candidates_of(found, clauses, verb_last=verb_last)
    on_scale = [candidate for candidate in candidates if candidate.value >= lowest]
    if candidates and not on_scale and max(candidate.strength for candidate in candidates) >= ALONE:
        return Found(ambiguous=True)
    return _chosen(on_scale, misfit_in(found, clauses), clauses)


MOST = 12
"""Who writes more numbers than that is telling something else."""
_NUMBERS = frozenset({kinds.NUMBER, kinds.OF_TEN, kinds.MISFIT})
_NUMBERISH = roles.WEAK | roles.OTHER_SCALE | roles.HUNDRED | roles.HALF


def _chosen(candidates: Sequence[Candidate], misfit: int, clauses: Sequence[Clause]) -> Found:
    candidates = _standing_out(candidates, clauses)
    if not candidates:
        return Found(ambiguous=misfit >= 0 and _is_about_scores(clauses))
    stated = [candidate for candidate in candidates if not candidate.denied]
    choice = _overall(stated) or _corrected(stated) or _present(stated, clauses)
    if choice is None or (choice.strength < ALONE and (misfit >= choice.clause or choice.beside_label)):
        return Found(ambiguous=True)
    if choice.value >= HIGH and any(clause.roles & roles.TURN for clause in clauses):
        return Found(ambiguous=True)
    return Found(choice.value, candidate=choice, clause=clauses[choice.clause])


def _is_about_scores(clauses: Sequence[Clause]) -> bool:
    """Whether a misfit was probably meant as a score: little else is said beside it."""
    for clause in clauses:
        if any(
            token.kind is kinds.MISFIT or token.roles & (roles.OTHER_SCALE | roles.HUNDRED) for token in clause.tokens
        ):
            content = [t for t in clause.tokens if is_content(t) and not t.roles & (roles.OTHER_SCALE | roles.HUNDRED)]
            if len(content) <= 1 or clause.roles & (roles.CUE | roles.OTHER_SCALE):
                return True
            first = next((t for t in clause.tokens if is_content(t) or t.kind is kinds.MISFIT), None)
            if clause is clauses[0] and first is not None and first.kind is kinds.MISFIT and _is_a_shape(first):
                return True
    return False


def _is_a_shape(token: Token) -> bool:
    """Whether it looks like a score by itself: 8.5, 7-8, 4/5; not a bare 12, a percentage, or two of three."""
    if token.text.endswith("%"):
        return False
    return token.value == -1 or (token.value in (5, 20, 100) and token.text != str(token.value))


def _standing_out(candidates: Sequence[Candidate], clauses: Sequence[Clause]) -> Sequence[Candidate]:
    if not candidates:
        return candidates
    present = [candidate.strength for candidate in candidates if not _is_away(candidate)]
    best = max(present) if present else max(candidate.strength for candidate in candidates)
    aspects = _aspects([candidate for candidate in candidates if not _is_away(candidate)])
    if best >= ALONE and len(aspects) < 2:
        if several := _each_of_its_own(candidates):
            return several
        stands_out = roles.OVERALL | roles.NOW
        return [candidate for candidate in candidates if candidate.strength >= ALONE or candidate.roles & stands_out]
    if len(aspects) > 1 and best < FIRST:
        return candidates
    if best == LAST and len(candidates) == 1 and candidates[0].clause not in (0, len(clauses) - 1):
        return []
    if best <= LOOSE:  # not a 7, it's a 4 and that's that
        rest = [candidate for candidate in candidates if not _is_away(candidate)]
        return candidates if len(rest) == 1 < len(candidates) and best == LOOSE else []
    return [candidate for candidate in candidates if candidate.strength >= LAST or best == FIRST]


def _each_of_its_own(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Scores of several things of which some have a word that calls for a score: the doctor gets a 10, the desk a 2."""
    its = [each for each in candidates if each.has_subject and not _is_away(each) and each.strength in (ALONE, LAST)]
    apart = len({each.clause for each in its}) == len(its) == len(candidates) > 1
    return its if apart and any(each.strength == LAST for each in its) else []


def _aspects(candidates: Sequence[Candidate]) -> set[int]:
    """The scores of several things: food 9, service 4; also without a pause between them."""
    last = {candidate.value for candidate in candidates if candidate.strength in (LAST, LOOSE)}
    ended = {candidate.clause for candidate in candidates if candidate.strength == LAST}
    amid = [each for each in candidates if each.strength == ASPECT and each.has_subject]
    several = {each.clause for each in amid if sum(other.clause == each.clause for other in amid) > 1}
    return last | {each.value for each in candidates if each.strength == ASPECT and each.clause in ended | several}


_AWAY = roles.PAST | roles.HYP | roles.OTHER


def _is_away(candidate: Candidate) -> bool:
    """Whether it is denied, or another time's, another world's, another person's."""
    its = candidate.roles
    if its & roles.NOW:
        its &= ~roles.PAST
    if its & roles.OWN:
        its &= ~roles.OTHER
    return candidate.denied or bool(its & _AWAY)


def _overall(stated: Sequence[Candidate]) -> Candidate | None:
    its = [candidate for candidate in stated if candidate.roles & roles.OVERALL]
    return its[-1] if its else None


def _corrected(stated: Sequence[Candidate]) -> Candidate | None:
    its = [candidate for candidate in stated if candidate.corrects]
    return its[-1] if its else None


def _present(stated: Sequence[Candidate], clauses: Sequence[Clause]) -> Candidate | None:
    """The writer's own present score, where there is exactly one, or the last of several that replace each other."""
    own = [candidate for candidate in stated if not _is_away(candidate)]
    kept = [candidate for candidate in own if not candidate.roles & roles.RETRACT] or own
    if not kept:
        return None
    if len({candidate.value for candidate in kept}) == 1:
        return kept[0]
    if _is_replaced(kept, clauses):
        return kept[-1]
    mine = [candidate for candidate in kept if candidate.roles & (roles.NOW | roles.OWN)]
    return mine[-1] if len({candidate.value for candidate in mine}) == 1 else None


_DENIES = roles.DENY | roles.DENY_AFTER


def _is_replaced(kept: Sequence[Candidate], clauses: Sequence[Clause]) -> bool:
    """Whether a word of correction stands between the first and the last score, or with the last."""
    first, last = kept[0], kept[-1]
    if first.clause == last.clause:
        return bool(roles_of(clauses[first.clause].tokens[first.index + 1 : last.index]) & roles.CORRECT)
    if any(each.roles & _DENIES and not each.says_something for each in clauses[first.clause + 1 : last.clause]):
        return True  # 1… no, 7
    behind = roles_of(clauses[first.clause].tokens[first.index + 1 :])
    return bool((behind | roles_of(clauses[first.clause + 1 : last.clause + 1])) & roles.CORRECT)
