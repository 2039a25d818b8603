"""Mistakes in what is counted and told."""

from __future__ import annotations

from tests.faults.planted.bug import Bug, Change

BUGS = (
    Bug(
        name="open-and-named-summed",
        story="A vote is an answer: open votes are added to the named ones.",
        changes=(
            Change(
                file="core/publishing.py",
                old="    week, open_polls = named(keys[-1:]), opened(keys[-1]) if open_only else None\n",
                new=(
                    "    week, open_polls = named(keys[-1:]), opened(keys[-1]) if open_only else None\n"
                    "    week = replace(week, channels={**week.channels, **(open_polls.channels if open_polls else {})})\n"
                ),
            ),
        ),
        scenarios=("kills",),
        shows=("violations",),
        kills=4,
    ),
    Bug(
        name="naive-local-time",
        story="Mon 09:00 is Mon 09:00: the team's zone is left out.",
        changes=(
            Change(
                file="core/survey.py",
                old="    there = zone_of(zone)\n    weekday, clock = _day_and_time(when)\n",
                new='    there = zone_of("UTC")\n    weekday, clock = _day_and_time(when)\n',
            ),
        ),
        scenarios=("kills",),
        shows=("violations", "reports_missing"),
        kills=4,
        week_s=90.0,
    ),
    Bug(
        name="change-of-mind-counted-twice",
        story="Add the new answer to the roll-up and leave the old one in it.",
        changes=(
            Change(
                file="core/store/responses.py",
                old="                if before is not None:\n                    difference[before] -= 1\n",
                new="                if before is not None and after is None:\n                    difference[before] -= 1\n",
            ),
        ),
        scenarios=("kills",),
        shows=("doubled",),
        kills=4,
    ),
)
