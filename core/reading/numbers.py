"""Numbers that several tokens make: 9 out of 10, 7 or 8, eight and a half, between 6 and 7."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.reading import kinds, roles
from core.reading.clauses import SENTENCE_ENDS, is_content
from core.reading.shapes import Token

Found = Sequence[Token]
Made = tuple[int, Token]
"""How many tokens make it, and the one that stands for them."""

_BEGINS = roles.WEAK | roles.IDIOM | roles.BETWEEN | roles.MINUS | roles.HUNDRED | roles.HALF
_FILLS = roles.LIGHT | roles.COMMON


def merged(found: Found, said: int) -> Found:
    """Tokens with those that make one number made one; ``said``: the roles of all of them."""
    if not said & _MAKES and _JOINING.isdisjoint([token.text for token in found]):
        return found
    made = list(found)
    at = 0
    while at < len(made):
        token = made[at]
        if token.roles & _BEGINS or (token.kind in _PARTS and _goes_on(made, at + 1)):
            width, whole = _several(made, at)
            if whole is not token:
                made[at : at + width] = (whole,)
        at += 1
    return made


_PARTS = frozenset((kinds.NUMBER, kinds.MISFIT))


def _goes_on(found: Found, at: int) -> bool:
    """Whether what stands behind a number may be more of it."""
    if at >= len(found):
        return False
    if found[at].roles & _JOINS or found[at].text in _JOINING:
        return True
    return at + 1 < len(found) and bool(found[at + 1].roles & roles.OUTOF)


_JOINS = roles.POINTS | roles.OUTOF | roles.HALF | roles.OR | roles.TO
_JOINING = frozenset("/-~")
_MAKES = _BEGINS | _JOINS
"""Without these, and marks that join, every number stands for itself."""


def is_number(token: Token) -> bool:
    """Whether it may be a whole number from 0 to 10."""
    return token.kind is kinds.NUMBER or (token.kind is kinds.WORD and bool(token.roles & roles.WEAK))


def is_article(tokens: Found, index: int) -> bool:
    """Whether a one stands before another number: un 9, een dikke 8."""
    if tokens[index].kind is not kinds.WORD or tokens[index].value != 1:
        return False
    for token in tokens[index + 1 : index + 3]:
        if is_number(token) or token.kind in (kinds.OF_TEN, kinds.MISFIT):
            return True
        if not token.roles & _FILLS:
            return False
    return False


def _several(found: Found, at: int) -> Made:
    for rule in _RULES:
        made = rule(found, at)
        if made is not None:
            return made
    return 1, found[at]


def _idiom(found: Found, at: int) -> Made | None:
    return _made(kinds.OTHER, found, at, at + 1) if found[at].roles & roles.IDIOM else None


def _between(found: Found, at: int) -> Made | None:
    if not found[at].roles & roles.BETWEEN:
        return None
    reach = range(at, min(at + 8, len(found)))
    end = next((n for n in reach if found[n].text in SENTENCE_ENDS), reach.stop)
    numbers = [n for n in range(at + 1, end) if is_number(found[n]) and not is_article(found[:end], n)]
    if len(numbers) < 2:
        return None
    return _made(_span(found[numbers[0]].value, found[numbers[1]].value), found, at, numbers[1] + 1)


def _minus_or_half(found: Found, at: int) -> Made | None:
    """Minus 4; sadhe 7 (and a half)."""
    before = found[at].roles & (roles.MINUS | roles.HALF) and found[at].kind is kinds.WORD
    if not before or at + 1 == len(found) or not is_number(found[at + 1]):
        return None
    width, _ = _several(found, at + 1)
    return _made(kinds.MISFIT, found, at, at + 1 + width)


def _no_number(found: Found, at: int) -> Made | None:
    """The rules after this one are for what begins with a number."""
    return None if is_number(found[at]) or found[at].kind is kinds.MISFIT else (1, found[at])


def _of_something(found: Found, at: int) -> Made | None:
    """9 out of 10; 3 of the 6 glasses."""
    end = after = _past_points(found, at + 1)
    while end < len(found) and (found[end].roles & roles.OUTOF or found[end].text == "/"):
        end += 1
        while end < len(found) and found[end].roles & _FILLS and not is_number(found[end]):
            end += 1
    if end == after or end == len(found):
        return None
    whole, its = found[end], found[at]
    if not (is_number(whole) or whole.kind is kinds.MISFIT or whole.roles & roles.HUNDRED):
        return None
    if _counted(found, end + 1) or (whole.value != 10 and _names_things(found, end + 1)):
        return _made(kinds.COUNT, found, at, end + 1)
    if whole.value == 10 and is_number(whole):
        if is_number(its):
            return _made(kinds.OF_TEN, found, at, end + 1, its.value)
        return _made(kinds.MISFIT, found, at, end + 1)
    return _made(kinds.MISFIT, found, at, end + 1, whole.value)


def _of_things(found: Found, at: int) -> Made | None:
    """9 showers out of 10 are cold."""
    if at + 3 >= len(found) or not found[at + 2].roles & roles.OUTOF:
        return None
    if not is_content(found[at + 1]) or found[at + 1].roles & roles.OTHER_SCALE:
        return None
    goes_on = any(is_content(token) for token in found[at + 4 : at + 7])
    return _made(kinds.COUNT, found, at, at + 4) if goes_on and found[at + 3].kind in _PARTS else None


def _and_a_half(found: Found, at: int) -> Made | None:
    """Eight and a half; eight point five."""
    end = _past_points(found, at + 1)
    if end == len(found) or not found[end].roles & roles.HALF:
        return None
    end += 1
    if end < len(found) and is_number(found[end]):
        end += 1
    return _made(kinds.COUNT if _counted(found, end) else kinds.MISFIT, found, at, end)


def _or_another(found: Found, at: int) -> Made | None:
    """7 or 8; un 6 o un 7; zwei-drei."""
    after = _past_points(found, at + 1)
    if after + 1 >= len(found) or not (found[after].roles & roles.OR or found[after].text in ("-", "~")):
        return None
    if found[at].value == 10 and at and found[at - 1].roles & roles.OUTOF:  # of ten - six
        return None
    end = after + 1
    if end + 1 < len(found) and is_article(found, end) and is_number(found[end + 1]):
        end += 1
    if not is_number(found[end]):
        return None
    kind = kinds.COUNT if _counted(found, end + 1) else kinds.MISFIT
    return _made(kind, found, at, end + 1)


def _to_another(found: Found, at: int) -> Made | None:
    """6 to 7; from 9 to 18; and, after a word of change, from 5 to 8."""
    after = _past_points(found, at + 1)
    if after + 1 >= len(found) or not found[after].roles & roles.TO:
        return None
    other = found[after + 1]
    if other.kind is kinds.MISFIT:
        return _made(kinds.COUNT, found, at, after + 2)
    if not is_number(other):
        return None
    if any(each.roles & roles.CORRECT for each in found[max(0, at - 5) : at]):
        return _made(kinds.NUMBER, found, at, after + 2, other.value)
    if _counted(found, after + 2):
        return _made(kinds.COUNT, found, at, after + 2)
    return _made(_span(found[at].value, other.value), found, at, after + 2)


_RULES: tuple[Callable[[Found, int], Made | None], ...] = (
    *(_idiom, _between, _minus_or_half, _no_number, _of_something, _of_things, _and_a_half, _or_another, _to_another),
)


def _span(low: int, high: int) -> int:
    return kinds.SCALE if low in (0, 1) and high == 10 else kinds.MISFIT


def _past_points(found: Found, at: int) -> int:
    while at < len(found) and found[at].roles & roles.POINTS and not found[at].roles & roles.HALF:
        at += 1
    return at


def _names_things(found: Found, at: int) -> bool:
    """Whether a word comes next that is no packing: 2 out of 5 treadmills."""
    return at < len(found) and is_content(found[at]) and not found[at].roles & roles.OTHER_SCALE


def _counted(found: Found, at: int) -> bool:
    """Whether a unit comes within the next two words."""
    for token in found[at : at + 2]:
        if token.roles & roles.UNIT:
            return True
        if token.kind is not kinds.WORD or token.roles & _FILLS:
            return False
    return False


def _made(kind: int, found: Found, at: int, end: int, value: int = -1) -> Made:
    whole = Token(kind, found[at].start, found[end - 1].end, found[at].text, value)
    for token in found[at:end]:
        whole.roles |= token.roles & ~(roles.NUMBER | roles.WEAK)
    return end - at, whole
