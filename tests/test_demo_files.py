"""What the demo writes of what the teams got: a file for each platform, and the numbers in them are the truth."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import VouchError
from core.settings import load
from demo.filed import misfiled
from demo.files import with_more_teams, write
from sandbox.seam import Post, PostButton
from tests.command import ROOT, Vouch
from tests.hostile import Pieces

PNG = b"\x89PNG\r\n\x1a\n"


def test_each_platforms_team_gets_the_post_and_it_is_true(vouch: Vouch, tmp_path: Path) -> None:
    folder = tmp_path / "got"
    found = vouch.json("demo", "--headless", "--followers", "80", "--seed", "2", "--weeks", "1", "--out", str(folder))
    assert (found["lost"], found["doubled"], found["faults"]) == (0, 0, [])
    assert sorted(file.name for file in folder.iterdir()) == ["chart.png", "discord.json", "telegram.html", "x.txt"]
    counted = found["posted"]["window"] if "window" in found["posted"] else found["posted"]["named"]["all"]
    answers, score = f"{counted['n']} answers", f"NPS {counted['nps']}, week"
    page = Pieces((folder / "telegram.html").read_text("utf-8"))
    assert page.names <= {"meta", "title", "style", "article", "img", "b", "blockquote", "small"}
    assert [address[:22] for address in page.addresses] == ["data:image/png;base64,"]
    telegram = (folder / "telegram.html").read_text("utf-8")
    assert answers in telegram
    assert score in telegram
    assert "in reply to message" in telegram
    told = json.loads((folder / "discord.json").read_text("utf-8"))
    cases = [
        each for each in told if re.match(r"(\*\*)?(Case \d+:|Unhappy people)", each["payload"].get("content", ""))
    ]
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
        write(tmp_path / "file", [])


AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
DRAWN, OTHER = PNG + b"drawn", PNG + b"other"
SENT = {"text": "<b>Acme: NPS 2 &lt; 3</b>\nmore", "chat_id": "-9"}
EMBEDDED = {"content": "**Acme: NPS 2 \\< 3**", "embeds": [{"description": "more"}]}
TAP = PostButton("I own it", "a")
SAID = "Acme: NPS 2 < 3\nmore"
POSTS = (
    Post(
        "telegram", "tg", "-9", None, "1", SAID, AT, buttons=(PostButton("I own it", "a"),), raw=SENT, pictures=(DRAWN,)
    ),
    Post("telegram", "tg", "-9", None, "2", SAID, AT, reply_to="1", raw=SENT),
    Post("discord", "dc", "8", None, "3", SAID, AT, raw=EMBEDDED, pictures=(OTHER,)),
    Post("x", "acme", "timeline", None, "4", SAID, AT, raw={"text": SAID}, pictures=(OTHER,)),
    Post("x", "acme", "timeline", None, "5", SAID, AT, raw={"text": SAID}, pictures=(OTHER,)),
)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    names = write(tmp_path, POSTS)
    assert misfiled(tmp_path, POSTS) == []
    assert write(tmp_path, ()) == [name for name in names if name != "chart.png"]
    assert misfiled(tmp_path, ()) == []
    assert not (tmp_path / "chart.png").exists()
    assert len(misfiled(tmp_path, POSTS)) == 4


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("telegram.html", b"NPS 2", b"NPS 3"),
        ("telegram.html", b"&lt;", b"<i></i>"),
        ("telegram.html", b"message 2", b"message 3"),
        ("telegram.html", b"[I own it]", b""),
        ("telegram.html", b"base64,", b"base64,AAAA"),
        ("telegram.html", b"</article>", b"</article><article></article>"),
        ("discord.json", b"NPS 2", b"NPS 3"),
        ("discord.json", b"more", b"less"),
        ("discord.json", b'"8"', b'"9"'),
        ("discord.json", b"]", b""),
        ("x.txt", b"NPS 2", b"NPS 3"),
        ("x.txt", b"1 picture", b"0 picture"),
        ("x.txt", b"2026-11-23 09:00", b"2026-11-23 10:00"),
        ("chart.png", b"PNG", b"GIF"),
        ("chart.png", b"other", b"drawn"),
    ],
    ids=str,
)
def test_a_file_that_holds_something_else_is_named(name: str, right: bytes, wrong: bytes, tmp_path: Path) -> None:
    write(tmp_path, POSTS)
    content = (tmp_path / name).read_bytes()
    assert right in content
    (tmp_path / name).write_bytes(content.replace(right, wrong, 1))
    assert misfiled(tmp_path, POSTS) == [f"{name} does not hold what was posted"]
