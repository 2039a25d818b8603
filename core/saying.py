"""Sentences that several messages share: what may be made of a change, a range, a reason."""

from __future__ import annotations

from core.change import Comparison, Verdict, Why
from core.message import Line, Part, Quote
from core.nps import Tally, rounded, score_range
from core.reasons import Reason
from core.words import Words


def said(found: Comparison, words: Words) -> str:
    """What may be made of a change, in a sentence or two."""
    points = abs(found.delta)
    match found.verdict:
        case Verdict.RARE if found.delta > 0:
            return words("Up {points}: chance alone rarely does this.", points=points)
        case Verdict.RARE:
            return words("Down {points}: chance alone rarely does this.", points=points)
        case Verdict.STEADY:
            return words("Steady.")
        case Verdict.CHANCE if found.delta > 0:
            return words("Up {points}. Could be chance.", points=points)
        case Verdict.CHANCE if found.delta < 0:
            return words("Down {points}. Could be chance.", points=points)
        case Verdict.CHANCE:
            return words("Unchanged. Could be chance.")
        case Verdict.TOO_FEW:
            return words("Too few to compare.")
        case Verdict.NOTHING_BEFORE:
            return words("Nothing before to compare with.")
        case Verdict.NOT_COMPARABLE:
            return _why_not(found, words)


def _why_not(found: Comparison, words: Words) -> str:
    channel = one_line(found.channel)
    match found.why:
        case Why.JOINED:
            return words("Not comparable: {channel} joined.", channel=channel)
        case Why.LEFT:
            return words("Not comparable: {channel} left.", channel=channel)
        case Why.BALLOT:
            return words("Not comparable: {channel} asks in another way.", channel=channel)
        case Why.HARDLY:
            return words("Not comparable: hardly anybody answered in {channel}.", channel=channel)
        case _:
            return words("Not comparable: the scale changed.")


def reason_part(reason: Reason, words: Words) -> Part:
    """A reason with its denominator. What people wrote themselves is a quotation."""
    about = {"title": one_line(reason.title(words.language)), "n": reason.named, "of": reason.of}
    line = words("{title}: named by {n} of {of} unhappy people who wrote.", **about)
    return Line(line) if reason.theme is not None else Quote(line)


def groups(promoters: int, passives: int, detractors: int, words: Words) -> tuple[str, str, str]:
    """The three groups, each in a few plain words."""
    gladly = words("one gladly recommends us") if promoters == 1 else words("{n} gladly recommend us", n=promoters)
    lukewarm = words("one is lukewarm") if passives == 1 else words("{n} are lukewarm", n=passives)
    return gladly, lukewarm, words("{n} would not", n=detractors)


def chance_range(tally: Tally, words: Words) -> str:
    """The range of its score, ``21–34``; empty where nobody answered."""
    bounds = score_range(tally)
    if bounds is None:
        return ""
    low, high = map(rounded, bounds)
    if low < 0:  # a dash beside a minus sign is hard to read
        return words("{low} to {high}", low=low, high=high)
    return words("{low}–{high}", low=low, high=high)


def one_line(name: str) -> str:
    """A name from the settings as one line: it must not look like a line of ours."""
    return " ".join(name.split())
