"""What a token is: a number by its shape, a word, a mark. A module for the reason that ``roles`` is one."""

from typing import Final

NUMBER: Final = 0
"""A whole number 0–10 by itself; ``value``."""
OF_TEN: Final = 1
"""N/10."""
MISFIT: Final = 2
"""A number that a score may have been meant by: 8.5, 7-8, 11, 4/5, 90 %; the last that may."""
SCALE: Final = 3
"""0-10: the scale itself."""
COUNT: Final = 4
"""A number that is surely no score: money, a time, a phone number, 16GB."""
WORD: Final = 5
OTHER: Final = 6
"""A link, handle, hashtag or quotation."""
EMOJI: Final = 7
MARK: Final = 8
"""Punctuation, in ``text``; a new line is ``\\n``."""

NAMES: Final[dict[int, str]] = {number: name for name, number in globals().items() if name.isupper()}
