"""500 people write hostile comments to the running service, whole, and everything that shows comments is asked for."""

from __future__ import annotations

import asyncio
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from core.models import Comment
from core.reading import LONGEST_BYTES
from core.store.statements import table
from sandbox.seam import Post
from tests.command import Vouch
from tests.hostile import MARK, PAGE, PIECES, Pieces, comments
from tests.hostile_stage import ASKED, RELAYED, Follower, Town, account, desk, forum, readers, town
from tests.hostile_wire import alive

AT_ONCE = 8
SPOKEN_WITH = (0, 4, 8)
"""Surveys in which a customer is answered: one on each platform."""
DRAWN = (1, 5)
"""Surveys whose posts are made: drawing their pictures takes a while."""
LONG = 60
"""Letters of a piece, where many stand in one message."""
WEEK = "2026-W47"
LEAST_KEPT = 45
"""Comments of a survey whose mark is kept: of what is longest only the beginning is."""
_COMMENT = table(Comment)


def shared_out() -> list[list[tuple[int, str]]]:
    """The comments with their surveys, so many at a time; the longest, which only X takes whole, go there."""
    left = sorted(comments(), key=len)
    by_survey: list[list[str]] = [[] for _ in ASKED]
    by_survey[-1] = [left.pop() for _ in range(len(left) // len(ASKED))]
    for at, text in enumerate(left):
        by_survey[at % (len(ASKED) - 1)].append(text)
    starts = range(0, max(map(len, by_survey)), AT_ONCE)
    return [[(n, text) for n, its in enumerate(by_survey) for text in its[at : at + AT_ONCE]] for at in starts]


async def lived(folder: Path) -> tuple[list[Post], list[str]]:
    """Everything that was said, as it went over the wire, and the comments that are kept."""
    *batches, last = shared_out()
    notes = ["\n".join(piece[:LONG] for piece in PIECES[at::3]) for at in range(3)]
    async with town(folder) as stage:
        here = Town(stage)
        await here.open()
        for number, batch in enumerate(batches):
            await here.cheer_up(await told(here, batch, odd=number % 2 == 1))
        await here.greet(await told(here, last, odd=True))
        await here.speak(SPOKEN_WITH, notes, [f"{MARK} {note}" for note in notes])
        for n in range(len(ASKED)):
            await here.orders(readers(n), "why", "why sister")
        for n in DRAWN:
            await here.orders(forum(n), "report preview")
        await here.read(())
        await here.publish(DRAWN)
        with stage.parts.database.reading() as connection:
            return stage.posts, list(connection.execute(_COMMENT.select().with_only_columns(_COMMENT.c.text)).scalars())


async def told(here: Town, batch: Sequence[tuple[int, str]], *, odd: bool) -> list[Follower]:
    """These are written, and the teams are told and ask for them. Returns who wrote. Names are hostile, too."""
    people = [Follower(n, here.app(account(n)).add_person(name=f"{MARK} {text[:30]}"), text) for n, text in batch]
    await here.write(people)
    await here.later()
    for n in range(len(ASKED)):
        await here.orders(readers(n), "comments")
        await here.orders(forum(n), "take")
        await here.orders(desk(n) if odd else forum(n), "cases")
    await here.show(people)
    await here.later()
    return people


def test_what_hostile_people_write_stays_words_wherever_it_is_shown(tmp_path: Path) -> None:
    posts, kept = asyncio.run(lived(tmp_path))
    assert sum(MARK in text for text in kept) > 480  # what begins like a command of Vouch's is none
    assert max(len(text.encode()) for text in kept) == LONGEST_BYTES
    assert [(post.text[:80], found) for post in posts if (found := alive(post))] == []
    shown = Counter(lead for post in posts if MARK in post.text for lead in SHOWN_IN if re.match(lead, post.text))
    assert {lead: (shown[lead], least) for lead, least in SHOWN_IN.items() if shown[lead] < least} == {}
    assert [post for post in posts if MARK in post.text and not re.match("|".join(SHOWN_IN), post.text)] == []
    assert sum(post.text.startswith(RELAYED) for post in posts) == 7
    for n in range(len(ASKED)):
        _judge_comments(Vouch(tmp_path), n)
        _judge_report(Vouch(tmp_path), n)


SHOWN_IN = {
    r"Unhappy people who can be answered, new": 120,
    r"Case \d+: \d of 10": 50,
    r"Case \d+: the customer answers": 18,
    r"People who wait for an answer": 50,
    r"Comments this week": 50,
    r"Family, this week": 5,
    r"What Acme has kept of you": 450,
    r"Acme: NPS": 6,
}
"""Where people's own words are to be seen, and how often at least."""


def _judge_comments(vouch: Vouch, survey: int) -> None:
    options = (f"s{survey}", "--week", WEEK, "--settings", "settings.toml")
    code, told, complained = vouch.here("comments", *options)
    assert (code, complained) == (0, "")
    assert told.count(MARK) >= LEAST_KEPT
    assert _unseen(told) == []
    whole = json.loads(vouch.here("comments", *options, "--json")[1])
    assert sum(MARK in one["text"] for one in whole["comments"]) >= LEAST_KEPT


def _judge_report(vouch: Vouch, survey: int) -> None:
    files = {form: vouch.folder / f"report.{form}" for form in ("text", "html", "json")}
    for form, file in files.items():
        options = ("--week", WEEK, "--settings", "settings.toml", "--format", form, "--out", str(file))
        assert vouch.here("report", f"s{survey}", *options)[::2] == (0, "")
    said = files["text"].read_text("utf-8")
    assert _unseen(said) == []
    assert MARK not in json.dumps(json.loads(files["json"].read_text("utf-8")))  # numbers alone
    page = Pieces(files["html"].read_text("utf-8"))
    assert page.names <= PAGE
    assert (page.addresses, [name for name in page.attributes if name.startswith("on")]) == ([], [])
    marked = [within[-1] for text, within in page.pieces if MARK in text]
    assert marked == ["blockquote"] * len(marked)
    assert bool(marked) is (account(survey) != "x")  # nobody there was asked whether they may be quoted


def _unseen(text: str) -> list[str]:
    return [ch for ch in text if ch != "\n" and unicodedata.category(ch) in ("Cc", "Cf", "Zl", "Zp")]
