"""Messages and polls as JSON, for the outbox: what was planned can be said after a restart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from core.account import Poll, Receipt
from core.message import Button, Line, Link, Mention, Message, Part, Picture, Quote, Strong

_PARTS: dict[str, type[Line] | type[Strong] | type[Quote]] = {"line": Line, "strong": Strong, "quote": Quote}
_WITH: dict[str, type[Link] | type[Mention]] = {"link": Link, "mention": Mention}
_NAMES = {kind: name for name, kind in _PARTS.items()}


@lru_cache(maxsize=1024)
def dump(body: Message | Poll, placeholder: Message | None = None) -> str:
    """A message or poll as JSON text, with what is said first in its place, where anything is. The same few words are
    said to many people, so texts are remembered."""
    if isinstance(body, Poll):
        poll = {"question": body.question, "options": body.options, "closes_at": body.closes_at.isoformat()}
        return json.dumps({"poll": poll}, ensure_ascii=False)
    first = {"placeholder": _message(placeholder)} if placeholder is not None else {}
    return json.dumps({**_message(body), **first}, ensure_ascii=False)


def load(text: str) -> Message | Poll:
    """What ``dump`` wrote."""
    body = json.loads(text)
    if "poll" in body:
        poll = body["poll"]
        return Poll(
            question=poll["question"],
            options=tuple(poll["options"]),
            closes_at=datetime.fromisoformat(poll["closes_at"]),
        )
    return _read(body)


def placeholder_of(text: str) -> Message | None:
    """The placeholder in what ``dump`` wrote, if there is one."""
    found = json.loads(text).get("placeholder")
    return _read(found) if found is not None else None


def without_placeholder(text: str) -> str:
    """What ``dump`` wrote, to be said as it is."""
    bare = {name: part for name, part in json.loads(text).items() if name != "placeholder"}
    return json.dumps(bare, ensure_ascii=False)


def _message(message: Message) -> dict[str, Any]:
    buttons = [[button.label, button.token, button.form] for button in message.buttons]
    shown = {"picture": [message.picture.svg, message.picture.words]} if message.picture is not None else {}
    return {"parts": [_part(part) for part in message.parts], "buttons": buttons, **shown}


def _read(body: Mapping[str, Any]) -> Message:
    parts = tuple(_WITH[p[0]](p[1], p[2]) if p[0] in _WITH else _PARTS[p[0]](p[1]) for p in body["parts"])
    buttons = tuple(Button(label, token, form) for label, token, form in body["buttons"])
    return Message(parts, buttons, Picture(*body["picture"]) if "picture" in body else None)


def _part(part: Part) -> list[str]:
    match part:
        case Link():
            return ["link", part.text, part.url]
        case Mention():
            return ["mention", part.text, part.person]
        case _:
            return [_NAMES[type(part)], part.text]


def dump_receipt(receipt: Receipt) -> str:
    """A receipt as JSON text."""
    return json.dumps(
        {
            "place": receipt.place,
            "message": receipt.message,
            "refs": receipt.refs,
            "sent_at": receipt.sent_at.isoformat(),
        }
    )


def load_receipt(text: str) -> Receipt:
    """What ``dump_receipt`` wrote."""
    found = json.loads(text)
    return Receipt(
        place=found["place"],
        message=found["message"],
        refs=tuple(found["refs"]),
        sent_at=datetime.fromisoformat(found["sent_at"]),
    )
