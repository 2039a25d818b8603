"""What somebody asks for besides a score: to be deleted, to be left alone, to know what this is; or nothing at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from core.reading import kinds, roles
from core.reading.clauses import LIGHT, SENTENCE_ENDS, is_content
from core.reading.shapes import Token

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


def asks_for_data(text: str) -> bool:
    """Whether it is the command that asks what is kept: ``/mydata``."""
    found = _COMMAND.fullmatch(text.strip())
    return found is not None and found[1].casefold() == "mydata"


def wish(found: Sequence[Token], said: int, *, scored: bool = False) -> Wish:
    """What the text asks for; ``comment`` when it merely says something, ``none`` when it does not even that. ``said``:
    the roles of all tokens. Beside a score (``scored``) only ``delete`` and ``stop`` matter."""
    if said & roles.ERASE and _both(found, said, roles.ERASE, roles.DATA):
        return "delete"
    if said & roles.STOP or (said & roles.STOP_ALONE and _is_alone(found, roles.STOP_ALONE)):
        return "stop"
    if said & roles.NO_MORE and _both(found, said, roles.NO_MORE, roles.MESSAGE):
        return "stop"
    if scored:
        return "comment"
    asks = said & roles.HELP or _both(found, said, roles.HOW, roles.REPLY)
    if asks and sum(token.kind is kinds.WORD for token in found) <= SHORT_QUESTION:
        return "help"
    if said & roles.HELP_ALONE and _is_alone(found, roles.HELP_ALONE):
        return "help"
    if not any(is_content(token) or token.kind in _NUMBERS for token in found):
        plain = all(token.kind is not kinds.WORD or token.roles & LIGHT & ~roles.TURN for token in found)
        return "none" if plain else "comment"
    if all(token.kind in (kinds.OTHER, kinds.EMOJI, kinds.MARK) or token.roles & roles.CHATTER for token in found):
        return "none"
    return "comment"


_NUMBERS = (kinds.NUMBER, kinds.MISFIT, kinds.OF_TEN)


def _both(found: Sequence[Token], said: int, one: int, other: int) -> bool:
    """Whether words of both roles stand near each other in one sentence; ``said``: the roles of the whole text."""
    return bool(said & one and said & other) and any(_near(each, one, other) for each in _sentences(found))


def _is_alone(found: Sequence[Token], role: int) -> bool:
    """Whether nothing else is said but courtesies and a score."""
    return all(token.roles & (role | LIGHT) or not is_content(token) for token in found)


def _sentences(found: Sequence[Token]) -> list[list[Token]]:
    sentences: list[list[Token]] = [[]]
    for token in found:
        if token.kind is kinds.MARK and token.text in SENTENCE_ENDS:
            sentences.append([])
        elif token.kind is kinds.WORD:
            sentences[-1].append(token)
    return sentences


def _near(sentence: Sequence[Token], one: int, other: int) -> bool:
    ones = [index for index, token in enumerate(sentence) if token.roles & one]
    others = [index for index, token in enumerate(sentence) if token.roles & other]
    return any(a != b and abs(a - b) <= NEAR for a in ones for b in others)
