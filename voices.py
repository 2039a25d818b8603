"""What ``vouch comments`` does: what people wrote beside their scores, and whose words may be quoted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from commands import Which, opened, week_meant
from connecting import calendar
from core.nps import Band
from core.reading import read
from core.redaction import calm
from core.settings import Settings
from core.store import tallies
from core.store.comments import Written, written_in
from core.survey import Survey, Wave


@dataclass(frozen=True, slots=True)
class Heard:
    """The comments of one week, the oldest first."""

    survey: Survey
    wave: Wave
    comments: Sequence[Written]


def heard(settings: Settings, survey: Survey, which: Which) -> Heard:
    """What was written in a week. Raises ``StoreError`` when nothing was asked yet, or not in that week."""
    database = opened(settings, survey)
    wave = week_meant(database, survey, which, asyncio.run(calendar(settings, database)).now())
    with database.reading() as connection:
        ids = tallies.asked_waves(connection, survey.name, str(survey.scale), [wave.key])
        return Heard(survey, wave, written_in(connection, ids[wave.key]))


def in_lines(found: Heard) -> list[str]:
    """A line for each comment, in words that a terminal cannot take for orders."""
    title = f"{found.survey.brand}, week {found.wave.key}"
    if not found.comments:
        return [f"{title}: nobody has written anything yet."]
    lines = [f"{title}: {len(found.comments)} written, the oldest first, each with the score that its writer gave last"]
    for one in found.comments:
        quoted = "  (may be quoted)" if one.quotable else ""
        unclear = "  (its number was unclear)" if read(one.text, found.survey.scale).ambiguous else ""
        lines.append(f"{_score(one):>4}  {one.channel or one.account}: {_harmless(one.text)}{quoted}{unclear}")
    if not any(one.quotable for one in found.comments):
        lines.append("None of these may be quoted yet: people say so by a tap, after they have written.")
    return lines


def as_json(found: Heard) -> dict[str, Any]:
    """The same for a script."""
    comments = [
        {
            "at": one.at.isoformat(),
            "channel": one.channel,
            "account": one.account,
            "low": one.low,
            "high": one.high,
            "text": one.text,
            "may_be_quoted": one.quotable,
        }
        for one in found.comments
    ]
    return {"survey": found.survey.name, "week": found.wave.key, "comments": comments}


def _score(one: Written) -> str:
    """Its score, or the band of scores that its poll had; an en dash where there is none."""
    return Band(one.low, one.high).label if one.low is not None and one.high is not None else "–"


def _harmless(text: str) -> str:
    return calm(" ".join("".join(char if char.isprintable() else " " for char in text).split()))
