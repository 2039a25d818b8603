"""What ``vouch read`` does: show how a message is understood, one in words or many as JSON lines."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from core.ballot import Scale
from core.errors import VouchError
from core.reading import Reading, read

MEANT = {
    "delete": "they want their data erased",
    "stop": "they want no more messages",
    "help": "they ask what this is: Vouch says who asks, why, how to answer and how to stop",
    "comment": "a comment for the team",
    "none": "nothing to answer: a greeting, chatter, a link or emoji alone",
}


class BadLine(VouchError):
    """A line that is no JSON object with a text; the words name it."""


def given_lines() -> Iterable[str]:
    """The lines on standard input; what is no UTF-8 in them is read with marks in its place."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    return sys.stdin


def in_words(found: Reading) -> str:
    """How a message was understood, a line for each thing in it."""
    lines = [f"score    {found.score}"] if found.score is not None else []
    if found.ambiguous:
        lines.append("score    perhaps, but not which: Vouch asks again, once")
    if found.intent in MEANT and (found.intent != "comment" or not found.ambiguous):
        lines.append(f"intent   {found.intent}: {MEANT[found.intent]}")
    if found.comment:
        lines.append(f"comment  {found.comment}")
    return "\n".join(lines)


def as_json(found: Reading) -> dict[str, Any]:
    """The same for a script."""
    return {
        "score": found.score,
        "intent": found.intent,
        "ambiguous": found.ambiguous,
        "comment": found.comment,
    }


def read_lines(lines: Iterable[str], scale: Scale) -> Iterator[dict[str, Any]]:
    """For each line ``{"text": …}`` how its text is understood, in order; empty lines are skipped. Raises ``BadLine``
    at the first one that is something else."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            text = json.loads(line)["text"]
        except (ValueError, TypeError, KeyError):
            text = None
        if not isinstance(text, str):
            raise BadLine(f'line {number} is not {{"text": "…"}}; write one JSON object a line')
        yield as_json(read(text, scale))
