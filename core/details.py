"""The details below the weekly post: each tally on one line of one shape, so that its numbers can be read back::

    Named answers: NPS 28 (chance range 21 to 34), n 412: promoters 210, passives 107, detractors 95

Under ``FEWEST`` answers NPS is ``–`` (en dash): the counts are there, and ``nps`` of them is the score for who wants
it. The last line is the fingerprint of all counts (``core/proof.py``).
"""

from __future__ import annotations

from collections.abc import Iterable

from core.change import FEWEST_TO_COMPARE, Comparison
from core.message import Line, Message, Part, Strong
from core.nps import Tally, nps, rounded, score_range
from core.proof import fingerprint
from core.report import FEWEST, WeekReport
from core.saying import one_line, reason_part
from core.words import Words, words_for


def details(report: WeekReport, language: str) -> Message:
    """This week, the window, what each is compared with, then each channel. Of any length: see ``report.split``."""
    words = words_for(language)
    about = {"title": one_line(report.title), "week": report.wave.key, "scale": report.scale.value}
    parts: list[Part] = [Strong(words("{title}, week {week}, details (scale {scale})", **about))]
    if not report.asks_openly_only or report.week.total.n:
        parts.extend(map(Line, _named(report, words)))
    if report.open is not None:
        label = words("Open polls")
        parts.append(Line(tally_line(label, report.open.total, words, FEWEST_TO_COMPARE)))
        before = words("the week before")
        parts.extend(map(Line, _change_line(label, before, report.open_change, words)))
    for channel in report.channels:
        kind = words("open") if channel.open else words("named")
        name = f"{one_line(channel.channel)} ({kind})"
        parts.append(Line(tally_line(name, channel.tally, words, FEWEST_TO_COMPARE)))
        if channel.nameless:
            parts.append(Line(words("{channel}, votes without a name: {n}", channel=name, n=channel.nameless)))
    parts.extend(map(Line, _behind(report, words)))
    parts.extend(reason_part(reason, words) for reason in report.reasons)
    parts.extend(map(Line, _held_against(report, words)))
    parts.append(Line(words("Fingerprint of these counts: {fingerprint}", fingerprint=fingerprint(report))))
    return Message(tuple(parts))


def tally_line(label: str, tally: Tally, words: Words, fewest: int = FEWEST) -> str:
    """One tally on one line. The only place that says how. A score is said from ``fewest`` answers on."""
    counts = {
        "label": label,
        "n": tally.n,
        "promoters": tally.promoters,
        "passives": tally.passives,
        "detractors": tally.detractors,
    }
    score, bounds = nps(tally), score_range(tally)
    if score is None or bounds is None or tally.n < fewest:
        return words(
            "{label}: NPS –, n {n}: promoters {promoters}, passives {passives}, detractors {detractors}", **counts
        )
    return words(
        "{label}: NPS {score} (chance range {low} to {high}), "
        "n {n}: promoters {promoters}, passives {passives}, detractors {detractors}",
        score=score,
        low=rounded(bounds[0]),
        high=rounded(bounds[1]),
        **counts,
    )


def _named(report: WeekReport, words: Words) -> Iterable[str]:
    """This week's named answers and the window's, each with what it is compared with."""
    label = words("Named answers")
    yield tally_line(label, report.week.total, words)
    if report.week_before.total.n:
        yield tally_line(words("The week before"), report.week_before.total, words)
        yield from _change_line(label, words("the week before"), report.week_change, words)
    if max(report.window.weeks, report.window_before.weeks) == 1:
        return
    label = words("Last {weeks} weeks, each person once", weeks=report.window.weeks)
    yield tally_line(label, report.window.total, words)
    if report.window_before.total.n:
        weeks = report.window_before.weeks
        yield tally_line(words("The {weeks} weeks before", weeks=weeks), report.window_before.total, words)
        yield from _change_line(label, words("the {weeks} weeks before", weeks=weeks), report.window_change, words)


def _behind(report: WeekReport, words: Words) -> Iterable[str]:
    """Who was invited, answered and wrote, and how those moved who answered twice in a row."""
    for channel in report.channels:
        invited, wrote = report.invited.get(channel.channel, 0), report.wrote.get(channel.channel, 0)
        if channel.open or not (invited or wrote):
            continue
        about = {"channel": one_line(channel.channel), "asked": invited, "n": channel.tally.n, "wrote": wrote}
        if invited:
            yield words("{channel}: invited {asked}, answered {n}, wrote {wrote}.", **about)
        else:
            yield words("{channel}: answered {n}, wrote {wrote}.", **about)
    same = report.movement
    if same is not None and same.both:
        about = {"n": same.both, "up": same.up, "down": same.down, "won": same.won}
        yield words(
            "Answered this week and the week before: {n}. Higher now: {up}, lower: {down}, unhappy before and glad "
            "now: {won}.",
            **about,
        )


def _held_against(report: WeekReport, words: Words) -> Iterable[str]:
    """What the team wants, and what others have."""
    score = nps(report.judged.total)
    if report.goal is not None and score is not None and report.judged.total.n >= FEWEST:
        short = report.goal - score
        about = {"goal": report.goal, "points": short}
        yield words("Goal {goal}: {points} to go.", **about) if short > 0 else words("Goal {goal}: reached.", **about)
    for mark in report.benchmarks:
        said = ", ".join(filter(None, [one_line(mark.source), f"{mark.on:%Y-%m-%d}" if mark.on is not None else ""]))
        yield f"{one_line(mark.title)}: {mark.score}" + (f" ({said})" if said else "")


def _change_line(label: str, before: str, found: Comparison, words: Words) -> Iterable[str]:
    """A change in points with its range, where both periods have enough answers to speak of one."""
    if found.measured:
        yield words(
            "{label}, change on {before}, at the same mix of channels: {delta} (chance range {low} to {high})",
            label=label,
            before=before,
            delta=f"{found.delta:+d}",
            low=f"{found.low:+d}",
            high=f"{found.high:+d}",
        )
