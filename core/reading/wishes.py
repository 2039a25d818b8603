"""What somebody asks for besides a score: to be deleted, to be left alone, to know what this is; or nothing at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from core.reading.clauses import LIGHT, SENTENCE_ENDS, is_content, roles_of
from core.reading.lexicon import Role
from core.reading.tokens import Kind, Token

Wish = Literal["delete", "stop", "help", "comment", "none"]

_COMMAND = re.compile(r"/(\w+)(?:@\w+)?(?:\s.*)?", re.DOTALL)
_COMMANDS: dict[str, Wish] = {
    "stop": "stop",
    "help": "help",
    "mydata": "help",
    "forget": "delete",
    "delete": "delete",
    "start": "none",
}
NEAR = 6
"""So many words at most stand between "no more" and "messages"."""
SHORT_QUESTION = 14
"""A question about the survey has no more words; in a longer text the same words tell a story."""


def command(text: str) -> Wish | None:
    """The wish of a command such as ``/stop``, if it is one."""
    found = _COMMAND.fullmatch(text)
    return _COMMANDS.get(found[1].casefold()) if found else None


def wish(found: Sequence[Token]) -> Wish:
    """What the text asks for; ``comment`` when it merely says something, ``none`` when it does not even that."""
    roles = roles_of(found)
    sentences = _sentences(found) if roles & _ASKING else []
    if any(_near(each, Role.ERASE, Role.DATA) for each in sentences):
        return "delete"
    alone = not any(is_content(token) for token in found)
    if roles & Role.STOP or (roles & Role.STOP_ALONE and _is_alone(found, Role.STOP_ALONE)):
        return "stop"
    if any(_near(each, Role.NO_MORE, Role.MESSAGE) for each in sentences):
        return "stop"
    words = sum(token.kind is Kind.WORD for token in found)
    if roles & Role.HELP and words <= SHORT_QUESTION:
        return "help"
    if words <= SHORT_QUESTION and any(_near(each, Role.HOW, Role.REPLY) for each in sentences):
        return "help"
    if roles & Role.HELP_ALONE and _is_alone(found, Role.HELP_ALONE):
        return "help"
    if alone and not any(token.kind in (Kind.NUMBER, Kind.MISFIT, Kind.OF_TEN) for token in found):
        plain = all(token.kind is not Kind.WORD or token.roles & LIGHT & ~Role.TURN for token in found)
        return "none" if plain else "comment"
    if all(token.kind in (Kind.OTHER, Kind.EMOJI, Kind.MARK) or token.roles & Role.CHATTER for token in found):
        return "none"
    return "comment"


_ASKING = Role.ERASE | Role.NO_MORE | Role.HOW


def _is_alone(found: Sequence[Token], role: int) -> bool:
    """Whether nothing else is said but courtesies and a score."""
    return all(token.roles & (role | LIGHT) or not is_content(token) for token in found)


def _sentences(found: Sequence[Token]) -> list[list[Token]]:
    sentences: list[list[Token]] = [[]]
    for token in found:
        if token.kind is Kind.MARK and token.text in SENTENCE_ENDS:
            sentences.append([])
        elif token.kind is Kind.WORD:
            sentences[-1].append(token)
    return sentences


def _near(sentence: Sequence[Token], one: int, other: int) -> bool:
    ones = [index for index, token in enumerate(sentence) if token.roles & one]
    others = [index for index, token in enumerate(sentence) if token.roles & other]
    return any(a != b and abs(a - b) <= NEAR for a in ones for b in others)
