"""What followers typed, and what Vouch reads in it: the answers that it takes otherwise than they were meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.ballot import Scale
from core.reading import Reading, read
from sandbox.ledger import Act, Ledger
from sandbox.reading import Scores

MOST = 0.03
"""So large a share of what was typed may be misread."""

_TYPED = ("text", "unclear", "comment", "greeting", "stop")


@dataclass(frozen=True, slots=True)
class Misread:
    """One person's answer of one week as it was meant, and as it was read; empty and ``None`` for no answer."""

    survey: str
    week: str
    text: str
    """The last that they wrote and that was misread."""
    channel: str
    meant: int | None
    read_channel: str
    """Where the answer stands that was taken for theirs: it may be an earlier one."""
    read: int | None


def typed(ledger: Ledger) -> list[Act]:
    """All that people wrote in their own words and the platform took; what fills in a form is a comment in any case."""
    return [act for act in ledger.acts if act.kind in _TYPED and act.accepted and act.text and not _fills(act)]


def wrongly_read(ledger: Ledger, scales: Mapping[str, Scale], told: Mapping[tuple[str, str], str]) -> int:
    """How many of the messages were misread: another score than was meant, or a wish to be left alone that was not
    heard, or heard where there was none."""
    found = 0
    for act in typed(ledger):
        reading = _reading(act, scales, told)
        found += reading.score != act.low or (reading.intent in ("stop", "delete")) != (act.kind == "stop")
    return found


def _reading(act: Act, scales: Mapping[str, Scale], told: Mapping[tuple[str, str], str]) -> Reading:
    language = told.get((act.account, act.person))
    return read(act.text, scales[act.survey], (language,) if language else ())


def as_read(ledger: Ledger, scales: Mapping[str, Scale], told: Mapping[tuple[str, str], str]) -> Ledger:
    """The ledger as it is when every score is what Vouch reads. ``scales`` by survey; ``told``: the languages that the
    platform tells of those who write, by account and person."""
    found: dict[int, Scores | None] = {}
    for act in typed(ledger):
        score = _reading(act, scales, told).score
        if score != act.low:
            found[act.seq] = Scores(score, score) if score is not None else None
    return ledger.as_read(found)


def misread(meant: Ledger, understood: Ledger, weeks: Mapping[str, Iterable[str]]) -> list[Misread]:
    """The answers in which the two ledgers differ; ``weeks`` by survey. Meant minus read, group by group, is what the
    posts say too much or too little."""
    written = {
        (act.survey, act.week, act.account, act.person): act.text
        for act, other in zip(meant.acts, understood.acts, strict=True)
        if act.low != other.low
    }
    found: list[Misread] = []
    for survey, its_weeks in weeks.items():
        for week in its_weeks:
            true, taken = meant.answers(survey, week), understood.answers(survey, week)
            for person in sorted({*true, *taken}):
                a, b = true.get(person), taken.get(person)
                if _told(a) != _told(b):
                    text = written.get((survey, week, *person), "")
                    found.append(Misread(survey, week, text, *_told(a), *_told(b)))
    return found


def listed(found: Iterable[Misread]) -> list[dict[str, Any]]:
    """For ``--json``."""
    return [asdict(one) for one in found]


def _fills(act: Act) -> bool:
    return act.kind == "comment" and act.post is not None


def _told(act: Act | None) -> tuple[str, int | None]:
    return ("", None) if act is None else (act.channel, act.low)


def too_many(wrongly: int, written: int) -> list[str]:
    """What is wrong, where more was misread than may be."""
    return [f"{wrongly} of {written} typed messages were misread"] if wrongly > MOST * written else []
