"""What is wrong in a settings file, in a line that names the key and the mend."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

_BY_LANGUAGE = ("title", "words", "question")

_BOUNDS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("of at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("of at most", "le"),
}
"""What pydantic calls a number that is too large or too small, and where it says how far it may go.
Source: https://docs.pydantic.dev/latest/errors/validation_errors/"""


def mend(error: ValidationError, settings: type[BaseModel]) -> str:
    """The first mistake in ``settings`` and its mend. A misspelt key goes first: the one that is missing is then often
    the same."""
    mistakes: list[Any] = [*error.errors(include_url=False)]
    first = min(mistakes, key=lambda mistake: mistake["type"] != "extra_forbidden")
    where = [str(part) for part in first["loc"] if part != "[key]"]
    key, given = ".".join(where), first["input"]
    match first["type"]:
        case "extra_forbidden":
            names = _names_beside(where, settings)
            close = get_close_matches(where[-1], names, 1)
            hint = f"did you mean {close[0]}?" if close else f"there is: {', '.join(names)}"
            return f"{key}: there is no such setting; {hint}"
        case "missing":
            return f"{key}: missing; add it"
        case "tuple_type" | "list_type":
            return f"{key}: write a list" + (f': {where[-1]} = ["{given}"]' if isinstance(given, str) else "")
        case "string_type" if isinstance(given, list | dict):
            return f"{key}: write one word in quotes"
        case "string_type" if where[-1].isdecimal():  # the place in a list
            return f'{".".join(where[:-1])}: put it in quotes: {where[-2]} = ["{given}"]'
        case "string_type":
            return f'{key}: put it in quotes: {where[-1]} = "…"'
        case "dict_type" | "mapping_type" if where[-1] in _BY_LANGUAGE:
            return f"{key}: write it by language: {where[-1]} = {{ en = … }}"
        case "model_type" | "dict_type" | "mapping_type" if len(where) > 2:
            return f"{key}: write a table in a line, as the settings.toml that ships with Vouch does"
        case "model_type" | "dict_type" | "mapping_type":
            return f"{key}: is no table; write [{where[0]}{'.NAME' if len(where) > 1 else ''}] and its keys below"
    return f"{key}: {_of_value(where[-1], first)}"


def _of_value(name: str, mistake: Mapping[str, Any]) -> str:
    """What is wrong about a value of the right shape."""
    kind, about = mistake["type"], mistake.get("ctx", {})
    if kind in ("literal_error", "enum"):
        return f"{mistake['input']!r} is none of {about['expected']}"
    if kind == "string_too_short":
        return "it is empty; write something in the quotes"
    if kind.startswith("date"):
        return f"write a date without quotes, such as {name} = 2026-06-30"
    if kind.startswith("bool_"):
        return "write true or false, without quotes"
    if kind == "int_from_float":
        return "write a whole number"
    if kind.startswith(("int_", "float_")):
        return "write a number, without quotes"
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"write a number {words} {about[bound]}"
    return str(mistake["msg"]).removeprefix("Value error, ")


def _names_beside(where: list[str], settings: type[BaseModel]) -> list[str]:
    """What the last part of a key might be called."""
    if len(where) == 1 or where[0] not in settings.model_fields:
        return list(settings.model_fields)
    kind: Any = settings.model_fields[where[0]].annotation
    table: type[BaseModel] = get_args(kind)[1] if get_args(kind) else kind
    return list(table.model_fields)
