"""What a bot may put into a message, a poll or a form; what it got wrong is told field by field.

Source: https://discord.com/developers/docs/resources/message, https://discord.com/developers/docs/resources/poll
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.discord.components import Components
from sandbox.discord.errors import Form, Refusal, misfit
from sandbox.discord.model import Json
from sandbox.rules import Rules


@dataclass(slots=True)
class File:
    """A file that came with a form."""

    name: str
    content_type: str
    data: bytes


@dataclass(slots=True)
class Body:
    """A request's JSON and the files that came with it."""

    json: Any
    files: list[File] = field(default_factory=list)

    @property
    def fields(self) -> Json:
        if not isinstance(self.json, dict):
            form = Form()
            form.wrong([], "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            form.done()
        return dict(self.json)


@dataclass(slots=True)
class Draft:
    """A checked message before it is posted; ``None`` where the request did not name the field."""

    content: str | None
    embeds: list[Json] | None
    components: list[Json] | None
    poll: Json | None
    flags: int
    files: list[File]
    allowed_mentions: Json | None


def read_draft(body: Body, rules: Rules) -> Draft:
    """Check a message's fields. Raises: Refusal 50035 naming every mistake."""
    try:
        return _read_draft(body, rules)
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise misfit([], "DICT_TYPE_CONVERT", "A field is of the wrong type") from None


def _read_draft(body: Body, rules: Rules) -> Draft:
    raw, form = body.fields, Form()
    content = raw.get("content")
    if content is not None and not isinstance(content, str):
        content = str(content)
    if content is not None and rules.on("discord.content.length") and len(content) > 2000:
        form.too_long(["content"], 2000)
    embeds = _embeds(raw["embeds"] or [], form, rules) if "embeds" in raw else None
    components = Components(form, rules).message(raw["components"]) if "components" in raw else None
    if rules.on("discord.attachments.count") and max(len(body.files), len(raw.get("attachments") or ())) > 10:
        form.wrong(["attachments"], "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
    _check_shapes(raw, form)
    allowed = raw.get("allowed_mentions") or {}
    if rules.on("discord.mentions.exclusive") and "users" in (allowed.get("parse") or ()) and allowed.get("users"):
        message = "parse:['users'] and users: [ids...] are mutually exclusive."
        form.wrong(["allowed_mentions"], "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)
    poll = _poll(raw["poll"], form, rules) if raw.get("poll") is not None else None
    form.done()
    if rules.on("discord.attachments.size") and any(len(file.data) > 10 * 1024 * 1024 for file in body.files):
        raise Refusal(40005)
    return Draft(content, embeds, components, poll, int(raw.get("flags") or 0), body.files, raw.get("allowed_mentions"))


def _check_shapes(raw: Json, form: Form) -> None:
    """The parts that later steps take for granted."""
    allowed, reference = raw.get("allowed_mentions") or {}, raw.get("message_reference") or {}
    attachments = raw.get("attachments") or []
    if not isinstance(allowed, dict) or not all(isinstance(each, (list, bool)) for each in allowed.values()):
        form.wrong(["allowed_mentions"], "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    if not isinstance(reference, dict) or not str(reference.get("message_id", 0)).isdecimal():
        form.wrong(["message_reference"], "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    if not isinstance(attachments, list) or not all(isinstance(each, dict) for each in attachments):
        form.wrong(["attachments"], "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    form.done()


def refuse_empty(content: str, embeds: list[Json], attachments: int, poll: bool, components: int, rules: Rules) -> None:
    """Raises: Refusal 50006, when nothing could be seen."""
    if rules.on("discord.content.empty") and not (content.strip() or embeds or attachments or poll or components):
        raise Refusal(50006)


EMBED_TEXT_TOTAL = 6000


def _embeds(raw: list[Any], form: Form, rules: Rules) -> list[Json]:
    """Source: https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""
    if rules.on("discord.embeds.count") and len(raw) > 10:
        form.too_long(["embeds"], 10)
    shown: list[Json] = []
    total = 0
    for at, embed in enumerate(raw):
        for key, most in (("title", 256), ("description", 4096)):
            if rules.on(f"discord.embed.{key}") and len(embed.get(key) or "") > most:
                form.too_long(["embeds", at, key], most)
            total += len(embed.get(key) or "")
        fields = embed.get("fields") or []
        if rules.on("discord.embed.fields") and len(fields) > 25:
            form.too_long(["embeds", at, "fields"], 25)
        for number, part in enumerate(fields):
            total += _embed_field(part, form, rules, at, number)
        total += len((embed.get("footer") or {}).get("text") or "") + len((embed.get("author") or {}).get("name") or "")
        shown.append(_shown_embed(embed, fields))
    if rules.on("discord.embeds.total") and total > EMBED_TEXT_TOTAL:
        form.wrong(["embeds"], "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")
    return shown


def _embed_field(part: Json, form: Form, rules: Rules, at: int, number: int) -> int:
    for key, most in (("name", 256), ("value", 1024)):
        text = part.get(key)
        if not text:
            form.required(["embeds", at, "fields", number, key])
        elif rules.on("discord.embed.field_length") and len(text) > most:
            form.too_long(["embeds", at, "fields", number, key], most)
    return len(part.get("name") or "") + len(part.get("value") or "")


def _shown_embed(embed: Json, fields: list[Json]) -> Json:
    shown: Json = {"type": "rich"}
    for key in ("title", "description", "url", "color", "timestamp", "footer", "author", "image", "thumbnail"):
        if embed.get(key) is not None:
            shown[key] = embed[key]
    if fields:
        shown["fields"] = [
            {"name": part.get("name"), "value": part.get("value"), "inline": bool(part.get("inline"))}
            for part in fields
        ]
    return shown


def _poll(raw: Any, form: Form, rules: Rules) -> Json:
    """Source: https://discord.com/developers/docs/resources/poll#poll-create-request-object"""
    question = (raw.get("question") or {}).get("text") or ""
    if rules.on("discord.poll.question") and not 1 <= len(question) <= 300:
        form.bad_length(["poll", "question", "text"], 1, 300)
    answers = raw.get("answers") or []
    if rules.on("discord.poll.answers") and not 1 <= len(answers) <= 10:
        form.wrong(["poll", "answers"], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 10 in length.")
    shown: list[Json] = []
    for at, answer in enumerate(answers):
        media = answer.get("poll_media") or {}
        text, emoji = media.get("text") or "", media.get("emoji")
        if rules.on("discord.poll.answer") and not 1 <= len(text) <= 55:
            form.bad_length(["poll", "answers", at, "poll_media", "text"], 1, 55)
        if emoji is not None and emoji.get("id") and rules.on("discord.poll.emoji"):
            raise Refusal(520004)
        face: Json = {"text": text}
        if emoji is not None:
            face["emoji"] = {"id": emoji.get("id"), "name": emoji.get("name")}
        shown.append({"answer_id": at + 1, "poll_media": face})
    hours = raw.get("duration") or 24
    whole = isinstance(hours, (int, float)) and hours == int(hours)
    if rules.on("discord.poll.duration") and not (whole and 1 <= hours <= 768):
        form.wrong(["poll", "duration"], "NUMBER_TYPE_RANGE", "int value should be between 1 and 768.")
    if raw.get("layout_type") not in (None, 1):
        form.wrong(["poll", "layout_type"], "BASE_TYPE_CHOICES", "Value must be one of (1,).")
    multiselect = bool(raw.get("allow_multiselect"))
    return {"question": question, "answers": shown, "hours": hours, "multiselect": multiselect}


def read_modal(raw: Any, rules: Rules) -> Json:
    """Check a form that a bot opens. Raises: Refusal 50035."""
    try:
        return _read_modal(raw, rules)
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise misfit(["data"], "DICT_TYPE_CONVERT", "A field is of the wrong type") from None


def _read_modal(raw: Json, rules: Rules) -> Json:
    form = Form()
    if rules.on("discord.modal.title") and not 1 <= len(raw.get("title") or "") <= 45:
        form.bad_length(["data", "title"], 1, 45)
    if rules.on("discord.modal.custom_id") and not 1 <= len(raw.get("custom_id") or "") <= 100:
        form.bad_length(["data", "custom_id"], 1, 100)
    rows = Components(form, rules).modal(raw.get("components"), ["data", "components"])
    form.done()
    return {"custom_id": raw.get("custom_id"), "title": raw.get("title"), "components": rows}
