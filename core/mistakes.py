"""What is wrong in a settings file, in a line that names the key and the mend."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


def mend(error: ValidationError, settings: type[BaseModel]) -> str:
    """The first mistake in ``settings`` and its mend. A misspelt key goes first: the one that is missing is then often
    the same."""
    mistakes: list[Any] = [*error.errors(include_url=False)]
    first = min(mistakes, key=lambda mistake: mistake["type"] != "extra_forbidden")
    where = [str(part) for part in first["loc"]]
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
        case "string_type":
            return f'{key}: put it in quotes: {where[-1]} = "…"'
        case "model_type" | "dict_type" | "mapping_type":
            return f"{key}: is no table; write [{where[0]}{'.NAME' if len(where) > 1 else ''}] and its keys below"
    return f"{key}: {first['msg'].removeprefix('Value error, ')}"


def _names_beside(where: list[str], settings: type[BaseModel]) -> list[str]:
    """What the last part of a key might be called."""
    if len(where) == 1 or where[0] not in settings.model_fields:
        return list(settings.model_fields)
    kind: Any = settings.model_fields[where[0]].annotation
    table: type[BaseModel] = get_args(kind)[1] if get_args(kind) else kind
    return list(table.model_fields)
