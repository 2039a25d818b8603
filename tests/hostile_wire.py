"""What arrived over the wire from a bot, judged: each platform in its own terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.seam import Post
from tests.hostile import alive_on_discord, alive_on_telegram, alive_on_x
from tests.hostile_stage import RELAYED


def alive(post: Post) -> list[str]:
    """What a platform would make of a post but for what Vouch means to be more than words."""
    raw: Any = post.raw
    assert isinstance(raw, Mapping)
    match post.platform:
        case "telegram":
            return list(_on_telegram(raw))
        case "discord":
            return list(_on_discord(raw))
        case _:
            assert set(raw) <= {"text", "reply"}
            return alive_on_x(raw["text"])


def _on_telegram(raw: Mapping[str, Any]) -> Iterator[str]:
    if raw.get("parse_mode", "HTML") != "HTML" or raw.keys() & {"entities", "caption_entities"}:
        yield "markup in another way"
    for name in ("text", "caption"):
        words = raw.get(name, "")
        yield from alive_on_telegram(words, from_the_team=words.startswith(RELAYED))


def _on_discord(raw: Mapping[str, Any]) -> Iterator[str]:
    if raw.get("allowed_mentions") != {"parse": []}:
        yield f"mentions are allowed: {raw.get('allowed_mentions')}"
    embeds = raw.get("embeds") or ()
    if any(embed.keys() - {"description", "image", "color", "type"} for embed in embeds):
        yield "an embed with more than words and a picture"
    for words in (raw.get("content") or "", *(embed.get("description", "") for embed in embeds)):
        yield from alive_on_discord(words)
