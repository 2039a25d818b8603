"""How X counts and shows text: weighted length, links as t.co, and escaped markup.

Source: https://docs.x.com/fundamentals/counting-characters and the configuration v3 of
https://github.com/twitter/twitter-text: weight 1 for U+0000–10FF, 2000–200D, 2010–201F, 2032–2037, else 2; a link is
23 and an emoji sequence 2, whatever their length.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata

LINK_WEIGHT = 23

_LIGHT = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
_TLDS = (
    "com|org|net|edu|gov|info|biz|io|co|ai|app|dev|me|tv|xyz|shop|store|online|site|blog|club|news|link|live|world|"
    "cloud|page|games|eu|de|fr|uk|es|it|nl|be|ch|at|pl|pt|se|no|dk|fi|ie|cz|gr|ro|hu|ru|ua|tr|us|ca|mx|br|ar|cl|au|nz|"
    "jp|cn|kr|in|id|sg|hk|tw|th|vn|ph|my|za|ng|ke|eg|il|ae|sa|ly|gl|gg|fm|im|is|to|cc|ws"
)
LINK = re.compile(
    rf"(?<![\w@.#$/-])(?:https?://[^\s/?#<>\"]+\.[a-z]{{2,}}|(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{_TLDS}))"
    r"(?![\w@-])(?::\d+)?(?:[/?#][^\s<>\"]*[\w/=&#+-])?/?",
    re.IGNORECASE,
)
MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9_]{1,15})(?![\w@])")
_PICTO = (
    "[\U0001f000-\U0001faff\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299]"
)
_ONE = f"{_PICTO}\ufe0f?[\U0001f3fb-\U0001f3ff]?"
_EMOJI = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_ONE}[\U000e0020-\U000e007f]+|{_ONE}(?:\u200d{_ONE})*"
)
_FORBIDDEN = re.compile("[\ufffe\ufeff\uffff]")


def weighted_length(text: str) -> int:
    """The length as X counts it."""
    text = unicodedata.normalize("NFC", text)
    without_links, links = LINK.subn("", text)
    rest, emoji = _EMOJI.subn("", without_links)
    return links * LINK_WEIGHT + emoji * 2 + sum(_weight(ord(char)) for char in rest)


def _weight(point: int) -> int:
    return 1 if any(low <= point <= high for low, high in _LIGHT) else 2


def has_forbidden(text: str) -> bool:
    """Whether the text holds code points that X refuses."""
    return _FORBIDDEN.search(text) is not None


def has_link(text: str) -> bool:
    return LINK.search(text) is not None


def shortened(link: str) -> str:
    """The 23 characters that X shows in the API instead of a link."""
    digest = hashlib.sha256(link.encode()).hexdigest()
    return f"https://t.co/{digest[:10]}"


def with_short_links(text: str) -> str:
    return LINK.sub(lambda found: shortened(found.group()), text)


def escaped(text: str) -> str:
    """As the API returns text: ``&``, ``<`` and ``>`` are entities."""
    return html.escape(text, quote=False)


def mentioned(text: str) -> list[str]:
    """The names that the text mentions, lower case, in order."""
    return [name.lower() for name in MENTION.findall(text)]
