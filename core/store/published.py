"""What weekly posts said, kept when they are planned: what came later is held against it, and it makes the trend."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from core.models import Published
from core.proof import counts, fingerprint
from core.report import Headline, WeekReport, headline
from core.store.statements import Upsert, table

_PUBLISHED = table(Published)
_keep = Upsert(
    Published,
    ("survey", "wave", "team", "score", "low", "high", "verdict", "counts", "fingerprint", "at"),
    key=("survey", "wave", "team"),
)

TREND = 26
"""So many weeks at most are in a trend: half a year."""


def keep(connection: Connection, report: WeekReport, team: str, now: datetime) -> None:
    """What a post says to a team. The first time counts: a post is never changed."""
    said = headline(report)
    its = json.dumps(counts(report), sort_keys=True)
    scores = (said.score, said.low, said.high, said.verdict)
    _keep(connection, [(report.survey, said.wave, team, *scores, its, fingerprint(report), now)])


def posted(connection: Connection, survey: str, wave: str, team: str) -> Headline | None:
    """What the post of a week said to a team, if there was one."""
    its = _posts.add_columns(_PUBLISHED.c.counts).where(*_to(survey, team), _PUBLISHED.c.wave == wave)
    found = connection.execute(its).first()
    if found is None:
        return None
    return replace(Headline(*found[:5]), width=json.loads(found[5])["width"])


def proofs(connection: Connection, survey: str, wave: str) -> dict[str, dict[str, Any]]:
    """By team the counts behind what it was told of a week, with their ``fingerprint``."""
    query = select(_PUBLISHED.c.team, _PUBLISHED.c.counts, _PUBLISHED.c.fingerprint)
    rows = connection.execute(query.where(_PUBLISHED.c.survey == survey, _PUBLISHED.c.wave == wave))
    return {team: {**json.loads(said), "fingerprint": mark} for team, said, mark in rows}


def trend(connection: Connection, survey: str, team: str, until: str = "9999") -> list[Headline]:
    """What the last posts up to a week said to a team, the oldest first."""
    its = _posts.where(*_to(survey, team), _PUBLISHED.c.wave <= until).order_by(_PUBLISHED.c.wave.desc()).limit(TREND)
    return [Headline(*row) for row in connection.execute(its)][::-1]


_posts = select(*(_PUBLISHED.c.wave, _PUBLISHED.c.score, _PUBLISHED.c.low, _PUBLISHED.c.high, _PUBLISHED.c.verdict))


def _to(survey: str, team: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _PUBLISHED.c.survey == survey, _PUBLISHED.c.team == team
