"""The pages for people are true: links lead somewhere, commands and settings exist, quoted lines are ours.

Each check is seen to find a planted mistake.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import typer.main
from pydantic import BaseModel, ValidationError

import cli
from core.nps import Tally, nps, rounded, score_range
from core.settings import Settings, load
from tests import example_post

ROOT = Path(__file__).parent.parent
PAGES = [page for page in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))) if page.is_file()]
COMMANDS: Mapping[str, Any] = getattr(typer.main.get_command(cli.app), "commands")  # noqa: B009 (typer's own click)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_INLINE = re.compile(r"`([^`\n]+)`")
_VOUCH = re.compile(r"(?:^|[\s/])vouch +(?P<rest>[^|;&#\n]*)")
_PRINTED = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
_TALLY = re.compile(
    r"NPS (?P<nps>-?\d+|–)(?: \(chance range (?P<low>-?\d+) to (?P<high>-?\d+)\))?, "
    r"n (?P<n>\d+): promoters (?P<promoters>\d+), passives (?P<passives>\d+), detractors (?P<detractors>\d+)"
)


def slugs(text: str) -> set[str]:
    """The anchors of a page's headings."""
    headings = re.findall(r"^#+ +(.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page: Path, text: str) -> Iterator[str]:
    """Relative links that lead nowhere."""
    for target in _LINK.findall(_FENCE.sub("", text)):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        found = page.parent / path if path else page
        led = found.exists() and (not anchor or anchor in slugs(found.read_text("utf-8") if path else text))
        if not led:
            yield target


def unknown_commands(text: str) -> Iterator[str]:
    """``vouch …`` in fences and in inline code that the command line does not have."""
    shown = [body for language, body in _FENCE.findall(text) if language in ("", "sh", "ini")]
    shown += [code for code in _INLINE.findall(_FENCE.sub("", text)) if code.startswith("vouch ")]
    for line in "\n".join(shown).splitlines():
        for found in _VOUCH.finditer(line):
            name, *words = found["rest"].split()
            options = {"--help"}
            if name in COMMANDS:
                options |= {option for parameter in COMMANDS[name].params for option in parameter.opts}
            elif name not in options:
                yield f"vouch {name}"
            yield from (f"vouch {name} {word}" for word in words if word.startswith("--") and word not in options)


def wrong_settings(text: str, folder: Path) -> Iterator[str]:
    """Tables and keys in TOML fences that the settings do not have. A whole file must load as one."""
    for language, body in _FENCE.findall(text):
        if language != "toml":
            continue
        for table, entries in tomllib.loads(body).items():
            if table not in Settings.model_fields:
                yield table
                continue
            kind = Settings.model_fields[table].annotation
            several = get_args(kind)
            model: type[BaseModel] = several[1] if several else kind  # type: ignore[assignment]
            for entry in entries.values() if several else [entries]:
                try:
                    model.model_validate(entry)
                except ValidationError as error:
                    yield f"{table}: {error.errors()[0]['loc']}"
        if "[surveys." in body:
            path = folder / "settings.toml"
            path.write_text(body, "utf-8")
            load(path)


def said_by_the_code() -> str:
    """Every text in the shipped code, as it reads once its pieces are put together."""
    files = [*ROOT.glob("*.py"), *ROOT.glob("core/**/*.py"), *ROOT.glob("bots/**/*.py")]
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    return "\n".join(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def unsaid(text: str, said: str) -> Iterator[str]:
    """Lines in the tables "What goes wrong" that Vouch never prints. ``…`` stands for what differs."""
    for line in _PRINTED.findall(text):
        if any(piece.strip() not in said for piece in line.split("…")):
            yield line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_true(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    assert list(dead_links(page, text)) == []
    assert list(unknown_commands(text)) == []
    assert list(wrong_settings(text, tmp_path)) == []


@pytest.mark.parametrize("name", ["go-live-telegram", "go-live-discord", "go-live-x", "service"])
def test_the_lines_that_a_page_quotes_are_printed(name: str) -> None:
    text = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    quoted = text[text.index("| Vouch says |") :]
    assert len(_PRINTED.findall(quoted)) >= 8
    assert list(unsaid(quoted, said_by_the_code())) == []


def test_the_worked_example_adds_up() -> None:
    shown = list(_TALLY.finditer((ROOT / "docs/counting.md").read_text("utf-8")))
    assert len(shown) == 2
    for line in shown:
        tally = Tally(int(line["promoters"]), int(line["passives"]), int(line["detractors"]))
        bounds = score_range(tally)
        assert bounds is not None
        assert int(line["n"]) == tally.n
        few = tally.n < 10
        assert line["nps"] == ("–" if few else str(nps(tally)))
        assert (line["low"], line["high"]) == ((None, None) if few else tuple(str(rounded(b)) for b in bounds))


# -- the post, line by line --------------------------------------------------------------------------------------------

REPORT = example_post.PAGE.read_text("utf-8")
SENTENCES = ("report", "agenda", "details")
"""The rooms of core whose sentences stand in a post."""


def sentences(source: str) -> set[str]:
    """What a room says, as its catalog has it: ``Goal {goal}: reached.``"""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    said = (call.args[0] for call in calls if ast.unparse(call.func) == "words" and call.args)
    return {node.value for node in said if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def quoted(text: str) -> list[str]:
    """The lines that a page explains: they stand in bold."""
    return [" ".join(line.split()) for line in re.findall(r"(?s)\*\*(.+?)\*\*", _FENCE.sub("", text))]


def unexplained(said: set[str], text: str) -> set[str]:
    """Sentences whose fixed words stand in no line that the page explains."""
    forms = {sentence: re.sub(r"\\\{\w+\\\}", ".+?", re.escape(sentence)) for sentence in said}
    lines = quoted(text)
    return {each for each, form in forms.items() if not any(re.search(rf"(?<!\w){form}", line) for line in lines)}


def test_the_example_of_a_post_is_one_report() -> None:
    assert example_post.renewed(REPORT) == REPORT, "python -m tests.example_post writes it anew"
    assert example_post.PICTURE.read_bytes() == example_post.drawn(), "python -m tests.example_post draws it anew"
    assert REPORT.count("![") == 1


def test_every_line_of_a_post_is_explained() -> None:
    for room in SENTENCES:
        said = sentences((ROOT / "core" / f"{room}.py").read_text("utf-8"))
        assert len(said) >= 5
        assert unexplained(said, REPORT) == set()


def test_what_is_explained_is_the_example() -> None:
    lines = quoted(REPORT)
    first = [line for line in example_post.words().splitlines() if not line.startswith(("“Fitted", "["))]
    assert [line for line in first if line not in lines] == []
    of_details = re.compile(
        r", n \d+: p|, change on|without a name|invited|, wrote|^Answered this|^Fingerprint|^Sector"
    )
    numbers = example_post.numbers().splitlines()
    assert [line for line in lines if of_details.search(line) and line not in numbers] == []


def test_planted_mistakes_are_found(tmp_path: Path) -> None:
    page = ROOT / "README.md"
    assert list(dead_links(page, "[a](docs/nowhere.md) [b](docs/counting.md#nothing) [c](https://x.com)")) == [
        "docs/nowhere.md",
        "docs/counting.md#nothing",
    ]
    wrong = "```sh\nuv run vouch ask && vouch sing\n/opt/vouch/bin/vouch run --loud\n```\nand `vouch dance`"
    assert list(unknown_commands(wrong)) == ["vouch sing", "vouch run --loud", "vouch dance"]
    misspelt = '```toml\n[service]\ndatabse = "x"\n[brand.a]\nname = "A"\n[brands.a]\ntitle = "A"\n```'
    assert len(list(wrong_settings(misspelt, tmp_path))) == 3
    assert list(unsaid("| `never … said` | x |\n| `said …` | y |", "what is said")) == ["never … said"]
    assert sentences('words("Goal {goal}: reached.") + words(label) + said("no")') == {"Goal {goal}: reached."}
    assert unexplained({"Goal {goal}: reached.", "named"}, "**Goal 40:\nreached.** and unnamed") == {"named"}
    assert unexplained({"Goal {goal}: reached."}, "```\n**Goal 40: reached.**\n```\n**Goal 40.**") != set()
