"""The options and arguments that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

SettingsOption = Annotated[
    Path | None,
    typer.Option("--settings", help="The settings file; else ./settings.toml, else the one that ships with Vouch."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object for a script, instead of words.")]
SurveyArgument = Annotated[str | None, typer.Argument(help="Name of the survey; may be left out if there is one only.")]
WeekOption = Annotated[
    str | None,
    typer.Option(
        "--week",
        "--period",
        help="A week such as 2026-W47; else the newest (`score`) or the last full one (`report`).",
    ),
]
CountArgument = Annotated[int, typer.Argument(min=0, help="How many answers.")]
FileArgument = Annotated[Path, typer.Argument(help="The backup: one SQLite file, whichever database it is of.")]
FollowersOption = Annotated[int, typer.Option(min=50, max=20_000, help="How many followers live in the sandbox.")]
SpeedOption = Annotated[
    float, typer.Option(min=1, help="How fast its calendar runs: 1 is real time, 10080 a week a minute.")
]
SeedOption = Annotated[
    int, typer.Option(help="The same seed brings the same followers; how they sway each other depends on timing.")
]
PostOption = Annotated[bool, typer.Option("--post", help="Send it to the teams, once for ever.")]
PreviewOption = Annotated[bool, typer.Option("--preview", help="The present week, as it would be posted now.")]
ProofOption = Annotated[
    bool, typer.Option("--proof", help="Every count that its numbers came from, and their fingerprint, as JSON.")
]
TeamOption = Annotated[
    str | None, typer.Option("--team", help="As this team gets it: with its cases and its fix; else as the first does.")
]
FormatOption = Annotated[
    Literal["text", "html", "png", "json"],
    typer.Option("--format", help="Words, a page, a picture, or numbers for a script."),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Write it to this file instead of printing it.")]
BeforeOption = Annotated[
    tuple[int, int, int] | None, typer.Option("--before", help="Three counts from before, to compare with.")
]
