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
_COUNTRIES = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bv bw by bz ca "
    "cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr "
    "ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm "
    "jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq "
    "mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa "
    "re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn "
    "to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
"""All country domains: X makes a link of ``file.py``, too."""
_GENERIC = (
    "com org net edu gov mil int info biz name pro app dev xyz shop store online site blog club news link live world "
    "cloud page games tech space website agency digital media social email today life studio design art work team "
    "company group global guru tips zone cafe bar pub restaurant eco earth bio health care fit fun run ski surf "
    "travel tours hotel house homes land city town london berlin paris wien koeln hamburg nyc tokyo"
)
"""The common ones; X knows about 1,200."""
_TLDS = "|".join(f"{_GENERIC} {_COUNTRIES}".split())
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
    """Whether there is a link in the text."""
    return LINK.search(text) is not None


def shortened(link: str) -> str:
    """The 23 characters that X shows in the API instead of a link."""
    digest = hashlib.sha256(link.encode()).hexdigest()
    return f"https://t.co/{digest[:10]}"


def picture_link(post: int) -> str:
    """The link that X puts behind the words of a post with a picture."""
    return shortened(f"{post}/photo/1")


def with_short_links(text: str) -> str:
    """The text with each link as X shows it."""
    return LINK.sub(lambda found: shortened(found.group()), text)


def escaped(text: str) -> str:
    """As the API returns text: ``&``, ``<`` and ``>`` are entities."""
    return html.escape(text, quote=False)


def mentioned(text: str) -> list[str]:
    """The names that the text mentions, lower case, in order."""
    return [name.lower() for name in MENTION.findall(text)]
