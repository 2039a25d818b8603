"""Comments that want to be more than words, and what platforms would make of them, in code of its own.

Each comment carries ``MARK``, so that what came from one is told from what Vouch says itself.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser

MARK = "zwxq"
"""A word that stands in every comment, and in nothing that Vouch says."""

PIECES = (
    *("@everyone", "@here", "<@1100000000000000001>", "<@&1100000000000000001>", "<#1100000000000000001>"),
    *("@acme", "＠acme", "@durov_bot", "</ban:1100000000000000001>", "<:x:1100000000000000001>", "<t:0:R>"),
    *("https://evil.example/x?a=1", "http://evil.example", "HTTPS://EVIL.EXAMPLE", "evil.com/x", "www.evil.com"),
    *("tg://user?id=1", "t.me/evil", "discord.gg/abcdef", "discord.com/invite/abc", "<https://evil.example>"),
    *("[win](https://evil.example)", "[win](<https://evil.example>)", "<a href='https://evil.example'>win</a>"),
    *("**bold**", "__under__", "*it*", "_it_", "||spoiler||", "~~gone~~", "`code`", "```\ncode\n```", "# head"),
    *("> quote", ">>> quote", "- list", "1. list", "-# small", "<b>bold</b>", "</blockquote><b>out", "&lt;b&gt;"),
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "]]><!--", "&#64;everyone", "<tg-spoiler>x"),
    *("#tag", "＃tag", "$TSLA", "/start", "/delete@acme_bot", "someone@evil.example", "+33 6 12 34 56 78"),
    *('=HYPERLINK("https://evil.example")', "+cmd|' /C calc'!A0", "-2+3", "@SUM(1,2)", "\t=1+1"),
    *(
        "\u202eevil\u202c",
        "\u2066x\u2069",
        "\u200b@\u200beveryone",
        "@\u200beveryone",
        "\ufeffhttps\ufeff://evil.example",
    ),
    *("z̵͍a̷͎l̸̰g̶͇ö̴͓", "e" + "\u0301" * 200, "\x1b[31mred", "\x00", "\x07", "\r\n", "\u2028", "\u0085"),
    *(
        "Acme: NPS 100, last 4 weeks. Up 90.",
        "\nNamed answers: NPS 100 (chance range 100 to 100), n 9\n",
        "{title} {0}",
    ),
    *("<+33612345678>", "<someone@evil.example>", "<mailto:someone@evil.example>", "evil.example", "192.0.2.1/x"),
    *("evil。example", "  - inner", "* star", "+ plus", "_it", "*it", "<id:customize>", "steam://run/1", "\u00ad@acme"),
    *("%s %n", "a" * 10_000, "😀" * 3_000, "\\", "\\*", "\\\\@everyone", "\\<@1100000000000000001>", "…", "“”"),
)
WORDS = (
    "late",
    "parcel",
    "nobody",
    "answers",
    "third",
    "time",
    "great",
    "team",
    "I",
    "told",
    "my",
    "sister",
    "so",
    "9",
)


def comments(number: int = 500, seed: int = 5) -> Iterator[str]:
    """So many comments; every piece is in some of them, alone and among words."""
    draw = random.Random(seed)
    for at in range(number):
        piece = PIECES[at % len(PIECES)]
        if at < len(PIECES):
            yield f"late parcel {MARK} {piece} nobody answers"
            continue
        parts = [piece, MARK, *draw.choices(PIECES, k=draw.randint(0, 3)), *draw.choices(WORDS, k=draw.randint(2, 9))]
        draw.shuffle(parts)
        yield draw.choice((" ", "", "\n")).join(parts)


# -- everywhere --------------------------------------------------------------------------------------------------------

_UNSEEN = {
    "direction or control": re.compile("[\x00-\x08\x0b-\x1f\x7f\u061c\u202a-\u202e\u2066-\u2069\ufeff]"),
    "marks over marks": re.compile("[\u0300-\u036f]{5}"),
}


def _found(alive: Mapping[str, re.Pattern[str]], text: str) -> list[str]:
    return [f"{name}: {found[0]!r}" for name, its in (alive | _UNSEEN).items() if (found := its.search(text))]


# -- Telegram ----------------------------------------------------------------------------------------------------------

_ON_TELEGRAM = {
    "link": re.compile(r"[a-z][a-z0-9+.-]*://|(?<![\w.])(?:[\w-]+[.．。])+(?:\d|[^\W\d_]{2})", re.IGNORECASE),
    "mention": re.compile(r"[@＠]\w"),
    "tag": re.compile(r"[#＃]\w|\$[A-Za-z]"),
    "command": re.compile(r"(?<![\w/])/\w"),
    "number to call": re.compile(r"\+\d"),
}
"""Rather too much: Telegram finds fewer. Source: https://core.telegram.org/bots/api#messageentity"""

_COMMANDS = re.compile(r"(?<!\S)/(?:cases|forget|help|mydata|report|resume|why)\b")
"""What Vouch itself tells people to write."""


def alive_on_telegram(markup: str, *, from_the_team: bool = False) -> list[str]:
    """What Telegram would make of the HTML of a message but for bold lines, quotations, and commands that Vouch names.
    ``from_the_team``: a person wrote it to a customer, who may be sent an address."""
    shown = Pieces(markup)
    quoted = "\n".join(text for text, within in shown.pieces if "blockquote" in within)
    ours = "".join(text if "blockquote" not in within else "\n" for text, within in shown.pieces)
    found = [f"element: {name}" for name in sorted(shown.names - {"b", "blockquote"})]
    found += [f"within: {within}" for _, within in shown.pieces if len(within) > 1]
    found += [f"attribute: {name}" for name in shown.attributes]
    found += ["a comment among our words"] if MARK in ours else []
    alive = _ON_TELEGRAM if not from_the_team else {}
    return [*found, *_found(_ON_TELEGRAM, quoted), *_found(alive, _COMMANDS.sub("", ours))]


# -- Discord -----------------------------------------------------------------------------------------------------------

_ESCAPED = re.compile(r"\\[^A-Za-z0-9\s]")
_ON_DISCORD = {
    "mention": re.compile(r"<(?:@[!&]?|#|id:)\w+>|@everyone|@here"),
    "command, emoji or time": re.compile(r"</[^>]+:\d+>|<a?:\w+:\d+>|<t:-?\d+(?::\w)?>"),
    "link": re.compile(r"\b[a-z][a-z0-9+.-]*://|\bdiscord(?:app)?\.(?:gg|com)/", re.IGNORECASE),
    "mail or telephone": re.compile(r"<[a-z][a-z0-9+.-]*:|<[\w.+-]+@|<\+\d", re.IGNORECASE),
    "masked link": re.compile(r"\[[^\]]*\]\([^)]*\)"),
    "markup": re.compile(r"[*_`]|~~|\|\||^\s*(?:#{1,3}|-#|[-*+]|\d+\.|>{1,3}) ", re.MULTILINE),
}
"""Rather too much: one mark alone is none. Addresses without a scheme are no links there, but for invitations.
Source: https://docs.discord.com/developers/reference#message-formatting,
https://support.discord.com/hc/en-us/articles/210298617"""


def alive_on_discord(content: str) -> list[str]:
    """What Discord would make of a message but for its first bold line and its quotations."""
    lines = content.split("\n")
    if bold := re.fullmatch(r"\*\*(.*)\*\*", lines[0]):
        lines[0] = bold[1]
    ours = [f"a comment among our words: {line!r}" for line in lines if MARK in line and not line.startswith("> ")]
    text = _ESCAPED.sub("\ue000", "\n".join(line.removeprefix("> ") for line in lines))
    return [*ours, *_found(_ON_DISCORD, text)]


# -- X -----------------------------------------------------------------------------------------------------------------

_ON_X = {
    "mention": re.compile(r"[@＠][A-Za-z0-9_]"),
    "tag": re.compile(r"[#＃$＄]\w"),
    "link": re.compile(r"https?://|(?<!\w)(?:[\w-]+\.)+[^\W\d_]{2,}", re.IGNORECASE),
}
"""Rather too much: X finds fewer. Source: https://github.com/twitter/twitter-text"""


def alive_on_x(text: str) -> list[str]:
    """What X would make of a post."""
    return _found(_ON_X, text)


# -- HTML --------------------------------------------------------------------------------------------------------------

PAGE = {
    *("html", "head", "meta", "title", "style", "body", "section", "svg", "rect", "text", "path", "circle"),
    *("h1", "h2", "p", "blockquote"),
}
"""The elements of the page that Vouch makes of a post."""


class Pieces(HTMLParser):
    """The elements of a page, what is named in their attributes, and each text with the elements around it."""

    VOID = frozenset({"meta", "rect", "path", "circle", "line", "br", "img"})

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []
        self.pieces: list[tuple[str, tuple[str, ...]]] = []
        self._within: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action", "xlink:href")]
        if tag not in self.VOID:
            self._within.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._within:
            self._within.remove(tag)

    def handle_data(self, data: str) -> None:
        self.pieces.append((data, tuple(self._within)))
