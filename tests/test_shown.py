"""What a person sees: the score's table in a terminal of 80 columns, and what became of a message."""

from __future__ import annotations

import contextlib
import io

import pytest

from commands import in_words, show_score
from core.ballot import Scale
from core.change import Period
from core.nps import Tally
from core.report import ChannelTally, WeekReport
from core.survey import Survey, wave_by_key


class Terminal(io.StringIO):
    """A screen that remembers what was written."""

    def isatty(self) -> bool:
        return True


def shown(report: WeekReport, on: io.StringIO) -> list[str]:
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(on):
        patched.setenv("COLUMNS", "80")
        patched.setenv("TERM", "dumb")
        show_score(report)
    return [line.strip() for line in on.getvalue().splitlines()]


def week(scale: Scale, **channels: Tally) -> WeekReport:
    its, nothing = Period(weeks=1, channels=channels), Period(weeks=1, channels={})
    return WeekReport(
        survey="acme",
        title="Acme [bold]",
        scale=scale,
        wave=wave_by_key(Survey(name="acme", brand="Acme"), "2026-W47"),
        width=1,
        window=its,
        window_before=nothing,
        week=its,
        week_before=nothing,
        open=nothing,
        open_before=nothing,
        channels=tuple(ChannelTally(channel=name, open=False, tally=tally) for name, tally in channels.items()),
    )


LONG = "a-group-of-our-most-faithful-customers"
MANY = Tally(0, 0, 123_456)


@pytest.mark.parametrize(("scale", "lowest"), [(Scale.ZERO_TO_TEN, "0–6"), (Scale.ONE_TO_TEN, "1–6")])
def test_the_score_fits_a_terminal_of_80_columns(scale: Scale, lowest: str) -> None:
    lines = shown(week(scale, **{LONG: MANY, "news": Tally(24, 10, 6), "few": Tally(24, 5, 0)}), Terminal())
    assert max(map(len, lines)) <= 80
    heads = next(line for line in lines if line.startswith("channel"))
    assert heads.split() == ["channel", "NPS", "chance", "range", "n", "9–10", "7–8", lowest]
    assert any(line.startswith("Acme [bold], week 2026-W47") for line in lines)
    faithful = next(line for line in lines if line.startswith(LONG[:23]))
    assert faithful.split()[-5:] == ["-100", "123456", "0", "0", "123456"]
    assert [line.split() for line in lines if line.startswith("news (named)")] == [
        ["news", "(named)", "45", "19", "to", "64", "40", "24", "10", "6"]
    ]
    assert [line.split() for line in lines if line.startswith("few (named)")] == [
        ["few", "(named)", "–", "–", "29", "24", "5", "0"]  # a channel's score needs thirty, as in the post
    ]


@pytest.mark.parametrize("screen", [Terminal, io.StringIO])
def test_where_nobody_answered_a_sentence_says_so(screen: type[io.StringIO]) -> None:
    assert shown(week(Scale.ZERO_TO_TEN, news=Tally()), screen()) == [
        "Acme [bold], week 2026-W47, scale 0-10: nobody has answered yet."
    ]


@pytest.mark.parametrize(
    ("key", "state", "told"),
    [
        ("ask:recommend:2026-W47:x-poll:0", "sent", "x-poll: asked"),
        ("report:recommend:2026-W47:acme:0", "sent", "team acme, message 1: posted"),
        ("ask:recommend:2026-W47:x-poll:0", "refused: too long: mend it", "x-poll: refused: too long: mend it"),
        ("report:recommend:2026-W47:acme:1", "planned", "team acme, message 2: not sent yet; `vouch run` sends it"),
        ("ask:s:2026-W47:c:0", "unknown", "c: it may have arrived; `vouch status` says what to do"),
        ("ask:s:2026-W47:c:0", "expired: the week is over", "c: came too late, so it was not sent: the week is over"),
    ],
)
def test_what_became_of_a_message_is_told_in_words(key: str, state: str, told: str) -> None:
    assert in_words(key, state) == told
