"""The weekly post as one HTML page that stands alone: its picture, its words, its details. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from core.message import Link, Message, Part, Quote, Strong

_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
body { font: 1.06rem/1.5 Inter, "Noto Sans", system-ui, sans-serif; }
svg { width: 100%; height: auto; border-radius: 12px; }
h1, h2 { font-size: 1.3rem; line-height: 1.3; margin: 1.6rem 0 .6rem; }
p { margin: .35rem 0; }
blockquote { margin: .6rem 0; padding-left: .9rem; border-left: 4px solid #0b7a75; }
section + section { margin-top: 2.2rem; font-size: .92rem; opacity: .86; }
"""


def page(messages: Sequence[Message], language: str) -> str:
    """One page of all messages of a post. Every word in it is escaped, and nothing is fetched from elsewhere."""
    title = messages[0].parts[0].text if messages and messages[0].parts else ""
    way = ' dir="rtl"' if language.partition("-")[0] == "ar" else ""
    sections = "\n".join(_section(message, first=place == 0) for place, message in enumerate(messages))
    return (
        f'<!doctype html>\n<html lang="{escape(language)}"{way}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{sections}\n</body>\n</html>\n"
    )


def _section(message: Message, *, first: bool) -> str:
    shown = [message.picture.svg] if message.picture is not None else []
    return "\n".join(
        ["<section>", *shown, *(_part(part, "h1" if first else "h2") for part in message.parts), "</section>"]
    )


def _part(part: Part, heading: str) -> str:
    words = escape(part.text)
    match part:
        case Strong():
            return f"<{heading}>{words}</{heading}>"
        case Quote():
            return f"<blockquote>{words}</blockquote>"
        case Link(url=url):
            return f'<p><a href="{escape(url)}" rel="noopener noreferrer">{words}</a></p>'
        case _:
            return f"<p>{words}</p>"
