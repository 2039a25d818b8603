"""The comment: what was written, without the score and its packing."""

from __future__ import annotations

import re

from core.reading import roles
from core.reading.fold import Folded
from core.reading.scores import Found

_MARKS = "\u060c\u061b\u061f\u0964\u06d4"
"""Of Arabic and Hindi."""
_OPENING = _MARKS + " \t\n\r.,:;!*\u2026-\u2013\u2014\u3001\u3002\uff0c\uff01\uff1a|/)"
_CLOSING = _MARKS + " \t\n\r,:;*\u2026-\u2013\u2014\u3001\u3002\uff0c\uff1a|/("


_STRUCK = re.compile("~~[^~]*~~|.\u0336")
"""What the writer took back by striking it out."""


_SAYS = re.compile(r"[^\W_]")
"""A letter or digit: what has none says nothing."""

_GLUED = roles.POINTS | roles.LIGHT
"""What is written together with a number belongs to it: 7点, 6吧."""


def rest_of(kept: str, folded: Folded, found: Found) -> str:
    """What is left of the text when the score is taken out: where its clause holds nothing else, with the clause."""
    if found.candidate is None or found.clause is None:
        return kept
    clause, its, index = found.clause, found.clause.tokens, found.candidate.index
    first = index if clause.first < index else 0
    last = index if clause.last > index else len(its) - 1
    while last < len(its) - 1 and its[last + 1].start == its[last].end and its[last + 1].roles & _GLUED:
        last += 1
    if first > 0 and last < len(its) - 1:
        return kept
    start = folded.place(its[first].start, len(kept))
    end = folded.place(its[last].end, len(kept))
    before, after = kept[:start].rstrip(_CLOSING), kept[end:].lstrip(_OPENING)
    if folded.places is not None or "~~" in before:
        before = _STRUCK.sub("", before).rstrip(_CLOSING)
    if not _SAYS.search(before):
        return after if _SAYS.search(after) else ""
    return f"{before} {after}" if _SAYS.search(after) else before
