"""``vouch report`` as words, page, picture and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import Look
from core.errors import VouchError
from core.nps import Tally
from core.report import Headline
from core.settings import Settings, load
from core.survey import Survey
from formats import Format, put_out
from tests.command import ROOT
from tests.core.reporting import report
from tests.hostile import Pieces


@pytest.fixture
def settings() -> Settings:
    return load(ROOT / "settings.toml")


@pytest.fixture
def survey(settings: Settings) -> Survey:
    return settings.routes().surveys["recommend"]


def look(tally: Tally, settings: Settings) -> Look:
    team = settings.team_list()["acme"]
    return Look(report(tally), "", True, {}, (Headline("2026-W46", 12, 4, 20, "steady"),), team)


def written(form: Format, tally: Tally, settings: Settings, survey: Survey, folder: Path) -> bytes:
    file = folder / "out"
    assert put_out(look(tally, settings), survey, form, file) == f"Written to {file}."
    return file.read_bytes()


def test_every_format_tells_the_same(settings: Settings, survey: Survey, tmp_path: Path) -> None:
    tally = Tally(50, 28, 22)
    words = written(Format.TEXT, tally, settings, survey, tmp_path).decode()
    assert words.startswith("Acme: NPS 28, ")
    assert "Ask lukewarm people what is missing." in words
    page = written(Format.HTML, tally, settings, survey, tmp_path).decode()
    assert "svg" in Pieces(page).names
    assert all(line in page for line in words.split("\n") if line and "&" not in line and '"' not in line)
    assert json.loads(written(Format.JSON, tally, settings, survey, tmp_path))["named"]["nps"] == 28
    assert written(Format.PNG, tally, settings, survey, tmp_path).startswith(b"\x89PNG\r\n\x1a\n")


def test_what_cannot_be_shown_or_written_is_told(settings: Settings, survey: Survey, tmp_path: Path) -> None:
    with pytest.raises(VouchError, match="too few answers for a score"):
        put_out(look(Tally(1, 1, 1), settings), survey, Format.PNG, tmp_path / "nps.png")
    assert not (tmp_path / "nps.png").exists()
    with pytest.raises(VouchError, match="name another file with --out"):
        put_out(look(Tally(50, 28, 22), settings), survey, Format.TEXT, tmp_path)
