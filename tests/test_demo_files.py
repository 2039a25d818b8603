"""What the demo writes of what the teams got: a file for each platform, and the numbers in them are the truth."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from core.errors import VouchError
from core.settings import load
from demo.files import with_more_teams, write
from tests.command import ROOT, Vouch
from tests.hostile import Elements

PNG = b"\x89PNG\r\n\x1a\n"


def test_each_platforms_team_gets_the_post_and_it_is_true(vouch: Vouch, tmp_path: Path) -> None:
    folder = tmp_path / "got"
    found = vouch.json("demo", "--headless", "--followers", "80", "--seed", "2", "--weeks", "1", "--out", str(folder))
    assert (found["lost"], found["doubled"], found["faults"]) == (0, 0, [])
    assert sorted(file.name for file in folder.iterdir()) == ["chart.png", "discord.json", "telegram.html", "x.txt"]
    counted = found["posted"]["window"] if "window" in found["posted"] else found["posted"]["named"]["all"]
    answers, score = f"{counted['n']} answers", f"NPS {counted['nps']}, week"
    page = Elements((folder / "telegram.html").read_text("utf-8"))
    assert page.names <= {"meta", "title", "style", "article", "img", "b", "blockquote", "small"}
    assert [address[:22] for address in page.addresses] == ["data:image/png;base64,"]
    telegram = (folder / "telegram.html").read_text("utf-8")
    assert answers in telegram
    assert score in telegram
    assert "in reply to message" in telegram
    told = json.loads((folder / "discord.json").read_text("utf-8"))
    cases = [each for each in told if re.match(r"\*\*(Case \d+:|Unhappy people)", each["payload"].get("content", ""))]
    assert cases
    first, *details = [each for each in told if each not in cases]
    assert score in first["payload"]["content"]
    assert answers in first["payload"]["embeds"][0]["description"]
    assert [bool(each["files"]) for each in (first, *details)] == [True, *(False for _ in details)]
    assert re.search(rf"Named answers: NPS {counted['nps']} .* n {counted['n']}:", details[0]["payload"]["content"])
    public = (folder / "x.txt").read_text("utf-8")
    assert public.count("1 picture") == 1
    assert score in public
    assert answers in public
    assert "“" not in public
    assert (folder / "chart.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize("name", ["settings.toml", "examples/two-brands.toml"])
def test_a_team_is_added_where_a_survey_asks_and_reports_to_none(name: str, tmp_path: Path) -> None:
    path, copy = ROOT / name, tmp_path / "more.toml"
    before = load(path)
    after = load(with_more_teams(path, before, copy))
    for survey, its in after.surveys.items():
        asks = {after.accounts[after.channels[channel].account].platform for channel in its.channels}
        told = [after.accounts[after.teams[team].account].platform for team in its.teams]
        assert set(told) >= {"discord", "x"} & asks
        assert list(its.teams)[: len(before.surveys[survey].teams)] == list(before.surveys[survey].teams)
    more = tmp_path / "again.toml"
    assert with_more_teams(copy, after, more) == copy
    assert not more.exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VouchError, match="name another folder with --out"):
        write(tmp_path / "file", [], set())
