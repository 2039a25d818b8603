"""Checks what went over the wire against Discord's OpenAPI: paths, queries, bodies, statuses, headers.

The specification leaves objects open; here a field that it does not name is a mistake. Not checked: the gateway, which
it does not describe, and the pages of the proxy in front of Discord, which are not its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.parser import BytesParser
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match

from sandbox.server import Exchange

SPEC = Path(__file__).resolve().parents[2].parent / "shared" / "specs" / "discord-openapi.json"
SPEC_PRESENT = SPEC.is_file()
"""Whether the specification is there; where it is not, nothing is checked."""

PREFIX = "/api/v10"
JSON = "application/json"
Schema = dict[str, Any]
_SCHEMAS = "#/components/schemas/"
ERRATA: dict[tuple[str, ...], Schema] = {
    ("Error", "properties", "code"): {"type": ["integer", "string"]},
    ("ApplicationCommandCreateRequest", "properties", "nsfw"): {"type": ["boolean", "null"]},
    ("ApplicationCommandUpdateRequest", "properties", "nsfw"): {"type": ["boolean", "null"]},
    ("MessageEditRequestPartial", "properties", "tts"): {"const": False},
    ("IncomingWebhookUpdateRequestPartial", "properties", "tts"): {"const": False},
    ("IncomingWebhookUpdateForInteractionCallbackRequestPartial", "properties", "tts"): {"const": False},
}
"""Where the specification contradicts the documentation: a field's error has a word for its code, a command may be
``nsfw``; and ``tts``, which discord.py sends with every edit, is passed over by Discord.

Source: https://discord.com/developers/docs/reference#error-messages,
https://discord.com/developers/docs/interactions/application-commands
"""
SENT_ID: Schema = {"anyOf": [{"type": "string", "format": "snowflake"}, {"type": "integer", "minimum": 0}]}
"""Ids may be sent as numbers too; they always come as text.
Source: https://discord.com/developers/docs/reference#id-serialization"""
_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("int32")
def _is_int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@_FORMATS.checks("snowflake")
def _is_snowflake(value: object) -> bool:
    return not isinstance(value, str) or (value.isascii() and value.isdecimal() and int(value) < 2**64)


@_FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_FORMATS.checks("uri", raises=ValueError)
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


@cache
def _spec() -> Schema:
    """The specification with every object closed, but for those that another adds to."""
    spec: Schema = json.loads(SPEC.read_text())
    for path, schema in ERRATA.items():
        node = spec["components"]["schemas"]
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = schema
    extended = {part.get("$ref") for part in _parts_of_sums(spec["components"])}
    for name, schema in spec["components"]["schemas"].items():
        if "properties" in schema and "allOf" not in schema and _SCHEMAS + name not in extended:
            schema.setdefault("additionalProperties", False)
    return spec


def _parts_of_sums(node: object) -> Iterator[Schema]:
    """Every schema that stands in an ``allOf``."""
    if isinstance(node, dict):
        yield from node.get("allOf", ())
        for inner in node.values():
            yield from _parts_of_sums(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _parts_of_sums(inner)


@cache
def _validator(schema: str, sent: bool) -> Draft202012Validator:
    """A validator of a schema, given as JSON, for what is sent to Discord or comes from it."""
    schemas = _spec()["components"]["schemas"]
    if sent:
        schemas = {**schemas, "SnowflakeType": SENT_ID}
    root = {**json.loads(schema), "components": {"schemas": schemas}}
    return Draft202012Validator(root, format_checker=_FORMATS)


def _wrong(schema: Schema, value: object, where: str) -> Iterator[str]:
    sent = where != "answer"
    error = best_match(_validator(json.dumps(schema), sent).iter_errors(value))
    if error is not None:
        place = "/".join(map(str, error.absolute_path))
        yield f"{where} {place}: {error.message[:300]}"


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """Path templates, the literal ones first, so that ``/users/@me`` is not read as a user's id."""
    paths = sorted(_spec()["paths"], key=lambda path: (path.count("{"), path))
    return [(re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))), path) for path in paths]


def check(exchange: Exchange) -> list[str]:
    """What is wrong with one request and its answer; nothing when both keep to the specification."""
    if not SPEC_PRESENT or not exchange.path.startswith(f"{PREFIX}/"):
        return []
    if _is_proxy_page(exchange):
        return []
    own = exchange.path.removeprefix(PREFIX)
    for pattern, path in _paths():
        match = pattern.fullmatch(own)
        if match is None:
            continue
        item = _spec()["paths"][path]
        operation = item.get(exchange.method.lower())
        if operation is None:
            return [f"{exchange.method} {path}: no such method"]
        parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
        found = [
            *_parameters(parameters, match.groupdict(), exchange.query),
            *_authorization(operation, exchange),
            *_request(operation, exchange),
            *_answer(operation, exchange),
        ]
        return [f"{exchange.method} {path}: {each}" for each in found]
    return [f"{exchange.method} {own}: no such path"]


def _is_proxy_page(exchange: Exchange) -> bool:
    kind = exchange.response_headers.get("Content-Type", "")
    return exchange.status == 429 and kind.startswith("text/html") and "Via" not in exchange.response_headers


def _parameters(known: list[Schema], path: Mapping[str, str], query: Mapping[str, str]) -> Iterator[str]:
    given = {"path": path, "query": query}
    for parameter in known:
        name, place = parameter["name"], parameter["in"]
        if name in given.get(place, {}):
            yield from _wrong(parameter["schema"], _typed(given[place][name], parameter["schema"]), f"{place} {name}")
        elif parameter.get("required"):
            yield f"{place} {name}: missing"
    names = {parameter["name"] for parameter in known if parameter["in"] == "query"}
    for name in query.keys() - names:
        yield f"query {name}: unknown"


def _typed(text: str, schema: Schema) -> object:
    """The text of a path or query as the type that the schema wants, where it can be that."""
    kind = schema.get("type")
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "boolean" and text.lower() in ("true", "false", "1", "0"):
        return text.lower() in ("true", "1")
    return text


def _authorization(operation: Schema, exchange: Exchange) -> Iterator[str]:
    """A bot's token, where nothing less is enough."""
    wanted = operation.get("security", ())
    sent = exchange.request_headers.get("Authorization", "")
    if wanted and {} not in wanted and not sent.startswith("Bot ") and exchange.status != 401:
        yield "Authorization: no bot's token"


def _request(operation: Schema, exchange: Exchange) -> Iterator[str]:
    described = operation.get("requestBody")
    kind, _, _ = exchange.request_headers.get("Content-Type", "").partition(";")
    if described is None:
        if exchange.request_body not in (b"", b"{}", b"null"):
            yield "request: a body where none belongs"
        return
    if not exchange.request_body:
        if described.get("required"):
            yield "request: no body"
        return
    if kind not in described["content"]:
        yield f"request: content type {kind!r}"
        return
    body, files = (exchange.request_body, []) if kind == JSON else _form(exchange)
    try:
        value = json.loads(body)
    except ValueError:
        yield "request: not JSON"
        return
    yield from _wrong(described["content"][JSON]["schema"], value, "request")
    for name in files:
        if not re.fullmatch(r"files\[\d\]", name):
            yield f"request: file named {name!r}"


def _form(exchange: Exchange) -> tuple[bytes, list[str]]:
    """A multipart form's ``payload_json`` and the names of its files."""
    head = f"Content-Type: {exchange.request_headers['Content-Type']}\r\n\r\n".encode()
    payload, files = b"", list[str]()
    for part in BytesParser().parsebytes(head + exchange.request_body).get_payload():
        name = str(part.get_param("name", header="Content-Disposition"))  # type: ignore[union-attr]
        if name == "payload_json":
            payload = part.get_payload(decode=True)  # type: ignore[union-attr,assignment]
        else:
            files.append(name)
    return payload, files


def _answer(operation: Schema, exchange: Exchange) -> Iterator[str]:
    responses = operation["responses"]
    status = str(exchange.status)
    response = responses.get(status) or responses.get(f"{status[0]}XX")
    if response is None:
        yield f"answer: status {status}"
        return
    if "$ref" in response:
        response = _spec()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    yield from _headers(response, exchange)
    content = response.get("content")
    if content is None:
        if exchange.response_body:
            yield "answer: a body where none belongs"
        return
    if exchange.response_headers.get("Content-Type") != JSON:
        yield f"answer: content type {exchange.response_headers.get('Content-Type')!r}"
    try:
        value = json.loads(exchange.response_body)
    except ValueError:
        yield "answer: not JSON"
        return
    yield from _wrong(content[JSON]["schema"], value, "answer")


def _headers(response: Schema, exchange: Exchange) -> Iterator[str]:
    """The rate limit's headers, as numbers; all of them once there is one."""
    sent = {name.lower(): value for name, value in exchange.response_headers.items()}
    known = {name: _spec()["components"]["headers"][name]["schema"] for name in response.get("headers", ())}
    present = [name for name in known if name.lower() in sent]
    for name, schema in known.items():
        text = sent.get(name.lower())
        if text is None:
            if present:
                yield f"answer header {name}: missing"
            continue
        number = {"integer": r"\d+", "number": r"\d+(\.\d+)?"}.get(schema["type"])
        if number is not None and not re.fullmatch(number, text):
            yield f"answer header {name}: {text!r}"
