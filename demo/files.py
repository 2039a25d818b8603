"""What the teams' places got, written to files as it went over the wire: ``vouch demo --out DIR``."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from core.errors import VouchError
from core.settings import Settings, load
from demo.readback import tells
from sandbox.ledger import put
from sandbox.seam import Post

_ADDED = {"discord": "1100000000000000099", "x": "timeline"}
"""Where a team is added for the demo, so that each platform's post can be seen."""

_HEAD = (
    '<!doctype html>\n<meta charset="utf-8">\n<title>What the team got on Telegram</title>\n<style>\n'
    "body { max-width: 34rem; margin: 2rem auto; font: 1rem/1.45 system-ui, sans-serif; background: #dfe6d8; }\n"
    "article { background: #fff; color: #111; border-radius: 12px; padding: .8rem 1rem; margin: .8rem 0; "
    "white-space: pre-line; }\n"
    "img { width: 100%; border-radius: 8px; } small { color: #667; }\n"
    "blockquote { margin: .2rem 0; padding-left: .7rem; border-left: 3px solid #5a9; }\n</style>\n"
)


def with_more_teams(path: Path, settings: Settings, copy: Path) -> Path:
    """The settings with a team on Discord and one on X, where a survey asks there and reports to none; in ``copy``,
    where there is anything to add. On X it is one public post, which Vouch makes only where it is told to."""
    text, added, grown = path.read_text("utf-8"), "", set[str]()
    for name, survey in settings.surveys.items():
        mine = [settings.channels[channel].account for channel in survey.channels]
        there = {settings.accounts[settings.teams[team].account].platform for team in survey.teams}
        teams = list(survey.teams)
        for platform, place in _ADDED.items():
            account = next((its for its in mine if settings.accounts[its].platform == platform), None)
            if account is not None and platform not in there:
                teams.append(f"{name}-on-{platform}")
                grown.add(name)
                zone = settings.brands[survey.brand].timezone
                values = f'account = "{account}"\nplace = "{place}"\ntimezone = "{zone}"\n'
                added += f"\n[teams.{name}-on-{platform}]\n{values}"
        text = _replaced(text, name, f"teams = {json.dumps(teams)}")
    if not added:
        return path
    copy.touch(0o600)
    copy.write_text(f"{text}\n{added}", "utf-8")
    after = load(copy).surveys
    if any(len(after[name].teams) == len(settings.surveys[name].teams) for name in grown):
        raise VouchError("no team could be added: write teams = [...] on a line of its own in [surveys.NAME]")
    return copy


def _replaced(text: str, survey: str, teams: str) -> str:
    """The settings with another ``teams`` in a survey's table."""
    table = re.compile(rf"(?ms)^\[surveys\.{re.escape(survey)}\]\s*$.*?(?=^\[|\Z)")
    own = re.compile(r"(?m)^teams\s*=\s*\[[^\]]*\]")
    return table.sub(lambda found: own.sub(lambda _: teams, found[0]), text)


def shown(posts: Iterable[Post], places: set[tuple[str, str]]) -> list[Post]:
    """What stands in the teams' places, which are given as (account, place), in the order in which it came."""
    standing: list[Post] = []
    for post in posts:
        if (post.account, post.place) in places and post.to is None and not post.options:
            put(standing, post)
    return [post for post in standing if post.place != "timeline" or tells(post.text)]  # there it also asks


def write(folder: Path, standing: Sequence[Post]) -> list[str]:
    """Write the files; returns their names. Raises ``VouchError``."""
    by_platform = {name: [post for post in standing if post.platform == name] for name in ("telegram", "discord", "x")}
    pictures = [picture for post in standing for picture in post.pictures]
    files: dict[str, bytes] = {
        "telegram.html": (_HEAD + "\n".join(map(_article, by_platform["telegram"])) + "\n").encode(),
        "discord.json": json.dumps(list(map(_payload, by_platform["discord"])), indent=2, ensure_ascii=False).encode(),
        "x.txt": _posts(by_platform["x"]).encode(),
        **({"chart.png": pictures[-1]} if pictures else {}),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "chart.png").unlink(missing_ok=True)  # another demo's
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise VouchError(f"{folder} cannot be written: {error.strerror}; name another folder with --out") from error
    return list(files)


def _article(post: Post) -> str:
    """A message on Telegram: the very markup that was sent, which is HTML."""
    fields: dict[str, Any] = dict(post.raw) if isinstance(post.raw, dict) else {}
    media = fields.get("media")
    if isinstance(media, str):
        fields |= json.loads(media)
    words = str(fields.get("caption") or fields.get("text") or "")
    shown = "".join(
        f'<img alt="" src="data:image/png;base64,{base64.b64encode(picture).decode()}">' for picture in post.pictures
    )
    reply = f" · in reply to message {escape(post.reply_to)}" if post.reply_to else ""
    buttons = "".join(f"\n[{escape(button.label)}]" for button in post.buttons)
    about = f"{post.at:%Y-%m-%d %H:%M} UTC · message {escape(post.id)}{reply}"
    return f"<article>{shown}{words}{buttons}\n<small>{about}</small></article>"


def _payload(post: Post) -> dict[str, Any]:
    """A message on Discord: the request's own fields, and how large its files were."""
    return {
        "at": post.at.isoformat(),
        "message": post.id,
        "channel": post.place,
        "payload": post.raw,
        "files": [len(picture) for picture in post.pictures],
    }


def _posts(posts: Sequence[Post]) -> str:
    return "\n\n".join(f"{post.at:%Y-%m-%d %H:%M} UTC, {len(post.pictures)} picture\n{post.text}" for post in posts) + (
        "\n" if posts else ""
    )
