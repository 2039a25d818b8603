"""From the settings to a sandbox that they work on: its accounts, places, and followers."""

from __future__ import annotations

from collections.abc import Sequence

from core.settings import Settings
from sandbox.office import Duty
from sandbox.seam import AccountPlan, PlacePlan
from sandbox.server import Sandbox
from sandbox.speech import ODD
from sandbox.world import ChannelPlan, TeamPlan, World

DUTIES = frozenset({Duty.REPLY, Duty.OWN, Duty.DONE})
"""What teammates do in the demo: each thing is a message more in a group that takes 20 a minute, posts included."""


def plan_of(settings: Settings) -> tuple[list[AccountPlan], list[PlacePlan], list[ChannelPlan]]:
    """What the sandbox needs to hold so that these settings work on it."""
    title = {c: settings.brands[s.brand].name for s in settings.surveys.values() for c in s.channels}
    accounts = [AccountPlan(name, a.platform, _title(settings, name, title)) for name, a in settings.accounts.items()]
    places: dict[tuple[str, str], PlacePlan] = {}
    for name, channel in settings.channels.items():
        if channel.place not in ("direct", "timeline"):
            kind = "broadcast" if channel.place in settings.sandbox.broadcast else "group"
            places[(channel.account, channel.place)] = PlacePlan(channel.account, channel.place, kind, name)
    for name, team in settings.teams.items():
        places.setdefault((team.account, team.place), PlacePlan(team.account, team.place, "group", f"{name} team"))
    channels = [
        ChannelPlan(survey, name, settings.channels[name].account, settings.channels[name].place, str(kind))
        for survey, found in settings.surveys.items()
        for name in found.channels
        for kind in [settings.channels[name].kind]
    ]
    return accounts, list(places.values()), channels


def _title(settings: Settings, account: str, title: dict[str, str]) -> str:
    mine = (title.get(name, "Brand") for name, channel in settings.channels.items() if channel.account == account)
    return next(mine, "Brand")


def world_of(sandbox: Sandbox, settings: Settings, channels: Sequence[ChannelPlan], followers: int, seed: int) -> World:
    """The followers of the settings' channels, and somebody in each team's own place."""
    surveys = settings.routes().surveys
    return World(
        sandbox,
        channels,
        followers=followers,
        seed=seed,
        zone="UTC",
        scale={name: str(survey.scale) for name, survey in surveys.items()},
        zones={name: survey.zone for name, survey in surveys.items()},
        speech=ODD,
        teams=_teams(settings),
    )


def _teams(settings: Settings) -> list[TeamPlan]:
    """Where somebody of a team works. Only the first answers a case: the others' are the same."""
    inside = (team for team in settings.team_list().values() if team.inside)
    found = [team for team in inside if settings.accounts[team.account].platform != "x"]
    return [
        TeamPlan(team.account, team.place, cases=int(number == 0), duties=DUTIES) for number, team in enumerate(found)
    ]
