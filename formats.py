"""What ``vouch report`` prints: the post of a week as words, page, picture or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from commands import Look
from core.errors import VouchError
from core.message import Message
from core.proof import counts, fingerprint, numbers
from core.publishing import Heard, for_team, messages
from core.report import WeekReport
from core.survey import Survey


class Format(StrEnum):
    """How a post is printed."""

    TEXT = "text"
    HTML = "html"
    PNG = "png"
    JSON = "json"


def put_out(look: Look, survey: Survey, form: Format, file: Path | None) -> str:
    """Print the post, or write it to ``file``; returns what was done, empty where it was printed. Raises ``VouchError``
    when there is no picture, or a picture would fill a terminal."""
    if form is Format.PNG:
        content = _picture(look, survey)
        if file is None and sys.stdout.isatty():
            raise VouchError("a picture cannot be shown in a terminal: add --out nps.png")
    else:
        content = _words(look, survey, form).encode()
    if file is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return ""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise VouchError(f"{file} cannot be written: {error.strerror}; name another file with --out") from error
    return f"Written to {file}."


def _words(look: Look, survey: Survey, form: Format) -> str:
    if form is Format.JSON:
        return json.dumps(report_as_json(look.report)) + "\n"
    said = post(look, survey)
    if form is Format.HTML:
        from core.page import page

        return page(said, _language(look, survey))
    return "\n\n".join(message.plain for message in said) + "\n"


def _picture(look: Look, survey: Survey) -> bytes:
    from core.png import png

    drawn = post(look, survey)[0].picture
    if drawn is None:
        raise VouchError("too few answers for a score, so there is no picture; see `vouch report`")
    return png(drawn.svg)


def post(look: Look, survey: Survey) -> Sequence[Message]:
    """The messages of the post, as the team gets them."""
    team = look.team
    outside = team is not None and not team.inside
    words = Heard(look.report.reasons, look.report.quotes)
    told = words if team is None else for_team(words, team)
    shown = replace(look.report, reasons=told.reasons, quotes=told.quotes)
    advice = team.advice if team is not None else None
    return messages(shown, _language(look, survey), before=look.before, advice=advice, outside=outside)


def _language(look: Look, survey: Survey) -> str:
    return look.team.language if look.team is not None else survey.languages[0]


def report_as_json(report: WeekReport) -> dict[str, Any]:
    """The numbers of a week for a script."""
    return {
        "survey": report.survey,
        "week": report.wave.key,
        "scale": str(report.scale),
        "opens_at": report.wave.opens_at.isoformat(),
        "closes_at": report.wave.closes_at.isoformat(),
        "named": numbers(report.week.total),
        "open": numbers(report.open.total) if report.open is not None else None,
        "channels": {f"{c.channel}:{'open' if c.open else 'named'}": numbers(c.tally) for c in report.channels},
        "window": {"weeks": report.window.weeks, **numbers(report.window.total)},
    }


def proof_as_json(look: Look) -> dict[str, Any]:
    """Every count that the numbers come from now, and that they came from when each team was told of them, with the
    fingerprint that ends the details."""
    now = {**counts(look.report), "fingerprint": fingerprint(look.report)}
    return {"now": now, "posted": look.posted}
