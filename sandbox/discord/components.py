"""Buttons, selects and forms: what a bot may send, as people see it, and what a person's act on it sends back.

Source: https://discord.com/developers/docs/components/reference
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.discord.errors import Form
from sandbox.discord.model import Json
from sandbox.rules import Rules
from sandbox.seam import PostButton

ROW, BUTTON, STRING_SELECT, TEXT_INPUT, LABEL = 1, 2, 3, 4, 18
LINK, PREMIUM = 5, 6
Path = Sequence[str | int]


class Components:
    """Checks one tree of components and gives every one its number."""

    def __init__(self, form: Form, rules: Rules) -> None:
        self.form = form
        self.on = rules.on
        self.number = 0
        self.seen: set[str] = set()

    def message(self, raw: object) -> list[Json]:
        """Action rows of a message."""
        rows = _list(raw, self.form, ["components"])
        if self.on("discord.components.rows") and len(rows) > 5:
            self.form.wrong(["components"], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
        return [self._row(row, ["components", at]) for at, row in enumerate(rows)]

    def modal(self, raw: object, path: Path) -> list[Json]:
        """Rows or labels of a form, each around one text input."""
        rows = _list(raw, self.form, path)
        if self.on("discord.modal.components") and not 1 <= len(rows) <= 5:
            self.form.wrong(path, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
        return [self._modal_row(row, [*path, at]) for at, row in enumerate(rows)]

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _row(self, raw: Any, path: Path) -> Json:
        if not isinstance(raw, dict) or raw.get("type") != ROW:
            self.form.wrong([*path, "type"], "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1,).')
            return {}
        row: Json = {"type": ROW, "id": self._next()}
        inner = _list(raw.get("components"), self.form, [*path, "components"])
        if not inner:
            self.form.wrong([*path, "components"], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
        width = sum(5 if isinstance(part, dict) and part.get("type") == STRING_SELECT else 1 for part in inner)
        if self.on("discord.components.width") and width > 5:
            message = "The specified component exceeds the maximum width"
            self.form.wrong([*path, "components", 5], "COMPONENT_LAYOUT_WIDTH_EXCEEDED", message)
        row["components"] = [self._leaf(part, [*path, "components", at]) for at, part in enumerate(inner)]
        return row

    def _leaf(self, raw: Any, path: Path) -> Json:
        kind = raw.get("type") if isinstance(raw, dict) else None
        if kind == BUTTON:
            return self._button(raw, path)
        if kind == STRING_SELECT:
            return self._select(raw, path)
        self.form.wrong([*path, "type"], "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (2, 3).')
        return {}

    def _custom_id(self, raw: Json, path: Path) -> str:
        custom_id = raw.get("custom_id")
        if not isinstance(custom_id, str):
            self.form.required([*path, "custom_id"])
            return ""
        if self.on("discord.components.custom_id") and not 1 <= len(custom_id) <= 100:
            self.form.bad_length([*path, "custom_id"], 1, 100)
        if self.on("discord.components.unique") and custom_id in self.seen:
            message = "Component custom id cannot be duplicated"
            self.form.wrong([*path, "custom_id"], "COMPONENT_CUSTOM_ID_DUPLICATED", message)
        self.seen.add(custom_id)
        return custom_id

    def _button(self, raw: Json, path: Path) -> Json:
        style = raw.get("style")
        if style not in range(1, 7):
            self.form.wrong([*path, "style"], "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5, 6).")
        button: Json = {"type": BUTTON, "id": self._next(), "style": style}
        label = raw.get("label")
        if label is not None:
            if self.on("discord.components.label") and len(label) > 80:
                self.form.too_long([*path, "label"], 80)
            button["label"] = label
        if raw.get("emoji") is not None:
            button["emoji"] = {key: value for key, value in raw["emoji"].items() if value is not None}
        if self.on("discord.components.button_face") and not label and raw.get("emoji") is None and style != PREMIUM:
            message = "A button must have a label or emoji"
            self.form.wrong(path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", message)
        if style == LINK:
            if raw.get("url") is None:
                self.form.required([*path, "url"])
            button["url"] = raw.get("url")
        else:
            button["custom_id"] = self._custom_id(raw, path)
        if raw.get("disabled"):
            button["disabled"] = True
        return button

    def _select(self, raw: Json, path: Path) -> Json:
        options = _list(raw.get("options"), self.form, [*path, "options"])
        if self.on("discord.components.options") and not 1 <= len(options) <= 25:
            self.form.wrong([*path, "options"], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 25 in length.")
        select: Json = {
            "type": STRING_SELECT,
            "id": self._next(),
            "custom_id": self._custom_id(raw, path),
            "min_values": raw.get("min_values", 1),
            "max_values": raw.get("max_values", 1),
            "options": [self._option(option, [*path, "options", at]) for at, option in enumerate(options)],
        }
        values = [option.get("value") for option in select["options"]]
        if self.on("discord.components.option_values") and len(set(values)) < len(values):
            message = "The specified option value is already used"
            self.form.wrong([*path, "options"], "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message)
        if raw.get("placeholder") is not None:
            if self.on("discord.components.placeholder") and len(raw["placeholder"]) > 150:
                self.form.too_long([*path, "placeholder"], 150)
            select["placeholder"] = raw["placeholder"]
        if raw.get("disabled"):
            select["disabled"] = True
        return select

    def _option(self, raw: Any, path: Path) -> Json:
        option: Json = {}
        for key in ("label", "value"):
            text = raw.get(key) if isinstance(raw, dict) else None
            if not isinstance(text, str):
                self.form.required([*path, key])
                continue
            if self.on("discord.components.option_length") and not 1 <= len(text) <= 100:
                self.form.bad_length([*path, key], 1, 100)
            option[key] = text
        return option

    def _modal_row(self, raw: Any, path: Path) -> Json:
        if isinstance(raw, dict) and raw.get("type") == ROW and len(raw.get("components") or ()) == 1:
            row: Json = {"type": ROW, "id": self._next()}
            return row | {"components": [self._input(raw["components"][0], [*path, "components", 0], row=True)]}
        if isinstance(raw, dict) and raw.get("type") == LABEL:
            row = {"type": LABEL, "id": self._next(), "label": raw.get("label")}
            if self.on("discord.modal.label") and not 1 <= len(raw.get("label") or "") <= 45:
                self.form.bad_length([*path, "label"], 1, 45)
            return row | {"component": self._input(raw.get("component"), [*path, "component"], row=False)}
        self.form.wrong([*path, "type"], "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1, 18).')
        return {}

    def _input(self, raw: Any, path: Path, *, row: bool) -> Json:
        if not isinstance(raw, dict) or raw.get("type") != TEXT_INPUT:
            self.form.wrong([*path, "type"], "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (4,).')
            return {}
        if raw.get("style") not in (1, 2):
            self.form.wrong([*path, "style"], "BASE_TYPE_CHOICES", "Value must be one of (1, 2).")
        if row and self.on("discord.modal.label") and not 1 <= len(raw.get("label") or "") <= 45:
            self.form.bad_length([*path, "label"], 1, 45)
        for key, least in (("min_length", 0), ("max_length", 1)):
            length = raw.get(key)
            if length is not None and self.on("discord.modal.input_length") and not least <= length <= 4000:
                message = f"int value should be between {least} and 4000."
                self.form.wrong([*path, key], "NUMBER_TYPE_RANGE", message)
        if self.on("discord.modal.value") and len(raw.get("value") or "") > 4000:
            self.form.too_long([*path, "value"], 4000)
        if self.on("discord.modal.placeholder") and len(raw.get("placeholder") or "") > 100:
            self.form.too_long([*path, "placeholder"], 100)
        return {**raw, "id": self._next(), "custom_id": self._custom_id(raw, path)}


def _list(raw: object, form: Form, path: Path) -> list[Any]:
    if raw is None:
        return []
    if isinstance(raw, list):
        return raw
    form.wrong(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    return []


def leaves(rows: Sequence[Json]) -> Iterator[Json]:
    """The buttons, selects and inputs within rows."""
    for row in rows:
        yield from row.get("components", ())
        if "component" in row:
            yield row["component"]


def buttons_of(rows: Sequence[Json]) -> list[tuple[PostButton, Json]]:
    """What a person can tap, and the interaction's data that a tap sends. An option of a select counts as a button."""
    found: list[tuple[PostButton, Json]] = []
    for part in leaves(rows):
        if part.get("disabled") or "custom_id" not in part:
            continue
        data: Json = {"component_type": part["type"], "custom_id": part["custom_id"], "id": part["id"]}
        if part["type"] == BUTTON:
            face = part.get("label") or part.get("emoji", {}).get("name", "")
            found.append((PostButton(face, part["custom_id"]), data))
        for option in part.get("options", ()):
            button = PostButton(option["label"], f"{part['custom_id']}\n{option['value']}")
            found.append((button, {**data, "values": [option["value"]]}))
    return found


def filled(rows: Sequence[Json], text: str) -> list[Json] | None:
    """What submitting a form sends with ``text`` in its first field; ``None`` when the app would not let it through."""
    sent: list[Json] = []
    for at, part in enumerate(leaves(rows)):
        value = text if at == 0 else part.get("value") or ""
        short = len(value) < (part.get("min_length") or 0) and (value or part.get("required", True))
        if short or len(value) > (part.get("max_length") or 4000) or (not value and part.get("required", True)):
            return None
        entered = {"type": TEXT_INPUT, "id": part["id"], "custom_id": part["custom_id"], "value": value}
        row = rows[at]
        inner: Json = {"component": entered} if row["type"] == LABEL else {"components": [entered]}
        sent.append({"type": row["type"], "id": row["id"], **inner})
    return sent
