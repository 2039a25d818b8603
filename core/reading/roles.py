"""What a word does in an answer, as bits of an ``int``. The names are those of the lists in ``core/lexicons``.

A module, because its names are found at once; those of a class, and an enum's even more, take a good part of the time
that it takes to read a message.
"""

from typing import Final

NUMBER: Final = 1 << 0
"""A whole number 0–10, always."""
WEAK: Final = 1 << 1
"""A number only where the place calls for one: ``un``, ``neuf``, ``on``."""
LIGHT: Final = 1 << 2
"""May stand beside a lone score without being a comment: articles, hedges, particles, courtesies."""
CUE: Final = 1 << 3
"""A score is about to come, or has come: give, rate, my score."""
POINTS: Final = 1 << 4
OUTOF: Final = 1 << 5
"""Between a score and the 10: of, out of, sur."""
MAX: Final = 1 << 6
"""Beside the 10 of the scale, before or after it: 満点, üzerinden."""
UNIT: Final = 1 << 7
"""After a number: makes it a count. Hours, euros, shirts, people."""
LABEL: Final = 1 << 8
"""Before a number: makes it a name. Order, version, size, iPhone, at, since."""
DENY: Final = 1 << 9
"""Not, before what it denies."""
DENY_AFTER: Final = 1 << 10
"""Not, after what it denies."""
CORRECT: Final = 1 << 11
"""What comes now replaces what was said."""
RETRACT: Final = 1 << 12
"""The number beside it was a mistake: typed, by accident."""
PAST: Final = 1 << 13
HYP: Final = 1 << 14
"""If, would have been."""
OTHER: Final = 1 << 15
"""Somebody else's: my wife says."""
NOW: Final = 1 << 16
OWN: Final = 1 << 17
OVERALL: Final = 1 << 18
CONTRAST: Final = 1 << 19
"""But: begins another clause."""
LINK: Final = 1 << 44
"""Begins another clause as well, and turns nothing: because, so."""
AND: Final = 1 << 45
"""After a score that opens a text it begins another clause: three, and take me off the list."""
OR: Final = 1 << 20
BETWEEN: Final = 1 << 21
TO: Final = 1 << 22
"""Between the ends of a range or of a change: to, bis."""
HALF: Final = 1 << 23
"""And a half, and the word for a decimal point."""
OTHER_SCALE: Final = 1 << 24
"""Stars, percent, grades."""
MINUS: Final = 1 << 25
HUNDRED: Final = 1 << 26
"""A number above 10 in words."""
IDIOM: Final = 1 << 27
"""Numbers inside are none: on cloud nine."""
TURN: Final = 1 << 28
"""Turns a high score over: avoid, would not recommend."""
STOP: Final = 1 << 29
"""Asks to stop wherever it stands: unsubscribe, take me off the list."""
STOP_ALONE: Final = 1 << 30
"""Asks to stop when nothing else is said: stop, baja."""
NO_MORE: Final = 1 << 31
"""With MESSAGE in one clause it asks to stop: don't, no more."""
MESSAGE: Final = 1 << 32
ERASE: Final = 1 << 33
"""With DATA in one clause it asks to delete."""
DATA: Final = 1 << 34
HELP: Final = 1 << 35
"""Asks what this is, wherever it stands."""
HELP_ALONE: Final = 1 << 36
HOW: Final = 1 << 42
"""With REPLY close by in a short text it asks how to answer."""
REPLY: Final = 1 << 43
CHATTER: Final = 1 << 37
"""Says nothing about the brand: greetings, laughter, ok."""
CONTENT: Final = 1 << 41
"""Says something about the brand, and tells the language."""
COMMON: Final = 1 << 38
"""Tells the language."""

NAMES: Final[dict[str, int]] = {name.lower(): bit for name, bit in globals().items() if name.isupper()}
