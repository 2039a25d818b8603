"""The files of ``vouch demo --out``, read back: who looks at them sees what went over the wire, and nothing else."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar

from sandbox.discord.shown import plain
from sandbox.seam import Post

T = TypeVar("T")

_PNG = b"\x89PNG\r\n\x1a\n"
_ABOVE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d) UTC, (\d+) picture\n", re.MULTILINE)


def misfiled(folder: Path, posts: Sequence[Post]) -> list[str]:
    """Which files do not hold what the teams' places got, one sentence each."""
    found = {name: [post for post in posts if post.platform == name] for name in ("telegram", "discord", "x")}
    drawn = [picture for post in posts for picture in post.pictures]
    held = {
        "telegram.html": _holds(folder / "telegram.html", _is_page, found["telegram"]),
        "discord.json": _holds(folder / "discord.json", _is_list, found["discord"]),
        "x.txt": _holds(folder / "x.txt", _is_text, found["x"]),
        "chart.png": not drawn or _holds(folder / "chart.png", _is_picture, drawn),
    }
    return [f"{name} does not hold what was posted" for name, so in held.items() if not so]


def _holds(file: Path, is_right: Callable[[bytes, Sequence[T]], bool], what: Sequence[T]) -> bool:
    try:
        return is_right(file.read_bytes(), what)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # of another form altogether
        return False


class _Page(HTMLParser):
    """The messages of ``telegram.html``: of each what is read above its small print, this, and its pictures."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.messages: list[tuple[str, str, tuple[bytes, ...]]] = []
        self._in = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "article":
            self.messages.append(("", "", ()))
        if tag in ("article", "small"):
            self._in = tag
        if tag == "img":
            words, small, pictures = self.messages[-1]
            source = (dict(attrs).get("src") or "").removeprefix("data:image/png;base64,")
            self.messages[-1] = (words, small, (*pictures, base64.b64decode(source, validate=True)))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("article", "small"):
            self._in = "article" if tag == "small" else ""

    def handle_data(self, data: str) -> None:
        if self._in:
            words, small, pictures = self.messages[-1]
            added = (words + data, small) if self._in == "article" else (words, small + data)
            self.messages[-1] = (*added, pictures)


def _is_page(content: bytes, posts: Sequence[Post]) -> bool:
    found = [
        (words.strip(), re.findall(r"message (\S+)", small)[0], pictures)
        for words, small, pictures in _Page(content.decode()).messages
    ]
    return found == [
        ("\n".join([post.text, *(f"[{button.label}]" for button in post.buttons)]), post.id, post.pictures)
        for post in posts
    ]


def _is_list(content: bytes, posts: Sequence[Post]) -> bool:
    found = [
        (each["message"], each["channel"], each["payload"], _words(each["payload"]), each["files"])
        for each in json.loads(content)
    ]
    return found == [(post.id, post.place, post.raw, post.text, list(map(len, post.pictures))) for post in posts]


def _words(payload: dict[str, Any]) -> str:
    """What a person reads of a message on Discord."""
    described = (embed.get(name, "") for embed in payload.get("embeds", ()) for name in ("title", "description"))
    return plain("\n".join(filter(None, [payload.get("content", ""), *described])))


def _is_text(content: bytes, posts: Sequence[Post]) -> bool:
    _, *pieces = _ABOVE.split(content.decode())
    found = list(zip(pieces[::3], pieces[1::3], map(str.strip, pieces[2::3]), strict=True))
    return found == [(f"{post.at:%Y-%m-%d %H:%M}", str(len(post.pictures)), post.text.strip()) for post in posts]


def _is_picture(content: bytes, drawn: Sequence[bytes]) -> bool:
    return content.startswith(_PNG) and content == drawn[-1]
