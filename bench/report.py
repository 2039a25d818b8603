"""How long the numbers of a post, its channels and its trend take over three years of answers. Each week is asked by
two posts that name people, by a poll that names nobody, and by invitations.

Beside it the plain way: one window of it, each person's latest answer, asked of the responses themselves.
"""

from __future__ import annotations

import random
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

from bench.row import Figure, NotMeasured, Row, in_a_process
from core.ballot import Scale, finest
from core.models import Ask, Count, Outbox, Published, Ref, WaveRow
from core.nps import Tally
from core.publishing import Heard, week_report
from core.store import published
from core.store.database import Connection, Database
from core.store.statements import table
from core.survey import Survey, Wave, next_wave, week_wave
from core.words import words_for

WEEKS = 156
PEOPLE, QUICK_PEOPLE = 200_000, 2_000
ANSWERS = 0.32
"""How likely a person answers in a week: 200,000 people give 10 million answers in three years."""
CHANNELS = ("group", "buttons", "direct")
"""Where people answer by name, each in one of them; the last invites all of its people every week."""
OPEN = "news"
"""A poll that names nobody."""
SURVEY = Survey(name="bench", brand="Acme", channels=(*CHANNELS, OPEN), window_weeks=13)
"""The widest window, which asks for most."""
BY_ITSELF = replace(SURVEY, window_weeks=None)
"""The same, where the numbers settle how many weeks it has."""
INVITED_WEEKS = 26
"""No post looks further back; to invite in all of the weeks would only take long."""
TEAM, ROUNDS = "team", 30
KB_IN_MB = 1024
SILENCE = Heard((), ())


@dataclass(frozen=True, slots=True)
class Taken:
    """What one look at the numbers takes."""

    ours_ms: float
    plain_ms: float
    ours_mb: float
    """Memory beyond that of a process that has read one row."""
    plain_mb: float


@cache
def waves() -> list[Wave]:
    """Three years of weeks."""
    found = [week_wave(SURVEY, datetime(2024, 1, 3, tzinfo=UTC))]
    while len(found) < WEEKS:
        found.append(next_wave(SURVEY, found[-1]))
    return found


def fill(path: Path, people: int) -> None:
    """Write three years of answers of so many people."""
    database, lived = Database(f"sqlite:///{path}"), list(enumerate(waves(), 1))
    asked = [(number, wave, name) for number, wave in lived for name in _POLLS]
    database.create()
    with database.engine.begin() as connection:
        connection.execute(table(WaveRow).insert(), [_wave(number, wave) for number, wave in lived])
        connection.execute(table(Outbox).insert(), [_said(*one) for one in asked])
        connection.execute(table(Ask).insert(), [_ask(*one) for one in asked])
        connection.execute(table(Ref).insert(), [_ref(number, name) for number, _, name in asked])
        connection.execute(table(Count).insert(), [_count(number, wave) for number, wave in lived])
        connection.execute(table(Published).insert(), [_published(wave) for _, wave in lived])
    database.engine.dispose()
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("PRAGMA synchronous=OFF")
        raw.executemany(
            "INSERT INTO response (person_id, wave_id, later_id, channel, via, low, high, ord, at) "
            "VALUES (?, ?, ?, ?, 'tap', ?, ?, 1, '2026-01-01 00:00:00.000000')",
            _answers(people),
        )
        raw.execute(
            "INSERT INTO rollup (wave_id, channel, later_id, low, high, n) SELECT wave_id, channel, "
            "coalesce(later_id, 0), low, high, count(*) FROM response GROUP BY 1, 2, 3, 4, 5"
        )
        raw.executemany(
            "INSERT INTO outbox (key, person_id, wave_id, account, kind, body, place, state, channel, priority, "
            "receipt, error, planned_at, due_at) "
            "VALUES (?, ?, ?, 'a', 'invitation', '{}', '', 'sent', 'direct', 3, '', '', "
            "'2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000')",
            _invitations(people),
        )


def _wave(number: int, wave: Wave) -> dict[str, object]:
    its = {"survey": "bench", "key": wave.key, "code": f"{number:08}", "scale": "0-10"}
    return {"id": number, **its, "opens_at": wave.opens_at, "closes_at": wave.closes_at}


_POLLS = ("group", "buttons", OPEN)
"""Channels that ask in public."""


def _said(number: int, wave: Wave, channel: str) -> dict[str, object]:
    its = {
        "key": f"ask:{number}:{channel}",
        "account": "a",
        "kind": "ask",
        "place": "-1",
        "body": "{}",
        "state": "sent",
    }
    times = {"planned_at": wave.opens_at, "due_at": wave.opens_at}
    return {
        **its,
        **times,
        "state": "sent",
        "wave_id": number,
        "channel": channel,
        "priority": 1,
        "receipt": "",
        "error": "",
    }


def _ask(number: int, wave: Wave, channel: str) -> dict[str, object]:
    its = {"key": f"ask:{number}:{channel}", "channel": channel, "account": "a", "kind": "poll", "place": "-1"}
    ballot = finest(Scale.ZERO_TO_TEN, options=10, option_chars=55, words=words_for("en"))
    named = {"ballot": ballot.code, "named": channel != OPEN, "message": str(number)}
    return {**its, **named, "id": _ask_id(number, channel), "wave_id": number, "posted_at": wave.opens_at}


def _ask_id(number: int, channel: str) -> int:
    return len(_POLLS) * number + _POLLS.index(channel)


def _ref(number: int, channel: str) -> dict[str, object]:
    its = {"account": "a", "ref": f"poll:{number}:{channel}", "wave_id": number, "channel": channel}
    return {**its, "ask_id": _ask_id(number, channel)}


def _count(number: int, wave: Wave) -> dict[str, object]:
    totals = f"[{', '.join(str(100 + option) for option in range(10))}]"
    return {"account": "a", "ref": f"poll:{number}:{OPEN}", "totals": totals, "as_of": wave.closes_at, "final": True}


def _invitations(people: int) -> Iterator[tuple[str, int, int]]:
    for number in range(WEEKS - INVITED_WEEKS + 1, WEEKS + 1):
        for person in range(CHANNELS.index("direct"), people, len(CHANNELS)):
            yield f"invite:{number}:{person}", person, number


def _published(wave: Wave) -> dict[str, object]:
    its = {"survey": "bench", "wave": wave.key, "team": TEAM, "verdict": "could be chance", "counts": "{}"}
    return {**its, "score": 20, "low": 15, "high": 25, "fingerprint": "0" * 12, "at": wave.closes_at}


def _answers(people: int) -> Iterator[tuple[int, int, int | None, str, int, int]]:
    draw = random.Random(17)
    for person in range(people):
        answered = [number for number in range(1, WEEKS + 1) if draw.random() < ANSWERS]
        for number, later in zip(answered, [*answered[1:], None], strict=True):
            score = int(draw.triangular(0, 11, 10))
            yield person, number, later, CHANNELS[person % len(CHANNELS)], score, score


def numbers(connection: Connection, survey: Survey) -> object:
    """All that the post's numbers, channels and trend need."""
    report = week_report(connection, survey, waves()[-1], SILENCE)
    return report, published.trend(connection, survey.name, TEAM)


_PLAIN = """
    SELECT sum(low >= 9), sum(low BETWEEN 7 AND 8), sum(low <= 6) FROM response AS one
    WHERE wave_id > ? AND NOT EXISTS (
        SELECT 1 FROM response AS other WHERE other.person_id = one.person_id AND other.wave_id > one.wave_id)
"""


def plain(connection: Connection) -> Tally:
    """The last window, without a roll-up."""
    found = connection.exec_driver_sql(_PLAIN, (WEEKS - 13,)).one()
    return Tally(*found)


def measured(path: str, what: str) -> dict[str, float]:
    """Milliseconds, the best of several, of our ways the slower one; and megabytes more; in a process of its own."""
    works: Sequence[Callable[[Connection], object]] = (plain,)
    if what == "ours":
        works = partial(numbers, survey=SURVEY), partial(numbers, survey=BY_ITSELF)
    database = Database(f"sqlite:///{path}")
    with database.reading() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM wave").one()
        idle = most = resident_mb()
        best: list[float] = []
        for work in works:
            taken: list[float] = []
            for _ in range(ROUNDS if what == "ours" else 2):
                started = time.perf_counter()
                work(connection)
                taken.append(time.perf_counter() - started)
                most = max(most, resident_mb())
            best.append(min(taken))
    return {"ms": 1000 * max(best), "mb": most - idle}


def resident_mb() -> float:
    """What this process takes of the memory now; where the system does not tell, what it took at most."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KB_IN_MB
    return pages * resource.getpagesize() / KB_IN_MB**2


@cache
def _taken(quick: bool) -> Taken:
    """Both ways over the same answers. One measurement for both rows."""
    with tempfile.TemporaryDirectory(prefix="vouch-bench-") as folder:
        path = Path(folder, "vouch.db")
        fill(path, QUICK_PEOPLE if quick else PEOPLE)
        with closing(sqlite3.connect(path)) as raw:
            (promoters, passives, detractors) = raw.execute(_PLAIN, (WEEKS - 13,)).fetchone()
        database = Database(f"sqlite:///{path}")
        with database.reading() as connection:
            window = week_report(connection, SURVEY, waves()[-1], SILENCE).window.total
        database.engine.dispose()
        if window != Tally(promoters, passives, detractors):
            raise NotMeasured(f"the roll-up says {window}, the responses {promoters}, {passives}, {detractors}")
        ours, theirs = (in_a_process(f"bench.report:measured({str(path)!r}, {what!r})") for what in ("ours", "plain"))
    return Taken(ours["ms"], theirs["ms"], ours["mb"], theirs["mb"])


def numbers_ms(quick: bool) -> Figure:
    """Milliseconds for the numbers of a post, its channels and its trend, the best of several. Ratio: down."""
    taken = _taken(quick)
    return Figure(taken.ours_ms, taken.plain_ms)


def memory_mb(quick: bool) -> Figure:
    """Megabytes that this takes more. Ratio: down; a few megabytes are statements that are prepared once."""
    taken = _taken(quick)
    return Figure(taken.ours_mb, max(taken.plain_mb, 0.1))


_NUMBERS = "the numbers, channels and trend of a post take at most 10 ms over 10 million answers of three years"

ROWS = (
    Row("report.numbers", _NUMBERS, "ms", numbers_ms, 10.0),
    Row("report.memory", "and at most 20 MB more memory", "MB", memory_mb, 20.0),
)
