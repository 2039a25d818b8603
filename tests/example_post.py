"""The post that docs/report.md explains, in words, in numbers and as a picture: all of one report, so that they cannot
say different things. ``python -m tests.example_post`` writes them anew when a sentence or the picture changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from core.agenda import Agenda, Decision, decide_by
from core.ballot import Scale
from core.change import Period
from core.details import details
from core.message import Button
from core.nps import Tally
from core.picture import picture
from core.png import png
from core.quotes import Quoted
from core.reasons import Reason, Theme
from core.report import ChannelTally, Headline, Movement, WeekReport, first_message
from core.survey import Benchmark, Survey, wave_by_key

DOCS = Path(__file__).parent.parent / "docs"
PAGE, PICTURE = DOCS / "report.md", DOCS / "nps.png"
ACME, WEEK = Survey(name="acme", brand="Acme"), "2026-W47"
POSTED = datetime(2026, 11, 23, 8, tzinfo=UTC)
NAMELESS = {"telegram-group-poll": 3}
OPEN = {"x-poll": Tally(142, 110, 100), "telegram-news-poll": Tally(112, 94, 83)}


def counted(*tallies: Tally) -> Mapping[str, Tally]:
    """By the channels whose answers have a person behind them."""
    return dict(zip(("telegram-group-poll", "telegram-direct", "x-replies", "discord-buttons"), tallies, strict=True))


THIS = counted(Tally(34, 22, 13), Tally(12, 6, 5), Tally(13, 8, 7), Tally(18, 10, 6))
LAST = counted(Tally(28, 23, 16), Tally(9, 8, 6), Tally(10, 8, 8), Tally(15, 10, 7))
FOUR = counted(Tally(132, 78, 55), Tally(47, 24, 22), Tally(50, 29, 28), Tally(72, 36, 25))
FOUR_BEFORE = counted(Tally(102, 85, 65), Tally(37, 27, 25), Tally(39, 32, 33), Tally(56, 41, 29))

DELIVERY = Theme(name="delivery", titles={"en": "Delivery"}, words=("parcel*",))
PRICE = Theme(name="price", titles={"en": "Price"}, words=("price*",))

AGENDA = Agenda(
    waiting=3,
    oldest=timedelta(hours=52),
    last=Decision(
        *("acme", "2026-W46", "acme", "tracking message", POSTED - timedelta(weeks=1)),
        owner="1",
        owner_name="Léa",
        done_at=POSTED - timedelta(days=6),
    ),
    fix="Delivery",
    by=decide_by(POSTED, "Europe/Paris").date(),
    zone="Europe/Paris",
    buttons=(Button("Take a case", "1"), Button("I own it", "2")),
)

REPORT = WeekReport(
    survey="acme",
    title="Acme",
    scale=Scale.ZERO_TO_TEN,
    wave=wave_by_key(ACME, WEEK),
    width=4,
    window=Period(weeks=4, channels=FOUR),
    window_before=Period(weeks=4, channels=FOUR_BEFORE),
    week=Period(weeks=1, channels=THIS),
    week_before=Period(weeks=1, channels=LAST),
    open=Period(weeks=1, channels=OPEN),
    open_before=Period(weeks=1, channels={"x-poll": Tally(130, 112, 98), "telegram-news-poll": Tally(104, 97, 85)}),
    channels=(
        *(
            ChannelTally(channel=name, open=False, tally=its, nameless=NAMELESS.get(name, 0))
            for name, its in THIS.items()
        ),
        *(ChannelTally(channel=name, open=True, tally=tally) for name, tally in OPEN.items()),
    ),
    reasons=(Reason(theme=DELIVERY, named=11, of=17), Reason(theme=PRICE, named=4, of=17)),
    quotes=(
        Quoted("Third late parcel, and nobody answers.", "2"),
        Quoted("Fitted first time. I told my sister.", "10"),
    ),
    movement=Movement(both=61, up=17, down=9, won=4),
    wrote={"telegram-direct": 14, "x-replies": 16, "discord-buttons": 9},
    invited={"telegram-direct": 48},
    agenda=AGENDA,
    goal=40,
    benchmarks=(Benchmark("Sector", 31, "Study by X", date(2026, 6, 30)),),
)

BEFORE = tuple(
    Headline(f"2026-W{week}", score, score - 7, score + 7, "could be chance")
    for week, score in enumerate((11, 9, 12, 14, 13, 14, 16, 14, 18, 22, 26), 36)
)
"""What the posts of the weeks before said."""


def words() -> str:
    """The first message as the page shows it: its buttons below it."""
    message = first_message(REPORT, "en")
    return "\n".join([message.plain, " ".join(f"[{button.label}]" for button in message.buttons)])


def numbers() -> str:
    """The details."""
    return details(REPORT, "en").plain


def drawn() -> bytes:
    """The picture."""
    found = picture(REPORT, BEFORE, "en")
    assert found is not None
    return png(found.svg)


def renewed(page: str) -> str:
    """The page with the post as it is now."""
    posts = iter([words(), numbers()])
    return re.sub(r"(?ms)^(```text\n).*?(\n```)$", lambda fence: f"{fence[1]}{next(posts)}{fence[2]}", page)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), "utf-8")
    PICTURE.write_bytes(drawn())
