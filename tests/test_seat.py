"""Whoever runs the sandbox in a terminal sits in the teams' places, and can do there what a teammate can."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.settings import load
from demo.seat import HELP, Seat, places_of
from tests.architecture import ROOT
from tests.command import WAIT_S
from tests.desk_stage import DESK, TEAMS, Stage, staged

GROUP = TEAMS["owner"]


class Sitting:
    """A seat, and what was printed at it."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.printed: list[str] = []
        self.seat = Seat(places_of(load(folder / "settings.toml"), stage.sandbox), self.printed.append)
        stage.sandbox.watchers.append(self.seat.see)

    async def types(self, line: str) -> list[str]:
        """What is printed once this was typed and done."""
        before = len(self.printed)
        await self.seat.do(line)
        await self.stage.settled()
        return self.printed[before:]

    async def is_told_of_a_case(self) -> None:
        """Somebody is unhappy, and two minutes have passed."""
        ann = self.stage.telegram.add_person(name="Ann")
        await self.stage.telegram.open_direct("tg", ann)
        await self.stage.settled()
        await self.stage.telegram.write("tg", ann, "2, the parcel was late")
        await self.stage.settled()
        self.stage.later.by_s += timedelta(minutes=3).total_seconds()
        await self.stage.ticked()
        await self.stage.settled()


@pytest.fixture
async def sitting(tmp_path: Path) -> AsyncIterator[Sitting]:
    async with staged(tmp_path, ("owner",)) as stage:
        yield Sitting(stage, tmp_path)


def numbered(printed: list[str], words: str) -> str:
    """The number of the last message that says this."""
    return next(found[1] for one in reversed(printed) if words in one and (found := re.match(r"\n\[(\d+)\]", one)))


async def test_a_command_is_answered_in_the_place_that_spoke_last(sitting: Sitting) -> None:
    (answer,) = await sitting.types("/score")
    assert answer.startswith("\n[1] t1015's place on tg, Tue 17 Nov 12:00\nAcme, week 2026-W47, so far\n")
    await sitting.is_told_of_a_case()
    on_discord = next(one for one in sitting.printed if "desk's place on dc" in one)
    await sitting.seat.do(f"{numbered([on_discord], 'late')}z")
    assert "did not take that" in sitting.printed[-1]  # no such button; but now we are there
    at_once, answer = await sitting.types("/score")
    assert "only you in desk's place on dc" in at_once
    assert "desk's place on dc" in answer
    assert "so far" in answer


@pytest.mark.parametrize(("account", "place"), [("tg", GROUP), ("dc", DESK)])
async def test_a_case_is_taken_and_answered(sitting: Sitting, account: str, place: str) -> None:
    await sitting.is_told_of_a_case()
    case = next(one for one in sitting.printed if f"place on {account}" in one and "the parcel was late" in one)
    number = numbered([case], "late")
    letter = re.search(r"\((\w)\) I take it", case)
    assert letter is not None
    await sitting.types(f"{number}{letter[1]}")
    await sitting.types(f"{number} We are sorry.")
    assert any(post.place == "direct" and "We are sorry." in post.text for post in sitting.stage.posts)


async def test_what_is_not_understood_is_explained(sitting: Sitting) -> None:
    assert [await sitting.types(line) for line in ("", "hello", "7")] == [[HELP]] * 3
    for line in ("7a", "7 hello"):
        assert "did not take that" in (await sitting.types(line))[0]


def test_the_sandbox_in_a_terminal_offers_the_seat() -> None:
    ours, its = pty.openpty()
    command = (sys.executable, "cli.py", "sandbox", "--port", "0", "--followers", "50")
    with subprocess.Popen(command, cwd=ROOT, stdin=its, stdout=its, stderr=its) as sandbox:
        os.close(its)
        os.write(ours, b"hello\n")
        said = ""
        while said.count("You are one of the team.") < 2:
            said += os.read(ours, 4096).decode()
        sandbox.send_signal(signal.SIGTERM)
        assert sandbox.wait(WAIT_S) == 130
    os.close(ours)
    assert "Now run `VOUCH_SANDBOX__URL=" in said
