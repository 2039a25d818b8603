"""Paging through posts and messages: newest first, by opaque tokens that are bound to their list.

Source: https://docs.x.com/x-api/fundamentals/pagination
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TypeVar

from sandbox.rules import Rules
from sandbox.x.problems import invalid

T = TypeVar("T")
_DIGITS = "0123456789abcdefghijklmnopqrstuv"


def token_after(scope: str, item_id: int) -> str:
    """A token that continues behind an item."""
    digits = ""
    rest = item_id
    while rest:
        rest, digit = divmod(rest, 32)
        digits = _DIGITS[digit] + digits
    return f"{digits:0>13}{_seal(scope, item_id)}"


def before_token(scope: str, token: str | None, rules: Rules) -> int | None:
    """The id that the page must stay below. Raises: Refusal (400) when the token is not of this list."""
    if token is None:
        return None
    item_id = 0
    for digit in token[:13]:
        item_id = item_id * 32 + max(0, _DIGITS.find(digit))
    if token[13:] != _seal(scope, item_id) and rules.on("x.page.token"):
        raise invalid(
            f"The `pagination_token` query parameter value [{token}] is not valid", {"pagination_token": [token]}
        )
    return item_id


def _seal(scope: str, item_id: int) -> str:
    return hashlib.sha256(f"{scope}:{item_id}".encode()).hexdigest()[:8]


def newest_first(
    items: Sequence[T], key: Callable[[T], int], *, low: int, below: int | None, most: int, keep: Callable[[T], bool]
) -> tuple[list[T], bool]:
    """Up to ``most`` kept items of ``items[low:]`` (rising by ``key``) under ``below``, and whether more follow."""
    at = len(items) if below is None else bisect_left(items, below, key=key)
    found: list[T] = []
    while at > low:
        at -= 1
        if keep(items[at]):
            if len(found) == most:
                return found, True
            found.append(items[at])
    return found, False
