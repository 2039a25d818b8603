"""Which survey and channel something belongs to, from where it arrived: built once from the settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.survey import Survey


class ChannelKind(StrEnum):
    """How a channel asks."""

    POLL = "poll"
    BUTTONS = "buttons"
    DIRECT = "direct"
    REPLIES = "replies"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A place on an account where the question is asked."""

    name: str
    account: str
    place: str
    """The platform's id of the place; ``direct`` and ``timeline`` are words of ours."""
    kind: ChannelKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A place where the score is posted."""

    name: str
    account: str
    place: str
    zone: str = "UTC"
    report: str = "Mon 09:00"
    """Day and local time of the weekly post."""
    language: str = "en"
    advice: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What the team wants to be told by level of its score: ``low`` (under 0), ``middle``, ``high`` (from 50 on)."""
    quotes: bool = True
    """Whether people's own words stand in its post; else it is a copy for the whole company."""
    cases: bool = True
    """Whether it is told of unhappy people and answers them; never where it does not read people's own words."""
    lead: str = ""
    """The platform's id of who is told when nobody owns a fix."""
    roles: tuple[str, ...] = ()
    """Ids of roles that may ask for things there beside its administrators."""
    inside: bool = True
    """Whether only people of the company read there: else nobody is quoted, and no few are told apart."""


@dataclass(frozen=True, slots=True)
class Route:
    """A survey and one of its channels."""

    survey: Survey
    channel: Channel


class Routes:
    """Finds the survey and channel of an event. Where several surveys share a place, the first in the settings."""

    def __init__(self, surveys: Iterable[Survey], channels: Mapping[str, Channel]) -> None:
        self.surveys = {survey.name: survey for survey in surveys}
        self.channels = dict(channels)
        self._found: dict[tuple[str, str, ChannelKind], Route] = {}
        self._in_survey: dict[tuple[str, str, ChannelKind, str | None], Route] = {}
        for survey in self.surveys.values():
            for name in survey.channels:
                route = Route(survey, channels[name])
                account, place, kind = route.channel.account, route.channel.place, route.channel.kind
                self._found.setdefault((account, place, kind), route)
                self._in_survey.setdefault((survey.name, account, kind, place), route)
                self._in_survey.setdefault((survey.name, account, kind, None), route)

    def at(self, account: str, place: str, kind: ChannelKind) -> Route | None:
        """The channel of this kind at a place; an empty place means direct messages."""
        return self._found.get((account, place or "direct", kind))

    def within(self, survey: str, account: str, kind: ChannelKind, place: str | None = None) -> Route | None:
        """The survey's channel of this kind at the place, else its first one on the account."""
        found = self._in_survey.get((survey, account, kind, place))
        return found or self._in_survey.get((survey, account, kind, None))


def caring(surveys: Iterable[Survey], teams: Mapping[str, Team]) -> dict[str, tuple[Team, ...]]:
    """By survey, the teams that are told of unhappy people and answer them; where there are none, no case is opened."""
    found = {
        survey.name: tuple(teams[name] for name in survey.teams if teams[name].inside and teams[name].cases)
        for survey in surveys
    }
    return {survey: its for survey, its in found.items() if its}
