"""The first message of a report, read back as a person reads it and held against counts, line by line.

It judges ``core``, so nothing of ``core`` is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.arithmetic import FEWEST, FEWEST_TO_COMPARE, is_of_a_hundred, is_range

_NUMBER = r"\d[\d,\s]*"
_VERDICT = re.compile(
    r"^.+?\s?: (?:NPS (?P<nps>-?\d+)"
    r"(?:,? (?:last|sur) (?P<weeks>\d+) (?:weeks|semaines)\.|[\w ]*, (?:week|semaine) \d{4}-W\d\d\.)"
    r"|(?:no answers yet|pas encore de réponses|(?:too few answers|trop peu de réponses)[\w ]*, n (?P<few>\d+)),)"
)
_OPENLY = re.compile("in open polls only|que des sondages ouverts")
_QUIET = re.compile(r"^(?:A quiet week|Une semaine calme) \(\S+\), \w+ \w+\s?: (?P<n>\d+)\.$")
_ANSWERS = re.compile(
    rf"^(?P<n>{_NUMBER}) (?:answers|réponses), \D*?(?P<low>-?\d+)(?:–| to | à )(?P<high>-?\d+)\.$", re.IGNORECASE
)
_OF = re.compile(rf"^(?:Of|Sur) (?P<of>{_NUMBER}?)\s?: (?P<groups>.+)\.$")
_GROUP = re.compile(r"(?P<n>\d+)|one\b")

_TALLIES = (
    (re.compile(r"^(?:This week alone|Cette semaine seule) \(\S+\)"
                r"(?:\s?: (?P<nps>-?\d+) (?:from|sur)|, \w+\s?:) (?P<n>\d+)"), "named", FEWEST),
    (re.compile(r"^(?:Open polls, anyone can vote, kept apart|Sondages ouverts à tous, à part)"
                rf"(?:\s?: (?P<nps>-?\d+) \(|\. Votes\s?: )(?P<n>{_NUMBER})"), "open", FEWEST_TO_COMPARE),
    (re.compile(rf"^(?:Named answers, kept apart|Réponses nominatives, à part)\s?: (?P<n>{_NUMBER})"), "named", None),
    (_QUIET, "named", None),
)  # fmt: skip
"""Lines that say how many answered, and from how many answers on they say the score; ``None``: never."""


def is_headline(text: str) -> bool:
    """Whether a message begins with a verdict."""
    return bool(_VERDICT.match(text))


def weeks_of(text: str) -> int | None:
    """Of how many weeks a first message speaks; ``None`` where it has no score."""
    found = _VERDICT.match(text)
    return int(found["weeks"] or 1) if found is not None and found["nps"] is not None else None


def contradictions(text: str, found: Mapping[str, Any]) -> list[str]:
    """What a first message says otherwise than these counts, its own lines, and what it does not say though it must.
    ``found`` has ``window``, ``named`` and ``open``."""
    first, *lines = text.splitlines()
    openly, quiet = bool(_OPENLY.search(text)), any(map(_QUIET.match, lines))
    judged = found["open"]["all"] if openly else found["window"]
    wrong = [] if _is_verdict(first, judged) else [first]
    wrong += [line for line in lines if not _is_borne_out(line, judged, found)]
    if judged["n"] >= FEWEST and not quiet:
        wanted = {"no chance range": _ANSWERS, "nothing of 100": _OF}
        wrong += [what for what, form in wanted.items() if not any(map(form.match, lines))]
    return wrong


def _is_verdict(line: str, judged: Mapping[str, Any]) -> bool:
    said = _VERDICT.match(line)
    if said is None or said["nps"] is None:
        return said is not None and int(said["few"] or 0) == judged["n"] < FEWEST
    return judged["n"] >= FEWEST and (weeks_of(line), int(said["nps"])) == (judged.get("weeks", 1), judged["nps"])


def _is_borne_out(line: str, judged: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether the counts say the same as a line, which may say no number at all."""
    groups = judged["promoters"], judged["passives"], judged["detractors"]
    if answers := _ANSWERS.match(line):
        same = bool(judged["n"]) and _int(answers["n"]) == judged["n"]
        return same and is_range(int(answers["low"]), int(answers["high"]), *groups)
    if of := _OF.match(line):
        said = tuple(_groups(of["groups"]))
        if judged["n"] < FEWEST:
            return (_int(of["of"]), *said) == (judged["n"], *groups)
        return _int(of["of"]) == 100 and len(said) == 3 and is_of_a_hundred((said[0], said[1], said[2]), *groups)
    for form, kind, fewest in _TALLIES:
        if tally := form.match(line):
            counts, shown = found[kind]["all"], tally.groupdict().get("nps")
            score = counts["nps"] if fewest is not None and counts["n"] >= fewest else None
            return _int(tally["n"]) == counts["n"] and (None if shown is None else int(shown)) == score
    return True


def _groups(said: str) -> Iterator[int]:
    """The number that each part of ``51 gladly recommend us, one is lukewarm, 22 would not`` begins with."""
    for part in said.split(", "):
        if group := _GROUP.match(part):
            yield int(group["n"] or 1)


def _int(said: str) -> int:
    """A number as it is written, with its separators."""
    return int(re.sub(r"\D", "", said))
