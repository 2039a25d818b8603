"""The neutral message: parts that carry text as data; each adapter renders and escapes them.

A customer's words can therefore not become markup, a mention or a link of ours: only ``Link`` is a link.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """Plain text that ends with a line break. Never interpreted."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """A line that stands out (bold where the platform can)."""

    text: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody else's words. Shown as a quotation, with every mark and address in it made harmless."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link of ours: ``text`` where the platform can hide an address behind words, and the ``url``."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A person of the team's choice who is told of the message, after these words."""

    text: str
    person: str
    """The platform's id."""


Part = Line | Strong | Quote | Link | Mention


@dataclass(frozen=True, slots=True)
class Form:
    """A text form that a button opens where the platform has one (a Discord modal)."""

    title: str
    """At most 45 characters."""
    label: str
    """What is asked, at most 45 characters."""
    token: str
    """Comes back with the text, as ``Reply.token``."""


@dataclass(frozen=True, slots=True)
class Button:
    """Something to tap. ``token`` is opaque, at most 64 bytes of ASCII, and comes back as ``Reply.token``."""

    label: str
    token: str
    form: bool = False
    """Whether a tap opens a form at once (see ``Forms`` in ``core/account.py``) instead of being delivered."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of ours, drawn where it is sent (``core/png.py``)."""

    svg: str
    words: str
    """What it shows, for who cannot see it."""


@dataclass(frozen=True, slots=True)
class Message:
    """What we say: a picture above it where the place shows one, parts in order, then rows of buttons. Adapters lay
    buttons out as the platform allows."""

    parts: tuple[Part, ...]
    buttons: tuple[Button, ...] = field(default=())
    picture: Picture | None = None

    @property
    def plain(self) -> str:
        """The text alone, one part a line: the fallback of every renderer."""
        return "\n".join(f"{p.text}: {p.url}" if isinstance(p, Link) else p.text for p in self.parts)


def text(words: str, *buttons: Button) -> Message:
    """A message of plain lines."""
    return Message(tuple(Line(line) for line in words.split("\n")), buttons)
