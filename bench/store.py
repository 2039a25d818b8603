"""How fast replies are kept: read, counted, answered and committed with everything that belongs to them."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path

from bench.kept import BUTTONS, SURVEY, WAVE, posted
from bench.row import Figure, NotMeasured, Row
from core.account import Deliver
from core.buttons import Purpose, Seal, wave_code
from core.events import Reply, Via
from core.store.tallies import window

ACCOUNT, REF, SEED = "bench", "poll:1", 11
IN_FLIGHT = 64
REPLIES, REPLIES_QUICK = 40_000, 4_000
WARM_UP = 500
CHANGE_THEIR_MIND = 0.1
"""How many of the replies come from somebody who has answered before."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: replies in a second, and the time within which 99 of 100 were acknowledged."""

    replies_s: float
    p99_ms: float


def inbox_s(quick: bool) -> Figure:
    """Acknowledged replies in a second with 64 calls of ``deliver`` in flight, beside the rows alone: ``executemany``
    of as many replies and responses, 64 to a commit; median of several. Ratio: up, never above 1."""
    ours, raw = _runs(quick)
    return Figure(statistics.median(run.replies_s for run in ours), statistics.median(run.replies_s for run in raw))


def inbox_p99_ms(quick: bool) -> Figure:
    """Milliseconds until 99 of 100 of these were acknowledged, beside the same of a raw commit; median of several.
    Ratio: down."""
    ours, raw = _runs(quick)
    return Figure(statistics.median(run.p99_ms for run in ours), statistics.median(run.p99_ms for run in raw))


@cache
def _runs(quick: bool) -> tuple[list[Run], list[Run]]:
    """Runs of ours and of raw SQLite, by turns. One measurement for both rows."""
    ours: list[Run] = []
    raw: list[Run] = []
    for _ in range(2 if quick else 5):
        n = REPLIES_QUICK if quick else REPLIES
        for run, runs in ((_ours, ours), (_raw, raw)):
            with tempfile.TemporaryDirectory(prefix="vouch-bench-") as folder:
                runs.append(run(Path(folder), n))
    return ours, raw


def people(n: int) -> Iterator[int]:
    """Who replies: somebody new, or now and then somebody who has replied before."""
    chance = random.Random(SEED)
    met = 0
    for _ in range(n):
        if met and chance.random() < CHANGE_THEIR_MIND:
            yield chance.randrange(met)
        else:
            yield met
            met += 1


def replies(n: int, seal: Seal) -> list[Reply]:
    """45 % votes, 25 % taps in public, 30 % numbers written in direct messages, which are answered."""
    chance = random.Random(SEED)
    tokens = [seal.token(Purpose.SCORE, wave_code(SURVEY.name, WAVE.key), score) for score in range(11)]
    at = datetime.now(UTC)
    found: list[Reply] = []
    for order, person in enumerate(people(n)):
        score, kind = chance.randrange(11), chance.random()
        reply = Reply(id=f"u{order}", person=str(person), via=Via.TEXT, at=at, order=order, text=str(score))
        if kind < 0.45:
            reply = Reply(id=reply.id, person=reply.person, via=Via.VOTE, at=at, order=order, ref=REF, option=score)
        elif kind < 0.70:
            token, tap = tokens[score], Via.TAP
            reply = Reply(id=reply.id, person=reply.person, via=tap, at=at, order=order, place=BUTTONS, token=token)
        found.append(reply)
    return found


def _ours(folder: Path, n: int) -> Run:
    return asyncio.run(_deliver(folder, n))


async def _deliver(folder: Path, n: int) -> Run:
    async with posted(folder, ACCOUNT, REF, options=11) as (inbox, held):
        everything, deliver = replies(WARM_UP + n, inbox.seal), inbox.deliver(ACCOUNT, held)
        await _in_flight(deliver, everything[:WARM_UP])
        started = time.perf_counter()
        waits_s = await _in_flight(deliver, everything[WARM_UP:])
        elapsed_s = time.perf_counter() - started
        wave = await inbox.database.write(lambda connection: inbox.directory.wave(connection, SURVEY, WAVE))
        with inbox.database.reading() as connection:
            counted = sum(tally.n for tally in window(connection, [wave.id]).values())
    if counted != len(set(people(WARM_UP + n))):
        raise NotMeasured(f"{counted} persons were counted, but {len(set(people(WARM_UP + n)))} had replied")
    return _run(n, elapsed_s, waits_s)


async def _in_flight(deliver: Deliver, events: Sequence[Reply]) -> list[float]:
    """Deliver each by itself, so many at a time. Returns how long each took, in seconds."""
    waiting = iter(events)
    waits_s: list[float] = []

    async def one_after_another() -> None:
        for event in waiting:
            started = time.perf_counter()
            await deliver((event,))
            waits_s.append(time.perf_counter() - started)

    await asyncio.gather(*(one_after_another() for _ in range(IN_FLIGHT)))
    return waits_s


def _raw(folder: Path, n: int) -> Run:
    connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE reply (account, event, person_id, via, at, ord, option, text, PRIMARY KEY (account, event))"
    )
    connection.execute(
        "CREATE TABLE response (person_id, wave_id, channel, via, low, high, ord, at, PRIMARY KEY (person_id, wave_id))"
    )
    at = datetime.now(UTC).isoformat()
    rows = ((order, person) for order, person in enumerate(people(n)))
    waits_s: list[float] = []
    started = time.perf_counter()
    while batch := list(islice(rows, IN_FLIGHT)):
        began = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO reply VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(ACCOUNT, f"u{order}", person, "vote", at, order, 9, "") for order, person in batch],
        )
        connection.executemany(
            "INSERT OR REPLACE INTO response VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(person, 1, "poll", "vote", 9, 9, order, at) for order, person in batch],
        )
        connection.execute("COMMIT")
        waits_s.append(time.perf_counter() - began)
    elapsed_s = time.perf_counter() - started
    connection.close()
    return _run(n, elapsed_s, waits_s)


def _run(n: int, elapsed_s: float, waits_s: Sequence[float]) -> Run:
    return Run(n / elapsed_s, statistics.quantiles(waits_s, n=100)[98] * 1000)


ROWS = (
    Row("store.inbox", "15,000 replies/s are acknowledged, each committed", "replies/s", inbox_s, 15_000.0),
    Row("store.inbox.p99", "99 of 100 replies are acknowledged within 10 ms", "ms", inbox_p99_ms, 10.0),
)
