"""A customer's words with whom and what they name blacked out, before they are shown as a quotation.

Whoever allows a quote is promised "without your name". No list holds all names, so it goes the other way: a word with a
capital stays only where it is known as an ordinary word. Rather a word too many.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from core.reading.fold import fold, folded
from core.reading.lexicon import lexicon
from core.reading.tokens import tokens

MASK = "███"
LONGEST = 300
"""So many characters are looked at; the rest is cut off before."""

_MAIL_OR_LINK = re.compile(
    r"[\w.+%-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}|(?:https?://|www\.|t\.me/|wa\.me/|discord\.gg/)\S+"
    r"|(?<![\w.])(?:[\w-]{1,63}\.){1,4}[^\W\d_]{2,12}(?:/\S*)?(?![\w.])",
    re.IGNORECASE,
)
"""Also whatever looks like an address: two words that only a dot parts."""
_HANDLE = re.compile(r"[@＠]\w[\w.]*|<[@#:][^>\n]{1,80}>")
_BETWEEN = r"(?: ?[-–—./_:] ?|,|[ ()\u00a0]{1,2})?"
_NUMBER = re.compile(rf"(?<!\w)[+(#]*\d(?:{_BETWEEN}\d){{4,}}(?!\w)|\d{{4,}}")
"""Five digits or more, however they are grouped, or four in a row: phones, cards, orders, birthdays."""
_LABELLED = re.compile(r"(?:#|№|(?<!\w)(?:n[°º]|no\.|nr\.?))\s?\d{2,}", re.IGNORECASE)
_CODE = re.compile(r"(?<!\w)#?(?=[\w-]*\d[\w-]*\d)(?=[\d-]*[^\W\d_])[^\W_][\w-]{2,}(?!\w)")
"""Letters and two digits or more: an order, a booking, a number plate."""

_CAPITAL = f"[{''.join(filter(str.isupper, map(chr, range(0x250))))}Α-ΩА-ЯЁЄІЇ]"
_WORD = r"[^\W\d_][\w'’-]*"
_NAMES = rf"{_WORD}(?:\s+{_CAPITAL}[\w'’-]*){{0,2}}"
"""One word in any case, and what has a capital after it."""
_TITLES = (
    "mr mrs ms miss mister dr prof herr herrn frau monsieur madame mme mlle señor señora señorita sr sra don doña "
    "signor signora signore sig pan pani meneer mevrouw mevr dhr senhor senhora seu dona bay bayan bapak ibu pak "
    "господин госпожа г-н г-жа السيد السيدة श्री श्रीमती"
)
_TITLED = re.compile(rf"(?i:(?<!\w)(?:{'|'.join(_TITLES.split())})\.?)\s+(?P<name>{_NAMES})")
_INTRODUCED = re.compile(
    r"(?i:my name is|name['’]s|je m['’]appelle|ich heiße|ich heisse|mein name ist|me llamo|mi nombre es|mi chiamo|"
    r"meu nome é|me chamo|ik heet|mijn naam is|nazywam się|меня зовут|benim adım|adım|nama saya|اسمي|मेरा नाम|"
    rf"이름은|名前は|我叫|我的名字是)\s*(?P<name>{_NAMES}(?:\s+{_WORD})?)"
)
_SIGNED = re.compile(
    r"(?i:(?:best|kind|warm)? ?regards|cheers|yours|cordialement|bien à vous|liebe grüße|viele grüße|grüße|gruß|lg|"
    r"saludos|un saludo|saluti|cordiali saluti|atenciosamente|abraços|groeten|groetjes|pozdrawiam|с уважением|"
    rf"saygılarımla|salam)[,.!\s–-]+(?P<name>{_NAMES})|[.!?…]\s*[-–—]\s*(?P<tail>{_NAMES})\s*$"
)
_HONOURED = re.compile(
    r"[\u3400-\u9fff\u30a0-\u30ff]{1,6}(?:さん|様|さま|くん|ちゃん|先生|女士|小姐|经理)|[\uac00-\ud7a3]{2,4}\s?(?:씨|님)"
)
_WITH_A_CAPITAL = re.compile(rf"(?<!\w){_CAPITAL}[\w'’-]*")
_ALL_CAPITALS = 2
_MARKS = 2
"""So many marks may stand over or under one letter; more hide what is written."""
_TURNING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_MOST_MARKS = 4
"""So many any script puts there; more climb over the lines around."""


def redacted(text: str, ordinary: Collection[str] = ()) -> str:
    """The text on one line, without names, handles, addresses, and numbers that lead to somebody. ``ordinary``: words,
    in small letters, that are known to be no names."""
    text = one_clean_line(text[:LONGEST])
    for pattern in (_MAIL_OR_LINK, _HANDLE, _CODE, _NUMBER, _LABELLED, _HONOURED):
        text = pattern.sub(MASK, text)
    for pattern in (_TITLED, _INTRODUCED, _SIGNED):
        text = pattern.sub(_without_name, text)
    known = _known_in(text)
    text = _WITH_A_CAPITAL.sub(lambda found: found[0] if _is_ordinary(found[0], ordinary, known) else MASK, text)
    return re.sub(rf"{MASK}(?:[\s.,-]*{MASK})+", MASK, text)


def one_clean_line(text: str) -> str:
    """The text on one line, without what cannot be seen and what turns its direction, and with few marks a letter."""
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if char.isspace():
            char = " "
        elif category[0] == "C" or category == "Me":
            continue
        marks = marks + 1 if category == "Mn" else 0
        if marks <= _MARKS:
            kept.append(char)
    return " ".join("".join(kept).split())


def calm(text: str) -> str:
    """The text as it was written, but for marks that are heaped on one letter until they hide the lines around it, and
    for what turns the direction of writing or cannot be seen."""
    kept: list[str] = []
    marks = 0
    for char in _TURNING.sub("", text):
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def shortened(text: str, most: int) -> str:
    """At most ``most`` characters; ends after a word, with an ellipsis, where it was longer."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    cut = max(head.rfind(" "), head.rfind("、"), head.rfind("。"), head.rfind("，"))
    if cut < most // 2:  # a script without blanks, or one endless word
        cut = most - 1
    return head[:cut].rstrip(" ,;:、，-") + "…"


def _without_name(found: re.Match[str]) -> str:
    group = "name" if found.groupdict().get("name") is not None else "tail"
    start, end = found.start(group) - found.start(), found.end(group) - found.start()
    return f"{found[0][:start]}{MASK}{found[0][end:]}"


def _known_in(text: str) -> set[str]:
    """The words of a text that the lexicon of its language knows, folded."""
    found, _ = tokens(fold(text).text, lexicon())
    return {word for token in found if token.roles for word in re.findall(r"\w+", token.text)}


def _is_ordinary(word: str, ordinary: Collection[str], known: Collection[str]) -> bool:
    """Whether a word with a capital is no name: a title, a letter, loud, or known in small letters."""
    small = word.casefold()
    if small in ordinary or small in _KNOWN_TITLES or len(word) == 1:
        return True
    if word.isupper() and _ALL_CAPITALS <= len(word) <= len("NEVER"):  # USB, NEVER; but not DUPONT
        return True
    return any(plain in known for plain in (folded(small), *re.split(r"['’]", folded(small))[:1]))


_KNOWN_TITLES = frozenset(_TITLES.split())
