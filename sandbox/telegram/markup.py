"""Text and its entities: the HTML style parsed as strictly as Telegram does, lengths in UTF-16 units, found entities.

The order of the checks and the words of the errors are those of TDLib's HTML parser.
Source: https://core.telegram.org/bots/api#html-style ·
https://github.com/tdlib/td/blob/master/td/telegram/MessageEntity.cpp
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.telegram.errors import Refused, bad_request

Entity = dict[str, Any]

_STYLES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "u": "underline",
    "ins": "underline",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "pre": "pre",
    "code": "code",
    "blockquote": "blockquote",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
}
_ARGUMENT = {"a": "href", "span": "class", "code": "class", "tg-emoji": "emoji-id", "tg-time": "unix"}
_SPACE = " \t\r\n\0\v"
_CHARACTER = re.compile(r"&(#x[0-9a-f]{1,6}|#[0-9]{1,7}|lt|gt|amp|quot);?", re.IGNORECASE)
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"]+|(?<![\w@.])(?:[a-z0-9-]+\.)+(?:com|org|net|io|me|dev|app|info|eu|de|fr|uk|ru)\b[^\s<>\"]*)"
    r"|(?P<email>(?<![\w.])[\w.+-]+@[\w-]+\.[a-z]{2,})"
    r"|(?P<mention>(?<![\w@/])@[a-z0-9_]{3,32}\b)"
    r"|(?P<hashtag>(?<![\w#])#[^\W_]\w*)"
    r"|(?P<cashtag>(?<![\w$])\$[A-Z]{3,8}\b)"
    r"|(?P<bot_command>(?<![\w/<>])/[a-z0-9_]{1,64}(?:@[a-z0-9_]{3,32})?(?![\w/]))",
    re.IGNORECASE,
)


def units(text: str) -> int:
    """Length in UTF-16 code units, as Telegram counts offsets and texts."""
    if text.isascii():
        return len(text)
    return len(text) + sum(1 for character in text if character > "\uffff")


@dataclass(slots=True)
class _Open:
    tag: str
    at: int
    argument: str = ""


@dataclass(slots=True)
class _Html:
    """One reading of one text, left to right."""

    text: str
    at: int = 0
    plain: list[str] = field(default_factory=list)
    length: int = 0
    open: list[_Open] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def fail(self, why: str) -> Refused:
        return bad_request(f"can't parse entities: {why}")

    def byte(self, at: int) -> int:
        return len(self.text[:at].encode())

    def put(self, piece: str) -> None:
        self.plain.append(piece)
        self.length += units(piece)

    def read(self) -> tuple[str, list[Entity]]:
        text = self.text
        while self.at < len(text):
            character = text[self.at]
            if character == "<":
                self._end() if text.startswith("</", self.at) else self._start()
            elif character == "&":
                self.put(self._character())
            else:
                stop = min(p for p in (text.find("<", self.at), text.find("&", self.at), len(text)) if p >= 0)
                self.put(text[self.at : stop])
                self.at = stop
        if self.open:
            raise self.fail(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        self.entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
        return "".join(self.plain), self.entities

    def _character(self) -> str:
        match = _CHARACTER.match(self.text, self.at)
        if match is None:
            self.at += 1
            return "&"
        self.at = match.end()
        name = match[1].lower()
        if name in _NAMED:
            return _NAMED[name]
        code = int(name[2:], 16) if name.startswith("#x") else int(name[1:])
        return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else match[0]

    def _word(self, stops: str) -> str:
        begin = self.at
        while self.at < len(self.text) and self.text[self.at] not in stops:
            self.at += 1
        return self.text[begin : self.at]

    def _skip_space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1

    def _peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def _start(self) -> None:
        begin = self.at
        self.at += 1
        tag = self._word(_SPACE + ">").lower()
        if not self._peek():
            raise self.fail(f"Unclosed start tag at byte offset {self.byte(begin)}")
        if tag not in _STYLES:
            raise self.fail(f'Unsupported start tag "{tag}" at byte offset {self.byte(begin)}')
        opened = _Open(tag, self.length)
        while True:
            self._skip_space()
            if self._peek() == ">":
                break
            name, value = self._attribute(tag, begin)
            if name == _ARGUMENT.get(tag):
                opened.argument = value
        self.at += 1
        if tag == "span" and opened.argument != "tg-spoiler":
            raise self.fail(f'Tag "span" must have class "tg-spoiler" at byte offset {self.byte(begin)}')
        self.open.append(opened)

    def _attribute(self, tag: str, begin: int) -> tuple[str, str]:
        unclosed = f'Unclosed start tag "{tag}" at byte offset {self.byte(begin)}'
        name = self._word(_SPACE + "=>/\"'").lower()
        if not name:
            raise self.fail(f'Empty attribute name in the tag "{tag}" at byte offset {self.byte(begin)}')
        self._skip_space()
        if self._peek() != "=":
            if not self._peek():
                raise self.fail(unclosed)
            return name, ""
        self.at += 1
        self._skip_space()
        quote = self._peek()
        if not quote:
            raise self.fail(unclosed)
        if quote not in "\"'":
            at = self.at
            value = self._word(_SPACE + ">")
            if not re.fullmatch(r"[A-Za-z0-9.-]*", value):
                raise self.fail(f"Unexpected end of name token at byte offset {self.byte(at)}")
            return name, value.lower()
        self.at += 1
        pieces: list[str] = []
        while self._peek() not in ("", quote):
            pieces.append(self._character() if self._peek() == "&" else self._peek_and_go())
        if not self._peek():
            raise self.fail(unclosed)
        self.at += 1
        return name, "".join(pieces)

    def _peek_and_go(self) -> str:
        self.at += 1
        return self.text[self.at - 1]

    def _end(self) -> None:
        begin = self.at
        if not self.open:
            raise self.fail(f"Unexpected end tag at byte offset {self.byte(begin)}")
        self.at += 2
        tag = self._word(_SPACE + ">").lower()
        self._skip_space()
        if self._peek() != ">":
            raise self.fail(f"Unclosed end tag at byte offset {self.byte(begin)}")
        self.at += 1
        opened = self.open.pop()
        if tag and tag != opened.tag:
            raise self.fail(
                f'Unmatched end tag at byte offset {self.byte(begin)}, expected "</{opened.tag}>", found "</{tag}>"'
            )
        entity = self._entity(opened)
        if entity is not None:
            self.entities.append(entity)

    def _entity(self, opened: _Open) -> Entity | None:
        entity: Entity = {"type": _STYLES[opened.tag], "offset": opened.at, "length": self.length - opened.at}
        if not entity["length"]:
            return None
        if opened.tag == "a":
            url = opened.argument or "".join(self.plain).encode("utf-16-le")[opened.at * 2 :].decode("utf-16-le")
            if not re.match(r"(https?://|tg://|mailto:|tel:)|[\w-]+\.[a-z]", url, re.IGNORECASE):
                return None
            entity["url"] = url
        elif opened.tag == "tg-emoji":
            entity["custom_emoji_id"] = opened.argument
        elif opened.tag == "tg-time":
            entity["unix_time"] = int(opened.argument) if opened.argument.isdigit() else 0
        return entity


def found_entities(text: str) -> list[Entity]:
    """What Telegram finds in a plain text by itself: links, mentions, hashtags, commands."""
    return [
        {
            "type": match.lastgroup,
            "offset": units(text[: match.start()]),
            "length": units(match[0]),
        }
        for match in _FOUND.finditer(text)
        if match.lastgroup
    ]


def parsed(text: str, parse_mode: str, given: Any = None) -> tuple[str, list[Entity]]:
    """The text as people see it, trimmed, and its entities.

    Only the HTML style is offered; the Markdown styles are refused, which the platform would not do.

    Raises:
        Refused: 400 "can't parse entities: …", or the parse mode is unknown.
    """
    entities: list[Entity] = []
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise bad_request("strings must be encoded in UTF-8")
    if parse_mode.lower() == "html":
        text, entities = _Html(text).read()
    elif parse_mode:
        raise bad_request("unsupported parse_mode")
    elif isinstance(given, list):
        entities = [_given_entity(entity) for entity in given]
    cut = len(text) - len(text.lstrip())
    text = text.strip()
    if cut or entities:
        entities = _shifted(entities, cut, units(text))
    covered = [(e["offset"], e["offset"] + e["length"]) for e in entities if e["type"] in ("code", "pre", "text_link")]
    for entity in found_entities(text):
        if not any(begin < entity["offset"] + entity["length"] and entity["offset"] < end for begin, end in covered):
            entities.append(entity)
    return text, entities


def _given_entity(given: Any) -> Entity:
    if not isinstance(given, dict) or not isinstance(given.get("type"), str):
        raise bad_request("can't parse MessageEntity: expected an Object")
    if not all(isinstance(given.get(name), int) for name in ("offset", "length")):
        raise bad_request("can't parse MessageEntity: offset and length must be Numbers")
    return dict(given)


def _shifted(entities: list[Entity], cut: int, length: int) -> list[Entity]:
    kept: list[Entity] = []
    for entity in entities:
        begin = max(0, entity["offset"] - cut)
        end = min(length, entity["offset"] + entity["length"] - cut)
        if end > begin:
            kept.append({**entity, "offset": begin, "length": end - begin})
    return kept
