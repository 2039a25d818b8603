"""What people see of a message: its text without markup, its buttons, its poll."""

from __future__ import annotations

import re

from sandbox.discord.components import buttons_of
from sandbox.discord.model import DIRECT, Message
from sandbox.seam import Post

_MASKED_LINK = re.compile(r"\[([^\]]+)\]\(<?([^)>]+)>?\)")
_MENTION = re.compile(r"<(?:@[!&]?|#)(\d+)>")
_TIMESTAMP = re.compile(r"<t:(-?\d+)(?::[tTdDfFR])?>")
_LINE_START = re.compile(r"(?m)^(?:>>> |> |#{1,3} |-# )")
_PAIRED = re.compile(r"(\*\*\*|\*\*|\*|___|__|_|~~|\|\||```|`)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\*_~|`>#\[\]()<@:-])")
_PRIVATE_USE = 0xE000


def plain(text: str) -> str:
    """Markdown rendered away. Source: https://support.discord.com/hc/en-us/articles/210298617"""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[1])
        return chr(_PRIVATE_USE + len(kept) - 1) if len(kept) < 6000 else match[1]

    text = _LINE_START.sub("", _ESCAPED.sub(keep, text))
    text = _MASKED_LINK.sub(r"\1", text)
    text = _MENTION.sub(r"@\1", text)
    text = _TIMESTAMP.sub(r"\1", text)
    for _ in range(4):
        text, changed = _PAIRED.subn(r"\2", text)
        if not changed:
            break
    for at, character in enumerate(kept):
        text = text.replace(chr(_PRIVATE_USE + at), character, 1)
    return text


def text_of(message: Message) -> str:
    """All text that a person reads: content, embeds; of a poll its question."""
    if message.poll is not None:
        return message.poll.question
    parts = [message.content]
    for embed in message.embeds:
        parts += [embed.get("title", ""), embed.get("description", "")]
        for field in embed.get("fields", ()):
            parts += [field["name"], field["value"]]
        parts.append(embed.get("footer", {}).get("text", ""))
    return plain("\n".join(part for part in parts if part))


def post_of(message: Message, raw: object, pictures: tuple[bytes, ...] = ()) -> Post:
    """A message as the world of followers sees it. What stands in a thread stands in its channel."""
    channel, poll = message.channel, message.poll
    place = channel if channel.parent is None else channel.parent
    recipient = message.only_for or channel.recipient
    return Post(
        platform="discord",
        account=channel.application.name,
        place="direct" if channel.type == DIRECT else str(place.id),
        to=None if recipient is None else str(recipient.id),
        id=str(message.id),
        text=text_of(message),
        at=message.at,
        options=() if poll is None else tuple(answer["poll_media"]["text"] for answer in poll.answers),
        names_voters=poll is not None,
        closes_at=None if poll is None else poll.expiry,
        buttons=tuple(button for button, _ in buttons_of(message.components)),
        reply_to=None if message.reply_to is None else str(message.reply_to),
        key="" if message.nonce is None else str(message.nonce),
        raw=raw,
        pictures=pictures,
    )
