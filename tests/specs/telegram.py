"""Checks what went over the wire against the machine-readable Bot API: methods, fields, types, constants, lengths.

A form brings every value as text; it is read as the first of the field's types that it can be. Ranges of numbers stand
only in the descriptions' prose and are not checked; lengths in characters or bytes stand there in one form and are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from email.message import Message
from email.parser import BytesParser
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from sandbox.server import Exchange

SPEC = Path(__file__).resolve().parents[2].parent / "shared" / "specs" / "telegram-bot-api.json"
SPEC_PRESENT = SPEC.is_file()
"""Whether the specification is there; where it is not, nothing is checked."""

_CALL = re.compile(r"/bot[^/]+/(\w+)$")
_LENGTH = re.compile(r"(\d+)-(\d+) (characters|bytes)")
_CONSTANT = re.compile(r"(?:always|must be) [\"“]?([a-z]\w*)[\"”]?$")
_PLAIN: Mapping[str, tuple[type, ...]] = {
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
    "String": (str,),
}
_ONE_OF = {
    "Update": (0, {"update_id"}),
    "InlineKeyboardButton": (1, {"text", "icon_custom_emoji_id", "style"}),
}
"""Types of whose other fields there is at least so many, and at most one."""
_UPLOAD = object()


@cache
def _spec() -> tuple[dict[str, Any], dict[str, Any]]:
    spec = json.loads(SPEC.read_text())
    methods = {name.lower(): method for name, method in spec["methods"].items()}
    for described in (*methods.values(), *spec["types"].values()):
        described["by_name"] = {field["name"]: field for field in described.get("fields") or ()}
    return methods, spec["types"]


def check(exchange: Exchange) -> list[str]:
    """What is wrong with one request and its answer; nothing when both keep to the specification."""
    call = _CALL.match(exchange.path)
    if not SPEC_PRESENT or call is None:
        return []
    method = _spec()[0].get(call[1].lower())
    if method is None:
        return [f"{call[1]}: no such method", *_answer(exchange, None)]
    return [f"{method['name']}: {wrong}" for wrong in (*_request(exchange, method), *_answer(exchange, method))]


def check_answer(exchange: Exchange) -> list[str]:
    """What is wrong with the answer alone, for requests that are meant to be refused."""
    call = _CALL.match(exchange.path)
    if not SPEC_PRESENT or call is None:
        return []
    return [f"{call[1]}: {wrong}" for wrong in _answer(exchange, _spec()[0].get(call[1].lower()))]


def _request(exchange: Exchange, method: dict[str, Any]) -> Iterator[str]:
    try:
        values, files = _values(exchange)
    except ValueError as error:
        yield f"unreadable request: {error}"
        return
    fields = method["by_name"]
    attached = {text for value in values.values() for text in re.findall(r"attach://([\w.-]+)", str(value))}
    for name in files:
        if name in fields:
            values[name] = _UPLOAD
        elif name not in attached:
            yield f"file {name!r} is attached to nothing"
    yield from (f"attach://{name} names no file" for name in sorted(attached - set(files)))
    for name, value in values.items():
        if name not in fields:
            yield f"unknown field {name!r}"
        else:
            yield from _field(value, fields[name], name)
    yield from (f"{name} is missing" for name, one in fields.items() if one["required"] and name not in values)


def _values(exchange: Exchange) -> tuple[dict[str, Any], set[str]]:
    """The request's parameters (those of forms as ``_Text``) and the names of its files."""
    values: dict[str, Any] = {name: _Text(value) for name, value in exchange.query.items()}
    headers = {name.lower(): value for name, value in exchange.request_headers.items()}
    kind, body = headers.get("content-type", ""), exchange.request_body
    files: set[str] = set()
    if not body:
        return values, files
    if kind.startswith("application/json"):
        parsed = json.loads(body)
        if not isinstance(parsed, dict):
            raise ValueError("the body is no object")
        values |= parsed
    elif kind.startswith("application/x-www-form-urlencoded"):
        values |= {
            name: _Text(value) for name, value in parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
        }
    elif kind.startswith("multipart/form-data"):
        for part in _parts(kind, body):
            name = str(part.get_param("name", header="content-disposition"))
            if part.get_filename() is not None:
                files.add(name)
            else:
                payload = part.get_payload(decode=True)
                values[name] = _Text(payload.decode() if isinstance(payload, bytes) else "")
    else:
        raise ValueError(f"content type {kind!r}")
    return values, files


def _parts(kind: str, body: bytes) -> list[Message]:
    whole = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    if not whole.is_multipart():
        raise ValueError("no multipart body")
    return [part for part in whole.walk() if part is not whole]


class _Text(str):
    """A value that came as text, whatever its type."""

    __slots__ = ()

    def read_as(self, kind: str) -> Any:
        if kind in ("String", "InputFile"):
            return str(self)
        if kind == "Boolean" and self not in ("true", "false"):
            raise ValueError(f"{self!r} is no Boolean")
        return json.loads(self)


def _field(value: Any, field: Mapping[str, Any], where: str) -> list[str]:
    """What is wrong with the value of one described field."""
    wrongs: list[list[str]] = []
    for kind in field["types"]:
        read = value
        if isinstance(value, _Text):
            try:
                read = value.read_as(kind)
            except ValueError:
                wrongs.append([f"{where}: {str(value)!r} is no {kind}"])
                continue
        wrong = [*_typed(read, kind, where), *_described(read, field["description"], where)]
        if not wrong:
            return []
        wrongs.append(wrong)
    return min(wrongs, key=len)


def _described(value: Any, description: str, where: str) -> Iterator[str]:
    """Lengths and constants, which only the description states. What markup may shorten is not measured."""
    if not isinstance(value, str):
        return
    constant = _CONSTANT.search(description)
    if constant is not None and value != constant[1]:
        yield f"{where}: {value!r} is not {constant[1]!r}"
    length = _LENGTH.search(description)
    if length is not None and "after entit" not in description:
        size = len(value) if length[3] == "characters" else len(value.encode())
        if not int(length[1]) <= size <= int(length[2]):
            yield f"{where}: {size} {length[3]}, allowed {length[1]}-{length[2]}"


def _typed(value: Any, kind: str, where: str) -> list[str]:
    """What is wrong with a value that ought to be of a type."""
    if kind.startswith("Array of "):
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no {kind}"]
        return [
            wrong
            for i, one in enumerate(value)
            for wrong in _typed(one, kind.removeprefix("Array of "), f"{where}[{i}]")
        ]
    if kind in _PLAIN:
        fits = isinstance(value, _PLAIN[kind]) and isinstance(value, bool) == (kind == "Boolean")
        return [] if fits else [f"{where}: {value!r} is no {kind}"]
    if kind == "InputFile":
        return [] if value is _UPLOAD or str(value).startswith("attach://") else [f"{where}: {value!r} is no file"]
    described = _spec()[1][kind]
    if described.get("subtypes"):
        return min((_typed(value, one, where) for one in described["subtypes"]), key=len)
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no {kind}"]
    return list(_object(value, kind, described["by_name"], where))


def _object(value: dict[str, Any], kind: str, fields: Mapping[str, Any], where: str) -> Iterator[str]:
    for name, one in value.items():
        if name not in fields:
            yield f"{where}: {kind} has no field {name!r}"
        else:
            yield from _field(one, fields[name], f"{where}.{name}")
    for name, field in fields.items():
        if field["required"] and name not in value:
            yield f"{where}: {kind} lacks {name!r}"
    if kind in _ONE_OF:
        least, common = _ONE_OF[kind]
        others = sorted(set(value) - common)
        if not least <= len(others) <= 1:
            yield f"{where}: {kind} carries {others}, not one"


def _answer(exchange: Exchange, method: dict[str, Any] | None) -> Iterator[str]:
    try:
        answer = json.loads(exchange.response_body)
    except ValueError:
        yield "the answer is no JSON"
        return
    if not isinstance(answer, dict) or not isinstance(answer.get("ok"), bool):
        yield "the answer lacks ok"
    elif answer["ok"]:
        yield from _success(exchange, answer, method)
    else:
        yield from _refusal(exchange, answer)


def _success(exchange: Exchange, answer: dict[str, Any], method: dict[str, Any] | None) -> Iterator[str]:
    if exchange.status != 200:
        yield f"ok with status {exchange.status}"
    if set(answer) - {"ok", "result", "description"} or "result" not in answer:
        yield f"an answer carries ok and result, not {sorted(answer)}"
    elif method is not None:
        yield from min((_typed(answer["result"], kind, "result") for kind in method["returns"]), key=len)


def _refusal(exchange: Exchange, answer: dict[str, Any]) -> Iterator[str]:
    if set(answer) - {"ok", "error_code", "description", "parameters"}:
        yield f"a refusal carries ok, error_code, description and parameters, not {sorted(answer)}"
    if answer.get("error_code") != exchange.status:
        yield f"error_code {answer.get('error_code')!r} with status {exchange.status}"
    if not isinstance(answer.get("description"), str) or not answer.get("description"):
        yield "a refusal lacks its description"
    parameters = answer.get("parameters", {})
    yield from _typed(parameters, "ResponseParameters", "parameters")
    if exchange.status == 429:
        headers = {name.lower(): value for name, value in exchange.response_headers.items()}
        if not isinstance(parameters, dict) or str(parameters.get("retry_after")) != headers.get("retry-after"):
            yield "429 lacks retry_after, or Retry-After says otherwise"
