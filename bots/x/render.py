"""From the neutral message to X's plain text, and X's own way of counting how long a text is.

X has no markup. What it makes of plain text is mentions, hashtags, cashtags and links, and these it finds everywhere.
So every text but a ``Link``'s address is broken: an invisible ZERO WIDTH SPACE goes behind each ``@``, ``#`` and ``$``,
into each ``://``, and behind each full stop that a letter follows. Not a joiner: U+200C and U+200D may stand inside a
hashtag. Not U+2060: it weighs two.
Source: https://github.com/twitter/twitter-text/tree/master/js/src/regexp
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from core.message import Link, Message, Part, Quote

POST_WEIGHT: Final = 280
"""Source: https://docs.x.com/fundamentals/counting-characters"""
DIRECT_CHARS: Final = 10_000
"""Source: https://docs.x.com/x-api/direct-messages/manage/introduction"""
OPTION_CHARS: Final = 25
OPTIONS: Final = 4

_BREAK: Final = "\u200b"
_LIVE = re.compile(r"(?<=[@#$\uff20\uff03\uff04])|(?<=:)(?=//)|(?<=\.)(?=[^\W\d_])")
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
"""What X refuses in a post, and what turns the direction of the text behind it.
Source: https://github.com/twitter/twitter-text/blob/master/js/src/regexp/invalidCharsGroup.js"""

_LIGHT: Final = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""Code points that weigh one; all others weigh two.
Source: https://raw.githubusercontent.com/twitter/twitter-text/master/config/v3.json"""
_HEAVY: Final = 2
_URL_WEIGHT: Final = 23
_URL = re.compile(r"https?://\S+")
_PICTURE = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_EMOJI = re.compile(
    "[0-9#*]\ufe0f?\u20e3"
    "|[\U0001f1e6-\U0001f1ff]{2}"
    f"|{_PICTURE}(?:\ufe0f|[\U0001f3fb-\U0001f3ff])?[\U000e0020-\U000e007f]*"
    f"(?:\u200d{_PICTURE}(?:\ufe0f|[\U0001f3fb-\U0001f3ff])?)*"
)
"""An emoji with all its joiners, tones and tags: it weighs two, however many code points it takes."""


def render(message: Message) -> str:
    """The message as X gets it. Buttons are not part of it: X has none."""
    return "\n".join(_part(part) for part in message.parts)


def weight(text: str) -> int:
    """How long a post is in X's count: emoji, Chinese, Japanese and Korean characters two, a link 23, the rest one.

    Never less than what X counts, except for emoji newer than its tables.
    Source: https://docs.x.com/fundamentals/counting-characters
    """
    text = unicodedata.normalize("NFC", text)
    text, links = _URL.subn("", text)
    text, emoji = _EMOJI.subn("", text)
    return links * _URL_WEIGHT + emoji * _HEAVY + sum(_code_point(ord(char)) for char in text)


def harmless(text: str) -> str:
    """The text with nothing in it that X would turn into a mention, a tag or a link. It reads the same."""
    return _LIVE.sub(_BREAK, _FORBIDDEN.sub("", text))


def _part(part: Part) -> str:
    match part:
        case Link(text=text, url=url):
            return f"{harmless(text)}: {url}" if text else url
        case Quote(text=text):
            return f"\u201c{harmless(text)}\u201d"
        case _:
            return harmless(part.text)


def _code_point(code: int) -> int:
    return 1 if any(first <= code <= last for first, last in _LIGHT) else _HEAVY
