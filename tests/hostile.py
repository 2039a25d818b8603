"""Comments that want to be more than words, and what platforms would make of them, in code of its own."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from html.parser import HTMLParser

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
            yield f"late parcel {piece} nobody answers"
            continue
        parts = [piece, *draw.choices(PIECES, k=draw.randint(0, 3)), *draw.choices(WORDS, k=draw.randint(2, 9))]
        draw.shuffle(parts)
        yield draw.choice((" ", "", "\n")).join(parts)


# -- Discord -----------------------------------------------------------------------------------------------------------

_ESCAPED = re.compile(r"\\([^\w\s])")
_ALIVE = {
    "mention": re.compile(r"<(?:@[!&]?|#|id:)\w+>|@everyone|@here"),
    "command, emoji or time": re.compile(r"</[^>]+:\d+>|<a?:\w+:\d+>|<t:-?\d+(?::\w)?>"),
    "link": re.compile(r"https?://|\bdiscord(?:app)?\.(?:gg|com)/|<[a-z]+://", re.IGNORECASE),
    "masked link": re.compile(r"\[[^\]]*\]\([^)]*\)"),
    "markup": re.compile(r"\*\S|__\S|~~\S|\|\|\S|`|^(?:#{1,3}|-#|[-*+]|\d+\.) ", re.MULTILINE),
}
"""Source: https://docs.discord.com/developers/reference#message-formatting, https://support.discord.com/hc/en-us/articles/210298617"""


def alive_on_discord(content: str) -> list[str]:
    """What Discord would make of a message but for its first bold line and its quotations."""
    lines = [line.removeprefix("> ") for line in content.split("\n")]
    if lines and (bold := re.fullmatch(r"\*\*(.*)\*\*", lines[0])):
        lines[0] = bold[1]
    text = _ESCAPED.sub("\ue000", "\n".join(lines))
    return [f"{name}: {found[0]!r}" for name, alive in _ALIVE.items() if (found := alive.search(text))]


# -- X -----------------------------------------------------------------------------------------------------------------

_ON_X = {
    "mention": re.compile(r"[@＠][A-Za-z0-9_]"),
    "tag": re.compile(r"[#＃$＄]\w"),
    "link": re.compile(r"https?://|(?<!\w)(?:[\w-]+\.)+[A-Za-z]{2,}", re.IGNORECASE),
    "direction or control": re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff]"),
}
"""Rather too much: X finds fewer. Source: https://github.com/twitter/twitter-text"""


def alive_on_x(text: str) -> list[str]:
    """What X would make of a post."""
    return [f"{name}: {found[0]!r}" for name, alive in _ON_X.items() if (found := alive.search(text))]


# -- HTML --------------------------------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """The elements of a page, and what is named in their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.names: set[str] = set()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action", "xlink:href")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
