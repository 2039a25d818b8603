"""The ``vouch`` command. Imports little until a command needs more, so that ``--help`` comes at once."""

from __future__ import annotations

import sys
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from commands import Which
    from core.settings import Settings
    from core.survey import Survey

app = typer.Typer(
    name="vouch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawing the help with rich takes longer than all the rest of it
    help="Ask your followers on X, Telegram and Discord how likely they are to recommend you, and post the score to "
    "your team.",
    epilog="Start with `vouch demo`: three weeks of a brand in a minute, with nothing to set up.",
)

SHIPPED = Path(__file__).with_name("settings.toml")

SettingsOption = Annotated[
    Path | None,
    typer.Option("--settings", help="The settings file; else ./settings.toml, else the one that ships with Vouch."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object for a script, instead of words.")]
SurveyArgument = Annotated[str | None, typer.Argument(help="Name of the survey; may be left out if there is one only.")]
WeekOption = Annotated[str | None, typer.Option("--week", help="An ISO week (2026-W47); else the newest there is.")]


@app.command(short_help="Watch a brand's weeks in a minute; nothing to set up.")
def demo(
    followers: Annotated[int, typer.Option(min=50, max=20_000, help="How many followers live in the sandbox.")] = 2_000,
    seed: Annotated[int, typer.Option(help="The same seed brings the same followers.")] = 11,
    weeks: Annotated[int, typer.Option(min=1, max=12, help="How many weeks to live through.")] = 3,
    headless: Annotated[bool, typer.Option("--headless", help="No progress, only the result.")] = False,
    settings: Annotated[Path | None, typer.Option("--settings", help="Another brand's settings to live with.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Watch a brand's weeks: followers answer on all three platforms, the score arrives in the team's channel."""
    from demo.show import run_demo

    sys.exit(run_demo(settings or SHIPPED, followers, seed, weeks, headless=headless or as_json, as_json=as_json))


@app.command(short_help="Keep stand-ins of the three platforms running here.")
def sandbox(
    settings: SettingsOption = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8025,
    followers: Annotated[int, typer.Option(min=50, max=20_000)] = 300,
    seed: Annotated[int, typer.Option()] = 11,
    speed: Annotated[float, typer.Option(min=1, help="Calendar seconds per second; 604800 is a week a second.")] = 1.0,
) -> None:
    """Keep the stand-ins of X, Telegram and Discord running on this machine, for `vouch run` to talk to."""
    from demo.show import keep_sandbox

    _run(keep_sandbox(_load(settings), port=port, followers=followers, seed=seed, speed=speed))


@app.command(short_help="Run the service: ask, listen, count, post the score.")
def run(settings: SettingsOption = None, as_json: JsonOption = False) -> None:
    """Run the service: ask, listen, count, and post the score every week, until stopped."""
    started = time.perf_counter()
    from core import logs
    from scheduler import connections
    from scheduler import run as run_service

    found = _load(settings)

    async def serve() -> None:
        reached = await connections(found)
        logs.set_up(reached.secrets, as_json=as_json)

        def ready() -> None:
            elapsed_s = round(time.perf_counter() - started, 2)
            if as_json:
                _say(_json({"event": "ready", "elapsed_s": elapsed_s}))
            else:
                accounts = ", ".join(found.accounts)
                _say(
                    f"Vouch is up after {elapsed_s} s on {accounts}. Stop it with Ctrl-C; see `vouch score` meanwhile."
                )

        await run_service(found, reached, ready)

    _run(serve())


@app.command(short_help="Open this week's wave now.")
def ask(survey: SurveyArgument = None, settings: SettingsOption = None, as_json: JsonOption = False) -> None:
    """Open this week's wave now: ask in every channel that was not asked yet, and invite who may be invited."""
    from commands import ask_now

    found = _load(settings)
    said = _run(ask_now(found, _survey(found, survey)))
    _tell(said, as_json, done="asked", what_next="See who answers with `vouch score`; `vouch run` listens for answers.")


@app.command(short_help="Show the score as it stands.")
def score(
    survey: SurveyArgument = None, week: WeekOption = None, settings: SettingsOption = None, as_json: JsonOption = False
) -> None:
    """Show the score as it stands: the present week, or --week."""
    from commands import report_of, score_table

    found = _load(settings)
    its = _survey(found, survey)
    report = _guarded(report_of, found, its, _which(its, week))
    if as_json:
        from commands import report_as_json

        _say(_json(report_as_json(report)))
    else:
        score_table(report)
        _say("`vouch report` prints the week's post; `vouch report --post` sends it.")


@app.command(short_help="Print the weekly post, or send it with --post.")
def report(
    survey: SurveyArgument = None,
    week: Annotated[
        str | None, typer.Option("--week", help="An ISO week such as 2026-W47; else the last full one.")
    ] = None,
    post: Annotated[bool, typer.Option("--post", help="Send it to the teams, once for ever.")] = False,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the weekly post of a week, or send it with --post."""
    from commands import post_now, report_as_json, report_of, report_text

    found = _load(settings)
    its = _survey(found, survey)
    which = _which(its, week, full=True)
    if post:
        said = _run(post_now(found, its, which))
        _tell(said, as_json, done="posted", what_next="It is in the team's place now; it is never posted twice.")
        return
    shown = _guarded(report_of, found, its, which)
    _say(_json(report_as_json(shown)) if as_json else report_text(shown, found, its))
    if not as_json:
        _say("\nSend it with `vouch report --post`.")


@app.command(name="settings", short_help="Show the settings as Vouch understood them.")
def show_settings(settings: SettingsOption = None, as_json: JsonOption = False) -> None:
    """Show the settings as Vouch understood them; secrets as ***."""
    from commands import settings_as_json, settings_text

    found = _load(settings)
    _say(_json(settings_as_json(found)) if as_json else settings_text(found))


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The console script. ``arguments`` stand for those of the command line."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.exit(app(words or ["--help"], prog_name="vouch", standalone_mode=False))
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except Exception as error:
        tell = getattr(error, "format_message", None)  # of what cannot be understood on the command line
        if tell is None:
            raise
        context = getattr(error, "ctx", None)
        _fail(f"{tell().rstrip('.')}; see `{context.command_path if context is not None else 'vouch'} --help`")


def _load(path: Path | None) -> Settings:
    from core.settings import load

    if path is None:
        path = Path("settings.toml") if Path("settings.toml").is_file() else SHIPPED
    loaded: Settings = _guarded(load, path)
    return loaded


def _survey(settings: Settings, name: str | None) -> Survey:
    surveys = settings.routes().surveys
    names = ", ".join(surveys)
    if name is None and len(surveys) == 1:
        return next(iter(surveys.values()))
    if name is None:
        _fail(f"there are several surveys; name one of: {names}")
    if name not in surveys:
        _fail(f"there is no survey {name!r}; there is: {names}")
    return surveys[name]


def _which(survey: Survey, week: str | None, *, full: bool = False) -> Which:
    from commands import Which
    from core.survey import wave_by_key

    if week is not None:
        try:
            wave_by_key(survey, week)
        except ValueError as error:
            _fail(str(error))
    return Which(week, full)


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    import asyncio

    return _guarded(asyncio.run, work)


def _guarded(call: Any, *arguments: Any) -> Any:
    """Whatever goes wrong on purpose is one line and exit code 2."""
    from core.errors import VouchError

    try:
        return call(*arguments)
    except VouchError as error:
        _fail(str(error))
    except BaseExceptionGroup as group:
        known, unknown = group.split(VouchError)
        if unknown is not None or known is None:
            raise
        _fail(str(_innermost(known)))


def _innermost(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group


def _tell(said: dict[str, str], as_json: bool, *, done: str, what_next: str) -> None:
    if as_json:
        _say(_json({done: said}))
    elif not said:
        _say(f"Nothing to do: everything was {done} before.")
    else:
        for key, state in said.items():
            _say(f"{key}: {state}")
        _say(what_next)
    if any(state.partition(":")[0] != "sent" for state in said.values()):
        sys.exit(1)


def _json(found: object) -> str:
    import json

    return json.dumps(found)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _fail(text: str) -> NoReturn:
    sys.stderr.write(f"vouch: {' '.join(text.split())}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
