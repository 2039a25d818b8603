"""Which of the numbers in a text is the writer's score, if any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.reading import kinds, roles
from core.reading.candidates import Candidate, candidates_of
from core.reading.clauses import NUMBERISH, Clause, clauses_of, roles_of
from core.reading.misfits import has_points, is_about_scores, is_beside_another_scale, misfit_in, names_another_scale
from core.reading.numbers import merged
from core.reading.shapes import Token
from core.reading.strength import ALONE, ASPECT, CERTAIN, FIRST, LAST, LOOSE

HIGH = 7
"""A score from here on is turned over by "avoid"; below it the two agree."""


class Found(NamedTuple):
    """What was found: a score with its tokens, or that one was probably meant."""

    score: int | None = None
    ambiguous: bool = False
    candidate: Candidate | None = None
    clause: Clause | None = None
    """The one that holds it."""


def find(found: Sequence[Token], said: int, lowest: int, *, verb_last: bool = False) -> Found:
    """The score in the tokens of a text, on a scale from ``lowest`` to 10. ``said``: the roles of all tokens.
    ``verb_last``: what is said of a number comes after it."""
    numbers = 0
    for token in found:
        if token.kind < kinds.SCALE or token.roles & NUMBERISH:
            numbers += 1
    if not 0 < numbers <= MOST:
        return Found()
    if said & roles.MAX and names_another_scale(found):
        return Found(ambiguous=True)
    found = merged(found, said)
    clauses = clauses_of(found)
    candidates = candidates_of(found, clauses, verb_last=verb_last)
    on_scale = [candidate for candidate in candidates if candidate.value >= lowest]
    if candidates and not on_scale and max([candidate.strength for candidate in candidates]) >= FIRST:
        return Found(ambiguous=True)
    return _chosen(on_scale, misfit_in(found, clauses), clauses, said)


def _is_one(token: Token) -> bool:
    """Whether it is the word that is an article as well: un, один."""
    return token.kind is kinds.WORD and token.value == 1


MOST = 12
"""Who writes more numbers than that is telling something else."""


def _chosen(candidates: Sequence[Candidate], misfit: int, clauses: Sequence[Clause], said: int) -> Found:
    candidates = _standing_out(_sure_ones(candidates), clauses)
    if not candidates:
        return Found(ambiguous=misfit >= 0 and is_about_scores(clauses))
    choice = _choice([candidate for candidate in candidates if not candidate.denied], clauses)
    if choice is None or (choice.strength < ALONE and (misfit >= choice.clause or choice.beside_label)):
        return Found(ambiguous=True)
    its = clauses[choice.clause]
    in_points = said & roles.POINTS and choice.token.kind is not kinds.OF_TEN
    if in_points and any(map(has_points, clauses[: choice.clause])) and not roles_of(clauses) & roles.CORRECT:
        return Found(ambiguous=True)  # 12 points, 2 of them for the guard
    if said & roles.OTHER_SCALE and choice.strength < CERTAIN and is_beside_another_scale(its, choice.index):
        return Found(ambiguous=True)
    if choice.value >= HIGH and said & roles.TURN:
        return Found(ambiguous=True)
    return Found(choice.value, False, choice, its)


def _sure_ones(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Without words that are only sometimes numbers, where others surely are."""
    if len(candidates) > 1:
        if any(each.strength == CERTAIN for each in candidates):  # 3 of 10, only one of them works
            return [each for each in candidates if each.strength > LOOSE or not each.token.roles & roles.WEAK]
        if any(each.strength >= LAST and each.token.kind is not kinds.WORD for each in candidates):  # 3, one for all
            return [each for each in candidates if each.strength > LOOSE or not _is_one(each.token)]
    return candidates


def _choice(stated: Sequence[Candidate], clauses: Sequence[Clause]) -> Candidate | None:
    """The one that is meant, of those that are not denied."""
    if len(stated) == 1:
        (only,) = stated
        return only if only.roles & roles.OVERALL or only.corrects or not _is_away(only) else None
    return _overall(stated) or _corrected(stated) or _present(stated, clauses)


def _standing_out(candidates: Sequence[Candidate], clauses: Sequence[Clause]) -> Sequence[Candidate]:
    if len(candidates) < 2:
        return candidates if all(_stands_alone(each, len(clauses) - 1) for each in candidates) else []
    present = [candidate for candidate in candidates if not _is_away(candidate)]
    kept = [candidate for candidate in present if not candidate.roles & roles.RETRACT]
    if any(candidate.strength >= LAST for candidate in kept):
        present = kept
    best = max([candidate.strength for candidate in present or candidates])
    aspects = _aspects(present)
    if best >= ALONE and len(aspects) < 2:
        if several := _each_of_its_own(candidates):
            return several
        stands_out = roles.OVERALL | roles.NOW
        return [each for each in candidates if each.strength >= ALONE or each.roles & stands_out or each.concludes]
    if len(aspects) > 1 and best < FIRST:
        return candidates
    if best <= LOOSE:  # not a 7, it's a 4 and that's that
        return candidates if len(present) == 1 < len(candidates) and best == LOOSE else []
    return [candidate for candidate in candidates if candidate.strength >= LAST or best == FIRST]


def _stands_alone(candidate: Candidate, last: int) -> bool:
    """Whether the only number there is is meant as a score: in a clause with more in it, only in the first or last."""
    if candidate.strength == LAST and not candidate.concludes:
        return candidate.clause in (0, last)
    return candidate.strength > LOOSE


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
    slips = {candidate.value for candidate in own if candidate.roles & roles.RETRACT}
    kept = [candidate for candidate in own if candidate.value not in slips]
    if own and not kept:  # 3 was a slip, it was an 8
        behind = stated[stated.index(own[-1]) + 1 :]
        kept = [each for each in behind if not each.roles & (roles.HYP | roles.OTHER | roles.RETRACT)] or own
    if not kept:
        return None
    if len({candidate.value for candidate in kept}) == 1:
        return kept[0]
    if _is_replaced(kept, clauses):
        return kept[-1]
    if len(kept) > _TWO and all(candidate.has_subject for candidate in kept):
        return None  # this year the team gets an 8, the trainer a 2, the fans a 10
    if kept[-1].concludes and not kept[-1].has_subject and not any(candidate.after_colon for candidate in kept[:-1]):
        return kept[-1]
    for whose in (roles.NOW, roles.NOW | roles.OWN):
        mine = [candidate for candidate in kept if candidate.roles & whose]
        if len({candidate.value for candidate in mine}) == 1:
            return mine[-1]
    return None


_TWO = 2
"""Then and now, or yours and mine; more are of several things."""

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
