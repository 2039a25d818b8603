"""How well and how fast replies are read: beside the first number from 0 to 10 in the text, which is what a poll bot
would take."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable

from bench.row import Figure, Row
from core.ballot import Scale
from core.reading import read
from tests.reading.corpus import LANGUAGES, Labelled, later_replies, measured, replies

_FIRST = re.compile(r"(?<!\d)(?:10|\d)(?!\d)")
LONGEST = 4_096
WORST = (
    "9 ",
    "9/9 ",
    "maybe 8 but ",
    ".",
    '"a',
    "~a",
    "\u5341",
    "1-",
    "a.a@",
    "a.",
    "1((",
    "\U0001f44d",
    "1 1",
    "a'",
    "no 7 ",
)
"""Pieces of texts that are hard to read when they come again and again."""


def _first_number(text: str) -> int | None:
    found = _FIRST.search(text)
    return int(found[0]) if found else None


def exact_percent(_: bool) -> Figure:
    """Scores that are read as they were meant, in percent of those that were given. Ratio: up."""
    given = [reply for reply in replies() if reply.score is not None]
    right = sum(_first_number(reply.text) == reply.score for reply in given)
    return Figure(100 * measured(given).exact, 100 * right / len(given))


def false_percent(_: bool) -> Figure:
    """Replies without a score that are given one, in percent of those. Ratio: down."""
    none = [reply for reply in replies() if reply.score is None]
    wrong = sum(_first_number(reply.text) is not None for reply in none)
    return Figure(100 * measured(none).false, 100 * wrong / len(none))


def later_percent(_: bool) -> Figure:
    """The same of replies that were written after the reader. Ratio: up."""
    given = [reply for reply in later_replies() if reply.score is not None]
    right = sum(_first_number(reply.text) == reply.score for reply in given)
    return Figure(100 * measured(given).exact, 100 * right / len(given))


def rate(quick: bool) -> Figure:
    """Messages read in a second on one core, the best of several rounds; the corpus, each text made a new one."""
    texts = [reply.text for reply in replies()]
    rounds = 2 if quick else 7
    ours = max(
        _rate(lambda text, n=n: read(f"{text} {chr(0x1F600 + n)}", Scale.ZERO_TO_TEN), texts) for n in range(rounds)
    )
    return Figure(ours, max(_rate(_first_number, texts) for _ in range(rounds)))


def _rate(work: Callable[[str], object], texts: list[str]) -> float:
    started = time.perf_counter()
    for text in texts:
        work(text)
    return len(texts) / (time.perf_counter() - started)


def worst_ms(quick: bool) -> Figure:
    """Milliseconds for the hardest text of 4 kB, the best of several rounds each; beside a text of plain words."""
    plain = ("the food was good and the staff was kind " * 200)[:LONGEST]
    hard = [(piece * LONGEST)[:LONGEST] for piece in WORST]
    rounds = 3 if quick else 20
    return Figure(max(_best_ms(text, rounds) for text in hard), _best_ms(plain, rounds))


def _best_ms(text: str, rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        read(text, Scale.ZERO_TO_TEN)
        taken.append(time.perf_counter() - started)
    return 1_000 * min(taken)


def table() -> str:
    """Shares in percent by language, then by phenomenon; then those of the replies that were written later."""
    phenomena = sorted({reply.phenomenon for reply in replies()})
    head = f"{'':22}{'replies':>8}{'exact':>8}{'false':>8}{'missed':>8}{'intent':>8}"
    by_language = [_line(each, (reply for reply in replies() if reply.language == each)) for each in LANGUAGES]
    later = [_line(each, (reply for reply in later_replies() if reply.language == each)) for each in LANGUAGES]
    by_phenomenon = [_line(each, (reply for reply in replies() if reply.phenomenon == each)) for each in phenomena]
    ours = [head, *by_language, "", *by_phenomenon, "", _line("all", replies())]
    return "\n".join([*ours, "", "written later", *later, "", _line("all", later_replies())])


def _line(name: str, its: Iterable[Labelled]) -> str:
    result = measured(its)
    scores, others = result.counts["scores"], result.counts["replies"] - result.counts["scores"]
    exact, missed = (f"{100 * share:8.1f}" if scores else f"{'':8}" for share in (result.exact, result.missed))
    false = f"{100 * result.false:8.1f}" if others else f"{'':8}"
    return f"{name:22}{result.counts['replies']:8}{exact}{false}{missed}{100 * result.intent:8.1f}"


ROWS = (
    Row(
        "reading.exact",
        "of the scores in our corpus, 99 % are read as meant",
        "%",
        exact_percent,
        99.0,
        at_least=True,
        details=table,
    ),
    Row("reading.false", "of the replies without a score, at most 1 % are given one", "%", false_percent, 1.0),
    Row(
        "reading.later",
        "of the scores in replies written later, 95 % are read as meant",
        "%",
        later_percent,
        95.0,
        at_least=True,
    ),
    Row("reading.rate", "20,000 messages a second on one core", "messages/s", rate, 20_000.0),
    Row("reading.worst", "no text of 4 kB takes more than 1 ms", "ms", worst_ms, 1.0),
)
