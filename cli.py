"""The ``vouch`` command. Imports little until a command needs more, so that ``--help`` comes at once."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from console import SHIPPED, given_words, loaded, path_of, run_to_end, say, stop_like_ctrl_c, tell, what_went_wrong
from core.errors import VouchError
from options import (
    BeforeOption,
    CountArgument,
    FileArgument,
    FollowersOption,
    FormatOption,
    JsonOption,
    OutOption,
    PostOption,
    PreviewOption,
    ProofOption,
    SeedOption,
    SettingsOption,
    SpeedOption,
    SurveyArgument,
    TeamOption,
    WeekOption,
)

app = typer.Typer(
    name="vouch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawing the help with rich takes longer than all the rest of it
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with `vouch demo`: three weeks of a brand in a minute, with nothing to set up.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(f"vouch {version('vouch')}")
        raise typer.Exit


@app.callback(
    help="Ask your followers on X, Telegram and Discord how likely they are to recommend you, and post the score to "
    "your team."
)
def vouch(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which Vouch this is.")
    ] = False,
) -> None:
    """What stands before a command."""


@app.command(short_help="Watch a brand's weeks in a minute; nothing to set up.")
def demo(
    followers: FollowersOption = 2_000,
    seed: SeedOption = 11,
    weeks: Annotated[int, typer.Option(min=1, max=12, help="How many weeks to live through.")] = 3,
    headless: Annotated[bool, typer.Option("--headless", help="No progress and no posts, only the result.")] = False,
    settings: Annotated[Path | None, typer.Option("--settings", help="Another brand's settings to live with.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write what the teams got to this folder.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Watch a brand's weeks: followers answer on all three platforms, the score arrives in the team's channel."""
    from demo.show import Wanted, run_demo

    stop_like_ctrl_c()
    wanted = Wanted(settings or SHIPPED, followers, seed, given_words(None, settings), out)
    sys.exit(run_demo(wanted, weeks, headless=headless or as_json, as_json=as_json))


@app.command(short_help="Keep stand-ins of the three platforms running here.")
def sandbox(
    settings: SettingsOption = None,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0 takes any that is free.")] = 8025,
    followers: FollowersOption = 300,
    seed: SeedOption = 11,
    speed: SpeedOption = 10_080,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line once it is up, with its address.")] = False,
) -> None:
    """Keep stand-ins of X, Telegram and Discord running on this machine, with followers, for `vouch run` to talk to."""
    from demo.show import Wanted, keep_sandbox

    stop_like_ctrl_c()
    wanted = Wanted(path_of(settings), followers, seed, given_words(None, settings))
    run_to_end(keep_sandbox(wanted, port=port, speed=speed, as_json=as_json))


@app.command(short_help="Run the service: ask, listen, count, post the score.")
def run(
    settings: SettingsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Log and readiness as JSON lines.")] = False,
) -> None:
    """Run the service: ask, listen, count, and post the score every week, until stopped."""
    started = time.perf_counter()
    from connecting import connections
    from core import logs
    from scheduler import run as run_service

    found = loaded(settings)

    async def serve() -> None:
        reached = await connections(found)
        logs.set_up(reached.secrets, as_json=as_json)

        def ready() -> None:
            elapsed_s = round(time.perf_counter() - started, 2)
            if as_json:
                say(json.dumps({"event": "ready", "elapsed_s": elapsed_s}))
            else:
                say(f"Vouch is up after {elapsed_s} s on {', '.join(found.accounts)}.")
                say(f"Stop it with Ctrl-C; see `vouch score{given_words(None, settings)}` meanwhile.")

        await run_service(found, reached, ready)

    run_to_end(serve())
    if not as_json:
        say("Stopped.")


@app.command(short_help="Ask this week's question now.")
def ask(survey: SurveyArgument = None, settings: SettingsOption = None, as_json: JsonOption = False) -> None:
    """Ask this week's question now in every channel that was not asked yet. Who may be invited by direct message is
    invited by the running service, which reads who said stop."""
    from commands import ask_now, survey_named

    found = loaded(settings)
    its = survey_named(found, survey)
    score_command = f"`vouch score{given_words(survey, settings)}`"
    tell(
        "asked",
        run_to_end(ask_now(found, its)),
        as_json,
        nothing=f"Nothing to do: this week's question was asked before. {score_command} shows how it stands; "
        f"the next is asked on {its.ask} ({its.zone}).",
        what_next=f"See who answers with {score_command}; `vouch run` listens for answers.",
    )


@app.command(short_help="Show the score as it stands.")
def score(
    survey: SurveyArgument = None,
    week: WeekOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the score as it stands: the present week, or --week."""
    from commands import look_at, show_score, survey_named, week_named
    from formats import report_as_json

    found = loaded(settings)
    its = survey_named(found, survey)
    look = look_at(found, its, week_named(its, week))
    if as_json:
        say(json.dumps(report_as_json(look.report)))
        return
    show_score(look.report)
    if look.open:
        say(f"{look.open}.")
    if look.full:
        say(f"`vouch report{given_words(survey, settings)}` prints the post of the last full week.")


@app.command(short_help="Print the weekly post, or send it with --post.")
def report(
    survey: SurveyArgument = None,
    week: WeekOption = None,
    post: PostOption = False,
    preview: PreviewOption = False,
    proof: ProofOption = False,
    team: TeamOption = None,
    form: FormatOption = "text",
    out: OutOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the weekly post of a week, or send it with --post."""
    from commands import look_at, post_now, survey_named, week_named
    from formats import Format, proof_as_json, put_out

    found = loaded(settings)
    its = survey_named(found, survey)
    which = week_named(its, week, full=not preview)
    if post and (preview or proof or team is not None):
        raise VouchError("--post sends it to all its teams; --preview, --proof and --team only look: choose one")
    if post:
        said = run_to_end(post_now(found, its, which))
        nothing = "Nothing to do: it was posted before, and is never posted twice."
        tell("posted", said, as_json, nothing=nothing, what_next="It is in the team's place now.")
        return
    look = look_at(found, its, which, listening=not proof, team=team)
    if proof:
        say(json.dumps(proof_as_json(look), indent=None if as_json else 2))
        return
    shape = Format.JSON if as_json else Format(form)
    if said := put_out(look, its, shape, out):
        say(said)
    if shape is Format.TEXT and out is None and its.teams:
        say(f"\n{look.next(f'vouch report{given_words(survey, settings, week)} --post')}")


@app.command(name="nps", short_help="Compute the score and its range from three counts.")
def nps_of(
    promoters: CountArgument,
    passives: CountArgument,
    detractors: CountArgument,
    before: BeforeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compute the score and the range that chance allows: how many gave 9–10, how many 7–8, how many 0–6."""
    from reckon import reckoned

    say(reckoned((promoters, passives, detractors), before, in_json=as_json))


@app.command(short_help="Show what people wrote beside their scores.")
def comments(
    survey: SurveyArgument = None,
    week: WeekOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what people wrote beside their scores: this week, or --week; and what may be quoted."""
    from commands import survey_named, week_named
    from voices import as_json as shown
    from voices import heard, in_lines

    found = loaded(settings)
    its = survey_named(found, survey)
    written = heard(found, its, week_named(its, week))
    if as_json:
        say(json.dumps(shown(written), ensure_ascii=False))
        return
    say("\n".join(in_lines(written)))
    if written.comments:
        say("Outside the team show only what may be quoted. `--json` gives all of it to a script.")


@app.command(short_help="Show what waits, what is unknown, who serves what.")
def status(
    settings: SettingsOption = None,
    said: Annotated[str | None, typer.Option("--said", help="Key of something unknown that you have seen.")] = None,
    not_said: Annotated[
        str | None, typer.Option("--not-said", help="Key of something unknown that is not there: it is said again.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show who serves each account, what waits to be said, and what is unknown; or settle that by your word."""
    from status import settle_by_hand, show_status, status_as_json, status_of

    found = loaded(settings)
    if said is not None and not_said is not None:
        raise VouchError("either --said or --not-said: it cannot be both")
    if (key := said if said is not None else not_said) is not None:
        told = settle_by_hand(found, key, said=said is not None)
        say(json.dumps({"key": key, "said": said is not None}) if as_json else told)
    elif as_json:
        say(json.dumps(status_as_json(status_of(found))))
    else:
        show_status(status_of(found), found, given_words(None, settings))


@app.command(name="settings", short_help="Show the settings as Vouch understood them, and what is missing.")
def show_settings(settings: SettingsOption = None, as_json: JsonOption = False) -> None:
    """Show the settings as Vouch understood them, with secrets as ***, what it will do by them, and what is missing."""
    from commands import shown_settings

    say(shown_settings(loaded(settings), path_of(settings), given_words(None, settings), as_json=as_json))


@app.command(name="read", short_help="Show how a message would be understood.")
def read_message(
    text: Annotated[str | None, typer.Argument(help="What somebody might write, such as '9/10 super'.")] = None,
    one_to_ten: Annotated[bool, typer.Option("--from-1", help="The question was 1–10: 0 is no answer.")] = False,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help='Read lines {"text": …} on standard input, and print one object for each.')
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show how Vouch would understand a message: the score in it, the comment, and whether it asks for something."""
    from core.ballot import Scale
    from core.reading import read
    from understand import as_json as shown
    from understand import given_lines, in_words, read_lines

    scale = Scale.ONE_TO_TEN if one_to_ten else Scale.ZERO_TO_TEN
    if jsonl:
        for found in read_lines(given_lines(), scale):
            say(json.dumps(found, ensure_ascii=False))
    elif text is None:
        raise typer.BadParameter("give a message in quotes, or --jsonl and lines on standard input")
    else:
        reading = read(text, scale)
        say(json.dumps(shown(reading), ensure_ascii=False) if as_json else in_words(reading))


@app.command(short_help="Copy the database to a file, while the service runs.")
def backup(file: FileArgument, settings: SettingsOption = None, as_json: JsonOption = False) -> None:
    """Copy the database to a new file, as it is at this moment, also while the service runs."""
    from upkeep import back_up

    said, told = back_up(loaded(settings), file, given_words(None, settings))
    say(json.dumps(told) if as_json else said)


@app.command(short_help="Put a backup in the place of the database.")
def restore(file: FileArgument, settings: SettingsOption = None, as_json: JsonOption = False) -> None:
    """Put a backup in the place of the database, which is kept beside it. The service must not run."""
    from upkeep import put_back

    said, told = put_back(loaded(settings), file, given_words(None, settings))
    say(json.dumps(told) if as_json else said)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The console script. ``arguments`` stand for those of the command line.

    Whatever goes wrong on purpose is one line (with ``--json`` one object) and exit code 2.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(words or ["--help"], prog_name="vouch", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except (Exception, BaseExceptionGroup) as error:
        told = what_went_wrong(error)
        if told is None:
            raise
        text = " ".join(told.split())
        sys.stderr.write(f"{json.dumps({'error': text})}\n" if "--json" in words else f"vouch: {text}\n")
        sys.exit(2)
    sys.exit(code)


if __name__ == "__main__":
    main()
