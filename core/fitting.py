"""Messages in pieces that a place can show: breaks between lines, never in the middle of a word. Pure."""

from __future__ import annotations

from dataclasses import replace

from core.message import Link, Mention, Message, Part

SHORTEST = 2_000
"""Characters that a message may have wherever people write to one another.
Source: https://docs.discord.com/developers/resources/message#create-message"""

_AROUND = 5
"""So many marks at most stand around a part when it is shown, with the line break: ``**`` on both sides."""
_LINE_ENDS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
"""Behind each of these a line of a quotation begins, with a mark of its own, and perhaps with one that is escaped."""
_WIDE_MARKS = frozenset("＠＃＄．。")
_MARKS = frozenset("\\*_~`|[]<@:#/.$+")
"""A platform may break these by a mark that takes a character."""
_TWICE_FROM, _ONCE = 0x1100, frozenset("–’“”")
"""From this letter on X counts most of them twice, and Telegram emoji.
Source: https://docs.x.com/fundamentals/counting-characters, https://core.telegram.org/api/entities#entity-length"""


def split(message: Message, post_chars: int, caption_chars: int = 0) -> tuple[Message, ...]:
    """The message in as many as it takes for each to be at most ``post_chars`` long, the first one with the picture
    ``caption_chars``; without any, without the picture. Breaks between lines only.

    A single line that is longer still is cut between words and ends in "…". Buttons stay with the last message.
    """
    picture = message.picture if caption_chars else None
    messages: list[Message] = []
    held: list[Part] = []
    most = caption_chars if picture is not None else post_chars
    for part in message.parts:
        if held and sum(map(length, (*held, part))) > most:
            messages.append(Message(tuple(held)))
            held, most = [], post_chars
        held.append(part if length(part) <= most else replace(part, text=_cut(part.text, most)))
    first, *others = (*messages, Message(tuple(held), message.buttons))
    return (replace(first, picture=picture), *others)


def shortened(message: Message, chars: int) -> Message:
    """The message in one post of so many characters: its first lines, as many as fit, and its last one."""
    *parts, last = message.parts
    while parts[1:] and sum(map(length, (*parts, last))) > chars:
        parts.pop()
    if sum(map(length, (*parts, last))) > chars:  # a long name leaves room for nothing else
        return replace(message, parts=(replace(parts[0], text=_cut(parts[0].text, chars)),))
    return replace(message, parts=(*parts, last))


def length(part: Part) -> int:
    """How long a part is at most, line break included, when any platform has escaped and counted it."""
    shown = part.text
    if isinstance(part, Link | Mention):
        shown = f"{shown}: {part.url if isinstance(part, Link) else f'<@{part.person}>'}"
    return _AROUND + sum(map(_weight, shown))


def _weight(letter: str) -> int:
    if letter in _LINE_ENDS:
        return 4
    if letter in _WIDE_MARKS:
        return 3
    return 2 if letter in _MARKS or (ord(letter) >= _TWICE_FROM and letter not in _ONCE) else 1


def _cut(text: str, chars: int) -> str:
    """The beginning of a text, cut between words where it has any, with a mark."""
    left, end = chars - _AROUND - _weight("…"), 0
    while end < len(text) and left >= _weight(text[end]):
        left -= _weight(text[end])
        end += 1
    words, space, _ = text[: end + 1].rpartition(" ")
    return f"{(words if space and len(words) > end // 2 else text[:end]).rstrip()}…"
